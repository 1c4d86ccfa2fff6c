"""The columns that two rows of a covering problem have in common, listed once for all pairs."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

MOST_PAIRS, MOST_PLACES = 4_000_000, 60_000_000
"""Pairs of rows, and columns that they have in common, up to which these are listed (120 MB)."""


def common_columns(
    start: NDArray[np.int64],
    row: NDArray[np.int32],
    back: NDArray[np.int64],
    column: NDArray[np.int32],
) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """Return the places of the common columns of each pair of rows.

    Parameters
    ----------
    start, row : ndarray of int64 / int32
        Rows of each column.
    back, column : ndarray of int64 / int32
        Columns of each row.

    Returns
    -------
    pair_start : ndarray of int64, shape (n_rows ** 2 + 1,)
        Where the list of each pair begins, that of rows a and b at a · n_rows + b.
    pair : ndarray of uint16
        Places, among the columns of the first row of a pair, of those that cover both.

    Both are empty if the pairs or the places would be too many.
    """
    n_rows, entries = len(back) - 1, int(np.sum(np.diff(start).astype(np.int64) ** 2))
    few = n_rows**2 <= MOST_PAIRS and entries <= MOST_PLACES
    if not few or np.diff(back).max(initial=0) > np.iinfo(np.uint16).max:
        return np.zeros(0, np.int64), np.zeros(0, np.uint16)
    return _list_pairs(start, row, back, column, entries)


@nb.njit(cache=True)
def _list_pairs(
    start: NDArray, row: NDArray, back: NDArray, column: NDArray, entries: int
) -> tuple[NDArray, NDArray]:
    n_rows = len(back) - 1
    pair_start, pair = np.zeros(n_rows * n_rows + 1, np.int64), np.empty(entries, np.uint16)
    ends = np.zeros(n_rows, np.int64)
    at = 0
    for one in range(n_rows):
        ends[:] = 0
        for t in range(back[one], back[one + 1]):
            for s in range(start[column[t]], start[column[t] + 1]):
                ends[row[s]] += 1
        for other in range(n_rows):
            size = ends[other]
            ends[other] = at
            at += size
            pair_start[one * n_rows + other + 1] = at
        for t in range(back[one], back[one + 1]):
            for s in range(start[column[t]], start[column[t] + 1]):
                pair[ends[row[s]]] = t - back[one]
                ends[row[s]] += 1
    return pair_start, pair
