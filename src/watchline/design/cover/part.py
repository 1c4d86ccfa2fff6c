"""A part of a covering problem's rows or columns, taken from its atoms and not from its matrix."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.layout import Layout, completed, starts


@nb.njit(cache=True, nogil=True)
def _kept(layout: Layout, place: NDArray, closed: NDArray, column_atom: NDArray) -> tuple:
    """Return the atom arrays with only the rows whose ``place`` is at least 0, and open groups.

    The atoms of the columns are written to ``column_atom``.
    """
    n_atoms = len(layout.atom_group)
    number = np.full(n_atoms, -1, np.int64)
    count, pairs = 0, 0
    for atom in range(n_atoms):
        inside = 0
        if closed[layout.atom_group[atom]]:
            continue
        for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
            inside += place[layout.atom_row[p]] >= 0
        if inside > 0:
            number[atom] = count
            count += 1
            pairs += inside
    atom_start = np.zeros(count + 1, np.int64)
    atom_row = np.empty(pairs, np.int32)
    atom_group = np.empty(count, np.int32)
    atom_cap = np.empty(count, np.int32)
    count, pairs = 0, 0
    for group in range(len(layout.fixed)):
        for atom in range(layout.atom_first[group], layout.atom_first[group + 1]):
            if number[atom] < 0:
                continue
            for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
                row = place[layout.atom_row[p]]
                if row >= 0:
                    atom_row[pairs] = row
                    pairs += 1
            atom_group[count] = group
            atom_cap[count] = layout.atom_cap[atom]
            count += 1
            atom_start[count] = pairs
    column_start = np.zeros(len(layout.cost) + 1, np.int64)
    links = 0
    for column in range(len(layout.cost)):
        for link in range(layout.column_start[column], layout.column_start[column + 1]):
            atom = number[layout.column_atom[link]]
            if atom >= 0:
                column_atom[links] = atom
                links += 1
        column_start[column + 1] = links
    return (atom_start, atom_row, atom_group), atom_cap, column_start


def part_of(
    layout: Layout, rows: NDArray[np.intp], closed: NDArray[np.bool_] | None = None
) -> Layout:
    """Return the layout of the problem with only some of its rows: a relaxation of it.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.
    rows : ndarray of int
        Rows to keep, in rising order.
    closed : ndarray of bool, shape (n_groups,), optional
        Groups that see nothing.

    Returns
    -------
    Layout
        With the same columns and groups; an atom without a kept row, or of a closed group, is
        dropped.
    """
    place = np.full(len(layout.demand), -1, np.int32)
    place[rows] = np.arange(len(rows))
    if closed is None:
        closed = np.zeros(len(layout.fixed), bool)
    column_atom = np.empty(len(layout.column_atom), np.int32)
    atoms, atom_cap, column_start = _kept(layout, place, closed, column_atom)
    # In place: of a long line's columns there is no room for two lists.
    column_atom.resize(column_start[-1], refcheck=False)
    fewer = layout._replace(
        demand=layout.demand[rows],
        row_cap=layout.row_cap[rows],
        row_class=layout.row_class[rows],
        row_weight=layout.row_weight[rows],
    )
    return completed(fewer, (column_start, column_atom), atoms, atom_cap)


@nb.njit(cache=True, nogil=True)
def _merged(layout: Layout, keep: NDArray, column_mark: NDArray, cap_mark: NDArray) -> tuple:
    """Return the atom to which each atom belongs if only some columns are kept, -1 for none.

    Atoms of one group whose rows count alike become one if the kept columns do not tell them
    apart: by the sum of random column marks, verified. Returns ``ok`` false if two different
    column sets had one mark, and the numbers of atoms, of their rows and of their columns' atoms.
    """
    place = np.full(len(layout.atom_group), -1, np.int32)
    parts = np.zeros(len(layout.atom_group), np.int32)
    hits = np.zeros(len(layout.atom_group), np.int32)
    n_atoms, n_pairs, n_links, ok = 0, 0, 0, True
    for group in range(len(layout.fixed)):
        begin, end = layout.atom_first[group], layout.atom_first[group + 1]
        mark, seen = np.zeros(end - begin, np.uint64), np.empty(end - begin, np.int64)
        for column in range(layout.group_start[group], layout.group_start[group + 1]):
            if keep[column]:
                for link in range(layout.column_start[column], layout.column_start[column + 1]):
                    mark[layout.column_atom[link] - begin] += column_mark[column]
                    hits[layout.column_atom[link]] = 1
        count = 0
        for atom in range(begin, end):
            if hits[atom] > 0:
                mark[atom - begin] += cap_mark[
                    layout.row_cap[layout.atom_row[layout.atom_start[atom]]]
                ]
                seen[count] = atom
                count += 1
                n_pairs += layout.atom_start[atom + 1] - layout.atom_start[atom]
                hits[atom] = 0
        rank = np.argsort(mark[seen[:count] - begin], kind="mergesort")
        for r in range(count):
            atom = seen[rank[r]]
            if r == 0 or mark[atom - begin] != mark[seen[rank[r - 1]] - begin]:
                n_atoms += 1
            place[atom] = n_atoms - 1
            parts[n_atoms - 1] += 1
        for column in range(layout.group_start[group], layout.group_start[group + 1]):
            if not keep[column]:
                continue
            first, last = layout.column_start[column], layout.column_start[column + 1]
            for link in range(first, last):
                target = place[layout.column_atom[link]]
                n_links += hits[target] == 0
                hits[target] += 1
            for link in range(first, last):
                target = place[layout.column_atom[link]]
                if hits[target] > 0 and hits[target] != parts[target]:
                    ok = False
                hits[target] = 0
    return ok, place, n_atoms, n_pairs, n_links


@nb.njit(cache=True, nogil=True)
def _gathered(
    layout: Layout, kept: NDArray, place: NDArray, n_atoms: int, n_pairs: int, n_links: int
) -> tuple:
    """Return the atom arrays of some columns, each atom at its new place."""
    atom_start = np.zeros(n_atoms + 1, np.int64)
    atom_group = np.empty(n_atoms, np.int32)
    for atom in range(len(place)):
        if place[atom] >= 0:
            size = layout.atom_start[atom + 1] - layout.atom_start[atom]
            atom_start[place[atom] + 1] += size
            atom_group[place[atom]] = layout.atom_group[atom]
    for atom in range(n_atoms):
        atom_start[atom + 1] += atom_start[atom]
    fill, atom_row = atom_start[:-1].copy(), np.empty(n_pairs, np.int32)
    for atom in range(len(place)):
        if place[atom] >= 0:
            for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
                atom_row[fill[place[atom]]] = layout.atom_row[p]
                fill[place[atom]] += 1
    column_start, column_atom = np.zeros(len(kept) + 1, np.int64), np.empty(n_links, np.int32)
    last, links = np.full(n_atoms, -1, np.int64), 0
    for column in range(len(kept)):
        for link in range(layout.column_start[kept[column]], layout.column_start[kept[column] + 1]):
            target = place[layout.column_atom[link]]
            if last[target] != column:
                last[target] = column
                column_atom[links] = target
                links += 1
        column_start[column + 1] = links
    return (column_start, column_atom), (atom_start, atom_row, atom_group)


def with_columns(layout: Layout, keep: NDArray[np.bool_]) -> tuple[Layout, NDArray[np.int32]]:
    """Return the layout of the problem with only some of its columns.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.
    keep : ndarray of bool, shape (n_columns,)
        The columns to keep.

    Returns
    -------
    smaller : Layout
        With the same rows and groups, and the kept columns in the same order. Rows that the kept
        columns do not tell apart are one atom.
    place : ndarray of int32, shape (n_atoms,)
        The atom of ``smaller`` that holds the rows of each atom of ``layout``, -1 for none.
    """
    ok, seed, caps = False, 0, int(layout.row_cap.max(initial=0)) + 1
    while not ok:
        # As in make_layout: sums of random marks collide about never, and are verified.
        rng = np.random.default_rng(seed)
        marks = rng.integers(1, 2**63, len(layout.cost) + caps, dtype=np.int64).astype(np.uint64)
        ok, place, *sizes = _merged(layout, keep, marks[caps:], marks[:caps])
        seed += 1
    kept = np.flatnonzero(keep)
    columns, atoms = _gathered(layout, kept, place, *sizes)
    fewer = layout._replace(
        cost=layout.cost[kept],
        column_group=layout.column_group[kept],
        group_start=starts(layout.column_group[kept], len(layout.fixed)),
    )
    return completed(fewer, columns, atoms), place
