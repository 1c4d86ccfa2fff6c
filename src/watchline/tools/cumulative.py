"""How many observers see each cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchline.errors import TerrainError, UsageError
from watchline.kernels import REFRACTION_COEFFICIENT
from watchline.see import viewshed
from watchline.tools.scene import filled, find_window, read_grids

MOST_OBSERVERS = 65_535
"""What a count of 16 bits can hold."""


@dataclass(frozen=True)
class CumulativeViewshed:
    """How many observers see each cell: at least `seen`, at most `seen` + `unknown`.

    Parameters
    ----------
    seen : ndarray of uint16, shape (rows, cols)
        Observers that see the cell.
    unknown : ndarray of uint16, shape (rows, cols)
        Observers of which it is unknown: no data in the cell or under the ray.
    observers : int
        All of them.
    """

    seen: NDArray[np.uint16]
    unknown: NDArray[np.uint16]
    observers: int


def cumulative_viewshed(
    surface: ArrayLike,
    transform: Sequence[float],
    observers: ArrayLike,
    target_height: float,
    max_range: float,
    curvature: bool = True,
    refraction: float = REFRACTION_COEFFICIENT,
    *,
    ground: ArrayLike | None = None,
    method: str = "exact",
    spacing: float = 0.5,
    progress: Callable[[float], None] | None = None,
) -> CumulativeViewshed:
    """Count the observers that see each cell.

    One observer after the other, each in the window of its range: beside the arrays and the
    result, memory holds one such window, however many observers there are.

    Parameters
    ----------
    surface, transform, target_height, max_range, curvature, refraction, ground, method, spacing
        As in :func:`watchline.viewshed`.
    observers : array_like, shape (n, 3)
        x, y and height above the ground of each observer [m]; at most 65,535.
    progress : callable, optional
        Is told the share that is done, between 0 and 1, after each observer.

    Returns
    -------
    CumulativeViewshed
        Counts of observers that see a cell, and of those of which it is unknown.

    Raises
    ------
    TerrainError
        If the grid is not square and north up, or an observer stands outside it or on no data.
    UsageError
        If arguments have the wrong shape or are not numbers.

    Examples
    --------
    >>> import numpy as np
    >>> wall = np.zeros((5, 7))
    >>> wall[:, 3] = 10
    >>> both = [(0.5, 2.5, 2), (6.5, 2.5, 2)]
    >>> cumulative_viewshed(wall, (1, 0, 0, 0, -1, 5), both, 1, 100).seen[2].tolist()
    [1, 1, 1, 2, 1, 1, 1]
    """
    points = np.asarray(observers, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
        raise UsageError(
            f"observers has shape {points.shape} or holds NaN",
            mend="pass one row (x, y, height) an observer, in metres",
        )
    if not 1 <= len(points) <= MOST_OBSERVERS:
        raise UsageError(
            f"{len(points)} observers", mend=f"pass 1 to {MOST_OBSERVERS:,} observers at a time"
        )
    if not max_range >= 0:
        raise UsageError(f"max_range = {max_range}", mend="pass a range of at least 0 m")
    grid, _ = read_grids(surface, transform, ground)
    heights = filled(surface)
    stand = None if ground is None else filled(ground)
    a, b, c, d, e, f = (float(value) for value in tuple(transform)[:6])
    seen, unknown = np.zeros((2, *heights.shape), dtype=np.uint16)
    for number, (x, y, height) in enumerate(points):
        try:
            window = find_window(grid, x, y, max_range)
            down, right = window
            part = viewshed(
                heights[window],
                (a, b, c + right.start * a, d, e, f + down.start * e),
                (x, y, height),
                target_height,
                max_range,
                curvature,
                refraction,
                ground=None if stand is None else stand[window],
                method=method,
                spacing=spacing,
            )
        except TerrainError as problem:
            if len(points) == 1:
                raise
            raise TerrainError(
                problem.what, where=f"observer {number + 1} of {len(points)}", mend=problem.mend
            ) from problem
        seen[window] += part.data
        unknown[window] += np.ma.getmaskarray(part)
        if progress is not None:
            progress((number + 1) / len(points))
    return CumulativeViewshed(seen, unknown, len(points))
