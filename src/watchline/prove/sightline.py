"""One sight line in words: where it is blocked, by how much, or where the data ends.

The same triangulated surface as the proof's, walked in float64 at every edge that the line
crosses, for explanations of single lines; the proof itself counts by :mod:`.scene`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchline.prove.heights import SNAP, FloatArray, Relief, clip_to_tested
from watchline.prove.scene import FREE, HIDDEN, TOUCH_M, UNKNOWN


@dataclass(frozen=True)
class SightLine:
    """What lies on one line of sight.

    Attributes
    ----------
    state : int
        ``HIDDEN``, ``FREE`` or ``UNKNOWN`` of :mod:`watchline.prove.scene`.
    x, y : float
        Where the surface stands highest above the line (lowest below it, where it is free), or
        where the data first ends; NaN where nothing lies between the ends' own cells.
    over_m : float
        Height of the surface above the line there, negative where it is free.
    """

    state: int
    x: float
    y: float
    over_m: float


def look_along(
    relief: Relief, eye: tuple[float, float, float], target: tuple[float, float, float]
) -> SightLine:
    """Walk along one line of sight.

    Parameters
    ----------
    relief : Relief
        The terrain.
    eye, target : tuple of float
        x, y and folded height of the ends in m.

    Returns
    -------
    SightLine
    """
    ends = np.array([eye, target], dtype=np.float64)
    col, row = relief.nodes(ends[:, 0], ends[:, 1])
    rows, cols = relief.surface.shape
    beyond = (col < -SNAP) | (col > cols - 1 + SNAP) | (row < -SNAP) | (row > rows - 1 + SNAP)
    lost = beyond | np.isnan(ends[:, 2])
    if lost.any():
        end = ends[int(np.argmax(lost))]
        return SightLine(UNKNOWN, float(end[0]), float(end[1]), np.nan)
    first, last = clip_to_tested(relief, ends[:1, 0], ends[:1, 1], ends[1:, 0], ends[1:, 1])
    if first[0] >= last[0]:
        return SightLine(FREE, np.nan, np.nan, np.nan)
    grid, diagonal = _crossings(col, row, float(first[0]), float(last[0]))
    surface = _edge_heights(relief, col, row, grid)
    if np.isnan(surface).any():
        share = float(grid[np.isnan(surface)].min())
        x, y = ends[0, :2] + share * (ends[1, :2] - ends[0, :2])
        return SightLine(UNKNOWN, float(x), float(y), np.nan)
    shares = np.concatenate([grid, diagonal])
    surface = np.concatenate([surface, _diagonal_heights(relief, col, row, diagonal)])
    place = ends[0] + shares[:, None] * (ends[1] - ends[0])
    # A diagonal with an unknown node is not there: the square is split the other way.
    over = relief.fold(surface, place[:, 0], place[:, 1]) - place[:, 2]
    over = np.where(np.isnan(over), -np.inf, over)
    top = int(np.argmax(over))
    state = HIDDEN if over[top] > TOUCH_M else FREE
    return SightLine(state, float(place[top, 0]), float(place[top, 1]), float(over[top]))


def _crossings(
    col: FloatArray, row: FloatArray, first: float, last: float
) -> tuple[FloatArray, FloatArray]:
    """Shares of the way at which a line crosses grid lines and diagonals, in order."""
    found = []
    for start, end in ((col[0], col[1]), (row[0], row[1]), (col[0] - row[0], col[1] - row[1])):
        low, high = sorted((start + first * (end - start), start + last * (end - start)))
        lines = np.arange(np.ceil(low - SNAP), np.floor(high + SNAP) + 1)
        found.append((lines - start) / (end - start) if end != start else np.zeros(0))
    return np.sort(np.concatenate(found[:2])), np.sort(found[2])


def _edge_heights(
    relief: Relief, col: FloatArray, row: FloatArray, share: FloatArray
) -> FloatArray:
    """Height of the surface on the grid lines, NaN where a node with weight is unknown."""
    return _between(
        relief, col[0] + share * (col[1] - col[0]), row[0] + share * (row[1] - row[0]), False
    )


def _diagonal_heights(
    relief: Relief, col: FloatArray, row: FloatArray, share: FloatArray
) -> FloatArray:
    """Height of the surface on the diagonals from north-west to south-east."""
    return _between(
        relief, col[0] + share * (col[1] - col[0]), row[0] + share * (row[1] - row[0]), True
    )


def _between(relief: Relief, col: FloatArray, row: FloatArray, diagonal: bool) -> FloatArray:
    """Interpolate between the two nodes of an edge."""
    rows, cols = relief.surface.shape
    on_col, on_row = np.abs(col - np.rint(col)) < 1e-7, np.abs(row - np.rint(row)) < 1e-7
    col, row = np.where(on_col, np.rint(col), col), np.where(on_row, np.rint(row), row)
    left = np.clip(np.floor(col), 0, cols - 1).astype(np.int64)
    top = np.clip(np.floor(row), 0, rows - 1).astype(np.int64)
    share = np.maximum(col - left, row - top)
    east = np.where(diagonal | (col > left), 1, 0)
    south = np.where(diagonal | (row > top), 1, 0)
    near = relief.surface[top, left].astype(np.float64)
    far = relief.surface[np.minimum(top + south, rows - 1), np.minimum(left + east, cols - 1)]
    # A node without weight must not spread its NaN.
    return np.where(share > 0, near * (1.0 - share) + np.where(share > 0, far, 0.0) * share, near)
