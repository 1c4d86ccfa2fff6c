"""The bound of a choice of lights: whole choices in windows, the costs shared among them.

The relaxation lights a dark point by tenths of bright lights. In a window of a few hundred metres
the least cost of whole choices can be found, or at least bounded, by a tree. A light near an edge
serves two windows, so its cost is shared: each window gets what its rows pay for the light, by
their prices, and of what is left over the same share as the window pays of the light's place. The
shares of one light make up its cost, so the windows' bounds add up to a bound of the whole: the
choice of least cost, cut into windows, costs each window at least its own bound.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import diags

from watchline.design.light_columns import Columns, cheapest_places
from watchline.design.light_heads import Heads
from watchline.design.light_rows import MARGIN, Problem, violated
from watchline.design.light_solve import (
    add_rows,
    make_whole,
    part_solver,
    priced,
    rows_between,
    run_solver,
    solution_of,
    state_rows,
)

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
BOUND_WINDOW_M = 300.0
BOUND_GAP = 0.02
ROUNDS = 20
ANYWHERE_M = 1e9
SMALL = 1e-9
WEIGHTY = 0.1
"""Share of what is asked that a place must be able to give somewhere in a window to be looked at in
wholes there."""
TRUST = 1e-6
"""Share of a tree's bound that is not relied on: its tolerances are smaller."""


def window_bound(
    problem: Problem,
    heads: Heads,
    duals: dict[tuple[object, ...], float],
    windows: list[tuple[float, float]],
    *,
    seed: int,
    nodes: int,
    progress: Callable[[float], None] = lambda share: None,
) -> float:
    """Least cost that any choice can have, from whole choices in windows.

    Parameters
    ----------
    problem : Problem
        Its pool holds the priced rows; rows that windows need are added.
    heads : Heads
        All heads.
    duals : dict
        Price of rows by key: any give a bound.
    windows : list of (start, end)
        Chainages that meet, in order, from the first row's to beyond the last one's.
    seed, nodes : int
        Of the trees.
    progress : callable
        Is told the share done, 0–1.
    """
    columns = problem.columns
    rows, prices, stated = priced(problem, duals, MARGIN)
    s = np.array([row.s for row in rows])
    paid = stated.matrix.multiply(prices[:, None]).tocsr()
    reduced = columns.cost - np.asarray(paid.sum(axis=0)).ravel()
    own_s = heads.places["s"].to_numpy()
    of_place = np.zeros((len(windows), len(own_s)))
    costs = []
    for k, (start, end) in enumerate(windows):
        inside = (s >= start) & (s < end)
        given = np.asarray(paid[np.flatnonzero(inside)].sum(axis=0)).ravel()
        costs.append(given)
        np.add.at(of_place[k], columns.place, np.maximum(given, 0.0))
    total = of_place.sum(axis=0)
    edges = [start for start, _ in windows[1:]]
    middle = np.searchsorted(edges, own_s, side="right")
    share = np.where(
        total > SMALL,
        of_place / np.maximum(total, SMALL),
        middle == np.arange(len(windows))[:, None],
    )
    bound = 0.0
    for k, window in enumerate(windows):
        cost = costs[k] + share[k][columns.place] * reduced
        bound += _one(problem, heads, window, cost, seed, nodes)
        progress((k + 1) / len(windows))
    return bound


def _one(
    problem: Problem,
    heads: Heads,
    window: tuple[float, float],
    cost: FloatArray,
    seed: int,
    nodes: int,
) -> float:
    """Bound of one window at its shares of the costs."""
    columns = problem.columns
    start, end = window
    last = np.nextafter(end, start)
    touched = np.zeros(columns.listed.size, dtype=bool)
    for one in problem.asked:
        low, high = np.searchsorted(one.points.s, [start, end])
        touched[problem.place_of[np.unique(one.light[low:high].indices)]] = True
        # A stretch may reach beyond the window in which its middle lies.
        means = one.means[np.flatnonzero((one.middle >= start) & (one.middle <= last))]
        touched[problem.place_of[np.unique(means.indices)]] = True
    at = np.flatnonzero(touched[columns.place])
    # Places that give nothing here are equipped only where that pays.
    outside = cheapest_places(heads, columns, cost)[~touched].sum()
    solver = part_solver(heads, columns, at, cost[at], seed)
    known = [row for row in problem.pool.values() if start <= row.s <= last]
    if known:
        add_rows(solver, state_rows(known, columns, at, margin=MARGIN))
    have = {row.key for row in known}
    for _ in range(ROUNDS):
        if not run_solver(solver):
            return float(cheapest_places(heads, columns, cost).sum())
        x = np.clip(columns.heads[at].T @ solution_of(solver), 0.0, 1.0)
        fresh = [row for row in violated(problem, x, start, last) if start <= row.s <= last]
        fresh = [row for row in fresh if row.key not in have]
        if not fresh:
            break
        problem.pool.update({row.key: row for row in fresh})
        have |= {row.key for row in fresh}
        add_rows(solver, state_rows(fresh, columns, at, margin=MARGIN))
    best = _least(solver, whole=False)
    make_whole(solver, _weighty(problem, columns, at, start, last), BOUND_GAP, nodes)
    run_solver(solver)
    best = max(best, _least(solver, whole=True))
    return float(best + outside)


def _weighty(
    problem: Problem, columns: Columns, at: IntArray, start_m: float, end_m: float
) -> IntArray:
    """Columns of places that matter to a row of a minimum: the others may stay in parts."""
    rows = [r for r in rows_between(problem, start_m, end_m) if r.key[0] == "minimum"]
    if not rows:
        return np.arange(at.size)
    stated = state_rows(rows, columns, at, margin=MARGIN)
    scaled = diags(1.0 / np.maximum(stated.lower, SMALL)) @ stated.matrix
    most = np.zeros(columns.listed.size)
    np.maximum.at(most, columns.place[at], scaled.max(axis=0).toarray().ravel())
    found = np.flatnonzero(most[columns.place[at]] >= WEIGHTY)
    return found if found.size else np.arange(at.size)


def _least(solver: highspy.Highs, *, whole: bool) -> float:
    """What no solution of a window costs less than."""
    info = solver.getInfo()
    bound = float(info.mip_dual_bound if whole else info.objective_function_value)
    return bound - TRUST * abs(bound)


def bound_windows(
    start_m: float, end_m: float, length_m: float = BOUND_WINDOW_M
) -> list[tuple[float, float]]:
    """Windows of about a length; the first and the last have no outer end."""
    count = max(1, round((end_m - start_m) / length_m))
    inner = np.linspace(start_m, end_m, count + 1)[1:-1]
    return list(pairwise([-ANYWHERE_M, *(float(edge) for edge in inner), ANYWHERE_M]))
