"""What a device of the catalogue watches: its field of view and pixel density in one place."""

from __future__ import annotations

import numpy as np

from watchline.model.catalogue import Device
from watchline.physics.optics import (
    FloatArray,
    Numbers,
    across_density,
    field_of_view_deg,
    observer_density,
    pixel_density,
    project_points,
    sensor_turns,
)

OBSERVER_VERTICAL_FIELD_DEG = 120.0
"""Vertical field of a person who looks round, centred on the horizon."""
PTZ_LOWEST_DEG, PTZ_HIGHEST_DEG = -90.0, 20.0
"""Elevations at which a pan-tilt-zoom head can point its axis."""


def watch_density(
    device: Device,
    focal_mm: float,
    azimuth_deg: Numbers,
    tilt_deg: Numbers,
    east_m: Numbers,
    north_m: Numbers,
    rise_top_m: Numbers,
    rise_feet_m: Numbers,
) -> FloatArray:
    """Pixel density with which a device has whole targets in view, terrain left aside.

    - A camera (also thermal): top and feet inside one sensor's image; :func:`across_density` at
      the top; of several sensors that hold the target, the best.
    - ``ptz``: turned to each target, so ``f / d``, where the target fits into the image's height
      and its middle lies at an elevation that the head reaches.
    - ``observer``: all round, top and feet within ±60° of the horizon; :func:`observer_density`.

    Parameters
    ----------
    device : Device
        What watches.
    focal_mm : float
        Its focal length.
    azimuth_deg, tilt_deg : float or float64 array
        Its aim, or many aims, which broadcast with the vectors; they mean nothing for ``ptz`` and
        ``observer``.
    east_m, north_m, rise_top_m, rise_feet_m : float or float64 array
        Vectors from the device to the targets' tops and feet [m]; they broadcast.

    Returns
    -------
    float64 array
        Density [px/m]; 0 where the target is outside every field of view or farther than the
        device's ``range_m``, and where a coordinate is NaN.
    """
    east, north, top, feet = np.broadcast_arrays(
        *(np.asarray(a, dtype=np.float64) for a in (east_m, north_m, rise_top_m, rise_feet_m))
    )
    flat = np.hypot(east, north)
    slant = np.sqrt(flat**2 + top**2)
    near = slant <= device.range_m
    focal = device.focal_px(focal_mm)
    if device.kind in ("observer", "ptz"):
        up, low = np.degrees(np.arctan2(top, flat)), np.degrees(np.arctan2(feet, flat))
        if device.kind == "observer":
            half = OBSERVER_VERTICAL_FIELD_DEG / 2.0
            held = (np.abs(up) <= half) & (np.abs(low) <= half)
        else:
            middle = (up + low) / 2.0
            height = float(field_of_view_deg(device.height_px, focal))
            held = (np.abs(up - low) <= height) & (middle <= PTZ_HIGHEST_DEG)
        safe = np.where(slant > 0, slant, np.nan)
        if device.kind == "observer":
            density = observer_density(device.acuity_arcmin, safe)
        else:
            density = pixel_density(focal, safe)
        return np.where(held & near & (slant > 0), density, 0.0)
    best = np.zeros(np.broadcast_shapes(east.shape, np.shape(azimuth_deg), np.shape(tilt_deg)))
    for turn in sensor_turns(device.sensors, device.spacing_deg):
        azimuth = (np.asarray(azimuth_deg) + turn) % 360.0
        aim = {"azimuth_deg": azimuth, "tilt_deg": tilt_deg, "focal_px": focal}
        size = {"width_px": float(device.width_px), "height_px": float(device.height_px)}
        held = project_points(east, north, top, **aim, **size).inside
        held &= project_points(east, north, feet, **aim, **size).inside
        density = np.where(held & near, across_density(east, north, top, **aim), 0.0)
        best = np.maximum(best, density)
    return best
