"""Why a device does or does not see a target at a place, in words."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from watchline.geo.chainage import to_chainage
from watchline.model.plan import Plan
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.physics.acquisition import shortfall
from watchline.physics.lamp_light import FloatArray, LampLight, lamp_table, sector_of
from watchline.physics.optics import apparent_rise_m
from watchline.physics.watch import watch_density
from watchline.prove.devices import Perch, PlacedDevice, perches_of
from watchline.prove.heights import Relief, relief_of
from watchline.prove.lamp_light import lamp_light
from watchline.prove.scene import FREE, UNKNOWN
from watchline.prove.sightline import look_along
from watchline.prove.views import DENSITY_SLACK

SEES, NOT_MADE_OUT, HIDES, NO_DATA, TOO_COARSE, OUTSIDE, TOO_FAR, TOO_SELDOM = range(8)
"""Reasons, the nearest to a view first."""
MOST_NAMED = 3
STANDS_M = 0.5
"""A surface this much above the ground is not called terrain."""


@dataclass(frozen=True)
class Asked:
    """What a view must have to count.

    Attributes
    ----------
    target_height_m : float
        Height of the target's top above the ground.
    px_per_m, time_share : float
        Least pixel density and share of time.
    condition : str
        Name of the condition under which it must be made out; empty takes any light and air.
    """

    target_height_m: float
    px_per_m: float
    time_share: float
    condition: str = ""


@dataclass(frozen=True)
class DeviceView:
    """Whether one device sees the target, and why or why not.

    Attributes
    ----------
    device_id, mount_id : str
        The device and its mount.
    distance_m : float
        Slant distance to the target's top, NaN where a height is unknown.
    px_per_m : float
        Density with which the target is in view, terrain and range left aside; 0 outside the
        field of view.
    reason : int
        One of the constants of this module, ``SEES`` … ``TOO_SELDOM``.
    block_x, block_y : float
        Where the surface hides it or the data ends; NaN otherwise.
    why : str
        The same in words.
    """

    device_id: str
    mount_id: str
    distance_m: float
    px_per_m: float
    reason: int
    block_x: float
    block_y: float
    why: str


def explain_cell(
    site: Site,
    terrain: Terrain,
    plan: Plan,
    x: float,
    y: float,
    *,
    target_height_m: float = 1.7,
    px_per_m: float = 0.0,
    time_share: float = 0.0,
    condition: str = "",
    lamps: LampLight | None = None,
) -> tuple[DeviceView, ...]:
    """Say for every device of a plan whether it sees a target at a place, and why or why not.

    Parameters
    ----------
    site, terrain, plan
        What is asked, the ground, and what is placed.
    x, y : float
        The place, in the site's CRS.
    target_height_m : float
        Height of the target's top above the ground in m.
    px_per_m, time_share : float
        What a view must have to count.
    condition : str
        Condition under which the target must be made out; empty takes any light and air.
    lamps : callable, optional
        Light of lamps on a target; by default that of the plan's own lights.

    Returns
    -------
    tuple of DeviceView
        Those that see it first, then those nearest to seeing it.

    Raises
    ------
    PlanError
        If the plan does not belong to the site.
    """
    relief = relief_of(terrain)
    perches = perches_of(site, relief, plan)
    asked = Asked(target_height_m, px_per_m, time_share, condition)
    lamps = lamps or lamp_light(site, relief, plan.lighting)
    return explain(site, relief, perches, (x, y), asked, lamps)


def explain(
    site: Site,
    relief: Relief,
    perches: tuple[Perch, ...],
    place: tuple[float, float],
    asked: Asked,
    lamps: LampLight | None = None,
) -> tuple[DeviceView, ...]:
    """Explain one place for devices that are read already; see :func:`explain_cell`."""
    ground = float(relief.ground_at(*place)[0])
    lit = np.zeros(1)
    if asked.condition:
        at = np.array([place[0]]), np.array([place[1]])
        lit = lamp_table(lamps, site.condition(asked.condition), asked.target_height_m, *at)[0]
    views = [
        _explain_device(site, relief, perch, device, (*place, ground), asked, lit)
        for perch in perches
        for device in perch.devices
    ]
    return order_views(views)


def order_views(views: list[DeviceView]) -> tuple[DeviceView, ...]:
    """Views of one place: those that see it first, then those nearest to seeing it."""
    # NaN has no place in an order: lines without a known length come last.
    return tuple(
        sorted(
            views,
            key=lambda view: (
                view.reason,
                math.inf if math.isnan(view.distance_m) else view.distance_m,
                view.device_id,
            ),
        )
    )


def summarise(views: tuple[DeviceView, ...], needed: int) -> str:
    """One sentence on a place that has too few views: who sees it, who nearly does.

    Parameters
    ----------
    views : tuple of DeviceView
        In the order of :func:`explain_cell`.
    needed : int
        Views from different mounts that are asked.
    """
    seeing = [view for view in views if view.reason == SEES]
    mounts = {view.mount_id: None for view in seeing}
    head = f"seen from {len(mounts)} of {needed} mount{'s' if needed != 1 else ''}"
    if mounts:
        head += f" ({', '.join(mounts)})"
    if len(seeing) > len(mounts):
        head += "; devices of one mount count once"
    others: dict[str, DeviceView] = {}
    for view in views:
        if view.mount_id not in mounts:
            others.setdefault(view.mount_id, view)
    named = [f"{view.device_id} on {mount}: {view.why}" for mount, view in others.items()][
        :MOST_NAMED
    ]
    if not others:
        named = ["no other mount stands"]
    return "; ".join([head, *named])


def _lit_side(lit: FloatArray, east_m: float, north_m: float) -> float:
    """Lamp light on the side that a target turns to a device, from light by sectors [lx]."""
    toward = np.array([math.atan2(-east_m, -north_m)])
    return float(lit[sector_of(toward, lit.size)[0]])


def _not_made_out(
    site: Site, device: PlacedDevice, asked: Asked, distance_m: float, lamp_lx: float
) -> str:
    """Why light or air keep a device from making out a target, in words; empty where not."""
    if not asked.condition:
        return ""
    condition = site.condition(asked.condition)
    return shortfall(device.model, device.focal_mm, condition, asked.px_per_m, distance_m, lamp_lx)


def obstacle_at(relief: Relief, x: float, y: float) -> str:
    """What blocks at a place: the terrain itself, or something that stands on it."""
    col, row = (np.rint(node).astype(np.int64) for node in relief.nodes(x, y))
    above = relief.surface[row, col] - relief.ground[row, col]
    return "something on the ground" if above > STANDS_M else "terrain"


def _explain_device(
    site: Site,
    relief: Relief,
    perch: Perch,
    device: PlacedDevice,
    target: tuple[float, float, float],
    asked: Asked,
    lit: FloatArray,
) -> DeviceView:
    """The first reason against a view, or the view."""
    x, y, ground = target
    target_height_m, px_per_m, time_share = asked.target_height_m, asked.px_per_m, asked.time_share
    east, north = x - perch.x, y - perch.y
    flat = math.hypot(east, north)
    feet = float(apparent_rise_m(ground - perch.z, flat, relief.refraction))
    slant = math.hypot(flat, feet + target_height_m)
    density = float(
        watch_density(
            replace(device.model, range_m=math.inf),
            device.focal_mm,
            device.azimuth_deg,
            device.tilt_deg,
            east,
            north,
            feet + target_height_m,
            feet,
        )
    )
    block_x = block_y = math.nan
    if math.isnan(slant):
        whose = "the target" if math.isnan(ground) else "the device"
        reason, why = NO_DATA, f"the ground under {whose} is unknown"
    elif device.model.time_share < time_share - DENSITY_SLACK:
        share = device.model.time_share
        reason, why = TOO_SELDOM, f"watches {share:.0%} of the time, {time_share:.0%} is asked"
    elif slant > device.model.range_m:
        reason, why = (
            TOO_FAR,
            f"out of range: {slant:.0f} m, it counts to {device.model.range_m:.0f} m",
        )
    elif density == 0:
        reason, why = OUTSIDE, f"outside its field of view, {slant:.0f} m away"
    elif density < px_per_m * (1.0 - DENSITY_SLACK):
        reason, why = TOO_COARSE, f"{density:.2f} px/m of {px_per_m:g} at {slant:.0f} m"
    elif dark := _not_made_out(site, device, asked, slant, _lit_side(lit, east, north)):
        reason, why = NOT_MADE_OUT, dark
    else:
        eye_z = float(relief.fold(perch.z, perch.x, perch.y))
        top_z = float(relief.fold(ground + target_height_m, x, y))
        sight = look_along(relief, (perch.x, perch.y, eye_z), (x, y, top_z))
        reason, why = SEES, f"sees it with {density:.1f} px/m at {slant:.0f} m"
        if sight.state != FREE:
            block_x, block_y = sight.x, sight.y
            s = to_chainage(site.line, np.array([block_x]), np.array([block_y]))[0][0]
            at = f"x = {block_x:.0f}, y = {block_y:.0f} (s = {s:.0f} m)"
            if sight.state == UNKNOWN:
                reason, why = NO_DATA, f"unknown: no terrain data on the way at {at}"
            else:
                reason = HIDES
                what = obstacle_at(relief, block_x, block_y)
                why = (
                    f"{what} hides it: at {at} it stands {sight.over_m:.2f} m above the sight line"
                )
    return DeviceView(
        device.device_id, device.mount_id, slant, density, reason, block_x, block_y, why
    )
