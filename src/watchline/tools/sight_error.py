"""How exact the fan is on somebody's own terrain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from watchline.errors import TerrainError, UsageError
from watchline.kernels import (
    REFRACTION_COEFFICIENT,
    Grid,
    SightError,
    bilinear_heights_m,
    make_points,
    measure_sight_error,
)
from watchline.tools.scene import check_height, find_window, fold, read_grids

__all__ = ["SightError", "sight_error"]


def sight_error(
    surface: ArrayLike,
    transform: Sequence[float],
    observers: ArrayLike,
    target_height: float,
    max_range: float,
    curvature: bool = True,
    refraction: float = REFRACTION_COEFFICIENT,
    *,
    ground: ArrayLike | None = None,
    spacing: float = 0.5,
    sample: int = 20_000,
    seed: int = 0,
) -> SightError:
    """Measure how often the fan errs, against the exact method on a random sample of rays.

    Parameters
    ----------
    surface, transform, target_height, max_range, curvature, refraction, ground, spacing
        As in :func:`watchline.viewshed`.
    observers : array_like, shape (n, 3) or (3,)
        x, y and height above the ground of each observer [m].
    sample : int
        Rays to judge; all are taken where there are fewer.
    seed : int
        Seed of the sample.

    Returns
    -------
    SightError
        Of what the fan shows as seen, how much is hidden; of what it shows as hidden, how much is
        seen; each with its 95 % confidence interval.

    Raises
    ------
    TerrainError
        If the grid is not square and north up, or an observer stands outside it or on no data.
    UsageError
        If arguments have the wrong shape or are not numbers.

    Examples
    --------
    >>> import numpy as np
    >>> hills = np.random.default_rng(1).normal(0, 1, (200, 200)).cumsum(axis=1)
    >>> found = sight_error(hills, (1, 0, 0, 0, -1, 200), (100, 100, 5), 1.7, 90)
    >>> found.rays, found.differs.low <= found.differs.rate <= found.differs.high
    (20000, True)
    """
    points = np.atleast_2d(np.asarray(observers, dtype=np.float64))
    if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
        raise UsageError(
            f"observers has shape {points.shape} or holds NaN",
            mend="pass one row (x, y, height) an observer, in metres",
        )
    if len(points) == 0:
        raise UsageError("no observers", mend="pass at least one")
    head = check_height(target_height)
    if not max_range >= 0:
        raise UsageError(f"max_range = {max_range}", mend="pass a range of at least 0 m")
    grid, stand = read_grids(surface, transform, ground)
    windows = [find_window(grid, x, y, max_range) for x, y in points[:, :2]]
    down, right = (
        slice(min(part[axis].start for part in windows), max(part[axis].stop for part in windows))
        for axis in (0, 1)
    )
    x_m = grid.x0_m + np.arange(right.start, right.stop) * grid.cell_m
    y_m = grid.y0_m - np.arange(down.start, down.stop) * grid.cell_m
    cropped = Grid(
        np.ascontiguousarray(grid.surface_m[down, right]), grid.cell_m, float(x_m[0]), float(y_m[0])
    )
    foot = bilinear_heights_m(stand, points[:, 0], points[:, 1])
    if np.isnan(foot).any():
        x, y = points[np.isnan(foot)][0, :2]
        raise TerrainError(
            f"the surface has no data at the observer, x = {x:.2f}, y = {y:.2f}",
            mend="move the observer or fill the hole",
        )
    # An observer's own height counts as ground, so that each may have another.
    eyes = make_points(points[:, 0], points[:, 1], foot + points[:, 2])
    east, north = np.meshgrid(x_m, y_m)
    targets = make_points(east, north, stand.surface_m[down, right])
    if curvature:
        middle = (float(x_m.mean()), float(y_m.mean()))
        cropped, eyes, targets = fold(cropped, eyes, targets, middle, refraction)
    return measure_sight_error(
        cropped, eyes, [0.0], targets, [head], max_range, spacing=spacing, sample=sample, seed=seed
    )
