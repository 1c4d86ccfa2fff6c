"""Bound ≤ optimum ≤ cost, against plain integer models solved to optimality by SciPy's HiGHS."""

import numpy as np
import pytest
from cover_cases import check, optimum, random_case
from hypothesis import given, settings
from hypothesis import strategies as st

from watchline.design.cover import cover

LIMITS = {"time_limit": 10.0, "work_limit": 5.0}


def judge(case, **limits):
    best = optimum(case)
    solution = cover(*case.arguments(), **case.options, **{**LIMITS, **limits})
    if best is None:
        assert solution.status in ("infeasible", "unknown")
        assert solution.cost == np.inf
        return solution, best
    slack = 1e-6 * max(1.0, abs(best))
    cost, missed = check(case, solution.chosen)
    assert np.isclose(cost, solution.cost)
    weight = np.asarray(case.options.get("row_weight", np.ones(len(case.demand))))
    assert [i for i in missed if weight[i] > 0] == solution.uncovered.tolist()
    if "budget" in case.options:
        total = weight[case.demand > 0].sum()
        assert np.isclose(solution.covered_weight, total - weight[missed].sum())
        assert solution.covered_weight <= total - best + slack
        assert solution.weight_bound >= total - best - slack
        assert solution.price_bound >= total - best - slack
    else:
        assert solution.lower_bound <= best + slack
        assert best <= cost + slack
        assert solution.price_bound <= best + slack
    return solution, best


@pytest.mark.parametrize("seed", range(200))
def test_cost_and_bound_enclose_the_optimum(seed):
    solution, best = judge(random_case(seed))
    if best is not None:
        assert solution.status == "optimal"
        assert np.isclose(solution.cost, best, atol=1e-6)


@pytest.mark.parametrize("seed", range(60))
def test_budget_covers_the_most_weight(seed):
    solution, _ = judge(random_case(1000 + seed, budget=True))
    assert solution.status == "optimal"


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(10_000, 10**9), st.booleans())
def test_bound_holds_whatever_the_case(seed, budget):
    judge(random_case(seed, budget=budget))


@pytest.mark.parametrize("seed", range(40))
def test_bound_of_prices_alone_is_useful(seed):
    case = random_case(seed)
    solution, best = judge(case)
    if best is None or best == 0 or "capacity" in case.options:
        pytest.skip("no optimum to compare with, or a capacity that prices do not see well")
    assert solution.price_bound >= 0.5 * best
