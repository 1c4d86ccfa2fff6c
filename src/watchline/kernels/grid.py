"""The plain data that every sight kernel takes: a grid of heights and points on it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from watchline.errors import UsageError

SNAP_CELLS = 1e-9
"""A place closer than this to a grid line lies on it (float64 noise at 10,000 cells is 1e-11)."""


class Grid(NamedTuple):
    """Heights at the nodes of a north-up square grid; bilinear between the nodes.

    Node (row, col) is the cell's centre and lies at x = x0_m + col·cell_m, y = y0_m - row·cell_m.
    The surface exists between the outermost nodes only; beyond them all is unknown.

    Parameters
    ----------
    surface_m : ndarray of float32 or float64, shape (rows, cols)
        Heights [m], C-contiguous, NaN where unknown; at least 2 × 2.
    cell_m : float
        Cell size [m].
    x0_m, y0_m : float
        Centre of the upper left cell [m].
    """

    surface_m: NDArray[np.floating]
    cell_m: float
    x0_m: float
    y0_m: float


class Points(NamedTuple):
    """Places with a height.

    Parameters
    ----------
    x_m, y_m : ndarray of float64, shape (n,)
        Where they are [m].
    z_m : ndarray of float64, shape (n,)
        Height of the ground there [m], folded like the surface; NaN where unknown.
    """

    x_m: NDArray[np.float64]
    y_m: NDArray[np.float64]
    z_m: NDArray[np.float64]


def make_grid(surface_m: ArrayLike, cell_m: float, x0_m: float, y0_m: float) -> Grid:
    """Bring a surface into the form that the kernels take.

    Parameters
    ----------
    surface_m : array_like, shape (rows, cols)
        Heights [m], NaN where unknown; float32 stays float32, all else becomes float64.
    cell_m : float
        Cell size [m].
    x0_m, y0_m : float
        Centre of the upper left cell [m].

    Returns
    -------
    Grid
        The grid; it shares memory with `surface_m` where that already fits.

    Raises
    ------
    UsageError
        If the surface is not two-dimensional with at least 2 × 2 nodes, or a number is not finite.
    """
    surface = np.asarray(surface_m)
    kind = np.float32 if surface.dtype == np.float32 else np.float64
    surface = np.ascontiguousarray(surface, dtype=kind)
    if surface.ndim != 2 or min(surface.shape) < 2:
        raise UsageError(
            f"surface_m has shape {surface.shape}", mend="pass rows × cols, at least 2 × 2 nodes"
        )
    if not (np.isfinite([cell_m, x0_m, y0_m]).all() and cell_m > 0):
        raise UsageError(
            f"cell_m = {cell_m}, x0_m = {x0_m}, y0_m = {y0_m}",
            mend="pass finite numbers and a cell size above zero",
        )
    return Grid(surface, float(cell_m), float(x0_m), float(y0_m))


def make_points(x_m: ArrayLike, y_m: ArrayLike, z_m: ArrayLike) -> Points:
    """Bring places into the form that the kernels take.

    Parameters
    ----------
    x_m, y_m, z_m : array_like, shape (n,)
        Places and their (folded) ground heights [m]; a z of NaN is unknown.

    Returns
    -------
    Points
        Contiguous float64 arrays of one length.

    Raises
    ------
    UsageError
        If the lengths differ or a place is not finite.
    """
    x, y, z = (np.ascontiguousarray(a, dtype=np.float64).ravel() for a in (x_m, y_m, z_m))
    if not x.size == y.size == z.size:
        raise UsageError(
            f"x_m, y_m and z_m hold {x.size}, {y.size} and {z.size} values",
            mend="pass three arrays of one length",
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise UsageError("a place is NaN or infinite", mend="pass finite x_m and y_m")
    return Points(x, y, z)


@njit(cache=True)
def _bilinear(surface, col, row):
    """Height at a place in node units; NaN outside, and where an unknown node has a weight."""
    rows, cols = surface.shape
    if not (0.0 <= col <= cols - 1 and 0.0 <= row <= rows - 1):
        return np.nan
    left = min(int(col), cols - 2)
    top = min(int(row), rows - 2)
    east = col - left
    south = row - top
    # A node without weight must not spread its NaN.
    if east < SNAP_CELLS:
        east = 0.0
    elif east > 1.0 - SNAP_CELLS:
        east = 1.0
    if south < SNAP_CELLS:
        south = 0.0
    elif south > 1.0 - SNAP_CELLS:
        south = 1.0
    height = 0.0
    for i in range(2):
        for j in range(2):
            weight = (south if i else 1.0 - south) * (east if j else 1.0 - east)
            if weight > 0.0:
                height += weight * surface[top + i, left + j]
    return height


@njit(cache=True)
def _bilinear_many(surface, cell, x0, y0, x, y):
    heights = np.empty(x.size)
    for i in range(x.size):
        heights[i] = _bilinear(surface, (x[i] - x0) / cell, (y0 - y[i]) / cell)
    return heights


def bilinear_heights_m(grid: Grid, x_m: ArrayLike, y_m: ArrayLike) -> NDArray[np.float64]:
    """Interpolate heights bilinearly between nodes.

    Parameters
    ----------
    grid : Grid
        The heights.
    x_m, y_m : array_like, shape (n,)
        Places [m].

    Returns
    -------
    ndarray of float64, shape (n,)
        Heights [m]; NaN beyond the outermost nodes and where a node that carries weight is NaN.
    """
    x = np.ascontiguousarray(x_m, dtype=np.float64).ravel()
    y = np.ascontiguousarray(y_m, dtype=np.float64).ravel()
    return _bilinear_many(grid.surface_m, grid.cell_m, grid.x0_m, grid.y0_m, x, y)
