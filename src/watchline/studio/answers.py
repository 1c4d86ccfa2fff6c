"""What the studio answers on the project: its steps, its catalogue, its places.

Coordinates on the map are longitude and latitude (WGS 84); lengths are in metres, chainage and
offset along the project's line. Every model's fields carry their unit in the name.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Noun = Literal["site", "terrain", "candidates", "visibility", "plan", "proof", "report"]
StepState = Literal["missing", "current", "stale"]
LonLat = tuple[float, float]


class Model(BaseModel):
    """Base of what is answered: unknown fields are an error, so that both sides keep in step."""

    model_config = ConfigDict(extra="forbid")


class Fault(Model):
    """An error: what is wrong, where, and how to mend it."""

    what: str
    where: str = ""
    mend: str = ""
    faults: list[Fault] = Field(default_factory=list, description="Each one, where several.")


class Geometry(Model):
    """A GeoJSON geometry in longitude and latitude."""

    type: str
    coordinates: list[Any] = Field(default_factory=list)


class Feature(Model):
    """A GeoJSON feature."""

    type: Literal["Feature"] = "Feature"
    id: str | int | None = None
    geometry: Geometry | None
    properties: dict[str, Any] = Field(default_factory=dict)


class FeatureCollection(Model):
    """GeoJSON features."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[Feature]


class Figure(Model):
    """One figure with its unit; ``text`` is how the report would write it."""

    name: str
    value: float | None
    unit: str
    text: str


class Step(Model):
    """One of the seven nouns, as an artefact of this project."""

    noun: Noun
    state: StepState
    file: str | None = Field(description="Artefact, relative to the project's folder.")
    made: str | None = Field(description="When it was written, ISO 8601 in UTC.")
    figures: list[Figure]
    limits: list[str] = Field(description="What it is good for, and what it is not.")


class ConditionInfo(Model):
    """Light and air under which requirements must hold."""

    name: str
    ambient_lx: float
    visibility_m: float | None = Field(description="None in perfectly clear air.")
    by_lamps: bool = Field(description="Whether the planned lights count in it.")
    requirements: list[str]


class RequirementInfo(Model):
    """What must be seen."""

    name: str
    where: str
    quality: str
    px_per_m: float
    views: int
    share: float
    target_height_m: float
    condition: str
    binding: bool
    survive_loss: Literal["none", "mount"]


class Units(Model):
    """Units of the project; all figures are metric, these are those of its data."""

    length: str = "m"
    crs: str
    crs_name: str
    crs_unit: str
    metres_per_crs_unit: float
    vertical_datum: str
    height_unit: str
    currency: str


class ZoneInfo(Model):
    """The strip that is to be seen."""

    inner_m: float
    outer_m: float
    start_m: float
    end_m: float
    side: Literal["left", "right"]


PlanKind = Literal["computed", "version"]


class PlanEntry(Model):
    """A plan of the project in a list: the computed one, and versions beside it."""

    name: str
    kind: PlanKind
    revision: str | None = Field(description="None for a file that cannot be read; see ``fault``.")
    status: str
    cost: float | None
    currency: str
    bound: float | None = Field(description="Proven least cost, of a computed plan.")
    gap: float | None
    mounts: int
    devices: int
    holds: bool | None = Field(description="None where it has not been judged in this session.")
    saved: bool = Field(description="Whether ``plans/<name>.gpkg`` holds the last edit.")
    changed: str | None = Field(description="When it last changed, ISO 8601 in UTC.")
    file: str | None
    fault: Fault | None = None


class ProjectInfo(Model):
    """The project as the page needs it first."""

    name: str
    folder: str = Field(description="Name of the project's folder.")
    version: str = Field(description="Version of the program.")
    line_m: float
    road_m: float
    bounds: tuple[float, float, float, float] = Field(description="West, south, east, north.")
    terrain_bounds: tuple[float, float, float, float] | None = Field(
        description="Where the terrain tiles have data."
    )
    centre: LonLat
    crs: str
    side: Literal["left", "right"]
    zone: ZoneInfo
    conditions: list[ConditionInfo]
    requirements: list[RequirementInfo]
    steps: list[Step]
    plans: list[PlanEntry]
    units: Units
    notes: str
    credits: list[str]
    limits: list[str]


class LayerInfo(Model):
    """One layer of the map."""

    name: str
    title: str
    geometry: Literal["point", "line", "polygon"]
    features: int
    plan: bool = Field(description="Whether it belongs to a plan and takes ``?plan=``.")


class DeviceModel(Model):
    """A device of the catalogue."""

    key: str
    name: str
    kind: str
    offered: bool = Field(description="Whether the project offers it to the design.")
    price: float
    width_px: int
    height_px: int
    focal_min_mm: float
    focal_max_mm: float
    hfov_widest_deg: float
    hfov_narrowest_deg: float
    vfov_widest_deg: float
    vfov_narrowest_deg: float
    range_m: float
    power_w: float
    needs_tower: bool
    turns: bool = Field(description="Whether it looks all round, so that its azimuth is nothing.")


class StructureModel(Model):
    """A mast or tower of the catalogue."""

    key: str
    name: str
    kind: str
    offered: bool
    height_m: float
    capacity: int
    price: float


class CatalogueInfo(Model):
    """What a plan may buy, and the classes of quality by pixel density."""

    currency: str
    devices: list[DeviceModel]
    structures: list[StructureModel]
    qualities: dict[str, float] = Field(description="Pixel density of each class in px/m.")
    places_kept_free: int = Field(description="Places that stay free on every structure.")
