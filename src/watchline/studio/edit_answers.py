"""What the studio takes as edits of a plan, and answers to them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from watchline.studio.answers import Fault, FeatureCollection, Model
from watchline.studio.plan_answers import ClaimInfo, DeviceInfo, MountInfo, PlanDetail, Verdict


class MoveMount(Model):
    """Move a mount with the devices on it."""

    action: Literal["move_mount"]
    mount_id: str
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)


class SetStructure(Model):
    """Set another mast or tower up in a mount's place; devices at its top stay at the top."""

    action: Literal["set_structure"]
    mount_id: str
    structure: str


class AddMount(Model):
    """Set up a mount."""

    action: Literal["add_mount"]
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    structure: str
    name: str = Field(default="", max_length=120)


class RemoveMount(Model):
    """Remove a mount with the devices on it."""

    action: Literal["remove_mount"]
    mount_id: str


class AimDevice(Model):
    """Turn, tilt or zoom a device; what is left out stays as it is."""

    action: Literal["aim_device"]
    device_id: str
    azimuth_deg: float | None = Field(default=None, ge=0, le=360, description="From grid north.")
    tilt_deg: float | None = Field(default=None, ge=-90, le=90)
    focal_mm: float | None = Field(default=None, gt=0, le=10_000)


class SetHeight(Model):
    """Hang a device at another height above the ground."""

    action: Literal["set_height"]
    device_id: str
    height_m: float = Field(gt=0, le=500)


class SetModel(Model):
    """Put another model of the catalogue in a device's place; its lens starts nearest to before."""

    action: Literal["set_model"]
    device_id: str
    model: str
    focal_mm: float | None = Field(default=None, gt=0, le=10_000)


class AddDevice(Model):
    """Hang a device on a mount; without a height at its top, without a lens at its widest."""

    action: Literal["add_device"]
    mount_id: str
    model: str
    azimuth_deg: float = Field(default=0.0, ge=0, le=360)
    tilt_deg: float = Field(default=5.0, ge=-90, le=90)
    focal_mm: float | None = Field(default=None, gt=0, le=10_000)
    height_m: float | None = Field(default=None, gt=0, le=500)


class RemoveDevice(Model):
    """Take a device down."""

    action: Literal["remove_device"]
    device_id: str


class AimLight(Model):
    """Turn or tilt a light; what is left out stays as it is."""

    action: Literal["aim_light"]
    light_id: str
    azimuth_deg: float | None = Field(default=None, ge=0, le=360, description="From grid north.")
    tilt_deg: float | None = Field(default=None, ge=-90, le=90)


class RemoveLight(Model):
    """Take a light down, and its pole where it was the last one on it."""

    action: Literal["remove_light"]
    light_id: str


Edit = Annotated[
    MoveMount
    | SetStructure
    | AddMount
    | RemoveMount
    | AimDevice
    | SetHeight
    | SetModel
    | AddDevice
    | RemoveDevice
    | AimLight
    | RemoveLight,
    Field(discriminator="action"),
]


class EditRequest(Model):
    """Edits that are made together, as one step of undo."""

    edits: list[Edit] = Field(min_length=1, max_length=200)
    condition: str | None = Field(
        default=None,
        description="Condition for ``seen``; by default that of the first requirement.",
    )


class ShareChange(Model):
    """How a claim's figure changed with the last edit."""

    requirement: str
    kind: str
    condition: str
    before: float
    after: float
    verdict_before: Verdict
    verdict_after: Verdict


class EditAnswer(Model):
    """A plan after an edit: what changed, what the changed devices see, what holds now."""

    plan: str = Field(description="The version that took it: a new one beside a computed plan.")
    revision: str
    tiles: str
    cost: float
    currency: str
    changed_mounts: list[MountInfo]
    changed_devices: list[DeviceInfo]
    removed_mounts: list[str]
    removed_devices: list[str]
    claims: list[ClaimInfo]
    changed_claims: list[ShareChange]
    seen: FeatureCollection = Field(description="Ground that the changed devices see, each one.")
    holds: bool
    notes: list[str]
    can_undo: bool
    can_redo: bool
    milliseconds: float = Field(description="Time from the request to this answer.")


class Conflict(Fault):
    """Somebody else edited the plan meanwhile: what was sent, and what stands."""

    sent_revision: str
    sent_edits: list[Edit] = Field(default_factory=list)
    current_revision: str
    current: PlanDetail
