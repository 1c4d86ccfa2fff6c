"""The certificate checker accepts what the optimiser proves and refuses what was changed."""

import copy
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from cover_cases import optimum, random_case
from scipy import sparse

from watchline.design.cover import cover, make_certificate, make_problem
from watchline.prove.certificate import check_certificate


def certified(seed, *, budget=False):
    case = random_case(seed, budget=budget)
    problem = make_problem(*case.arguments(), **case.options)
    solution = cover(*case.arguments(), **case.options, time_limit=10, work_limit=3)
    certificate = json.loads(json.dumps(make_certificate(problem, solution)))
    return case, solution, certificate


@pytest.mark.parametrize("budget", [False, True])
@pytest.mark.parametrize("seed", range(60))
def test_every_certificate_is_accepted_and_true(seed, budget):
    case, solution, certificate = certified(seed, budget=budget)
    if solution.status not in ("optimal", "feasible"):
        pytest.skip("no choice to certify")
    verdict = check_certificate(certificate, *case.arguments(), **case.options)
    assert verdict.holds, verdict.faults
    assert verdict.bound == pytest.approx(solution.price_bound, rel=1e-6, abs=1e-3)
    best = optimum(case)
    if budget:
        weight = np.asarray(case.options.get("row_weight", np.ones(len(case.demand))))
        assert verdict.bound >= weight[case.demand > 0].sum() - best - 1e-6
    else:
        assert verdict.bound <= best + 1e-6


def good():
    for seed in range(100):
        case, solution, certificate = certified(seed)
        if solution.status == "optimal" and solution.price_bound > 10 and certificate["cuts"]:
            return case, certificate
    raise AssertionError("no case with a bound among the seeds")


def raised(certificate):
    certificate["bound"] *= 1.01


def priced(certificate):
    """The places of a certificate that hold prices: itself and the leaves of its tree."""
    found, waiting = [certificate], [certificate.get("tree")]
    while waiting:
        node = waiting.pop()
        if node is None:
            continue
        if "used" in node:
            waiting += [node["used"], node["unused"]]
        else:
            found.append(node)
    return found


def dearer_rows(certificate):
    certificate["bound"] *= 1.5
    for place in priced(certificate):
        place["rows"] = [[row, 1.5 * price] for row, price in place["rows"]]


def dearer_cuts(certificate):
    for place in priced(certificate):
        place["cuts"] = [[g, cap, c, 3.0 * p + 1.0] for g, cap, c, p in place["cuts"]]


def cheaper(certificate):
    certificate["cost"] -= 1.0


def one_less(certificate):
    certificate["chosen"] = certificate["chosen"][1:]


def other_problem(certificate):
    certificate["problem"] = "0" * 64


def negative(certificate):
    certificate["rows"][0][1] = -5.0


def not_a_number(certificate):
    certificate["rows"][0][1] = float("nan")


def unknown_row(certificate):
    certificate["rows"][0][0] = 10**6


def unknown_column(certificate):
    certificate["chosen"].append(10**6)


@pytest.mark.parametrize(
    "tamper",
    [
        raised,
        dearer_rows,
        dearer_cuts,
        cheaper,
        one_less,
        other_problem,
        negative,
        not_a_number,
        unknown_row,
        unknown_column,
    ],
)
def test_a_tampered_certificate_is_refused(tamper):
    case, certificate = good()
    arguments, options = case.arguments(), case.options
    assert check_certificate(certificate, *arguments, **options).holds
    changed = copy.deepcopy(certificate)
    tamper(changed)
    verdict = check_certificate(changed, *arguments, **options)
    assert not verdict.holds
    assert verdict.faults


def test_a_changed_problem_is_refused():
    case, certificate = good()
    costs, matrix, demand, groups = case.arguments()
    cheaper_costs = costs - np.minimum(costs, 0.5)
    verdict = check_certificate(certificate, cheaper_costs, matrix, demand, groups, **case.options)
    assert not verdict.holds


def test_checker_imports_nothing_from_the_optimiser():
    text = Path(sys.modules["watchline.prove.certificate"].__file__).read_text()
    assert "watchline.design" not in text


def test_three_rows_three_pairs():
    # Each column covers two of three rows: prices of 50 a row prove 150, whole choices cost 200.
    matrix = sparse.csc_array(np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1]]))
    solution = cover([100, 100, 100], matrix, [1, 1, 1])
    problem = make_problem([100, 100, 100], matrix, [1, 1, 1])
    certificate = make_certificate(problem, solution)
    certificate["rows"] = [[i, 50.0] for i in range(3)]
    certificate["cuts"] = [[j, 1, [j], 100.0] for j in range(3)]
    certificate["bound"] = 150.0
    verdict = check_certificate(certificate, [100, 100, 100], matrix, [1, 1, 1])
    assert verdict.holds
    assert verdict.bound == 150.0
    assert verdict.cost == 200.0
