"""What the studio answers on plans: mounts, devices, claims, edits, cells, differences."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from watchline.studio.answers import (
    Fault,
    FeatureCollection,
    Geometry,
    LonLat,
    Model,
    PlanEntry,
)


class MountInfo(Model):
    """A mast or tower of a plan."""

    mount_id: str
    name: str
    structure: str
    kind: str
    height_m: float
    lon: float
    lat: float
    x: float
    y: float
    s: float = Field(description="Chainage in m.")
    t: float = Field(description="Offset in m, positive to the left.")
    ground_z: float | None
    cost: float
    existing: bool
    capacity: int
    devices: list[str]


class DeviceInfo(Model):
    """A device of a plan."""

    device_id: str
    mount_id: str
    model: str
    model_name: str
    kind: str
    lon: float
    lat: float
    height_m: float
    azimuth_deg: float = Field(description="Clockwise from grid north.")
    bearing_deg: float = Field(description="The same, clockwise from true north.")
    tilt_deg: float = Field(description="Below the horizontal.")
    focal_mm: float
    focal_min_mm: float
    focal_max_mm: float
    hfov_deg: float
    vfov_deg: float
    reach_m: float = Field(description="Distance at the lowest pixel density that is asked.")
    cost: float
    cone: Geometry | None = Field(description="Field of view on flat ground out to ``reach_m``.")


class WitnessInfo(Model):
    """The place that shows a verdict."""

    lon: float
    lat: float
    s: float
    t: float
    value: float
    why: str


Verdict = Literal["holds", "fails", "unknown"]


class ClaimInfo(Model):
    """One requirement, judged; the same figures as those of ``watchline prove``."""

    requirement: str
    kind: str
    where: str
    condition: str
    verdict: Verdict
    value: float
    lower: float
    upper: float
    target: float
    unit: str
    binding: bool
    cells: int
    failing: list[tuple[float, float]] = Field(description="Stretches of chainage in m.")
    witness: WitnessInfo | None
    method: str
    detail: str
    waits: str = Field(description="What it waits for while it is judged; empty once it is.")


class LightInfo(Model):
    """A light of a plan."""

    light_id: str
    pole_id: str
    mount_id: str
    luminaire: str
    lon: float
    lat: float
    height_m: float
    azimuth_deg: float
    tilt_deg: float


class HistoryItem(Model):
    """One state of a plan version, in the order of undo."""

    number: int
    what: str
    time: str
    current: bool
    undone: bool


class PlanDetail(PlanEntry):
    """A plan with all that it places, and its claims."""

    mount_list: list[MountInfo]
    device_list: list[DeviceInfo]
    light_list: list[LightInfo]
    claims: list[ClaimInfo]
    all_aims_bound: float | None
    computed_bound: float | None = Field(description="Bound of the project's computed plan.")
    computed_cost: float | None
    notes: list[str]
    can_undo: bool
    can_redo: bool
    history: list[HistoryItem]
    tiles: str = Field(description="Version of its tiles: put it into their address as ``?v=``.")


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


Edit = Annotated[
    MoveMount
    | SetStructure
    | AddMount
    | RemoveMount
    | AimDevice
    | SetHeight
    | SetModel
    | AddDevice
    | RemoveDevice,
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


class ClaimNews(Model):
    """The claims on a plan as they stand, while some of them are judged in the background."""

    plan: str
    revision: str
    claims: list[ClaimInfo]
    holds: bool
    waits: bool = Field(description="Whether more is to come.")


class Conflict(Fault):
    """Somebody else edited the plan meanwhile: what was sent, and what stands."""

    sent_revision: str
    sent_edits: list[Edit] = Field(default_factory=list)
    current_revision: str
    current: PlanDetail


class NewVersion(Model):
    """A new plan version, a copy of another plan as it stands."""

    name: str = Field(
        min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]*$",
        description="Letters, digits, - and _.",
    )  # fmt: skip


class Saved(Model):
    """Where a plan version was saved."""

    plan: str
    revision: str
    file: str = Field(description="Relative to the project's folder; `watchline prove` reads it.")


class StripBin(Model):
    """Views and share of good cells on one stretch of chainage."""

    s_from: float
    s_to: float
    cells: int
    share: float
    unknown_share: float
    views_least: int
    views_mean: float
    views_most: int


class StripRequirement(Model):
    """One requirement along the line."""

    requirement: str
    where: str
    views: int
    target: float
    target_height_m: float
    binding: bool
    verdict: Verdict
    value: float
    bins: list[StripBin]
    failing: list[tuple[float, float]]


class StripMark(Model):
    """Something at a chainage: a mount, a post, an area."""

    kind: Literal["mount", "post", "area", "no_watch"]
    name: str
    s_from: float
    s_to: float
    t: float


class Strip(Model):
    """The strip chart of a plan under one condition."""

    plan: str
    revision: str
    condition: str
    line_m: float
    bin_m: float
    requirements: list[StripRequirement]
    marks: list[StripMark]


Reason = Literal[
    "sees", "not_made_out", "hidden", "no_data", "too_coarse", "outside", "too_far", "too_seldom"
]


class Block(Model):
    """Where a sight line is blocked, or where the data on its way ends."""

    lon: float
    lat: float
    s: float
    t: float
    distance_m: float
    over_m: float | None = Field(description="How far it stands above the sight line.")
    what: str = Field(description="terrain, something on the ground, or no data")


class CellView(Model):
    """Whether one device sees a target at the cell, and why or why not."""

    device_id: str
    mount_id: str
    model_name: str
    sees: bool
    reason: Reason
    why: str
    px_per_m: float
    distance_m: float | None
    lamp_lx: float = Field(description="Light of the planned lamps on the side turned to it.")
    scene_lx: float = Field(description="All light on the target.")
    margin: float | None = Field(
        description="How far above the threshold the target is made out; 1 is just enough."
    )
    block: Block | None


class Profile(Model):
    """A sight line over the terrain; heights above the datum, the Earth's bend taken off."""

    device_id: str
    distance_m: list[float]
    ground_m: list[float | None]
    surface_m: list[float | None]
    ray_m: list[float]
    s: list[float] = Field(description="Chainage of each place in m.")
    lon: list[float]
    lat: list[float]


class CellAnswer(Model):
    """Who sees a cell, and who does not and why."""

    plan: str
    revision: str
    lon: float
    lat: float
    s: float
    t: float
    cell: Geometry = Field(description="The proof's cell.")
    ground_z: float | None
    places: list[str]
    condition: str
    requirement: str = Field(description="Whose demands the views are judged by.")
    target_height_m: float
    px_per_m: float
    views_asked: int
    mounts: list[str] = Field(description="Mounts that see it.")
    verdict: Literal["good", "fails", "unknown", "not asked"]
    summary: str
    views: list[CellView]
    profile: Profile | None


class PictureRing(Model):
    """A line of equal pixel density in a device's picture."""

    quality: str
    px_per_m: float
    distance_m: float = Field(description="Slant distance on the axis at which it has it.")
    colour: str


class PictureInfo(Model):
    """What a device's picture shows."""

    device_id: str
    width: int
    height: int
    hfov_deg: float
    vfov_deg: float
    projection: Literal["flat", "cylinder"]
    rings: list[PictureRing]
    image: str = Field(description="Address of the picture.")


class MountDifference(Model):
    """A mount that differs between two plans."""

    change: Literal["added", "removed", "changed"]
    before: str
    after: str
    s: float
    structure_before: str
    structure_after: str
    moved_m: float
    cost: float


class DeviceDifference(Model):
    """A device that differs between two plans."""

    change: Literal["added", "removed", "changed"]
    before: str
    after: str
    mount_before: str
    mount_after: str
    model_before: str
    model_after: str
    moved_m: float
    raised_m: float
    turned_deg: float
    tilted_deg: float
    focal_mm: float
    cost: float


class ClaimDifference(Model):
    """A claim that differs; None and an empty verdict where one proof lacks it."""

    requirement: str
    kind: str
    condition: str
    verdict_before: str
    verdict_after: str
    value_before: float | None
    value_after: float | None
    unit: str


class Difference(Model):
    """What `watchline diff` says of two plans."""

    before: str
    after: str
    currency: str
    cost_before: float
    cost_after: float
    same: bool
    mounts: list[MountDifference]
    devices: list[DeviceDifference]
    claims: list[ClaimDifference]
    waiting: list[str] = Field(description="Claims left out: one plan's is still being judged.")
    lines: list[str] = Field(description="The same in words, as the command line writes it.")


class SeenAnswer(Model):
    """Ground that one device sees under a condition."""

    device_id: str
    condition: str
    area: FeatureCollection
    cells: int
    area_m2: float


__all__ = ["LonLat"]
