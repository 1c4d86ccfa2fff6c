"""The columns of a window that a good choice may hold, as a problem of their own.

The relaxation of a window is solved with these alone, and its prices are judged with all. Which
they are changes: columns that prices overpay come in, and those that no leaf uses go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.layout import Layout, completed
from watchline.design.cover.part import part_of, with_columns
from watchline.design.cover.relaxation import Iterate, make_iterate


@dataclass(frozen=True, eq=False)
class Near:
    """The near columns of a window: as much as a leaf needs whose iterate belongs to them.

    Their layout is the window's, and goes when other columns become near.

    Attributes
    ----------
    columns : ndarray of int
        Their places among the window's columns, in rising order.
    of_atom : ndarray of int32
        The atom of these columns to which each atom of all columns belongs, -1 for none.
    real : ndarray of bool
        Which atoms are those of the columns, in that order; the others are of groups alone.
    """

    columns: NDArray[np.intp]
    of_atom: NDArray[np.int32]
    real: NDArray[np.bool_]


class Part(NamedTuple):
    """A layout with some of its rows, and without some of its groups.

    Attributes
    ----------
    layout : Layout
        What is left.
    rows : ndarray of int
        The rows that are left.
    atoms : ndarray of bool
        Which atoms are left.
    """

    layout: Layout
    rows: NDArray[np.intp]
    atoms: NDArray[np.bool_]


def make_part(layout: Layout, rows: NDArray[np.intp], off: list[int]) -> Part:
    """Return a layout with some of its rows, and without some of its groups.

    Parameters
    ----------
    layout : Layout
        The layout.
    rows : ndarray of int
        Rows to keep, in rising order.
    off : list of int
        Groups that see nothing.

    Returns
    -------
    Part
    """
    inside, closed = np.zeros(len(layout.demand), bool), np.zeros(len(layout.fixed), bool)
    inside[rows], closed[off] = True, True
    atoms = np.logical_or.reduceat(inside[layout.atom_row], layout.atom_start[:-1])
    atoms &= ~closed[layout.atom_group]
    return Part(part_of(layout, rows, closed), rows, atoms)


def make_near(
    whole: Layout, sets: list[NDArray[np.intp]], chosen: NDArray[np.bool_]
) -> tuple[Near, Layout]:
    """Return chosen columns as a problem of their own.

    Parameters
    ----------
    whole : Layout
        Of all columns of the window.
    sets : list of ndarray of int
        The stretches of groups.
    chosen : ndarray of bool
        Which columns; more are taken where rows lack columns.

    Returns
    -------
    near : Near
    asking : Layout
        Of the near columns, with a row for each stretch of groups.
    """
    chosen = chosen.copy()
    _complete(whole, chosen)
    layout, of_atom = with_columns(whole, chosen)
    asking = _asking(layout, sets)
    real = asking.atom_row[asking.atom_start[:-1]] < len(whole.demand)
    return Near(np.flatnonzero(chosen), of_atom, real), asking


def carried(
    whole: Layout,
    asking: Layout,
    last: Iterate,
    fine: NDArray[np.float64],
    old: Near,
    new: Near,
) -> Iterate:
    """Carry the iterate of a leaf over to other near columns.

    Parameters
    ----------
    whole : Layout
        Of all columns of the window.
    asking : Layout
        Of the columns that are near now.
    last : Iterate
        On the rows of ``asking``, and the atoms of ``old``.
    fine : ndarray of float64
        Its atoms' prices spread over the atoms of all columns.
    old, new : Near
        The near columns before, and now.

    Returns
    -------
    Iterate
        On the rows and atoms of ``asking`` (float32).
    """
    out = Iterate(*(array.astype(np.float32) for array in make_iterate(asking, 1)))
    out.y[:], out.row[:], out.site[:] = last.y, last.row, last.site
    still = np.isin(old.columns, new.columns)
    out.x[np.searchsorted(new.columns, old.columns[still])] = last.x[still]
    size = np.count_nonzero(new.real)
    known = new.of_atom >= 0
    at = new.of_atom[known]
    first = np.zeros(size, np.int64)
    first[at[::-1]] = np.flatnonzero(known)[::-1]
    came = old.of_atom[first]
    worth = np.add.reduceat(last.row[whole.atom_row].astype(float), whole.atom_start[:-1])
    total = np.bincount(at, worth[known], minlength=size)
    atom = np.bincount(at, fine[known], minlength=size)
    z = np.where(came >= 0, last.z[old.real][came], 0.0)
    for mine, its, now in (
        (out.atom, last.atom, atom),
        (out.mount, last.mount, np.maximum(total - atom, 0.0)),
        (out.z, last.z, z),
    ):
        mine[~new.real], mine[new.real] = its[~old.real], now
    return out


def spans(start: NDArray, chosen: NDArray) -> NDArray[np.int64]:
    """Return the places of the members of some lists, one list after the other."""
    size = start[chosen + 1] - start[chosen]
    ends = np.cumsum(size)
    shift = np.repeat(start[chosen] - np.concatenate([[0], ends[:-1]]), size)
    return np.arange(int(ends[-1]) if len(ends) else 0) + shift


@nb.njit(cache=True, nogil=True)
def _complete(layout: Layout, chosen: NDArray) -> None:
    """Choose more columns until each row has all the views that it needs from chosen ones."""
    for row in range(len(layout.demand)):
        lack = layout.demand[row]
        for turn in range(2):
            for q in range(layout.row_start[row], layout.row_start[row + 1]):
                atom = layout.row_atom[q]
                seen = 0
                for t in range(layout.member_start[atom], layout.member_start[atom + 1]):
                    column = layout.member_column[t]
                    if turn == 1 and lack > 0 and not chosen[column]:
                        chosen[column] = True
                        lack -= 1
                    seen += chosen[column]
                if turn == 0:
                    lack -= min(seen, layout.atom_cap[atom])
            if lack <= 0:
                break


def _asking(layout: Layout, sets: list[NDArray[np.intp]]) -> Layout:
    """Return a layout with a row for each set: at least one of its groups is in use.

    The new atoms, one for each group, have no columns: what they count is the group alone.
    """
    n_rows = len(layout.demand)
    by_group: dict[int, list[int]] = {}
    for number, members in enumerate(sets):
        for group in members.tolist():
            by_group.setdefault(group, []).append(n_rows + number)
    new = sorted(by_group)
    group = np.concatenate([layout.atom_group, np.array(new, layout.atom_group.dtype)])
    rank = np.argsort(group, kind="stable")
    place = np.empty(len(rank), np.int64)
    place[rank] = np.arange(len(rank))
    lists = np.concatenate([layout.atom_row, *(np.array(by_group[one], np.int32) for one in new)])
    starts = np.concatenate(
        [layout.atom_start, layout.atom_start[-1] + np.cumsum([len(by_group[one]) for one in new])]
    ).astype(np.int64)
    atom_row = lists[spans(starts, rank)].astype(np.int32)
    atom_start = np.concatenate([[0], np.cumsum(np.diff(starts)[rank])]).astype(np.int64)
    column_atom = place[layout.column_atom].astype(np.int32)
    cap = np.concatenate([layout.atom_cap, np.ones(len(new), layout.atom_cap.dtype)])[rank]
    more = np.ones(len(sets))
    wider = layout._replace(
        demand=np.concatenate([layout.demand, more]).astype(layout.demand.dtype),
        row_cap=np.concatenate([layout.row_cap, more]).astype(layout.row_cap.dtype),
        row_class=np.concatenate([layout.row_class, 0 * more]).astype(layout.row_class.dtype),
        row_weight=np.concatenate([layout.row_weight, more]),
    )
    columns, atoms = (layout.column_start, column_atom), (atom_start, atom_row, group[rank])
    return completed(wider, columns, atoms, cap)
