"""The atoms of a covering problem: rows that one group sees through the same columns.

Within one group, rows that are covered by exactly the same columns and that count alike
(same ``row_cap``) always gain and lose together. Such a set of rows is an *atom*. A mount with
45 aims sees some 2,000 cells but has only some hundred atoms, so that column gains, duals and
prices cost a fifteenth of the work on the full matrix, without loss.
"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.problem import CoverProblem


class Layout(NamedTuple):
    """The problem in atoms; columns are renumbered so that a group's columns are adjacent.

    Attributes
    ----------
    cost : ndarray of float64, shape (n_columns,)
        Column costs in layout order.
    column_group : ndarray of int32, shape (n_columns,)
    group_start : ndarray of int64, shape (n_groups + 1,)
        First column of each group.
    fixed : ndarray of float64, shape (n_groups,)
    site : ndarray of int32, shape (n_groups,)
    capacity : ndarray of int32, shape (n_groups,)
    column_start, column_atom : ndarray of int64 / int32
        Atoms of each column.
    member_start, member_column : ndarray of int64 / int32
        Columns of each atom.
    atom_start, atom_row : ndarray of int64 / int32
        Rows of each atom.
    atom_group : ndarray of int32, shape (n_atoms,)
    atom_first : ndarray of int64, shape (n_groups + 1,)
        First atom of each group.
    atom_cap : ndarray of int32, shape (n_atoms,)
        The most views that the atom's group gives each of its rows.
    row_start, row_atom : ndarray of int64 / int32
        Atoms of each row: one for each group that sees it.
    demand, row_cap, row_class : ndarray of int32, shape (n_rows,)
    row_weight : ndarray of float64, shape (n_rows,)
    """

    cost: NDArray[np.float64]
    column_group: NDArray[np.int32]
    group_start: NDArray[np.int64]
    fixed: NDArray[np.float64]
    site: NDArray[np.int32]
    capacity: NDArray[np.int32]
    column_start: NDArray[np.int64]
    column_atom: NDArray[np.int32]
    member_start: NDArray[np.int64]
    member_column: NDArray[np.int32]
    atom_start: NDArray[np.int64]
    atom_row: NDArray[np.int32]
    atom_group: NDArray[np.int32]
    atom_first: NDArray[np.int64]
    atom_cap: NDArray[np.int32]
    row_start: NDArray[np.int64]
    row_atom: NDArray[np.int32]
    demand: NDArray[np.int32]
    row_cap: NDArray[np.int32]
    row_class: NDArray[np.int32]
    row_weight: NDArray[np.float64]


@nb.njit(cache=True, nogil=True)
def _grown(array: NDArray, need: int) -> NDArray:
    """Return the array, or a copy of twice the length if ``need`` does not fit."""
    if need <= len(array):
        return array
    bigger = np.empty(max(need, 2 * len(array)), array.dtype)
    bigger[: len(array)] = array
    return bigger


@nb.njit(cache=True, nogil=True)
def _atoms(
    indptr: NDArray,
    indices: NDArray,
    order: NDArray,
    group_start: NDArray,
    row_cap: NDArray,
    column_mark: NDArray,
    cap_mark: NDArray,
) -> tuple:
    """Group each group's rows into atoms by the sum of random column marks, and verify.

    Returns ``ok`` false if two different column sets had one mark (then other marks are needed).
    """
    n_groups = len(group_start) - 1
    n_rows = len(row_cap)
    local = np.full(n_rows, -1, np.int64)
    seen = np.full(n_rows, -1, np.int64)
    atom_start = np.zeros(1024, np.int64)
    atom_row = np.empty(4096, np.int32)
    atom_group = np.empty(1024, np.int32)
    column_start = np.zeros(len(order) + 1, np.int64)
    column_atom = np.empty(4096, np.int32)
    row_of_local = np.empty(n_rows, np.int32)
    mark = np.empty(n_rows, np.uint64)
    n_atoms, n_pairs, n_links = 0, 0, 0
    hits = np.zeros(1024, np.int64)
    ok = True
    for group in range(n_groups):
        count = 0
        for position in range(group_start[group], group_start[group + 1]):
            column = order[position]
            for t in range(indptr[column], indptr[column + 1]):
                row = indices[t]
                if row_cap[row] == 0:
                    continue
                if seen[row] != group:
                    seen[row] = group
                    local[row] = count
                    row_of_local[count] = row
                    mark[count] = cap_mark[row_cap[row]]
                    count += 1
                mark[local[row]] += column_mark[position]
        rank = np.argsort(mark[:count], kind="mergesort")
        atom_row = _grown(atom_row, n_pairs + count)
        atom_start = _grown(atom_start, n_atoms + count + 2)
        atom_group = _grown(atom_group, n_atoms + count + 2)
        hits = _grown(hits, n_atoms + count + 2)
        for r in range(count):
            place = rank[r]
            if r == 0 or mark[place] != mark[rank[r - 1]]:
                atom_start[n_atoms] = n_pairs
                atom_group[n_atoms] = group
                hits[n_atoms] = 0
                n_atoms += 1
            atom_row[n_pairs] = row_of_local[place]
            local[row_of_local[place]] = n_atoms - 1
            n_pairs += 1
        atom_start[n_atoms] = n_pairs
        for position in range(group_start[group], group_start[group + 1]):
            column = order[position]
            begin = n_links
            for t in range(indptr[column], indptr[column + 1]):
                if row_cap[indices[t]] == 0:
                    continue
                atom = local[indices[t]]
                if hits[atom] == 0:
                    column_atom = _grown(column_atom, n_links + 1)
                    column_atom[n_links] = atom
                    n_links += 1
                hits[atom] += 1
            for link in range(begin, n_links):
                atom = column_atom[link]
                if hits[atom] != atom_start[atom + 1] - atom_start[atom]:
                    ok = False
                hits[atom] = 0
            column_start[position + 1] = n_links
    return (
        ok,
        (
            atom_start[: n_atoms + 1].copy(),
            atom_row[:n_pairs].copy(),
            atom_group[:n_atoms].copy(),
        ),
        (column_start, column_atom[:n_links].copy()),
    )


@nb.njit(cache=True, nogil=True)
def transposed(start: NDArray, item: NDArray, n_items: int) -> tuple:
    """Transpose a list of lists.

    Parameters
    ----------
    start : ndarray of int64, shape (n + 1,)
        Start of each list in ``item``.
    item : ndarray of int32
        Members of the lists, in 0 … ``n_items`` - 1.
    n_items : int
        Number of possible members.

    Returns
    -------
    tuple of ndarray
        ``start, item`` of the lists that hold each member, in rising order.
    """
    begin = np.zeros(n_items + 1, np.int64)
    for value in item:
        begin[value + 1] += 1
    for value in range(n_items):
        begin[value + 1] += begin[value]
    fill = begin[:-1].copy()
    out = np.empty(len(item), np.int32)
    for source in range(len(start) - 1):
        for t in range(start[source], start[source + 1]):
            out[fill[item[t]]] = source
            fill[item[t]] += 1
    return begin, out


def starts(number: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """Return where the members of each group begin among members in the order of their groups.

    Parameters
    ----------
    number : ndarray of int
        The group of each member.
    count : int
        Number of groups.

    Returns
    -------
    ndarray of int64, shape (count + 1,)
        The last is the number of members.
    """
    return np.concatenate([[0], np.cumsum(np.bincount(number, minlength=count))]).astype(np.int64)


def completed(
    layout: Layout,
    columns: tuple[NDArray[np.int64], NDArray[np.int32]],
    atoms: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]],
    atom_cap: NDArray[np.int32] | None = None,
) -> Layout:
    """Return a layout with other atoms, and with all that follows from them.

    Parameters
    ----------
    layout : Layout
        Its groups, columns and rows stay.
    columns : tuple of ndarray
        ``column_start, column_atom``: the atoms of each column.
    atoms : tuple of ndarray
        ``atom_start, atom_row, atom_group``: rows and group of each atom, one group's after the
        other's.
    atom_cap : ndarray of int32, shape (n_atoms,), optional
        The most views that each atom gives. Default: what rows, columns and group allow.

    Returns
    -------
    Layout
    """
    atom_start, atom_row, atom_group = atoms
    member_start, member_column = transposed(*columns, len(atom_group))
    row_start, row_atom = transposed(atom_start, atom_row, len(layout.demand))
    if atom_cap is None:
        cap = np.minimum(layout.row_cap[atom_row[atom_start[:-1]]], np.diff(member_start))
        atom_cap = np.minimum(cap, layout.capacity[atom_group]).astype(np.int32)
    return layout._replace(
        column_start=columns[0],
        column_atom=columns[1],
        member_start=member_start,
        member_column=member_column,
        atom_start=atom_start,
        atom_row=atom_row,
        atom_group=atom_group,
        atom_first=starts(atom_group, len(layout.fixed)),
        atom_cap=atom_cap,
        row_start=row_start,
        row_atom=row_atom,
    )


def make_layout(problem: CoverProblem) -> tuple[Layout, NDArray[np.int64]]:
    """Build the atoms of a problem.

    Parameters
    ----------
    problem : CoverProblem
        The problem.

    Returns
    -------
    layout : Layout
        The problem in atoms.
    order : ndarray of int64, shape (n_columns,)
        The problem's column at each position of the layout.
    """
    order = np.argsort(problem.group, kind="stable")
    group_start = starts(problem.group, problem.n_groups)
    seed = 0
    while True:
        # 64-bit sums of random marks collide about never; the check in _atoms makes it exact.
        rng = np.random.default_rng(seed)
        column_mark = rng.integers(1, 2**63, problem.n_columns, dtype=np.int64).astype(np.uint64)
        caps = int(problem.row_cap.max(initial=0)) + 1
        cap_mark = rng.integers(1, 2**63, caps, dtype=np.int64).astype(np.uint64)
        ok, atoms, columns = _atoms(
            problem.indptr,
            problem.indices,
            order,
            group_start,
            problem.row_cap,
            column_mark,
            cap_mark,
        )
        if ok:
            break
        seed += 1
    none, nothing = np.zeros(1, np.int64), np.zeros(0, np.int32)
    bare = Layout(
        cost=problem.costs[order],
        column_group=problem.group[order],
        group_start=group_start,
        fixed=problem.group_costs,
        site=problem.site,
        capacity=problem.capacity,
        column_start=none,
        column_atom=nothing,
        member_start=none,
        member_column=nothing,
        atom_start=none,
        atom_row=nothing,
        atom_group=nothing,
        atom_first=none,
        atom_cap=nothing,
        row_start=none,
        row_atom=nothing,
        demand=problem.demand,
        row_cap=problem.row_cap,
        row_class=problem.row_class,
        row_weight=problem.row_weight,
    )
    return completed(bare, columns, atoms), order


@nb.njit(cache=True, nogil=True)
def _reach(layout: Layout) -> NDArray:
    reached = np.zeros(len(layout.demand), np.int64)
    best = np.zeros(max(1, layout.site.max() + 1) if len(layout.site) else 1, np.int64)
    last = np.full(len(best), -1, np.int64)
    for row in range(len(reached)):
        for q in range(layout.row_start[row], layout.row_start[row + 1]):
            atom = layout.row_atom[q]
            site = layout.site[layout.atom_group[atom]]
            views = np.int64(layout.atom_cap[atom])
            if site < 0:
                reached[row] += views
            elif last[site] != row:
                last[site] = row
                best[site] = views
                reached[row] += views
            elif views > best[site]:
                reached[row] += views - best[site]
                best[site] = views
    return reached


def reach(layout: Layout) -> NDArray[np.int64]:
    """Return the most views that each row can get, with caps, capacities and sites.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
        Sum over sites of the best group's views, and over groups without a site.
    """
    return _reach(layout)
