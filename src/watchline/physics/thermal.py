"""Thermal cameras: Johnson's criteria, the target transfer probability, air.

Johnson (1958) counted the line pairs across a target's critical dimension at which half of the
observers did a task. The counts are for trained people at a screen, not for software, and say
nothing of a target that is as warm as the ground behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Numbers = float | FloatArray

JOHNSON_CYCLES: Mapping[str, float] = MappingProxyType(
    {"detect": 1.0, "orient": 1.4, "recognise": 4.0, "identify": 6.4}
)
"""Line pairs on the critical dimension at which half of the observers succeed (Johnson 1958)."""
PERSON_CRITICAL_M = 0.75
VEHICLE_CRITICAL_M = 2.3
"""Critical dimensions that makers' tables use: a person of 1.8 × 0.5 m, a vehicle of 2.3 m."""


def johnson_range_m(
    focal_mm: Numbers, pitch_um: Numbers, critical_m: float, pixels: float
) -> FloatArray:
    """Distance at which a number of pixels falls on the critical dimension, ``f/p · D/N`` [m].

    Geometry alone, no air and no contrast: makers print it as *detection range* with N = 1.5, 6
    and 12 pixels.

    Parameters
    ----------
    focal_mm, pitch_um : float or float64 array
        Focal length and pixel pitch.
    critical_m : float
        Critical dimension D of the target [m].
    pixels : float
        Pixels N on it: two a line pair.
    """
    per_pixel = np.asarray(focal_mm, dtype=np.float64) * 1e3 / np.asarray(pitch_um)
    return np.asarray(per_pixel * critical_m / pixels)


def cycles_on_target(
    focal_mm: float, pitch_um: float, critical_m: float, distance_m: Numbers
) -> FloatArray:
    """Line pairs (two pixels each) on the critical dimension at a distance."""
    per_metre = focal_mm * 1e3 / pitch_um / np.asarray(distance_m, dtype=np.float64)
    return np.asarray(critical_m * per_metre / 2.0)


def task_probability(cycles: Numbers, half_cycles: float) -> FloatArray:
    """Share of observers who do a task, by the line pairs on the target.

    The target transfer probability function with n = N/N50: ``n^e / (1 + n^e)``,
    ``e = 2.7 + 0.7 n`` (Ratches 1976).

    Parameters
    ----------
    cycles : float or float64 array
        Line pairs N on the critical dimension.
    half_cycles : float
        Those at which half succeed, N50: one of :data:`JOHNSON_CYCLES`.
    """
    ratio = np.asarray(cycles, dtype=np.float64) / half_cycles
    # Far beyond certainty the power would overflow; 1 is reached long before.
    ratio = np.minimum(ratio, 20.0)
    power = ratio ** (2.7 + 0.7 * ratio)
    return np.asarray(power / (1.0 + power))


def thermal_signal_to_noise(
    difference_k: Numbers, distance_m: Numbers, extinction_per_m: float, netd_k: float
) -> FloatArray:
    """Apparent temperature difference over the camera's noise, ``ΔT · e^(−σd) / NETD``.

    For a target that fills a pixel at least. Air loses by extinction at 8–14 µm, of which water
    vapour is the larger part in warm climates: take σ from a measurement or a model of the
    atmosphere. In dense fog thermal cameras gain little; a fit to visible light is no such model.

    Parameters
    ----------
    difference_k : float or float64 array
        Temperature difference ΔT between target and background [K].
    distance_m : float or float64 array
        Distance [m].
    extinction_per_m : float
        Extinction σ of the band [1/m].
    netd_k : float
        Noise equivalent temperature difference [K].
    """
    lost = np.exp(-extinction_per_m * np.asarray(distance_m, dtype=np.float64))
    return np.asarray(np.abs(difference_k) * lost / netd_k)
