"""Random covering problems, a plain integer model of them, and an independent checker."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp


@dataclass
class Case:
    """A covering problem as the arguments of ``cover``."""

    costs: np.ndarray
    matrix: np.ndarray
    demand: np.ndarray
    groups: np.ndarray
    options: dict = field(default_factory=dict)

    def arguments(self) -> tuple:
        return self.costs, sparse.csc_array(self.matrix), self.demand, self.groups


def random_case(seed: int, *, budget: bool = False) -> Case:
    """A small problem with a random mix of all features."""
    rng = np.random.default_rng(seed)
    n_groups = int(rng.integers(1, 9))
    n_columns = int(rng.integers(n_groups, 5 * n_groups + 1))
    n_rows = int(rng.integers(1, 26))
    groups = np.concatenate([np.arange(n_groups), rng.integers(0, n_groups, n_columns - n_groups)])
    rng.shuffle(groups)
    matrix = (rng.random((n_rows, n_columns)) < rng.uniform(0.1, 0.6)).astype(np.int8)
    whole = rng.random() < 0.5
    costs = rng.integers(0, 12, n_columns) if whole else rng.uniform(0, 10, n_columns)
    fixed = rng.integers(0, 40, n_groups) if whole else rng.uniform(0, 40, n_groups)
    most = matrix.sum(axis=1)
    demand = np.minimum(rng.integers(0, 4, n_rows), most)
    options: dict = {"group_costs": fixed}
    if rng.random() < 0.5:
        options["row_cap"] = rng.integers(1, 3, n_rows)
    if rng.random() < 0.5:
        options["sites"] = rng.integers(-1, max(1, n_groups // 2), n_groups)
    if rng.random() < 0.4:
        options["capacity"] = rng.integers(1, 5, n_groups)
    if rng.random() < 0.6:
        options["row_weight"] = rng.choice([0.5, 1.0, 2.0, 0.1], n_rows)
    weight = options.get("row_weight", np.ones(n_rows))
    if budget:
        total = costs.sum() + fixed.sum()
        options["budget"] = float(np.floor(total * rng.uniform(0.05, 0.6)))
    elif rng.random() < 0.6:
        kinds = int(rng.integers(1, 4))
        options["row_class"] = rng.integers(0, kinds, n_rows)
        options["allowed_uncovered"] = [
            float(rng.choice([0.0, 0.1, 0.3])) * weight[options["row_class"] == r].sum()
            for r in range(kinds)
        ]
    return Case(costs.astype(float), matrix, demand, groups, options)


def core_line() -> Case:
    """A line of 2,400 rows: so many that a search moves on a core of them."""
    rng = np.random.default_rng(4)
    groups, rows = 60, 2400
    owner = np.repeat(np.arange(groups), 4)
    middle = (owner + 0.5) * rows / groups
    near = np.abs(np.arange(rows)[:, None] - middle) <= 90
    near &= rng.random((rows, len(owner))) < 0.6
    demand = np.minimum(1 + (np.arange(rows) % 7 == 0), near.sum(axis=1))
    costs = rng.integers(3, 12, len(owner)).astype(float)
    fixed = rng.integers(30, 60, groups).astype(float)
    return Case(costs, near.astype(np.int8), demand, owner, {"group_costs": fixed})


def optimum(case: Case, settled: dict[int, bool] | None = None) -> float | None:
    """Least cost (budget: least uncovered weight) by the plainest model; None if infeasible.

    Variables: x columns, y groups, v (row, group) counted views, u rows left uncovered.
    ``settled`` says of some columns whether they are chosen.
    """
    o = case.options
    n_rows, n = case.matrix.shape
    m = len(o["group_costs"])
    weight = np.asarray(o.get("row_weight", np.ones(n_rows)), float)
    cap = np.minimum(o.get("row_cap", case.demand), case.demand)
    width = n + m + n_rows * m + n_rows
    rows, low, high = [], [], []

    def need(terms: dict[int, float], below: float, above: float) -> None:
        line = np.zeros(width)
        for place, value in terms.items():
            line[place] += value
        rows.append(line)
        low.append(below)
        high.append(above)

    for j in range(n):
        need({j: 1, n + case.groups[j]: -1}, -np.inf, 0)
    for i in range(n_rows):
        views = {n + m + i * m + g: 1.0 for g in range(m)}
        need({**views, n + m + n_rows * m + i: float(case.demand[i])}, case.demand[i], np.inf)
        for g in range(m):
            inside = np.flatnonzero((case.groups == g) & (case.matrix[i] > 0))
            need({n + m + i * m + g: 1.0, **{int(j): -1.0 for j in inside}}, -np.inf, 0)
    if "capacity" in o:
        for g in range(m):
            need({int(j): 1.0 for j in np.flatnonzero(case.groups == g)}, 0, o["capacity"][g])
    if "sites" in o:
        for site in set(np.asarray(o["sites"]).tolist()) - {-1}:
            need({n + int(g): 1.0 for g in np.flatnonzero(o["sites"] == site)}, 0, 1)
    spend = np.concatenate([case.costs, o["group_costs"]])
    kinds = np.asarray(o.get("row_class", np.zeros(n_rows, int)))
    soft = np.zeros(n_rows)
    objective = np.zeros(width)
    if "budget" in o:
        need(dict(enumerate(spend)), 0, o["budget"])
        objective[n + m + n_rows * m :] = np.where(case.demand > 0, weight, 0)
        soft[:] = 1
    else:
        objective[: n + m] = spend
        for r, allowed in enumerate(o.get("allowed_uncovered", [])):
            members = np.flatnonzero(kinds == r)
            soft[members] = float(allowed > 0)
            need({n + m + n_rows * m + int(i): weight[i] for i in members}, 0, allowed + 1e-9)
    top = np.concatenate([np.ones(n + m), np.repeat(cap, m), soft])
    bottom = np.zeros(width)
    for j, chosen in (settled or {}).items():
        bottom[j] = top[j] = float(chosen)
    found = milp(
        objective,
        constraints=LinearConstraint(np.array(rows), low, high),
        bounds=Bounds(bottom, top),
        integrality=np.ones(width),
        options={"mip_rel_gap": 0.0},
    )
    if found.status == 2:
        return None
    assert found.status == 0, found.message
    return float(found.fun)


def check(case: Case, chosen: np.ndarray) -> tuple[float, np.ndarray]:
    """Assert the rules of sites, capacity and share; return cost and uncovered rows."""
    o = case.options
    taken = [int(j) for j in chosen]
    assert sorted(set(taken)) == taken
    used = sorted({int(case.groups[j]) for j in taken})
    if "sites" in o:
        places = [int(o["sites"][g]) for g in used if o["sites"][g] >= 0]
        assert len(places) == len(set(places))
    if "capacity" in o:
        for g in used:
            assert sum(case.groups[j] == g for j in taken) <= o["capacity"][g]
    missed = []
    for i, k in enumerate(case.demand):
        cap = o["row_cap"][i] if "row_cap" in o else k
        views = 0
        for g in used:
            inside = sum(int(case.matrix[i, j]) for j in taken if case.groups[j] == g)
            views += min(int(cap), inside)
        if views < k:
            missed.append(i)
    weight = np.asarray(o.get("row_weight", np.ones(len(case.demand))))
    cost = sum(case.costs[j] for j in taken) + sum(float(o["group_costs"][g]) for g in used)
    if "budget" in o:
        assert cost <= o["budget"] + 1e-9
    else:
        kinds = np.asarray(o.get("row_class", np.zeros(len(case.demand), int)))
        allowed = o.get("allowed_uncovered", np.zeros(int(kinds.max(initial=0)) + 1))
        for r, most in enumerate(allowed):
            assert weight[[i for i in missed if kinds[i] == r]].sum() <= most + 1e-9
    return float(cost), np.array(missed, int)


def read_orlib(text: str) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Costs, rows of each column and demand of an OR-Library set-covering file (scp format)."""
    numbers = iter(text.split())
    n_rows, n_columns = int(next(numbers)), int(next(numbers))
    costs = np.array([float(next(numbers)) for _ in range(n_columns)])
    rows: list[list[int]] = [[] for _ in range(n_columns)]
    for i in range(n_rows):
        for _ in range(int(next(numbers))):
            rows[int(next(numbers)) - 1].append(i)
    return costs, [np.array(r, int) for r in rows], np.ones(n_rows, int)
