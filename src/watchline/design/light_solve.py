"""The least-cost choice of lights on a stretch of the line, by HiGHS, rows made as needed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from watchline.design.cover.exact import silent_solver
from watchline.design.light_columns import Columns, cheapest_places, structure
from watchline.design.light_heads import Heads
from watchline.design.light_matrix import LIMIT_REACH_M
from watchline.design.light_rows import Problem, Row, violated

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
MOST_ROUNDS = 60
MIP_ROUNDS = 12
FIXED_SLACK = 1e-5
DEAR_SHARE = 0.35
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
    cost : float
        Of the free places (relaxation only).
    """

    x: FloatArray
    duals: dict[tuple[object, ...], float]
    cost: float = 0.0


@dataclass(frozen=True)
class Stated:
    """Rows over some columns, as a solver takes them.

    Attributes
    ----------
    lower, upper : float64 array [rows]
        Bounds.
    matrix : csr_matrix [rows, columns]
        Coefficients.
    """

    lower: FloatArray
    upper: FloatArray
    matrix: csr_matrix


def state_rows(
    rows: list[Row],
    columns: Columns,
    at: IntArray,
    fixed: FloatArray | None = None,
    fixed_tops: FloatArray | None = None,
    *,
    margin: float | None = None,
) -> Stated:
    """Rows over the columns ``at``; what fixed heads and poles give is taken off their bounds.

    A column counts toward a minimum by at most what is still asked: in whole choices that is the
    same. With ``margin`` the rows ask for what was wanted, without the design's margin.
    """
    lower = np.array([row.lower for row in rows])
    upper = np.array([row.upper for row in rows])
    values = [row.values for row in rows]
    if margin is not None:
        lower, upper = lower / margin, upper * margin
        values = [row.values if row.asked is None else row.asked for row in rows]
    lights = _stack([row.heads for row in rows], values, columns.heads.shape[1])
    poles = _stack(
        [row.tops for row in rows], [row.top_values for row in rows], columns.tops.shape[1]
    )
    capped = np.array([row.key[0] in ("minimum", "poles") for row in rows], dtype=bool)
    if fixed is not None and fixed_tops is not None:
        given = lights @ fixed + poles @ fixed_tops
        lower, upper = lower - given, upper - given
    matrix = (lights @ columns.heads[at].T + poles @ columns.tops[at].T).tocsr()
    matrix.sort_indices()
    most = np.where(capped, np.maximum(lower, 0.0), np.inf)
    matrix.data = np.minimum(matrix.data, np.repeat(most, np.diff(matrix.indptr)))
    matrix.eliminate_zeros()
    return Stated(lower, upper, matrix)


def _stack(index: list[IntArray], values: list[FloatArray], width: int) -> csr_matrix:
    sizes = np.array([one.size for one in index], dtype=np.int64)
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    if not sizes.sum():
        return csr_matrix((len(index), width))
    return csr_matrix(
        (np.concatenate(values), np.concatenate(index), indptr), shape=(len(index), width)
    )


def add_rows(solver: highspy.Highs, stated: Stated) -> None:
    """Give rows to a solver."""
    solver.addRows(
        stated.lower.size,
        np.maximum(stated.lower, -highspy.kHighsInf),
        np.minimum(stated.upper, highspy.kHighsInf),
        stated.matrix.nnz,
        stated.matrix.indptr[:-1].astype(np.int32),
        stated.matrix.indices.astype(np.int32),
        stated.matrix.data.astype(np.float64),
    )


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
    credit: FloatArray | None = None,
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
        Which may change, place by place.
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
    credit : float64 array [columns], optional
        What each column is worth for rows beyond the stretch; taken off its cost.

    Returns
    -------
    Part or None
        None where nothing satisfies the rows.
    """
    if not free.any():
        return Part(x, {})
    columns = problem.columns
    at = np.flatnonzero(np.isin(columns.place, np.unique(heads.place[free])))
    made = columns.heads[at]
    cost = columns.cost[at] - (0.0 if credit is None else credit[at])
    solver = part_solver(heads, columns, at, cost, seed)
    structural = solver.getNumRow()
    keys: list[tuple[object, ...]] = []
    fixed = np.where(free, 0.0, x)
    fixed_tops, tops_now = _standing(heads, fixed), _standing(heads, x)

    def add(rows: list[Row]) -> bool:
        if not rows:
            return True
        if core is not None:
            low, high = core
            rows = [r if low <= r.s <= high else _excused(r, x, tops_now) for r in rows]
        stated = state_rows(rows, columns, at, fixed, fixed_tops)
        empty = np.diff(stated.matrix.indptr) == 0
        if (empty & ((stated.lower > FIXED_SLACK) | (stated.upper < -FIXED_SLACK))).any():
            return False  # no free head matters: it cannot be mended here
        add_rows(solver, stated)
        keys.extend(row.key for row in rows)
        return True

    def found_heads(values: FloatArray) -> FloatArray:
        return np.clip(fixed + made.T @ values, 0.0, 1.0)

    if not add(rows_between(problem, start_m, end_m)):
        return None
    for _ in range(MOST_ROUNDS):
        if not run_solver(solver):
            return None
        fresh = violated(problem, found_heads(solution_of(solver)), start_m, end_m)
        if not fresh:
            break
        problem.pool.update({row.key: row for row in fresh})
        if not add(fresh):
            return None
    if not whole:
        prices = np.asarray(solver.getSolution().row_dual)[structural:]
        now = found_heads(solution_of(solver))
        spent = float(solver.getInfo().objective_function_value)
        return Part(now, dict(zip(keys, prices.tolist(), strict=True)), spent)
    _drop_dear(solver, cost)
    make_whole(solver, np.arange(at.size), gap, nodes)
    first = x if begin else None
    for _ in range(MIP_ROUNDS):
        if first is not None:
            start = np.isin(at, columns.taken(heads, first)).astype(np.float64)
            solver.setSolution(start.size, np.arange(start.size, dtype=np.int32), start)
        if not run_solver(solver):
            every = np.arange(at.size, dtype=np.int32)
            solver.changeColsBounds(at.size, every, np.zeros(at.size), np.ones(at.size))
            if not run_solver(solver):
                return None
        now = np.round(found_heads(np.round(solution_of(solver))))
        fresh = violated(problem, now, start_m, end_m)
        if not fresh:
            return Part(now, {})
        problem.pool.update({row.key: row for row in fresh})
        if not add(fresh):
            return None
    return None


def rows_between(problem: Problem, start_m: float, end_m: float) -> list[Row]:
    """Known rows between two chainages, limits from farther away."""
    return [
        row
        for row in problem.pool.values()
        if start_m <= row.s <= end_m
        or (row.key[0] == "limit" and start_m - LIMIT_REACH_M <= row.s <= end_m + LIMIT_REACH_M)
    ]


def _standing(heads: Heads, x: FloatArray) -> FloatArray:
    """1 for poles that carry a chosen head."""
    stands = np.zeros(heads.top_cost.size)
    stands[heads.top[x > 0.5]] = 1.0
    return stands


def _drop_dear(solver: highspy.Highs, cost: FloatArray) -> None:
    """Leave out of the tree what the relaxation finds too dear: a tree of a few is searched well.

    What is left can still do what the relaxation does; where no whole choice is left, all come
    back.
    """
    found = solver.getSolution()
    value, dear = np.asarray(found.col_value), np.asarray(found.col_dual)
    out = np.flatnonzero((value < 1e-9) & (dear > DEAR_SHARE * np.maximum(cost, 1.0)))
    if out.size:
        none = np.zeros(out.size)
        solver.changeColsBounds(out.size, out.astype(np.int32), none, none)


def make_whole(solver: highspy.Highs, which: IntArray, gap: float, nodes: int) -> None:
    """Ask for some columns as wholes, by a tree of so many nodes at most."""
    whole = [highspy.HighsVarType.kInteger] * which.size
    solver.changeColsIntegrality(which.size, which.astype(np.int32), whole)
    solver.setOptionValue("mip_rel_gap", gap)
    solver.setOptionValue("mip_max_nodes", nodes)


def part_solver(
    heads: Heads, columns: Columns, at: IntArray, cost: FloatArray, seed: int
) -> highspy.Highs:
    """A solver with some columns and the rows of their structure."""
    solver = silent_solver()
    for name, value in (
        ("random_seed", int(seed) % 2**31),
        ("time_limit", TIME_LIMIT_S),
        ("mip_feasibility_tolerance", 1e-7),
        ("primal_feasibility_tolerance", 1e-8),
    ):
        solver.setOptionValue(name, value)
    solver.addVars(at.size, np.zeros(at.size), np.ones(at.size))
    solver.changeColsCost(at.size, np.arange(at.size, dtype=np.int32), cost)
    for lower, upper, index, value in structure(heads, columns, at):
        low = lower if np.isfinite(lower) else -highspy.kHighsInf
        solver.addRow(low, upper, index.size, index.astype(np.int32), value)
    return solver


def solution_of(solver: highspy.Highs) -> FloatArray:
    """Values of the columns."""
    return np.asarray(solver.getSolution().col_value, dtype=np.float64)


def run_solver(solver: highspy.Highs) -> bool:
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


def priced(
    problem: Problem, duals: dict[tuple[object, ...], float], margin: float
) -> tuple[list[Row], FloatArray, Stated]:
    """Rows whose prices have the right sign, their prices, and the rows as they were wanted."""
    rows, prices = [], []
    for key, price in duals.items():
        row = problem.pool[key]
        if (np.isfinite(row.lower) and price > 0) or (np.isfinite(row.upper) and price < 0):
            rows.append(row)
            prices.append(price)
    every = np.arange(problem.columns.cost.size)
    return rows, np.array(prices), state_rows(rows, problem.columns, every, margin=margin)


def priced_bound(
    problem: Problem, heads: Heads, duals: dict[tuple[object, ...], float], margin: float
) -> float:
    """Least cost that any choice can have, from prices of rows (a Lagrangian bound).

    For any prices π of the right sign, ``Σ π b + Σ_places min(0, cheapest equipment at prices)``
    is at most the cost of every feasible choice. The cheapest equipment of a place is found
    exactly.

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
    _, prices, stated = priced(problem, duals, margin)
    bounds = np.where(prices > 0, stated.lower, stated.upper)
    reduced = problem.columns.cost - stated.matrix.T @ prices
    least = cheapest_places(heads, problem.columns, reduced)
    return float((prices * bounds).sum() + least.sum())
