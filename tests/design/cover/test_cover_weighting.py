"""The local search by row weights for plain set covering."""

import time
from pathlib import Path

import numpy as np
import pytest
from cover_cases import Case, optimum, read_orlib
from scipy import sparse
from scipy.optimize import linprog

from watchline.design.cover import cover, make_problem, pairs
from watchline.design.cover.dominated import dominated
from watchline.design.cover.linear import ExactPrices
from watchline.design.cover.narrow import NEAREST, PER_ROW, nearest
from watchline.design.cover.raising import relax
from watchline.design.cover.run import Run
from watchline.design.cover.seeking import first
from watchline.design.cover.weighting import _count_gains, _few_bits, reweigh
from watchline.design.cover.weights import MOVING, is_plain, make_beside, make_weights

DATA = Path(__file__).parents[2] / "data" / "cover"


def searched(problem, work, start=None):
    """Weights after some steps from all columns, with the best choice."""
    every = np.arange(problem.n_columns) if start is None else start
    weights = make_weights(problem, every, np.array([88172645463325252], np.uint64), 1)
    best = np.zeros(problem.n_columns, bool)
    reweigh(weights, work, best)
    return weights, np.flatnonzero(best)


def small(seed):
    rng = np.random.default_rng(seed)
    matrix = (rng.random((24, 30)) < 0.15).astype(np.int8)
    matrix[np.arange(24), rng.integers(0, 30, 24)] = 1
    costs = rng.integers(1, 9, 30).astype(float)
    return Case(costs, matrix, np.ones(24, int), np.arange(30), {"group_costs": np.zeros(30)})


def unlisted(weights):
    """The same search where pairs of rows are too many to be listed."""
    return weights._replace(pair_start=np.zeros(0, np.int64), pair=np.zeros(0, np.uint16))


@pytest.mark.parametrize("seed", range(25))
def test_small_problems_are_solved_and_every_score_is_what_it_stands_for(seed):
    case = small(seed)
    problem = make_problem(*case.arguments(), **case.options)
    assert is_plain(problem)
    weights, best = searched(problem, 2e5)
    assert problem.views(best).min() >= 1
    assert problem.cost_of(best) == pytest.approx(weights.best[0])
    assert weights.best[0] == pytest.approx(optimum(case))
    # The sums that were carried along, worked out anew.
    chosen = weights.chosen
    views = case.matrix[:, chosen].sum(axis=1)
    assert np.array_equal(weights.views, views)
    gain = case.matrix.T @ np.where(views == 0, weights.weight, 0)
    loss = case.matrix.T @ np.where(views == 1, weights.weight, 0)
    assert np.array_equal(weights.loss, np.where(chosen, loss, 0))
    assert np.array_equal(weights.open_weight, np.where(views == 0, weights.weight, 0))
    for row in np.flatnonzero(views == 0):
        columns = weights.column[weights.back[row] : weights.back[row + 1]]
        for one in (weights, unlisted(weights)):
            one.gain[:] = -1
            _count_gains(one, row)
            assert np.array_equal(one.gain[: len(columns)], gain[columns])
    assert weights.spent[0] == pytest.approx(case.costs[chosen].sum())
    alone = np.flatnonzero(views == 1)
    assert np.array_equal(weights.sole[alone], (case.matrix * chosen).argmax(axis=1)[alone])
    assert set(weights.open_rows[: weights.count[1]]) == set(np.flatnonzero(views == 0))


@pytest.mark.parametrize(("name", "best"), [("scp41", 38), ("scp61", 21)])
def test_unit_costs_reach_the_best_known(name, best):
    costs, rows, demand = read_orlib((DATA / f"{name}.txt").read_text())
    problem = make_problem(np.ones(len(costs)), rows, demand)
    _, found = searched(problem, 1.5e8)
    assert problem.views(found).min() >= 1
    assert len(found) <= best


@pytest.mark.parametrize("limit", ["MOST_PAIRS", "MOST_PLACES"])
def test_lists_of_pairs_change_no_step(monkeypatch, limit):
    case = small(3)
    problem = make_problem(*case.arguments(), **case.options)
    start, random = np.arange(problem.n_columns), np.array([88172645463325252], np.uint64)
    listed = make_weights(problem, start, random.copy(), 1)
    monkeypatch.setattr(pairs, limit, 1)
    walked = make_weights(problem, start, random.copy(), 1)
    assert len(listed.pair) and not len(walked.pair)
    common = case.matrix.astype(int) @ case.matrix.T
    assert np.array_equal(np.diff(listed.pair_start).reshape(common.shape), common)
    for one in range(24):
        for two in range(24):
            first, last = listed.pair_start[24 * one + two : 24 * one + two + 2]
            mine = np.flatnonzero(case.matrix[one])[listed.pair[first:last]]
            assert np.array_equal(mine, np.flatnonzero(case.matrix[one] * case.matrix[two]))
    best = np.zeros(problem.n_columns, bool)
    for one in (listed, walked):
        # Steps are counted otherwise: a call ends after the first of them.
        for _ in range(3000):
            reweigh(one, 1.0, best)
    for name in MOVING:
        if name != "gain":
            assert np.array_equal(getattr(listed, name), getattr(walked, name)), name


def test_a_search_beside_another_shares_the_problem_and_nothing_that_moves():
    case = small(4)
    problem = make_problem(*case.arguments(), **case.options)
    one, _ = searched(problem, 1e4)
    two = make_beside(one, one.random.copy(), one.passed)
    held = {name: np.copy(getattr(one, name)) for name in one._fields}
    best = np.zeros(problem.n_columns, bool)
    reweigh(two, 1e4, best)
    for name in one._fields:
        assert np.array_equal(getattr(one, name), held[name]), name
    assert two.pair is one.pair
    # With the same random numbers, the same way.
    reweigh(one, 1e4, best)
    assert all(np.array_equal(getattr(one, name), getattr(two, name)) for name in one._fields)


@pytest.mark.parametrize("sixteenths", range(16))
def test_so_many_bits_in_sixteen_are_set(sixteenths):
    random = np.array([88172645463325252], np.uint64)
    bits = np.array([_few_bits(random, sixteenths) for _ in range(4000)], np.uint64)
    share = np.array([np.mean(bits >> np.uint64(k) & np.uint64(1)) for k in range(64)])
    assert abs(share.mean() - sixteenths / 16) < 0.004
    assert np.abs(share - sixteenths / 16).max() < 0.04


def test_searches_beside_each_other_pass_over_different_shares():
    case = small(4)
    problem = make_problem(*case.arguments(), **case.options)
    one, _ = searched(problem, 1e3)
    two = make_beside(one, one.random.copy(), 3)
    assert (one.passed, two.passed) == (1, 3)
    best = np.zeros(problem.n_columns, bool)
    # With the same random numbers, another way.
    for search in (one, two):
        reweigh(search, 1e4, best)
    assert not np.array_equal(one.weight, two.weight)


@pytest.mark.parametrize("seed", range(8))
def test_prices_of_the_linear_program_prove_its_value(seed):
    case = small(seed)
    problem = make_problem(*case.arguments(), **case.options)
    run = Run.begun(problem, None)
    first(run, None)
    relax(run, 0.0)
    linear = ExactPrices(problem)
    while not linear.over():
        pass
    row = linear.stop()
    answer = linprog(case.costs, -case.matrix, -case.demand, bounds=(0, None), method="highs-ipm")
    assert case.demand @ row == pytest.approx(answer.fun)
    # As prices of atoms, too, with all that the certificate takes off for rounding.
    run.bounder.offer(row)
    assert run.bounder.bound == pytest.approx(answer.fun, rel=1e-9)
    assert run.bounder.bound <= answer.fun * (1 + 1e-12)


def middle():
    """A plain problem too large for HiGHS at once, and the value of its linear relaxation."""
    rng = np.random.default_rng(2)
    matrix = rng.random((200, 4000)) < 0.09
    costs = rng.integers(20, 100, 4000).astype(float)
    answer = linprog(costs, -matrix.astype(float), -np.ones(200), method="highs-ds")
    return costs, sparse.csc_array(matrix), np.ones(200, int), answer.fun


def test_a_middle_problem_has_the_bound_of_its_linear_program():
    *case, value = middle()
    solution = cover(*case, time_limit=6.0)
    assert solution.price_bound == pytest.approx(value, rel=1e-9)
    assert value * (1 - 1e-9) <= solution.lower_bound <= solution.cost


def test_where_the_linear_program_takes_too_long_the_relaxation_stands(monkeypatch):
    *case, value = middle()
    monkeypatch.setattr(ExactPrices, "over", lambda self: False)
    monkeypatch.setattr(ExactPrices, "stop", lambda self: None)
    solution = cover(*case, time_limit=6.0)
    assert 0.9 * value < solution.price_bound < value * (1 - 1e-9)


def test_a_linear_program_that_is_stopped_has_no_prices():
    rng = np.random.default_rng(1)
    matrix = sparse.csc_array(rng.random((1000, 8000)) < 0.05)
    problem = make_problem(np.ones(8000), matrix, np.ones(1000, int))
    began = time.monotonic()
    linear = ExactPrices(problem)
    assert not linear.over()
    assert linear.stop() is None
    assert time.monotonic() - began < 5.0


@pytest.mark.parametrize("work", [40.0, 200.0])
def test_searches_beside_each_other_are_repeatable_with_a_work_limit(work):
    costs, rows, demand = read_orlib((DATA / "scpa1.txt").read_text())
    answers = [cover(np.ones(len(costs)), rows, demand, work_limit=work, seed=5) for _ in range(3)]
    assert len({tuple(one.chosen) for one in answers}) == 1
    assert len({one.work for one in answers}) == 1


def test_what_is_not_plain_is_left_to_the_other_search():
    matrix = sparse.csc_array(np.ones((2, 2)))
    assert is_plain(make_problem([1, 1], matrix, [1, 1]))
    for options in (
        {"group_costs": [1, 0]},
        {"sites": [0, 0]},
        {"capacity": [0, 1]},
        {"budget": 1.0},
        {"allowed_uncovered": [1.0]},
    ):
        assert not is_plain(make_problem([1, 1], matrix, [1, 1], [0, 1], **options))
    assert not is_plain(make_problem([1, 1], matrix, [2, 1]))


@pytest.mark.parametrize("seed", [2, 3, 4, 5])
def test_a_column_that_no_neighbour_can_call_back_comes_back(seed):
    # Four rows have one column each, which covers no other: barred ones would stay away for ever.
    case = small(seed)
    matrix = np.zeros((28, 34), np.int8)
    matrix[:4, :4] = np.eye(4)
    matrix[4:, 4:] = case.matrix
    costs = np.concatenate([np.full(4, 2.0), case.costs])
    problem = make_problem(costs, sparse.csc_array(matrix), np.ones(28, int))
    weights, best = searched(problem, 2e5)
    assert weights.best[0] == pytest.approx(8 + optimum(case))
    assert set(range(4)) <= set(best)
    assert weights.left[:4].min() > 1000


def test_a_search_among_some_columns_answers_in_the_problems_numbers():
    case = small(5)
    problem = make_problem(*case.arguments(), **case.options)
    keep = ~dominated(problem)
    keep[:6] = True
    start = np.flatnonzero(keep)
    weights = make_weights(problem, start, np.array([7], np.uint64), 1, keep)
    best = np.zeros(len(weights.columns), bool)
    reweigh(weights, 2e5, best)
    assert problem.views(weights.columns[best]).min() >= 1
    assert problem.cost_of(weights.columns[best]) == pytest.approx(optimum(case))


@pytest.mark.parametrize("seed", range(15))
def test_a_dominated_column_is_one_that_another_replaces(seed):
    rng = np.random.default_rng(seed)
    matrix = (rng.random((8, 40)) < 0.3).astype(np.int8)
    costs = rng.integers(1, 4, 40).astype(float)
    problem = make_problem(costs, sparse.csc_array(matrix), np.ones(8, int))
    # One after the other, by the definition.
    expected = np.zeros(40, bool)
    for j in range(40):
        for k in range(40):
            within = k != j and np.all(matrix[:, j] <= matrix[:, k]) and costs[k] <= costs[j]
            same = np.array_equal(matrix[:, j], matrix[:, k]) and costs[k] == costs[j]
            expected[j] |= within and (not same or k < j)
    expected |= ~matrix.any(axis=0)
    assert 0 < expected.sum() < 40
    assert np.array_equal(dominated(problem), expected)
    # Out of time, it says nothing of the rest.
    assert not np.any(dominated(problem, 0) & ~expected)
    assert dominated(problem, 0).sum() < expected.sum()


def test_the_nearest_columns_hold_some_of_every_row():
    rng = np.random.default_rng(1)
    matrix = (rng.random((60, 4000)) < 0.1).astype(np.int8)
    matrix[0, 20:] = 0
    problem = make_problem(np.ones(4000), sparse.csc_array(matrix), np.ones(60, int))
    least = rng.random(4000)
    least[:20] += 1.0
    few = rng.permutation(4000)[:3000]
    few = np.union1d(few, np.arange(20))
    keep = nearest(problem, least, few)
    assert not np.any(keep[np.setdiff1d(np.arange(4000), few)])
    have = matrix[:, keep].sum(axis=1)
    assert have.min() >= min(PER_ROW, matrix[0].sum())
    # Of row 0 the best ones, though all others rank before.
    mine = np.flatnonzero(matrix[0])
    assert np.array_equal(
        np.flatnonzero(keep[:20]), np.sort(mine[np.argsort(least[mine])][:PER_ROW])
    )
    size = matrix.sum(axis=0)
    assert NEAREST - size.max() <= size[keep].sum() <= NEAREST + PER_ROW * size.max()
