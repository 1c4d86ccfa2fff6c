"""Site: what is asked. The line, its zone and road, the requirements, the limits and the prices."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from shapely.geometry import LineString, MultiPolygon, Polygon

from watchline.errors import ProjectError
from watchline.model.catalogue import Catalogue
from watchline.model.condition import DAY, Condition
from watchline.model.defence import Defence
from watchline.model.lighting import LightingRules
from watchline.model.provenance import Provenance
from watchline.model.resilience import ResilienceRules

Side = Literal["left", "right"]


@dataclass(frozen=True)
class Zone:
    """The strip beside the line that is to be seen.

    Attributes
    ----------
    inner_m, outer_m : float
        Distances from the line, ``0 <= inner_m < outer_m``, on the site's side.
    start_m, end_m : float
        Chainage at which it begins and ends.
    cell_m : float
        Side of the cells at which the design judges it.
    fence_strip_m : float
        Width of the fence strip, measured from ``inner_m``.
    """

    inner_m: float
    outer_m: float
    start_m: float
    end_m: float
    cell_m: float
    fence_strip_m: float


@dataclass(frozen=True)
class Road:
    """The patrol road: its centreline in the site's CRS and its width."""

    centreline: LineString
    width_m: float


@dataclass(frozen=True)
class Area:
    """A named polygon in the site's CRS."""

    name: str
    polygon: Polygon | MultiPolygon


@dataclass(frozen=True)
class NoWatchArea:
    """A place that must not be watched.

    Attributes
    ----------
    name : str
        Its name.
    polygon : Polygon or MultiPolygon
        Where it is.
    allowed_share : float
        Share of its cells, 0–1, that may be watched.
    px_per_m : float
        Pixel density from which a person there counts as watched; 0 means any sight at all.
    """

    name: str
    polygon: Polygon | MultiPolygon
    allowed_share: float
    px_per_m: float


@dataclass(frozen=True)
class ExistingMount:
    """A mast or tower that stands already and may be used again.

    Attributes
    ----------
    name : str
        Its name.
    x, y : float
        Where it stands, in the site's CRS.
    structure : str
        Key of the structure in the catalogue that it equals.
    reuse_cost : float
        Price of using it (inspection, cabling), instead of the structure's price.
    """

    name: str
    x: float
    y: float
    structure: str
    reuse_cost: float


@dataclass(frozen=True)
class Requirement:
    """What must be seen, how well, by how many, and on which share of the cells.

    Attributes
    ----------
    name : str
        Its name in claims and reports.
    where : str
        ``zone``, ``fence_strip``, ``road`` or the name of an area.
    quality : str
        Name of the quality class, or ``""`` where only a number was given.
    px_per_m : float
        Pixel density asked for, across the line of sight.
    views : int
        Number of views from different mounts.
    share : float
        Share of the cells, 0–1, on which it must hold.
    target_height_m : float
        Height of the target's top above the ground.
    condition : str
        Condition under which it must hold.
    time_share : float
        Share of time during which a cell must be watched for a view to count.
    binding : bool
        False: only reported, not designed for.
    survive_loss : {"none", "mount"}
        With ``"mount"`` it must still hold on the same share when any one mount is lost.
    """

    name: str
    where: str
    quality: str
    px_per_m: float
    views: int = 1
    share: float = 1.0
    target_height_m: float = 1.7
    condition: str = "day"
    time_share: float = 1.0
    binding: bool = True
    survive_loss: Literal["none", "mount"] = "none"

    @property
    def views_planned(self) -> int:
        """Views that the design plans for: one in reserve where a mount may be lost."""
        return self.views + (self.survive_loss == "mount")


@dataclass(frozen=True)
class TerrainSource:
    """Which rasters make the terrain; paths are absolute.

    Attributes
    ----------
    ground : Path
        Bare ground (DTM).
    surface, buildings, vegetation : Path or None
        Either a whole surface (DSM), or heights above the ground of what stands on it.
    cell_m : float or None
        Cell of the terrain grid; None takes the finest raster's.
    nodata : float or None
        Value that means "unknown" in the ground raster, and in a whole surface, besides what they
        declare; not in heights above the ground, where 0 says that nothing stands.
    clamp_below_m : float or None
        Heights below this are raised to it (sea floors in void-filled models).
    vertical_unit : {"m", "ft", "us-ft"}
        Unit of the rasters' heights; feet are converted.
    vertical_datum : str
        Datum of the heights, noted in the report.
    refraction : float
        Refraction coefficient k of the atmosphere.
    height_error_m : float
        Standard error of the heights, noted in the report.
    credit : str
        Credit line of the data.
    limits : str
        What the data is good for, shown in the report.
    crs : str or None
        CRS of the rasters where they declare none.
    """

    ground: Path
    surface: Path | None = None
    buildings: Path | None = None
    vegetation: Path | None = None
    cell_m: float | None = None
    nodata: float | None = None
    clamp_below_m: float | None = None
    vertical_unit: Literal["m", "ft", "us-ft"] = "m"
    vertical_datum: str = ""
    refraction: float = 0.13
    height_error_m: float = 0.0
    credit: str = ""
    limits: str = ""
    crs: str | None = None


@dataclass(frozen=True)
class CandidateRules:
    """Where mounts may stand and what they may carry.

    Attributes
    ----------
    spacing_m : float
        Even spacing of mount sites along the road.
    crest_spacing_m : float
        Smallest spacing of the crests that are taken before the even ones.
    road_clearance_m : float
        Distance of a mount from the road's edge; mounts are offered on both sides of the road.
    devices, structures : tuple of str
        Keys in the catalogue that may be used.
    spare_capacity : int
        Places for devices that the plan leaves free on every mount.
    """

    spacing_m: float
    crest_spacing_m: float
    road_clearance_m: float
    devices: tuple[str, ...]
    structures: tuple[str, ...]
    spare_capacity: int = 0


@dataclass(frozen=True)
class VisibilityRules:
    """How the design finds out which mount sees which cell.

    Attributes
    ----------
    method : {"exact", "fan"}
        Every ray tested at every crossing with a grid line, or a fan of rays with a measured error.
    spacing : float
        Of a fan: largest gap between neighbouring rays in cells of the terrain, 0–1.
    """

    method: Literal["exact", "fan"] = "exact"
    spacing: float = 0.5


@dataclass(frozen=True)
class DesignRules:
    """How hard and how long to look for the least cost.

    Attributes
    ----------
    work_limit : float
        Work of a whole design in million elementary steps: with it, a run is repeatable.
    time_limit_s : float
        Longest design of one round, a safety for slow machines.
    gap : float
        Stop when (cost − bound) / cost is at most this.
    repair_rounds : int
        Most repairs after a failed proof.
    budget : float or None
        Most that may be spent; then the covered share is maximised.
    """

    work_limit: float = 40_000.0
    time_limit_s: float = 360.0
    gap: float = 0.0
    repair_rounds: int = 6
    budget: float | None = None


@dataclass(frozen=True)
class Site:
    """All that is asked, in SI units and one projected CRS.

    Attributes
    ----------
    name : str
        Name of the project.
    folder : Path
        The project's folder.
    crs : str
        Projected metric CRS of every coordinate, e.g. ``EPSG:32636``.
    line : LineString
        The guarded line, in the direction of its chainage.
    side : {"left", "right"}
        On which side of the line the zone lies.
    conditions : tuple of Condition
        Those that requirements name.
    """

    name: str
    folder: Path
    crs: str
    line: LineString
    side: Side
    zone: Zone
    road: Road
    terrain: TerrainSource
    requirements: tuple[Requirement, ...]
    catalogue: Catalogue
    candidates: CandidateRules
    design: DesignRules
    areas: tuple[Area, ...] = ()
    exclusions: tuple[Area, ...] = ()
    no_watch: tuple[NoWatchArea, ...] = ()
    existing_mounts: tuple[ExistingMount, ...] = ()
    visibility: VisibilityRules = VisibilityRules()
    defence: Defence | None = None
    lighting: LightingRules | None = None
    resilience: ResilienceRules = field(default_factory=ResilienceRules)
    line_credit: str = ""
    notes: str = ""
    seed: int = 1
    conditions: tuple[Condition, ...] = (DAY,)
    provenance: Provenance = field(default_factory=Provenance)

    def condition(self, name: str) -> Condition:
        """The condition of a name.

        Raises
        ------
        ProjectError
            The site does not have it.
        """
        for condition in self.conditions:
            if condition.name == name:
                return condition
        raise ProjectError(
            f"the site has no condition '{name}'",
            where="conditions",
            mend="add it to the site's conditions, or name another in the requirement",
        )

    @property
    def counts_on_lamps(self) -> bool:
        """Whether anything that must hold is asked under a condition in which lamps count."""
        return any(self.condition(r.condition).by_lamps for r in self.requirements if r.binding)

    @property
    def sign(self) -> int:
        """+1 where the zone lies left of the line (positive offsets), −1 where right."""
        return 1 if self.side == "left" else -1
