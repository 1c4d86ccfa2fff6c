"""The sixteen moves of a walker on a grid along a line, and what a move costs.

Rows follow the chainage, columns the offset. A move goes to one of the eight neighbours or a
knight's step away. Its cost is its length times the mean of a density at the cells that it touches
(four for a knight's step, two otherwise), plus half of what the barriers between its columns cost
in its first row and half of what they cost in its last one. Costs are equal both ways.

Grids are kept flat with a rim of two cells of infinite density, so that no move needs a test of
the edge.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

RIM: Final = 2
MOVES: Final = 16
ROW_STEP = np.array([0, 0, 1, -1, 1, 1, -1, -1, 2, 2, -2, -2, 1, 1, -1, -1], dtype=np.int64)
COL_STEP = np.array([1, -1, 0, 0, 1, -1, 1, -1, 1, -1, 1, -1, 2, -2, 2, -2], dtype=np.int64)
BACK = np.array([1, 0, 3, 2, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12], dtype=np.int8)
"""The move that takes each move back."""
NO_MOVE: Final = -1


class Field(NamedTuple):
    """What moves cost, flat and with its rim.

    Attributes
    ----------
    density : float32 array [cells]
        Cost a metre; infinite where nobody can walk.
    jump : float32 array [cells]
        Sum of the barriers' costs from the first column to the cell, row by row.
    stretch : float32 array [cells]
        Metres of ground for a metre of chainage: above 1 outside a bend of the line.
    cols : int
        Cells of a row, rim included.
    row_m, col_m : float
        Distance of rows along the line and of columns, m.
    has_jump, is_straight : bool
        Whether any barrier costs anything, and whether all stretch is 1.
    """

    density: npt.NDArray[np.float32]
    jump: npt.NDArray[np.float32]
    stretch: npt.NDArray[np.float32]
    cols: int
    row_m: float
    col_m: float
    has_jump: bool
    is_straight: bool


def make_field(
    density: npt.NDArray[np.floating],
    row_m: float,
    col_m: float,
    *,
    jump: npt.NDArray[np.floating] | None = None,
    stretch: npt.NDArray[np.floating] | None = None,
) -> Field:
    """Lay out a grid for the kernels.

    Parameters
    ----------
    density : float array [rows, cols]
        Cost a metre, at least 0; infinite where nobody can walk.
    row_m, col_m : float
        Distance of rows along the line and of columns, m.
    jump : float array [rows, cols], optional
        Running sum of the costs of barriers from the first column on; must be finite.
    stretch : float array [rows, cols], optional
        Metres of ground for a metre of chainage; 1 where not given.

    Raises
    ------
    ValueError
        If a density is negative or no number, or a jump is not finite.
    """
    if not (density >= 0).all():
        raise ValueError("a density is negative or no number")
    if jump is not None and not np.isfinite(jump).all():
        raise ValueError("a barrier's cost is not finite")
    rows, cols = density.shape

    def flat(values: npt.NDArray[np.floating] | None, rim: float) -> npt.NDArray[np.float32]:
        wide = np.full((rows + 2 * RIM, cols + 2 * RIM), rim, dtype=np.float32)
        if values is not None:
            wide[RIM:-RIM, RIM:-RIM] = values
        return wide.ravel()

    return Field(
        flat(density, np.inf),
        flat(jump, 0.0),
        flat(stretch, 1.0),
        cols + 2 * RIM,
        float(row_m),
        float(col_m),
        jump is not None and bool((np.diff(jump, axis=1) != 0).any()),
        stretch is None or bool((stretch == 1).all()),
    )


def to_flat(field: Field, values: npt.NDArray, rim: float) -> npt.NDArray:
    """A grid's values flat and with a rim."""
    rows = field.density.size // field.cols - 2 * RIM
    wide = np.full((rows + 2 * RIM, field.cols), rim, dtype=values.dtype)
    wide[RIM:-RIM, RIM:-RIM] = values
    return wide.ravel()


def to_grid(field: Field, values: npt.NDArray) -> npt.NDArray:
    """The grid of flat values, without their rim."""
    wide = values.reshape(-1, field.cols)
    return np.ascontiguousarray(wide[RIM:-RIM, RIM:-RIM])


@njit(cache=True)
def steps_of(cols):
    """Flat steps of the moves, and of the two cells that a knight's step passes between."""
    step = ROW_STEP * cols + COL_STEP
    first = np.zeros(MOVES, dtype=np.int64)
    second = np.zeros(MOVES, dtype=np.int64)
    for m in range(8, MOVES):
        half_row, half_col = int(ROW_STEP[m] / 2), int(COL_STEP[m] / 2)
        first[m] = half_row * cols + half_col
        second[m] = (ROW_STEP[m] - half_row) * cols + COL_STEP[m] - half_col
    return step, first, second


@njit(cache=True)
def lengths_of(row_m, col_m):
    """Lengths of the moves on straight ground."""
    return np.sqrt((ROW_STEP * row_m) ** 2 + (COL_STEP * col_m) ** 2)


@njit(cache=True)
def extra_cost(jump, stretch, along_m, across_m, aside, u, v, mean):
    """Cost of a move on ground that is stretched or has barriers."""
    along = 0.5 * (stretch[u] + stretch[v]) * along_m
    cost = mean * np.sqrt(along * along + across_m * across_m)
    if aside != 0:
        cost += 0.5 * (abs(jump[u + aside] - jump[u]) + abs(jump[v] - jump[v - aside]))
    return cost


def one_move(field: Field, row: int, col: int, m: int) -> float:
    """Cost of move `m` from a cell of the grid."""
    return float(_one_move(field, (row + RIM) * field.cols + col + RIM, int(m)))


@njit(cache=True)
def _one_move(field, u, m):
    step, first, second = steps_of(field.cols)
    density, v = field.density, u + step[m]
    mean = 0.5 * (density[u] + density[v])
    if m >= 8:
        mean = 0.5 * mean + 0.25 * (density[u + first[m]] + density[u + second[m]])
    along, across = ROW_STEP[m] * field.row_m, COL_STEP[m] * field.col_m
    return extra_cost(field.jump, field.stretch, along, across, COL_STEP[m], u, v, mean)


@njit(cache=True)
def greatest_cost(field):
    """A cost that no move exceeds, 0 where none can be made."""
    density = 0.0
    stretch = 0.0
    jump = 0.0
    for u in range(field.density.size):
        if field.density[u] < np.inf:
            density = max(density, field.density[u])
            stretch = max(stretch, field.stretch[u])
            if field.has_jump:
                for aside in range(1, 3):
                    if field.density[u + aside] < np.inf:
                        jump = max(jump, abs(field.jump[u + aside] - field.jump[u]))
    along, across = 2.0 * stretch * field.row_m, 2.0 * field.col_m
    return 1.0001 * (density * np.sqrt(along * along + across * across) + jump)
