"""The shape of the sight job: which cells each site can reach, and chunks of neighbouring sites.

A line is long and thin. Its cells are ordered by chainage, so the cells within range of a site are
a few runs of them: one, or two where the line comes back near itself. Sites are taken in chunks of
neighbours; of the surface a chunk needs what its sight lines can touch and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from watchline.model.candidates import Candidates
from watchline.model.visibility import WORD_CELLS, Indices, Layout

BLOCK_WORDS = 4
"""Runs begin and end at whole blocks of so many words: 256 cells."""

CHUNK_BYTES = 32 << 20
"""Most bytes of the bit planes of one chunk."""

CHUNK_RAYS = 8_000_000
"""Most rays of one chunk: seconds, between which progress is told and an interrupt is heard."""

CROP_GROWTH = 2.0
"""A chunk's piece of surface is at most so many times that of its first site, so that memory does
not depend on how far apart sites stand; small pieces may grow to :data:`SMALL_CROP`."""

SMALL_CROP = 1_000_000
SITES_AT_ONCE = 512
MARGIN_CELLS = 2
BYTES_A_NODE = 64
"""What a node of the piece costs at most while it is folded and searched: four copies in float64,
or two of them and what the kernels lay beside it."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Corridor:
    """The sight job of one line.

    Attributes
    ----------
    layout : Layout
        Which words of cells each site keeps.
    spots : DataFrame
        One row a site (``site``, ``x``, ``y``, ``ground_z``), in the order of chainage.
    boxes : float64 array [sites, 4]
        West, south, east and north of all that a site's sight lines can touch, in m.
    heights_m : float64 array [mounts]
        Height of each mount above its ground.
    range_m : float
        Distance beyond which nothing counts.
    """

    layout: Layout
    spots: pd.DataFrame
    boxes: FloatArray
    heights_m: FloatArray
    range_m: float


@dataclass(frozen=True)
class Chunk:
    """Neighbouring sites that are looked at together.

    Attributes
    ----------
    first, last : int
        Sites first ≤ i < last of the corridor.
    words : int64 array [n]
        Words of the cells that any of them keeps, ascending.
    mounts : int64 array
        Their mounts, in the order of the layout.
    rows, cols : slice
        Piece of the surface that their sight lines can touch.
    nbytes : int
        Memory that it takes at most, in bytes.
    """

    first: int
    last: int
    words: Indices
    mounts: Indices
    rows: slice
    cols: slice
    nbytes: int


def lay_out(candidates: Candidates) -> Corridor:
    """Find the cells that each site can reach.

    The distance along a bent line may be longer than the straight one, so it is the cells' own
    places that count, in blocks of 256, not their chainages. Blocks are found in a search tree:
    the work grows with the length of the line.

    Parameters
    ----------
    candidates : Candidates
        Mounts and cells.
    """
    mounts, cells = candidates.mounts, candidates.cells
    spots = pd.DataFrame(mounts[["site", "s", "x", "y", "ground_z"]]).drop_duplicates("site")
    spots = spots.sort_values(["s", "site"], kind="stable").reset_index(drop=True)
    row_of = pd.Series(spots.index, index=spots["site"])
    x, y = spots["x"].to_numpy(float), spots["y"].to_numpy(float)
    boxes = _block_boxes(cells["x"].to_numpy(float), cells["y"].to_numpy(float))
    tree = shapely.STRtree(shapely.box(*boxes.T))
    # A hair beyond the range: whether a cell just in range counts is for the kernel to say.
    reach = candidates.range_m * (1 + 1e-6) + 1e-3
    touched = np.column_stack([x, y, x, y])
    runs = [np.empty((3, 0), dtype=np.int64)]
    for first in range(0, len(spots), SITES_AT_ONCE):
        some = slice(first, first + SITES_AT_ONCE)
        found = tree.query(shapely.points(x[some], y[some]), "dwithin", reach)
        site, block = found[:, np.lexsort(found[::-1])]
        runs.append(_runs(site + first, block))
        _touch(touched[some], x[some], y[some], reach, site, boxes[block])
    of_site, block, last = np.concatenate(runs, axis=1)
    words = -(-len(cells) // WORD_CELLS)
    layout = Layout(
        cells=len(cells),
        targets=len(candidates.target_heights_m),
        site=row_of[mounts["site"]].to_numpy(np.int64),
        run_start=np.searchsorted(of_site, np.arange(len(spots) + 1)).astype(np.int64),
        run_first=block * BLOCK_WORDS,
        run_last=np.minimum((last + 1) * BLOCK_WORDS, words),
    )
    return Corridor(
        layout=layout,
        spots=spots,
        boxes=touched,
        heights_m=mounts["height_m"].to_numpy(float),
        range_m=candidates.range_m,
    )


def _runs(site: Indices, block: Indices) -> Indices:
    """Site, first and last block of each run of neighbouring blocks, int64 [3, runs]."""
    begins = np.ones(len(site), dtype=bool)
    begins[1:] = (np.diff(site) != 0) | (np.diff(block) != 1)
    ends = np.ones(len(site), dtype=bool)
    ends[:-1] = begins[1:]
    return np.stack([site[begins], block[begins], block[ends]])


def _block_boxes(x: FloatArray, y: FloatArray) -> FloatArray:
    """West, south, east, north of each block of cells, float64 [blocks, 4]."""
    if not len(x):
        return np.empty((0, 4))
    starts = np.arange(0, len(x), BLOCK_WORDS * WORD_CELLS)
    low, high = np.minimum.reduceat, np.maximum.reduceat
    return np.column_stack([low(x, starts), low(y, starts), high(x, starts), high(y, starts)])


def _touch(
    touched: FloatArray,
    x: FloatArray,
    y: FloatArray,
    reach: float,
    site: Indices,
    boxes: FloatArray,
) -> None:
    """Widen the box of each site by those of its blocks, as far as the range goes."""
    for side, (grow, clip) in enumerate(((np.minimum, np.maximum), (np.maximum, np.minimum))):
        for axis, own in ((2 * side, x), (2 * side + 1, y)):
            grow.at(touched[:, axis], site, boxes[:, axis])
            touched[:, axis] = clip(touched[:, axis], own + (2 * side - 1) * reach)


def chunks(
    corridor: Corridor,
    cell_m: float,
    origin: tuple[float, float],
    shape: tuple[int, int],
    sites: int | None = None,
) -> Iterator[Chunk]:
    """Cut the job into chunks of neighbouring sites whose work fits in memory.

    Parameters
    ----------
    corridor : Corridor
        The job.
    cell_m, origin, shape
        The surface: its cell in m, the centre of its upper left cell, its rows and columns.
    sites : int, optional
        Sites of a chunk; None takes as many as memory allows.
    """
    first = 0
    while first < corridor.layout.sites:
        last = _end_of_chunk(corridor, first, cell_m) if sites is None else first + sites
        last = min(last, corridor.layout.sites)
        yield _chunk(corridor, first, last, cell_m, origin, shape)
        first = last


def _end_of_chunk(corridor: Corridor, first: int, cell_m: float) -> int:
    """The site before which a chunk that begins at a site must end."""
    layout = corridor.layout
    levels = len(np.unique(corridor.heights_m)) + 1
    west, south, east, north = corridor.boxes[first]
    most = max(CROP_GROWTH * (east - west) * (north - south) / cell_m**2, SMALL_CROP)
    blocks: set[int] = set()
    rays = 0
    for site in range(first, layout.sites):
        box = corridor.boxes[site]
        west, south = min(west, box[0]), min(south, box[1])
        east, north = max(east, box[2]), max(north, box[3])
        for run in range(layout.run_start[site], layout.run_start[site + 1]):
            blocks.update(
                range(layout.run_first[run] // BLOCK_WORDS, -(-layout.run_last[run] // BLOCK_WORDS))
            )
        words = len(blocks) * BLOCK_WORDS
        planes = 8 * (site + 1 - first) * levels * layout.targets * words
        rays += int(layout.width[site]) * WORD_CELLS
        crop = (east - west) * (north - south) / cell_m**2
        if site > first and (planes > CHUNK_BYTES or rays > CHUNK_RAYS or crop > most):
            return site
    return layout.sites


def _chunk(
    corridor: Corridor,
    first: int,
    last: int,
    cell_m: float,
    origin: tuple[float, float],
    shape: tuple[int, int],
) -> Chunk:
    layout = corridor.layout
    words = np.unique(np.concatenate([layout.words_of(site) for site in range(first, last)]))
    low, high = np.searchsorted(layout.site[layout.order], [first, last])
    mounts = layout.order[low:high]
    west, south = corridor.boxes[first:last, :2].min(axis=0)
    east, north = corridor.boxes[first:last, 2:].max(axis=0)
    cols = _span((west - origin[0]) / cell_m, (east - origin[0]) / cell_m, shape[1])
    rows = _span((origin[1] - north) / cell_m, (origin[1] - south) / cell_m, shape[0])
    levels = len(np.unique(corridor.heights_m[mounts])) + 1
    # The kernel's planes, and the same words once more on their way to the sink.
    planes = 2 * 8 * (last - first) * levels * layout.targets * len(words)
    nodes = (rows.stop - rows.start) * (cols.stop - cols.start)
    return Chunk(first, last, words, mounts, rows, cols, planes + nodes * BYTES_A_NODE)


def _span(low: float, high: float, size: int) -> slice:
    """Rows or columns that hold a stretch with a margin, at least two, all within the raster."""
    start = min(max(int(np.floor(low)) - MARGIN_CELLS, 0), size - 2)
    stop = min(max(int(np.ceil(high)) + MARGIN_CELLS + 1, start + 2), size)
    return slice(start, stop)
