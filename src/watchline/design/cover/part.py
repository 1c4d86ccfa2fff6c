"""A part of a covering problem's rows, taken from its atoms."""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.layout import Layout, transposed


@nb.njit(cache=True, nogil=True)
def _kept(
    layout: Layout,
    place: NDArray,
    closed: NDArray,
) -> tuple:
    """Return the atom arrays with only the rows whose ``place`` is at least 0, and open groups."""
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
    atom_first = np.zeros(len(layout.fixed) + 1, np.int64)
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
        atom_first[group + 1] = count
    column_start = np.zeros(len(layout.cost) + 1, np.int64)
    column_atom = np.empty(len(layout.column_atom), np.int32)
    links = 0
    for column in range(len(layout.cost)):
        for link in range(layout.column_start[column], layout.column_start[column + 1]):
            atom = number[layout.column_atom[link]]
            if atom >= 0:
                column_atom[links] = atom
                links += 1
        column_start[column + 1] = links
    return (
        atom_start,
        atom_row,
        atom_group,
        atom_cap,
        atom_first,
        column_start,
        column_atom[:links].copy(),
    )


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
    atom_start, atom_row, atom_group, atom_cap, atom_first, column_start, column_atom = _kept(
        layout, place, closed
    )
    member_start, member_column = transposed(column_start, column_atom, len(atom_group))
    row_start, row_atom = transposed(atom_start, atom_row, len(rows))
    return layout._replace(
        column_start=column_start,
        column_atom=column_atom,
        member_start=member_start,
        member_column=member_column,
        atom_start=atom_start,
        atom_row=atom_row,
        atom_group=atom_group,
        atom_first=atom_first,
        atom_cap=atom_cap,
        row_start=row_start,
        row_atom=row_atom,
        demand=layout.demand[rows],
        row_cap=layout.row_cap[rows],
        row_class=layout.row_class[rows],
        row_weight=layout.row_weight[rows],
    )
