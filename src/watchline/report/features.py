"""What the maps show, gathered once from plan, proof and site, in the site's coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import shapely
from shapely.geometry import LineString, MultiPoint, Point
from shapely.geometry.base import BaseGeometry

from watchline.geo import chainage
from watchline.model.catalogue import Catalogue
from watchline.model.plan import Plan
from watchline.model.proof import Proof
from watchline.model.site import Site
from watchline.physics import optics

ALL_ROUND_KINDS = ("observer", "ptz")
NOMINAL_REACH_M = 60.0
SIMPLIFY_M = 0.2


@dataclass(frozen=True)
class MountMark:
    """A mount on the map."""

    mount_id: str
    name: str
    kind: str
    height_m: float
    x: float
    y: float
    s: float
    t: float
    ground_z: float
    existing: bool
    devices: int

    @property
    def label(self) -> str:
        """Its name, with its key where the name does not hold it."""
        return label_of(self.mount_id, self.name)


@dataclass(frozen=True)
class Field:
    """A device's field of view on flat ground.

    Attributes
    ----------
    hfov_deg : float
        Its width; 360 for what looks or turns all round.
    near_m : float
        Where it begins: the blind ground near the mast.
    reaches_m : tuple of float
        For each density asked, lowest first: how far it is reached; empty without a catalogue.
    """

    device_id: str
    mount_id: str
    model: str
    kind: str
    x: float
    y: float
    azimuth_deg: float
    hfov_deg: float
    near_m: float
    reaches_m: tuple[float, ...]

    @property
    def reach_m(self) -> float:
        """How far the lowest density asked is reached."""
        return max(self.reaches_m[0], 1.0) if self.reaches_m else NOMINAL_REACH_M


@dataclass(frozen=True)
class Stretch:
    """A stretch of the line on which a binding claim does not hold."""

    requirement: str
    verdict: str
    start_m: float
    end_m: float


@dataclass(frozen=True)
class Spot:
    """The witness of a binding claim that does not hold."""

    requirement: str
    verdict: str
    x: float
    y: float
    s: float
    why: str


@dataclass(frozen=True)
class Features:
    """Everything that is drawn, in the site's coordinates.

    Attributes
    ----------
    line : LineString or None
        The guarded line; None without a site.
    start_m, end_m : float
        Chainage at which the zone begins and ends.
    sign : int
        +1 where the zone lies left of the line, −1 where right.
    judged_box : shapely geometry
        Box round the proof's cells; empty where it has none.
    asked_px_per_m : tuple of float
        Every density asked, lowest first.
    """

    line: LineString | None
    start_m: float
    end_m: float
    sign: int
    zone: BaseGeometry | None
    strip: BaseGeometry | None
    road: LineString | None
    road_width_m: float
    areas: tuple[tuple[str, BaseGeometry], ...]
    exclusions: tuple[tuple[str, BaseGeometry], ...]
    no_watch: tuple[tuple[str, BaseGeometry], ...]
    mounts: tuple[MountMark, ...]
    fields: tuple[Field, ...]
    stretches: tuple[Stretch, ...]
    spots: tuple[Spot, ...]
    judged_box: BaseGeometry
    asked_px_per_m: tuple[float, ...]

    @cached_property
    def judged_ground(self) -> BaseGeometry | None:
        """All ground whose cells are coloured; None where it is not known."""
        parts = [polygon for _, polygon in (*self.areas, *self.no_watch)]
        if self.zone is None:
            return None
        if self.road is not None and self.road_width_m > 0:
            parts.append(self.road.buffer(self.road_width_m / 2, cap_style="flat"))
        return shapely.unary_union([self.zone, *parts]).simplify(SIMPLIFY_M)

    @property
    def extent(self) -> BaseGeometry:
        """Geometry that holds all that must be on the map."""
        parts: list[BaseGeometry] = [MultiPoint([(m.x, m.y) for m in self.mounts])]
        parts += [MultiPoint([(f.x, f.y) for f in self.fields])]
        parts += [part for part in (self.line, self.zone, self.road) if part is not None]
        parts += [polygon for _, polygon in self.areas]
        if self.line is None:
            parts.append(self.judged_box)
        parts = [part for part in parts if not part.is_empty]
        return shapely.unary_union(parts) if parts else Point(0.0, 0.0).buffer(1.0)


def label_of(mount_id: str, name: str) -> str:
    """A mount's name, with its key where the name does not hold it."""
    return name if mount_id in name else f"{mount_id} {name}".rstrip()


def gather(plan: Plan, proof: Proof, site: Site | None) -> Features:
    """Gather what the maps show.

    Parameters
    ----------
    plan : Plan
        Mounts and devices.
    proof : Proof
        Claims that do not hold are marked.
    site : Site or None
        Line, zone, road and areas; without it only the plan is shown.
    """
    asked = () if site is None else tuple(sorted({r.px_per_m for r in site.requirements}))
    zone = strip = road = line = None
    start, end, sign, width = _known_extent(plan, proof)
    areas: tuple[tuple[str, BaseGeometry], ...] = ()
    exclusions, no_watch = areas, areas
    if site is not None:
        line, sign = site.line, site.sign
        road, width = site.road.centreline, site.road.width_m
        start = max(site.zone.start_m, 0.0)
        end = min(site.zone.end_m, line.length)
        zone = _strip(site, site.zone.outer_m)
        if 0 < site.zone.fence_strip_m < site.zone.outer_m - site.zone.inner_m:
            strip = _strip(site, site.zone.inner_m + site.zone.fence_strip_m)
        areas = tuple((a.name, a.polygon) for a in site.areas)
        exclusions = tuple((a.name, a.polygon) for a in site.exclusions)
        no_watch = tuple((a.name, a.polygon) for a in site.no_watch)
    return Features(
        line=line,
        start_m=start,
        end_m=end,
        sign=sign,
        zone=zone,
        strip=strip,
        road=road,
        road_width_m=width,
        areas=areas,
        exclusions=exclusions,
        no_watch=no_watch,
        mounts=_mounts(plan),
        fields=_fields(plan, site.catalogue if site else None, asked),
        stretches=_stretches(proof),
        spots=_spots(proof),
        judged_box=_box(proof),
        asked_px_per_m=asked,
    )


def _strip(site: Site, outer_m: float) -> BaseGeometry:
    zone = site.zone
    polygon = chainage.strip_polygon(
        site.line, site.sign, zone.inner_m, outer_m, zone.start_m, zone.end_m
    )
    return polygon.simplify(SIMPLIFY_M)


def _box(proof: Proof) -> BaseGeometry:
    x, y = proof.cells["x"], proof.cells["y"]
    return shapely.box(x.min(), y.min(), x.max(), y.max()) if len(x) else Point()


def _known_extent(plan: Plan, proof: Proof) -> tuple[float, float, int, float]:
    """Chainage from–to, side and road width where no site tells them."""
    s = pd.concat([plan.mounts["s"], proof.cells["s"]]).to_numpy(dtype=np.float64)
    t = proof.cells["t"].to_numpy(dtype=np.float64)
    known = s[np.isfinite(s)]
    start, end = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    sign = -1 if np.nansum(t) < 0 else 1
    return start, max(end, start + 1.0), sign, 0.0


def _mounts(plan: Plan) -> tuple[MountMark, ...]:
    carried = plan.devices["mount_id"].value_counts()
    marks = [
        MountMark(
            mount_id=str(row.mount_id),
            name=str(row.name),
            kind=str(row.kind),
            height_m=float(row.height_m),
            x=float(row.geometry.x),
            y=float(row.geometry.y),
            s=float(row.s),
            t=float(row.t),
            ground_z=float(row.ground_z),
            existing=bool(row.existing),
            devices=int(carried.get(row.mount_id, 0)),
        )
        for row in plan.mounts.itertuples(name="Mount")
    ]
    return tuple(sorted(marks, key=lambda mark: (mark.s, mark.mount_id)))


def _fields(plan: Plan, catalogue: Catalogue | None, asked: tuple[float, ...]) -> tuple[Field, ...]:
    fields = []
    for row in plan.devices.itertuples(name="Device"):
        all_round = row.kind in ALL_ROUND_KINDS
        near = 0.0
        if not all_round:
            near = float(optics.near_edge_m(row.height_m, row.tilt_deg, row.vfov_deg))
        fields.append(
            Field(
                device_id=str(row.device_id),
                mount_id=str(row.mount_id),
                model=str(row.model),
                kind=str(row.kind),
                x=float(row.geometry.x),
                y=float(row.geometry.y),
                azimuth_deg=float(row.azimuth_deg) if math.isfinite(row.azimuth_deg) else 0.0,
                hfov_deg=360.0 if all_round else float(row.hfov_deg),
                near_m=near if math.isfinite(near) else 0.0,
                reaches_m=device_reaches(str(row.model), float(row.focal_mm), catalogue, asked),
            )
        )
    return tuple(sorted(fields, key=lambda field: field.device_id))


def device_reaches(
    model: str, focal_mm: float, catalogue: Catalogue | None, asked: tuple[float, ...]
) -> tuple[float, ...]:
    """Distance at which a device reaches each density asked, in m; empty for unknown models."""
    if catalogue is None or model not in catalogue.devices:
        return ()
    device = catalogue.devices[model]
    focal = device.focal_px(focal_mm)
    return tuple(
        min(float(optics.distance_for_density(focal, px)), device.range_m)
        if px > 0
        else device.range_m
        for px in asked
    )


def _stretches(proof: Proof) -> tuple[Stretch, ...]:
    return tuple(
        Stretch(claim.requirement, claim.verdict, float(start), float(end))
        for claim in proof.claims
        if claim.binding and claim.verdict != "holds"
        for start, end in claim.failing_chainages
    )


def _spots(proof: Proof) -> tuple[Spot, ...]:
    return tuple(
        Spot(claim.requirement, claim.verdict, w.x, w.y, w.s, w.why)
        for claim in proof.claims
        if claim.binding and claim.verdict != "holds" and (w := claim.witness) is not None
    )
