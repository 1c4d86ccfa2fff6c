"""What must hold for every terrain: monotone, reciprocal, free of axes, threads and origin."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchline.errors import UsageError
from watchline.kernels import (
    Grid,
    Points,
    bilinear_heights_m,
    least_mount_heights_m,
    make_grid,
    make_points,
    sight_bits,
    unpack_bits,
)

SEEDS = st.integers(0, 2**32 - 1)
HEIGHTS = [0.5, 2.0, 4.0, 8.0]
HEADS = [0.5, 1.7]


def scene(seed: int, rows: int = 40, cols: int = 33, holes: float = 0.0):
    """Rough terrain with points at nodes and between them, on the ground."""
    rng = np.random.default_rng(seed)
    surface = (
        3 * rng.normal(size=(rows, cols)).cumsum(axis=0) / np.sqrt(np.arange(1, rows + 1))[:, None]
    )
    surface[rng.random((rows, cols)) < holes] = np.nan
    grid = make_grid(surface, 5.0, 1_000.0, 2_000.0)

    def points(count):
        u, v = rng.uniform(0, cols - 1, count), rng.uniform(0, rows - 1, count)
        u[::2], v[::2] = np.round(u[::2]), np.round(v[::2])
        x, y = grid.x0_m + 5.0 * u, grid.y0_m - 5.0 * v
        return make_points(x, y, bilinear_heights_m(grid, x, y))

    return grid, points(12), points(300)


def bits(grid, observers, targets, **more):
    seen, unknown = sight_bits(grid, observers, HEIGHTS, targets, HEADS, **more)
    return unpack_bits(seen, targets.x_m.size), unpack_bits(unknown, targets.x_m.size)


@given(seed=SEEDS, holes=st.sampled_from([0.0, 0.01]))
@settings(max_examples=15, deadline=None)
def test_raising_the_observer_or_the_target_never_hides(seed, holes):
    seen, unknown = bits(*scene(seed, holes=holes))
    assert (seen[:, 1:] >= seen[:, :-1]).all()
    assert (seen[:, :, 1] >= seen[:, :, 0]).all()
    assert not (seen & unknown[:, None]).any()


@given(seed=SEEDS)
@settings(max_examples=15, deadline=None)
def test_raising_terrain_never_reveals(seed):
    grid, observers, targets = scene(seed)
    raised = grid.surface_m + np.random.default_rng(seed).exponential(2, grid.surface_m.shape)
    before, _ = bits(grid, observers, targets)
    after, _ = bits(grid._replace(surface_m=raised), observers, targets)
    assert (after <= before).all()
    assert (after < before).any()


@given(seed=SEEDS, holes=st.sampled_from([0.0, 0.01]))
@settings(max_examples=15, deadline=None)
def test_sight_is_mutual(seed, holes):
    grid, observers, targets = scene(seed, holes=holes)
    forth, unknown_forth = sight_bits(grid, observers, [1.7], targets, [1.7])
    back, unknown_back = sight_bits(grid, targets, [1.7], observers, [1.7])
    for there, here in ((forth[:, 0, 0], back[:, 0, 0]), (unknown_forth[:, 0], unknown_back[:, 0])):
        there = unpack_bits(there, targets.x_m.size)
        assert (there == unpack_bits(here, observers.x_m.size).T).all()


@given(seed=SEEDS, east=st.floats(-0.5, 0.5), north=st.floats(-0.5, 0.5))
@settings(max_examples=15, deadline=None)
def test_a_tilted_plane_on_top_changes_nothing(seed, east, north):
    grid, observers, targets = scene(seed)
    x = grid.x0_m + 5.0 * np.arange(grid.surface_m.shape[1])
    y = grid.y0_m - 5.0 * np.arange(grid.surface_m.shape[0])[:, None]
    tilted = [
        points._replace(z_m=points.z_m + 100 + east * points.x_m + north * points.y_m)
        for points in (observers, targets)
    ]
    surface = grid.surface_m + 100 + east * x + north * y
    assert (bits(grid, observers, targets)[0] == bits(Grid(surface, *grid[1:]), *tilted)[0]).all()


def moved(grid: Grid, points: Points, how: str) -> Points:
    """Places after the surface has been moved; exact for the coordinates used here."""
    rows, cols = grid.surface_m.shape
    u, v = (points.x_m - grid.x0_m) / 5.0, (grid.y0_m - points.y_m) / 5.0
    if how == "turned":
        u, v = v, cols - 1 - u
    elif how == "mirrored":
        u = cols - 1 - u
    elif how == "flipped":
        v = rows - 1 - v
    return make_points(grid.x0_m + 5.0 * u, grid.y0_m - 5.0 * v, points.z_m)


@given(seed=SEEDS, how=st.sampled_from(["turned", "mirrored", "flipped"]))
@settings(max_examples=20, deadline=None)
def test_turning_and_mirroring_the_world_changes_nothing(seed, how):
    grid, observers, targets = scene(seed, holes=0.003)
    turn = {"turned": np.rot90, "mirrored": np.fliplr, "flipped": np.flipud}[how]
    there = make_grid(turn(grid.surface_m), *grid[1:])
    ends = moved(grid, observers, how), moved(grid, targets, how)
    for a, b in zip(bits(grid, observers, targets), bits(there, *ends), strict=True):
        assert (a == b).all()


@given(seed=SEEDS, east=st.integers(-(10**5), 10**5), north=st.integers(-(10**5), 10**5))
@settings(max_examples=10, deadline=None)
def test_moving_the_world_changes_nothing(seed, east, north):
    grid, observers, targets = scene(seed)
    there = Grid(grid.surface_m, grid.cell_m, grid.x0_m + east, grid.y0_m + north)
    ends = [Points(p.x_m + east, p.y_m + north, p.z_m) for p in (observers, targets)]
    assert (bits(grid, observers, targets)[0] == bits(there, *ends)[0]).all()


def test_one_and_two_threads_give_the_same_bits():
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("one core")
    grid, observers, _ = scene(7, 200, 180, holes=0.0005)
    rng = np.random.default_rng(8)
    x, y = 1_000 + rng.uniform(0, 890, 9_000), 2_000 - rng.uniform(0, 990, 9_000)
    targets = make_points(x, y, bilinear_heights_m(grid, x, y))
    results = []
    before = numba.get_num_threads()
    for threads in (1, 2):
        numba.set_num_threads(threads)
        results.append(
            (
                *sight_bits(grid, observers, HEIGHTS, targets, HEADS),
                least_mount_heights_m(grid, observers, targets, HEADS),
            )
        )
    numba.set_num_threads(before)
    for one, two in zip(*results, strict=True):
        assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("holes", [0.0, 0.0003])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_skipping_what_is_too_low_to_matter_changes_no_bit(seed, holes):
    grid, observers, targets = scene(seed, 150, 220, holes)
    for heights in (HEADS, HEADS[1:]):
        on, off = (
            (
                *sight_bits(grid, observers, HEIGHTS, targets, heights, cull=cull),
                least_mount_heights_m(grid, observers, targets, heights, cull=cull),
            )
            for cull in (True, False)
        )
        for one, other in zip(on, off, strict=True):
            assert one.tobytes() == other.tobytes()


def test_a_hole_makes_the_rays_through_it_unknown_even_behind_a_wall():
    surface = np.zeros((9, 30))
    surface[:, 5] = 50.0
    surface[4, 20] = np.nan
    grid = make_grid(surface, 1.0, 0.0, 0.0)
    observer = make_points([0.0], [-4.0], [0.0])
    targets = make_points([3.0, 12.0, 28.0, 28.0], [-4.0, -4.0, -4.0, 0.0], np.zeros(4))
    seen, unknown = bits(grid, observer, targets)
    assert unknown[0, 0].tolist() == [False, False, True, False]
    assert seen[0, 0, 0].tolist() == [True, False, False, False]


def test_ends_without_ground_or_outside_are_unknown():
    grid = make_grid(np.zeros((4, 4)), 1.0, 0.0, 0.0)
    targets = make_points([1.0, 3.0, 3.2], [-1.0, -1.0, -1.0], [np.nan, 0.0, 0.0])
    _, unknown = bits(grid, make_points([0.0], [0.0], [0.0]), targets)
    assert unknown[0, 0].tolist() == [True, False, True]
    _, unknown = bits(grid, make_points([0.0], [0.0], [np.nan]), targets)
    assert unknown.all()


def test_range_and_candidate_window_leave_the_rest_neither_seen_nor_unknown():
    grid = make_grid(np.zeros((2, 300)), 1.0, 0.0, 0.0)
    x = np.arange(300.0)
    targets = make_points(x, np.zeros(300), np.zeros(300))
    observers = make_points([100.0, 100.0], [0.0, 0.0], [0.0, 0.0])
    reach = {"max_range_m": [50.0, 120.0], "first_target": [0, 130], "last_target": [300, 171]}
    seen, unknown = bits(grid, observers, targets, **reach)
    least = least_mount_heights_m(grid, observers, targets, [0.0], **reach)
    assert not unknown.any()
    assert (seen[0, 0, 0] == (abs(x - 100) <= 50)).all()
    assert (seen[1, 0, 0] == ((x >= 130) & (x < 171))).all()
    assert ((least[:, 0] < np.inf) == seen[:, 0, 0]).all()


@pytest.mark.parametrize(
    "arguments",
    [
        {"mount_heights_m": []},
        {"mount_heights_m": [np.nan]},
        {"max_range_m": -1.0},
        {"max_range_m": [1.0, 2.0]},
        {"first_target": [0, 0, 0]},
    ],
)
def test_arguments_that_do_not_go_together_are_refused(arguments):
    grid = make_grid(np.zeros((4, 4)), 1.0, 0.0, 0.0)
    points = make_points([1.0], [-1.0], [0.0])
    call = {"mount_heights_m": [1.0], "targets": points, "target_heights_m": [1.0]} | arguments
    with pytest.raises(UsageError):
        sight_bits(grid, points, **call)
