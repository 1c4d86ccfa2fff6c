"""What a luminaire's photometry says: intensity in a direction, flux, peak, beam and field angles.

Directions are unit vectors in the luminaire's own axes, see
:class:`watchline.model.photometry.Photometry`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchline.model.photometry import Photometry

FloatArray = npt.NDArray[np.float64]

POLES = {
    # Rows: the axis from which azimuth 0 is counted, the one at azimuth 90°, and the pole.
    "C": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
    "B": ((0.0, 0.0, -1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "A": ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
}
EDGE_DEG = 1e-9
"""A direction this far outside the measured angles still counts as inside: rounding."""
FLUX_SLACK = 0.05
"""Share by which integrated and declared flux may differ without a warning."""
BEAM_SHARE, FIELD_SHARE = 0.5, 0.1
"""CIE S 017: the beam ends at half of the peak intensity, the field at a tenth."""
SCAN_STEP_DEG = 0.05


def pole_axes(photometry: Photometry) -> FloatArray:
    """Rows: the luminaire's axes at azimuth 0°, at azimuth 90°, and the pole of its planes."""
    return np.array(POLES[photometry.type])


def plane_angles_deg(
    photometry: Photometry, direction: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Azimuth and polar angle of directions, as the table counts them.

    Parameters
    ----------
    photometry : Photometry
        Gives the pole and where its azimuths begin.
    direction : array_like, shape (..., 3)
        Vectors in the luminaire's axes, not necessarily of length 1.

    Returns
    -------
    azimuth_deg, polar_deg : float64 array, shape (...)
        Azimuth from the table's first one on up to 360° more; polar angle 0–180°.
    """
    east, north, up = np.moveaxis(np.asarray(direction, dtype=np.float64), -1, 0)
    first, second, pole = (
        axis[0] * east + axis[1] * north + axis[2] * up for axis in pole_axes(photometry)
    )
    polar = np.degrees(np.arctan2(np.hypot(first, second), pole))
    azimuth = np.degrees(np.arctan2(second, first))
    start = photometry.azimuth_deg[0]
    turned = start + np.mod(azimuth - start, 360.0)
    # An azimuth just below the first one is the first one, not 360° more.
    near = turned > start + 360.0 - EDGE_DEG
    return np.where(near & (not photometry.closed), start, turned), polar


def intensity_cd(photometry: Photometry, direction: npt.ArrayLike) -> FloatArray:
    """Luminous intensity in directions [cd]: bilinear in the table's angles, zero outside them.

    Parameters
    ----------
    photometry : Photometry
        The table.
    direction : array_like, shape (..., 3)
        Vectors in the luminaire's axes.

    Returns
    -------
    float64 array, shape (...)
    """
    return table_intensity_cd(photometry, *plane_angles_deg(photometry, direction))


def table_intensity_cd(
    photometry: Photometry, azimuth_deg: npt.ArrayLike, polar_deg: npt.ArrayLike
) -> FloatArray:
    """Luminous intensity at angles of the table [cd]: bilinear, zero outside.

    Parameters
    ----------
    photometry : Photometry
        The table.
    azimuth_deg, polar_deg : array_like
        Angles [deg]; they broadcast. Azimuths within the table's circle.

    Returns
    -------
    float64 array
    """
    azimuth, polar = np.broadcast_arrays(
        np.asarray(azimuth_deg, dtype=np.float64), np.asarray(polar_deg, dtype=np.float64)
    )
    i, u, inside_azimuth = _place(photometry.azimuth_deg, azimuth)
    j, v, inside_polar = _place(photometry.polar_deg, polar)
    table = photometry.intensity_cd
    next_i = np.minimum(i + 1, table.shape[0] - 1)
    next_j = np.minimum(j + 1, table.shape[1] - 1)
    low = table[i, j] * (1 - v) + table[i, next_j] * v
    high = table[next_i, j] * (1 - v) + table[next_i, next_j] * v
    return np.asarray(np.where(inside_azimuth & inside_polar, low * (1 - u) + high * u, 0.0))


def _place(
    nodes: FloatArray, values: FloatArray
) -> tuple[npt.NDArray[np.intp], FloatArray, npt.NDArray[np.bool_]]:
    """Interval of each value, the share of the way through it, and whether it is inside."""
    inside = (values >= nodes[0] - EDGE_DEG) & (values <= nodes[-1] + EDGE_DEG)
    if nodes.size == 1:
        return np.zeros(values.shape, dtype=np.intp), np.zeros(values.shape), inside
    at = np.clip(np.searchsorted(nodes, values, side="right") - 1, 0, nodes.size - 2)
    share = (values - nodes[at]) / (nodes[at + 1] - nodes[at])
    return at, np.clip(share, 0.0, 1.0), inside


def flux_lm(photometry: Photometry) -> float:
    """Luminous flux of the luminaire [lm]: the table's integral over the sphere, exact.

    ``∫∫ I sin θ dθ dφ`` of a function that is bilinear in φ and θ: trapezes in φ, and within
    each step of θ the closed form of ``∫ (a + b θ) sin θ dθ``.
    """
    azimuth, polar = np.radians(photometry.azimuth_deg), np.radians(photometry.polar_deg)
    width = np.zeros(azimuth.size)
    width[:-1] += np.diff(azimuth) / 2
    width[1:] += np.diff(azimuth) / 2
    return float(width @ photometry.intensity_cd @ _polar_weights(polar))


def _polar_weights(polar: FloatArray) -> FloatArray:
    """Weight of each polar node in ``∫ f sin θ dθ`` of a piecewise linear f."""
    low, high = polar[:-1], polar[1:]
    step = high - low
    # ∫ (θ - low)/step sin θ and ∫ (high - θ)/step sin θ over the step.
    rising = (np.sin(high) - np.sin(low) - step * np.cos(high)) / step
    falling = (step * np.cos(low) - np.sin(high) + np.sin(low)) / step
    weight = np.zeros(polar.size)
    weight[:-1] += falling
    weight[1:] += rising
    return weight


def upward_share(photometry: Photometry) -> float:
    """Share of the flux that leaves above the luminaire's own horizon (z > 0), 0–1.

    Exact for type C up to the step that holds 90°, which is cut there; for types A and B by
    sums over squares of half a degree.
    """
    total = flux_lm(photometry)
    if total <= 0:
        return 0.0
    polar = np.arange(0.0, 180.0, 0.5) + 0.25
    azimuth = photometry.azimuth_deg[0] + np.arange(0.0, 360.0, 0.5) + 0.25
    grid_polar, grid_azimuth = np.meshgrid(np.radians(polar), np.radians(azimuth), indexing="ij")
    axes = pole_axes(photometry)
    direction = (
        np.sin(grid_polar)[..., None] * np.cos(grid_azimuth)[..., None] * axes[0]
        + np.sin(grid_polar)[..., None] * np.sin(grid_azimuth)[..., None] * axes[1]
        + np.cos(grid_polar)[..., None] * axes[2]
    )
    weight = np.sin(grid_polar) * math.radians(0.5) ** 2
    light = table_intensity_cd(photometry, azimuth[None, :], polar[:, None]) * weight
    summed = float(light.sum())
    return float(light[direction[..., 2] > 1e-12].sum()) / summed if summed > 0 else 0.0


@dataclass(frozen=True)
class PhotometricNumbers:
    """The figures that people ask of a luminaire.

    Attributes
    ----------
    flux_lm : float
        Flux of the luminaire, integrated.
    lamp_flux_lm, efficiency : float
        Rated flux of the lamps, and the share that leaves the luminaire; NaN in absolute files.
    power_w, efficacy_lm_per_w : float
        Electrical power and flux a watt; NaN where the file gives no power.
    peak_cd : float
        Largest intensity.
    peak_c_deg, peak_gamma_deg : float
        Its direction in C and γ, whatever the file's type.
    beam_deg, field_deg : tuple of 2 float
        Angles between half (a tenth) of the peak on both sides of it, in the plane through the
        photometric axis and across it; NaN where the intensity does not fall that low.
    upward_share : float
        Share of the flux above the luminaire's horizon, as it is measured (not tilted).
    """

    flux_lm: float
    lamp_flux_lm: float
    efficiency: float
    power_w: float
    efficacy_lm_per_w: float
    peak_cd: float
    peak_c_deg: float
    peak_gamma_deg: float
    beam_deg: tuple[float, float]
    field_deg: tuple[float, float]
    upward_share: float


def photometric_numbers(photometry: Photometry) -> PhotometricNumbers:
    """Compute the figures of a luminaire.

    Parameters
    ----------
    photometry : Photometry
        The luminaire.

    Returns
    -------
    PhotometricNumbers
    """
    flux = flux_lm(photometry)
    peak = peak_direction(photometry)
    toward, across = _planes_through(peak)
    power = photometry.power_w or math.nan
    c_deg, gamma_deg = c_gamma_deg(peak)
    return PhotometricNumbers(
        flux_lm=flux,
        lamp_flux_lm=photometry.lamp_flux_lm,
        efficiency=flux / photometry.lamp_flux_lm,
        power_w=power,
        efficacy_lm_per_w=flux / power,
        peak_cd=float(photometry.intensity_cd.max()),
        peak_c_deg=c_deg,
        peak_gamma_deg=gamma_deg,
        beam_deg=(
            _width_deg(photometry, peak, toward, BEAM_SHARE),
            _width_deg(photometry, peak, across, BEAM_SHARE),
        ),
        field_deg=(
            _width_deg(photometry, peak, toward, FIELD_SHARE),
            _width_deg(photometry, peak, across, FIELD_SHARE),
        ),
        upward_share=upward_share(photometry),
    )


def photometric_warnings(photometry: Photometry) -> list[str]:
    """What a reader of the numbers must know: the file's own warnings, and a flux that differs."""
    warnings = list(photometry.warnings)
    flux, declared = flux_lm(photometry), photometry.declared_flux_lm
    if declared > 0 and abs(flux / declared - 1.0) > FLUX_SLACK:
        warnings.append(
            f"the intensities sum up to {flux:,.0f} lm, but the file declares {declared:,.0f} lm"
        )
    if np.any(photometry.tilt_factor != 1.0):
        warnings.append("the flux depends on the tilt: factors of TILT=INCLUDE are applied")
    return warnings


def direction_of(c_deg: npt.ArrayLike, gamma_deg: npt.ArrayLike) -> FloatArray:
    """Unit vectors of C and γ in the luminaire's axes, shape (..., 3)."""
    c, gamma = np.radians(c_deg), np.radians(gamma_deg)
    sine = np.sin(gamma)
    return np.stack(
        np.broadcast_arrays(sine * np.cos(c), sine * np.sin(c), -np.cos(gamma)), axis=-1
    )


def c_gamma_deg(direction: FloatArray) -> tuple[float, float]:
    """C (0–360°) and γ (0–180°) of one direction; C is 0 on the axis."""
    x, y, z = (float(v) for v in direction)
    across = math.hypot(x, y)
    c = math.degrees(math.atan2(y, x)) % 360.0 if across > 1e-9 else 0.0
    return c, math.degrees(math.atan2(across, -z))


def peak_direction(photometry: Photometry) -> FloatArray:
    """Unit vector of the largest intensity; in the middle, where several nodes tie next to it."""
    table = photometry.intensity_cd
    i, j = np.unravel_index(int(np.argmax(table)), table.shape)
    azimuth, polar = math.radians(photometry.azimuth_deg[i]), math.radians(photometry.polar_deg[j])
    first, second, pole = pole_axes(photometry)
    return np.asarray(
        math.sin(polar) * (math.cos(azimuth) * first + math.sin(azimuth) * second)
        + math.cos(polar) * pole
    )


def _planes_through(peak: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Unit vectors at right angles to the peak: within the plane of the axis, and across it."""
    axis = np.array([0.0, 0.0, -1.0])
    across = np.cross(axis, peak)
    length = float(np.linalg.norm(across))
    across = across / length if length > 1e-9 else np.array([0.0, 1.0, 0.0])
    return np.cross(across, peak), across


def _width_deg(photometry: Photometry, peak: FloatArray, toward: FloatArray, share: float) -> float:
    """Angle between the first falls below a share of the peak, on its two sides."""
    turn = np.radians(np.arange(0.0, 180.0 + SCAN_STEP_DEG / 2, SCAN_STEP_DEG))
    limit = share * float(photometry.intensity_cd.max())
    width = 0.0
    for side in (1.0, -1.0):
        direction = np.cos(turn)[:, None] * peak + side * np.sin(turn)[:, None] * toward
        light = intensity_cd(photometry, direction)
        below = np.flatnonzero(light < limit)
        if not below.size:
            return math.nan
        k = int(below[0])
        if k == 0:
            return 0.0
        width += math.degrees(turn[k - 1]) + SCAN_STEP_DEG * (light[k - 1] - limit) / (
            light[k - 1] - light[k]
        )
    return float(width)
