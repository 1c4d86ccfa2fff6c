"""The ground in a device's field of view, as a polygon for maps and exports.

Flat ground at the device's foot and nothing in the way: a drawing, never a proof.
"""

from __future__ import annotations

import math

import shapely
from shapely.geometry import MultiPolygon

from watchline.geo.sector import sector_polygon
from watchline.model.catalogue import Device
from watchline.physics.optics import (
    distance_for_density,
    far_edge_m,
    near_edge_m,
    sensor_azimuths,
)


def whole_field_deg(device: Device, focal_mm: float) -> tuple[float, float]:
    """Horizontal and vertical field of view of a whole device [deg].

    Of several sensors the outermost edges count; a pan-tilt-zoom head turns all round, with the
    vertical field of its picture.

    Parameters
    ----------
    device : Device
        What watches.
    focal_mm : float
        Its focal length [mm]; meaningless for an observer.
    """
    horizontal, vertical = device.sensor_fov_deg(focal_mm)
    if device.kind in ("observer", "ptz"):
        return 360.0, vertical
    return min(360.0, (device.sensors - 1) * device.spacing_deg + horizontal), vertical


def view_polygon(
    device: Device,
    *,
    x: float,
    y: float,
    height_m: float,
    azimuth_deg: float,
    tilt_deg: float,
    focal_mm: float,
    px_per_m: float,
    target_height_m: float,
) -> MultiPolygon:
    """Flat ground on which a device has a whole target in view at a pixel density or better.

    Parameters
    ----------
    device : Device
        What watches.
    x, y, height_m : float
        Where it hangs: CRS coordinates and height above the ground [m].
    azimuth_deg, tilt_deg, focal_mm : float
        Its aim.
    px_per_m : float
        Pixel density asked for [px/m]; 0 asks for the device's range alone.
    target_height_m : float
        Height of the target's top [m].

    Returns
    -------
    MultiPolygon
        One part per sensor, joined where they touch; empty where nothing reaches the density.
    """
    reach = device.range_m
    if px_per_m > 0:
        reach = min(reach, float(distance_for_density(device.focal_px(focal_mm), px_per_m)))
    drop = abs(height_m - target_height_m)
    if reach <= drop:
        return MultiPolygon()
    far = math.sqrt(reach**2 - drop**2)
    horizontal, vertical = device.sensor_fov_deg(focal_mm)
    near = 0.0
    azimuths = [azimuth_deg]
    if device.kind == "observer":
        near = float(near_edge_m(height_m, 0.0, vertical, target_height_m))
    elif device.kind == "ptz":
        near = _fits_from_m(height_m, vertical, target_height_m)
        horizontal = 360.0
    else:
        near = float(near_edge_m(height_m, tilt_deg, vertical, target_height_m))
        far = min(far, float(far_edge_m(height_m, tilt_deg, vertical, target_height_m)))
        azimuths = [
            float(a) for a in sensor_azimuths(azimuth_deg, device.sensors, device.spacing_deg)
        ]
    sectors = [sector_polygon(x, y, azimuth, horizontal, near, far) for azimuth in azimuths]
    joined = sectors[0] if len(sectors) == 1 else shapely.union_all(sectors)
    return MultiPolygon([part for part in shapely.get_parts(joined) if not part.is_empty])


def _fits_from_m(height_m: float, vertical_deg: float, target_height_m: float) -> float:
    """Distance from which a whole target fits into the height of a picture that is turned to it.

    The target spans the angle a with ``tan a = t d / (d² + h (h - t))``, which is largest at
    ``d² = h (h - t)``; the larger of the two distances at which it equals the field is meant.
    """
    half = target_height_m / math.tan(math.radians(vertical_deg)) / 2
    rest = half**2 - height_m * (height_m - target_height_m)
    return half + math.sqrt(rest) if rest > 0 else 0.0
