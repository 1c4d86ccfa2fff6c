"""Light on a place: illuminance of points and areas, levels, uniformity, glare.

Formulas with their sources; each says where it stops being valid. The many-lamp kernel is
:mod:`watchline.kernels.light`; these functions are for single lamps, for checking, and for what is
computed from its sums. Standards are sold and were not at hand: what is quoted from memory says so.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Numbers = float | FloatArray

LEAST_GLARE_ANGLE_DEG, LARGEST_GLARE_ANGLE_DEG = 1.5, 60.0
"""Angles between the line of sight and a lamp for which the veiling formula was fitted."""


def point_illuminance_lx(
    intensity_cd: Numbers,
    distance_m: Numbers,
    cosine: Numbers,
    *,
    extinction_per_m: float = 0.0,
    maintenance: float = 1.0,
) -> FloatArray:
    """Illuminance by a lamp that is small for its distance: ``MF · I · cos / d² · e^(−σd)``.

    The inverse square and cosine laws with Bouguer's law of the air. Valid from five times the
    lamp's largest dimension on (the error is then below 1 % for a Lambertian area); for nearer
    places see :func:`watchline.physics.luminaires.near_parts`.

    Parameters
    ----------
    intensity_cd : float or float64 array
        Luminous intensity toward the place [cd].
    distance_m : float or float64 array
        Distance d [m], above zero.
    cosine : float or float64 array
        Of the angle between the receiver's normal and the direction to the lamp; below zero the
        lamp is behind the receiver and gives nothing.
    extinction_per_m : float
        Extinction of the air σ [1/m].
    maintenance : float
        Maintenance factor MF.
    """
    distance = np.asarray(distance_m, dtype=np.float64)
    light = np.asarray(intensity_cd) * np.maximum(np.asarray(cosine, dtype=np.float64), 0.0)
    return np.asarray(maintenance * light / distance**2 * np.exp(-extinction_per_m * distance))


def rectangle_illuminance_lx(
    luminance_cd_m2: float,
    size_m: tuple[float, float],
    height_m: float,
    x_m: Numbers = 0.0,
    y_m: Numbers = 0.0,
) -> FloatArray:
    """Illuminance below a level Lambertian rectangle, exact (Lambert 1760).

    Below a corner of a rectangle a × b at height h::

        E = L/2 · [a/√(a²+h²) · atan(b/√(a²+h²)) + b/√(b²+h²) · atan(a/√(b²+h²))]

    and any place is the signed sum over four such rectangles.

    Parameters
    ----------
    luminance_cd_m2 : float
        Luminance L [cd/m²].
    size_m : tuple of float
        Its sides along x and y [m].
    height_m : float
        Its height h above the receiving plane [m].
    x_m, y_m : float or float64 array
        The place, from below the rectangle's middle [m].
    """
    total: FloatArray = np.zeros(np.broadcast_shapes(np.shape(x_m), np.shape(y_m)))
    for sign_x in (1.0, -1.0):
        for sign_y in (1.0, -1.0):
            a = size_m[0] / 2 + sign_x * np.asarray(x_m, dtype=np.float64)
            b = size_m[1] / 2 + sign_y * np.asarray(y_m, dtype=np.float64)
            slant_a, slant_b = np.hypot(a, height_m), np.hypot(b, height_m)
            total = total + a / slant_a * np.arctan(b / slant_a)
            total = total + b / slant_b * np.arctan(a / slant_b)
    return np.asarray(luminance_cd_m2 / 2.0 * total)


def disk_illuminance_lx(luminance_cd_m2: float, radius_m: float, height_m: float) -> float:
    """Illuminance under the middle of a level Lambertian disk, ``π L R² / (R² + h²)`` [lx]."""
    return float(np.pi * luminance_cd_m2 * radius_m**2 / (radius_m**2 + height_m**2))


def maintenance_factor(
    lamp_flux: float, lamp_survival: float, luminaire_dirt: float, surroundings: float = 1.0
) -> float:
    """Maintenance factor, ``LLMF · LSF · LMF · SMF`` (CIE 154, from memory).

    Parameters
    ----------
    lamp_flux, lamp_survival, luminaire_dirt, surroundings : float
        Shares of the first day's light that are left at the end of a maintenance period, 0–1.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a share is not within 0–1.
    """
    shares = np.array([lamp_flux, lamp_survival, luminaire_dirt, surroundings])
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"shares {shares.tolist()} must lie within 0 and 1")
    return float(shares.prod())


def uniformity(illuminance_lx: npt.ArrayLike) -> tuple[float, float]:
    """Least over mean (U0) and least over greatest illuminance; 0 where nothing is lit.

    Parameters
    ----------
    illuminance_lx : array_like
        Values on an even grid [lx]; NaN makes both NaN.
    """
    values = np.asarray(illuminance_lx, dtype=np.float64)
    if not values.max() > 0 and not np.isnan(values).any():
        return 0.0, 0.0
    return float(values.min() / values.mean()), float(values.min() / values.max())


def grid_spacing_m(longer_side_m: float) -> float:
    """Largest spacing of a grid of points, ``0.2 · 5^log10(d)``, at most 10 m (EN 12464, memory).

    Parameters
    ----------
    longer_side_m : float
        Longer side of the area, or its shorter one where it is less than half of that [m].
    """
    return float(min(0.2 * 5.0 ** np.log10(longer_side_m), 10.0))


def veiling_luminance_cd_m2(
    eye_illuminance_lx: npt.ArrayLike, angle_deg: npt.ArrayLike, age_years: float | None = None
) -> float:
    """Veiling luminance in an eye, ``Σ 10 · E / θ²`` (Stiles and Holladay).

    With an age each lamp's part is raised by ``1 + (A/70)⁴`` (CIE 146:2002, from memory).
    Lamps beyond 60° count nothing. Fitted for 1.5° to 60°; nearer than 1.5° the angle is taken as
    1.5°, which understates the veil.

    Parameters
    ----------
    eye_illuminance_lx : array_like, shape (n,)
        Illuminance at the eye, at right angles to its line of sight, by each lamp [lx].
    angle_deg : array_like, shape (n,)
        Angle θ between the line of sight and each lamp [deg].
    age_years : float, optional
        Age A of the observer; None leaves the factor out.
    """
    angle = np.asarray(angle_deg, dtype=np.float64)
    part = 10.0 * np.asarray(eye_illuminance_lx) / np.maximum(angle, LEAST_GLARE_ANGLE_DEG) ** 2
    if age_years is not None:
        part = part * (1.0 + (age_years / 70.0) ** 4)
    return float(np.sum(np.where(angle <= LARGEST_GLARE_ANGLE_DEG, part, 0.0)))


def threshold_increment_percent(veiling_cd_m2: float, mean_luminance_cd_m2: float) -> float:
    """Threshold increment, ``TI = 65 · Lv / L^0.8`` [%] (CIE 31; L from 0.05 to 5 cd/m²)."""
    return float(65.0 * veiling_cd_m2 / mean_luminance_cd_m2**0.8)


def glare_rating(lamps_cd_m2: float, surroundings_cd_m2: float) -> float:
    """Glare rating, ``GR = 27 + 24 · log10(Lvl / Lve^0.9)`` (CIE 112:1994).

    Parameters
    ----------
    lamps_cd_m2 : float
        Veiling luminance of the lamps, Lvl.
    surroundings_cd_m2 : float
        Veiling luminance of the lit ground, Lve, from :func:`ground_veil_cd_m2`.
    """
    return float(27.0 + 24.0 * np.log10(lamps_cd_m2 / surroundings_cd_m2**0.9))


def ground_veil_cd_m2(mean_illuminance_lx: float, reflectance: float) -> float:
    """Veiling luminance of lit ground, ``0.035 · ρ · E / π`` (CIE 112:1994)."""
    return float(0.035 * reflectance * mean_illuminance_lx / np.pi)
