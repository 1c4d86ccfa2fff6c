"""Visibility in runs and chunks: to the bit what one call on the whole raster and all cells gives.

The oracle is that one call: every site, every cell, the whole surface folded at once.
"""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numba
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, get_coordinates, points

from watchline.design import see
from watchline.design.corridor import BLOCK_WORDS, chunks, lay_out
from watchline.design.see import compute_visibility, memory_bytes
from watchline.errors import UsageError, WatchlineError
from watchline.io.terrain_file import TerrainFile, write_terrain
from watchline.io.visibility import VisibilityWriter
from watchline.kernels import (
    bilinear_heights_m,
    fold_curvature,
    make_grid,
    make_points,
    sight_bits,
    unpack_bits,
)
from watchline.kernels.curvature import curvature_drop_m
from watchline.model.candidates import Candidates
from watchline.model.terrain import Terrain
from watchline.model.visibility import MemorySink

STRAIGHT = ((10.0, 30.0), (310.0, 30.0))
THERE_AND_BACK = ((10.0, 20.0), (300.0, 20.0), (300.0, 44.0), (12.0, 44.0))
RING = ((20.0, 10.0), (300.0, 10.0), (300.0, 50.0), (20.0, 50.0), (20.0, 11.0))
HEIGHTS = (3.0, 6.0, 11.0)


def make_terrain(seed=1, rows=61, cols=321, holes=0, cell=1.0, flat=False) -> Terrain:
    rng = np.random.default_rng(seed)
    wave = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(cols))
    wave[0, 0] = np.inf
    phase = np.exp(2j * np.pi * rng.random(wave.shape))
    heights = np.fft.irfft2(wave**-1.8 * phase, (rows, cols))
    heights = (heights / heights.std() * 3).astype(np.float32)
    if flat:
        heights[:] = 0
    heights.ravel()[rng.integers(0, heights.size, holes)] = np.nan
    data = xr.Dataset(
        {"ground": (("y", "x"), heights), "surface": (("y", "x"), heights + np.float32(0.25))},
        coords={"x": np.arange(cols) * cell, "y": np.arange(rows)[::-1] * cell},
        attrs={"cell_m": cell},
    )
    return Terrain(data=data, crs="EPSG:32636", refraction=0.13)


def make_candidates(
    terrain: Terrain, line=STRAIGHT, sites=12, range_m=40.0, cell_m=0.5, seed=1, wide_m=4.0
) -> Candidates:
    """Cells beside a line, ordered by chainage, and sites along it, the last three anywhere."""
    path, rng = LineString(line), np.random.default_rng(seed)
    s, t = np.meshgrid(
        np.arange(cell_m / 2, path.length, cell_m), np.arange(-wide_m, wide_m, cell_m),
        indexing="ij",
    )  # fmt: skip
    foot, ahead = (get_coordinates(path.interpolate(s.ravel() + d)) for d in (0.0, 1e-3))
    step = (ahead - foot) / 1e-3
    step /= np.maximum(np.hypot(*step.T), 1e-9)[:, None]
    place = foot + t.ravel()[:, None] * np.column_stack([-step[:, 1], step[:, 0]])
    cells = pd.DataFrame({"x": place[:, 0], "y": place[:, 1], "s": s.ravel(), "t": t.ravel()})
    along = np.concatenate([np.linspace(0, path.length, sites), rng.uniform(0, path.length, 3)])
    spot = get_coordinates(path.interpolate(along)) + rng.uniform(-3, 3, (sites + 3, 2))
    rows = [
        {"site": i, "s": along[i], "x": x, "y": y, "height_m": HEIGHTS[j]}
        for i, (x, y) in enumerate(spot)
        for j in range(3 if i < sites else 1)
    ]
    mounts = pd.DataFrame(rows)
    mounts.insert(0, "mount", np.arange(len(mounts)))
    grid = make_grid(terrain.ground, terrain.cell_m, *terrain.origin)
    for table in (mounts, cells):
        table["ground_z"] = bilinear_heights_m(grid, table["x"], table["y"])
    mounts = gpd.GeoDataFrame(mounts, geometry=points(mounts.x, mounts.y), crs=terrain.crs)
    return Candidates(mounts, cells, range_m, (0.5, 1.7))


def dense(terrain: Terrain, candidates: Candidates, method=sight_bits, **more):
    """Booleans [mounts, targets, cells] of one call for the whole line: visible, unknown."""
    origin, k = terrain.local_origin, terrain.refraction
    surface = fold_curvature(
        terrain.surface.astype(np.float64), terrain.x, terrain.y[:, None], origin, k
    )
    ends = [
        make_points(t.x, t.y, t.ground_z - curvature_drop_m(t.x, t.y, origin, k))
        for t in (candidates.mounts, candidates.cells)
    ]
    count = len(candidates.cells)
    seen, unknown = method(
        make_grid(surface, terrain.cell_m, *terrain.origin), ends[0], HEIGHTS, ends[1],
        candidates.target_heights_m, candidates.range_m, **more,
    )  # fmt: skip
    level = np.searchsorted(HEIGHTS, candidates.mounts["height_m"])
    return (
        unpack_bits(seen, count)[np.arange(len(level)), level],
        unpack_bits(unknown, count),
    )


def spread(visibility):
    """Booleans [mounts, targets, cells] of an artefact: visible, unknown."""
    mounts, targets = range(visibility.mounts), range(len(visibility.target_heights_m))
    return tuple(
        np.array([[flags(m, k) for k in targets] for m in mounts])
        for flags in (visibility.sees, visibility.unknown_of)
    )


def assert_same(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    line=st.sampled_from([STRAIGHT, THERE_AND_BACK, RING]),
    range_m=st.floats(2.0, 400.0),
    holes=st.sampled_from([0, 3, 200]),
    sites=st.sampled_from([None, 1, 4]),
    rows=st.sampled_from([61, 46, 34]),
)
def test_runs_hold_what_the_whole_line_at_once_gives(seed, line, range_m, holes, sites, rows):
    terrain = make_terrain(seed, rows=rows, holes=holes)  # 34 and 46 rows leave cells outside
    candidates = make_candidates(terrain, line, range_m=range_m, seed=seed)
    wanted = dense(terrain, candidates)
    assert_same(spread(compute_visibility(terrain, candidates, chunk_sites=sites)), wanted)
    if range_m > 50:
        assert wanted[0].any()


@pytest.fixture(scope="module")
def world():
    terrain = make_terrain(7, holes=40)
    return terrain, make_candidates(terrain, THERE_AND_BACK, sites=30)


def test_the_size_of_a_chunk_changes_no_bit(world):
    wanted = compute_visibility(*world)
    for sites in (1, 2, 7, 1000):
        found = compute_visibility(*world, chunk_sites=sites)
        np.testing.assert_array_equal(found.planes.visible_words, wanted.planes.visible_words)
        np.testing.assert_array_equal(found.planes.unknown_words, wanted.planes.unknown_words)
    assert wanted.planes.visible_words.any()
    assert wanted.planes.unknown_words.any()


def test_the_number_of_threads_changes_no_bit(world):
    before = numba.get_num_threads()
    found = []
    try:
        for threads in {1, min(2, numba.config.NUMBA_NUM_THREADS)}:
            numba.set_num_threads(threads)
            found.append(compute_visibility(*world).planes.visible_words)
    finally:
        numba.set_num_threads(before)
    for words in found:
        np.testing.assert_array_equal(words, found[0])


class Watched:
    """A surface that notes which pieces are asked for, and gives NaN for everything else."""

    def __init__(self, terrain):
        self.x, self.y, self.cell_m = terrain.x, terrain.y, terrain.cell_m
        self.local_origin, self.refraction = terrain.local_origin, terrain.refraction
        self.terrain, self.pieces = terrain, []

    def surface_piece(self, rows, cols):
        self.pieces.append((rows, cols))
        return self.terrain.surface_piece(rows, cols)


def test_only_what_sight_lines_can_touch_is_read(world):
    terrain, candidates = world
    surface = Watched(terrain)
    found = compute_visibility(surface, candidates, chunk_sites=3)
    assert_same(spread(found), dense(terrain, candidates))
    corridor = lay_out(candidates)
    reach, width = candidates.range_m, len(terrain.x)
    for chunk, (rows, cols) in zip(
        chunks(corridor, 1.0, terrain.origin, terrain.surface.shape, 3), surface.pieces, strict=True
    ):
        x = corridor.spots["x"].to_numpy()[chunk.first : chunk.last]
        assert cols.start >= max(0, x.min() - reach - 4)
        assert cols.stop <= min(width, x.max() + reach + 6)
        assert rows.stop <= len(terrain.y)
        # Every cell that a site of the chunk keeps and that is in range lies within the piece.
        for site in range(chunk.first, chunk.last):
            near = candidates.cells.iloc[corridor.layout.cells_of(site)]
            spot = corridor.spots.iloc[site]
            near = near[np.hypot(near.x - spot.x, near.y - spot.y) <= reach]
            assert near.x.min() >= cols.start + 1 or cols.start == 0
            assert near.x.max() <= cols.stop - 2 or cols.stop == width
    assert max(c.stop - c.start for _, c in surface.pieces) < width


def test_a_mount_with_no_cell_in_range_keeps_nothing():
    terrain = make_terrain()
    candidates = make_candidates(terrain, ((10.0, 5.0), (60.0, 5.0)), range_m=20.0)
    mounts = candidates.mounts.copy()
    mounts.loc[mounts["site"] == 4, ["x", "y"]] = (300.0, 55.0)
    candidates = replace(candidates, mounts=mounts)
    visibility = compute_visibility(terrain, candidates)
    lonely = mounts.index[mounts["site"] == 4]
    for mount in lonely:
        assert len(visibility.cells_of(mount)) == 0
        assert visibility.visible_at(mount).shape == (2, 0)
        assert not visibility.sees(mount, 0).any()
    assert_same(spread(visibility), dense(terrain, candidates))
    # Nobody in range at all, and no cells at all.
    mounts[["x", "y"]] = (300.0, 55.0)
    assert not spread(compute_visibility(terrain, replace(candidates, mounts=mounts)))[0].any()
    none = replace(candidates, cells=candidates.cells.iloc[:0])
    assert spread(compute_visibility(terrain, none))[0].shape == (len(mounts), 2, 0)


def test_a_cell_exactly_at_the_range_counts_and_one_beyond_does_not():
    terrain = make_terrain(flat=True)
    candidates = make_candidates(terrain, sites=2, range_m=50.0, cell_m=1.0)
    mounts = candidates.mounts[candidates.mounts["site"] == 0].copy()
    mounts[["x", "y", "ground_z"]] = (100.0, 30.0, 0.0)
    cells = pd.DataFrame(
        {"x": [50.0, 49.999, 140.0, 148.0, 150.0, 150.001], "y": [30.0, 30, 60, 44, 30, 30]}
    )
    cells = cells.assign(s=cells.x, t=0.0, ground_z=0.0)
    found = compute_visibility(terrain, replace(candidates, mounts=mounts, cells=cells))
    np.testing.assert_array_equal(found.sees(2, 1), [True, False, True, True, True, False])


def test_where_a_line_returns_a_mount_keeps_two_runs_and_not_what_lies_between():
    terrain = make_terrain()
    candidates = make_candidates(terrain, THERE_AND_BACK, sites=20, range_m=30.0)
    layout = lay_out(candidates).layout
    runs = np.diff(layout.run_start)
    assert runs.max() == 2
    twice = int(np.flatnonzero(runs == 2)[0])
    cells = candidates.cells.iloc[layout.cells_of(twice)]
    assert np.diff(cells["s"]).max() > 100.0
    assert layout.width.max() < 0.4 * layout.cells / 64


def test_the_size_grows_with_the_length_of_the_line_and_not_with_its_square():
    sizes = []
    for length in (1_000.0, 2_000.0, 4_000.0):
        terrain = make_terrain(flat=True, rows=5, cols=3)
        candidates = make_candidates(
            terrain, ((0.0, 0.0), (length, 0.0)), sites=int(length / 50) + 1, range_m=100.0,
            cell_m=1.0,
        )  # fmt: skip
        sizes.append(lay_out(candidates).layout.nbytes)
    assert sizes[1] / sizes[0] == pytest.approx(2, rel=0.1)
    assert sizes[2] / sizes[1] == pytest.approx(2, rel=0.05)


def test_chunks_hold_every_site_once_and_keep_to_their_memory(monkeypatch):
    terrain = make_terrain()
    candidates = make_candidates(terrain, sites=40)
    corridor = lay_out(candidates)
    place = (1.0, terrain.origin, terrain.surface.shape)
    assert len(list(chunks(corridor, *place))) == 1
    monkeypatch.setattr("watchline.design.corridor.CHUNK_BYTES", 20_000)
    parts = list(chunks(corridor, *place))
    assert len(parts) > 3
    assert [p.first for p in parts] == [0, *(p.last for p in parts[:-1])]
    assert parts[-1].last == corridor.layout.sites
    mounts = np.concatenate([p.mounts for p in parts])
    np.testing.assert_array_equal(mounts, corridor.layout.order)
    for part in parts:
        assert 8 * (part.last - part.first) * 4 * 2 * (len(part.words) - BLOCK_WORDS) <= 20_000
    on_disk, in_memory = memory_bytes(terrain, candidates)
    assert on_disk == corridor.layout.nbytes
    assert in_memory == max(part.nbytes for part in parts)


def test_a_file_gives_the_bits_that_memory_gives(world, tmp_path):
    terrain, candidates = world
    wanted = compute_visibility(terrain, candidates)
    write_terrain(terrain, tmp_path / "terrain.tif")
    path = tmp_path / "visibility.zarr"
    with TerrainFile(tmp_path / "terrain.tif") as surface:
        found = compute_visibility(surface, candidates, sink=VisibilityWriter(path), chunk_sites=5)
    assert_same(spread(found), spread(wanted))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["terrain.tif", "visibility.zarr"]
    assert found.method == wanted.method


def test_progress_rises_to_one_and_an_interrupt_leaves_nothing_behind(world, tmp_path):
    shares = []
    compute_visibility(*world, chunk_sites=4, progress=shares.append)
    assert shares == sorted(shares)
    assert len(shares) > 5
    assert shares[-1] == 1.0

    def stop(share):
        if share > 0.4:
            raise KeyboardInterrupt

    sink = VisibilityWriter(tmp_path / "visibility.zarr")
    with pytest.raises(KeyboardInterrupt):
        compute_visibility(*world, chunk_sites=4, progress=stop, sink=sink)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("spacing", [1.0, 0.25])
def test_the_error_of_a_fan_is_what_both_methods_say_of_its_own_bits(world, spacing, monkeypatch):
    terrain, candidates = world
    # Every site with all heights, so that every pair of the sample is one of the artefact.
    mounts = candidates.mounts
    full = mounts[mounts.groupby("site")["site"].transform("size") == 3]
    candidates = replace(candidates, mounts=full.reset_index(drop=True))
    found = []
    monkeypatch.setattr(see, "_fan_text", lambda error: found.append(error) or "fan")
    monkeypatch.setattr(see, "SAMPLE_LEAST", 1_000)
    fan, lost = spread(
        compute_visibility(terrain, candidates, method="fan", spacing=spacing, chunk_sites=9)
    )
    error = found[0]
    truth, unknown = dense(terrain, candidates)
    x, y = (candidates.cells[axis].to_numpy() for axis in "xy")
    mounts = candidates.mounts
    near = np.array([np.hypot(x - mx, y - my) <= candidates.range_m
                     for mx, my in zip(mounts.x, mounts.y, strict=True)])  # fmt: skip
    known = near[:, None] & ~unknown & ~lost
    assert error.false_visible[:2] == ((fan & ~truth & known).sum(), (fan & known).sum())
    assert error.false_hidden[:2] == ((~fan & truth & known).sum(), (~fan & known).sum())
    assert error.rays == near.sum() / 3
    assert error.unknown_differs == ((unknown ^ lost) & near[:, None]).sum() / 3
    assert 0 < error.differs.low < error.differs.rate < error.differs.high < 0.05


def test_the_method_of_a_fan_is_told_with_its_spacing_and_error(world):
    text = compute_visibility(*world, method="fan", spacing=0.5).method
    assert text.startswith("fan of rays at most 0.5 cells apart")
    assert "fan against exact on" in text
    assert "of what is shown as seen is hidden" in text
    far = replace(world[1], range_m=1e-3)
    assert "not measured" in compute_visibility(world[0], far, method="fan").method


def test_no_method_and_no_spacing_are_refused(world):
    for wrong in ({"method": "guess"}, {"method": "fan", "spacing": 0.0}, {"spacing": 2.0}):
        with pytest.raises(UsageError):
            compute_visibility(*world, **wrong)


def test_a_sink_that_fails_is_told_to_forget(world):
    class Full(MemorySink):
        forgot = False

        def add(self, visible, unknown):
            raise WatchlineError("the disk is full")

        def abandon(self):
            self.forgot = True

    sink = Full()
    with pytest.raises(WatchlineError, match="disk is full"):
        compute_visibility(*world, sink=sink)
    assert sink.forgot
