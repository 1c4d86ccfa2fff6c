"""Choices merged and stretches settled: the optimum of what is free, the rest untouched."""

import copy

import numpy as np
import pytest
from cover_cases import core_line, optimum, random_case

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
    settled = dict(zip(run.order[kept].tolist(), chosen[kept].tolist(), strict=True))
    assert cost == pytest.approx(optimum(case, settled), abs=1e-5)
    assert run.value <= cost + 1e-9


@pytest.fixture(scope="module")
def line():
    """A long line, on a core: its run, with the choice of a short search."""
    case = core_line()
    run = Run.begun(make_problem(*case.arguments(), **case.options), 300.0)
    first(run, None)
    relax(run, 0.1)
    concentrate(run)
    return run


def half(run, chosen, left):
    """What of a choice lies in one half of the line."""
    return chosen & ((run.ground.column_group < 30) == left)


def test_each_stretch_keeps_the_better_of_two_choices(line):
    run = copy.deepcopy(line)
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
    run = copy.deepcopy(line)
    best = np.isin(run.back, run.chosen)
    groups, before = np.unique(run.ground.column_group[best]), run.value
    merge(run, best, 1.0)
    assert run.value < before
    assert set(run.ground.column_group[np.isin(run.back, run.chosen)]) <= set(groups)


def test_rounds_go_on_from_the_best_choice(line):
    run = copy.deepcopy(line)
    search(run, 0.3)
    searched = run.value
    search_in_rounds(run, 0.9)
    assert run.value <= searched
    views = run.problem.views(np.sort(run.order[run.chosen]))
    assert np.all(views >= run.problem.demand)


def test_work_alone_repeats_the_answer(line):
    answers = []
    for _ in range(2):
        run = copy.deepcopy(line)
        search_in_rounds(run, 0.5)
        answers.append((run.chosen, run.work))
    assert np.array_equal(answers[0][0], answers[1][0])
    assert answers[0][1] == answers[1][1]


def test_a_round_answers_with_its_own_cold_end(line, monkeypatch):
    run = copy.deepcopy(line)
    search(run, 0.5)
    # From the best choice there is nothing better within two chunks, yet an answer is given.
    monkeypatch.setattr(seeking, "CHUNK", 2.0)
    best, run.cooled = np.isin(run.back, run.chosen), 0.0
    run.stand_at(best)
    found = search(run, 0.6, most=1e9)
    assert not np.array_equal(found, best)
