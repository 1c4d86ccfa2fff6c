"""Heights for the proof: ground under the ends, curvature, the node nearest to a place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchline.model.terrain import Terrain
from watchline.physics.optics import apparent_rise_m

FloatArray = npt.NDArray[np.float64]
SNAP = 1e-9
"""A place nearer than this to a node's line, in cells, lies on it."""


@dataclass(frozen=True)
class Relief:
    """A terrain as plain arrays, in node units where said.

    Attributes
    ----------
    ground, surface : float32 array [rows, cols]
        Heights in m, NaN = unknown.
    cell_m : float
        Distance between nodes.
    x0_m, y0_m : float
        Place of node (0, 0), the upper left.
    origin_m : tuple of float
        Where the folded Earth touches the plane.
    refraction : float
        Refraction coefficient k.
    """

    ground: npt.NDArray[np.float32]
    surface: npt.NDArray[np.float32]
    cell_m: float
    x0_m: float
    y0_m: float
    origin_m: tuple[float, float]
    refraction: float

    def nodes(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Column and row of places, in node units."""
        col = (np.asarray(x, dtype=np.float64) - self.x0_m) / self.cell_m
        row = (self.y0_m - np.asarray(y, dtype=np.float64)) / self.cell_m
        return col, row

    def place(self, col: npt.ArrayLike, row: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Coordinates of places given in node units."""
        x = self.x0_m + np.asarray(col, dtype=np.float64) * self.cell_m
        return x, self.y0_m - np.asarray(row, dtype=np.float64) * self.cell_m

    def fold(self, z: npt.ArrayLike, x: npt.ArrayLike, y: npt.ArrayLike) -> FloatArray:
        """Heights lowered by curvature less refraction, so that sight lines are straight."""
        distance = np.hypot(np.subtract(x, self.origin_m[0]), np.subtract(y, self.origin_m[1]))
        return apparent_rise_m(np.asarray(z, dtype=np.float64), distance, self.refraction)

    def ground_at(self, x: npt.ArrayLike, y: npt.ArrayLike) -> FloatArray:
        """Bilinear height of the ground in m; NaN outside and beside unknown nodes.

        Parameters
        ----------
        x, y : array_like [n]
            Coordinates in m.
        """
        return self._at(self.ground, x, y)

    def surface_at(self, x: npt.ArrayLike, y: npt.ArrayLike) -> FloatArray:
        """Bilinear height of the surface in m; NaN outside and beside unknown nodes.

        Parameters
        ----------
        x, y : array_like [n]
            Coordinates in m.
        """
        return self._at(self.surface, x, y)

    def _at(
        self, heights: npt.NDArray[np.float32], x: npt.ArrayLike, y: npt.ArrayLike
    ) -> FloatArray:
        col, row = (np.atleast_1d(a) for a in self.nodes(x, y))
        rows, cols = heights.shape
        inside = (
            (col >= -SNAP) & (col <= cols - 1 + SNAP) & (row >= -SNAP) & (row <= rows - 1 + SNAP)
        )
        # Places that lie on a node's line must not take up the NaN of a node without weight.
        col = np.where(np.abs(col - np.rint(col)) < SNAP, np.rint(col), col)
        row = np.where(np.abs(row - np.rint(row)) < SNAP, np.rint(row), row)
        left = np.clip(np.floor(np.where(inside, col, 0)), 0, cols - 2).astype(np.int64)
        top = np.clip(np.floor(np.where(inside, row, 0)), 0, rows - 2).astype(np.int64)
        east, south = col - left, row - top
        height = np.zeros(col.shape)
        for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
            weight = (south if down else 1 - south) * (east if right else 1 - east)
            corner = heights[top + down, left + right].astype(np.float64)
            height += np.where(weight > 0, weight * corner, 0.0)
        return np.where(inside, height, np.nan)


def relief_of(terrain: Terrain) -> Relief:
    """The plain arrays of a terrain."""
    x0, y0 = terrain.origin
    return Relief(
        ground=terrain.ground,
        surface=terrain.surface,
        cell_m=terrain.cell_m,
        x0_m=x0,
        y0_m=y0,
        origin_m=terrain.local_origin,
        refraction=terrain.refraction,
    )


def clip_to_tested(
    relief: Relief, x0: FloatArray, y0: FloatArray, x1: FloatArray, y1: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Shares of the way between which a sight line is tested.

    The ends' own cells never block: the line counts from where it leaves the square of ±1 cell
    round the node nearest to its start until it enters that of its end.

    Parameters
    ----------
    relief : Relief
        The terrain.
    x0, y0, x1, y1 : float64 array [n]
        Ends in m; they broadcast.

    Returns
    -------
    first, last : float64 array [n]
        Shares of the way, 0–1; nothing is tested where ``first >= last``.
    """
    col0, row0 = relief.nodes(x0, y0)
    col1, row1 = relief.nodes(x1, y1)
    first = _leave_square(col0, row0, col1, row1)
    last = 1.0 - _leave_square(col1, row1, col0, row0)
    return first, last


def _leave_square(
    col0: FloatArray, row0: FloatArray, col1: FloatArray, row1: FloatArray
) -> FloatArray:
    """Share of the way at which a line leaves the square round the node nearest to its start."""
    share = np.ones(np.broadcast_shapes(col0.shape, col1.shape))
    for start, end in ((col0, col1), (row0, row1)):
        nearest = np.floor(start + 0.5)
        step = end - start
        wall = np.where(step > 0, nearest + 1.0, nearest - 1.0) - start
        moves = step != 0
        reach = np.where(moves, wall / np.where(moves, step, 1.0), np.inf)
        share = np.minimum(share, reach)
    return share
