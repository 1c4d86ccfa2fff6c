"""One window of a long line as a problem of its own, with the columns that matter in it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numba as nb
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from watchline.design.cover.dual import paid_for
from watchline.design.cover.layout import Layout
from watchline.design.cover.near import Near, Part, make_near, make_part

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
    near : Near
        The columns that a good choice may hold.
    asking : Layout
        Of these, with a row for each stretch of groups.
    whole : Layout
        Of all columns.
    sets : list of ndarray of int
        The stretches of groups, in the window's own numbers.
    of_set : sparse array of shape (n_sets, n_groups)
    set_weight : ndarray of float64
        How much longer stretches are to be preferred.
    shares : list of two ndarrays of float64
        The window's present shares of the costs of its groups, and of its columns.
    seen : tuple of two ndarrays of float64
        Rows of the window that each group, and each column, sees.
    scale : float
        First primal weight of the relaxation.
    active : ndarray of bool, shape (n_rows,)
        The rows that the relaxation has.
    judged : Part
        Of ``whole``, with the active rows.
    order : ndarray of int
        Order of these rows in the price ascent.
    most : float
        Sum of all costs.
    """

    rows: NDArray[np.intp]
    groups: NDArray[np.intp]
    columns: NDArray[np.intp]
    near: Near
    asking: Layout
    whole: Layout
    sets: list[NDArray[np.intp]]
    of_set: sparse.csr_array
    set_weight: NDArray[np.float64]
    shares: list[NDArray[np.float64]]
    seen: tuple[NDArray[np.float64], NDArray[np.float64]]
    scale: float
    active: NDArray[np.bool_]
    judged: Part = field(init=False)
    order: NDArray[np.intp] = field(init=False)
    most: float = field(init=False)

    def __post_init__(self) -> None:
        self.activate(self.active)
        self.most = float(np.sum(self.whole.fixed) + np.sum(self.whole.cost))

    @property
    def places(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The groups, and the columns, of the whole problem."""
        return self.groups, self.columns

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def spread(
        self, row: NDArray[np.float64], atom: NDArray[np.float64], near: Near
    ) -> NDArray[np.float64]:
        """Return prices of the near columns' atoms spread over the atoms of all columns.

        Parameters
        ----------
        row : ndarray of float64, shape (n_rows,)
            Prices of the rows.
        atom : ndarray of float64
            Prices of the atoms of ``near``.
        near : Near
            Near columns, now or before.

        Returns
        -------
        ndarray of float64
            In the ratio of the prices of the atoms' rows.
        """
        layout, rows, atoms = self.judged
        price = np.zeros(len(atoms))
        price[atoms] = _spread(layout, self.shares[1], near.of_atom[atoms], row[rows], atom)
        return price

    def activate(self, more: NDArray[np.bool_]) -> None:
        """Make rows active.

        Parameters
        ----------
        more : ndarray of bool, shape (n_rows,)
            The rows; active ones stay so.
        """
        self.active = self.active | more
        self.judged = make_part(self.whole, np.flatnonzero(self.active), [])
        count = len(self.judged.rows)
        self.order = np.random.default_rng(count).permutation(count)

    def overpaid(
        self,
        row: NDArray[np.float64],
        price: NDArray[np.float64],
        fixed: NDArray[np.float64],
        tolerance: float,
    ) -> NDArray[np.intp]:
        """Return columns that are not near but overpaid by prices, they or their groups.

        Parameters
        ----------
        row, price : ndarray of float64
            Prices of the rows, and of the atoms of all columns.
        fixed : ndarray of float64, shape (n_groups,)
            What the groups cost; a group that is not in use is out of every price's reach.
        tolerance : float
            Share of a cost by which it may be overpaid.

        Returns
        -------
        ndarray of int
            Places in ``columns``.
        """
        whole, rows, atoms = self.judged
        row, price = row[rows], price[atoms]
        over = paid_for(whole, price) - self.shares[1] > tolerance * (1e-3 + whole.cost)
        worth = np.add.reduceat(row[whole.atom_row], whole.atom_start[:-1])
        short = whole.atom_cap * np.maximum(worth - price, 0.0)
        spent = np.bincount(whole.atom_group, short, minlength=len(whole.fixed))
        lost = spent - fixed > tolerance * (1e-3 + whole.fixed)
        over &= fixed[whole.column_group] <= self.most
        over[self.near.columns] = False
        # Of a group that loses, those of its columns that its rows would pay for most.
        asked = paid_for(whole, worth) / np.maximum(whole.cost, 1e-9)
        asked[~lost[whole.column_group] | (fixed[whole.column_group] > self.most)] = 0.0
        asked[self.near.columns] = 0.0
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
        self.near, self.asking = make_near(self.whole, self.sets, chosen)


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


def make_stretch(
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
    nearest, asking = make_near(whole, sets, near[columns])
    return Stretch(
        rows=rows,
        groups=groups,
        columns=columns,
        near=nearest,
        asking=asking,
        whole=whole,
        sets=sets,
        of_set=of_set,
        set_weight=np.array(weight),
        shares=[shares[0], shares[1]],
        seen=(shares[2], shares[3]),
        active=active,
        scale=max(1e-6, float(np.median(whole.cost))),
    )
