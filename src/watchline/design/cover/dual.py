"""Lower bounds from prices: the row–mount relaxation in atoms, its safe value, its ascent.

With a price λ_i ≥ 0 on each view that row i needs, μ_r ≥ 0 on the weight that class r may leave
uncovered, and σ_a ≥ 0 on each view that an atom a gets from a column, every choice costs at least

    Σ_i min(k_i λ_i, μ_r(i) w_i) − Σ_r μ_r A_r + Σ_sites min(0, min_{m at the site} v_m),
    v_m = F_m − Σ_{a of m} e_a max(0, Λ_a − σ_a) − Σ_{j of m} max(0, Σ_{a of j} σ_a − c_j),

where Λ_a is the sum of λ over the atom's rows and e_a the most views that its group gives them.
Maximised over the prices this is the linear relaxation with all row–mount cuts.
"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.layout import Layout

UNIT = 2.0**-52
"""Distance from 1 to the next float64."""


class Prices(NamedTuple):
    """Dual prices of a layout.

    Attributes
    ----------
    row : ndarray of float64, shape (n_rows,)
        λ, the price of one view of each row.
    atom : ndarray of float64, shape (n_atoms,)
        σ, the price of one view from a column, per atom.
    miss : ndarray of float64, shape (n_classes,)
        μ, the price of row weight that may stay uncovered.
    """

    row: NDArray[np.float64]
    atom: NDArray[np.float64]
    miss: NDArray[np.float64]


@nb.njit(cache=True, nogil=True)
def _group_values(layout: Layout, row_price: NDArray, atom_price: NDArray) -> NDArray:
    """Return v_m of every group, rounded downwards."""
    n_groups = len(layout.fixed)
    value = np.zeros(n_groups)
    for group in range(n_groups):
        first, last = layout.group_start[group], layout.group_start[group + 1]
        begin, end = layout.atom_first[group], layout.atom_first[group + 1]
        spent, size = 0.0, 0.0
        for atom in range(begin, end):
            total = 0.0
            for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
                total += row_price[layout.atom_row[p]]
            size += layout.atom_cap[atom] * (total + atom_price[atom])
            spent += layout.atom_cap[atom] * max(0.0, total - atom_price[atom])
        over = np.zeros(last - first)
        for column in range(first, last):
            total = 0.0
            for link in range(layout.column_start[column], layout.column_start[column + 1]):
                total += atom_price[layout.column_atom[link]]
            size += total + layout.cost[column]
            over[column - first] = max(0.0, total - layout.cost[column])
        room = layout.capacity[group]
        if room < last - first:
            over = np.sort(over)[::-1][:room]
        for extra in over:
            spent += extra
        # Every term passes at most this many roundings, each of relative size UNIT / 2.
        steps = layout.atom_start[end] - layout.atom_start[begin] + 4 * (end - begin) + 8
        steps += layout.column_start[last] - layout.column_start[first] + 4 * (last - first)
        value[group] = layout.fixed[group] - spent
        value[group] -= steps * UNIT * (size + abs(layout.fixed[group]) + spent)
    return value


def bound_of(layout: Layout, prices: Prices, allowed: NDArray[np.float64]) -> float:
    """Return the lower bound that prices prove, rounded downwards.

    Parameters
    ----------
    layout : Layout
        All columns and groups of the problem, and any of its rows.
    prices : Prices
        Any prices; negative and non-finite ones count as 0.
    allowed : ndarray of float64, shape (n_classes,)
        Row weight that may stay uncovered, per class.

    Returns
    -------
    float
        A value that no choice can undercut, at least 0.
    """
    return max(0.0, value_of_prices(layout, prices, allowed))


def value_of_prices(layout: Layout, prices: Prices, allowed: NDArray[np.float64]) -> float:
    """Return what :func:`bound_of` returns, below 0 too: group costs may be below 0 here.

    Parameters
    ----------
    layout, prices, allowed
        As in :func:`bound_of`.

    Returns
    -------
    float
        A value that no choice can undercut.
    """
    clean = [np.where(np.isfinite(a), np.maximum(a, 0.0), 0.0) for a in prices]
    return float(_sum_of(layout, *clean, allowed))


@nb.njit(cache=True, nogil=True)
def _sum_of(layout: Layout, row: NDArray, atom: NDArray, miss: NDArray, allowed: NDArray) -> float:
    """Return what prices at least 0 prove, rounded downwards."""
    value = _group_values(layout, row, atom)
    sites = 0
    for site in layout.site:
        sites = max(sites, site + 1)
    lowest = np.zeros(sites)
    total, size = 0.0, 0.0
    for group in range(len(value)):
        site = layout.site[group]
        if site >= 0:
            lowest[site] = min(lowest[site], value[group])
        else:
            total += min(0.0, value[group])
            size -= min(0.0, value[group])
    for site in range(sites):
        total += lowest[site]
        size -= lowest[site]
    for i in range(len(row)):
        worth = layout.demand[i] * row[i]
        kind = layout.row_class[i]
        if allowed[kind] > 0.0:
            worth = min(worth, miss[kind] * layout.row_weight[i])
        total += worth
        size += worth
    for kind in range(len(allowed)):
        if allowed[kind] > 0.0:
            total -= miss[kind] * allowed[kind]
            size += miss[kind] * allowed[kind]
    # No partial sum is larger than ``size``, and each addition rounds by half a unit of it.
    count = len(value) + sites + len(row) + len(allowed)
    return total - (count + 8.0) * UNIT * size


@nb.njit(cache=True, nogil=True)
def _fit_atoms(layout: Layout, row_price: NDArray, atom_price: NDArray, weight: NDArray) -> None:
    """Lower atom prices until no column is overpaid, and set ``weight`` to the atoms' Λ."""
    factor = np.ones(len(layout.cost))
    for column in range(len(layout.cost)):
        total = 0.0
        for link in range(layout.column_start[column], layout.column_start[column + 1]):
            total += atom_price[layout.column_atom[link]]
        if total > layout.cost[column]:
            factor[column] = layout.cost[column] / total
    for atom in range(len(layout.atom_group)):
        least = 1.0
        for t in range(layout.member_start[atom], layout.member_start[atom + 1]):
            least = min(least, factor[layout.member_column[t]])
        total = 0.0
        for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
            total += row_price[layout.atom_row[p]]
        weight[atom] = total
        atom_price[atom] = min(atom_price[atom] * least, total)


@nb.njit(cache=True, nogil=True)
def ascend(
    layout: Layout,
    row_price: NDArray,
    atom_price: NDArray,
    limit: NDArray,
    order: NDArray,
) -> None:
    """Make prices feasible (every v_m ≥ 0) and then raise row prices where there is slack.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.
    row_price : ndarray of float64, shape (n_rows,)
        λ, changed in place.
    atom_price : ndarray of float64, shape (n_atoms,)
        σ, changed in place.
    limit : ndarray of float64, shape (n_rows,)
        The most that each row's price may be.
    order : ndarray of int64
        Rows in the order in which they are raised.
    """
    n_groups = len(layout.fixed)
    weight = np.zeros(len(layout.atom_group))
    for row in range(len(row_price)):
        row_price[row] = min(row_price[row], limit[row])
    _fit_atoms(layout, row_price, atom_price, weight)
    scale = np.ones(n_groups)
    for group in range(n_groups):
        spent = 0.0
        for atom in range(layout.atom_first[group], layout.atom_first[group + 1]):
            spent += layout.atom_cap[atom] * max(0.0, weight[atom] - atom_price[atom])
        if spent > layout.fixed[group]:
            scale[group] = layout.fixed[group] / spent
    for row in range(len(row_price)):
        least = 1.0
        for q in range(layout.row_start[row], layout.row_start[row + 1]):
            least = min(least, scale[layout.atom_group[layout.row_atom[q]]])
        row_price[row] *= least
    column_slack = layout.cost.copy()
    group_slack = layout.fixed.copy()
    for atom in range(len(layout.atom_group)):
        total = 0.0
        for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
            total += row_price[layout.atom_row[p]]
        weight[atom] = total
        atom_price[atom] = min(atom_price[atom], total)
        spent = layout.atom_cap[atom] * (total - atom_price[atom])
        group_slack[layout.atom_group[atom]] -= spent
        for t in range(layout.member_start[atom], layout.member_start[atom + 1]):
            column_slack[layout.member_column[t]] -= atom_price[atom]
    for row in order:
        step = limit[row] - row_price[row]
        if layout.demand[row] == 0:
            continue
        for q in range(layout.row_start[row], layout.row_start[row + 1]):
            atom = layout.row_atom[q]
            free = max(0.0, group_slack[layout.atom_group[atom]]) / layout.atom_cap[atom]
            if free >= step:
                continue
            least = np.inf
            for t in range(layout.member_start[atom], layout.member_start[atom + 1]):
                least = min(least, column_slack[layout.member_column[t]])
            step = min(step, free + max(0.0, least))
            if step <= 0.0:
                break
        if step <= 0.0 or step == np.inf:
            continue
        row_price[row] += step
        for q in range(layout.row_start[row], layout.row_start[row + 1]):
            atom = layout.row_atom[q]
            least = np.inf
            for t in range(layout.member_start[atom], layout.member_start[atom + 1]):
                least = min(least, column_slack[layout.member_column[t]])
            part = min(step, max(0.0, least))
            weight[atom] += step
            atom_price[atom] += part
            for t in range(layout.member_start[atom], layout.member_start[atom + 1]):
                column_slack[layout.member_column[t]] -= part
            group_slack[layout.atom_group[atom]] -= layout.atom_cap[atom] * (step - part)


@nb.njit(cache=True, nogil=True)
def paid_for(layout: Layout, atom_price: NDArray) -> NDArray:
    """Return what the atoms of each column pay for it.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.
    atom_price : ndarray of float64, shape (n_atoms,)
        σ.

    Returns
    -------
    ndarray of float64, shape (n_columns,)
    """
    paid = np.zeros(len(layout.cost))
    for column in range(len(paid)):
        for link in range(layout.column_start[column], layout.column_start[column + 1]):
            paid[column] += atom_price[layout.column_atom[link]]
    return paid


def least_cost_with(
    layout: Layout, prices: Prices, allowed: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a lower bound on the cost of every choice that holds a given column.

    Reduced-cost fixing: a column whose bound is above the cost of a known choice is in no better
    one.

    Parameters
    ----------
    layout : Layout
        All columns and groups of the problem, and any of its rows.
    prices : Prices
        Prices at least 0.
    allowed : ndarray of float64, shape (n_classes,)
        Row weight that may stay uncovered, per class.

    Returns
    -------
    ndarray of float64, shape (n_columns,)
        The bound of each column (layout order).
    """
    value = _group_values(layout, prices.row, prices.atom)
    floor = np.minimum(value, 0.0)
    at_site = layout.site >= 0
    lowest = np.zeros(int(layout.site.max(initial=-1)) + 1)
    np.minimum.at(lowest, layout.site[at_site], value[at_site])
    floor[at_site] = lowest[layout.site[at_site]]
    # The group's site must pay the group's value instead of its least one, and the column what
    # its price does not cover.
    paid = paid_for(layout, prices.atom)
    short = np.maximum(0.0, layout.cost - paid * (1 + 1e-9))
    extra = (value - floor)[layout.column_group] + short
    return bound_of(layout, prices, allowed) + extra * (1 - 1e-9)
