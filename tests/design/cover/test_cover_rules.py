"""What cover promises besides cost: messages, repeatability, infeasible rows, interruption."""

from itertools import pairwise

import numpy as np
import pytest
from cover_cases import check, random_case
from scipy import sparse

from watchline.design.cover import cover
from watchline.design.cover import solve as solve_module
from watchline.errors import UsageError


def middle_case():
    """A band of 400 rows and 60 mounts with 6 poses each, too large for a glance."""
    rng = np.random.default_rng(7)
    rows, groups = [], []
    for mount in range(60):
        centre = rng.uniform(0, 400)
        for _ in range(6):
            width = rng.uniform(5, 40)
            shift = rng.uniform(-40, 40)
            inside = np.flatnonzero(np.abs(np.arange(400) - centre - shift) < width)
            rows.append(inside[rng.random(len(inside)) < 0.9])
            groups.append(mount)
    costs = rng.integers(10, 100, len(rows)).astype(float)
    fixed = rng.integers(150, 400, 60).astype(float)
    supply = np.bincount(np.concatenate(rows), minlength=400)
    return costs, rows, np.minimum(1 + (np.arange(400) % 5 == 0), supply), groups, fixed


def test_columns_in_three_forms_give_one_answer():
    costs, rows, demand, groups, fixed = middle_case()
    indptr = np.concatenate([[0], np.cumsum([len(r) for r in rows])])
    indices = np.concatenate(rows)
    matrix = sparse.csc_array((np.ones(len(indices)), indices, indptr), shape=(400, len(rows)))
    answers = [
        cover(costs, form, demand, groups, group_costs=fixed, work_limit=5).chosen
        for form in (rows, (indptr, indices), matrix, sparse.csr_matrix(matrix))
    ]
    for other in answers[1:]:
        assert np.array_equal(answers[0], other)


def test_same_seed_and_work_same_answer():
    costs, rows, demand, groups, fixed = middle_case()
    runs = [
        cover(costs, rows, demand, groups, group_costs=fixed, work_limit=20, seed=3)
        for _ in range(2)
    ]
    assert np.array_equal(runs[0].chosen, runs[1].chosen)
    assert runs[0].lower_bound == runs[1].lower_bound
    assert runs[0].work == runs[1].work
    assert np.array_equal(runs[0].row_duals, runs[1].row_duals)


def test_rows_out_of_reach_are_listed_with_what_they_can_get():
    # Row 1 wants two views from different mounts and has one mount; row 3 has nothing.
    solution = cover(
        [1, 1, 1],
        [[0, 1], [1, 2], [0, 2]],
        [1, 2, 1, 1],
        [0, 0, 1],
        group_costs=[5, 5],
        row_cap=[1, 1, 1, 1],
    )
    assert solution.status == "infeasible"
    assert solution.uncovered.tolist() == [1, 3]
    assert solution.supply.tolist() == [1, 0]
    assert solution.cost == np.inf


def test_heights_of_one_site_do_not_add_up():
    solution = cover([1, 1], [[0], [0]], [2], [0, 1], group_costs=[1, 1], sites=[4, 4])
    assert solution.status == "infeasible"
    assert solution.supply.tolist() == [1]
    apart = cover([1, 1], [[0], [0]], [2], [0, 1], group_costs=[1, 1], sites=[4, 5])
    assert apart.status == "optimal"
    assert apart.cost == 4


def test_a_class_may_leave_its_unreachable_rows():
    options = {"row_class": [0, 0, 1], "allowed_uncovered": [1, 0]}
    solution = cover([2.5], [[0, 2]], [1, 1, 1], **options)
    assert solution.status == "optimal"
    assert solution.uncovered.tolist() == [1]
    assert solution.lower_bound == pytest.approx(2.5)
    tight = cover([2.5], [[0, 2]], [1, 1, 1], row_class=[0, 0, 1], allowed_uncovered=[0.5, 0])
    assert tight.status == "infeasible"
    assert tight.uncovered.tolist() == [1]


def test_bound_is_rounded_to_the_step_of_the_costs():
    # Three rows, each pair of them in one column: the relaxation says 150, whole choices cost 200.
    solution = cover([100, 100, 100], [[0, 1], [1, 2], [0, 2]], [1, 1, 1])
    assert solution.cost_step == 100
    assert solution.price_bound == pytest.approx(150, abs=0.5)
    assert solution.lower_bound == 200


def test_nothing_asked_costs_nothing():
    solution = cover([3.0, 4.0], [[0], [1]], [0, 0])
    assert (solution.status, solution.cost, solution.gap) == ("optimal", 0.0, 0.0)
    empty = cover(np.empty(0), [], np.zeros(3, int))
    assert empty.status == "optimal"
    bare = cover(np.empty(0), [], np.ones(3, int), group_costs=[1.0])
    assert bare.status == "infeasible"
    assert bare.uncovered.tolist() == [0, 1, 2]


def test_start_is_kept_if_it_is_good():
    costs, rows, demand, groups, fixed = middle_case()
    good = cover(costs, rows, demand, groups, group_costs=fixed, work_limit=30)
    again = cover(
        costs, rows, demand, groups, group_costs=fixed, work_limit=1e-3, start=good.chosen
    )
    assert again.cost <= good.cost


@pytest.mark.parametrize("stage", ["search", "relax", "finish_exactly"])
def test_interruption_returns_the_best_with_its_true_gap(monkeypatch, stage):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(solve_module, stage, interrupted)
    costs, rows, demand, groups, fixed = middle_case()
    solution = cover(costs, rows, demand, groups, group_costs=fixed, work_limit=20)
    assert solution.status == "feasible"
    assert solution.gap == (solution.cost - solution.lower_bound) / solution.cost
    case = random_case(0)
    case.costs, case.demand, case.groups = costs, demand, np.array(groups)
    case.matrix = np.zeros((400, len(rows)), np.int8)
    for column, inside in enumerate(rows):
        case.matrix[inside, column] = 1
    case.options = {"group_costs": fixed}
    cost, missed = check(case, solution.chosen)
    assert np.isclose(cost, solution.cost)
    assert not len(missed)


def test_progress_is_told_of_cost_and_bound():
    costs, rows, demand, groups, fixed = middle_case()
    told = []
    solution = cover(
        costs,
        rows,
        demand,
        groups,
        group_costs=fixed,
        work_limit=20,
        progress=lambda *line: told.append(line),
    )
    assert told[-1][1:] == (solution.cost, solution.lower_bound)
    assert all(a[1] >= b[1] and a[2] <= b[2] for a, b in pairwise(told))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"costs": [1.0, -1.0]}, "costs holds -1.0"),
        ({"costs": [1.0, np.nan]}, "not a finite number"),
        ({"columns": [[0]]}, "columns has 1 entries; give 2"),
        ({"columns": [[0], [7]]}, "name the row 7 of 2"),
        ({"columns": sparse.csc_array((3, 2))}, "columns has shape"),
        ({"columns": 5}, "columns is a int"),
        ({"demand": [0.5, 1.0]}, "demand holds fractions"),
        ({"groups": [0, 3], "group_costs": [1.0]}, "groups name 3, group_costs has 1"),
        ({"group_costs": [1.0]}, "without groups"),
        ({"row_cap": [0, 1]}, "row_cap holds 0"),
        ({"row_class": [0, 1], "allowed_uncovered": [0.0]}, "allowed_uncovered has 1"),
        ({"budget": -1.0}, "budget is -1.0"),
        ({"start": [9]}, "start names a column outside"),
    ],
)
def test_mistakes_are_named(change, words):
    arguments = {"costs": [1.0, 1.0], "columns": [[0], [1]], "demand": [1, 1], **change}
    with pytest.raises(UsageError, match=words.replace("(", "\\(")):
        cover(**arguments)
