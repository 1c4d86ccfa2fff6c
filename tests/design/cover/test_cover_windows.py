"""Windows with shared costs: never above the optimum, and proven by the independent checker."""

import copy
import functools
import itertools
import json

import numpy as np
import pytest
from cover_cases import Case, optimum, random_case
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from watchline.design.cover import cover, make_certificate, make_problem, raising
from watchline.design.cover import run as run_module
from watchline.design.cover import solve as solve_module
from watchline.design.cover import window as window_module
from watchline.design.cover.bounding import views_of
from watchline.design.cover.cutting import line_order
from watchline.design.cover.layout import Layout, make_layout
from watchline.design.cover.near import Near
from watchline.design.cover.packed import Packed
from watchline.design.cover.part import part_of, with_columns
from watchline.design.cover.raising import cut, relax
from watchline.design.cover.relaxation import Iterate, make_iterate
from watchline.design.cover.run import Run
from watchline.design.cover.seeking import first
from watchline.design.cover.solve import _solution
from watchline.design.cover.stated import price_set
from watchline.design.cover.stretch import Stretch
from watchline.design.cover.windows import FINEST, fit_shares
from watchline.prove.certificate import check_certificate


def hard(seed):
    """A small problem with all features but rows that may be missed."""
    case = random_case(seed)
    for name in ("allowed_uncovered", "row_class"):
        case.options.pop(name, None)
    return case


def line(seed, groups=24, rows=60, reach_rows=9):
    """Groups along a line; each column sees some of the rows near its group."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(groups), 3)
    middle = (owner + 0.5) * rows / groups
    near = np.abs(np.arange(rows)[:, None] - middle) <= reach_rows / 2
    matrix = (near & (rng.random((rows, len(owner))) < 0.55)).astype(np.int8)
    demand = np.minimum(1 + (np.arange(rows) % 5 == 0), matrix.sum(axis=1))
    costs = rng.integers(3, 12, len(owner)).astype(float)
    return Case(
        costs, matrix, demand, owner, {"group_costs": rng.integers(30, 60, groups).astype(float)}
    )


def divided(case, steps):
    """A run that has raised its bound by windows for some pieces of work; None if infeasible."""
    problem = make_problem(*case.arguments(), **case.options)
    run = Run.begun(problem, 1e9)
    first(run, None)
    relax(run, 0.0)
    if run.chosen is None or run.bounder.bound <= 0:
        return None
    run.windows = cut(run)
    for bound in itertools.islice(run.windows.steps(), steps):
        run.raise_bound(bound)
    return run


def certified(run):
    solution = _solution(run)
    return solution, json.loads(json.dumps(make_certificate(run.problem, solution)))


@pytest.fixture
def short_windows(monkeypatch):
    monkeypatch.setattr(raising, "GROUPS_IN_WINDOW", 2)


@pytest.mark.parametrize("seed", range(320))
def test_no_sum_of_windows_is_above_the_optimum(seed, short_windows):
    case = hard(seed) if seed < 160 else line(seed, 6 + seed % 7, 10 + seed % 17, 3 + seed % 5)
    best = optimum(case)
    run = None if best is None else divided(case, 8)
    if run is None:
        pytest.skip("nothing to compare with")
    assert run.windows.bound <= best + 1e-6 * max(1.0, abs(best))
    solution, certificate = certified(run)
    if solution.price_windows:
        verdict = check_certificate(certificate, *case.arguments(), **case.options)
        assert verdict.holds, verdict.faults
        assert verdict.bound == pytest.approx(run.windows.bound, rel=1e-6, abs=1e-3)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(6, 14), st.integers(8, 30), st.integers(3, 9))
def test_lines_of_any_size_are_enclosed(seed, groups, rows, near):
    case = line(seed, groups, rows, near)
    best = optimum(case)
    run = None if best is None else divided(case, 6)
    if run is not None:
        assert run.windows.bound <= best + 1e-6 * best


@functools.cache
def long_line():
    case = line(2)
    keep = raising.GROUPS_IN_WINDOW
    raising.GROUPS_IN_WINDOW = 3
    try:
        run = divided(case, 24)
    finally:
        raising.GROUPS_IN_WINDOW = keep
    return case, run, json.dumps(certified(run)[1])


def test_windows_prove_more_than_prices_alone():
    case, run, text = long_line()
    best = optimum(case)
    assert len(run.windows.windows) >= 3
    assert run.windows.bound > run.bounder.bound + 0.25 * (best - run.bounder.bound)
    assert run.windows.bound <= best
    certificate = json.loads(text)
    assert check_certificate(certificate, *case.arguments(), **case.options).holds
    alone = {key: certificate[key] for key in certificate if key != "windows"}
    verdict = check_certificate(alone, *case.arguments(), **case.options)
    assert not verdict.holds
    assert verdict.bound < run.windows.bound - 1


def test_windows_are_stated_one_at_a_time_and_always_the_same():
    _, run, text = long_line()
    windows = certified(run)[0].price_windows
    count = len(run.windows.windows)
    assert len(windows) == len(list(windows)) == count
    with pytest.raises(IndexError):
        windows[count]
    told = json.loads(text)["windows"]
    for number, window in enumerate(windows):
        again = windows[number - count]
        assert again is not window
        assert np.array_equal(again.column_shares, window.column_shares)
        paid = window.group_shares > 0
        assert [place for place, _ in told[number]["groups"]] == window.groups[paid].tolist()
    assert [one.groups.tolist() for one in windows[1:]] == [
        windows[number].groups.tolist() for number in range(1, count)
    ]


def test_prices_name_their_rows_and_cuts_as_the_arrays_do():
    case = line(2)
    run = Run.begun(make_problem(*case.arguments(), **case.options), 1e9)
    first(run, None)
    relax(run, 0.0)
    bounder = run.bounder
    part, prices = bounder.price_layout, bounder.prices
    order = np.random.default_rng(0).permutation(run.problem.n_columns)
    told = price_set(part, bounder.price_rows, prices, order)
    expected = {}
    for atom in np.flatnonzero(prices.atom > 0):
        members = part.member_column[part.member_start[atom] : part.member_start[atom + 1]]
        cap = part.row_cap[part.atom_row[part.atom_start[atom]]]
        key = (int(part.atom_group[atom]), tuple(sorted(order[members].tolist())), int(cap))
        expected[key] = prices.atom[atom]
    assert expected
    assert len(told.cuts) == len(expected)
    assert dict(told.cuts) == expected
    assert all(told.cuts[key] == price for key, price in expected.items())
    assert (0, (), 0) not in told.cuts
    assert np.all(told.rows > 0)
    dense = told.of_every_row(run.problem.n_rows)
    assert np.array_equal(dense[bounder.price_rows], prices.row)
    assert np.count_nonzero(dense) == len(told.numbers)


def kinds(run):
    """What the leaves of all windows were asked."""
    leaves_of_all = [leaf for window in run.windows.windows for leaf in window.leaves]
    return {kind for leaf in leaves_of_all for kind, _, _ in leaf.answers.path}


@pytest.mark.parametrize("seed", [1, 3, 9])
def test_where_all_groups_are_decided_columns_are_asked_for(seed, short_windows):
    case = line(seed, 9, 24, 7)
    case.options["group_costs"][:] = 1.0
    run = divided(case, 30)
    assert "column" in kinds(run)
    assert run.windows.bound <= optimum(case) + 1e-6
    _, certificate = certified(run)
    verdict = check_certificate(certificate, *case.arguments(), **case.options)
    assert verdict.holds, verdict.faults
    assert verdict.bound == pytest.approx(run.windows.bound, rel=1e-6, abs=1e-3)


def half_asleep(case, steps):
    """A run whose windows start with every second row alone, and its active rows at the end."""
    run = divided(case, 0)
    for window in run.windows.windows:
        stretch = window.stretch
        stretch.active = np.arange(stretch.n_rows) % 2 == 0
        stretch.activate(stretch.active)
    for _ in itertools.islice(run.windows.steps(), steps):
        pass
    return run, sum(int(window.stretch.active.sum()) for window in run.windows.windows)


def test_rows_that_leaves_leave_open_become_active(monkeypatch, short_windows):
    case = line(5, 12, 40, 9)
    run, rows = half_asleep(case, 12)
    monkeypatch.setattr(window_module, "OPEN", 2.0)
    asleep, fewer = half_asleep(case, 12)
    assert rows > fewer
    assert run.windows.bound > asleep.windows.bound + 1
    assert run.windows.bound <= optimum(case) + 1e-6
    _, certificate = certified(run)
    assert check_certificate(certificate, *case.arguments(), **case.options).holds


def test_prices_of_a_leaf_that_nothing_satisfies_stay_finite():
    layout = make_layout(make_problem([1.0, 2.0], [[0, 1], [1]], [1, 1]))[0]
    far, kept = make_iterate(layout, 1), make_iterate(layout, 1)
    for values in (far.row, far.atom, far.mount):
        values[:] = 1e200
    kept = type(kept)(*(values.astype(np.float32) for values in kept))
    rows, atoms = np.arange(2), np.ones(len(far.atom), bool)
    with np.errstate(over="raise"):
        window_module._paste(far, kept, rows, atoms)
    assert all(np.isfinite(values).all() for values in kept)
    assert kept.row.min() == kept.mount.min() == np.float32(window_module.LARGEST)


def reachable(thing):
    """All objects that a thing holds, but for the windows that its answers are about."""
    found, waiting = {}, [thing]
    while waiting:
        one = waiting.pop()
        if id(one) not in found and not isinstance(one, Stretch):
            found[id(one)] = one
            waiting += (
                one if isinstance(one, list | tuple) else getattr(one, "__dict__", {}).values()
            )
    return found.values()


def test_the_best_proof_holds_prices_alone_and_leaves_no_layout():
    _, run, _ = long_line()
    proof = reachable(run.windows.proof.leaves)
    assert not any(isinstance(part, (Layout, Iterate, Near)) for part in proof)
    leaves_of_all = [leaf for window in run.windows.windows for leaf in window.leaves]
    assert len({id(leaf.near) for leaf in leaves_of_all}) > len(run.windows.windows)
    assert not any(isinstance(part, Layout) for part in reachable(leaves_of_all))


def test_cutting_windows_keeps_what_the_relaxation_has_proven():
    case = line(2)
    run = Run.begun(make_problem(*case.arguments(), **case.options), 1e9)
    first(run, None)
    relax(run, 0.0)
    before = _solution(run)
    run.windows = cut(run)
    after = _solution(run)
    assert len(run.layout.atom_group) == 0
    assert run.bounder.price_layout is None
    assert before.price_bound == after.price_bound > 0
    assert np.any(before.row_duals)
    assert np.array_equal(before.row_duals, after.row_duals)
    assert before.cut_duals
    assert dict(before.cut_duals) == dict(after.cut_duals)


def test_stretches_add_nothing_to_the_views_of_rows():
    _, run, _ = long_line()
    rng = np.random.default_rng(0)
    for window in run.windows.windows:
        stretch = window.stretch
        keep = np.zeros(len(stretch.columns), bool)
        keep[stretch.near.columns] = True
        near, _ = with_columns(stretch.whole, keep)
        y, x = rng.random(len(stretch.groups)), rng.random(len(stretch.near.columns))
        views = views_of(stretch.asking, y, x)
        assert np.array_equal(views[: stretch.n_rows], views_of(near, y, x))
        assert len(views) == stretch.n_rows + len(stretch.sets)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 1000])
def test_packed_prices_are_the_same_to_the_bit(length):
    rng = np.random.default_rng(length)
    array = rng.random(length) * (rng.random(length) < 0.4)
    packed = Packed.of(array)
    assert np.array_equal(packed.unpacked(), array)
    assert packed.where.nbytes == (length + 7) // 8
    assert len(packed.values) == np.count_nonzero(array)


def test_shares_never_add_up_to_more_than_a_cost():
    rng = np.random.default_rng(0)
    costs = rng.uniform(0, 1e6, 50)
    places = [np.arange(0, 40), np.arange(10, 50), np.arange(0, 50)]
    asked = [rng.uniform(0, 1e6, len(place)) for place in places]
    rows = [rng.integers(1, 9, len(place)).astype(float) for place in places]
    total = np.zeros(50)
    for share, place in zip(fit_shares(asked, rows, places, costs), places, strict=True):
        assert np.array_equal(share / FINEST, np.floor(share / FINEST))
        total[place] += share
    assert np.all(total <= costs)
    assert np.all(total >= costs - 1e-4)


def leaves(node):
    return leaves(node["used"]) + leaves(node["unused"]) if "used" in node else [node]


def larger_share(certificate):
    certificate["windows"][0]["groups"][0][1] += 1.0


def larger_share_of_a_column(certificate):
    certificate["windows"][0]["columns"][0][1] += 1.0


def window_twice(certificate):
    certificate["windows"].append(certificate["windows"][0])


def unknown_share(certificate):
    certificate["windows"][0]["groups"].append([10**6, 1.0])


def negative_share(certificate):
    certificate["windows"][0]["groups"][0][1] = -1.0


def window_forgotten(certificate):
    certificate["windows"].pop()


def some_that_need_not_be(certificate):
    # The price of "one of these is in use" where the tree has said that none is.
    place, number = certificate["windows"][0]["tree"], 0
    while "any" in place and "used" in place:
        number, place = place["any"], place["unused"]
    leaves(place)[0]["any"] = [[number, 1000.0]]


def set_emptied(certificate):
    certificate["tree_sets"] = [[] for _ in certificate["tree_sets"]]


def set_forgotten(certificate):
    certificate["tree_sets"] = []


def only_one_answer(certificate):
    for window in certificate["windows"]:
        window["tree"] = window["tree"].get("used", window["tree"])


def answers_swapped(certificate):
    for window in certificate["windows"]:
        tree = window["tree"]
        if "used" in tree:
            tree["used"], tree["unused"] = tree["unused"], tree["used"]


def dearer(certificate):
    certificate["bound"] *= 1.2
    for window in certificate["windows"]:
        for leaf in leaves(window["tree"]):
            leaf["rows"] = [[row, 1.2 * price] for row, price in leaf["rows"]]


@pytest.mark.parametrize(
    "tamper",
    [
        larger_share,
        larger_share_of_a_column,
        window_twice,
        unknown_share,
        negative_share,
        window_forgotten,
        some_that_need_not_be,
        set_emptied,
        set_forgotten,
        only_one_answer,
        answers_swapped,
        dearer,
    ],
)
def test_tampered_windows_are_refused(tamper):
    case, _, text = long_line()
    changed = copy.deepcopy(json.loads(text))
    tamper(changed)
    verdict = check_certificate(changed, *case.arguments(), **case.options)
    assert not verdict.holds
    assert verdict.faults


def test_the_order_along_the_line_is_found_from_the_rows_alone():
    case = line(3, groups=60, rows=200)
    rng = np.random.default_rng(0)
    shuffled = rng.permutation(60)
    problem = make_problem(
        case.costs, sparse.csc_array(case.matrix), case.demand, shuffled[case.groups],
        group_costs=case.options["group_costs"],
    )  # fmt: skip
    layout, _ = make_layout(problem)
    rows = np.flatnonzero(problem.demand > 0)
    _, at = line_order(part_of(layout, rows), np.ones(len(rows)))
    place = np.empty(60)
    place[np.argsort(at)] = np.arange(60)
    truth = np.empty(60)
    truth[shuffled] = np.arange(60)
    assert abs(np.corrcoef(place, truth)[0, 1]) > 0.98


def test_equal_work_gives_equal_windows_and_certified_cover(monkeypatch):
    # The way of a large problem: with windows from the public function on.
    for limit in ("TINY", "SMALL", "MIDDLE"):
        monkeypatch.setattr(solve_module, limit, -1)
    monkeypatch.setattr(run_module, "FEW", 4)
    case = line(2)
    made = [
        cover(*case.arguments(), **case.options, time_limit=60, work_limit=100) for _ in range(2)
    ]
    assert made[0].price_windows
    assert made[0].lower_bound == made[1].lower_bound
    assert np.array_equal(made[0].chosen, made[1].chosen)
    problem = make_problem(*case.arguments(), **case.options)
    certificate = json.loads(json.dumps(make_certificate(problem, made[0])))
    assert check_certificate(certificate, *case.arguments(), **case.options).holds
    assert made[0].lower_bound <= optimum(case) + 1e-6
