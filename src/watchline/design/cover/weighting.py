"""Local search by row weights for plain set covering: no fixed charges, one view a row.

After Gao, Weise, Li, "An efficient local search heuristic with row weighting for the unicost set
covering problem", European Journal of Operational Research 246, 2015, with a column judged by its
score for its cost. A row that stays uncovered gains weight, so that the search leaves where it
was; a column may come back only after a neighbour has changed (configuration checking).

What a column would newly cover is counted only when it is asked for, which is for the columns of
one open row: from the columns that each other open row has in common with it, listed once, or from
the columns' own rows where these lists would be too long. Which column alone covers a row is told
by the numbers of its chosen columns, exclusive-or-ed; whether a neighbour has changed, by the rows'
times of their last change, and for the best columns only. Other than published, some sixteenths of
the chosen columns are passed over by chance when one is given up.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.state import draw
from watchline.design.cover.weights import Weights, add, remove


@nb.njit(cache=True)
def _bits(random: NDArray) -> np.uint64:
    """Return 64 random bits."""
    draw(random)
    return random[0] * np.uint64(0x2545F4914F6CDD1D)


@nb.njit(cache=True)
def _few_bits(random: NDArray, sixteenths: int) -> np.uint64:
    """Return 64 random bits, each set with a probability of so many sixteenths (0 to 15)."""
    bits = np.uint64(0)
    # Each binary digit, the last one first, halves what is set, or what is not.
    for digit in range(4):
        if (sixteenths >> digit) & 1:
            bits |= _bits(random)
        else:
            bits &= _bits(random)
    return bits


@nb.njit(cache=True)
def _cheapest_loss(w: Weights, kept: int, passed: np.uint64) -> int:
    """Return the chosen column that covers least for its cost, the oldest of equals.

    Those at the places of the bits of ``passed`` (again after every 64) are passed over.
    """
    least, found = np.inf, -1
    for k in range(w.count[0]):
        column = w.members[k]
        if column == kept or (passed >> np.uint64(k & 63)) & np.uint64(1):
            continue
        value = w.loss[column] * w.per_cost[column]
        if value < least or (value == least and w.since[column] < w.since[found]):
            least, found = value, column
    return found


@nb.njit(cache=True)
def _count_gains(w: Weights, row: int) -> int:
    """Set ``gain`` for the columns of an open row; return the number of steps that it took."""
    first, last = w.back[row], w.back[row + 1]
    work = last - first
    if len(w.pair_start) == 0:
        for t in range(first, last):
            column = w.column[t]
            gain = 0
            for s in range(w.start[column], w.start[column + 1]):
                gain += w.open_weight[w.row[s]]
            w.gain[t - first] = gain
            work += w.start[column + 1] - w.start[column]
        return work
    w.gain[: last - first] = w.weight[row]
    for k in range(w.count[1]):
        other = w.open_rows[k]
        if other != row:
            weight, both = w.weight[other], row * len(w.weight) + other
            for t in range(w.pair_start[both], w.pair_start[both + 1]):
                w.gain[w.pair[t]] += weight
            work += 4 + w.pair_start[both + 1] - w.pair_start[both]
    return work


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

    By the gains that were counted. If ``checked``, only one that may come back; -1 if there is
    none.
    """
    best, found = -np.inf, -1
    for t in range(w.back[row], w.back[row + 1]):
        column = w.column[t]
        value = w.gain[t - w.back[row]] * w.per_cost[column]
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
            done += w.count[0] + remove(w, column)
        # Few are passed over by chance: without any the search circles for longer, with many it
        # seldom comes near a choice that covers all.
        column = _cheapest_loss(w, last, _few_bits(w.random, w.passed))
        if column >= 0:
            done += w.count[0] + remove(w, column)
        # As many come in as can be paid for below the best cost.
        while w.count[1] > 0 and w.spent[0] + cheapest < w.best[0] * (1 - 1e-12):
            row = w.open_rows[int(draw(w.random) * w.count[1])]
            done += _count_gains(w, row)
            found = _best_gain(w, row, True)
            if found < 0:
                # All columns of a row with few of them may be barred, and would be for ever.
                found = _best_gain(w, row, False)
            done += w.back[row + 1] - w.back[row]
            if w.spent[0] + w.cost[found] >= w.best[0] * (1 - 1e-12):
                break
            done += add(w, found)
            last = found
            for k in range(w.count[1]):
                row = w.open_rows[k]
                w.weight[row] += 1
                w.open_weight[row] += 1
    return done
