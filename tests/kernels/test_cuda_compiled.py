"""The GPU kernels, compiled for one thread of the processor, against twins and the CPU kernels."""

from __future__ import annotations

import math

import naive_bulge
import numpy as np
import pytest
import sequential_cuda
import test_fan
import test_sight_naive

from watchline.errors import UsageError
from watchline.kernels import (
    bilinear_heights_m,
    count_bits,
    fan_bits,
    make_grid,
    make_points,
    sight_bits,
    unpack_bits,
)

MOUNTS, HEADS = [25.0, 4.0, 10.0], [0.5, 1.7]
ROUNDING_M = 1e-6


@pytest.fixture(scope="module")
def gpu():
    return sequential_cuda.load()


def saddle():
    """A plain with one cell whose middle lies 2 m above the plain's diagonal."""
    surface = np.zeros((12, 12))
    surface[5, 6] = surface[6, 5] = 4.0
    return make_grid(surface, 1.0, 0.0, 0.0)


def sees_saddle(method, height):
    ends = [make_points([at], [-at], [0.0]) for at in (1.0, 10.0)]
    seen, _ = method(saddle(), ends[0], [height], ends[1], [height])
    return bool(seen[0, 0, 0, 0])


def untwisted(seed, rows, cols, cell=5.0):
    """Terrain whose cells all are planes: rows plus columns, as whole centimetres."""
    rng = np.random.default_rng(seed)
    steps = [np.cumsum(rng.normal(0, 1.5, size)).round(2) for size in (rows, cols)]
    grid = make_grid(steps[0][:, None] + steps[1], cell, 700.0, 300.0)

    def points(count):
        u, v = rng.uniform(-0.5, cols - 0.5, count), rng.uniform(-0.5, rows - 0.5, count)
        u[::2], v[::2] = np.round(u[::2]), np.round(v[::2])
        x, y = grid.x0_m + cell * u, grid.y0_m - cell * v
        return make_points(x, y, bilinear_heights_m(grid, x, y))

    return grid, points(12), points(3_000)


def assert_same(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert (a == b).all(), f"{count_bits(a ^ b).sum()} bits differ"


@pytest.mark.parametrize("seed", range(12))
def test_exact_agrees_with_the_naive_twin_on_every_pair(gpu, seed):
    grid, observers, targets = test_sight_naive.scene(
        seed, integers=seed % 3 == 0, holes=(0.0, 0.0, 0.03)[seed % 3], walls=seed % 2, cell=2.5
    )
    rows = grid.surface_m.astype(float).tolist()
    want = np.empty((observers.x_m.size, targets.x_m.size))
    for i, j in np.ndindex(*want.shape):
        ends = (test_sight_naive.in_nodes(grid, p, k) for p, k in ((observers, i), (targets, j)))
        least = naive_bulge.least_mount(rows, *ends, 1.7)
        want[i, j] = math.nan if least is None else least
    seen, unknown = gpu.sight_bits(grid, observers, [0.0, 6.0], targets, [1.7])
    assert (unpack_bits(unknown, targets.x_m.size)[:, 0] == np.isnan(want)).all()
    for m, mount in enumerate((0.0, 6.0)):
        clear = abs(want - mount) > ROUNDING_M
        sees = unpack_bits(seen, targets.x_m.size)[:, m, 0]
        assert (sees == (want <= mount))[clear].all()
    # h_min itself: just above it the target is seen, just below it is not.
    for i, j in np.argwhere(np.isfinite(want) & (abs(want) < 1e4))[::7]:
        one = [make_points(*(a[k] for a in p)) for p, k in ((observers, i), (targets, j))]
        edge = ROUNDING_M * max(1.0, abs(want[i, j]))
        seen, _ = gpu.sight_bits(
            grid, one[0], [want[i, j] - edge, want[i, j] + edge], one[1], [1.7]
        )
        assert seen[0, :, 0, 0].tolist() == [0, 1]


def test_the_inside_of_a_cell_hides_what_no_crossing_does(gpu):
    """A level ray over the saddle: it passes 2 m above the diagonal, less what may touch."""
    for height in (0.5, 1.9, 1.9994):
        assert not sees_saddle(gpu.sight_bits, height)
    for height in (1.9996, 2.1):
        assert sees_saddle(gpu.sight_bits, height)


@pytest.mark.parametrize("cull", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
def test_exact_gives_the_bits_of_the_processor_where_cells_are_planes(gpu, seed, cull):
    scene = untwisted(seed, 60, 150)
    heads = np.linspace(0.0, 4.0, 11)  # more than one launch takes
    theirs = sight_bits(*scene[:2], MOUNTS, scene[2], heads)
    assert 0.1 < unpack_bits(theirs[0], 3_000).mean() < 0.9
    assert theirs[1].any()
    assert_same(gpu.sight_bits(*scene[:2], MOUNTS, scene[2], heads, cull=cull), theirs)


@pytest.mark.skipif(
    sees_saddle(sight_bits, 0.5), reason="the processor's kernel tests crossings only"
)
@pytest.mark.parametrize("holes", [0.0, 0.0003])
def test_exact_gives_the_bits_of_the_processor(gpu, holes):
    grid, observers, targets = test_fan.scene(4, holes=holes)
    theirs = sight_bits(grid, observers, MOUNTS, targets, HEADS)
    assert_same(gpu.sight_bits(grid, observers, MOUNTS, targets, HEADS), theirs)


@pytest.mark.parametrize("holes", [0.0, 0.0003])
@pytest.mark.parametrize("seed", [6, 7])
def test_passing_tiles_changes_no_bit(gpu, seed, holes):
    grid, observers, targets = test_fan.scene(seed, 90, 700, holes)
    for lift in (0.0, 30.0):  # from the ground, and from so high that most tiles are passed
        mounts = [mount + lift for mount in MOUNTS]
        on, off = (
            gpu.sight_bits(grid, observers, mounts, targets, HEADS, cull=cull)
            for cull in (True, False)
        )
        assert_same(on, off)


@pytest.mark.parametrize(
    ("seed", "rows", "cols", "holes", "spacing"),
    [
        (1, 150, 400, 0.0, 0.5),
        (2, 150, 400, 0.0004, 0.5),
        (3, 120, 1_500, 0.0, 1.0),
        (4, 600, 60, 0.0, 0.25),
        (5, 133, 165, 0.0, 0.07),
    ],
)
@pytest.mark.parametrize("cull", [True, False])
def test_the_fan_gives_the_bits_of_the_processor(gpu, seed, rows, cols, holes, spacing, cull):
    grid, observers, targets = test_fan.scene(seed, rows, cols, holes)
    theirs = fan_bits(grid, observers, MOUNTS, targets, HEADS, spacing=spacing)
    ours = gpu.fan_bits(grid, observers, MOUNTS, targets, HEADS, spacing=spacing, cull=cull)
    assert_same(ours, theirs)


@pytest.mark.parametrize("method", ["exact", "fan"])
def test_range_window_and_lost_ends_are_those_of_the_processor(gpu, method):
    grid, observers, targets = untwisted(9, 90, 200)
    observers.z_m[3] = np.nan
    targets.z_m[::7] = np.nan
    targets.x_m[::11] += 4_000
    more = {
        "max_range_m": np.linspace(50, 700, 12),
        "first_target": np.arange(12) * 100,
        "last_target": np.arange(12) * 150 + 1_500,
    }
    ours, theirs = (sight_bits, gpu.sight_bits) if method == "exact" else (fan_bits, gpu.fan_bits)
    want = ours(grid, observers, MOUNTS, targets, HEADS, **more)
    assert want[0].any()
    assert want[1].any()
    assert_same(theirs(grid, observers, MOUNTS, targets, HEADS, **more), want)


def test_launches_in_pieces_give_the_same_bits(gpu, monkeypatch):
    """Planes of one site at a time, and horizons for two blocks."""
    grid, observers, targets = untwisted(3, 40, 70)
    for method in (gpu.sight_bits, gpu.fan_bits):
        whole = method(grid, observers, MOUNTS, targets, HEADS)
        monkeypatch.setitem(method.__globals__, "_PLANE_BYTES", 1)
        assert_same(method(grid, observers, MOUNTS, targets, HEADS), whole)


@pytest.mark.parametrize("method", ["sight_bits", "fan_bits"])
def test_nothing_to_look_at_gives_empty_planes(gpu, method):
    grid, observers, targets = untwisted(3, 20, 30)
    nobody = make_points([], [], [])
    function = getattr(gpu, method)
    assert function(grid, nobody, MOUNTS, targets, HEADS)[0].shape == (0, 3, 2, 47)
    assert function(grid, observers, MOUNTS, nobody, HEADS)[1].shape == (12, 2, 0)


def test_a_spacing_out_of_bounds_is_refused(gpu):
    with pytest.raises(UsageError, match="spacing"):
        gpu.fan_bits(*untwisted(3, 20, 30)[:2], MOUNTS, make_points([], [], []), HEADS, spacing=2)
