"""The least-cost choice of lights on a stretch of the line, by HiGHS, rows made as needed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import highspy
import numpy as np
import numpy.typing as npt

from watchline.design.cover.exact import silent_solver
from watchline.design.light_heads import Heads
from watchline.design.light_matrix import LIMIT_REACH_M
from watchline.design.light_rows import Problem, Row, violated

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
MOST_ROUNDS = 60
MIP_ROUNDS = 12
FIXED_SLACK = 1e-5
DEAR_SHARE = 0.25
"""Reduced cost, as a share of the cost, from which a head or a pole is left out of a tree."""
TIME_LIMIT_S = 60.0
"""Of one tree: a safety for slow machines; the number of nodes ends it before."""


@dataclass(frozen=True)
class Part:
    """What was found on a stretch.

    Attributes
    ----------
    x : float64 array [heads]
        The whole choice, with the free heads set anew.
    duals : dict
        Price of each row by its key (relaxation only).
    """

    x: FloatArray
    duals: dict[tuple[object, ...], float]


@dataclass(frozen=True)
class _Model:
    """Columns: free heads, then their tops. Rows of the structure come first."""

    heads: IntArray
    tops: IntArray
    cost: FloatArray
    rows: list[tuple[float, float, IntArray, FloatArray]]


def _model(heads: Heads, free: BoolArray) -> _Model:
    chosen = np.flatnonzero(free)
    tops = np.unique(heads.top[chosen])
    column_of_top = chosen.size + np.searchsorted(tops, heads.top[chosen])
    rows: list[tuple[float, float, IntArray, FloatArray]] = []
    order = np.lexsort((heads.bracket[chosen], heads.top[chosen]))
    keys = np.stack([heads.top[chosen][order], heads.bracket[chosen][order]], axis=1)
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(keys, axis=0) != 0).any(axis=1)]))
    brackets = np.zeros(tops.size, dtype=np.int64)
    for begin, end in zip(starts, [*starts[1:], order.size], strict=True):
        # One head on each bracket, and none without its pole.
        members = order[begin:end]
        top = column_of_top[members[0]]
        brackets[top - chosen.size] += 1
        index = np.append(members, top)
        rows.append((-np.inf, 0.0, index, np.append(np.ones(members.size), -1.0)))
    for k, top in enumerate(tops):
        room = int(heads.top_room[top])
        if brackets[k] > room:
            members = np.flatnonzero(heads.top[chosen] == top)
            index = np.append(members, chosen.size + k)
            rows.append((-np.inf, 0.0, index, np.append(np.ones(members.size), -float(room))))
    places = heads.top_place[tops]
    for place in np.unique(places):
        members = np.flatnonzero(places == place)
        if members.size > 1:
            rows.append((-np.inf, 1.0, chosen.size + members, np.ones(members.size)))
    cost = np.concatenate([heads.cost[chosen], heads.top_cost[tops]])
    return _Model(chosen, tops, cost, rows)


def _cut_to(
    row: Row, fixed: FloatArray, fixed_tops: FloatArray, column: IntArray, top_column: IntArray
) -> tuple[float, float, IntArray, FloatArray]:
    """A row on the free columns; what the fixed heads and tops give is taken off its bounds."""
    at, top_at = column[row.heads], top_column[row.tops]
    here, top_here = at >= 0, top_at >= 0
    given = float(row.values[~here] @ fixed[row.heads[~here]])
    given += float(row.top_values[~top_here] @ fixed_tops[row.tops[~top_here]])
    lower = row.lower - given
    index = np.concatenate([at[here], top_at[top_here]])
    value = np.concatenate([row.values[here], row.top_values[top_here]])
    if row.key[0] != "uniform" and np.isfinite(lower):
        value = np.minimum(value, max(lower, 0.0))
    return lower, row.upper - given, index, value


def _excused(row: Row, x: FloatArray, tops: FloatArray) -> Row:
    """A row that asks for no more than a choice gives already."""
    given = float(row.values @ x[row.heads] + row.top_values @ tops[row.tops])
    return replace(row, lower=min(row.lower, given), upper=max(row.upper, given))


def solve_part(
    problem: Problem,
    heads: Heads,
    x: FloatArray,
    free: BoolArray,
    start_m: float,
    end_m: float,
    *,
    whole: bool,
    seed: int = 1,
    gap: float = 0.01,
    nodes: int = 200,
    begin: bool = False,
    core: tuple[float, float] | None = None,
) -> Part | None:
    """Choose the free heads at least cost, so that all rows of a stretch hold.

    Parameters
    ----------
    problem : Problem
        What is asked; rows that were needed are added to its pool.
    heads : Heads
        All heads.
    x : float64 array [heads]
        The choice so far; heads that are not free stay.
    free : bool array [heads]
        Which may change.
    start_m, end_m : float
        Rows between these chainages must hold.
    whole : bool
        False solves the relaxation, with its prices.
    seed, gap, nodes
        Of HiGHS.
    begin : bool
        Whether the choice so far satisfies everything, so that the tree may start from it.
    core : tuple of float, optional
        Rows outside these chainages need only be held as far as the choice so far holds them.

    Returns
    -------
    Part or None
        None where nothing satisfies the rows.
    """
    if not free.any():
        return Part(x, {})
    model = _model(heads, free)
    column = np.full(x.size, -1, dtype=np.int64)
    column[model.heads] = np.arange(model.heads.size)
    top_column = np.full(heads.top_cost.size, -1, dtype=np.int64)
    top_column[model.tops] = model.heads.size + np.arange(model.tops.size)
    known = [
        row
        for row in problem.pool.values()
        if start_m <= row.s <= end_m
        or (row.key[0] == "limit" and start_m - LIMIT_REACH_M <= row.s <= end_m + LIMIT_REACH_M)
    ]
    solver = _solver(model, seed)
    keys: list[tuple[object, ...]] = []

    def add(rows: list[Row]) -> bool:
        for row in rows:
            if core is not None and not core[0] <= row.s <= core[1]:
                row = _excused(row, x, tops_now)
            lower, upper, index, value = _cut_to(row, fixed, fixed_tops, column, top_column)
            if not index.size and (lower > FIXED_SLACK or upper < -FIXED_SLACK):
                return False  # no free head matters: it cannot be mended here
            solver.addRow(
                lower if np.isfinite(lower) else -highspy.kHighsInf,
                upper if np.isfinite(upper) else highspy.kHighsInf,
                index.size,
                index.astype(np.int32),
                value,
            )
            keys.append(row.key)
        return True

    fixed = np.where(free, 0.0, x)
    fixed_tops = np.zeros(heads.top_cost.size)
    fixed_tops[heads.top[fixed > 0.5]] = 1.0
    tops_now = np.zeros(heads.top_cost.size)
    tops_now[heads.top[x > 0.5]] = 1.0
    if not add(known):
        return None
    for _ in range(MOST_ROUNDS):
        if not _run(solver):
            return None
        now = fixed.copy()
        now[model.heads] = np.clip(solver.getSolution().col_value[: model.heads.size], 0.0, 1.0)
        fresh = violated(problem, now, start_m, end_m)
        if not fresh:
            break
        problem.pool.update({row.key: row for row in fresh})
        if not add(fresh):
            return None
    if whole:
        _drop_dear(solver, model)
    else:
        prices = np.asarray(solver.getSolution().row_dual)[len(model.rows) :]
        return Part(now, dict(zip(keys, prices.tolist(), strict=True)))
    solver.changeColsIntegrality(
        len(model.cost),
        np.arange(len(model.cost), dtype=np.int32),
        [highspy.HighsVarType.kInteger] * len(model.cost),
    )
    for name, value in (("mip_rel_gap", gap), ("mip_max_nodes", nodes)):
        solver.setOptionValue(name, value)
    first = x if begin else None
    for _ in range(MIP_ROUNDS):
        if first is not None:
            tops = np.isin(model.tops, np.unique(heads.top[first > 0.5])).astype(float)
            start = np.concatenate([first[model.heads], tops])
            solver.setSolution(start.size, np.arange(start.size, dtype=np.int32), start)
        if not _run(solver):
            count = len(model.cost)
            every = np.arange(count, dtype=np.int32)
            solver.changeColsBounds(count, every, np.zeros(count), np.ones(count))
            if not _run(solver):
                return None
        now = fixed.copy()
        now[model.heads] = np.round(solver.getSolution().col_value[: model.heads.size])
        fresh = violated(problem, now, start_m, end_m)
        if not fresh:
            return Part(now, {})
        problem.pool.update({row.key: row for row in fresh})
        if not add(fresh):
            return None
    return None


def _drop_dear(solver: highspy.Highs, model: _Model) -> None:
    """Leave out of the tree what the relaxation finds too dear: a tree of a few is searched well.

    What is left can still do what the relaxation does; where no whole choice is left, all come
    back.
    """
    found = solver.getSolution()
    value, dear = np.asarray(found.col_value), np.asarray(found.col_dual)
    most = DEAR_SHARE * np.maximum(model.cost, 1.0)
    out = np.flatnonzero((value < 1e-9) & (dear > most))
    for column in out:
        solver.changeColBounds(int(column), 0.0, 0.0)


def _solver(model: _Model, seed: int) -> highspy.Highs:
    solver = silent_solver()
    for name, value in (
        ("random_seed", int(seed) % 2**31),
        ("time_limit", TIME_LIMIT_S),
        ("mip_feasibility_tolerance", 1e-7),
        ("primal_feasibility_tolerance", 1e-8),
    ):
        solver.setOptionValue(name, value)
    count = len(model.cost)
    solver.addVars(count, np.zeros(count), np.ones(count))
    solver.changeColsCost(count, np.arange(count, dtype=np.int32), model.cost)
    for lower, upper, index, value in model.rows:
        low = lower if np.isfinite(lower) else -highspy.kHighsInf
        solver.addRow(low, upper, index.size, index.astype(np.int32), value)
    return solver


def _run(solver: highspy.Highs) -> bool:
    """Solve; whether a feasible choice was found.

    No option of threads is set: HiGHS keeps one setting a process and fails where it changes.
    """
    if solver.run() == highspy.HighsStatus.kError:
        raise RuntimeError(f"HiGHS failed: {solver.getModelStatus()}")
    info = solver.getInfo()
    return bool(info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible)


def choice_cost(heads: Heads, x: FloatArray) -> float:
    """Cost of a whole choice: its heads and the tops that carry one."""
    chosen = np.flatnonzero(x > 0.5)
    tops = np.unique(heads.top[chosen])
    return float(heads.cost[chosen].sum() + heads.top_cost[tops].sum())


def priced_bound(
    problem: Problem, heads: Heads, duals: dict[tuple[object, ...], float], margin: float
) -> float:
    """Least cost that any choice can have, from prices of rows (a Lagrangian bound).

    For any prices π of the right sign, ``Σ π b + Σ_places min(0, cheapest equipment at prices)``
    is at most the cost of every feasible choice. The cheapest equipment of a place is found
    exactly: a top, and on it the best head of each bracket, as many as it has room for.

    Parameters
    ----------
    problem : Problem
        Its pool holds the priced rows.
    heads : Heads
        All heads.
    duals : dict
        Price of rows by key; those of the wrong sign count as 0.
    margin : float
        By which the rows were made stricter than what is asked.
    """
    reduced, best_top = heads.cost.copy(), heads.top_cost.copy()
    parts = []
    for key, price in duals.items():
        row = problem.pool[key]
        if np.isfinite(row.lower) and price > 0:
            parts.append(price * row.lower / margin)
        elif np.isfinite(row.upper) and price < 0:
            parts.append(price * row.upper * margin)
        else:
            continue
        values = row.values if row.asked is None else row.asked
        np.subtract.at(reduced, row.heads, price * values)
        np.subtract.at(best_top, row.tops, price * row.top_values)
    order = np.lexsort((reduced, heads.bracket, heads.top))
    top, bracket = heads.top[order], heads.bracket[order]
    first = np.concatenate([[True], (np.diff(top) != 0) | (np.diff(bracket) != 0)])
    best = order[first]
    best = best[np.lexsort((reduced[best], heads.top[best]))]
    used = np.zeros(heads.top_cost.size, dtype=np.int64)
    for k in best:
        at = heads.top[k]
        if reduced[k] < 0 and used[at] < heads.top_room[at]:
            best_top[at] += reduced[k]
            used[at] += 1
    of_place = np.zeros(len(heads.places))
    np.minimum.at(of_place, heads.top_place, best_top)
    return float(np.sum(parts) + of_place.sum())
