"""Optics of watching: pixel density, fields of view, projection, blind ground.

Conventions
-----------
- Vectors point from the device to the target: ``east_m``, ``north_m`` in the projected grid and
  ``rise_m`` upwards from the device's own horizon. Over kilometres the Earth's curvature belongs
  into ``rise_m``: see :func:`apparent_rise_m`.
- Azimuth clockwise from grid north, tilt positive *down* from the horizon, roll 0.
- Image coordinates in px: u to the right, v downwards, the origin in the upper left corner, the
  optical axis through the image's centre.
- Pixel density is in px per metre of a short horizontal bar at right angles to the line of sight,
  as IEC 62676-4 counts it on a target that faces the camera.

The lens is a rectilinear pinhole. Published tables of real lenses agree within 5 % for focal
lengths from 14 mm; shorter lenses see wider, with fewer px/m, than a pinhole of their nominal
focal length.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Numbers = float | FloatArray

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the Earth, R1 of GRS 80 (IUGG)."""
EDGE_PX = 1e-6
"""A place this far outside the image still counts as inside: an aim computed to touch, touches."""


class Projection(NamedTuple):
    """Where points fall in an image.

    Attributes
    ----------
    u_px, v_px : float64 array
        Image coordinates in px; NaN for points that are not in front of the camera.
    depth_m : float64 array
        Distance along the optical axis in m; not positive behind the camera.
    inside : bool array
        Whether the point is in front of the camera and inside the image.
    """

    u_px: FloatArray
    v_px: FloatArray
    depth_m: FloatArray
    inside: BoolArray


def apparent_rise_m(rise_m: Numbers, distance_m: Numbers, refraction: float = 0.13) -> FloatArray:
    """Rise above the device's horizon over a round Earth with refraction.

    ``z' = z - (1 - k) d² / (2 R)``; an error below 1 mm up to 20 km against the exact sphere.

    Parameters
    ----------
    rise_m : float or float64 array
        Difference of heights above the datum, target less device [m].
    distance_m : float or float64 array
        Horizontal distance [m].
    refraction : float
        Refraction coefficient k [-]; 0.13 is Gauss's mean by day.

    Returns
    -------
    float64 array
        Apparent rise [m], broadcast over the arguments.
    """
    distance = np.asarray(distance_m, dtype=np.float64)
    drop = (1.0 - refraction) * distance**2 / (2.0 * EARTH_RADIUS_M)
    return np.asarray(np.asarray(rise_m, dtype=np.float64) - drop)


def focal_length_px(width_px: Numbers, focal_mm: Numbers, sensor_width_mm: Numbers) -> FloatArray:
    """Focal length in pixels, ``W f / w``.

    Parameters
    ----------
    width_px : float or float64 array
        Image width W [px].
    focal_mm, sensor_width_mm : float or float64 array
        Focal length f and width w of the active sensor [mm].
    """
    width = np.asarray(width_px, dtype=np.float64)
    return np.asarray(width * np.asarray(focal_mm) / np.asarray(sensor_width_mm))


def pixel_density(focal_px: Numbers, distance_m: Numbers) -> FloatArray:
    """Pixel density on the optical axis, ``W f / (w d)`` [px/m] (IEC 62676-4).

    Parameters
    ----------
    focal_px : float or float64 array
        Focal length [px].
    distance_m : float or float64 array
        Slant distance to the target [m], above zero.
    """
    return np.asarray(np.asarray(focal_px, dtype=np.float64) / np.asarray(distance_m))


def distance_for_density(focal_px: Numbers, px_per_m: Numbers) -> FloatArray:
    """Slant distance on the optical axis at which a pixel density is reached [m].

    Parameters
    ----------
    focal_px : float or float64 array
        Focal length [px].
    px_per_m : float or float64 array
        Pixel density [px/m], above zero.
    """
    return np.asarray(np.asarray(focal_px, dtype=np.float64) / np.asarray(px_per_m))


def field_of_view_deg(size_px: Numbers, focal_px: Numbers) -> FloatArray:
    """Angle that one side of the image spans, ``2 atan(W / 2f)`` [deg].

    Parameters
    ----------
    size_px : float or float64 array
        Width or height of the image [px].
    focal_px : float or float64 array
        Focal length [px].
    """
    half = np.asarray(size_px, dtype=np.float64) / (2.0 * np.asarray(focal_px))
    return np.asarray(2.0 * np.degrees(np.arctan(half)))


def observer_density(acuity_arcmin: Numbers, distance_m: Numbers) -> FloatArray:
    """Pixel density that a person's sight equals: one "pixel" an angle told apart [px/m].

    ``1 / (a d)`` with the acuity a as an angle. One arc-minute is the acuity of normal sight
    (decimal visus 1.0, ISO 8596); optics divide it by their magnification.

    Parameters
    ----------
    acuity_arcmin : float or float64 array
        Smallest angle told apart [arc-minutes].
    distance_m : float or float64 array
        Slant distance [m], above zero.
    """
    acuity_rad = np.radians(np.asarray(acuity_arcmin, dtype=np.float64) / 60.0)
    return np.asarray(1.0 / (acuity_rad * np.asarray(distance_m)))


def sensor_azimuths(azimuth_deg: float, sensors: int, spacing_deg: float) -> FloatArray:
    """Azimuths of the sensors of one housing, spread evenly about its own [deg, 0–360).

    Parameters
    ----------
    azimuth_deg : float
        Azimuth of the housing: the middle of its sensors.
    sensors : int
        Number of sensors, at least 1.
    spacing_deg : float
        Angle between neighbouring axes.

    Returns
    -------
    float64 array [sensors]
    """
    return np.asarray((azimuth_deg + sensor_turns(sensors, spacing_deg)) % 360.0)


def sensor_turns(sensors: int, spacing_deg: float) -> FloatArray:
    """By how much each sensor of a housing is turned from its middle [deg], float64 [sensors]."""
    return np.asarray((np.arange(sensors) - (sensors - 1) / 2.0) * spacing_deg)


def camera_axes(azimuth_deg: float, tilt_deg: float) -> FloatArray:
    """Unit vectors right, down and forward of a camera without roll.

    Parameters
    ----------
    azimuth_deg, tilt_deg : float
        Aim: clockwise from grid north, and positive down.

    Returns
    -------
    float64 array [3, 3]
        Rows right, down, forward; columns east, north, up.
    """
    return np.array(_axes(azimuth_deg, tilt_deg))


def project_points(
    east_m: Numbers,
    north_m: Numbers,
    rise_m: Numbers,
    *,
    azimuth_deg: Numbers,
    tilt_deg: Numbers,
    focal_px: float,
    width_px: float,
    height_px: float,
) -> Projection:
    """Project points into the image of a pinhole camera without roll.

    Parameters
    ----------
    east_m, north_m, rise_m : float or float64 array
        Vectors from the camera to the points [m]; they broadcast.
    azimuth_deg, tilt_deg : float or float64 array
        Aim of the optical axis; aims broadcast with the vectors.
    focal_px : float
        Focal length [px].
    width_px, height_px : float
        Image size [px].

    Returns
    -------
    Projection
        Image coordinates, depth and whether the point is inside the image; the image's edge
        belongs to it.
    """
    right, down, depth = _in_camera(east_m, north_m, rise_m, azimuth_deg, tilt_deg)
    front = depth > 0.0
    safe = np.where(front, depth, np.nan)
    u = width_px / 2.0 + focal_px * right / safe
    v = height_px / 2.0 + focal_px * down / safe
    # Comparisons with NaN are False, so points behind the camera are never inside.
    inside = (np.abs(u - width_px / 2.0) <= width_px / 2.0 + EDGE_PX) & (
        np.abs(v - height_px / 2.0) <= height_px / 2.0 + EDGE_PX
    )
    return Projection(u, v, depth, inside)


def across_density(
    east_m: Numbers,
    north_m: Numbers,
    rise_m: Numbers,
    *,
    azimuth_deg: Numbers,
    tilt_deg: Numbers,
    focal_px: float,
) -> FloatArray:
    """Pixels per metre of a short horizontal bar across the line of sight, by full projection.

    The derivative of the image point along the bar. On the optical axis it equals
    :func:`pixel_density`; at an angle θ off the axis a flat image stretches, and it lies between
    ``f / (d cos θ)`` and ``f / (d cos² θ)``.

    Parameters
    ----------
    east_m, north_m, rise_m : float or float64 array
        Vectors from the camera to the targets [m]; they broadcast.
    azimuth_deg, tilt_deg : float or float64 array
        Aim of the optical axis; aims broadcast with the vectors.
    focal_px : float
        Focal length [px].

    Returns
    -------
    float64 array
        Density [px/m]; NaN behind the camera.
    """
    east, north = _horizontal_unit(east_m, north_m)
    vector = (east_m, north_m, rise_m)
    return _bar_density(vector, (north, -east), azimuth_deg, tilt_deg, focal_px)


def along_density(
    east_m: Numbers,
    north_m: Numbers,
    rise_m: Numbers,
    *,
    azimuth_deg: float,
    tilt_deg: float,
    focal_px: float,
) -> FloatArray:
    """Pixels per metre of a short bar that lies level and points away from the camera.

    On the optical axis ``f sin(depression) / d``: how finely flat ground is resolved in depth.

    Parameters
    ----------
    east_m, north_m, rise_m : float or float64 array
        Vectors from the camera to the places [m]; they broadcast.
    azimuth_deg, tilt_deg : float
        Aim of the optical axis.
    focal_px : float
        Focal length [px].

    Returns
    -------
    float64 array
        Density [px/m]; NaN behind the camera.
    """
    bar = _horizontal_unit(east_m, north_m)
    return _bar_density((east_m, north_m, rise_m), bar, azimuth_deg, tilt_deg, focal_px)


def near_edge_m(
    height_m: Numbers,
    tilt_deg: Numbers,
    vertical_fov_deg: Numbers,
    target_height_m: Numbers = 1.7,
) -> FloatArray:
    """Blind ground at the mast: how near a whole target is still in the image [m].

    Flat ground, measured along the camera's azimuth: the blind ground ends in a straight line
    across it, so that to the sides it is deeper by 1 / cos(bearing - azimuth). The feet must not
    lie below the image (``h / tan(tilt + V/2)``), nor a top above the camera above the image.

    Parameters
    ----------
    height_m : float or float64 array
        Height of the camera above the ground at the target [m].
    tilt_deg, vertical_fov_deg : float or float64 array
        Tilt, positive down, and vertical field of view V.
    target_height_m : float or float64 array
        Height of the target's top [m].

    Returns
    -------
    float64 array
        Horizontal distance; 0 where the camera sees its own foot, inf where never.
    """
    half = np.asarray(vertical_fov_deg, dtype=np.float64) / 2.0
    feet = _distance_at_depression(height_m, np.asarray(tilt_deg) + half)
    excess = np.asarray(target_height_m, dtype=np.float64) - height_m
    top = np.where(excess > 0, _distance_at_depression(excess, half - np.asarray(tilt_deg)), 0.0)
    return np.asarray(np.maximum(feet, top))


def far_edge_m(
    height_m: Numbers,
    tilt_deg: Numbers,
    vertical_fov_deg: Numbers,
    target_height_m: Numbers = 1.7,
) -> FloatArray:
    """How far a whole target is in the image, on flat ground along the camera's azimuth [m].

    ``(h - h_t) / tan(tilt - V/2)``; inf where the image's upper edge looks at or above the
    horizon, 0 where a top that is as high as the camera lies above the image.

    Parameters
    ----------
    height_m : float or float64 array
        Height of the camera above the ground at the target [m].
    tilt_deg, vertical_fov_deg : float or float64 array
        Tilt, positive down, and vertical field of view V.
    target_height_m : float or float64 array
        Height of the target's top [m].
    """
    upper = np.asarray(tilt_deg) - np.asarray(vertical_fov_deg, dtype=np.float64) / 2.0
    drop = np.maximum(np.asarray(height_m, dtype=np.float64) - target_height_m, 0.0)
    return _distance_at_depression(drop, upper)


def tilt_for_far_edge_deg(
    height_m: Numbers,
    far_m: Numbers,
    vertical_fov_deg: Numbers,
    target_height_m: Numbers = 1.7,
) -> FloatArray:
    """Steepest tilt at which a target's top at a wanted far distance is still in the image [deg].

    It leaves the least blind ground at the mast. For sloping ground pass the camera's apparent
    height above the ground at the far place. Exact in the camera's azimuth; to the sides the same
    tilt reaches farther, since the image's upper edge meets the targets' tops in a straight line
    across the azimuth.

    Parameters
    ----------
    height_m : float or float64 array
        Height of the camera above the ground at the target [m].
    far_m : float or float64 array
        Wanted horizontal distance [m].
    vertical_fov_deg : float or float64 array
        Vertical field of view.
    target_height_m : float or float64 array
        Height of the target's top [m].
    """
    drop = np.asarray(height_m, dtype=np.float64) - target_height_m
    return np.asarray(np.degrees(np.arctan2(drop, far_m)) + np.asarray(vertical_fov_deg) / 2.0)


def _horizontal_unit(east_m: Numbers, north_m: Numbers) -> tuple[FloatArray, FloatArray]:
    """Unit vector of the horizontal direction; due north for a point straight below."""
    east = np.asarray(east_m, dtype=np.float64)
    north = np.asarray(north_m, dtype=np.float64)
    length = np.hypot(east, north)
    safe = np.where(length > 0, length, 1.0)
    return east / safe, np.where(length > 0, north / safe, 1.0)


def _axes(azimuth_deg: Numbers, tilt_deg: Numbers) -> tuple[tuple[Any, Any, Any], ...]:
    """Components east, north and up of right, down and forward; of many aims, arrays."""
    sin_a, cos_a = np.sin(np.radians(azimuth_deg)), np.cos(np.radians(azimuth_deg))
    sin_t, cos_t = np.sin(np.radians(tilt_deg)), np.cos(np.radians(tilt_deg))
    return (
        (cos_a, -sin_a, 0.0),
        (-sin_a * sin_t, -cos_a * sin_t, -cos_t),
        (sin_a * cos_t, cos_a * cos_t, -sin_t),
    )


def _in_camera(
    east_m: Numbers,
    north_m: Numbers,
    rise_m: Numbers,
    azimuth_deg: Numbers,
    tilt_deg: Numbers,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Components of vectors along right, down and forward."""
    axes = _axes(azimuth_deg, tilt_deg)
    east = np.asarray(east_m, dtype=np.float64)
    north = np.asarray(north_m, dtype=np.float64)
    rise = np.asarray(rise_m, dtype=np.float64)
    right, down, forward = (axis[0] * east + axis[1] * north + axis[2] * rise for axis in axes)
    return np.asarray(right), np.asarray(down), np.asarray(forward)


def _bar_density(
    vector: tuple[Numbers, Numbers, Numbers],
    bar: tuple[FloatArray, FloatArray],
    azimuth_deg: Numbers,
    tilt_deg: Numbers,
    focal_px: float,
) -> FloatArray:
    """Length in px of the image of a horizontal unit bar: the derivative of the projection."""
    right, down, depth = _in_camera(*vector, azimuth_deg, tilt_deg)
    bar_right, bar_down, bar_depth = _in_camera(bar[0], bar[1], 0.0, azimuth_deg, tilt_deg)
    safe = np.where(depth > 0, depth, np.nan)
    du = bar_right / safe - right * bar_depth / safe**2
    dv = bar_down / safe - down * bar_depth / safe**2
    return np.asarray(focal_px * np.hypot(du, dv))


def _distance_at_depression(drop_m: Numbers, depression_deg: Numbers) -> FloatArray:
    """Horizontal distance in which a ray falls by drop_m; inf for level and rising rays."""
    angle = np.asarray(depression_deg, dtype=np.float64)
    falls = (angle > 0) & (angle < 90.0)
    distance = np.asarray(drop_m) / np.tan(np.radians(np.where(falls, angle, 45.0)))
    return np.asarray(np.where(falls, distance, np.where(angle >= 90.0, 0.0, np.inf)))
