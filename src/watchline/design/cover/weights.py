"""A plain set covering problem and where its search by row weights stands (numba kernels)."""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.layout import transposed
from watchline.design.cover.pairs import common_columns
from watchline.design.cover.problem import CoverProblem

MOVING = (
    "weight", "views", "sole", "open_weight", "loss", "gain", "chosen", "since", "left", "changed",
    "members", "place", "open_rows", "open_place", "count", "spent", "best",
)  # fmt: skip
"""The fields that a search changes, its random numbers apart."""


class Weights(NamedTuple):
    """A plain set covering problem and where its search stands.

    Attributes
    ----------
    columns : ndarray of int64, shape (n_columns,)
        The columns of the whole problem among which the search moves; all else counts these.
    cost, per_cost : ndarray of float64, shape (n_columns,)
        Cost of each column, and 1 over it.
    start, row : ndarray of int64 / int32
        Rows of each column.
    back, column : ndarray of int64 / int32
        Columns of each row.
    weight : ndarray of int64, shape (n_rows,)
        Weight of each row, 0 for those without demand.
    views : ndarray of int32, shape (n_rows,)
        Chosen columns that cover each row.
    sole : ndarray of int32, shape (n_rows,)
        Exclusive or of the chosen columns that cover each row: the column itself, if it is one.
    open_weight : ndarray of int64, shape (n_rows,)
        Weight of each uncovered row; 0 for the others.
    loss : ndarray of int64, shape (n_columns,)
        Weight that a chosen column alone covers; 0 for the others.
    gain : ndarray of int64, shape (most columns of a row,)
        Weight that the columns of a row would newly cover, as counted last for that row.
    pair_start, pair : ndarray of int64 / uint16
        For each pair of rows, the places among the first one's columns of those that cover the
        second one too; empty where these would be too many.
    chosen : ndarray of bool, shape (n_columns,)
        Whether a column is chosen.
    since, left : ndarray of int64, shape (n_columns,)
        When a column last came or went, and when it last went (-1 for never), in changes.
    changed : ndarray of int64, shape (n_rows,)
        When a column of each row last came or went.
    members, place : ndarray of int32
        The chosen columns, and the place of each among them.
    open_rows, open_place : ndarray of int32
        The uncovered rows, and the place of each among them.
    count : ndarray of int64, shape (3,)
        Chosen columns, uncovered rows, changes so far.
    spent, best : ndarray of float64, shape (1,)
        Cost of the chosen columns, and of the best choice.
    passed : int
        Sixteenths of the chosen columns that are passed over by chance when one is given up.
    random : ndarray of uint64
        State of the random numbers.
    """

    columns: NDArray[np.int64]
    cost: NDArray[np.float64]
    per_cost: NDArray[np.float64]
    start: NDArray[np.int64]
    row: NDArray[np.int32]
    back: NDArray[np.int64]
    column: NDArray[np.int32]
    weight: NDArray[np.int64]
    views: NDArray[np.int32]
    sole: NDArray[np.int32]
    open_weight: NDArray[np.int64]
    loss: NDArray[np.int64]
    gain: NDArray[np.int64]
    pair_start: NDArray[np.int64]
    pair: NDArray[np.uint16]
    chosen: NDArray[np.bool_]
    since: NDArray[np.int64]
    left: NDArray[np.int64]
    changed: NDArray[np.int64]
    members: NDArray[np.int32]
    place: NDArray[np.int32]
    open_rows: NDArray[np.int32]
    open_place: NDArray[np.int32]
    count: NDArray[np.int64]
    spent: NDArray[np.float64]
    best: NDArray[np.float64]
    passed: int
    random: NDArray[np.uint64]


def is_plain(problem: CoverProblem) -> bool:
    """Tell whether a problem is one of plain set covering.

    Parameters
    ----------
    problem : CoverProblem
        The problem.

    Returns
    -------
    bool
        No budget, fixed charges, sites, capacities or rows that may be missed; one view a row.
    """
    return bool(
        problem.budget is None
        and problem.demand.max(initial=0) == 1
        and not problem.group_costs.any()
        and np.all(problem.site < 0)
        and not np.any(problem.allowed > 0)
        and np.all(problem.capacity >= np.bincount(problem.group, minlength=problem.n_groups))
    )


def make_weights(
    problem: CoverProblem,
    chosen: NDArray[np.int64],
    random: NDArray[np.uint64],
    passed: int,
    keep: NDArray[np.bool_] | None = None,
) -> Weights:
    """Return the start of a search from a choice that covers everything.

    Parameters
    ----------
    problem : CoverProblem
        A plain problem.
    chosen : ndarray of int64
        Columns of a feasible choice.
    random : ndarray of uint64
        State of the random numbers, which the search moves on.
    passed : int
        Sixteenths of the chosen columns that are passed over, 0 to 15.
    keep : ndarray of bool, shape (n_columns,), optional
        The columns among which to search, the choice's at least. Default all.

    Returns
    -------
    Weights
    """
    columns = np.arange(problem.n_columns)
    if keep is not None:
        columns = np.flatnonzero(keep)
        problem = problem.with_columns(keep)
        chosen = np.searchsorted(columns, chosen)
    n_rows, n_columns = problem.n_rows, problem.n_columns
    back, column = transposed(problem.indptr, problem.indices, n_rows)
    pair_start, pair = common_columns(problem.indptr, problem.indices, back, column)
    weights = Weights(
        columns=columns,
        cost=problem.costs,
        per_cost=1.0 / np.maximum(problem.costs, 1e-9),
        start=problem.indptr,
        row=problem.indices,
        back=back,
        column=column,
        weight=(problem.demand > 0).astype(np.int64),
        views=np.zeros(n_rows, np.int32),
        sole=np.zeros(n_rows, np.int32),
        open_weight=np.zeros(n_rows, np.int64),
        loss=np.zeros(n_columns, np.int64),
        gain=np.zeros(int(np.diff(back).max(initial=0)), np.int64),
        pair_start=pair_start,
        pair=pair,
        chosen=np.zeros(n_columns, np.bool_),
        since=np.zeros(n_columns, np.int64),
        left=np.full(n_columns, -1, np.int64),
        changed=np.zeros(n_rows, np.int64),
        members=np.zeros(n_columns, np.int32),
        place=np.full(n_columns, -1, np.int32),
        open_rows=np.zeros(n_rows, np.int32),
        open_place=np.full(n_rows, -1, np.int32),
        count=np.zeros(3, np.int64),
        spent=np.zeros(1),
        best=np.array([np.inf]),
        passed=passed,
        random=random,
    )
    _begin(weights, chosen)
    return weights


def make_beside(weights: Weights, random: NDArray[np.uint64], passed: int) -> Weights:
    """Return a second search from where one stands, with random numbers of its own.

    Parameters
    ----------
    weights : Weights
        The search; what never changes is shared with it.
    random : ndarray of uint64
        State of the random numbers.
    passed : int
        Sixteenths of the chosen columns that are passed over, 0 to 15.

    Returns
    -------
    Weights
    """
    moving = {name: getattr(weights, name).copy() for name in MOVING}
    return weights._replace(random=random, passed=passed, **moving)


@nb.njit(cache=True)
def _begin(w: Weights, chosen: NDArray) -> None:
    for row in range(len(w.weight)):
        if w.weight[row] > 0:
            w.open_weight[row] = w.weight[row]
            w.open_rows[w.count[1]] = row
            w.open_place[row] = w.count[1]
            w.count[1] += 1
    for column in chosen:
        add(w, column)


@nb.njit(cache=True)
def add(w: Weights, column: int) -> int:
    """Choose a column.

    Parameters
    ----------
    w : Weights
        Where the search stands; changed.
    column : int
        The column, not chosen.

    Returns
    -------
    int
        Number of steps that it took.
    """
    w.count[2] += 1
    w.chosen[column] = True
    w.place[column] = w.count[0]
    w.members[w.count[0]] = column
    w.count[0] += 1
    w.spent[0] += w.cost[column]
    w.since[column] = w.count[2]
    own = 0
    for t in range(w.start[column], w.start[column + 1]):
        row = w.row[t]
        weight = w.weight[row]
        if weight == 0:
            continue
        w.changed[row] = w.count[2]
        w.views[row] += 1
        if w.views[row] == 1:
            end = w.open_rows[w.count[1] - 1]
            w.open_rows[w.open_place[row]] = end
            w.open_place[end] = w.open_place[row]
            w.open_place[row] = -1
            w.open_weight[row] = 0
            w.count[1] -= 1
            own += weight
        elif w.views[row] == 2:
            w.loss[w.sole[row]] -= weight
        w.sole[row] ^= column
    w.loss[column] = own
    return w.start[column + 1] - w.start[column]


@nb.njit(cache=True)
def remove(w: Weights, column: int) -> int:
    """Give a column up.

    Parameters
    ----------
    w : Weights
        Where the search stands; changed.
    column : int
        The column, chosen.

    Returns
    -------
    int
        Number of steps that it took.
    """
    w.count[2] += 1
    w.chosen[column] = False
    end = w.members[w.count[0] - 1]
    w.members[w.place[column]] = end
    w.place[end] = w.place[column]
    w.place[column] = -1
    w.count[0] -= 1
    w.spent[0] -= w.cost[column]
    w.since[column] = w.count[2]
    w.left[column] = w.count[2]
    w.loss[column] = 0
    for t in range(w.start[column], w.start[column + 1]):
        row = w.row[t]
        weight = w.weight[row]
        if weight == 0:
            continue
        w.changed[row] = w.count[2]
        w.views[row] -= 1
        w.sole[row] ^= column
        if w.views[row] == 0:
            w.open_rows[w.count[1]] = row
            w.open_place[row] = w.count[1]
            w.open_weight[row] = weight
            w.count[1] += 1
        elif w.views[row] == 1:
            w.loss[w.sole[row]] += weight
    return w.start[column + 1] - w.start[column]
