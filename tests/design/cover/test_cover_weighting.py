"""The local search by row weights for plain set covering."""

from pathlib import Path

import numpy as np
import pytest
from cover_cases import Case, optimum, read_orlib
from scipy import sparse

from watchline.design.cover import make_problem
from watchline.design.cover.weighting import is_plain, make_weights, reweigh

DATA = Path(__file__).parents[2] / "data" / "cover"


def searched(problem, work, start=None):
    """Weights after some steps from all columns, with the best choice."""
    every = np.arange(problem.n_columns) if start is None else start
    weights = make_weights(problem, every, np.array([88172645463325252], np.uint64))
    best = np.zeros(problem.n_columns, bool)
    reweigh(weights, work, best)
    return weights, np.flatnonzero(best)


def small(seed):
    rng = np.random.default_rng(seed)
    matrix = (rng.random((24, 30)) < 0.15).astype(np.int8)
    matrix[np.arange(24), rng.integers(0, 30, 24)] = 1
    costs = rng.integers(1, 9, 30).astype(float)
    return Case(costs, matrix, np.ones(24, int), np.arange(30), {"group_costs": np.zeros(30)})


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
    assert np.array_equal(weights.score, np.where(chosen, -loss, gain))
    assert weights.spent[0] == pytest.approx(case.costs[chosen].sum())
    assert set(weights.open_rows[: weights.count[1]]) == set(np.flatnonzero(views == 0))


@pytest.mark.parametrize(("name", "best"), [("scp41", 38), ("scp61", 21)])
def test_unit_costs_reach_the_best_known(name, best):
    costs, rows, demand = read_orlib((DATA / f"{name}.txt").read_text())
    problem = make_problem(np.ones(len(costs)), rows, demand)
    _, found = searched(problem, 1.5e8)
    assert problem.views(found).min() >= 1
    assert len(found) <= best


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
