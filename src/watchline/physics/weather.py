"""Air between a camera, a lamp and a target: visibility, extinction, contrast, reach of a light.

Visibility V is told in two ways, and both are in use: the distance at which the contrast of a black
object falls to 2 % (Koschmieder, σ = 3.912/V), and the meteorological optical range at which a
collimated beam falls to 5 % (MOR, σ = 2.996/V). The same number in the other sense is a third off,
so every function takes the share with it.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import lambertw

FloatArray = npt.NDArray[np.float64]
Numbers = float | FloatArray

KOSCHMIEDER_SHARE = 0.02
"""Contrast left at the visibility V (Koschmieder 1924)."""
MOR_SHARE = 0.05
"""Light left of a beam at the meteorological optical range (WMO)."""
VISIBLE_NM = 550.0


def extinction_per_m(visibility_m: Numbers, share: float = KOSCHMIEDER_SHARE) -> FloatArray:
    """Extinction of visible light, ``σ = ln(1/ε) / V`` [1/m].

    Parameters
    ----------
    visibility_m : float or float64 array
        Visibility V [m]; infinite for clear air.
    share : float
        What is left of the contrast at V: :data:`KOSCHMIEDER_SHARE` or :data:`MOR_SHARE`.
    """
    return np.asarray(math.log(1.0 / share) / np.asarray(visibility_m, dtype=np.float64))


def infrared_extinction_per_m(visibility_m: Numbers, wavelength_nm: float) -> FloatArray:
    """Extinction at another wavelength, ``σ = 3.912/V · (λ/550 nm)^(−q)`` [1/m].

    Kruse's law with the exponent of Kim, McArthur and Korevaar (2001): q = 0 up to V = 0.5 km,
    V − 0.5 up to 1 km, 0.16 V + 0.34 up to 6 km, 1.3 up to 50 km, 1.6 beyond. An engineering fit
    for 0.7–1.6 µm; at 8–14 µm it ignores water vapour and drop sizes, so that thermal bands are
    seen too well in haze. In fog below 0.5 km all wavelengths lose alike.

    Parameters
    ----------
    visibility_m : float or float64 array
        Visibility in the sense of 2 % [m].
    wavelength_nm : float
        Wavelength λ [nm].
    """
    km = np.asarray(visibility_m, dtype=np.float64) / 1000.0
    exponent = np.select(
        [km <= 0.5, km <= 1.0, km <= 6.0, km <= 50.0],
        [0.0, km - 0.5, 0.16 * km + 0.34, 1.3],
        1.6,
    )
    return np.asarray(extinction_per_m(km * 1000.0) * (wavelength_nm / VISIBLE_NM) ** -exponent)


def apparent_contrast(
    contrast: Numbers, distance_m: Numbers, extinction_per_m: Numbers
) -> FloatArray:
    """Contrast that is left at a distance, ``C0 · e^(−σd)`` (Koschmieder).

    For a target against the horizon's sky; against lit ground at night scattered lamp light takes
    away more, so that this is the best case.

    Parameters
    ----------
    contrast : float or float64 array
        Contrast C0 at the target.
    distance_m : float or float64 array
        Distance [m].
    extinction_per_m : float or float64 array
        Extinction σ [1/m].
    """
    lost = np.asarray(extinction_per_m) * np.asarray(distance_m, dtype=np.float64)
    return np.asarray(np.asarray(contrast) * np.exp(-lost))


def lamp_illuminance_lx(
    intensity_cd: Numbers, distance_m: Numbers, extinction_per_m: Numbers
) -> FloatArray:
    """Illuminance by a lamp through air, ``E = I · e^(−σd) / d²`` (Allard 1876) [lx]."""
    distance = np.asarray(distance_m, dtype=np.float64)
    lost = np.exp(-np.asarray(extinction_per_m) * distance)
    return np.asarray(np.asarray(intensity_cd) * lost / distance**2)


def lamp_range_m(intensity_cd: float, threshold_lx: float, extinction_per_m: float = 0.0) -> float:
    """Distance at which a lamp falls to a threshold [m]: Allard's law solved.

    ``d · e^(σd/2) = √(I/E)`` gives ``d = 2/σ · W(σ/2 · √(I/E))`` with Lambert's W.

    Parameters
    ----------
    intensity_cd, threshold_lx : float
        Intensity and the illuminance at the eye that is just seen.
    extinction_per_m : float
        Extinction σ [1/m]; 0 for clear air.
    """
    reach = math.sqrt(intensity_cd / threshold_lx)
    lost = extinction_per_m / 2.0 * reach
    # W(x) is x - x² …: for air so clear its loss is below the rounding of the reach.
    if lost < 1e-17:
        return reach
    return float(reach * lambertw(lost).real / lost)
