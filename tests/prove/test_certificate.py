"""The certificate checker accepts what the optimiser proves and refuses what was changed."""

import copy
import functools
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from cover_cases import Case, optimum, random_case
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
        place["cuts"] = [[*cut, 3.0 * price + 1.0] for *cut, price in place["cuts"]]


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


def scattered(seed):
    """Mounts that see rows here and there: the relaxation is far below the optimum."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(14), 4)
    matrix = (rng.random((40, 56)) < 0.15).astype(np.int8)
    demand = np.minimum(1, matrix.sum(axis=1))
    costs = rng.integers(3, 12, 56).astype(float)
    options = {"group_costs": rng.integers(30, 60, 14).astype(float)}
    if seed % 2:
        options["sites"] = np.maximum(np.arange(14) // 2 - 1, -1)
    return Case(costs, matrix, demand, groups, options)


@functools.cache
def branched(seed):
    case = scattered(seed)
    problem = make_problem(*case.arguments(), **case.options)
    solution = cover(*case.arguments(), **case.options, time_limit=30, work_limit=60)
    return case, solution, json.dumps(make_certificate(problem, solution))


@pytest.mark.parametrize("seed", range(4))
def test_a_tree_proves_more_than_prices_and_never_too_much(seed):
    case, solution, text = branched(seed)
    certificate = json.loads(text)
    assert "tree" in certificate
    verdict = check_certificate(certificate, *case.arguments(), **case.options)
    assert verdict.holds, verdict.faults
    alone = {key: certificate[key] for key in certificate if not key.startswith("tree")}
    root = check_certificate(alone, *case.arguments(), **case.options)
    assert not root.holds
    assert root.bound < verdict.bound - 1
    assert verdict.bound <= optimum(case) + 1e-6
    assert verdict.bound >= 0.95 * solution.cost


def forgotten_case(certificate):
    # Only one answer of the first question is left: choices that answer otherwise are forgotten.
    certificate["tree"] = certificate["tree"]["used"]
    certificate["bound"] *= 1.02


def missing_answer(certificate):
    del certificate["tree"]["unused"]


def unknown_cut(certificate):
    certificate["tree_cuts"] = []


def one_answer_twice(certificate):
    certificate["tree"]["unused"] = certificate["tree"]["used"]


def answers_swapped(certificate):
    tree = certificate["tree"]
    tree["used"], tree["unused"] = tree["unused"], tree["used"]


def other_question(certificate):
    kind = "group" if "group" in certificate["tree"] else "column"
    certificate["tree"][kind] = (certificate["tree"][kind] + 1) % 14


def unknown_question(certificate):
    certificate["tree"]["group"] = 10**6


def asked_again(certificate):
    tree = certificate["tree"]
    certificate["tree"] = {"group": tree["group"], "used": tree, "unused": tree}


def dearer_leaves(certificate):
    certificate["bound"] *= 1.3
    for place in priced(certificate)[1:]:
        place["rows"] = [[row, 1.3 * price] for row, price in place["rows"]]


def leaf_removed(certificate):
    tree = certificate["tree"]
    while "used" in tree["used"]:
        tree = tree["used"]
    tree["used"] = {"rows": [], "classes": [], "cuts": []}


@pytest.mark.parametrize(
    "tamper",
    [
        forgotten_case,
        missing_answer,
        unknown_cut,
        one_answer_twice,
        answers_swapped,
        other_question,
        unknown_question,
        asked_again,
        dearer_leaves,
        leaf_removed,
    ],
)
def test_a_tampered_tree_is_refused(tamper):
    case, _, text = branched(0)
    changed = json.loads(text)
    tamper(changed)
    verdict = check_certificate(changed, *case.arguments(), **case.options)
    assert not verdict.holds
    assert verdict.faults


def test_a_changed_problem_is_refused():
    case, certificate = good()
    costs, matrix, demand, groups = case.arguments()
    cheaper_costs = costs - np.minimum(costs, 0.5)
    verdict = check_certificate(certificate, cheaper_costs, matrix, demand, groups, **case.options)
    assert not verdict.holds


def test_checker_imports_nothing_from_the_optimiser():
    for name in ("certificate", "price_bound"):
        text = Path(sys.modules[f"watchline.prove.{name}"].__file__).read_text()
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
