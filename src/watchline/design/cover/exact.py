"""Mixed-integer models of a covering problem in atoms, solved by HiGHS.

Rows become ``Σ views ≥ demand``; a view variable per atom carries the row–mount cuts
(``z ≤ cap · y`` and ``z ≤ Σ x``). Small problems are handed over whole; large ones by windows.
HiGHS keeps one thread setting per process: changing ``threads`` makes the next run fail silently,
so no option of threads is ever set here.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from watchline.design.cover.layout import Layout

WAIT = 0.1
"""Time between two questions whether HiGHS should stop, in s."""


@dataclass(frozen=True, eq=False)
class Model:
    """A mixed-integer model with the places of its variables.

    Attributes
    ----------
    matrix : scipy.sparse.csr_array
        Constraint matrix.
    lower, upper : ndarray of float64
        Sides of the constraints.
    cost : ndarray of float64
        Objective, to be made small.
    top : ndarray of float64
        Upper limits of the variables; all lower limits are 0.
    whole : ndarray of bool
        Variables that take whole values.
    soft : ndarray of int64
        Rows that may stay uncovered: the last variables say which do.
    n_columns, n_groups : int
        The first variables are the columns, then the groups.
    """

    matrix: sparse.csr_array
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    cost: NDArray[np.float64]
    top: NDArray[np.float64]
    whole: NDArray[np.bool_]
    soft: NDArray[np.int64]
    n_columns: int
    n_groups: int


@dataclass(frozen=True, eq=False)
class Outcome:
    """What HiGHS found.

    Attributes
    ----------
    chosen : ndarray of int64 or None
        Columns of the best choice (layout order), None if there is none.
    bound : float
        Lower bound of the model's objective (floating-point branch and bound).
    optimal, infeasible, interrupted : bool
        How the run ended.
    nodes : int
        Branch-and-bound nodes.
    """

    chosen: NDArray[np.int64] | None
    bound: float
    optimal: bool
    infeasible: bool
    interrupted: bool
    nodes: int


def make_model(
    layout: Layout,
    allowed: NDArray[np.float64],
    *,
    budget: float | None = None,
    group_bonus: NDArray[np.float64] | None = None,
) -> Model:
    """Write a covering problem as a mixed-integer model.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.
    allowed : ndarray of float64, shape (n_classes,)
        Row weight that may stay uncovered, per class.
    budget : float, optional
        With it, the uncovered row weight is made small within the budget.
    group_bonus : ndarray of float64, shape (n_groups,), optional
        Subtracted from the groups' fixed costs.

    Returns
    -------
    Model
    """
    n, m = len(layout.cost), len(layout.fixed)
    n_atoms, n_rows = len(layout.atom_group), len(layout.demand)
    size = np.diff(layout.member_start)
    # An atom whose cap never binds needs no variable: its views are its columns.
    own = layout.atom_cap < size
    z = np.full(n_atoms, -1)
    z[own] = n + m + np.arange(int(own.sum()))
    soft = layout.demand > 0
    if budget is None:
        soft = soft & (allowed[layout.row_class] > 0)
    u = np.full(n_rows, -1)
    u[soft] = n + m + int(own.sum()) + np.arange(int(soft.sum()))
    width = n + m + int(own.sum()) + int(soft.sum())
    blocks: list[tuple[NDArray, NDArray, NDArray, NDArray, NDArray]] = []

    def add(row: NDArray, col: NDArray, val: NDArray, low: NDArray, high: NDArray) -> None:
        blocks.append((row, col, val, low, high))

    inf = np.inf
    pair_row = np.repeat(np.arange(n_rows), np.diff(layout.row_start))
    atom = layout.row_atom
    by_z = own[atom]
    plain = np.flatnonzero(~by_z)
    spread = np.repeat(plain, size[atom[plain]])
    offset = np.arange(len(spread)) - np.repeat(
        np.cumsum(size[atom[plain]]) - size[atom[plain]], size[atom[plain]]
    )
    members = layout.member_column[layout.member_start[atom[spread]] + offset]
    add(
        np.concatenate([pair_row[by_z], pair_row[spread], np.flatnonzero(soft)]),
        np.concatenate([z[atom[by_z]], members, u[soft]]),
        np.concatenate([np.ones(int(by_z.sum()) + len(spread)), layout.demand[soft]]),
        layout.demand.astype(float),
        np.full(n_rows, inf),
    )
    owned = np.flatnonzero(own)
    link = np.repeat(np.arange(len(owned)), size[owned])
    first = np.repeat(layout.member_start[owned] - (np.cumsum(size[owned]) - size[owned]), 1)
    members = layout.member_column[np.arange(len(link)) + np.repeat(first, size[owned])]
    ones = np.ones(len(owned))
    add(
        np.concatenate([link, np.arange(len(owned))]),
        np.concatenate([members, z[owned]]),
        np.concatenate([np.ones(len(link)), -ones]),
        0 * ones,
        inf * ones,
    )
    add(
        np.concatenate([np.arange(len(owned))] * 2),
        np.concatenate([n + layout.atom_group[owned], z[owned]]),
        np.concatenate([layout.atom_cap[owned].astype(float), -ones]),
        0 * ones,
        inf * ones,
    )
    columns = np.arange(n)
    add(
        np.concatenate([columns, columns]),
        np.concatenate([n + layout.column_group, columns]),
        np.concatenate([np.ones(n), -np.ones(n)]),
        np.zeros(n),
        np.full(n, inf),
    )
    tight = np.flatnonzero(layout.capacity < np.diff(layout.group_start))
    if len(tight):
        place = np.full(m, -1)
        place[tight] = np.arange(len(tight))
        inside = np.flatnonzero(place[layout.column_group] >= 0)
        add(
            np.concatenate([place[layout.column_group[inside]], np.arange(len(tight))]),
            np.concatenate([inside, n + tight]),
            np.concatenate([-np.ones(len(inside)), layout.capacity[tight].astype(float)]),
            np.zeros(len(tight)),
            np.full(len(tight), inf),
        )
    at_site = np.flatnonzero(layout.site >= 0)
    if len(at_site):
        _, place = np.unique(layout.site[at_site], return_inverse=True)
        count = int(place.max()) + 1
        add(place, n + at_site, np.ones(len(at_site)), np.full(count, -inf), np.ones(count))
    fixed = layout.fixed if group_bonus is None else layout.fixed - group_bonus
    cost = np.concatenate([layout.cost, fixed, np.zeros(width - n - m)])
    if budget is not None:
        used = np.flatnonzero(cost)
        zero = np.zeros(len(used), int)
        add(zero, used, cost[used], np.array([-inf]), np.array([budget]))
        cost = np.zeros(width)
        cost[u[soft]] = layout.row_weight[soft]
    else:
        kinds = np.flatnonzero(allowed > 0)
        place = np.full(len(allowed), -1)
        place[kinds] = np.arange(len(kinds))
        rows = np.flatnonzero(soft)
        if len(rows):
            add(
                place[layout.row_class[rows]],
                u[rows],
                layout.row_weight[rows],
                np.full(len(kinds), -inf),
                allowed[kinds],
            )
    top = np.ones(width)
    top[z[owned]] = layout.atom_cap[owned]
    whole = np.ones(width, bool)
    whole[z[owned]] = False
    start, row, col, val, low, high = 0, [], [], [], [], []
    for r, c, v, below, above in blocks:
        row.append(r + start)
        col.append(c)
        val.append(v)
        low.append(below)
        high.append(above)
        start += len(below)
    matrix = sparse.coo_array(
        (np.concatenate(val), (np.concatenate(row), np.concatenate(col))), shape=(start, width)
    ).tocsr()
    return Model(
        matrix,
        np.concatenate(low),
        np.concatenate(high),
        cost,
        top,
        whole,
        np.flatnonzero(soft),
        n,
        m,
    )


def _completed(layout: Layout, model: Model, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the values of all variables of a choice."""
    n, m = model.n_columns, model.n_groups
    value = np.zeros(len(model.cost))
    value[chosen] = 1.0
    value[n + layout.column_group[chosen]] = 1.0
    size = np.diff(layout.member_start)
    seen = (
        np.add.reduceat(np.append(value[layout.member_column], 0.0), layout.member_start[:-1])
        if len(size)
        else np.zeros(0)
    )
    views = np.minimum(seen, layout.atom_cap)
    owned = layout.atom_cap < size
    value[n + m : n + m + int(owned.sum())] = views[owned]
    total = np.bincount(
        np.repeat(np.arange(len(layout.demand)), np.diff(layout.row_start)),
        views[layout.row_atom],
        minlength=len(layout.demand),
    )
    value[n + m + int(owned.sum()) :] = total[model.soft] < layout.demand[model.soft]
    return value


def solve_model(
    layout: Layout,
    model: Model,
    *,
    seconds: float,
    start: NDArray[np.int64] | None = None,
    nodes: int | None = None,
    seed: int = 0,
    gap: float = 0.0,
    step: float = 0.0,
    enough: Callable[[], bool] | None = None,
) -> Outcome:
    """Solve a model with HiGHS.

    Parameters
    ----------
    layout : Layout
        The problem that the model was made from.
    model : Model
        The model.
    seconds : float
        Time limit in s.
    start : ndarray of int64, optional
        A feasible choice (layout order).
    nodes : int, optional
        Limit of branch-and-bound nodes, for repeatable runs.
    seed : int
        Random seed.
    gap : float
        Relative gap at which HiGHS may stop.
    step : float
        Every objective value is a multiple of it, so that a smaller gap is closed.
    enough : callable, optional
        Asked again and again whether to stop: HiGHS is told within a second or so. Without it
        HiGHS is done first.

    Returns
    -------
    Outcome
    """
    began = time.perf_counter()
    solver = silent_solver()
    for name, value in (
        ("time_limit", max(0.1, float(seconds))),
        ("random_seed", int(seed) % 2**31),
        ("mip_rel_gap", float(gap)),
        ("mip_abs_gap", max(1e-9, 0.99 * step)),
        ("mip_feasibility_tolerance", 1e-7),
        ("mip_max_nodes", int(nodes) if nodes is not None else 2**31 - 1),
    ):
        solver.setOptionValue(name, value)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(model.cost), len(model.lower)
    lp.col_cost_ = model.cost
    lp.col_lower_, lp.col_upper_ = np.zeros(len(model.cost)), model.top
    inf = highspy.kHighsInf
    lp.row_lower_ = np.where(np.isfinite(model.lower), model.lower, -inf)
    lp.row_upper_ = np.where(np.isfinite(model.upper), model.upper, inf)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = model.matrix.indptr.astype(np.int32)
    lp.a_matrix_.index_ = model.matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = model.matrix.data.astype(float)
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(w)] for w in model.whole]
    solver.passModel(lp)
    if start is not None:
        value = _completed(layout, model, start)
        solver.setSolution(len(value), np.arange(len(value), dtype=np.int32), value)
    if enough is None:
        solver.run()
    else:
        _run_until(solver, enough)
    status = solver.getModelStatus()
    interrupted = status == highspy.HighsModelStatus.kInterrupt
    info = solver.getInfo()
    chosen = None
    optimal = status == highspy.HighsModelStatus.kOptimal
    bound = float(info.mip_dual_bound)
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        values = np.asarray(solver.getSolution().col_value)
        chosen = np.flatnonzero(values[: model.n_columns] > 0.5)
        told, true = float(info.objective_function_value), float(values @ model.cost)
        if abs(told - true) > 1e-6 * max(1.0, abs(true)):
            # HiGHS 1.16 miscounts some starts when presolve empties the model, and then cuts off
            # by the wrong value: neither bound nor verdict holds. Without a start they do.
            if start is not None and not interrupted:
                left = seconds - (time.perf_counter() - began)
                return solve_model(
                    layout,
                    model,
                    seconds=left,
                    nodes=nodes,
                    seed=seed,
                    gap=gap,
                    step=step,
                    enough=enough,
                )
            bound, optimal = -np.inf, False
    return Outcome(
        chosen=chosen,
        bound=bound,
        optimal=optimal,
        infeasible=status
        in (
            highspy.HighsModelStatus.kInfeasible,
            highspy.HighsModelStatus.kUnboundedOrInfeasible,
        ),
        interrupted=interrupted,
        nodes=max(0, int(info.mip_node_count)),
    )


def _run_until(solver: highspy.Highs, enough: Callable[[], bool]) -> None:
    """Run a solver to its end, or until ``enough`` says so."""
    solver.HandleUserInterrupt = True
    solver.startSolve()
    try:
        while not solver.wait(WAIT)[0]:
            if enough():
                solver.cancelSolve()
    except KeyboardInterrupt:
        # Its thread must not go on with what this one lets go.
        solver.cancelSolve()
        while not solver.wait(WAIT)[0]:
            pass
        raise


def silent_solver() -> highspy.Highs:
    """Make a solver without its greeting.

    The constructor of HiGHS 1.16 prints a banner to the C library's stdout before any option can
    forbid it, and stdout belongs to data.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        ctypes.CDLL(None).fflush(None)
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
    return solver
