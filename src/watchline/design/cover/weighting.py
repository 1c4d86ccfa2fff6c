"""Local search by row weights for plain set covering: no fixed charges, one view a row.

After Gao, Weise, Li, "An efficient local search heuristic with row weighting for the unicost set
covering problem", European Journal of Operational Research 246, 2015, with a column judged by its
score for its cost. A row that stays uncovered gains weight, so that the search leaves where it
was; a column may come back only after a neighbour has changed (configuration checking).

A step walks all columns of a row only where the row becomes covered or open. Which column alone
covers a row is told by the numbers of its chosen columns, exclusive-or-ed; whether a neighbour has
changed, by the rows' times of their last change, and for the best columns only. Other than
published, half of the chosen columns are passed over by chance when one is given up.
"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.layout import transposed
from watchline.design.cover.problem import CoverProblem
from watchline.design.cover.state import draw


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
    score : ndarray of int64, shape (n_columns,)
        Weight that a column would newly cover; of a chosen one, less than 0: what it alone covers.
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
    score: NDArray[np.int64]
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
        score=np.zeros(n_columns, np.int64),
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
        random=random,
    )
    _begin(weights, chosen)
    return weights


@nb.njit(cache=True)
def _begin(w: Weights, chosen: NDArray) -> None:
    for row in range(len(w.weight)):
        if w.weight[row] > 0:
            w.open_rows[w.count[1]] = row
            w.open_place[row] = w.count[1]
            w.count[1] += 1
            for t in range(w.back[row], w.back[row + 1]):
                w.score[w.column[t]] += 1
    for column in chosen:
        _add(w, column)


@nb.njit(cache=True)
def _add(w: Weights, column: int) -> int:
    """Choose a column; return the number of steps that it took."""
    w.count[2] += 1
    work = w.start[column + 1] - w.start[column]
    w.chosen[column] = True
    w.place[column] = w.count[0]
    w.members[w.count[0]] = column
    w.count[0] += 1
    w.spent[0] += w.cost[column]
    w.since[column] = w.count[2]
    own = w.score[column]
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
            w.count[1] -= 1
            work += _shift(w, row, -weight)
        elif w.views[row] == 2:
            w.score[w.sole[row]] += weight
        w.sole[row] ^= column
    w.score[column] = -own
    return work


@nb.njit(cache=True)
def _remove(w: Weights, column: int) -> int:
    """Give a column up; return the number of steps that it took."""
    w.count[2] += 1
    work = w.start[column + 1] - w.start[column]
    w.chosen[column] = False
    end = w.members[w.count[0] - 1]
    w.members[w.place[column]] = end
    w.place[end] = w.place[column]
    w.place[column] = -1
    w.count[0] -= 1
    w.spent[0] -= w.cost[column]
    w.since[column] = w.count[2]
    w.left[column] = w.count[2]
    own = w.score[column]
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
            w.count[1] += 1
            work += _shift(w, row, weight)
        elif w.views[row] == 1:
            w.score[w.sole[row]] -= weight
    w.score[column] = -own
    return work


@nb.njit(cache=True)
def _shift(w: Weights, row: int, weight: int) -> int:
    """Add a weight to the score of each column of a row; return how many there are."""
    first, last = w.back[row], w.back[row + 1]
    for t in range(first, last):
        w.score[w.column[t]] += weight
    return last - first


@nb.njit(cache=True)
def _bits(random: NDArray) -> np.uint64:
    """Return 64 random bits."""
    draw(random)
    return random[0] * np.uint64(0x2545F4914F6CDD1D)


@nb.njit(cache=True)
def _cheapest_loss(w: Weights, kept: int, passed: np.uint64) -> int:
    """Return the chosen column that covers least for its cost, the oldest of equals.

    Those at the places of the bits of ``passed`` (again after every 64) are passed over.
    """
    best, found = -np.inf, -1
    for k in range(w.count[0]):
        column = w.members[k]
        if column == kept or (passed >> np.uint64(k & 63)) & np.uint64(1):
            continue
        value = w.score[column] * w.per_cost[column]
        if value > best or (value == best and w.since[column] < w.since[found]):
            best, found = value, column
    return found


@nb.njit(cache=True)
def _may(w: Weights, column: int) -> bool:
    """Tell whether a neighbour of a column has come or gone since the column last went."""
    if w.left[column] < 0:
        return True
    for t in range(w.start[column], w.start[column + 1]):
        if w.changed[w.row[t]] > w.left[column]:
            return True
    return False


@nb.njit(cache=True)
def _best_gain(w: Weights, row: int, checked: bool) -> int:
    """Return the column of an open row that covers most for its cost, the oldest of equals.

    If ``checked``, only one that may come back; -1 if there is none.
    """
    best, found = -np.inf, -1
    for t in range(w.back[row], w.back[row + 1]):
        column = w.column[t]
        value = w.score[column] * w.per_cost[column]
        better = value > best or (value == best and w.since[column] < w.since[found])
        if better and (not checked or _may(w, column)):
            best, found = value, column
    return found


@nb.njit(cache=True, nogil=True)
def reweigh(w: Weights, work: float, best: NDArray) -> float:
    """Search on for a number of elementary steps.

    Parameters
    ----------
    w : Weights
        Where the search stands; changed.
    work : float
        Elementary steps.
    best : ndarray of bool, shape (n_columns,)
        Receives the best choice whenever a better one is found.

    Returns
    -------
    float
        Steps done.
    """
    done, last, cheapest = 0.0, -1, w.cost.min()
    while done < work:
        while w.count[1] == 0:
            if w.spent[0] < w.best[0] * (1 - 1e-12):
                w.best[0] = w.spent[0]
                best[:] = w.chosen
            column = _cheapest_loss(w, -1, np.uint64(0))
            if column < 0:
                return done
            done += w.count[0] + _remove(w, column)
        # Half are passed over by chance: without, the search circles for longer.
        column = _cheapest_loss(w, last, _bits(w.random))
        if column >= 0:
            done += w.count[0] + _remove(w, column)
        # As many come in as can be paid for below the best cost.
        while w.count[1] > 0 and w.spent[0] + cheapest < w.best[0] * (1 - 1e-12):
            row = w.open_rows[int(draw(w.random) * w.count[1])]
            found = _best_gain(w, row, True)
            if found < 0:
                # All columns of a row with few of them may be barred, and would be for ever.
                found = _best_gain(w, row, False)
            done += w.back[row + 1] - w.back[row]
            if w.spent[0] + w.cost[found] >= w.best[0] * (1 - 1e-12):
                break
            done += _add(w, found)
            last = found
            for k in range(w.count[1]):
                row = w.open_rows[k]
                w.weight[row] += 1
                done += _shift(w, row, 1)
    return done
