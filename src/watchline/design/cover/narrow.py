"""What prices say about a search: which columns are promising, which rows matter.

A greedy choice by prices is a far better one than by numbers of rows (Caprara, Fischetti, Toth,
Operations Research 47, 1999, on plain set covering), and a column whose price falls far short of
its cost is in no good choice.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.layout import Layout, reach
from watchline.design.cover.part import with_columns
from watchline.design.cover.problem import CoverProblem

LEAST_PRICE = 1e-3
"""Prices below are those of rows that are covered along with others."""
NEAREST, PER_ROW = 14_000, 5
"""Matrix entries of the columns that the search by row weights moves on where prices tell much, and
the fewest of its columns for a row."""
NEAR = 0.15
"""Share of an open group's mean cost by which a promising column may fall short."""


@nb.njit(cache=True)
def _columns_with(layout: Layout, wanted: NDArray) -> NDArray:
    """Tell which columns cover any of some rows.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.
    wanted : ndarray of bool, shape (n_rows,)
        The rows.

    Returns
    -------
    ndarray of bool, shape (n_columns,)
    """
    found = np.zeros(len(layout.cost), np.bool_)
    for row in np.flatnonzero(wanted):
        for q in range(layout.row_start[row], layout.row_start[row + 1]):
            atom = layout.row_atom[q]
            for t in range(layout.member_start[atom], layout.member_start[atom + 1]):
                found[layout.member_column[t]] = True
    return found


@nb.njit(cache=True)
def _keep_per_row(
    indptr: NDArray, indices: NDArray, rank: NDArray, have: NDArray, keep: NDArray
) -> None:
    """Keep the first ``PER_ROW`` columns of each row in a ranking."""
    for column in rank:
        for t in range(indptr[column], indptr[column + 1]):
            if have[indices[t]] < PER_ROW:
                keep[column] = True
            have[indices[t]] += 1


def promising(
    problem: CoverProblem,
    least: NDArray[np.float64],
    chosen: NDArray[np.int64],
    cost: float,
    entries: int | None,
) -> NDArray[np.bool_]:
    """Tell which columns a good choice may hold.

    Parameters
    ----------
    problem : CoverProblem
        The problem.
    least : ndarray of float64, shape (n_columns,)
        Lower bound of the cost of every choice with each column.
    chosen : ndarray of int64
        The best choice so far; it stays.
    cost : float
        Its cost.
    entries : int or None
        Matrix entries of the columns to keep, the most promising first. None keeps every column
        that could be chosen at less than ``NEAR`` of an open group's mean cost.

    Returns
    -------
    ndarray of bool, shape (n_columns,)
    """
    if entries is None:
        mean = cost / max(1, len(np.unique(problem.group[chosen])))
        keep = least <= least.min() + NEAR * mean
    else:
        rank, size = np.argsort(least, kind="stable"), np.diff(problem.indptr)
        keep = np.zeros(problem.n_columns, bool)
        keep[rank[: int(np.searchsorted(np.cumsum(size[rank]), entries)) + 1]] = True
    keep[chosen] = True
    return keep


def nearest(
    problem: CoverProblem, least: NDArray[np.float64], columns: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell which few columns are nearest to what their rows' prices pay.

    The core problem of Caprara, Fischetti, Toth, Operations Research 47, 1999.

    Parameters
    ----------
    problem : CoverProblem
        The problem.
    least : ndarray of float64, shape (n_columns,)
        Lower bound of the cost of every choice with each column.
    columns : ndarray of int64
        The columns that come into question.

    Returns
    -------
    ndarray of bool, shape (n_columns,)
        The first ``NEAREST`` matrix entries by that bound, and for each row the first ``PER_ROW``
        columns with it.
    """
    rank = columns[np.argsort(least[columns], kind="stable")]
    size = np.diff(problem.indptr)[rank]
    keep = np.zeros(problem.n_columns, bool)
    keep[rank[np.cumsum(size) <= NEAREST]] = True
    _keep_per_row(problem.indptr, problem.indices, rank, np.zeros(problem.n_rows, np.int64), keep)
    return keep


def narrowed(
    layout: Layout, keep: NDArray[np.bool_], supply: NDArray[np.int64]
) -> tuple[Layout, NDArray[np.int64]]:
    """Return the problem with some of its columns, and those that its rows need besides.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.
    keep : ndarray of bool, shape (n_columns,)
        The columns, in layout order.
    supply : ndarray of int64, shape (n_rows,)
        The most views that each row can get from all columns.

    Returns
    -------
    narrow : Layout
        The narrower problem in atoms.
    columns : ndarray of int64
        The column of ``layout`` at each position of ``narrow``.
    """
    narrow, _ = with_columns(layout, keep)
    lacking = (reach(narrow) < layout.demand) & (supply >= layout.demand)
    if lacking.any():
        keep = keep | _columns_with(layout, lacking)
        narrow, _ = with_columns(layout, keep)
    return narrow, np.flatnonzero(keep)


def weight_of(price: NDArray[np.float64], usual: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the search weight of every row by its price.

    Parameters
    ----------
    price : ndarray of float64, shape (n_rows,)
        Price of one view of each row.
    usual : ndarray of int64, shape (n_rows,)
        Search weight without prices; 0 for rows that are not worth covering.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
        No row is worth less than a quarter of what it was: it has to be covered too.
    """
    scale = 64 / float(np.median(price[price > LEAST_PRICE]))
    weight = np.rint(np.minimum(price * scale, 2.0**22)).astype(np.int64)
    return np.where(usual > 0, np.maximum(weight, (usual + 3) // 4), 0)
