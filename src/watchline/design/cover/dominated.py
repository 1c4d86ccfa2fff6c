"""Columns of a plain set covering problem that another one replaces: its rows, and no dearer."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.layout import transposed
from watchline.design.cover.problem import CoverProblem

MOST_STEPS = 300_000_000
"""Comparisons of rows after which the rest of the columns is kept unseen (about a second)."""


@nb.njit(cache=True)
def _within(row: NDArray, first: int, last: int, at: int, end: int) -> int:
    """Compare a column's sorted rows with another's: steps taken, negative if one is missing."""
    steps = 0
    for t in range(first, last):
        while at < end and row[at] < row[t]:
            at += 1
            steps += 1
        steps += 1
        if at == end or row[at] > row[t]:
            return -steps
    return steps


@nb.njit(cache=True)
def _dominated(
    cost: NDArray, start: NDArray, row: NDArray, back: NDArray, column: NDArray, most: int
) -> NDArray:
    gone = np.zeros(len(cost), np.bool_)
    steps = 0
    for one in range(len(cost)):
        first, last = start[one], start[one + 1]
        if first == last:
            gone[one] = True
            continue
        # Whoever covers all its rows covers the row with fewest columns.
        rare = row[first]
        for t in range(first, last):
            if back[row[t] + 1] - back[row[t]] < back[rare + 1] - back[rare]:
                rare = row[t]
        for s in range(back[rare], back[rare + 1]):
            other = column[s]
            size = start[other + 1] - start[other]
            if other == one or gone[other] or size < last - first or cost[other] > cost[one]:
                continue
            if size == last - first and cost[other] == cost[one] and other > one:
                continue
            taken = _within(row, first, last, start[other], start[other + 1])
            steps += abs(taken)
            if taken > 0:
                gone[one] = True
                break
        if steps > most:
            break
    return gone


def dominated(problem: CoverProblem, most: int = MOST_STEPS) -> NDArray[np.bool_]:
    """Tell which columns a cheapest choice of a plain problem can do without.

    Parameters
    ----------
    problem : CoverProblem
        A plain problem: one view a row, no fixed charges (see
        :func:`watchline.design.cover.weights.is_plain`).
    most : int
        Comparisons of rows after which the rest of the columns is taken as not dominated.

    Returns
    -------
    ndarray of bool, shape (n_columns,)
        Columns without rows, and those whose rows another column covers too at no higher cost;
        of equal ones the first stays.
    """
    back, column = transposed(problem.indptr, problem.indices, problem.n_rows)
    start, row = transposed(back, column, problem.n_columns)
    return _dominated(problem.costs, start, row, back, column, most)
