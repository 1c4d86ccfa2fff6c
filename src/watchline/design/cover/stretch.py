"""One window of a long line as a problem of its own, with the columns that matter in it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numba as nb
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from watchline.design.cover.layout import Layout, make_layout, transposed
from watchline.design.cover.problem import CoverProblem, make_problem

SIZES = (3, 6, 12, 24, 48)
"""Groups of the stretches that a tree asks for; each starts half a stretch after the one before."""
MOST_OF_GROUP = 3
"""Columns of an overpaid group that become near at once."""


@dataclass(eq=False)
class Stretch:
    """One window as a problem of its own.

    Attributes
    ----------
    rows, groups, columns : ndarray of int
        Rows, groups and columns (layout order) of the whole problem that belong to it.
    near_columns : ndarray of int
        Places in ``columns`` of those that a good choice may hold: the relaxation is solved with
        them alone, and its prices are judged with all.
    whole, near, asking : Layout
        Of all columns; of the near ones; of these with a row for each stretch of groups.
    sets : list of ndarray of int
        The stretches of groups, in the window's own numbers.
    of_set : sparse array of shape (n_sets, n_groups)
    set_weight : ndarray of float64
        How much longer stretches are to be preferred.
    shares : list of two ndarrays of float64
        The window's present shares of the costs of its groups, and of its columns.
    seen : tuple of two ndarrays of float64
        Rows of the window that each group, and each column, sees.
    to_near : ndarray of int
        The atom of ``near`` to which each atom of ``whole`` belongs, -1 for none.
    order : ndarray of int
        Order of the rows in the price ascent.
    scale : float
        First primal weight of the relaxation.
    entries : tuple of ndarray
        The rows of each column, ``indptr, indices``.
    active : ndarray of bool, shape (n_rows,)
        The rows that the relaxation has.
    most : float
        Sum of all costs.
    real : ndarray of bool
        Which atoms of ``asking`` are those of ``near``, in that order.
    """

    rows: NDArray[np.intp]
    groups: NDArray[np.intp]
    columns: NDArray[np.intp]
    near_columns: NDArray[np.intp]
    whole: Layout
    near: Layout
    asking: Layout
    sets: list[NDArray[np.intp]]
    of_set: sparse.csr_array
    set_weight: NDArray[np.float64]
    shares: list[NDArray[np.float64]]
    seen: tuple[NDArray[np.float64], NDArray[np.float64]]
    to_near: NDArray[np.intp]
    order: NDArray[np.intp]
    scale: float
    entries: tuple[NDArray[np.int64], NDArray[np.int32]]
    active: NDArray[np.bool_]
    most: float = field(init=False)
    real: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.most = float(np.sum(self.whole.fixed) + np.sum(self.whole.cost))
        self._find_real()

    def _find_real(self) -> None:
        first = self.asking.atom_row[self.asking.atom_start[:-1]]
        self.real = first < self.n_rows

    @property
    def places(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The groups, and the columns, of the whole problem."""
        return self.groups, self.columns

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def spread(self, row: NDArray[np.float64], atom: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return prices of the near columns' atoms spread over the atoms of all columns.

        Parameters
        ----------
        row : ndarray of float64, shape (n_rows,)
            Prices of the rows.
        atom : ndarray of float64
            Prices of the atoms of ``near``.

        Returns
        -------
        ndarray of float64
            In the ratio of the prices of the atoms' rows.
        """
        return _spread(self.whole, self.shares[1], self.to_near, row, atom)

    def overpaid(
        self,
        row: NDArray[np.float64],
        atom: NDArray[np.float64],
        fixed: NDArray[np.float64],
        tolerance: float,
    ) -> NDArray[np.intp]:
        """Return columns that are not near but overpaid by prices, they or their groups.

        Parameters
        ----------
        row, atom : ndarray of float64
            As in :meth:`spread`.
        fixed : ndarray of float64, shape (n_groups,)
            What the groups cost; a group that is not in use is out of every price's reach.
        tolerance : float
            Share of a cost by which it may be overpaid.

        Returns
        -------
        ndarray of int
            Places in ``columns``.
        """
        whole, price = self.whole, self.spread(row, atom)
        column = np.repeat(np.arange(len(whole.cost)), np.diff(whole.column_start))
        paid = np.bincount(column, price[whole.column_atom], minlength=len(whole.cost))
        over = paid - self.shares[1] > tolerance * (1e-3 + whole.cost)
        worth = np.add.reduceat(row[whole.atom_row], whole.atom_start[:-1])
        short = whole.atom_cap * np.maximum(worth - price, 0.0)
        spent = np.bincount(whole.atom_group, short, minlength=len(whole.fixed))
        lost = spent - fixed > tolerance * (1e-3 + whole.fixed)
        over &= fixed[whole.column_group] <= self.most
        over[self.near_columns] = False
        # Of a group that loses, those of its columns that its rows would pay for most.
        asked = np.add.reduceat(
            np.append(worth[whole.column_atom], 0.0), whole.column_start[:-1]
        ) / np.maximum(whole.cost, 1e-9)
        asked[~lost[whole.column_group] | (fixed[whole.column_group] > self.most)] = 0.0
        asked[self.near_columns] = 0.0
        rank = np.lexsort((-asked, whole.column_group))
        first = np.searchsorted(whole.column_group, np.arange(len(whole.fixed)))
        place = np.arange(len(rank)) - first[whole.column_group[rank]]
        over[rank[(place < MOST_OF_GROUP) & (asked[rank] > 0.0)]] = True
        return np.flatnonzero(over)

    def take(self, chosen: NDArray[np.bool_]) -> None:
        """Take other columns as the near ones.

        Parameters
        ----------
        chosen : ndarray of bool
            Which of ``columns``; more are taken where rows lack columns.
        """
        chosen = chosen.copy()
        _complete(self.whole, chosen)
        self.near_columns, self.near, self.to_near = _near(
            self.entries, self.columns, self.whole, chosen
        )
        self.asking = _asking(self.near, self.sets)
        self._find_real()


@nb.njit(cache=True, nogil=True)
def _spread(whole: Layout, cost: NDArray, to_near: NDArray, row: NDArray, atom: NDArray) -> NDArray:
    """Return near atoms' prices spread over all atoms; other atoms get what their columns allow."""
    n_atoms = len(whole.atom_group)
    worth, price = np.zeros(n_atoms), np.zeros(n_atoms)
    sums = np.zeros(len(atom))
    for a in range(n_atoms):
        for p in range(whole.atom_start[a], whole.atom_start[a + 1]):
            worth[a] += row[whole.atom_row[p]]
        if to_near[a] >= 0:
            sums[to_near[a]] += worth[a]
    for a in range(n_atoms):
        if to_near[a] >= 0 and sums[to_near[a]] > 0.0:
            price[a] = worth[a] * min(1.0, atom[to_near[a]] / sums[to_near[a]])
    for a in range(n_atoms):
        if to_near[a] < 0:
            price[a] = worth[a]
    for column in range(len(cost)):
        paid, open_worth = 0.0, 0.0
        for link in range(whole.column_start[column], whole.column_start[column + 1]):
            a = whole.column_atom[link]
            if to_near[a] >= 0:
                paid += price[a]
            else:
                open_worth += worth[a]
        if paid + open_worth > cost[column] and open_worth > 0.0:
            factor = max(0.0, cost[column] - paid) / open_worth
            for link in range(whole.column_start[column], whole.column_start[column + 1]):
                a = whole.column_atom[link]
                if to_near[a] < 0:
                    price[a] = min(price[a], factor * worth[a])
    return price


def spans(start: NDArray, chosen: NDArray) -> NDArray[np.int64]:
    """Return the places of the members of some lists, one list after the other."""
    size = start[chosen + 1] - start[chosen]
    ends = np.cumsum(size)
    shift = np.repeat(start[chosen] - np.concatenate([[0], ends[:-1]]), size)
    return np.arange(int(ends[-1]) if len(ends) else 0) + shift


@nb.njit(cache=True, nogil=True)
def _entries(indptr: NDArray, indices: NDArray, columns: NDArray, place: NDArray) -> tuple:
    """Return ``indptr, indices`` of some columns with only the rows that have a place."""
    start = np.zeros(len(columns) + 1, np.int64)
    for k in range(len(columns)):
        inside = 0
        for t in range(indptr[columns[k]], indptr[columns[k] + 1]):
            inside += place[indices[t]] >= 0
        start[k + 1] = start[k] + inside
    out = np.empty(start[-1], np.int32)
    at = 0
    for k in range(len(columns)):
        for t in range(indptr[columns[k]], indptr[columns[k] + 1]):
            if place[indices[t]] >= 0:
                out[at] = place[indices[t]]
                at += 1
    return start, out


def make_stretch(
    problem: CoverProblem,
    order: NDArray[np.int64],
    rows: NDArray[np.intp],
    whole: Layout,
    groups: NDArray[np.intp],
    columns: NDArray[np.intp],
    near: NDArray[np.bool_],
    at_group: NDArray[np.float64],
    shares: tuple[NDArray, NDArray, NDArray, NDArray],
    active: NDArray[np.bool_],
) -> Stretch:
    """Return a window as a problem of its own."""
    chosen = near[columns].copy()
    _complete(whole, chosen)
    place = np.full(problem.n_rows, -1, np.int64)
    place[rows] = np.arange(len(rows))
    entries = _entries(problem.indptr, problem.indices, order[columns], place)
    near_columns, tight, to_near = _near(entries, columns, whole, chosen)
    along = np.argsort(at_group[groups], kind="stable")
    sets, weight, known = [], [], set()
    for size in SIZES:
        for first in range(0, max(1, len(along) - size // 2), max(1, size // 2)):
            members = np.sort(along[first : first + size])
            if tuple(members.tolist()) not in known:
                known.add(tuple(members.tolist()))
                sets.append(members)
                weight.append(0.25 + size / SIZES[-1])
    member = np.concatenate(sets)
    number = np.repeat(np.arange(len(sets)), [len(one) for one in sets])
    ones = np.ones(len(member))
    of_set = sparse.csr_array((ones, (number, member)), shape=(len(sets), len(groups)))
    return Stretch(
        rows=rows,
        groups=groups,
        columns=columns,
        near_columns=near_columns,
        whole=whole,
        near=tight,
        asking=_asking(tight, sets),
        sets=sets,
        of_set=of_set,
        set_weight=np.array(weight),
        shares=[shares[0], shares[1]],
        seen=(shares[2], shares[3]),
        to_near=to_near,
        entries=entries,
        active=active,
        order=np.random.default_rng(len(rows)).permutation(len(rows)),
        scale=max(1e-6, float(np.median(whole.cost))),
    )


def _near(
    entries: tuple[NDArray[np.int64], NDArray[np.int32]],
    columns: NDArray[np.intp],
    whole: Layout,
    chosen: NDArray[np.bool_],
) -> tuple[NDArray[np.intp], Layout, NDArray[np.intp]]:
    """Return the chosen columns of a window, their layout, and its atoms by those of all."""
    near_columns = np.flatnonzero(chosen)
    every = np.arange(len(whole.demand))
    small = make_problem(
        whole.cost[near_columns],
        _entries(entries[0], entries[1], near_columns, every),
        whole.demand,
        whole.column_group[near_columns],
        group_costs=whole.fixed,
        sites=whole.site,
        row_cap=np.maximum(whole.row_cap, 1),
        capacity=whole.capacity,
    )
    tight, sorted_as = make_layout(small)
    return near_columns[sorted_as], tight, _to_near(whole, tight)


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


@nb.njit(cache=True, nogil=True)
def _to_near(whole: Layout, near: Layout) -> NDArray:
    """Return the atom of the near columns that holds the rows of each atom of all columns."""
    found = np.full(len(whole.atom_group), -1, np.int64)
    for atom in range(len(found)):
        row = whole.atom_row[whole.atom_start[atom]]
        for q in range(near.row_start[row], near.row_start[row + 1]):
            if near.atom_group[near.row_atom[q]] == whole.atom_group[atom]:
                found[atom] = near.row_atom[q]
    return found


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
    member_start, member_column = transposed(layout.column_start, column_atom, len(rank))
    row_start, row_atom = transposed(atom_start, atom_row, n_rows + len(sets))
    cap = np.concatenate([layout.atom_cap, np.ones(len(new), layout.atom_cap.dtype)])[rank]
    count = np.bincount(group, minlength=len(layout.fixed))
    more = np.ones(len(sets))
    return layout._replace(
        column_atom=column_atom,
        member_start=member_start,
        member_column=member_column,
        atom_start=atom_start,
        atom_row=atom_row,
        atom_group=group[rank],
        atom_first=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        atom_cap=cap,
        row_start=row_start,
        row_atom=row_atom,
        demand=np.concatenate([layout.demand, more]).astype(layout.demand.dtype),
        row_cap=np.concatenate([layout.row_cap, more]).astype(layout.row_cap.dtype),
        row_class=np.concatenate([layout.row_class, 0 * more]).astype(layout.row_class.dtype),
        row_weight=np.concatenate([layout.row_weight, more]),
    )
