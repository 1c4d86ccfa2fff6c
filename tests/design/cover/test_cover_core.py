"""The core of a long problem: few rows guide the search, all rows are covered in the end."""

import numpy as np
import pytest
from cover_cases import core_line

from watchline.design.cover import make_problem
from watchline.design.cover.cutting import with_rows
from watchline.design.cover.dual import bound_of
from watchline.design.cover.part import part_of
from watchline.design.cover.raising import relax
from watchline.design.cover.run import Run
from watchline.design.cover.seeking import MANY_ROWS, concentrate, first, search


@pytest.fixture(scope="module")
def searched():
    """A run on a line of 2,400 rows that has searched on its core, and the core's first rows."""
    case = core_line()
    problem = make_problem(*case.arguments(), **case.options)
    run = Run.begun(problem, 120.0)
    first(run, None)
    greedy = run.value
    relax(run, 0.2)
    concentrate(run)
    begun = run.core.rows
    search(run, 0.9)
    return run, begun, greedy


def test_a_core_is_small_and_its_choice_covers_every_row(searched):
    run, _, greedy = searched
    assert run.problem.n_rows > MANY_ROWS
    assert len(run.core.rows) < run.problem.n_rows / 2
    views = run.problem.views(np.sort(run.order[run.chosen]))
    assert np.all(views >= run.problem.demand)
    assert run.value < greedy


def test_a_core_takes_in_what_its_choices_leave_open(searched):
    run, begun, _ = searched
    taken = np.setdiff1d(run.core.rows, begun)
    assert len(taken)
    assert np.array_equal(run.core.latest(len(taken)), taken)
    assert set(run.core.latest(5)) <= set(taken)
    assert len(run.core.layout.demand) == len(run.core.rows)


def test_more_rows_at_a_price_of_nothing_prove_the_same(searched):
    run, begun, _ = searched
    bounder, more = run.bounder, np.setdiff1d(run.core.rows, begun)
    rows, wider, prices = with_rows(
        run.layout, bounder.price_layout, bounder.price_rows, bounder.prices, more
    )
    assert set(more) <= set(rows)
    whole = part_of(run.layout, rows)
    assert np.array_equal(wider.atom_row, whole.atom_row)
    proven = bound_of(whole, prices, bounder.allowed)
    assert proven == pytest.approx(bounder.bound, rel=1e-5)
