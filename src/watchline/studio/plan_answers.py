"""What the studio answers on plans: what stands, and what holds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from watchline.studio.answers import Geometry, Model, PlanEntry


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


class ClaimNews(Model):
    """The claims on a plan as they stand, while some of them are judged in the background."""

    plan: str
    revision: str
    claims: list[ClaimInfo]
    holds: bool
    waits: bool = Field(description="Whether more is to come.")


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
