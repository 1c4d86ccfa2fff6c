"""Plan: what is placed, what it costs, and how near to the least possible that is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

import geopandas as gpd
import pandas as pd

from watchline.model.lighting import LIGHT_COLUMNS, POLE_COLUMNS, Lighting
from watchline.model.provenance import Provenance

PLAN_MOUNT_COLUMNS = {
    "mount_id": "key of the mount, e.g. M012",
    "name": "name for people",
    "structure": "key of the structure in the catalogue",
    "kind": "mast or tower",
    "height_m": "height of its devices above the ground",
    "s": "chainage in m",
    "t": "offset in m",
    "ground_z": "height of the ground in m",
    "cost": "fixed cost",
    "existing": "whether it stands already",
}

PLAN_DEVICE_COLUMNS = {
    "device_id": "key of the device, e.g. D034",
    "mount_id": "mount that carries it",
    "model": "key of the device in the catalogue",
    "kind": "camera, thermal, ptz, panoramic or observer",
    "height_m": "height above the ground",
    "azimuth_deg": "bearing of the optical axis, clockwise from grid north",
    "tilt_deg": "depression of the optical axis below the horizontal",
    "focal_mm": "focal length",
    "hfov_deg": "horizontal field of view of the whole device",
    "vfov_deg": "vertical field of view",
    "cost": "price of the device",
}

PLAN_POST_COLUMNS = {
    "name": "name of the post",
    "s": "chainage in m",
    "t": "offset in m",
    "cost": "price of the post",
}


@dataclass(frozen=True)
class DesignClaim:
    """What the design says of one requirement; the proof recomputes it by another way.

    Attributes
    ----------
    requirement : str
        Its name.
    share : float
        Share of its cells that the design covers.
    cells : int
        Number of its cells.
    cost_share : float
        Share of what the bound pays that it pays for this requirement's views (dual prices). A
        requirement that another one implies has no price of its own.
    """

    requirement: str
    share: float
    cells: int
    cost_share: float = 0.0


@dataclass(frozen=True)
class Plan:
    """Mounts and devices with their cost.

    Attributes
    ----------
    name : str
        ``computed``, or the stem of the file that it was read from.
    crs : str
        CRS of the geometries.
    mounts : GeoDataFrame
        Columns :data:`PLAN_MOUNT_COLUMNS`, point geometries.
    devices : GeoDataFrame
        Columns :data:`PLAN_DEVICE_COLUMNS`, point geometries: where the device really is.
    cost : float
        Cost of all mounts and devices, in ``currency``.
    lower_bound : float or None
        Proven least cost of any plan made of the same candidates and offered poses, or None for an
        edited plan.
    all_aims_bound : float or None
        Proven least cost of any plan made of the same candidates, whatever its aims, at the
        offered focal lengths; at most ``lower_bound``, or None where that is, or was not sought.
    currency : str
        Currency of every cost.
    status : str
        ``optimal``, ``feasible``, ``budget``, ``edited``, or ``interrupted`` (the search was
        stopped by a person).
    design_claims : tuple of DesignClaim
        What the design says it reaches.
    log : tuple of (float, float, float)
        Seconds, cost and bound as the search went.
    notes : tuple of str
        What a reader must know (repairs, limits of the bound).
    lighting : Lighting or None
        Its lights, with a cost and a bound of their own, which are in none of the figures above.
    posts : GeoDataFrame or None
        Posts that it adds to those of the project: columns :data:`PLAN_POST_COLUMNS`, points. What
        they cost is in none of the figures above.
    """

    name: str
    crs: str
    mounts: gpd.GeoDataFrame
    devices: gpd.GeoDataFrame
    cost: float
    lower_bound: float | None
    currency: str
    status: str
    design_claims: tuple[DesignClaim, ...] = ()
    cost_along: pd.DataFrame | None = None
    log: tuple[tuple[float, float, float], ...] = ()
    notes: tuple[str, ...] = ()
    all_aims_bound: float | None = None
    lighting: Lighting | None = None
    posts: gpd.GeoDataFrame | None = None
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def gap(self) -> float | None:
        """(cost − lower bound) / cost, or None where there is no bound."""
        if self.lower_bound is None:
            return None
        if self.cost == 0:
            return 0.0
        return (self.cost - self.lower_bound) / self.cost


DIGEST_DECIMALS = 6
"""Figures that agree to this many decimals are the same to :func:`plan_digest`."""


def plan_digest(plan: Plan) -> str:
    """SHA-256 of what a plan places, whatever the order of the rows of its tables.

    Name, status, bound, notes and search log of the plan do not count: they say how it came to
    be, not what it is.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    str
        64 hexadecimal digits. Lengths, angles and prices count to six decimals.
    """
    content: dict[str, object] = {
        "crs": plan.crs,
        "currency": plan.currency,
        "mounts": _canonical_rows(plan.mounts, PLAN_MOUNT_COLUMNS),
        "devices": _canonical_rows(plan.devices, PLAN_DEVICE_COLUMNS),
    }
    if plan.lighting is not None:
        content["poles"] = _canonical_rows(plan.lighting.poles, POLE_COLUMNS)
        content["lights"] = _canonical_rows(plan.lighting.lights, LIGHT_COLUMNS)
    if plan.posts is not None and len(plan.posts):
        content["posts"] = _canonical_rows(plan.posts, PLAN_POST_COLUMNS)
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _canonical_rows(frame: gpd.GeoDataFrame, columns: dict[str, str]) -> list[list[str]]:
    """Rows of a table as text, sorted, their place at the end."""
    places = [(point.x, point.y) for point in frame.geometry]
    cells = [list(frame[column]) for column in columns]
    return sorted(
        [_canonical(value) for value in (*row, *place)]
        for *row, place in zip(*cells, places, strict=True)
    )


def _canonical(value: object) -> str:
    """One value as text: numbers rounded, and -0 written like 0."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return f"{round(float(value), DIGEST_DECIMALS) + 0.0:.{DIGEST_DECIMALS}f}"  # type: ignore[arg-type]
