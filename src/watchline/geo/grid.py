"""Square, north-up grids: where their cells lie, and what an array on them holds at a place.

A grid speaks of cell *centres* (nodes): heights are known there and are bilinear in between.
Between the outermost centres and the outermost cells' edges nothing is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Bounds = tuple[float, float, float, float]

SNAP_CELLS = 1e-6
"""A place closer than this to a row or column of centres lies on it: noise of transforms and of
coordinates of millions of metres stays below, and a micrometre of a cell matters to nobody."""


@dataclass(frozen=True)
class Grid:
    """A square, north-up grid.

    Attributes
    ----------
    x0, y0 : float
        Centre of the upper left cell in m.
    cell : float
        Side of a cell in m.
    rows, cols : int
        Its size.
    """

    x0: float
    y0: float
    cell: float
    rows: int
    cols: int

    @classmethod
    def from_affine(
        cls, affine: tuple[float, float, float, float, float, float], rows: int, cols: int
    ) -> Grid:
        """Grid of a raster, from the six numbers a, b, c, d, e, f of its affine transform.

        The transform takes (column, row) of cell *corners* to (x, y), as rasterio has it.

        Raises
        ------
        ValueError
            If the transform is not square and north-up.
        """
        a, b, c, d, e, f = affine[:6]
        if b != 0 or d != 0 or a <= 0 or not math.isclose(a, -e, rel_tol=1e-9):
            raise ValueError(f"the transform {tuple(affine[:6])} is not square and north-up")
        return cls(c + a / 2, f - a / 2, a, rows, cols)

    def to_affine(self) -> tuple[float, float, float, float, float, float]:
        """The six numbers a, b, c, d, e, f of the affine transform of cell corners."""
        half = self.cell / 2
        return self.cell, 0.0, self.x0 - half, 0.0, -self.cell, self.y0 + half

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.cols

    @property
    def x(self) -> FloatArray:
        """Eastings of the centres, ascending, float64 [cols]."""
        return self.x0 + self.cell * np.arange(self.cols)

    @property
    def y(self) -> FloatArray:
        """Northings of the centres, descending, float64 [rows]."""
        return self.y0 - self.cell * np.arange(self.rows)

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north of the outermost *centres*, between which heights exist."""
        return (
            self.x0,
            self.y0 - (self.rows - 1) * self.cell,
            self.x0 + (self.cols - 1) * self.cell,
            self.y0,
        )

    def positions(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Column and row of places, as fractions; whole numbers are centres."""
        return (
            (np.asarray(x, dtype=np.float64) - self.x0) / self.cell,
            (self.y0 - np.asarray(y, dtype=np.float64)) / self.cell,
        )

    def covering(self, bounds: Bounds) -> Grid | None:
        """The part whose centres enclose given bounds, as far as this grid reaches.

        Parameters
        ----------
        bounds : tuple of float
            West, south, east, north in m.

        Returns
        -------
        Grid or None
            On the same centres; None where fewer than 2 × 2 of them are left.
        """
        west, south, east, north = bounds
        left = max(0, math.floor((west - self.x0) / self.cell + SNAP_CELLS))
        right = min(self.cols - 1, math.ceil((east - self.x0) / self.cell - SNAP_CELLS))
        top = max(0, math.floor((self.y0 - north) / self.cell + SNAP_CELLS))
        bottom = min(self.rows - 1, math.ceil((self.y0 - south) / self.cell - SNAP_CELLS))
        if right <= left or bottom <= top:
            return None
        return self.part(top, left, bottom - top + 1, right - left + 1)

    def part(self, top: int, left: int, rows: int, cols: int) -> Grid:
        """The part that begins at a row and a column."""
        return Grid(self.x0 + left * self.cell, self.y0 - top * self.cell, self.cell, rows, cols)

    def offset_in(self, whole: Grid) -> tuple[int, int]:
        """Row and column of this grid's first cell in a grid on the same centres.

        Raises
        ------
        ValueError
            If the two do not share their centres.
        """
        col, row = whole.positions(self.x0, self.y0)
        if (
            not math.isclose(self.cell, whole.cell, rel_tol=1e-9)
            or abs(col - round(float(col))) > SNAP_CELLS
            or abs(row - round(float(row))) > SNAP_CELLS
        ):
            raise ValueError("the two grids do not share their cells' centres")
        return round(float(row)), round(float(col))


def crop(values: npt.NDArray[np.floating], whole: Grid, wanted: Grid) -> npt.NDArray[np.floating]:
    """The values of a part of a grid (a view, not a copy).

    Parameters
    ----------
    values : float array [whole.rows, whole.cols]
        Values on the whole grid.
    whole, wanted : Grid
        The whole and the part, on the same centres.

    Raises
    ------
    ValueError
        If the part does not lie within the whole, or the array does not fit.
    """
    if values.shape != whole.shape:
        raise ValueError(f"values have shape {values.shape}, the grid {whole.shape}")
    top, left = wanted.offset_in(whole)
    if min(top, left) < 0 or top + wanted.rows > whole.rows or left + wanted.cols > whole.cols:
        raise ValueError("the part does not lie within the whole")
    return values[top : top + wanted.rows, left : left + wanted.cols]


def sample_bilinear(
    grid: Grid, values: npt.NDArray[np.floating], x: npt.ArrayLike, y: npt.ArrayLike
) -> FloatArray:
    """Values of an array at places, bilinear between the cell centres.

    Parameters
    ----------
    grid : Grid
        Where the array lies.
    values : float array [rows, cols]
        Values at the centres, NaN = unknown.
    x, y : array_like
        Places in m, of one shape.

    Returns
    -------
    float64 array
        Of the places' shape; NaN beyond the outermost centres and wherever an unknown centre
        carries weight.
    """
    col, row = grid.positions(x, y)
    col, row = np.broadcast_arrays(col, row)
    return bilinear_at(values, col.ravel(), row.ravel()).reshape(col.shape)


@numba.njit(cache=True)
def bilinear_at(values, col, row):  # noqa: ANN001, ANN201 - numba kernel on plain arrays
    """Bilinear values at fractional columns and rows, in float64.

    Parameters
    ----------
    values : float array [rows, cols]
        Values at whole columns and rows, NaN = unknown.
    col, row : float64 array [n]
        Places; may be NaN or infinite.

    Returns
    -------
    float64 array [n]
        NaN beyond the outermost rows and columns and where an unknown value carries weight.
    """
    rows, cols = values.shape
    found = np.full(len(col), np.nan)
    for i in range(len(col)):
        u = col[i]
        v = row[i]
        # A place on the outermost row must not fall off it through noise.
        if not (-SNAP_CELLS <= u <= cols - 1 + SNAP_CELLS):
            continue
        if not (-SNAP_CELLS <= v <= rows - 1 + SNAP_CELLS):
            continue
        left = min(max(int(np.floor(u + SNAP_CELLS)), 0), cols - 1)
        top = min(max(int(np.floor(v + SNAP_CELLS)), 0), rows - 1)
        east = u - left
        south = v - top
        # A node without weight must not spread its NaN, nor be looked for outside the array.
        if abs(east) <= SNAP_CELLS:
            east = 0.0
        if abs(south) <= SNAP_CELLS:
            south = 0.0
        height = 0.0
        for a in range(2):
            for b in range(2):
                weight = (south if a else 1.0 - south) * (east if b else 1.0 - east)
                if weight > 0.0:
                    height += weight * values[top + a, left + b]
        found[i] = height
    return found


def nearest_at(
    values: npt.NDArray[np.floating], col: npt.ArrayLike, row: npt.ArrayLike
) -> FloatArray:
    """Values of the cells in which fractional columns and rows lie.

    Parameters
    ----------
    values : float array [rows, cols]
        One value a cell; cell k reaches from k − ½ to k + ½.
    col, row : array_like [n]
        Places; may be NaN or infinite.

    Returns
    -------
    float64 array [n]
        NaN outside the outermost cells' edges.
    """
    rows, cols = values.shape
    # Half a cell up, then down to a whole number: a place on an edge belongs to the later cell.
    u = np.floor(np.asarray(col, dtype=np.float64) + 0.5 + SNAP_CELLS)
    v = np.floor(np.asarray(row, dtype=np.float64) + 0.5 + SNAP_CELLS)
    inside = (u >= 0) & (u < cols) & (v >= 0) & (v < rows)
    found = np.full(inside.shape, np.nan)
    found[inside] = values[v[inside].astype(np.int64), u[inside].astype(np.int64)]
    return found
