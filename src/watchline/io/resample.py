"""Bring a raster onto the terrain's grid, window by window.

Every cell's centre is carried into the raster's CRS exactly (no approximated transform), and the
height there is taken between the four nodes round it. Nothing is smoothed beyond that: where the
grid's centres are the raster's nodes, its values come through unchanged.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Transformer

from watchline.geo.grid import Grid, bilinear_at, nearest_at
from watchline.io.raster import Raster, same_crs

Method = Literal["bilinear", "nearest"]
Clean = Callable[[npt.NDArray[np.float32], npt.NDArray[np.float32]], npt.NDArray[np.float32]]

TILE_CELLS = 1024
TILE_NODES = 4096
"""A tile has at most so many cells, and needs about so many nodes, a side: 64 MB of heights."""


def resample(
    raster: Raster, grid: Grid, crs: CRS, method: Method, clean: Clean
) -> npt.NDArray[np.float32]:
    """Heights of a raster at the centres of a grid's cells.

    Parameters
    ----------
    raster : Raster
        The source; only the nodes round the grid are read, a tile at a time.
    grid : Grid
        Where heights are wanted.
    crs : pyproj.CRS
        CRS of the grid.
    method : {"bilinear", "nearest"}
        Between nodes: bilinear for ground and surface; the cell that the place lies in for heights
        of things, whose walls are upright and would become ramps.
    clean : callable
        Takes the stored values and the scaled ones of a window and returns heights in metres.

    Returns
    -------
    float32 array [rows, cols]
        NaN where the raster does not reach or an unknown node has weight.
    """
    to_raster = place_to_node(raster, crs)
    take = bilinear_at if method == "bilinear" else nearest_at
    heights = np.full(grid.shape, np.nan, dtype=np.float32)
    side = tile_side(grid, to_raster)
    for top in range(0, grid.rows, side):
        for left in range(0, grid.cols, side):
            # Slices of the whole grid's axes: no value may depend on how the tiles fall.
            x, y = np.meshgrid(grid.x[left : left + side], grid.y[top : top + side])
            col, row = to_raster(x.ravel(), y.ravel())
            window = _window(raster, col, row)
            if window is None:
                continue
            first_row, first_col, rows, cols = window
            nodes = clean(*raster.read(first_row, first_col, rows, cols))
            found = take(nodes, col - first_col, row - first_row)
            heights[top : top + side, left : left + side] = found.reshape(x.shape)
    return heights


PlaceToNode = Callable[
    [npt.NDArray[np.float64], npt.NDArray[np.float64]],
    tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
]


def place_to_node(raster: Raster, crs: CRS) -> PlaceToNode:
    """Function that takes places in a CRS to fractional (column, row) of a raster's nodes."""
    inverse = ~raster.nodes
    transformer = (
        None if same_crs(raster.crs, crs) else Transformer.from_crs(crs, raster.crs, always_xy=True)
    )

    def to_node(
        x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        if transformer is not None:
            x, y = transformer.transform(x, y)
        # By the differences from the first node: coordinates of millions of metres lose nothing.
        dx = np.asarray(x, dtype=np.float64) - raster.nodes.c
        dy = np.asarray(y, dtype=np.float64) - raster.nodes.f
        # A place that the raster's CRS cannot hold is infinite, and turns into NaN here.
        with np.errstate(invalid="ignore"):
            return inverse.a * dx + inverse.b * dy, inverse.d * dx + inverse.e * dy

    return to_node


def tile_side(grid: Grid, to_raster: PlaceToNode) -> int:
    """Side of a tile in cells, so small that the nodes under it fit in memory."""
    west, south, east, north = grid.bounds
    middle = np.array([(west + east) / 2]), np.array([(south + north) / 2])
    col, row = to_raster(*middle)
    next_col, next_row = to_raster(middle[0] + grid.cell, middle[1] + grid.cell)
    nodes_per_cell = float(max(abs(next_col - col)[0], abs(next_row - row)[0]))
    if not math.isfinite(nodes_per_cell) or nodes_per_cell <= 0:
        return TILE_CELLS
    return int(min(TILE_CELLS, max(16, TILE_NODES // nodes_per_cell)))


def _window(
    raster: Raster, col: npt.NDArray[np.float64], row: npt.NDArray[np.float64]
) -> tuple[int, int, int, int] | None:
    """First row, first column, rows and columns of the nodes round some places."""
    near = (col > -1) & (col < raster.cols) & (row > -1) & (row < raster.rows)
    if not near.any():
        return None
    first_col = max(0, math.floor(col[near].min()) - 1)
    last_col = min(raster.cols - 1, math.ceil(col[near].max()) + 1)
    first_row = max(0, math.floor(row[near].min()) - 1)
    last_row = min(raster.rows - 1, math.ceil(row[near].max()) + 1)
    return first_row, first_col, last_row - first_row + 1, last_col - first_col + 1
