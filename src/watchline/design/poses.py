"""Poses: for every mount, the devices with the aims that are worth offering.

Azimuths slide over the bearings of the cells that the lens can serve, half a field at a step, and
start flush with the first bearing; for each, the tilt is the one that holds the most cells (exact,
see :mod:`watchline.kernels.frames`), so the blind ground below the mast counts against a pose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.design.rows import Rows
from watchline.design.sightlines import MountView
from watchline.kernels.frames import best_tilt
from watchline.model.catalogue import Device
from watchline.model.site import Site
from watchline.physics.watch import (
    OBSERVER_VERTICAL_FIELD_DEG,
    PTZ_HIGHEST_DEG,
    PTZ_LOWEST_DEG,
)

STRIDE = 0.5
"""Step of the azimuth as a share of the horizontal field of view."""

WORTH_SHARE = 0.2
"""A pose that serves less than this share of what the best aim of its lens serves, at the same
pixel density from the same mount, is left out."""

FOCAL_RATIO = 1.6
"""Ratio of neighbouring focal lengths that a zoom or varifocal lens is offered at."""

POSE_COLUMNS = ("mount", "device", "focal_mm", "azimuth_deg", "tilt_deg", "cost")


@dataclass(frozen=True)
class Lens:
    """One device at one focal length, with what its frame holds.

    Attributes
    ----------
    device : Device
        The device.
    number : int
        Its number among the site's devices.
    focal_mm : float
        Focal length.
    focal_px : float
        The same in pixels: the density at 1 m.
    tan_h, tan_v : float
        Tangents of half the fields of view of one sensor; for devices that turn or look all
        round: of the lowest and of the highest elevation that they reach.
    full_circle : bool
        Whether it turns or looks all round.
    most_height : float
        Tallest target, as an angle in rad, that fits into its image.
    """

    device: Device
    number: int
    focal_mm: float
    focal_px: float
    tan_h: float
    tan_v: float
    full_circle: bool
    most_height: float

    @property
    def half_h(self) -> float:
        """Half the horizontal field of one sensor in rad."""
        return math.atan(self.tan_h)

    @property
    def half_v(self) -> float:
        """Half the vertical field in rad."""
        return math.atan(self.tan_v)

    def sensor_azimuths(self, azimuth: float) -> npt.NDArray[np.float64]:
        """Axes of its sensors in rad, for the azimuth of the whole device in rad."""
        step = math.radians(self.device.spacing_deg)
        middle = (self.device.sensors - 1) / 2
        return azimuth + (np.arange(self.device.sensors) - middle) * step


def lenses(site: Site) -> list[Lens]:
    """Every offered device at every offered focal length."""
    devices = [site.catalogue.devices[key] for key in site.candidates.devices]
    return [
        lens_at(device, number, focal)
        for number, device in enumerate(devices)
        for focal in focal_lengths_mm(device)
    ]


def lens_at(device: Device, number: int, focal_mm: float) -> Lens:
    """One device at one focal length.

    Parameters
    ----------
    device : Device
        The device.
    number : int
        Its number among the site's devices.
    focal_mm : float
        Focal length.
    """
    hfov, vfov = device.sensor_fov_deg(focal_mm)
    low, high = _elevations_deg(device, hfov, vfov)
    return Lens(
        device=device,
        number=number,
        focal_mm=focal_mm,
        focal_px=device.focal_px(focal_mm),
        tan_h=math.tan(math.radians(low)),
        tan_v=math.tan(math.radians(high)),
        full_circle=device.kind in ("observer", "ptz"),
        most_height=math.radians(vfov),
    )


def _elevations_deg(device: Device, hfov_deg: float, vfov_deg: float) -> tuple[float, float]:
    """Half the fields of view; of devices that turn: how far down and up they look."""
    if device.kind == "observer":
        return OBSERVER_VERTICAL_FIELD_DEG / 2, OBSERVER_VERTICAL_FIELD_DEG / 2
    if device.kind == "ptz":
        return min(-PTZ_LOWEST_DEG, 89.9), PTZ_HIGHEST_DEG
    return hfov_deg / 2, vfov_deg / 2


def focal_lengths_mm(device: Device) -> list[float]:
    """Focal lengths at which a lens is offered: its ends, and a geometric series between."""
    low, high = device.focal_min_mm, device.focal_max_mm
    if device.is_person or high <= low * 1.001:
        return [high]
    if device.kind == "ptz":
        return [high]
    steps = max(1, math.ceil(math.log(high / low) / math.log(FOCAL_RATIO)))
    return [round(low * (high / low) ** (i / steps), 3) for i in range(steps + 1)]


def mount_poses(
    view: MountView, rows: Rows, all_lenses: list[Lens], *, cabin: bool
) -> pd.DataFrame:
    """Poses worth offering on one mount.

    Parameters
    ----------
    view : MountView
        The cells that the mount sees, with their directions.
    rows : Rows
        What must be covered.
    all_lenses : list of Lens
        Devices and focal lengths to offer.
    cabin : bool
        Whether a person can stand there.

    Returns
    -------
    DataFrame
        Columns :data:`POSE_COLUMNS` (``device`` = number of the site's device).
    """
    found = []
    for lens in all_lenses:
        if lens.device.is_person and not cabin:
            continue
        worth = _worth(view, rows, lens)
        aims = _lens_aims(view, lens, worth) if worth else []
        found += [(lens, azimuth, tilt) for azimuth, tilt in aims]
    return pd.DataFrame(
        [
            (
                view.mount,
                lens.number,
                lens.focal_mm,
                round(math.degrees(azimuth) % 360.0, 3),
                round(math.degrees(tilt), 3),
                lens.device.price,
            )
            for lens, azimuth, tilt in found
        ],
        columns=list(POSE_COLUMNS),
    )


def _worth(view: MountView, rows: Rows, lens: Lens) -> list[npt.NDArray[np.float64]]:
    """For each distinct pixel density: rows of each cell that the lens could serve there."""
    worth = []
    reach = rows.reach_m(lens.device, lens.focal_mm, view.cell, view.bearing, view.spread)
    densities = sorted({r.px_per_m for r in rows.requirements})
    for density in densities:
        served = np.zeros(len(view.cell))
        for number, requirement in enumerate(rows.requirements):
            if requirement.px_per_m < density:
                continue
            near = (view.far_m <= reach[number]) & view.seen[rows.target[number]]
            served += near * view.demand[number]
        if served.any() and not any(np.array_equal(served, other) for other in worth):
            worth.append(served)
    return worth


def _lens_aims(
    view: MountView, lens: Lens, worth: list[npt.NDArray[np.float64]]
) -> list[tuple[float, float]]:
    """(azimuth, tilt) of one lens, in rad, for each density in turn."""
    if lens.full_circle:
        return [(0.0, 0.0)]
    target = int(np.argmax([seen.sum() for seen in view.seen]))
    kept: list[tuple[float, float]] = []
    for served in worth:
        cells = np.flatnonzero(served > 0)
        field = lens.half_h * 2
        if lens.device.sensors > 1:
            field = math.radians(lens.device.spacing_deg) * lens.device.sensors
        azimuths = np.array(slide(view.bearing[cells], field))
        tilts, values = _tilts(
            view.bearing[cells],
            view.spread[cells],
            view.top[target][cells],
            view.feet[cells],
            served[cells],
            azimuths,
            lens.sensor_azimuths(0.0),
            lens.half_h,
            lens.half_v,
        )
        good = (values > 0) & (values >= WORTH_SHARE * values.max(initial=0.0))
        kept += list(zip(azimuths[good].tolist(), tilts[good].tolist(), strict=True))
    # Aims for different densities often coincide: one of each tenth of a frame is enough.
    first = {
        (round(a / (0.2 * lens.half_h)), round(t / (0.2 * lens.half_v))): (a, t)
        for a, t in reversed(kept)
    }
    return list(first.values())[::-1]


def slide(bearings: npt.NDArray[np.float64], field: float) -> list[float]:
    """Azimuths of a field of view that slides over bearings, flush with both ends of each cluster.

    Parameters
    ----------
    bearings : float64 array [n]
        Bearings in rad, in any order.
    field : float
        Field of view in rad.

    Returns
    -------
    list of float
        Azimuths in rad, each within half a field of some bearing.
    """
    if field >= 2 * math.pi - 1e-6:
        return [0.0, math.pi / 4]
    ordered = np.sort(np.mod(bearings, 2 * math.pi))
    gaps = np.diff(np.concatenate([ordered, [ordered[0] + 2 * math.pi]]))
    start = int(np.argmax(gaps)) + 1
    unrolled = np.concatenate([ordered[start:], ordered[:start] + 2 * math.pi])
    azimuths: list[float] = []
    for cluster in np.split(unrolled, np.flatnonzero(np.diff(unrolled) > field) + 1):
        # The frame must hold whole cells, so it is a little narrower than the field.
        width = field * 0.98
        spread = cluster[-1] - cluster[0]
        if spread <= width:
            azimuths.append((cluster[0] + cluster[-1]) / 2)
            continue
        steps = math.ceil((spread - width) / (field * STRIDE))
        azimuths += list(np.linspace(cluster[0] + width / 2, cluster[-1] - width / 2, steps + 1))
    return azimuths


@numba.njit(cache=True)
def _tilts(bearing, spread, top, feet, served, azimuths, sensors, half_h, half_v):  # noqa: ANN001, ANN202
    """Best tilt for each azimuth of a housing whose sensors share the tilt, and its worth."""
    tilts = np.empty(len(azimuths))
    values = np.empty(len(azimuths))
    turned = np.empty(len(bearing))
    for n in range(len(azimuths)):
        # Cells are brought into the frame of the sensor nearest to them.
        for i in range(len(bearing)):
            nearest = 1e9
            for sensor in sensors:
                off = bearing[i] - azimuths[n] - sensor
                off = off - 2.0 * np.pi * np.round(off / (2.0 * np.pi))
                if abs(off) < abs(nearest):
                    nearest = off
            turned[i] = nearest
        tilts[n], values[n] = best_tilt(turned, spread, top, feet, served, 0.0, half_h, half_v)
    return tilts, values
