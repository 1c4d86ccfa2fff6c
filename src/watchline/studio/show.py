"""Plans as the page shows them: mounts, devices, claims and cones of the package's artefacts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from watchline.io.plan_layers import asked_densities
from watchline.model.catalogue import Catalogue
from watchline.model.plan import Plan
from watchline.model.site import Site
from watchline.physics.field import view_polygon, whole_field_deg
from watchline.prove.cells import Cells
from watchline.prove.heights import Relief
from watchline.report.difference import PlanDifference
from watchline.report.difference_words import difference_lines
from watchline.studio.answers import (
    CatalogueInfo,
    DeviceModel,
    Feature,
    FeatureCollection,
    StructureModel,
)
from watchline.studio.globe import Globe, known
from watchline.studio.look_answers import ClaimDifference, Difference
from watchline.studio.opened import Judged
from watchline.studio.plan_answers import ClaimInfo, DeviceInfo, LightInfo, MountInfo, WitnessInfo

CONE_TOLERANCE_M = 0.5


def mount_infos(
    plan: Plan, site: Site, globe: Globe, relief: Relief, only: set[str] | None = None
) -> list[MountInfo]:
    """Mounts of a plan; ``only`` says which."""
    hung: dict[str, list[str]] = {}
    for device, mount in zip(plan.devices["device_id"], plan.devices["mount_id"], strict=True):
        hung.setdefault(str(mount), []).append(str(device))
    rows = [r for r in plan.mounts.itertuples() if only is None or str(r.mount_id) in only]
    x, y = [r.geometry.x for r in rows], [r.geometry.y for r in rows]
    lon, lat = globe.lonlat(x, y)
    ground = relief.ground_at(x, y)
    return [
        MountInfo(
            mount_id=str(r.mount_id),
            name=str(r.name),
            structure=str(r.structure),
            kind=str(r.kind),
            height_m=float(r.height_m),
            lon=lon[k],
            lat=lat[k],
            x=x[k],
            y=y[k],
            s=float(r.s),
            t=float(r.t),
            ground_z=known(float(ground[k])),
            cost=float(r.cost),
            existing=bool(r.existing),
            capacity=site.catalogue.structures[str(r.structure)].capacity,
            devices=hung.get(str(r.mount_id), []),
        )
        for k, r in enumerate(rows)
    ]


def device_infos(
    plan: Plan, site: Site, globe: Globe, only: set[str] | None = None
) -> list[DeviceInfo]:
    """Devices of a plan with their fields of view; ``only`` says which."""
    rows = [r for r in plan.devices.itertuples() if only is None or str(r.device_id) in only]
    if not rows:
        return []
    x, y = [r.geometry.x for r in rows], [r.geometry.y for r in rows]
    lon, lat = globe.lonlat(x, y)
    turn = globe.convergence_deg(x[0], y[0])
    return [
        _device(r, site, globe, (float(lon[k]), float(lat[k])), turn) for k, r in enumerate(rows)
    ]


def _device(
    row: Any, site: Site, globe: Globe, place: tuple[float, float], turn_deg: float
) -> DeviceInfo:
    model = site.catalogue.devices[str(row.model)]
    asked = asked_densities(site)
    density = asked[0].px_per_m if asked else 0.0
    reach, cone = model.range_m, None
    if asked:
        if density > 0:
            reach = min(reach, model.focal_px(row.focal_mm) / density)
        shape = view_polygon(
            model,
            x=row.geometry.x,
            y=row.geometry.y,
            height_m=row.height_m,
            azimuth_deg=row.azimuth_deg,
            tilt_deg=row.tilt_deg,
            focal_mm=row.focal_mm,
            px_per_m=density,
            target_height_m=asked[0].target_height_m,
        )
        if not shape.is_empty:
            cone = globe.geometry(shapely.simplify(shape, CONE_TOLERANCE_M))
    return DeviceInfo(
        device_id=str(row.device_id),
        mount_id=str(row.mount_id),
        model=model.id,
        model_name=model.name,
        kind=model.kind,
        lon=place[0],
        lat=place[1],
        height_m=float(row.height_m),
        azimuth_deg=float(row.azimuth_deg),
        bearing_deg=float((row.azimuth_deg + turn_deg) % 360.0),
        tilt_deg=float(row.tilt_deg),
        focal_mm=float(row.focal_mm),
        focal_min_mm=model.focal_min_mm,
        focal_max_mm=model.focal_max_mm,
        hfov_deg=float(row.hfov_deg),
        vfov_deg=float(row.vfov_deg),
        reach_m=float(reach),
        cost=float(row.cost),
        cone=cone,
    )


def light_infos(plan: Plan, globe: Globe) -> list[LightInfo]:
    """Lights of a plan."""
    if plan.lighting is None or not len(plan.lighting.lights):
        return []
    mounts = dict(zip(plan.lighting.poles["pole_id"], plan.lighting.poles["mount_id"], strict=True))
    lights = plan.lighting.lights
    lon, lat = globe.lonlat(lights.geometry.x, lights.geometry.y)
    return [
        LightInfo(
            light_id=str(row.light_id),
            pole_id=str(row.pole_id),
            mount_id=str(mounts.get(row.pole_id, "")),
            luminaire=str(row.luminaire),
            lon=lon[k],
            lat=lat[k],
            height_m=float(row.height_m),
            azimuth_deg=float(row.azimuth_deg),
            tilt_deg=float(row.tilt_deg),
        )
        for k, row in enumerate(lights.itertuples())
    ]


def claim_infos(judged: Judged, globe: Globe) -> list[ClaimInfo]:
    """Claims with their witnesses on the map."""
    claims, waiting = judged.claims, set(map(id, judged.waiting))
    shown = [c.witness for c in claims if c.witness is not None]
    lon, lat = globe.lonlat([w.x for w in shown], [w.y for w in shown])
    places = {id(w): (float(lon[k]), float(lat[k])) for k, w in enumerate(shown)}
    found = []
    for claim in claims:
        witness = None
        if claim.witness is not None:
            w = claim.witness
            place = places[id(w)]
            witness = WitnessInfo(
                lon=place[0], lat=place[1], s=w.s, t=w.t, value=w.value, why=w.why
            )
        found.append(
            ClaimInfo(
                requirement=claim.requirement,
                kind=claim.kind,
                where=claim.where,
                condition=claim.condition,
                verdict=claim.verdict,
                value=claim.value,
                lower=claim.lower,
                upper=claim.upper,
                target=claim.target,
                unit=claim.unit,
                binding=claim.binding,
                cells=claim.cells,
                failing=list(claim.failing_chainages),
                witness=witness,
                method=claim.method,
                detail=claim.detail,
                waits=judged.waits if id(claim) in waiting else "",
            )
        )
    return found


def cells_feature(
    cells: Cells, at: npt.NDArray[np.int64], globe: Globe, properties: dict[str, Any]
) -> Feature:
    """Some cells as one shape: the outline of the ground that they are."""
    if not at.size:
        return Feature(geometry=None, properties=properties)
    half = cells.cell_m / 2.0
    x, y = cells.x[at], cells.y[at]
    # Runs of neighbouring cells in a row are one box: hundreds of shapes to join, not thousands.
    column = np.floor(x / cells.cell_m).astype(np.int64)
    row = np.floor(y / cells.cell_m).astype(np.int64)
    order = np.lexsort((column, row))
    x, y, column, row = x[order], y[order], column[order], row[order]
    breaks = np.flatnonzero((np.diff(row) != 0) | (np.diff(column) != 1)) + 1
    first, last = np.append(0, breaks), np.append(breaks, x.size) - 1
    boxes = shapely.box(x[first] - half, y[first] - half, x[last] + half, y[last] + half)
    shape = shapely.union_all(boxes, grid_size=cells.cell_m / 1000.0)
    return Feature(geometry=globe.geometry(shape), properties=properties)


def collection(features: list[Feature]) -> FeatureCollection:
    """Features together."""
    return FeatureCollection(features=features)


def catalogue_info(catalogue: Catalogue, site: Site) -> CatalogueInfo:
    """The project's catalogue."""
    devices = []
    for key, device in catalogue.devices.items():
        wide, narrow = (
            whole_field_deg(device, f) for f in (device.focal_min_mm, device.focal_max_mm)
        )
        devices.append(
            DeviceModel(
                key=key,
                name=device.name,
                kind=device.kind,
                offered=key in site.candidates.devices,
                price=device.price,
                width_px=device.width_px,
                height_px=device.height_px,
                focal_min_mm=device.focal_min_mm,
                focal_max_mm=device.focal_max_mm,
                hfov_widest_deg=wide[0],
                hfov_narrowest_deg=narrow[0],
                vfov_widest_deg=wide[1],
                vfov_narrowest_deg=narrow[1],
                range_m=device.range_m,
                power_w=device.power_w,
                needs_tower=device.is_person,
                turns=device.kind in ("observer", "ptz"),
            )
        )
    structures = [
        StructureModel(
            key=key,
            name=item.name,
            kind=item.kind,
            offered=key in site.candidates.structures,
            height_m=item.height_m,
            capacity=item.capacity,
            price=item.price,
        )
        for key, item in catalogue.structures.items()
    ]
    return CatalogueInfo(
        currency=catalogue.currency,
        devices=devices,
        structures=structures,
        qualities=dict(catalogue.qualities),
        places_kept_free=site.candidates.spare_capacity,
    )


def difference_info(found: PlanDifference, waiting: list[str]) -> Difference:
    """A comparison of two plans; ``waiting`` names claims that are still being judged."""
    return Difference(
        before=found.before,
        after=found.after,
        currency=found.currency,
        cost_before=found.cost_before,
        cost_after=found.cost_after,
        same=found.same,
        mounts=list(found.mounts),
        devices=list(found.devices),
        claims=[
            ClaimDifference.model_validate(
                vars(c)
                | {"value_before": known(c.value_before), "value_after": known(c.value_after)}
            )
            for c in found.claims
        ],
        waiting=waiting,
        lines=difference_lines(found),
    )
