"""Lighting: which lights are offered and asked for, and which were chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import geopandas as gpd
from shapely.geometry import MultiPolygon, Point, Polygon

from watchline.model.photometry import Photometry

POLE_COLUMNS = {
    "pole_id": "key of the pole, e.g. P012",
    "mount_id": "mast or tower of the plan that it is, empty for a pole of its own",
    "height_m": "height of its lights above the ground",
    "s": "chainage in m",
    "t": "offset in m",
    "feeder": "which feeder it hangs on, from 1",
    "cost": "pole and trench",
}

LIGHT_COLUMNS = {
    "light_id": "key of the light, e.g. L034",
    "pole_id": "pole that carries it",
    "luminaire": "name of the luminaire in the project",
    "sha256": "hash of its photometric file",
    "height_m": "height above the ground",
    "s": "chainage in m",
    "t": "offset in m",
    "azimuth_deg": "bearing of the photometric axis, clockwise from grid north",
    "tilt_deg": "depression of the photometric axis below the horizontal",
    "roll_deg": "C half-plane that is turned up and toward the azimuth",
    "power_w": "electrical power",
    "cost": "price and energy",
}


@dataclass(frozen=True)
class LuminaireOffer:
    """A luminaire that the plan may use.

    Attributes
    ----------
    name : str
        Its name.
    file : str
        Its photometric file, as the project names it.
    photometry : Photometry
        What it sends where.
    price : float
        Price of one with its installation.
    power_w : float
        Electrical power.
    maintenance_factor : float
        Share of the first day's light that is left.
    front_c_deg : float
        C half-plane that is turned up and toward the azimuth.
    azimuths_deg : tuple of float
        Aims to try, from the direction toward the line, clockwise.
    tilts_deg : tuple of float
        Tilts of the photometric axis to try, down from the horizon.
    """

    name: str
    file: str
    photometry: Photometry
    price: float
    power_w: float
    maintenance_factor: float = 0.8
    front_c_deg: float = 0.0
    azimuths_deg: tuple[float, ...] = (0.0,)
    tilts_deg: tuple[float, ...] = (90.0,)


@dataclass(frozen=True)
class PoleRules:
    """Where lights may hang, and what they cost besides their price.

    Attributes
    ----------
    poles : tuple of (float, float)
        Heights [m] and prices of the poles that are offered.
    spacing_m : float
        Spacing of their places along the line.
    offsets_m : tuple of float
        Distances of the rows of poles from the line, on the zone's side.
    on_masts : bool
        Whether the plan's masts and towers may carry lights.
    heads, mast_heads : int
        Most lights on a pole, and on a mast or tower.
    feeders : int
        Neighbouring places are wired to so many feeders in turn.
    trench_per_m : float
        Price of a metre of trench from a pole to the road's centreline.
    energy_price, hours_per_year, years : float
        Price of a kilowatt-hour, and how long lights burn.
    cell_m : float
        Spacing of the points at which the design judges.
    gap : float
        A window's search stops at this gap.
    work : int
        Most nodes of the search tree in one window.
    """

    poles: tuple[tuple[float, float], ...]
    spacing_m: float
    offsets_m: tuple[float, ...]
    on_masts: bool = True
    heads: int = 2
    mast_heads: int = 2
    feeders: int = 2
    trench_per_m: float = 0.0
    energy_price: float = 0.0
    hours_per_year: float = 4000.0
    years: float = 10.0
    cell_m: float = 5.0
    gap: float = 0.01
    work: int = 200

    def energy_cost(self, power_w: float) -> float:
        """Price of the energy of one light over the years that count."""
        return power_w / 1000.0 * self.hours_per_year * self.years * self.energy_price


@dataclass(frozen=True)
class LightRequirement:
    """How much light must fall where.

    Attributes
    ----------
    name : str
        Its name in claims and reports.
    where : str
        ``line``, ``zone``, ``fence_strip``, ``road`` or the name of an area.
    plane : {"horizontal", "vertical"}
        Plane that is lit.
    facing : {"zone", "line"}
        Which way a vertical plane looks: away from the line, or toward it.
    height_m : float
        Height of the plane above the ground.
    minimum_lx : float
        Least maintained illuminance at every point; 0 = not asked.
    average_lx : float
        Least mean of every stretch; 0 = not asked.
    uniformity : float
        Least over mean of every stretch; 0 = not asked.
    stretch_m : float
        Length of line on which mean and uniformity are judged.
    survive : {"none", "pole", "feeder"}
        The minimum must hold when any one pole or feeder is out.
    binding : bool
        False: only reported, not designed for.
    """

    name: str
    where: str
    plane: Literal["horizontal", "vertical"] = "horizontal"
    facing: Literal["zone", "line"] = "zone"
    height_m: float = 0.0
    minimum_lx: float = 0.0
    average_lx: float = 0.0
    uniformity: float = 0.0
    stretch_m: float = 100.0
    survive: Literal["none", "pole", "feeder"] = "none"
    binding: bool = True


@dataclass(frozen=True)
class LightLimit:
    """What light must not do.

    Attributes
    ----------
    name : str
        Its name in claims and reports.
    kind : {"illuminance", "intensity", "veil", "upward"}
        Vertical illuminance with every light taken head-on [lx], intensity of any light toward the
        place [cd], veiling luminance in an eye there [cd/m²], or share of a light's flux upwards.
    most : float
        What is allowed.
    area : Polygon, MultiPolygon, Point or None
        Where, unless it is a line beside the line.
    offset_m : float or None
        Offset of a line beside the line, positive to the left.
    height_m : float
        Height above the ground.
    looking_deg : float
        Bearing of an eye's line of sight.
    binding : bool
        False: only reported, not designed for.
    """

    name: str
    kind: Literal["illuminance", "intensity", "veil", "upward"]
    most: float
    area: Polygon | MultiPolygon | Point | None = None
    offset_m: float | None = None
    height_m: float = 1.5
    looking_deg: float = 0.0
    binding: bool = True


@dataclass(frozen=True)
class LightingRules:
    """All that a project says of lights."""

    luminaires: tuple[LuminaireOffer, ...]
    poles: PoleRules
    requirements: tuple[LightRequirement, ...]
    limits: tuple[LightLimit, ...] = ()


@dataclass(frozen=True)
class LightClaim:
    """What the design says of one requirement; the proof recomputes it by another way."""

    requirement: str
    minimum_lx: float
    points: int


@dataclass(frozen=True)
class Lighting:
    """The lights of a plan.

    Attributes
    ----------
    poles : GeoDataFrame
        Columns :data:`POLE_COLUMNS`, point geometries.
    lights : GeoDataFrame
        Columns :data:`LIGHT_COLUMNS`, point geometries.
    cost : float
        Poles, trenches, lights and their energy.
    lower_bound : float or None
        Proven least cost of any choice among the same poles, lights and aims; None for an edited
        plan.
    status : str
        ``optimal``, ``feasible`` or ``edited``.
    design_claims : tuple of LightClaim
        What the design says it reaches.
    notes : tuple of str
        What a reader must know.
    """

    poles: gpd.GeoDataFrame
    lights: gpd.GeoDataFrame
    cost: float
    lower_bound: float | None
    status: str
    design_claims: tuple[LightClaim, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def gap(self) -> float | None:
        """(cost − lower bound) / cost, or None where there is no bound."""
        if self.lower_bound is None:
            return None
        return (self.cost - self.lower_bound) / self.cost if self.cost > 0 else 0.0
