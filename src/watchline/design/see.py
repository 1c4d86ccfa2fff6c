"""Visibility: which mount sees the target at which cell, exactly, all heights in one pass."""

from __future__ import annotations

import numpy as np
import pandas as pd

from watchline.kernels.curvature import curvature_drop_m, fold_curvature
from watchline.kernels.device import sight_on
from watchline.kernels.grid import Grid, Points, make_grid, make_points
from watchline.model.candidates import Candidates
from watchline.model.provenance import Provenance
from watchline.model.terrain import Terrain
from watchline.model.visibility import Visibility

METHOD = (
    "exact: the ray is tested at every crossing with a grid line of the bilinear surface, "
    "curvature and refraction on; no sampling error"
)


def folded_grid(terrain: Terrain) -> Grid:
    """The blocking surface with curvature and refraction folded in, for the sight kernels."""
    x = terrain.data.x.values
    y = terrain.data.y.values[:, None]
    folded = fold_curvature(
        terrain.surface.astype(np.float64), x, y, terrain.local_origin, terrain.refraction
    )
    return make_grid(folded, terrain.cell_m, *terrain.origin)


def folded_points(terrain: Terrain, table: pd.DataFrame) -> Points:
    """Places of a table (``x``, ``y``, ``ground_z``) with folded heights."""
    x, y = table["x"].to_numpy(float), table["y"].to_numpy(float)
    drop = curvature_drop_m(x, y, terrain.local_origin, terrain.refraction)
    return make_points(x, y, table["ground_z"].to_numpy(float) - drop)


def compute_visibility(
    terrain: Terrain, candidates: Candidates, *, device: str = "cpu"
) -> Visibility:
    """Line of sight from every candidate mount to the target's top at every cell in range.

    Parameters
    ----------
    terrain : Terrain
        The ground and what stands on it.
    candidates : Candidates
        Mounts and cells.
    device : {"cpu", "gpu", "auto"}
        Where it is computed; the result is the same.

    Returns
    -------
    Visibility
        Packed bits [mounts, target heights, words].
    """
    mounts, cells = candidates.mounts, candidates.cells
    grid = folded_grid(terrain)
    targets = folded_points(terrain, cells)
    heights = np.sort(mounts["height_m"].unique())
    spots = mounts.drop_duplicates("site").sort_values("site")
    row_of_site = {site: row for row, site in enumerate(spots["site"])}
    first, last = _chainage_window(spots, cells, candidates.range_m)
    visible, unknown = sight_on(device)(
        grid,
        folded_points(terrain, spots),
        heights,
        targets,
        candidates.target_heights_m,
        candidates.range_m,
        first_target=first,
        last_target=last,
    )
    row = mounts["site"].map(row_of_site).to_numpy()
    level = np.searchsorted(heights, mounts["height_m"].to_numpy())
    return Visibility(
        visible=visible[row, level],
        unknown=unknown[row],
        target_heights_m=candidates.target_heights_m,
        cells=len(cells),
        method=METHOD,
        provenance=Provenance(
            dict(candidates.provenance.inputs),
            candidates.provenance.seed,
            candidates.provenance.watchline_version,
        ),
    )


def _chainage_window(
    spots: pd.DataFrame, cells: pd.DataFrame, range_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """For each spot, the cells (ordered by chainage) that can be in range.

    The distance along a bent line may be longer than the straight one, so the window is found by
    the cells' own distances in blocks of chainage, not by chainage itself.
    """
    block = 512
    x, y = cells["x"].to_numpy(), cells["y"].to_numpy()
    starts = np.arange(0, len(cells), block)
    boxes = np.array(
        [
            (
                x[a : a + block].min(),
                y[a : a + block].min(),
                x[a : a + block].max(),
                y[a : a + block].max(),
            )
            for a in starts
        ]
    )
    first = np.zeros(len(spots), dtype=np.int64)
    last = np.zeros(len(spots), dtype=np.int64)
    for i, (px, py) in enumerate(zip(spots["x"], spots["y"], strict=True)):
        dx = np.maximum(0, np.maximum(boxes[:, 0] - px, px - boxes[:, 2]))
        dy = np.maximum(0, np.maximum(boxes[:, 1] - py, py - boxes[:, 3]))
        near = np.flatnonzero(dx * dx + dy * dy <= range_m * range_m)
        if len(near):
            first[i] = starts[near[0]]
            last[i] = min(len(cells), starts[near[-1]] + block)
    return first, last
