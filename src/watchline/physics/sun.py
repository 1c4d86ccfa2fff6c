"""The sun: where it stands, and how many hours a year it shines into a camera.

Positions by pvlib's solar position algorithm (Reda and Andreas 2004, NREL/TP-560-34302), ±0.0003°.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.physics.optics import field_of_view_deg

FloatArray = npt.NDArray[np.float64]
SUN_RADIUS_DEG = 0.2666
"""Half of the sun's mean angular diameter."""
STEP_MINUTES = 5


class SunPosition(NamedTuple):
    """Where the sun stands.

    Attributes
    ----------
    zenith_deg : float64 array
        Apparent (refracted) angle from the zenith.
    azimuth_deg : float64 array
        Clockwise from true north.
    """

    zenith_deg: FloatArray
    azimuth_deg: FloatArray


def sun_position(
    times: pd.DatetimeIndex,
    latitude_deg: float,
    longitude_deg: float,
    *,
    altitude_m: float = 0.0,
    pressure_pa: float = 101_325.0,
    temperature_c: float = 12.0,
    delta_t_s: float | None = None,
) -> SunPosition:
    """Apparent position of the sun.

    Parameters
    ----------
    times : DatetimeIndex
        With a time zone.
    latitude_deg, longitude_deg : float
        North and east positive.
    altitude_m, pressure_pa, temperature_c : float
        Of the place and its air; they move the sun by refraction near the horizon only.
    delta_t_s : float, optional
        Terrestrial less universal time [s]; None takes pvlib's estimate for the year.
    """
    # Loaded late: it takes a second, and only nights and suns need it.
    from pvlib import solarposition

    found = solarposition.spa_python(
        times,
        latitude_deg,
        longitude_deg,
        altitude=altitude_m,
        pressure=pressure_pa,
        temperature=temperature_c,
        delta_t=delta_t_s,
    )
    return SunPosition(
        found["apparent_zenith"].to_numpy(dtype=np.float64),
        found["azimuth"].to_numpy(dtype=np.float64),
    )


class SunYear(NamedTuple):
    """Every position of the sun above the level horizon in a year, at even steps.

    Attributes
    ----------
    height_rad, azimuth_rad : float64 array [n]
        Apparent height, and azimuth clockwise from true north.
    step_h : float
        Hours that each position stands for.
    """

    height_rad: FloatArray
    azimuth_rad: FloatArray
    step_h: float


def sun_year(latitude_deg: float, longitude_deg: float, year: int = 2026) -> SunYear:
    """Positions of the sun through a year, every five minutes.

    Parameters
    ----------
    latitude_deg, longitude_deg : float
        North and east positive.
    year : int
        Which year.
    """
    times = pd.date_range(
        f"{year}-01-01", f"{year + 1}-01-01", freq=f"{STEP_MINUTES}min", inclusive="left", tz="UTC"
    )
    sun = sun_position(times, latitude_deg, longitude_deg)
    up = sun.zenith_deg <= 90.0 + SUN_RADIUS_DEG
    return SunYear(
        np.radians(90.0 - sun.zenith_deg[up]), np.radians(sun.azimuth_deg[up]), STEP_MINUTES / 60.0
    )


def hours_in_lens(
    sun: SunYear,
    *,
    azimuths_deg: Sequence[float],
    tilt_deg: float,
    width_px: float,
    height_px: float,
    focal_px: float,
    convergence_deg: float = 0.0,
    margin_deg: float = 0.0,
    horizon_deg: FloatArray | None = None,
) -> float:
    """Hours of a year in which the sun's disk stands in a camera's picture, in clear weather.

    Parameters
    ----------
    sun : SunYear
        Positions at the camera's place.
    azimuths_deg : sequence of float
        Axes of its sensors, clockwise from grid north.
    tilt_deg : float
        Tilt, positive down.
    width_px, height_px, focal_px : float
        One sensor's picture and focal length.
    convergence_deg : float
        Bearing of grid north, clockwise from true north.
    margin_deg : float
        How far outside the picture the sun still blinds (a lens without a hood: 10° or more).
    horizon_deg : float64 array [n], optional
        Height of the horizon at n even bearings from grid north on, clockwise; NaN where nothing
        stands. Without it the horizon is level.
    """
    half_across = float(field_of_view_deg(width_px, focal_px)) / 2
    half_along = float(field_of_view_deg(height_px, focal_px)) / 2
    slack, tilt = SUN_RADIUS_DEG + margin_deg, np.radians(tilt_deg)
    height = sun.height_rad
    inside = np.zeros(len(height), dtype=bool)
    for azimuth_deg in azimuths_deg:
        turn = sun.azimuth_rad - np.radians(azimuth_deg + convergence_deg)
        ahead = np.cos(height) * np.cos(turn) * np.cos(tilt) - np.sin(height) * np.sin(tilt)
        right = np.cos(height) * np.sin(turn)
        up = np.cos(height) * np.cos(turn) * np.sin(tilt) + np.sin(height) * np.cos(tilt)
        across = np.degrees(np.arctan2(right, ahead))
        along = np.degrees(np.arctan2(up, ahead))
        held = (ahead > 0) & (np.abs(across) <= half_across + slack)
        inside |= held & (np.abs(along) <= half_along + slack)
    if horizon_deg is not None:
        step = 360.0 / len(horizon_deg)
        bearing = np.degrees(sun.azimuth_rad) - convergence_deg
        number = np.rint(bearing / step).astype(np.int64) % len(horizon_deg)
        skyline = np.nan_to_num(horizon_deg, nan=-90.0)[number]
        inside &= np.degrees(height) + SUN_RADIUS_DEG >= skyline
    return float(inside.sum()) * sun.step_h


def sun_in_lens_hours(
    latitude_deg: float,
    longitude_deg: float,
    *,
    azimuth_deg: float,
    tilt_deg: float,
    width_px: float,
    height_px: float,
    focal_px: float,
    convergence_deg: float = 0.0,
    margin_deg: float = 0.0,
    year: int = 2026,
) -> float:
    """Hours of a year in which the sun's disk stands in a camera's picture.

    On a level, clear horizon: hills and buildings take hours away, so that this is the most. Steps
    of five minutes; the figure is good to some hours.

    Parameters
    ----------
    latitude_deg, longitude_deg : float
        Of the camera.
    azimuth_deg, tilt_deg : float
        Its aim: clockwise from grid north, positive down.
    width_px, height_px, focal_px, convergence_deg, margin_deg
        As in :func:`hours_in_lens`.
    year : int
        Which year.
    """
    return hours_in_lens(
        sun_year(latitude_deg, longitude_deg, year),
        azimuths_deg=(azimuth_deg,),
        tilt_deg=tilt_deg,
        width_px=width_px,
        height_px=height_px,
        focal_px=focal_px,
        convergence_deg=convergence_deg,
        margin_deg=margin_deg,
    )
