"""Visibility: which mount sees the target at which cell, all heights in one pass.

The job is done in chunks of neighbouring sites (:mod:`watchline.design.corridor`), each with its
own piece of the surface, and goes chunk by chunk into a sink: memory does not grow with the line.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.design.corridor import Chunk, Corridor, chunks, lay_out
from watchline.errors import UsageError
from watchline.kernels.curvature import curvature_drop_m, fold_curvature
from watchline.kernels.device import sight_on
from watchline.kernels.grid import Grid, Points, make_grid, make_points
from watchline.kernels.sight import sight_bits
from watchline.kernels.sight_error import SightError, clustered_rate
from watchline.model.candidates import Candidates
from watchline.model.provenance import Provenance
from watchline.model.visibility import (
    WORD_CELLS,
    Indices,
    MemorySink,
    Sink,
    Visibility,
    Words,
    flags_of,
)

METHODS = ("exact", "fan")
EXACT = (
    "exact, every ray held against the whole bilinear surface, at crossings with grid lines and "
    "inside cells, curvature and refraction on; no sampling error"
)
SAMPLE_SHARE = 0.02
"""Share of the sites on which a fan's error is measured, but at least :data:`SAMPLE_LEAST`."""

SAMPLE_LEAST = 24

FloatArray = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


class Surface(Protocol):
    """What the sight job needs of a terrain: pieces of the surface, and where they lie.

    :class:`watchline.model.terrain.Terrain` is one, :class:`watchline.io.terrain_file.TerrainFile`
    another that holds no more of the file than the piece asked for.
    """

    @property
    def cell_m(self) -> float:
        """Side of a cell in m."""

    @property
    def x(self) -> FloatArray:
        """Eastings of the cells' centres, ascending, float64 [cols]."""

    @property
    def y(self) -> FloatArray:
        """Northings of the cells' centres, descending, float64 [rows]."""

    @property
    def local_origin(self) -> tuple[float, float]:
        """Origin for curvature."""

    @property
    def refraction(self) -> float:
        """Refraction coefficient k."""

    def surface_piece(self, rows: slice, cols: slice) -> npt.NDArray[np.float32]:
        """Heights of what blocks sight on some rows and columns, float32 [rows, cols]."""


def folded_grid(terrain: Surface, rows: slice, cols: slice) -> Grid:
    """A piece of the blocking surface with curvature and refraction folded in.

    Every piece is folded about the terrain's one origin, in float64: pieces agree to the bit where
    they overlap, and far from the origin a height is still good to 1e-9 m.
    """
    x, y = terrain.x[cols], terrain.y[rows]
    heights = terrain.surface_piece(rows, cols).astype(np.float64)
    folded = fold_curvature(heights, x, y[:, None], terrain.local_origin, terrain.refraction)
    return make_grid(folded, terrain.cell_m, x[0], y[0])


def folded_points(terrain: Surface, table: pd.DataFrame, rows: Indices) -> Points:
    """Places of some rows of a table (``x``, ``y``, ``ground_z``) with folded heights."""
    x, y, z = (table[name].to_numpy(float)[rows] for name in ("x", "y", "ground_z"))
    return make_points(x, y, z - curvature_drop_m(x, y, terrain.local_origin, terrain.refraction))


def compute_visibility(
    terrain: Surface,
    candidates: Candidates,
    *,
    method: str = "exact",
    spacing: float = 0.5,
    sink: Sink | None = None,
    progress: Callable[[float], None] | None = None,
    chunk_sites: int | None = None,
    device: str = "cpu",
) -> Visibility:
    """Line of sight from every candidate mount to the target's top at every cell in range.

    Parameters
    ----------
    terrain : Terrain or Surface
        The ground and what stands on it; of the surface only pieces are asked for.
    candidates : Candidates
        Mounts and cells.
    method : {"exact", "fan"}
        Every ray tested at every crossing, or a fan of rays whose error is measured on the way.
    spacing : float
        Of a fan: largest gap between neighbouring rays in cells, above 0 and at most 1.
    sink : Sink, optional
        Where the bits go; None keeps them in memory.
    progress : callable, optional
        Called with the share of the work that is done.
    chunk_sites : int, optional
        Sites that are looked at together; None takes as many as memory allows. The exact method
        gives the same bits for any.
    device : {"cpu", "gpu", "auto"}
        Where it is computed; the result is the same.

    Returns
    -------
    Visibility
        Packed bits of the cells near each mount.

    Raises
    ------
    UsageError
        Another method, or a spacing out of bounds.
    """
    look = kernel_of(method, spacing, device)
    corridor = lay_out(candidates)
    sink = MemorySink() if sink is None else sink
    work = np.cumsum(corridor.layout.width + 1)
    sample = _sampled_sites(corridor.layout.sites) if method == "fan" else np.empty(0, np.int64)
    tallies: list[Counts] = []
    sink.begin(corridor.layout)
    try:
        shape = (len(terrain.y), len(terrain.x))
        origin = (float(terrain.x[0]), float(terrain.y[0]))
        for chunk in chunks(corridor, terrain.cell_m, origin, shape, chunk_sites):
            if len(chunk.words):  # else none of its mounts keeps a bit
                job = _job(terrain, candidates, corridor, chunk)
                visible, unknown = look(*job.arguments, **job.window)
                mine = sample[(sample >= chunk.first) & (sample < chunk.last)] - chunk.first
                tallies += _fan_error(job, mine, visible, unknown)
                sink.add(*_own_words(corridor, chunk, job, visible, unknown))
            if progress is not None:
                progress(float(work[chunk.last - 1] / work[-1]))
        text = EXACT
        if method == "fan":
            alike = len(np.unique(corridor.heights_m)) * len(candidates.target_heights_m)
            text = _fan_text(pool_errors(tallies, spacing, alike))
        return sink.finish(
            candidates.target_heights_m,
            text,
            Provenance(
                dict(candidates.provenance.inputs),
                candidates.provenance.seed,
                candidates.provenance.watchline_version,
            ),
        )
    except BaseException:
        sink.abandon()
        raise


def sight_note(visibility: Visibility) -> str:
    """How the design found out who sees what, and how well that is known, in a sentence."""
    return f"Sight lines of the design: {visibility.method}."


def kernel_of(
    method: str, spacing: float, device: str = "cpu"
) -> Callable[..., tuple[Words, Words]]:
    """The kernel of a method.

    Raises
    ------
    UsageError
        It is no method, or the spacing is out of bounds.
    """
    if method not in METHODS:
        raise UsageError(f"method = {method!r}", mend='pass "exact" or "fan"')
    if not 0 < spacing <= 1:
        raise UsageError(f"spacing = {spacing}", mend="pass a spacing above 0 and at most 1 cell")
    look = sight_on(device, method)
    return look if method == "exact" else functools.partial(look, spacing=spacing)


def memory_bytes(terrain: Surface, candidates: Candidates) -> tuple[int, int]:
    """Bytes of all bits on disk before they are packed, and of the largest chunk in memory."""
    corridor = lay_out(candidates)
    shape = (len(terrain.y), len(terrain.x))
    origin = (float(terrain.x[0]), float(terrain.y[0]))
    parts = chunks(corridor, terrain.cell_m, origin, shape)
    return corridor.layout.nbytes, max((chunk.nbytes for chunk in parts), default=0)


@dataclass(frozen=True)
class _Job:
    """What a kernel is given for one chunk."""

    arguments: tuple[Grid, Points, FloatArray, Points, tuple[float, ...], float]
    first: Indices
    last: Indices
    level: Indices
    own: list[Indices]

    @property
    def window(self) -> dict[str, Indices]:
        """Which targets each observer looks at."""
        return {"first_target": self.first, "last_target": self.last}


def _job(terrain: Surface, candidates: Candidates, corridor: Corridor, chunk: Chunk) -> _Job:
    layout = corridor.layout
    cells = (chunk.words[:, None] * WORD_CELLS + np.arange(WORD_CELLS)).ravel()
    cells = cells[cells < layout.cells]
    heights, level = np.unique(corridor.heights_m[chunk.mounts], return_inverse=True)
    own = [
        np.searchsorted(chunk.words, layout.words_of(site))
        for site in range(chunk.first, chunk.last)
    ]
    arguments = (
        folded_grid(terrain, chunk.rows, chunk.cols),
        folded_points(terrain, corridor.spots, np.arange(chunk.first, chunk.last)),
        heights,
        folded_points(terrain, candidates.cells, cells),
        candidates.target_heights_m,
        corridor.range_m,
    )
    first = np.array([words[0] * WORD_CELLS if len(words) else 0 for words in own], np.int64)
    last = np.array([(words[-1] + 1) * WORD_CELLS if len(words) else 0 for words in own], np.int64)
    return _Job(arguments, first, last, level, own)


def _own_words(
    corridor: Corridor, chunk: Chunk, job: _Job, visible: Words, unknown: Words
) -> tuple[Words, Words]:
    """Of the chunk's bits those that each mount and each site keeps, one after the other."""
    site = corridor.layout.site[chunk.mounts] - chunk.first
    seen = [
        visible[i, level][:, job.own[i]] for i, level in zip(site, job.level.ravel(), strict=True)
    ]
    lost = [unknown[i][:, words] for i, words in enumerate(job.own)]
    return np.concatenate(seen, axis=1), np.concatenate(lost, axis=1)


def _sampled_sites(sites: int) -> Indices:
    """Sites on which a fan's error is measured, evenly along the line."""
    count = min(sites, max(SAMPLE_LEAST, round(sites * SAMPLE_SHARE)))
    return np.unique(np.linspace(0, max(sites - 1, 0), count).round().astype(np.int64))


def _fan_error(job: _Job, some: Indices, visible: Words, unknown: Words) -> list[Counts]:
    """Hold a fan's bits of some sites of a chunk against the exact method's, site by site."""
    if not len(some):
        return []
    grid, observers, heights, targets, heads, reach = job.arguments
    few = make_points(*(values[some] for values in observers))
    first, last = job.first[some], job.last[some]
    exact, lost = sight_bits(
        grid, few, heights, targets, heads, reach, first_target=first, last_target=last
    )
    place = np.arange(len(targets.x_m))
    tallies = []
    for i, site in enumerate(some):
        near = np.hypot(targets.x_m - few.x_m[i], targets.y_m - few.y_m[i]) <= reach
        near &= (place >= first[i]) & (place < last[i])
        known = near & ~flags_of(lost[i] | unknown[site])[:, : len(place)]
        tally = np.zeros(6, dtype=np.int64)
        tally[4] = (flags_of(lost[i] ^ unknown[site])[:, : len(place)] & near).sum()
        tally[5] = near.sum()
        for level in range(len(heights)):
            truth, fan = (
                flags_of(bits)[:, : len(place)] for bits in (exact[i, level], visible[site, level])
            )
            shown = (fan, ~fan, fan & ~truth, ~fan & truth)
            tally[:4] += [int((flags & known).sum()) for flags in shown]
        tallies.append(tally)
    return tallies


def pool_errors(tallies: list[Counts], spacing: float, alike: int) -> SightError:
    """The error of a fan from the counts of sampled sites.

    Parameters
    ----------
    tallies : list of int64 array [6]
        Of each site: outcomes shown visible, shown hidden, false visible, false hidden, unknown to
        one method only; rays.
    spacing : float
        The fan's spacing in cells.
    alike : int
        Outcomes of one ray: mount heights × target heights.
    """
    counts = np.stack(tallies) if tallies else np.zeros((0, 6), dtype=np.int64)
    shown, wrong = counts[:, :2], counts[:, 2:4]
    return SightError(
        false_visible=clustered_rate(wrong[:, 0], shown[:, 0], alike),
        false_hidden=clustered_rate(wrong[:, 1], shown[:, 1], alike),
        differs=clustered_rate(wrong.sum(axis=1), shown.sum(axis=1), alike),
        unknown_differs=int(counts[:, 4].sum()),
        rays=int(counts[:, 5].sum()),
        observers=int((counts[:, 5] > 0).sum()),
        spacing=spacing,
        seed=0,
    )


def _fan_text(error: SightError) -> str:
    about = (
        f"fan of rays at most {error.spacing:g} cells apart, horizons interpolated between rays, "
        "curvature and refraction on"
    )
    if not error.rays:
        return f"{about}; its error was not measured, as no cell is in range"
    return f"{about}; {error.sentence}"
