"""Schema of ``project.toml``: every key, its unit and its default.

Lengths are text with a unit (``"100 m"``), shares are ``"99 %"`` or ``0.99``; unknown keys are
refused. :func:`project_schema` gives the JSON Schema that ``watchline schema`` publishes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from watchline.config.conditions import ConditionTable
from watchline.config.lighting import (
    LightingTable,
    LightLimitTable,
    LightRequirementTable,
    LuminaireTable,
    light_names_differ,
)
from watchline.config.resilience import ResilienceTables
from watchline.config.response import DefenceTables
from watchline.config.table import Name, Table
from watchline.config.units import Duration, Length, Share

PLACES = ("zone", "fence_strip", "road")
TAKEN = (*PLACES, "line")


class LineTable(Table):
    """The line that is guarded."""

    file: str = Field(description="GIS file with one line (GeoJSON, GeoPackage, Shapefile, KML).")
    layer: str | None = Field(None, description="Layer of the file; needed where it has several.")
    crs: str | None = Field(None, description="CRS of the file where it declares none.")
    side: Literal["left", "right"] = Field(
        description="Side of the line, seen along its direction, on which the zone lies."
    )
    reverse: bool = Field(False, description="Turn the line's direction round.")
    credit: str = Field("", description="Credit line of the data, shown beside every map.")


class ZoneTable(Table):
    """The strip that is to be seen."""

    inner: Length = Field(0.0, ge=0, description="Distance from the line at which it begins.")
    outer: Length = Field(gt=0, description="Distance from the line at which it ends.")
    start: Length | None = Field(None, ge=0, description="Chainage of its start (default 0).")
    end: Length | None = Field(None, gt=0, description="Chainage of its end (default: the line's).")
    cell: Length = Field(5.0, gt=0, description="Side of the cells at which the design judges it.")
    fence_strip: Length = Field(20.0, gt=0, description="Width of the strip next to the line.")

    @model_validator(mode="after")
    def _ordered(self) -> ZoneTable:
        if self.outer <= self.inner:
            raise ValueError(
                f"outer ({self.outer:g} m) is not beyond inner ({self.inner:g} m); "
                "make outer the larger distance"
            )
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(
                f"end ({self.end:g} m) is not after start ({self.start:g} m); swap them"
            )
        if self.cell > (self.outer - self.inner) / 2:
            raise ValueError(
                f"cell ({self.cell:g} m) is too coarse for a zone {self.outer - self.inner:g} m "
                "wide; take at most half its width"
            )
        return self


class RoadTable(Table):
    """The patrol road: its own line, or an offset from the guarded line."""

    offset: Length | None = Field(
        None, ge=0, description="Distance of the centreline from the line, on the zone's side."
    )
    file: str | None = Field(None, description="GIS file with the road's centreline instead.")
    layer: str | None = Field(None, description="Layer of the file.")
    crs: str | None = Field(None, description="CRS of the file where it declares none.")
    width: Length = Field(6.0, gt=0, description="Width of the road.")
    start: Length | None = Field(None, ge=0, description="Chainage at which it begins.")
    end: Length | None = Field(None, gt=0, description="Chainage at which it ends.")

    @model_validator(mode="after")
    def _one_way(self) -> RoadTable:
        if (self.offset is None) == (self.file is None):
            raise ValueError("give either offset or file, not both and not neither")
        if self.file is not None and (self.start is not None or self.end is not None):
            raise ValueError("start and end go with offset; cut the road's own file instead")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(
                f"end ({self.end:g} m) is not after start ({self.start:g} m); swap them"
            )
        return self


class TerrainTable(Table):
    """The rasters of the ground and of what stands on it."""

    ground: str = Field(description="Bare ground: GeoTIFF/COG, .hgt or ESRI ASCII.")
    surface: str | None = Field(None, description="Whole surface with what stands on the ground.")
    buildings: str | None = Field(None, description="Heights of buildings above the ground.")
    vegetation: str | None = Field(None, description="Heights of vegetation above the ground.")
    crs: str | None = Field(None, description="CRS of the rasters where they declare none.")
    cell: Length | None = Field(
        None, gt=0, description="Cell of the terrain grid (default: that of the finest raster)."
    )
    nodata: float | None = Field(None, description="Value that means unknown, besides declared.")
    clamp_below: Length | None = Field(
        None, description="Raise heights below this to it (sea floors in void-filled models)."
    )
    unit: Literal["m", "ft", "us-ft"] = Field("m", description="Unit of the rasters' heights.")
    refraction: float = Field(
        0.13, ge=-1, le=0.9, description="Refraction coefficient k of the atmosphere."
    )
    height_error: Length = Field(0.0, ge=0, description="Standard error of the heights.")
    credit: str = Field("", description="Credit line of the data.")
    limits: str = Field("", description="What the data is good for; shown in the report.")

    @model_validator(mode="after")
    def _surface_once(self) -> TerrainTable:
        if self.surface is not None and (self.buildings or self.vegetation):
            raise ValueError(
                "surface already holds what stands on the ground; "
                "give either surface, or buildings and vegetation"
            )
        return self


class Circle(Table):
    """A circle round a place on the line."""

    chainage: Length = Field(ge=0, description="Chainage of its centre.")
    offset: Length = Field(0.0, description="Offset of its centre, positive to the left.")
    radius: Length = Field(gt=0, description="Its radius.")


class AreaTable(Table):
    """A named place, from a file of polygons or as a circle."""

    name: Name = Field(description="Its name; requirements refer to it.")
    file: str | None = Field(None, description="GIS file with polygons.")
    layer: str | None = Field(None, description="Layer of the file.")
    crs: str | None = Field(None, description="CRS of the file where it declares none.")
    circle: Circle | None = Field(None, description="A circle instead of a file.")
    within_zone: bool = Field(False, description="Keep only the part inside the zone.")

    @model_validator(mode="after")
    def _one_shape(self) -> AreaTable:
        if (self.file is None) == (self.circle is None):
            raise ValueError("give either file or circle, not both and not neither")
        return self


class NoWatchTable(AreaTable):
    """A place that must not be watched."""

    allowed_share: Share = Field(0.0, description="Share of its cells that may be watched.")
    px_per_m: float = Field(
        12.5,
        ge=0,
        description="Pixel density from which a person there counts as watched "
        "(12.5 = 'monitor' of EN 62676-4:2014); 0 = any sight at all.",
    )


class ExistingMountTable(Table):
    """A mast or tower that stands already and may be used again."""

    name: Name = Field(description="Its name.")
    x: float | None = Field(None, description="Easting in the project's CRS.")
    y: float | None = Field(None, description="Northing in the project's CRS.")
    chainage: Length | None = Field(None, ge=0, description="Chainage, instead of x and y.")
    offset: Length | None = Field(None, description="Offset, positive to the left.")
    structure: str = Field(description="Structure in the catalogue that it equals.")
    reuse_cost: float = Field(0.0, ge=0, description="Price of using it again.")

    @model_validator(mode="after")
    def _one_place(self) -> ExistingMountTable:
        by_xy = self.x is not None and self.y is not None
        by_chainage = self.chainage is not None and self.offset is not None
        if by_xy == by_chainage:
            raise ValueError("give either x and y, or chainage and offset")
        return self


class CandidatesTable(Table):
    """Where mounts may stand and what they may carry."""

    spacing: Length | None = Field(
        None, gt=0, description="Even spacing of sites along the road (default: from the reach)."
    )
    crest_spacing: Length | None = Field(
        None, gt=0, description="Smallest spacing of crests, taken first (default: spacing / 2)."
    )
    road_clearance: Length = Field(
        3.0, ge=0, description="Distance from the road's edge; sites are offered on both sides."
    )
    devices: list[str] = Field(min_length=1, description="Devices of the catalogue to use.")
    structures: list[str] = Field(min_length=1, description="Masts and towers to use.")
    spare_capacity: int = Field(
        0, ge=0, le=100, description="Places for devices left free on every mount, for later."
    )


class RequirementTable(Table):
    """What must be seen."""

    name: Name = Field(description="Its name in claims and reports.")
    where: str = Field(description="zone, fence_strip, road, or the name of an area.")
    quality: str | None = Field(
        None, description="Quality class, e.g. overview, outline, perceive; or dori:detect."
    )
    px_per_m: float | None = Field(None, gt=0, description="Pixel density instead of a class.")
    views: int = Field(1, ge=1, le=8, description="Views from different mounts.")
    share: Share = Field(1.0, gt=0, le=1, description="Share of the cells on which it must hold.")
    target_height: Length = Field(
        1.7, gt=0, le=10, description="Height of the target (standing 1.7 m, crouching 0.5 m)."
    )
    condition: str | None = Field(
        None, description="Condition under which it must hold (default: day)."
    )
    conditions: list[str] | None = Field(
        None,
        min_length=1,
        description='Several conditions instead: each is a requirement of its own, "name, night".',
    )
    time_share: Share = Field(
        1.0, ge=0, description="Share of time during which a cell must be watched."
    )
    binding: bool = Field(True, description="False: reported only, not designed for.")
    survive_loss: Literal["none", "mount"] | None = Field(
        None,
        description='"mount": it must still hold when any one mount is lost '
        "(default: that of the table design).",
    )

    @model_validator(mode="after")
    def _one_quality(self) -> RequirementTable:
        if (self.quality is None) == (self.px_per_m is None):
            raise ValueError("give either quality or px_per_m, not both and not neither")
        if self.condition is not None and self.conditions is not None:
            raise ValueError("give either condition or conditions, not both")
        twice = sorted({c for c in self.conditions or () if (self.conditions or []).count(c) > 1})
        if twice:
            raise ValueError(f"conditions: '{twice[0]}' stands twice; leave one out")
        return self


class CatalogueTable(Table):
    """The catalogue of devices, masts and prices."""

    files: list[str] = Field(
        default_factory=list, description="Own catalogue files, laid over the shipped one."
    )
    prices: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict, description="Own prices by key of the catalogue."
    )
    currency: str | None = Field(None, description="Currency of the prices (default: EUR).")


class VisibilityTable(Table):
    """How the design finds out which mount sees which cell; the proof always tests every ray."""

    method: Literal["exact", "fan"] = Field(
        "exact",
        description="exact tests every ray at every crossing with a grid line; fan shares rays "
        "between cells: many times faster on long lines, with an error that is measured and told.",
    )
    spacing: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Of a fan: largest gap between neighbouring rays in cells of the terrain; 1 "
        "is quick, 0.25 for surfaces with buildings.",
    )


class DesignTable(Table):
    """How hard and how long to look for the least cost."""

    work: float = Field(
        40_000.0,
        gt=0,
        description="Work of a whole design in million elementary steps (some hundreds a second); "
        "equal projects give equal plans unless the time limit stops the search before.",
    )
    time_limit: Duration = Field(
        360.0, gt=0, description="Longest design of one round, however little work is done."
    )
    gap: Share = Field(0.0, description="Stop when (cost - bound) / cost is at most this.")
    repair_rounds: int = Field(6, ge=0, le=50, description="Most repairs after a failed proof.")
    survive_loss: Literal["none", "mount"] = Field(
        "none",
        description='"mount": every requirement that does not say otherwise must still hold when '
        "any one mount is lost.",
    )
    budget: float | None = Field(
        None, gt=0, description="Most that may be spent: then the covered share is maximised."
    )


class ProjectFile(DefenceTables, ResilienceTables):
    """The whole ``project.toml``."""

    schema_version: Literal[1] = Field(1, description="Version of this schema.")
    name: Name = Field(description="Name of the project.")
    crs: str = Field(description="Projected metric CRS of everything, e.g. EPSG:32636.")
    vertical_datum: str = Field("", description="Datum of the heights, e.g. EGM96.")
    seed: int = Field(1, ge=0, description="Seed of every random choice.")
    notes: str = Field("", description="Shown in the report.")
    line: LineTable
    zone: ZoneTable
    road: RoadTable
    terrain: TerrainTable
    areas: list[AreaTable] = Field(default_factory=list)
    exclusions: list[AreaTable] = Field(
        default_factory=list, description="Places where no mount may stand."
    )
    no_watch: list[NoWatchTable] = Field(default_factory=list)
    existing_mounts: list[ExistingMountTable] = Field(default_factory=list)
    conditions: list[ConditionTable] = Field(
        default_factory=list, description="Conditions besides, or other than, the standard ones."
    )
    requirements: list[RequirementTable] = Field(min_length=1)
    candidates: CandidatesTable
    catalogue: CatalogueTable = CatalogueTable()
    visibility: VisibilityTable = VisibilityTable()
    lighting: LightingTable | None = Field(None, description="Where lights may hang.")
    luminaires: list[LuminaireTable] = Field(default_factory=list)
    light_requirements: list[LightRequirementTable] = Field(default_factory=list)
    light_limits: list[LightLimitTable] = Field(default_factory=list)
    design: DesignTable = DesignTable()

    @model_validator(mode="after")
    def _unique_names(self) -> ProjectFile:
        for key, tables in (
            ("areas", self.areas),
            ("exclusions", self.exclusions),
            ("no_watch", self.no_watch),
            ("existing_mounts", self.existing_mounts),
            ("conditions", self.conditions),
            ("requirements", self.requirements),
        ):
            names = [table.name for table in tables]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{key}: the name '{twice[0]}' stands twice; rename one")
        light_names_differ(self.luminaires, self.light_requirements, self.light_limits)
        for area in self.areas:
            if area.name in TAKEN:
                raise ValueError(f"areas: the name '{area.name}' is taken by the zone; rename it")
        return self


def project_schema() -> dict[str, Any]:
    """JSON Schema of ``project.toml``."""
    schema = ProjectFile.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "watchline project.toml"
    return schema
