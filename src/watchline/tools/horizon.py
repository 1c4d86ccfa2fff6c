"""The horizon round a place, and the places from which a mount stands out against the sky."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchline.errors import UsageError
from watchline.kernels import REFRACTION_COEFFICIENT, TOUCH_M
from watchline.kernels.horizon import horizon_slopes
from watchline.see import viewshed
from watchline.tools.scene import Scene, check_height, read_scene

HIDDEN, AGAINST_TERRAIN, AGAINST_SKY, BACKGROUND_UNKNOWN = 0, 1, 2, 3
"""Values of :func:`skyline`."""


@dataclass(frozen=True)
class Horizon:
    """The horizon round a place, one entry a direction.

    Parameters
    ----------
    bearing_deg : ndarray of float64, shape (n,)
        Directions, clockwise from grid north [°].
    elevation_deg : ndarray of float64, shape (n,)
        Elevation of the horizon above the eye's level [°], as it appears with refraction; NaN
        where no surface was met.
    distance_m : ndarray of float64, shape (n,)
        Horizontal distance to it [m]; NaN where no surface was met.
    followed_m : ndarray of float64, shape (n,)
        How far the direction was followed [m]. Less than the range where the surface ends or is
        unknown: what lies behind may stand higher.
    """

    bearing_deg: NDArray[np.float64]
    elevation_deg: NDArray[np.float64]
    distance_m: NDArray[np.float64]
    followed_m: NDArray[np.float64]


def horizon(
    surface: ArrayLike,
    transform: Sequence[float],
    observer_xyh: tuple[float, float, float],
    max_range: float,
    bearings: ArrayLike | None = None,
    curvature: bool = True,
    refraction: float = REFRACTION_COEFFICIENT,
    *,
    ground: ArrayLike | None = None,
) -> Horizon:
    """Return the horizon round a place: elevation and distance of the skyline in each direction.

    Every direction is tested at every crossing with a grid line, as by ``method="exact"`` of
    :func:`watchline.viewshed`; the own cell is no horizon.

    Parameters
    ----------
    surface, transform, observer_xyh, curvature, refraction, ground
        As in :func:`watchline.viewshed`.
    max_range : float
        How far to look [m]; may be infinite.
    bearings : array_like, shape (n,), optional
        Directions, clockwise from grid north [°]; every whole degree by default.

    Returns
    -------
    Horizon
        Elevations and distances.

    Raises
    ------
    TerrainError
        If the grid is not square and north up, or the observer stands outside it or on no data.
    UsageError
        If arguments have the wrong shape or are not numbers.

    Examples
    --------
    >>> import numpy as np
    >>> wall = np.zeros((5, 30))
    >>> wall[:, 20] = 12
    >>> east = horizon(wall, (1, 0, 0, 0, -1, 5), (0.5, 2.5, 2), 100, [90], curvature=False)
    >>> float(east.elevation_deg[0].round(2)), float(east.distance_m[0])
    (26.57, 20.0)
    """
    towards = np.arange(360.0) if bearings is None else np.asarray(bearings, dtype=np.float64)
    towards = np.atleast_1d(towards)
    if towards.ndim != 1 or not np.isfinite(towards).all():
        raise UsageError(
            f"bearings has shape {towards.shape} or holds NaN", mend="pass a list of degrees"
        )
    scene = read_scene(surface, transform, observer_xyh, max_range, curvature, refraction, ground)
    slope, distance, followed = _look(
        scene, np.radians(towards), scene.ground_m + scene.height_m, max_range
    )
    slope[np.isnan(distance)] = np.nan
    return Horizon(towards, np.degrees(np.arctan(slope)), distance, followed)


def skyline(
    surface: ArrayLike,
    transform: Sequence[float],
    mount_xyh: tuple[float, float, float],
    eye_height: float = 1.7,
    max_range: float = math.inf,
    curvature: bool = True,
    refraction: float = REFRACTION_COEFFICIENT,
    *,
    background_range: float | None = None,
    ground: ArrayLike | None = None,
    method: str = "exact",
    spacing: float = 0.5,
) -> np.ma.MaskedArray:
    """Return from where the head of a mount is seen, and from where it stands against the sky.

    Sight is mutual, so the places from which the head is seen are those that the head sees. From
    such a place the ray is followed on, past the head: where no surface rises to it within
    `background_range`, the head stands out against the sky, and is noticed from much farther.

    Parameters
    ----------
    surface, transform, curvature, refraction, ground, method, spacing
        As in :func:`watchline.viewshed`. With ``method="fan"`` the background is interpolated
        between directions at most `spacing` cells apart at the end of `background_range`.
    mount_xyh : tuple of float
        x, y [m] of the mount, and the height of its head above the ground there [m].
    eye_height : float
        Height of the eye of a person who looks, above the cell's ground [m].
    max_range : float
        Largest horizontal distance of that person [m].
    background_range : float, optional
        How far behind the mount terrain is looked for [m]; `max_range` by default.

    Returns
    -------
    numpy.ma.MaskedArray of uint8, shape (rows, cols)
        0 hidden or out of range, 1 seen against terrain, 2 seen against the sky, 3 seen while the
        background is not known: the surface ends or has a hole behind the mount. Masked where it
        is unknown whether the mount is seen.

    Raises
    ------
    TerrainError
        If the grid is not square and north up, or the mount stands outside it or on no data.
    UsageError
        If arguments have the wrong shape or are not numbers.
    """
    behind = max_range if background_range is None else float(background_range)
    if not behind >= 0:
        raise UsageError(f"background_range = {behind}", mend="pass a range of at least 0 m")
    eye = check_height(eye_height)
    seen = viewshed(
        surface, transform, mount_xyh, eye, max_range, curvature, refraction,
        ground=ground, method=method, spacing=spacing,
    )  # fmt: skip
    scene = read_scene(
        surface, transform, mount_xyh, max(max_range, behind), curvature, refraction, ground
    )
    verdict = np.full(scene.shape, HIDDEN, dtype=np.uint8)
    row, col = np.nonzero(seen.data[scene.window])
    verdict[scene.window][row, col] = _backgrounds(scene, row, col, eye, behind, method, spacing)
    return np.ma.MaskedArray(verdict, mask=np.ma.getmaskarray(seen))


def _backgrounds(
    scene: Scene,
    row: NDArray[np.int64],
    col: NDArray[np.int64],
    eye: float,
    behind: float,
    method: str,
    spacing: float,
) -> NDArray[np.uint8]:
    """What is behind the head, looked at from each of the cells that see it."""
    own_row, own_col = scene.node
    # Terrain that the ray only touches does not hide the sky, as it hides no target.
    head = scene.ground_m + scene.height_m + TOUCH_M
    north, east = row - own_row, own_col - col  # from the cell to the mount, and on
    apart = scene.grid.cell_m * np.hypot(north, east)
    with np.errstate(divide="ignore", invalid="ignore"):
        climb = (head - TOUCH_M - scene.stand_m[row, col] - eye) / apart
    # From the mount's own foot one looks straight up.
    climb[apart == 0] = np.inf
    bearing = np.arctan2(east, north)
    if method == "exact":
        slope, _, followed = _look(scene, bearing, head, behind)
    else:
        far = min(behind / scene.grid.cell_m, float(sum(scene.grid.surface_m.shape)))
        count = max(360, math.ceil(2 * math.pi * far / spacing))
        table = np.linspace(-math.pi, math.pi, count + 1)
        slopes, _, ends = _look(scene, table, head, behind)
        place = (bearing + math.pi) / (2 * math.pi) * count
        near = np.minimum(place.astype(np.int64), count - 1)
        share = place - near
        bottom = np.maximum(slopes, -1e9)  # finite, so that it can be interpolated
        slope = bottom[near] * (1 - share) + bottom[near + 1] * share
        followed = np.minimum(ends[near], ends[near + 1])
    found = np.where(climb >= slope, AGAINST_SKY, AGAINST_TERRAIN).astype(np.uint8)
    # A float's rounding must not make a ray that ran its whole way an unknown one.
    cut = (followed < behind * (1 - 1e-9)) & (found == AGAINST_SKY) & (apart > 0)
    found[cut] = BACKGROUND_UNKNOWN
    return found


def _look(
    scene: Scene, bearing_rad: NDArray[np.float64], eye_m: float, reach_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Slope of the horizon, distance to it and distance followed [m] in each direction."""
    cell = scene.grid.cell_m
    slope, distance, followed = np.empty((3, bearing_rad.size))
    horizon_slopes(
        scene.grid.surface_m,
        *scene.node,
        eye_m,
        -np.cos(bearing_rad),
        np.sin(bearing_rad),
        reach_m / cell,
        slope,
        distance,
        followed,
    )
    return slope / cell, distance * cell, followed * cell
