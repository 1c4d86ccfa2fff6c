"""Choices merged and stretches settled: the optimum of what is free, the rest untouched."""

import copy

import numpy as np
import pytest
from cover_cases import random_case
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from watchline.design.cover import make_problem, seeking
from watchline.design.cover.core import Core
from watchline.design.cover.raising import relax
from watchline.design.cover.run import Run
from watchline.design.cover.seeking import concentrate, first, search, search_in_rounds
from watchline.design.cover.settling import merge, settle


def on_a_core(seed):
    """A random small problem whose search stands on a third of its rows; None if infeasible."""
    case = random_case(seed)
    for name in ("allowed_uncovered", "row_class"):
        case.options.pop(name, None)
    problem = make_problem(*case.arguments(), **case.options)
    run = Run.begun(problem, 1e9)
    first(run, None)
    if run.chosen is None:
        return None
    rows = np.flatnonzero((np.arange(problem.n_rows) % 3 == 0) & (problem.demand > 0))
    run.core = Core(run.layout, run.state.reserve, run.state.allowed, rows)
    run.state = run.core.state_of(np.isin(run.back, run.chosen), run.state)
    return case, run


def least(case, run, chosen, free):
    """The optimum of the problem with the columns of all but the free groups as chosen."""
    problem, layout = run.problem, run.layout
    n, m = problem.n_columns, len(problem.group_costs)
    group = problem.group
    pairs = [(i, g) for i in range(problem.n_rows) for g in range(m)]
    views = sparse.lil_array((len(pairs) + problem.n_rows + n, n + m + len(pairs)))
    low, high = np.full(views.shape[0], -np.inf), np.zeros(views.shape[0])
    # A view variable for each row and group: at most the cap, at most its columns.
    for p, (i, g) in enumerate(pairs):
        views[p, n + m + p] = 1
        for j in np.flatnonzero((group == g) & (case.matrix[i] > 0)):
            views[p, j] = -1
        views[len(pairs) + i, n + m + p] = 1
    rows = len(pairs) + np.arange(problem.n_rows)
    low[rows], high[rows] = problem.demand, np.inf
    for j in range(n):
        views[len(pairs) + problem.n_rows + j, j] = 1
        views[len(pairs) + problem.n_rows + j, n + group[j]] = -1
    limits = [LinearConstraint(views.tocsr(), low, high)]
    use = sparse.csr_array((np.ones(n), (group, np.arange(n))), shape=(m, n + m + len(pairs)))
    limits.append(LinearConstraint(use, -np.inf, problem.capacity))
    for site in np.unique(problem.site[problem.site >= 0]):
        there = np.zeros(n + m + len(pairs))
        there[n : n + m] = problem.site == site
        limits.append(LinearConstraint(there, -np.inf, 1))
    cap = np.array([problem.row_cap[i] for i, _ in pairs], float)
    top = np.concatenate([np.ones(n + m), cap])
    bottom = np.zeros(n + m + len(pairs))
    order = run.order
    fixed = order[~free[layout.column_group]]
    bottom[fixed] = top[fixed] = np.isin(fixed, order[chosen])
    whole = np.concatenate([np.ones(n + m), np.zeros(len(pairs))])
    cost = np.concatenate([problem.costs, problem.group_costs, np.zeros(len(pairs))])
    answer = milp(cost, constraints=limits, bounds=Bounds(bottom, top), integrality=whole)
    return answer.fun


@pytest.mark.parametrize("seed", range(60))
def test_what_is_free_is_settled_at_least_cost(seed):
    made = on_a_core(seed)
    if made is None:
        pytest.skip("infeasible")
    case, run = made
    rng = np.random.default_rng(seed)
    free = rng.random(len(run.layout.fixed)) < (1.0 if seed % 3 == 0 else 0.5)
    chosen = np.isin(run.back, run.chosen)
    found = settle(run, chosen, free)
    columns = np.sort(run.order[found])
    assert np.all(run.problem.views(columns) >= run.problem.demand)
    kept = ~free[run.layout.column_group]
    assert np.array_equal(found[kept], chosen[kept])
    cost = run.problem.cost_of(columns)
    assert cost == pytest.approx(least(case, run, chosen, free), abs=1e-5)
    assert run.value <= cost + 1e-9


@pytest.fixture(scope="module")
def line():
    """A long line, on a core: its run, with the choice of a short search."""
    rng = np.random.default_rng(4)
    groups, rows = 60, 2400
    owner = np.repeat(np.arange(groups), 4)
    middle = (owner + 0.5) * rows / groups
    near = np.abs(np.arange(rows)[:, None] - middle) <= 90
    near &= rng.random((rows, len(owner))) < 0.6
    demand = np.minimum(1 + (np.arange(rows) % 7 == 0), near.sum(axis=1))
    arguments = (
        rng.integers(3, 12, len(owner)).astype(float),
        [np.flatnonzero(column) for column in near.T],
        demand,
        owner,
    )
    options = {"group_costs": rng.integers(30, 60, groups).astype(float)}
    run = Run.begun(make_problem(*arguments, **options), 300.0)
    first(run, None)
    relax(run, 0.1)
    concentrate(run)
    return arguments, options, run


def half(run, chosen, left):
    """What of a choice lies in one half of the line."""
    return chosen & ((run.ground.column_group < 30) == left)


def test_each_stretch_keeps_the_better_of_two_choices(line):
    run = copy.deepcopy(line[2])
    bad = np.isin(run.back, run.chosen)
    search(run, 0.4)
    good, value = np.isin(run.back, run.chosen), run.value
    assert value < run.problem.cost_of(np.sort(run.order[run.back[bad]]))
    # The best choice is good on the left alone, the other on the right alone.
    mixed = half(run, good, left=True) | half(run, bad, left=False)
    other = half(run, bad, left=True) | half(run, good, left=False)
    views = run.problem.views(np.sort(run.order[run.back[mixed]]))
    if np.any(views < run.problem.demand):
        mixed |= half(run, bad, left=True)
    run.chosen = run.back[mixed]
    run.value = before = run.problem.cost_of(np.sort(run.order[run.chosen]))
    merge(run, other, 1.0)
    # Stretches are settled one by one, so that not all of the way back is found.
    assert run.value < before - 0.5 * (before - value)
    views = run.problem.views(np.sort(run.order[run.chosen]))
    assert np.all(views >= run.problem.demand)
    assert len(run.state.lack) == len(run.core.rows)


def test_the_best_choice_itself_gets_its_best_columns(line):
    run = copy.deepcopy(line[2])
    best = np.isin(run.back, run.chosen)
    groups, before = np.unique(run.ground.column_group[best]), run.value
    merge(run, best, 1.0)
    assert run.value < before
    assert set(run.ground.column_group[np.isin(run.back, run.chosen)]) <= set(groups)


def test_rounds_go_on_from_the_best_choice(line):
    run = copy.deepcopy(line[2])
    search(run, 0.3)
    searched = run.value
    search_in_rounds(run, 0.9)
    assert run.value <= searched
    views = run.problem.views(np.sort(run.order[run.chosen]))
    assert np.all(views >= run.problem.demand)


def test_work_alone_repeats_the_answer(line):
    answers = []
    for _ in range(2):
        run = copy.deepcopy(line[2])
        search_in_rounds(run, 0.5)
        answers.append((run.chosen, run.work))
    assert np.array_equal(answers[0][0], answers[1][0])
    assert answers[0][1] == answers[1][1]


def test_a_round_answers_with_its_own_cold_end(line, monkeypatch):
    run = copy.deepcopy(line[2])
    search(run, 0.5)
    # From the best choice there is nothing better within two chunks, yet an answer is given.
    monkeypatch.setattr(seeking, "CHUNK", 2.0)
    best, run.cooled = np.isin(run.back, run.chosen), 0.0
    run.state = run.core.state_of(best, run.state)
    found = search(run, 0.6, most=1e9)
    assert not np.array_equal(found, best)
