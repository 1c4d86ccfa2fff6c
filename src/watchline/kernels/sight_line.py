"""One ray explained: the crossing that decides it, and by how much."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from watchline.kernels.grid import Grid
from watchline.kernels.ray import NO_NEED, TOUCH_M, UNKNOWN, walk_ray
from watchline.kernels.sight import or_none, row_and_col, walkable


class SightLine(NamedTuple):
    """One ray, explained by the crossing that decides it.

    Parameters
    ----------
    verdict : str
        ``"visible"``, ``"hidden"`` or ``"unknown"``.
    least_mount_m : float
        The lowest mount that sees the target [m]; -inf where nothing is in the way.
    x_m, y_m : float
        Where the deciding crossing is [m] (of an unknown ray: its first unknown crossing); NaN
        where none was tested.
    surface_m : float
        The (folded) surface there [m].
    clearance_m : float
        Ray minus surface there [m]; below -:data:`TOUCH_M` if it blocks.
    """

    verdict: str
    least_mount_m: float
    x_m: float
    y_m: float
    surface_m: float
    clearance_m: float


def explain_sight(
    grid: Grid,
    observer: tuple[float, float, float],
    mount_height_m: float,
    target: tuple[float, float, float],
    target_height_m: float,
) -> SightLine:
    """Say what decides one ray: the crossing that asks for the highest mount.

    Parameters
    ----------
    grid : Grid
        The surface that blocks, curvature folded in.
    observer, target : tuple of float
        x, y and (folded) ground height of the ends [m].
    mount_height_m, target_height_m : float
        Heights above the ground [m].

    Returns
    -------
    SightLine
        Verdict, deciding crossing and clearance; the same verdict as :func:`sight_bits`.
    """
    x, y, z = (float(value) for value in observer)
    to_x, to_y, to_z = (float(value) for value in target)
    flat, shape, tiles, unknowns, origin = walkable(grid, False)
    ends = (*row_and_col(x, y, origin), z, *row_and_col(to_x, to_y, origin), to_z)
    heads, eye, need, at = (np.array([float(target_height_m)]) for _ in range(4))
    state = walk_ray(flat, shape, tiles, unknowns, ends, heads, eye, need, at, NO_NEED, np.inf)
    t = float(at[0])
    place = (x + t * (to_x - x), y + t * (to_y - y))
    if state == UNKNOWN:
        return SightLine("unknown", np.nan, *place, np.nan, np.nan)
    least = float(or_none(need[0]))
    seen = mount_height_m >= least
    if np.isnan(t):
        return SightLine("visible", least, *place, np.nan, np.nan)
    level = to_z + target_height_m
    blocking = (z + least) * (1.0 - t) + level * t + TOUCH_M
    clearance = (mount_height_m - least) * (1.0 - t) - TOUCH_M
    return SightLine("visible" if seen else "hidden", least, *place, blocking, clearance)
