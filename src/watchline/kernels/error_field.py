"""Correlated error of a terrain model: Gaussian random fields on a coarse grid.

The error is a stationary Gaussian process with mean 0, standard deviation σ and the correlation
exp(-(d/ℓ)²) at the distance d: two places ℓ apart have 1/e of their error in common, places 2ℓ
apart 2 %. ℓ is the correlation length; the "practical range" at which geostatistics lets a Gaussian
model end is √3·ℓ. Oksanen and Sarjakoski (2005), "Error propagation of DEM-based surface
derivatives", Computers & Geosciences 31(8), 1015-1027, model the error of a DEM in this way and
find that the length matters more than whether the model is Gaussian or exponential.

Such a field is smooth, so it is drawn on a grid of a third of ℓ and interpolated bilinearly. Plain
interpolation would lower the variance between the nodes; dividing by the standard deviation that
remains there (a product of one factor an axis, because the correlation is separable) makes it σ
everywhere.

The coarse fields are drawn by circulant embedding: the covariance on a torus so large that its ends
do not touch is diagonal under the Fourier transform (Dietrich and Newsam 1997, SIAM J. Sci. Comput.
18(4), 1088-1107). One transform of complex noise gives two fields.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

NODES_PER_LENGTH = 3.0
"""Nodes of the coarse grid in one correlation length."""

_APART = 4.0  # correlation lengths between a field's end and its other end on the torus: e^-16


class ErrorFields(NamedTuple):
    """Some realisations of the error on a coarse grid over a raster.

    Coarse node (i, j) lies at the raster's fractional node (i·step, j·step).

    Parameters
    ----------
    values_m : ndarray of float32, shape (rows, cols, n)
        Errors at the coarse nodes [m], the realisations last.
    step : float
        Raster cells from one coarse node to the next.
    shared : float
        Correlation of two neighbouring coarse nodes [-].
    """

    values_m: NDArray[np.float32]
    step: float
    shared: float


def coarse_step(correlation_m: float, cell_m: float) -> float:
    """Raster cells between coarse nodes: a third of the correlation length, at least one."""
    return max(correlation_m / NODES_PER_LENGTH / cell_m, 1.0)


def coarse_shape(shape: tuple[int, int], step: float) -> tuple[int, int]:
    """Size of a coarse grid whose nodes enclose all of a raster of a given shape."""
    return int((shape[0] - 1) / step) + 2, int((shape[1] - 1) / step) + 2


def draw_error_fields(
    shape: tuple[int, int],
    cell_m: float,
    sigma_m: float,
    correlation_m: float,
    realisations: range,
    seed: int,
) -> ErrorFields:
    """Draw realisations of the error over a raster.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the raster.
    cell_m : float
        Its cell [m].
    sigma_m : float
        Standard deviation of the error [m].
    correlation_m : float
        Distance at which the correlation is 1/e [m]; 0 makes every node's error its own.
    realisations : range
        Which realisations; each is the same whichever others are drawn with it.
    seed : int
        Seed.

    Returns
    -------
    ErrorFields
        ``len(realisations)`` fields.
    """
    step = coarse_step(correlation_m, cell_m)
    rows, cols = coarse_shape(shape, step)
    length = correlation_m / (step * cell_m)  # in coarse nodes
    torus = [fft.next_fast_len(size + int(np.ceil(_APART * length))) for size in (rows, cols)]
    roots = [_root_spectrum(size, length) for size in torus]
    values = np.empty((rows, cols, len(realisations)), dtype=np.float32)
    for pair in range(realisations.start // 2, (realisations.stop + 1) // 2):
        noise = np.random.default_rng([seed, pair]).standard_normal((2, *torus))
        spread = (noise[0] + 1j * noise[1]) * roots[0][:, None] * roots[1]
        both = fft.fft2(spread, overwrite_x=True)[:rows, :cols]
        for number, part in ((2 * pair, both.real), (2 * pair + 1, both.imag)):
            if number in realisations:
                values[:, :, number - realisations.start] = sigma_m * part
    return ErrorFields(values, step, float(_correlation(1.0, length)))


def interpolate_error(
    fields: ErrorFields, row: NDArray[np.float64], col: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Errors at fractional nodes of the raster.

    Parameters
    ----------
    fields : ErrorFields
        The realisations.
    row, col : ndarray, shape (m,)
        Places in nodes of the raster, within it.

    Returns
    -------
    ndarray of float32, shape (m, n)
        Errors [m].
    """
    (top, south), (left, east) = (_between(place, fields.step) for place in (row, col))
    values = fields.values_m
    near = values[top, left] * (1 - east)[:, None] + values[top, left + 1] * east[:, None]
    far = values[top + 1, left] * (1 - east)[:, None] + values[top + 1, left + 1] * east[:, None]
    mixed = near * (1 - south)[:, None] + far * south[:, None]
    kept = np.sqrt(_kept(south, fields.shared) * _kept(east, fields.shared))
    return (mixed / kept[:, None]).astype(np.float32)


def _between(place: NDArray[np.float64], step: float) -> tuple[NDArray[np.int64], NDArray]:
    at = np.asarray(place, dtype=np.float64) / step
    node = np.floor(at).astype(np.int64)
    return node, at - node


def _kept(share: NDArray[np.float64], shared: float) -> NDArray[np.float64]:
    """Share of the variance that linear interpolation leaves at a place between two nodes."""
    return (1 - share) ** 2 + share**2 + 2 * share * (1 - share) * shared


def _correlation(distance: float | NDArray, length: float) -> NDArray[np.float64]:
    if length == 0:
        return np.where(np.asarray(distance) == 0, 1.0, 0.0)
    return np.exp(-((np.asarray(distance) / length) ** 2))


def _root_spectrum(size: int, length: float) -> NDArray[np.float64]:
    """Root of the eigenvalues of the covariance on a ring of `size` nodes, over root `size`."""
    away = np.minimum(np.arange(size), size - np.arange(size))
    # Rounding leaves eigenvalues of -1e-17 in place of zeros.
    power = np.maximum(fft.fft(_correlation(away, length)).real, 0.0)
    return np.sqrt(power / power.sum())
