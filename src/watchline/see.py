"""Line of sight on plain NumPy arrays, for people who want nothing else.

The surface is bilinear between cell centres, a ray that touches is visible, and the cells of the
two ends never block. A ray through a cell without data is unknown: neither visible nor hidden.

``method="exact"`` tests every ray at every crossing with a grid line
(:mod:`watchline.kernels.sight`); ``method="fan"`` sweeps rays that pass a target by at most half of
`spacing` cells (:mod:`watchline.kernels.fan`), tens of times as fast.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchline.errors import TerrainError, UsageError
from watchline.kernels import (
    REFRACTION_COEFFICIENT,
    Grid,
    Points,
    bilinear_heights_m,
    choose_device,
    circle_flags,
    fold_curvature,
    make_grid,
    make_points,
    sight_on,
    unpack_bits,
)


@dataclass(frozen=True)
class Intervisibility:
    """Which observer sees which target, one bit a pair.

    Parameters
    ----------
    visible, unknown : ndarray of uint64, shape (n, ceil(m / 64))
        Bit j of word w is target 64·w + j; on a little-endian machine
        ``numpy.unpackbits(visible.view("uint8"), axis=1, count=m, bitorder="little")`` reads
        them. A pair is never both.
    targets : int
        Number of targets m.
    """

    visible: NDArray[np.uint64]
    unknown: NDArray[np.uint64]
    targets: int

    @property
    def shape(self) -> tuple[int, int]:
        """Observers × targets."""
        return self.visible.shape[0], self.targets

    def unpack(self) -> np.ma.MaskedArray:
        """Return the pairs as a masked array of bool, shape (n, m); masked where unknown."""
        return np.ma.MaskedArray(
            unpack_bits(self.visible, self.targets), mask=unpack_bits(self.unknown, self.targets)
        )


def viewshed(
    surface: ArrayLike,
    transform: Sequence[float],
    observer_xyh: tuple[float, float, float],
    target_height: float,
    max_range: float,
    curvature: bool = True,
    refraction: float = REFRACTION_COEFFICIENT,
    *,
    ground: ArrayLike | None = None,
    method: str = "exact",
    spacing: float = 0.5,
    device: str = "cpu",
) -> np.ma.MaskedArray:
    """Return the cells that an observer sees, all round.

    Parameters
    ----------
    surface : array_like, shape (rows, cols)
        Heights that block [m], NaN (or masked) where unknown; north up, square cells.
    transform : affine.Affine or sequence of 6 float
        From (col, row) of a cell's upper left corner to (x, y) [m], in rasterio's order:
        (cell, 0, left edge, 0, -cell, top edge). This isn't GDAL's order.
    observer_xyh : tuple of float
        x, y [m] in the raster's system, and height above the ground there [m].
    target_height : float
        Height of what is looked for above each cell's ground [m].
    max_range : float
        Largest horizontal distance to a cell's centre [m]; may be infinite.
    curvature : bool
        Whether the Earth is round.
    refraction : float
        Refraction coefficient k [-]; used with `curvature` only.
    ground : array_like, shape (rows, cols), optional
        Heights on which observer and targets stand [m]; by default they stand on `surface`.
    method : {"exact", "fan"}
        Test every ray at every crossing, or sweep a fan of rays.
    spacing : float
        Largest gap between the fan's rays, in cells, above 0 and at most 1.
    device : {"cpu", "gpu", "auto"}
        Where it is computed; ``"auto"`` takes a GPU if one can be used. The result is the same,
        but for a fan without `ground`, for which the processor chooses its number of rays by the
        range.

    Returns
    -------
    numpy.ma.MaskedArray of bool, shape (rows, cols)
        True where visible. Masked (and False below the mask) where unknown: no data in the cell
        or under the ray. Cells beyond `max_range` are False and not masked.

    Raises
    ------
    TerrainError
        If the grid is not square and north up, or the observer stands outside it or on no data.
    UsageError
        If arguments have the wrong shape or are not numbers, or no GPU can be used.

    Examples
    --------
    >>> import numpy as np
    >>> wall = np.zeros((5, 7))
    >>> wall[:, 3] = 10
    >>> viewshed(wall, (1, 0, 0, 0, -1, 5), (0.5, 2.5, 2), 1, 100)[2].astype(int).tolist()
    [1, 1, 1, 1, 0, 0, 0]
    """
    grid, stand = _read_grids(surface, transform, ground)
    if np.shape(observer_xyh) != (3,):
        raise UsageError(f"observer_xyh = {observer_xyh!r}", mend="pass (x, y, height)")
    x, y, height = (float(value) for value in observer_xyh)
    if not (math.isfinite(height) and math.isfinite(target_height)):
        raise UsageError("a height is NaN or infinite", mend="pass heights in metres")
    if not max_range >= 0:
        raise UsageError(f"max_range = {max_range}", mend="pass a range of at least 0 m")

    rows, cols = grid.surface_m.shape
    window = _window(grid, x, y, max_range)
    x_m = grid.x0_m + np.arange(window[1].start, window[1].stop) * grid.cell_m
    y_m = grid.y0_m - np.arange(window[0].start, window[0].stop) * grid.cell_m
    near = np.hypot(x_m - x, y_m[:, None] - y) <= max_range
    row, col = np.nonzero(near)
    targets = make_points(x_m[col], y_m[row], stand.surface_m[window][row, col])
    observer = _observers(stand, [x], [y])
    if not np.isfinite(observer.z_m).all():
        raise TerrainError(
            f"the surface has no data at the observer, x = {x:.2f}, y = {y:.2f}",
            mend="move the observer or fill the hole",
        )

    cropped = Grid(
        np.ascontiguousarray(grid.surface_m[window]), grid.cell_m, float(x_m[0]), float(y_m[0])
    )
    everywhere = method == "fan" and ground is None and not np.isnan(cropped.surface_m).any()
    if everywhere and choose_device(device) == "cpu":
        # All cells are targets, and none is unknown: the sweep over whole grid lines is faster.
        plane = circle_flags(
            cropped,
            (x, y, float(observer.z_m[0])),
            [height],
            [float(target_height)],
            max_range,
            spacing=spacing,
            refraction=refraction if curvature else None,
        )
        all_round = np.zeros((rows, cols), dtype=bool)
        all_round[window] = plane[0, 0]
        return np.ma.MaskedArray(all_round, mask=np.zeros((rows, cols), dtype=bool))
    if curvature:
        cropped, observer, targets = _fold(cropped, observer, targets, (x, y), refraction)
    seen, unknown = _sight(
        method, spacing, device, cropped, observer, [height], targets, [float(target_height)]
    )

    flags = np.zeros((2, rows, cols), dtype=bool)
    for plane, bits in zip(flags, (seen[0, 0, 0], unknown[0, 0]), strict=True):
        plane[window][row, col] = unpack_bits(bits, row.size)
    return np.ma.MaskedArray(flags[0], mask=flags[1])


def intervisibility(
    surface: ArrayLike,
    transform: Sequence[float],
    observers: ArrayLike,
    targets: ArrayLike,
    *,
    max_range: float | None = None,
    curvature: bool = True,
    refraction: float = REFRACTION_COEFFICIENT,
    ground: ArrayLike | None = None,
    method: str = "exact",
    spacing: float = 0.5,
    device: str = "cpu",
) -> Intervisibility:
    """Tell for every pair whether the observer sees the target.

    Parameters
    ----------
    surface, transform, curvature, refraction, ground, method, spacing, device
        As in :func:`viewshed`.
    observers : array_like, shape (n, 3)
        x, y and height above the ground of each observer [m].
    targets : array_like, shape (m, 3)
        x, y and height above the ground of each target [m].
    max_range : float, optional
        Largest horizontal distance [m]; no limit by default. Pairs beyond it are not visible and
        not unknown.

    Returns
    -------
    Intervisibility
        Packed bits, observers × targets. A pair with an end beyond the outermost cell centres, or
        with no data at an end or under the ray, is unknown.

    Raises
    ------
    TerrainError
        If the grid is not square and north up.
    UsageError
        If arguments have the wrong shape or are not numbers, or no GPU can be used.
    """
    grid, stand = _read_grids(surface, transform, ground)
    reach = math.inf if max_range is None else float(max_range)
    ends = []
    for name, given in (("observers", observers), ("targets", targets)):
        points = np.asarray(given, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
            raise UsageError(
                f"{name} has shape {points.shape} or holds NaN",
                mend="pass one row (x, y, height) a point, in metres",
            )
        foot = bilinear_heights_m(stand, points[:, 0], points[:, 1])
        ends.append(make_points(points[:, 0], points[:, 1], foot + points[:, 2]))
    if curvature:
        middle = (
            grid.x0_m + (grid.surface_m.shape[1] - 1) / 2 * grid.cell_m,
            grid.y0_m - (grid.surface_m.shape[0] - 1) / 2 * grid.cell_m,
        )
        grid, *ends = _fold(grid, *ends, middle, refraction)
    seen, unknown = _sight(method, spacing, device, grid, ends[0], [0.0], ends[1], [0.0], reach)
    return Intervisibility(seen[:, 0, 0], unknown[:, 0], ends[1].x_m.size)


def _sight(
    method: str, spacing: float, device: str, *work: object
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    dial = {"spacing": spacing} if method == "fan" else {}
    return sight_on(device, method)(*work, **dial)


def _read_grids(
    surface: ArrayLike, transform: Sequence[float], ground: ArrayLike | None
) -> tuple[Grid, Grid]:
    """Return the surface that blocks and the ground on which the ends stand."""
    try:
        a, b, c, d, e, f = (float(value) for value in tuple(transform)[:6])
    except (TypeError, ValueError) as fault:
        raise UsageError(
            f"transform = {transform!r}",
            mend="pass an affine.Affine or (cell, 0, left edge, 0, -cell, top edge)",
        ) from fault
    if b or d or not (a > 0 > e):
        raise TerrainError(
            f"the raster is rotated or not north up, transform = ({a}, {b}, {c}, {d}, {e}, {f})",
            mend="warp it to a north-up grid",
        )
    if not math.isclose(a, -e, rel_tol=1e-6):
        raise TerrainError(
            f"the cells are not square, {a} × {-e} m", mend="resample to square cells"
        )
    grid = make_grid(_filled(surface), a, c + a / 2, f + e / 2)
    if ground is None:
        return grid, grid
    stand = make_grid(_filled(ground), a, c + a / 2, f + e / 2)
    if stand.surface_m.shape != grid.surface_m.shape:
        raise TerrainError(
            f"ground is {stand.surface_m.shape}, surface {grid.surface_m.shape}",
            mend="bring both onto one grid",
        )
    return grid, stand


def _filled(heights: ArrayLike) -> NDArray[np.floating]:
    """Heights as floats, NaN where masked."""
    if not isinstance(heights, np.ma.MaskedArray):
        return np.asarray(heights)
    kind = np.float32 if heights.dtype == np.float32 else np.float64
    return heights.astype(kind).filled(np.nan)


def _observers(stand: Grid, x: ArrayLike, y: ArrayLike) -> Points:
    return make_points(x, y, bilinear_heights_m(stand, x, y))


def _window(grid: Grid, x: float, y: float, reach: float) -> tuple[slice, slice]:
    """Return rows and columns that rays of this reach can touch; the observer must be inside."""
    rows, cols = grid.surface_m.shape
    col, row = (x - grid.x0_m) / grid.cell_m, (grid.y0_m - y) / grid.cell_m
    if not (0 <= col <= cols - 1 and 0 <= row <= rows - 1):
        raise TerrainError(
            f"the observer, x = {x:.2f}, y = {y:.2f}, lies beyond the outermost cell centres",
            mend="give a place inside the raster, in its own coordinates",
        )
    cells = min(reach / grid.cell_m + 2, rows + cols)
    return (
        slice(max(0, math.floor(row - cells)), min(rows, math.ceil(row + cells) + 1)),
        slice(max(0, math.floor(col - cells)), min(cols, math.ceil(col + cells) + 1)),
    )


def _fold(
    grid: Grid, observers: Points, targets: Points, origin: tuple[float, float], refraction: float
) -> tuple[Grid, Points, Points]:
    rows, cols = grid.surface_m.shape
    x_m = grid.x0_m + np.arange(cols) * grid.cell_m
    y_m = grid.y0_m - np.arange(rows)[:, None] * grid.cell_m
    surface = fold_curvature(grid.surface_m, x_m, y_m, origin, refraction)
    folded = (
        points._replace(z_m=fold_curvature(points.z_m, points.x_m, points.y_m, origin, refraction))
        for points in (observers, targets)
    )
    return (grid._replace(surface_m=surface), *folded)
