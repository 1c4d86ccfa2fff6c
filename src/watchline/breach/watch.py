"""Who would detect a walker: the rate of every device of a plan at every cell of the zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchline.breach.ground import Strip
from watchline.breach.sight import Sight, sight_of
from watchline.model.condition import Condition
from watchline.model.defence import Defence, DefenceState
from watchline.model.plan import Plan
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.physics.acquisition import margin
from watchline.physics.detection import graded_rate_per_s, outage_factor, rate_per_s
from watchline.physics.optics import apparent_rise_m
from watchline.physics.watch import watch_density
from watchline.physics.weather import extinction_per_m
from watchline.prove.devices import Perch, PlacedDevice, bearing_deg, perches_of
from watchline.prove.heights import Relief, relief_of
from watchline.prove.scene import FREE, build_scene, trace

FloatArray = npt.NDArray[np.float64]
WINDOW_ROWS_M = 1000.0
CONTRAST_LEFT = 0.05
"""Share of a walker's contrast that must be left at a device's distance in fog or haze."""
DENSITY_SLACK = 1e-9
"""Relative: a density computed to equal a grade's, equals it."""
MOST_HAZARD = 3.0
"""Where the chord of an outage's hazard ends: a way with more from one device has P ≥ 1 − e^−H."""


@dataclass(frozen=True)
class Watch:
    """Rates of detection of every device at every cell that it surely sees.

    Attributes
    ----------
    heights_m : tuple of float
        Target heights.
    device_ids, mount_ids, kinds : tuple of str
        The plan's devices, with their mounts and kinds.
    mount_s_m : float64 array [devices]
        Chainage of their mounts.
    cell : tuple of int64 array [views]
        Per height: flat cell of each view.
    device : tuple of int32 array [views]
        Per height: the device that has it.
    conditions : tuple of Condition
        Light and air of the states that name a condition.
    rate : tuple of float64 array [views, 1 + conditions]
        Per height: rate of detection by day in clear air, then under each condition [1/s].
    distance_m : tuple of float64 array [views]
        Per height: slant distance.
    cells : int
        Number of cells.
    """

    conditions: tuple[Condition, ...]
    heights_m: tuple[float, ...]
    device_ids: tuple[str, ...]
    mount_ids: tuple[str, ...]
    kinds: tuple[str, ...]
    mount_s_m: FloatArray
    cell: tuple[npt.NDArray[np.int64], ...]
    device: tuple[npt.NDArray[np.int32], ...]
    rate: tuple[FloatArray, ...]
    distance_m: tuple[FloatArray, ...]
    cells: int


def watch_of(
    site: Site,
    terrain: Terrain,
    plan: Plan,
    strip: Strip,
    progress: Callable[[float], None] | None = None,
    sight: Sight | None = None,
) -> Watch:
    """Trace every device of a plan to every cell of the zone, for every gait's target height.

    Only what is surely seen counts: free sight over known ground, top and feet in the image.

    Parameters
    ----------
    site, terrain, plan
        What stands where.
    strip : Strip
        The cells.
    progress : callable, optional
        Is told the share done, 0–1.
    sight : Sight, optional
        Of the strip; by default made from the plan's lights.

    Raises
    ------
    PlanError
        If the plan does not belong to the site.
    """
    defence = site.defence
    assert defence is not None
    relief = relief_of(terrain)
    sight = sight or sight_of(site, relief, plan.lighting, strip)
    perches = perches_of(site, relief, plan)
    devices = [device for perch in perches for device in perch.devices]
    number = {device.device_id: k for k, device in enumerate(devices)}
    heights = sight.heights_m
    found: list[list[tuple[npt.NDArray, ...]]] = [[] for _ in heights]
    tall = max(1, round(WINDOW_ROWS_M / strip.row_m))
    rows, cols = strip.shape
    for first in range(0, rows, tall):
        part = slice(first, min(rows, first + tall))
        places = strip.x[part].ravel(), strip.y[part].ravel(), strip.z[part].ravel()
        for h, device_id, index, rate, distance in views_of(
            defence, relief, perches, *places, sight.part(slice(first * cols, part.stop * cols))
        ):
            who = np.full(index.size, number[device_id], np.int32)
            found[h].append((first * cols + index, who, rate, distance))
        if progress is not None:
            progress(part.stop / rows)
    mounts = plan.mounts.set_index("mount_id")
    return Watch(
        sight.conditions,
        heights,
        tuple(device.device_id for device in devices),
        tuple(device.mount_id for device in devices),
        tuple(device.model.kind for device in devices),
        np.array([float(mounts.loc[device.mount_id, "s"]) for device in devices]),
        *(
            tuple(_joined([view[k] for view in views], kind, columns) for views in found)
            for k, (kind, columns) in enumerate(
                (
                    (np.int64, ()),
                    (np.int32, ()),
                    (np.float64, (1 + len(sight.conditions),)),
                    (np.float64, ()),
                )
            )
        ),
        cells=rows * cols,
    )


def rates(
    watch: Watch,
    defence: Defence,
    state: DefenceState | None,
    lost: npt.NDArray[np.bool_] | None = None,
) -> list[FloatArray]:
    """Rate of detection at every cell for every target height [1/s].

    Parameters
    ----------
    watch : Watch
        The views.
    defence : Defence
        Availability of the devices.
    state : DefenceState or None
        What strikes many devices together; None is the normal state.
    lost : bool array [devices], optional
        Devices that are gone.

    Returns
    -------
    list of float64 array [cells]
        One a target height. With an availability below 1, rates are lowered so that no way on
        which one device has at most :data:`MOST_HAZARD` is credited too much.
    """
    factor, reach = strike(defence, state, watch.kinds, watch.mount_s_m)
    if lost is not None:
        factor[lost] = 0.0
    column = column_of(watch.conditions, state)
    return [
        np.bincount(
            cell,
            weights=rate[:, column] * factor[device] * (distance <= reach),
            minlength=watch.cells,
        )
        for cell, device, rate, distance in zip(
            watch.cell, watch.device, watch.rate, watch.distance_m, strict=True
        )
    ]


def column_of(conditions: tuple[Condition, ...], state: DefenceState | None) -> int:
    """Column of the rates that hold in a state: 0, or that of its condition."""
    if state is None or state.condition is None:
        return 0
    return 1 + conditions.index(state.condition)


def strike(
    defence: Defence, state: DefenceState | None, kinds: Sequence[str], mount_s_m: FloatArray
) -> tuple[FloatArray, float]:
    """What outages and a state leave of the rates of devices.

    Parameters
    ----------
    defence : Defence
        Availability of the devices.
    state : DefenceState or None
        What strikes many devices together; None is the normal state.
    kinds : sequence of str
        Kinds of the devices.
    mount_s_m : float64 array [devices]
        Chainage of their mounts.

    Returns
    -------
    factor : float64 array [devices]
        Factor on the rate.
    reach_m : float
        Distance beyond which nothing counts.
    """
    factor = np.ones(len(kinds))
    if defence.detection.availability < 1.0:
        factor *= outage_factor(defence.detection.availability, MOST_HAZARD)
    reach = np.inf
    if state is not None:
        factor *= np.array([state.factors.get(kind, 1.0) for kind in kinds])
        if state.lost_to_m > state.lost_from_m:
            factor[(mount_s_m >= state.lost_from_m) & (mount_s_m <= state.lost_to_m)] = 0.0
        if np.isfinite(state.visibility_m):
            reach = -np.log(CONTRAST_LEFT) / float(extinction_per_m(state.visibility_m))
    return factor, reach


def views_of(
    defence: Defence,
    relief: Relief,
    perches: Sequence[Perch],
    x: FloatArray,
    y: FloatArray,
    z: FloatArray,
    sight: Sight,
) -> Iterator[tuple[int, str, npt.NDArray[np.int64], FloatArray, FloatArray]]:
    """Which of some places the devices of perches surely see, and how fast they detect there.

    Parameters
    ----------
    defence : Defence
        Walk tests of the devices.
    relief : Relief
        The terrain.
    perches : sequence of Perch
        Where devices are.
    x, y, z : float64 array [places]
        Places, with the ground under them; NaN: nothing is seen there.
    sight : Sight
        Target heights and conditions, and the lamps' light at the places.

    Yields
    ------
    tuple
        Number of the height, device, places, rates [places, 1 + conditions] [1/s] and slant
        distances [m].
    """
    near = [perch for perch in perches if _reaches(perch, defence, x, y)]
    if not near:
        return
    scene = build_scene(
        relief,
        np.concatenate([x, [perch.x for perch in near]]),
        np.concatenate([y, [perch.y for perch in near]]),
    )
    for perch in near:
        for h, height in enumerate(sight.heights_m):
            for device_id, index, rate, distance in _views(
                defence, scene, perch, x, y, z, height, sight
            ):
                yield h, device_id, index, rate, distance


def _joined(parts: list[npt.NDArray], kind: type, columns: tuple[int, ...]) -> npt.NDArray:
    return np.concatenate(parts).astype(kind) if parts else np.zeros((0, *columns), kind)


def _grades(defence: Defence, kind: str) -> tuple[FloatArray, FloatArray]:
    """Densities and rates of a kind of device; none where no walk test speaks of it."""
    known = defence.detection.grades
    grades = known.get(kind, known.get("", ()))
    densities = np.array([grade.px_per_m for grade in grades])
    rate = [float(rate_per_s(grade.probability, grade.within_s)) for grade in grades]
    return densities, np.array(rate)


def _least_density(defence: Defence, kind: str) -> float:
    densities, _ = _grades(defence, kind)
    return float(densities[0]) if densities.size else np.inf


def _reaches(perch: Perch, defence: Defence, x: FloatArray, y: FloatArray) -> bool:
    far = 0.0
    for device in perch.devices:
        least = _least_density(defence, device.model.kind)
        if np.isfinite(least):
            far = max(far, float(device.reach_m(np.array([least]))[0]))
    return bool(np.hypot(x - perch.x, y - perch.y).min() <= far)


def _alike(perch: Perch) -> list[list[PlacedDevice]]:
    """Devices of a perch by model and focal length: they differ by their aims alone."""
    groups: dict[tuple[str, float], list[PlacedDevice]] = {}
    for device in perch.devices:
        groups.setdefault((device.model.id, device.focal_mm), []).append(device)
    return list(groups.values())


def _views(defence, scene, perch, x, y, z, height_m, sight):  # noqa: ANN001, ANN202
    """What each device of a perch surely sees of a window: cells, rates, slant distances."""
    east, north = x - perch.x, y - perch.y
    flat = np.hypot(east, north)
    feet = apparent_rise_m(z - perch.z, flat, scene.relief.refraction)
    bearing = bearing_deg(east, north)
    found = []
    wanted = np.zeros(x.size, dtype=bool)
    for devices in _alike(perch):
        model, focal = devices[0].model, devices[0].focal_mm
        densities, rate = _grades(defence, model.kind)
        if not densities.size:
            continue
        index = np.flatnonzero((flat <= devices[0].reach_m(densities[:1])[0]) & np.isfinite(feet))
        half = max(device.half_sector_deg() for device in devices) + 1e-6
        azimuth = np.array([[device.azimuth_deg] for device in devices])
        off = np.abs((bearing[index] - azimuth + 180.0) % 360.0 - 180.0)
        index = index[(off <= half).any(axis=0) | (flat[index] < 1e-6)]
        if not index.size:
            continue
        density = watch_density(
            model, focal, azimuth, np.array([[device.tilt_deg] for device in devices]),
            east[index], north[index], feet[index] + height_m, feet[index],
        )  # fmt: skip
        density = np.broadcast_to(density, (len(devices), index.size))
        gamma = graded_rate_per_s(density, densities, rate) * model.time_share
        for k, (device, own) in enumerate(zip(devices, gamma, strict=True)):
            kept = own > 0
            if kept.any():
                wanted[index[kept]] = True
                found.append((device, index[kept], density[k, kept], own[kept]))
    at = np.flatnonzero(wanted)
    free = np.zeros(x.size, dtype=bool)
    if at.size:
        eye_z = float(scene.relief.fold(perch.z, perch.x, perch.y))
        top_z = scene.relief.fold(z[at] + height_m, x[at], y[at])
        free[at] = trace(scene, (perch.x, perch.y, eye_z), x[at], y[at], top_z) == FREE
    slant = np.hypot(flat, feet + height_m)
    for device, index, density, gamma in found:
        seen = free[index]
        at = index[seen]
        dark = [
            _under(defence, sight, device, condition, density[seen], slant[at],
                   sight.lamps_at(condition, height_m, at, np.arctan2(east[at], north[at])))
            for condition in sight.conditions
        ]  # fmt: skip
        yield device.device_id, at, np.column_stack([gamma[seen], *dark]), slant[at]


def _under(
    defence: Defence,
    sight: Sight,
    device: PlacedDevice,
    condition: Condition,
    density: FloatArray,
    distance_m: FloatArray,
    lamp_lx: FloatArray | None,
) -> FloatArray:
    """Rate of the best grade that a device reaches and whose picture it makes out [1/s].

    By the same margin as the proof of coverage: contrast, light and noise
    (:func:`watchline.physics.acquisition.margin`).
    """
    densities, rate = _grades(defence, device.model.kind)
    found = np.zeros(density.size)
    for px_per_m, own in zip(densities.tolist(), rate, strict=True):
        good = density * (1.0 + DENSITY_SLACK) >= px_per_m
        if lamp_lx is None:
            good &= distance_m <= sight.dark_reach_m(device, condition, px_per_m)
        elif good.any():
            asked = device.model, device.focal_mm, condition, px_per_m
            good &= margin(*asked, distance_m, lamp_lx) >= 1.0 - DENSITY_SLACK
        found[good] = np.maximum(found[good], own)
    return found * device.model.time_share
