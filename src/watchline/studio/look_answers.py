"""What the studio answers to a look at a plan: along the line, at a cell, from a device."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from watchline.report.difference import DeviceChange, MountChange
from watchline.studio.answers import FeatureCollection, Geometry, Model
from watchline.studio.plan_answers import Verdict


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


class SeenAnswer(Model):
    """Ground that one device sees under a condition."""

    device_id: str
    condition: str
    area: FeatureCollection
    cells: int
    area_m2: float


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
    mounts: list[MountChange]
    devices: list[DeviceChange]
    claims: list[ClaimDifference]
    waiting: list[str] = Field(description="Claims left out: one plan's is still being judged.")
    lines: list[str] = Field(description="The same in words, as the command line writes it.")
