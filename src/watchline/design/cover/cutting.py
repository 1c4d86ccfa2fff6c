"""Cutting a covering problem into windows along the line that its own structure shows.

No positions are needed: groups that see the same rows are near one another. The second singular
vector of the scaled matrix of rows and groups puts both in one order (Fiedler's vector of that
bipartite graph; Dhillon, KDD 2001), and on a long line that order is chainage.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

from watchline.design.cover.dual import Prices, paid_for
from watchline.design.cover.layout import Layout, completed, starts
from watchline.design.cover.near import spans
from watchline.design.cover.part import part_of
from watchline.design.cover.stretch import Stretch, make_stretch

LEAST_PRICE = 1e-9
"""Rows with a lower price raise no bound of the relaxation."""


def line_order(
    part: Layout, price: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions of rows and groups along the line that the problem's structure shows.

    Parameters
    ----------
    part : Layout
        A part of the problem.
    price : ndarray of float64, shape (n_rows,)
        Weight of each row.

    Returns
    -------
    rows, groups : ndarray of float64
        Positions; only their order means something.
    """
    n_rows, n_groups = len(part.demand), len(part.fixed)
    group = part.atom_group[part.row_atom]
    row = np.repeat(np.arange(n_rows), np.diff(part.row_start))
    weight = np.maximum(price, 1e-9)[row]
    matrix = sparse.csr_array((weight, (row, group)), shape=(n_rows, n_groups))
    left = 1.0 / np.sqrt(np.maximum(matrix.sum(axis=1), 1e-300))
    right = 1.0 / np.sqrt(np.maximum(matrix.sum(axis=0), 1e-300))
    right[right > 1e100] = 0.0
    scaled = sparse.diags_array(left) @ matrix @ sparse.diags_array(right)
    if min(n_rows, n_groups) < 4:
        return np.arange(n_rows, dtype=float), np.arange(n_groups, dtype=float)
    start = np.random.default_rng(0).random(min(n_rows, n_groups))
    u, values, v = svds(scaled, k=2, v0=start, tol=1e-6, maxiter=20_000)
    second = int(np.argmin(values))
    return u[:, second] * left, v[second] * right


def with_rows(
    layout: Layout,
    part: Layout,
    rows: NDArray[np.intp],
    prices: Prices,
    more: NDArray[np.intp],
) -> tuple[NDArray[np.intp], Layout, Prices]:
    """Return the rows with a price, and some more whose price is 0.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.
    part : Layout
        The part of it that the prices belong to.
    rows : ndarray of int
        The rows of that part.
    prices : Prices
        Its prices.
    more : ndarray of int
        Rows that the relaxation covers along with others, but whole choices do not.

    Returns
    -------
    rows : ndarray of int
        In rising order.
    wider : Layout
        The part of the problem with these rows.
    prices : Prices
        On that layout; they prove what they did.
    """
    priced = prices.row > LEAST_PRICE
    kept = np.union1d(rows[priced], more).astype(np.intp)
    wider = part_of(layout, kept)
    place = np.searchsorted(kept, rows[priced])
    row, atom = np.zeros(len(kept)), np.zeros(len(wider.atom_group))
    row[place] = prices.row[priced]
    old = part.row_atom[spans(part.row_start, np.flatnonzero(priced))]
    atom[wider.row_atom[spans(wider.row_start, place)]] = prices.atom[old]
    return kept, wider, Prices(row, atom, prices.miss)


def make_stretches(
    part: Layout,
    price_rows: NDArray[np.intp],
    prices: Prices,
    near: NDArray[np.bool_],
    count: int,
    fit: object,
    active: NDArray[np.bool_],
) -> list[Stretch]:
    """Cut a problem into windows, and share the costs among them by the prices.

    Parameters
    ----------
    part : Layout
        A part of the problem; no row may stay uncovered.
    price_rows : ndarray of int
        Its rows in the problem.
    prices : Prices
        Its prices.
    near : ndarray of bool, shape (n_columns,)
        The columns (layout order) that a good choice may hold.
    count : int
        Number of windows.
    fit : callable
        Makes shares add up (:func:`watchline.design.cover.windows.fit_shares`).
    active : ndarray of bool
        Which of the rows the windows' relaxations have from the start.

    Returns
    -------
    list of Stretch
        In order along the line.
    """
    at_row, at_group = line_order(part, prices.row * part.demand)
    kept = np.flatnonzero(part.demand > 0)
    rank = kept[np.argsort(at_row[kept], kind="stable")]
    value = (prices.row * part.demand)[rank]
    # A cell that a single mount sees has any price: it shall not make up a window.
    worth = np.cumsum(np.minimum(value, value.sum() / (10 * count)))
    window = np.full(len(price_rows), -1)
    window[rank] = np.minimum((worth / worth[-1] * count * (1 - 1e-12)).astype(int), count - 1)
    made, groups, columns = [], [], []
    for number in range(count):
        rows = np.flatnonzero(window == number)
        if not len(rows):
            continue
        whole, mine, taken = _with_groups(part_of(part, rows))
        made.append((rows, whole))
        groups.append(mine)
        columns.append(taken)
    of_group, of_column, group_rows, column_rows = _uses(part, prices, made, groups, columns)
    fixed = fit(of_group, group_rows, groups, part.fixed)
    cost = fit(of_column, column_rows, columns, part.cost)
    stretches = []
    for number, (rows, whole) in enumerate(made):
        stretches.append(
            make_stretch(
                price_rows[rows],
                whole,
                groups[number],
                columns[number],
                near,
                at_group,
                (fixed[number], cost[number], group_rows[number], column_rows[number]),
                active[rows],
            )
        )
    return stretches


def _with_groups(part: Layout) -> tuple[Layout, NDArray[np.intp], NDArray[np.intp]]:
    """Return a layout without the groups and columns that see none of its rows."""
    groups = np.unique(part.atom_group).astype(np.intp)
    columns = np.flatnonzero(np.diff(part.column_start) > 0)
    place = np.full(len(part.fixed), -1, np.int32)
    place[groups] = np.arange(len(groups))
    of = place[part.column_group[columns]]
    links = np.append(part.column_start[columns], len(part.column_atom))
    # Sites are numbered anew too: arrays of sites are as long as their greatest number.
    site = part.site[groups]
    if len(site) and site.max() >= 0:
        site = np.where(site >= 0, np.unique(site, return_inverse=True)[1], -1)
    smaller = part._replace(
        cost=part.cost[columns],
        column_group=of,
        group_start=starts(of, len(groups)),
        fixed=part.fixed[groups],
        site=site.astype(np.int32),
        capacity=part.capacity[groups],
    )
    atoms = (part.atom_start, part.atom_row, place[part.atom_group])
    return completed(smaller, (links, part.column_atom), atoms, part.atom_cap), groups, columns


def _uses(
    part: Layout,
    prices: Prices,
    made: list[tuple[NDArray, Layout]],
    groups: list[NDArray],
    columns: list[NDArray],
) -> tuple[list[NDArray], list[NDArray], list[NDArray], list[NDArray]]:
    """Return what the prices spend on each group and column in each window, and rows seen there."""
    total = np.add.reduceat(prices.row[part.atom_row], part.atom_start[:-1])
    parts, shares = [], []
    for rows, whole in made:
        mine = np.isin(part.atom_row, rows)
        touched = np.unique(np.repeat(np.arange(len(total)), np.diff(part.atom_start))[mine])
        worth = np.add.reduceat(prices.row[rows][whole.atom_row], whole.atom_start[:-1])
        parts.append(touched)
        shares.append(worth)
    of_group, of_column, group_rows, column_rows = [], [], [], []
    for (_, whole), touched, worth in zip(made, parts, shares, strict=True):
        paid = np.minimum(prices.atom[touched], total[touched])
        paid = paid * worth / np.maximum(total[touched], 1e-300)
        size = np.diff(whole.atom_start).astype(float)
        spent = whole.atom_cap * np.maximum(worth - paid, 0.0)
        n_groups = len(whole.fixed)
        of_group.append(np.bincount(whole.atom_group, spent, minlength=n_groups))
        group_rows.append(np.bincount(whole.atom_group, size, minlength=n_groups))
        of_column.append(paid_for(whole, paid))
        column_rows.append(paid_for(whole, size))
    return of_group, of_column, group_rows, column_rows
