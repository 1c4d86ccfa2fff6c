"""Plans of one point of the cost–cover curve judged by what another point asks."""

import numpy as np

from watchline.design.cover.problem import make_problem
from watchline.design.relax import cheapest_plan


def asking(allowed_a: int, allowed_b: int):
    """Four cells under each of two requirements; each column sees one row, the last all."""
    return make_problem(
        [1.0] * 8 + [20.0],
        [[row] for row in range(8)] + [list(range(8))],
        [1] * 8,
        np.arange(9),
        row_class=[0] * 4 + [1] * 4,
        allowed_uncovered=[allowed_a, allowed_b],
    )


WHOLE = np.array([8])
ONE_EACH = np.array([0, 1, 2, 4, 5, 6])
TWO_OF_A = np.array([0, 1, 4, 5, 6, 7])
"""Covers as many cells as ONE_EACH, but two of the first requirement's are missing."""
FEW_OF_A = np.array([0, 4, 5, 6, 7])


def test_what_one_requirement_misses_is_not_made_good_by_another():
    assert cheapest_plan(asking(1, 1), [WHOLE, TWO_OF_A, ONE_EACH]) == 2
    assert cheapest_plan(asking(1, 1), [WHOLE, TWO_OF_A]) == 0
    assert cheapest_plan(asking(1, 1), [TWO_OF_A]) is None


def test_the_cheapest_of_those_that_do_is_taken():
    plans = [WHOLE, ONE_EACH, TWO_OF_A, FEW_OF_A]
    assert cheapest_plan(asking(0, 0), plans) == 0
    assert cheapest_plan(asking(2, 1), plans) == 1  # equal costs: the first
    assert cheapest_plan(asking(3, 1), plans) == 3


def test_no_plan_on_the_curve_costs_less_than_the_bound_of_its_point():
    """With every choice tried, the plan taken never undercuts the least cost of what is asked."""
    rng = np.random.default_rng(3)
    choices = [np.flatnonzero([n >> k & 1 for k in range(9)]) for n in range(1, 512)]
    for allowed in ((0, 0), (1, 0), (0, 2), (1, 2)):
        problem = asking(*allowed)
        least = min(
            problem.cost_of(choice)
            for choice in choices
            if all(
                np.sum(problem.views(choice)[4 * k : 4 * k + 4] < 1) <= allowed[k] for k in (0, 1)
            )
        )
        plans = [choices[k] for k in rng.permutation(511)[:200]] + [WHOLE]
        best = cheapest_plan(problem, plans)
        assert problem.cost_of(plans[best]) >= least
        assert np.all(problem.views(WHOLE) >= 1)
