"""What the tools share: the part of the arrays round one observer, curvature folded in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchline.errors import TerrainError, UsageError
from watchline.kernels import Grid, bilinear_heights_m, fold_curvature

# The tools take the same arrays as `viewshed` and check them by the same functions.
from watchline.see import _filled as filled
from watchline.see import _fold as fold
from watchline.see import _read_grids as read_grids
from watchline.see import _window as find_window

__all__ = [
    "Scene",
    "check_height",
    "filled",
    "find_window",
    "fold",
    "read_grids",
    "read_scene",
]


@dataclass(frozen=True)
class Scene:
    """The surroundings of one observer.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the whole raster.
    window : tuple of slice
        Its rows and columns that rays of the range can touch.
    grid : Grid
        The surface in the window, folded about the observer.
    stand_m : ndarray, shape of the window
        The ground in the window, folded likewise [m].
    x_m, y_m : float
        Where the observer stands [m].
    ground_m : float
        The ground there [m].
    height_m : float
        The observer's height above it [m].
    """

    shape: tuple[int, int]
    window: tuple[slice, slice]
    grid: Grid
    stand_m: NDArray[np.floating]
    x_m: float
    y_m: float
    ground_m: float
    height_m: float

    @property
    def node(self) -> tuple[float, float]:
        """Row and column of the observer in the window."""
        grid = self.grid
        return (grid.y0_m - self.y_m) / grid.cell_m, (self.x_m - grid.x0_m) / grid.cell_m

    @property
    def distance_m(self) -> NDArray[np.float64]:
        """Horizontal distance from the observer to each node of the window [m]."""
        rows, cols = self.grid.surface_m.shape
        row, col = self.node
        return self.grid.cell_m * np.hypot(np.arange(rows)[:, None] - row, np.arange(cols) - col)


def read_scene(
    surface: ArrayLike,
    transform: Sequence[float],
    observer_xyh: tuple[float, float, float],
    reach: float,
    curvature: bool,
    refraction: float,
    ground: ArrayLike | None,
) -> Scene:
    """Cut the surroundings of an observer out of the arrays and fold curvature into them.

    Raises
    ------
    TerrainError
        If the grid is not square and north up, or the observer stands outside it or on no data.
    UsageError
        If arguments have the wrong shape or are not numbers.
    """
    grid, stand = read_grids(surface, transform, ground)
    if np.shape(observer_xyh) != (3,):
        raise UsageError(f"observer_xyh = {observer_xyh!r}", mend="pass (x, y, height)")
    x, y, height = (float(value) for value in observer_xyh)
    if not math.isfinite(height):
        raise UsageError("a height is NaN or infinite", mend="pass heights in metres")
    if not reach >= 0:
        raise UsageError(f"max_range = {reach}", mend="pass a range of at least 0 m")
    window = find_window(grid, x, y, reach)
    foot = float(bilinear_heights_m(stand, [x], [y])[0])
    if math.isnan(foot):
        raise TerrainError(
            f"the surface has no data at the observer, x = {x:.2f}, y = {y:.2f}",
            mend="move the observer or fill the hole",
        )
    x_m = grid.x0_m + np.arange(window[1].start, window[1].stop) * grid.cell_m
    y_m = grid.y0_m - np.arange(window[0].start, window[0].stop)[:, None] * grid.cell_m

    def folded(heights: NDArray[np.floating]) -> NDArray[np.floating]:
        part = heights[window]
        if curvature:
            part = fold_curvature(part, x_m, y_m, (x, y), refraction)
        return np.ascontiguousarray(part)

    part = folded(grid.surface_m)
    return Scene(
        shape=grid.surface_m.shape,
        window=window,
        grid=Grid(part, grid.cell_m, float(x_m[0]), float(y_m[0, 0])),
        stand_m=part if stand is grid else folded(stand.surface_m),
        x_m=x,
        y_m=y,
        ground_m=foot,
        height_m=height,
    )


def check_height(target_height: float) -> float:
    """A target's height as float.

    Raises
    ------
    UsageError
        If it is not finite.
    """
    if not math.isfinite(target_height):
        raise UsageError("a height is NaN or infinite", mend="pass heights in metres")
    return float(target_height)
