"""Path kernels against every simple path of small grids, and against exact exposures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from path_twins import (
    cheapest,
    edges,
    least_stop_by_paths,
    least_stop_timed_by_paths,
    small_grid,
)
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.special import ndtr

from watchline.kernels.moves import BACK, COL_STEP, ROW_STEP, make_field
from watchline.kernels.spread import least_stop, respread, spread
from watchline.kernels.timed import least_stop_timed
from watchline.prove.paths import OFFSETS, Ground, _costs

FLOAT32 = 1e-6


def fields(grid):
    hazard = make_field(
        grid.hazard, grid.row_m, grid.col_m, jump=grid.hazard_jump, stretch=grid.stretch
    )
    slow = make_field(grid.slow, grid.row_m, grid.col_m, jump=grid.slow_jump, stretch=grid.stretch)
    return hazard, slow


def exits_of(shape):
    exits = np.zeros(shape, dtype=bool)
    exits[:, -1] = True
    return exits


def escape_times(grid):
    """Least time from every cell to every exit, by all simple paths."""
    cost = edges(grid, grid.slow, grid.slow_jump)
    cells = range(cost.shape[0])
    out = np.flatnonzero(exits_of(grid.shape))
    return np.array([[cheapest(cost, u, y) for y in out] for u in cells])


def test_each_move_is_taken_back_by_its_opposite():
    assert (ROW_STEP[BACK] == -ROW_STEP).all()
    assert (COL_STEP[BACK] == -COL_STEP).all()


@pytest.mark.parametrize("seed", range(25))
def test_spread_is_the_cheapest_of_all_paths(seed):
    grid = small_grid(seed)
    start = np.full(grid.shape, np.inf)
    start[:, -1] = -grid.response
    value, _ = spread(fields(grid)[1], start)
    expected = (escape_times(grid) - grid.response).min(axis=1)
    assert value.ravel() == pytest.approx(expected, rel=FLOAT32, abs=1e-5)


def test_the_moves_lead_to_a_start_at_the_cost_told():
    grid = small_grid(3, (40, 12))
    start = np.full(grid.shape, np.inf)
    start[:, -1] = 0.0
    value, move = spread(fields(grid)[0], start)
    cost = edges(grid, grid.hazard, grid.hazard_jump)
    for entry in range(0, 40, 7):
        i, j, spent = entry, 0, 0.0
        while move[i, j] >= 0:
            k, l = i + ROW_STEP[move[i, j]], j + COL_STEP[move[i, j]]
            spent += cost[i * 12 + j, k * 12 + l]
            i, j = k, l
        assert j == 11
        assert spent == pytest.approx(value[entry, 0], rel=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_many_stretches_of_rows_are_one_grid(seed):
    """Few starts on a long grid, so that values run from stretch to stretch: SciPy's Dijkstra."""
    grid = small_grid(seed, (4000, 6))
    rng = np.random.default_rng(seed)
    start = np.full(grid.shape, np.inf)
    chosen = rng.integers(0, start.size, 4)
    start.ravel()[chosen] = rng.uniform(-50.0, 50.0, 4)
    value, _ = spread(fields(grid)[1], start)
    ground = Ground(
        grid.hazard, grid.slow, grid.hazard_jump, grid.slow_jump, grid.stretch, grid.row_m,
        grid.col_m, 0, 5,
    )  # fmt: skip
    number = np.arange(start.size).reshape(start.shape)
    ends, costs = [], []
    for move in OFFSETS:
        here, there, cost = _costs(ground, grid.slow, grid.slow_jump, move)
        known = np.isfinite(cost)
        ends.append(np.stack([number[here][known], number[there][known]]))
        costs.append(cost[known])
    source = start.size
    first = np.unique(chosen)
    ends.append(np.stack([np.full(first.size, source), first]))
    costs.append(start.ravel()[first] + 100.0)
    a, b = np.concatenate(ends, axis=1)
    graph = coo_matrix((np.concatenate(costs), (a, b)), shape=(source + 1,) * 2).tocsr()
    expected = dijkstra(graph, indices=source)[:-1].reshape(start.shape) - 100.0
    blocked = ~np.isfinite(grid.slow)
    known = np.isfinite(expected) & ~blocked
    assert known.sum() > 15_000
    assert value[known] == pytest.approx(expected[known], rel=1e-6, abs=1e-3)
    assert (value[~known & ~blocked] == np.inf).all()


def two_phase(grid):
    hazard, slow = fields(grid)
    start = np.full(grid.shape, np.inf)
    start[:, -1] = -grid.response
    margin, _ = spread(slow, start)
    least, _ = spread(hazard, np.where(margin <= 0, 0.0, np.inf))
    return 1.0 - np.exp(-least)


def test_two_phases_are_all_strategies_on_300_grids():
    """The walker tries every path; a detection stops him unless some escape is quick enough."""
    checked = 0
    for seed in range(320):
        grid = small_grid(seed, (3, 3))
        rows, cols = grid.shape
        margin = (escape_times(grid) - grid.response).min(axis=1)
        if np.abs(margin).min() < 1e-4:
            continue
        hazard = edges(grid, grid.hazard, grid.hazard_jump)
        useless = margin <= 0
        found = two_phase(grid)
        for entry in range(rows):
            expected = least_stop_by_paths(hazard, 1.0 - useless, useless, entry * cols)
            assert found[entry, 0] == pytest.approx(expected, abs=FLOAT32)
        checked += 1
    assert checked >= 300


def test_random_response_is_all_strategies():
    for seed in range(120):
        grid = small_grid(1000 + seed, (3, 3))
        rows, cols = grid.shape
        times = escape_times(grid)
        spreads = np.random.default_rng(seed).uniform(0.5, 4.0, rows)
        stopped = ndtr((times - grid.response) / spreads).min(axis=1)
        hazard = edges(grid, grid.hazard, grid.hazard_jump)
        exits = exits_of(grid.shape)
        found, _ = least_stop(fields(grid)[0], stopped.reshape(grid.shape), exits)
        for entry in range(rows):
            expected = least_stop_by_paths(hazard, stopped, exits.ravel(), entry * cols)
            assert found[entry, 0] == pytest.approx(expected, abs=FLOAT32)


def test_a_response_that_is_not_random_gives_the_two_phases():
    grid = small_grid(5, (200, 20))
    slow = fields(grid)[1]
    start = np.full(grid.shape, np.inf)
    start[:, -1] = -np.linspace(5.0, 40.0, 200)
    margin, _ = spread(slow, start)
    found, _ = least_stop(fields(grid)[0], (margin > 0).astype(float), exits_of(grid.shape))
    least, _ = spread(fields(grid)[0], np.where(margin <= 0, 0.0, np.inf))
    known = np.isfinite(least)
    assert found[known] == pytest.approx(1.0 - np.exp(-least[known]), abs=1e-9)
    assert (found[~known] == np.inf).all()


def test_who_is_sure_to_be_detected_is_stopped_as_q_says():
    """Chances that are as high as they can be everywhere, equal and unequal by rounding."""
    shape = (30, 12)
    field = make_field(np.full(shape, 50.0), 2.0, 2.0)
    level = 0.98 * (1.0 - 1e-13 * np.random.default_rng(1).random(shape))
    found, move = least_stop(field, level, exits_of(shape))
    assert found[:, :-1] == pytest.approx(0.98, abs=1e-9)
    assert (move[:, :-1] >= 0).all()


def test_a_walker_who_keeps_to_his_way_is_all_paths_on_100_grids():
    for seed in range(110):
        grid = small_grid(2000 + seed, (3, 3))
        rows, cols = grid.shape
        hazard = edges(grid, grid.hazard, grid.hazard_jump)
        seconds = edges(grid, grid.slow, grid.slow_jump)
        known = np.isfinite(seconds)
        part = seconds[known] - np.floor(seconds[known])
        if np.abs(part - 0.5).min() < 1e-4:
            continue
        ticks = np.zeros(seconds.shape, np.int64)
        ticks[known] = np.maximum(1, np.floor(seconds[known] + 0.5))
        in_time = ndtr((np.arange(30) - 9.0) / 3.0)
        exits = exits_of(grid.shape)
        found = least_stop_timed(*fields(grid), exits, in_time, 1.0)
        for entry in range(rows):
            expected = least_stop_timed_by_paths(
                hazard, ticks, exits.ravel(), in_time, entry * cols
            )
            assert found[entry, 0] == pytest.approx(expected, abs=FLOAT32)


def test_few_ticks_are_enough_where_the_response_is_sure():
    """Beyond the last tick the kernel sums hazards: the same as with many more ticks."""
    grid = small_grid(7, (12, 9))
    in_time = ndtr((np.arange(400) - 9.0) / 2.0)
    short = least_stop_timed(*fields(grid), exits_of(grid.shape), in_time[:30], 1.0)
    long = least_stop_timed(*fields(grid), exits_of(grid.shape), in_time, 1.0)
    assert short == pytest.approx(long, abs=FLOAT32)


def test_who_reacts_is_never_stopped_more_often():
    grid = small_grid(11, (30, 12))
    hazard, slow = fields(grid)
    start = np.full(grid.shape, np.inf)
    start[:, -1] = 0.0
    left, _ = spread(slow, start)
    tick = 0.02
    in_time = ndtr((np.arange(3000) * tick - 20.0) / 6.0)
    reacts, _ = least_stop(hazard, ndtr((left - 20.0) / 6.0), exits_of(grid.shape))
    keeps = least_stop_timed(hazard, slow, exits_of(grid.shape), in_time, tick)
    known = np.isfinite(keeps)
    assert (reacts[known] <= keeps[known] + 5e-3).all()
    assert (keeps[known] - reacts[known]).max() > 0.01


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_what_falls_is_spread_anew(seed, by_chance):
    rng = np.random.default_rng(seed)
    grid = small_grid(seed, (60, 10))
    hazard, slow = fields(grid)
    start = np.full(grid.shape, np.inf)
    start[:, -1] = 0.0
    left, _ = spread(slow, start)
    stopped = ndtr((left - 8.0) / 4.0)
    lost = rng.random(grid.shape) < 0.02
    lower = np.where(lost, grid.hazard * 0.3, grid.hazard)
    less = make_field(lower, grid.row_m, grid.col_m, jump=grid.hazard_jump, stretch=grid.stretch)
    exits = exits_of(grid.shape)
    if by_chance:
        before = least_stop(hazard, stopped, exits)
        after = least_stop(less, stopped, exits)
        again = respread(less, *before, lost, stopped)
    else:
        before, after = spread(hazard, start), spread(less, start)
        again = respread(less, *before, lost)
    np.testing.assert_allclose(again[0], after[0], atol=1e-12)


@pytest.mark.parametrize(("turn_deg", "ratio"), [(60.0, 1.0), (90.0, 2.0), (45.0, 3.0)])
def test_exposure_to_one_over_r(turn_deg, ratio):
    """Least exposure round a sensor with rate 1/r: a logarithmic spiral."""
    cell, inner = 0.25, 20.0
    half = int(1.2 * inner * ratio / cell)
    axis = (np.arange(-half, half + 1)) * cell
    x, y = np.meshgrid(axis, axis)
    field = make_field(1.0 / np.maximum(np.hypot(x, y), cell), cell, cell)
    start = np.full(x.shape, np.inf)
    start[half, half + round(inner / cell)] = 0.0
    value, _ = spread(field, start)
    far, turn = inner * ratio, np.radians(turn_deg)
    i = half + round(far * np.sin(turn) / cell)
    j = half + round(far * np.cos(turn) / cell)
    far, turn = np.hypot(axis[i], axis[j]), np.arctan2(axis[i], axis[j])
    exact = np.hypot(turn, np.log(far / inner))
    assert value[i, j] == pytest.approx(exact, rel=0.01)
    assert value[i, j] >= exact * (1 - 1e-3)


def test_exposure_to_one_over_r_squared_straight_away():
    """From distance z1 to z2 along a ray of a sensor with rate 1/r²."""
    cell, near, far = 0.1, 10.0, 40.0
    x, y = np.meshgrid(np.arange(0.0, 45.0, cell), np.arange(-5.0, 5.0 + cell / 2, cell))
    field = make_field(1.0 / np.maximum(np.hypot(x, y), cell) ** 2, cell, cell)
    start = np.full(x.shape, np.inf)
    start[50, round(near / cell)] = 0.0
    value, _ = spread(field, start)
    assert value[50, round(far / cell)] == pytest.approx(1 / near - 1 / far, rel=1e-3)
