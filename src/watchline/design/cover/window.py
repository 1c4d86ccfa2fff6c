"""One window of a long line: a tree whose leaves are proven by prices.

The tree asks whether *any group of a stretch* is in use: the window's groups are put in order along
the line, and stretches of 3, 6, … of them are what is asked for. If none is, all of them are
closed; if one is, that is a row with a price of its own. Where no stretch is undecided, single
groups are asked for. No mount need be known to stand for a bound to rise, so that few leaves do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.bounding import carry
from watchline.design.cover.dual import Prices, ascend, value_of_prices
from watchline.design.cover.layout import Layout
from watchline.design.cover.part import part_of
from watchline.design.cover.relaxation import Iterate, make_iterate, relax
from watchline.design.cover.stretch import Stretch

NO_MISSES = np.zeros(1)
"""Windows are for problems in which no row may stay uncovered."""
ROOT_STEPS, ROOT_ROUNDS = 400, 6
TOLERANCE = 0.01
"""Share of a cost by which prices may overpay a column, or a group, that is not near."""
WIDENINGS = 5
"""How often columns that its prices overpay are added to a window's near ones."""
LEAF_STEPS, LEAF_ROUNDS = 100, 5
REFRESH_STEPS = 60
PATIENCE = 1e-4
"""Share of its bound that a new leaf must gain in a round to go on."""

Answer = tuple[str, int, bool]
"""A question of a tree, ``any`` stretch or ``group``, its number, and the answer."""


@dataclass(eq=False)
class WindowLeaf:
    """What is known of a window below some answers.

    Attributes
    ----------
    path : tuple of Answer
        The answers.
    bound : float
        What the prices prove with the present shares.
    row, atom, any_of : ndarray of float64
        Prices: of rows, of the atoms of all columns, and of the stretches of which one group is in
        use (in rising order).
    iterate : Iterate
        Where the relaxation stopped (float32: no more than a place to go on from).
    weight : float
        Its primal weight.
    settled : bool
        Whether nothing is left to ask.
    short : bool
        Whether the prices overpaid columns that were not near.
    """

    path: tuple[Answer, ...]
    bound: float
    row: NDArray[np.float64]
    atom: NDArray[np.float64]
    any_of: NDArray[np.float64]
    iterate: Iterate
    weight: float
    settled: bool = False
    short: bool = False

    def answered(self, kind: str, answer: bool) -> list[int]:
        """Return the numbers of the questions of a kind that were answered so."""
        return [number for what, number, said in self.path if what == kind and said is answer]


@dataclass(eq=False)
class Window:
    """A window: its rows with the columns that see them, its shares of the costs, its leaves."""

    stretch: Stretch
    leaves: list[WindowLeaf] = field(default_factory=list)
    work: float = 0.0
    missing: set[int] = field(default_factory=set)

    @property
    def value(self) -> float:
        """The least bound of a leaf."""
        return min(leaf.bound for leaf in self.leaves)

    def begin(self) -> None:
        """Solve the relaxation of the window: its first leaf."""
        stretch, nothing = self.stretch, np.zeros(0)
        for turn in range(WIDENINGS + 1):
            start = make_iterate(stretch.near, 1)
            leaf = WindowLeaf((), -math.inf, nothing, nothing, nothing, start, stretch.scale)
            self._advance(leaf, ROOT_STEPS, ROOT_ROUNDS, fresh=True)
            self.leaves = [leaf]
            if not self.missing or turn == WIDENINGS:
                break
            stretch.widen(np.array(sorted(self.missing)))
            self.missing = set()

    def _closed(self, leaf: WindowLeaf) -> tuple[list[int], list[int]]:
        """Return the groups that are in use, and those that are not, in a leaf."""
        off = set(leaf.answered("group", False))
        for number in leaf.answered("any", False):
            off.update(self.stretch.sets[number].tolist())
        used = leaf.answered("group", True)
        site = self.stretch.whole.site
        for group in used:
            if site[group] >= 0:
                off.update(np.flatnonzero(site == site[group]).tolist())
        return used, sorted(off.difference(used))

    def _layout(self, leaf: WindowLeaf) -> Layout:
        """Return the layout of the near columns, with the rows of the stretches in use."""
        rows = np.arange(self.stretch.n_rows)
        asked = self.stretch.n_rows + np.sort(np.array(leaf.answered("any", True), np.int64))
        return part_of(self.stretch.asking, np.concatenate([rows, asked]))

    def _judge(self, leaf: WindowLeaf, raw: Prices, virtual: NDArray[np.bool_]) -> None:
        """Keep prices of a relaxation if they prove more than the present ones."""
        n_rows = self.stretch.n_rows
        row, any_of = raw.row[:n_rows], raw.row[n_rows:]
        atom = self.stretch.spread(row, raw.atom[~virtual])
        value = self.proven(leaf, row, atom, any_of)[0]
        if value > leaf.bound:
            leaf.bound, leaf.row, leaf.atom, leaf.any_of = value, row, atom, any_of

    def proven(
        self,
        leaf: WindowLeaf,
        row: NDArray[np.float64],
        atom: NDArray[np.float64],
        any_of: NDArray[np.float64],
    ) -> tuple[float, Prices]:
        """Return what prices prove with all columns, and the prices on all atoms that do.

        Parameters
        ----------
        leaf : WindowLeaf
            The leaf, for its answers.
        row, atom, any_of : ndarray of float64
            As in :class:`WindowLeaf`.

        Returns
        -------
        bound : float
            No choice below the leaf's answers costs the window less.
        prices : Prices
            On the layout of all columns.
        """
        stretch = self.stretch
        used, off = self._closed(leaf)
        fixed, never = stretch.shares[0].copy(), 1e3 * (1.0 + stretch.most)
        asked = np.sort(np.array(leaf.answered("any", True), np.int64))
        for number, price in zip(asked, any_of, strict=True):
            fixed[stretch.sets[number]] -= price
        spent = float(np.sum(fixed[used])) + float(np.sum(any_of))
        # Groups not in use count nothing; those in use are paid for whatever they are worth.
        fixed[used], fixed[off] = 0.0, never
        layout = stretch.whole._replace(fixed=fixed, cost=stretch.shares[1])
        plain = Prices(row, atom, np.zeros(1))
        best, kept = value_of_prices(layout, plain, NO_MISSES), plain
        raised = Prices(row.copy(), atom.copy(), np.zeros(1))
        held = layout._replace(fixed=np.maximum(fixed, 0.0))
        ascend(held, raised.row, raised.atom, np.full(len(row), np.inf), stretch.order)
        self.work += 8 * len(layout.atom_row) / 1e6
        value = value_of_prices(layout, raised, NO_MISSES)
        if value > best:
            best, kept = value, raised
        slip = 1e-12 * (abs(best) + float(np.sum(any_of)) + float(np.sum(stretch.shares[0][used])))
        return best + spent - slip, kept

    def _advance(
        self, leaf: WindowLeaf, steps: int, rounds: int, *, fresh: bool, before: float = math.inf
    ) -> None:
        """Run rounds of the relaxation of a leaf from its iterate."""
        part = self._layout(leaf)
        used, off = self._closed(leaf)
        fixed = self.stretch.shares[0].copy()
        fixed[used], fixed[off] = 0.0, 1e3 * (1.0 + self.stretch.most)
        cost = self.stretch.shares[1][self.stretch.near_columns]
        part = part._replace(fixed=fixed, cost=cost)
        virtual = self._virtual(part)
        now, out, anchor, tau = (make_iterate(part, 1) for _ in range(4))
        for target in (now, anchor):
            for mine, its in zip(target, leaf.iterate, strict=True):
                mine[:] = its
            if not fresh:
                target.y[off], target.y[used] = 0.0, 1.0
        memory = np.array([leaf.weight, 0.0, 0.0, 0.0, 0.0])
        links = 3 * len(part.column_atom) + 6 * len(part.atom_group)
        for turn in range(rounds):
            relax(part, NO_MISSES, now, out, anchor, tau, memory, steps)
            self.work += steps * (500 + 2 * len(part.atom_row) + links) / 1e6
            self._judge(leaf, Prices(out.row.copy(), out.atom.copy(), out.miss), virtual)
            if turn > 1 and not fresh and leaf.bound < before * (1 + PATIENCE):
                break
            before = max(before, leaf.bound) if math.isfinite(before) else before
        n_rows = self.stretch.n_rows
        asked = np.sort(np.array(leaf.answered("any", True), np.int64))
        for number, price in zip(asked, out.row[n_rows:], strict=True):
            fixed[self.stretch.sets[number]] -= price
        fixed[used] = np.maximum(fixed[used], self.stretch.shares[0][used])
        more = self.stretch.overpaid(out.row[:n_rows], out.atom[~virtual], fixed, TOLERANCE)
        self.missing.update(more.tolist())
        leaf.short = len(more) > 0
        leaf.iterate = Iterate(*(array.astype(np.float32) for array in now))
        leaf.weight = float(memory[0])

    def _child(self, parent: WindowLeaf, answer: Answer) -> WindowLeaf:
        """Return the leaf below one more answer."""
        path = (*parent.path, answer)
        leaf = replace(parent, path=path, bound=-math.inf)
        old, new = self._layout(parent), self._layout(leaf)
        kinds = sorted(parent.answered("any", True)), sorted(leaf.answered("any", True))
        place = np.concatenate(
            [
                np.arange(self.stretch.n_rows),
                self.stretch.n_rows + np.searchsorted(kinds[1], kinds[0]).astype(np.int64),
            ]
        )
        start, last = make_iterate(new, 1), Iterate(*(a.astype(float) for a in parent.iterate))
        start.y[:], start.x[:] = last.y, last.x
        start.site[:] = last.site
        carry(old, new, place, last, start, False)
        leaf.iterate = start
        any_of = np.zeros(len(kinds[1]))
        any_of[place[self.stretch.n_rows :] - self.stretch.n_rows] = parent.any_of
        leaf.any_of = any_of
        # What the parent's prices prove here is the least that is known.
        leaf.bound = self.proven(leaf, leaf.row, leaf.atom, any_of)[0]
        self._advance(leaf, LEAF_STEPS, LEAF_ROUNDS, fresh=False, before=parent.bound)
        return leaf

    def _question(self, leaf: WindowLeaf) -> tuple[str, int] | None:
        """Return what is most undecided in a leaf: a stretch, else a group, else None."""
        stretch = self.stretch
        used, off = self._closed(leaf)
        y = np.clip(leaf.iterate.y.astype(float), 0.0, 1.0)
        y[off] = 0.0
        sums = stretch.of_set @ y
        # Little is at stake where other windows bear most of the cost.
        stake = (stretch.of_set @ (y * stretch.shares[0])) / np.maximum(sums, 1e-12)
        half = np.minimum(sums, 1.0 - sums) * stretch.set_weight * stake
        half[(sums < 0.03) | (sums > 0.97)] = -1.0
        half[leaf.answered("any", True) + leaf.answered("any", False)] = -1.0
        if used:
            known = np.zeros(len(y))
            known[used] = 1.0
            half[stretch.of_set @ known > 0] = -1.0
        if len(half) and half.max() > 0:
            return "any", int(np.argmax(half))
        half = np.minimum(y, 1.05 - y) * (y + 0.25) * stretch.shares[0]
        half[used] = 0.0
        half[y < 1e-2] = 0.0
        return ("group", int(np.argmax(half))) if half.any() else None

    def widen(self) -> None:
        """Take the columns that prices were found to overpay among the near ones."""
        if not self.missing:
            return
        stretch, more = self.stretch, np.array(sorted(self.missing))
        self.missing = set()
        parts = [self._layout(leaf) for leaf in self.leaves]
        before, old_columns = stretch.to_near, stretch.near_columns
        finer = [
            stretch.spread(np.asarray(leaf.iterate.row[: stretch.n_rows], float), atom)
            for leaf, atom in zip(
                self.leaves,
                (
                    np.asarray(leaf.iterate.atom, float)[~self._virtual(part)]
                    for leaf, part in zip(self.leaves, parts, strict=True)
                ),
                strict=True,
            )
        ]
        stretch.widen(more)
        now, size = stretch.to_near, len(stretch.near.atom_group)
        known = now >= 0
        first = np.zeros(size, np.int64)
        first[now[known][::-1]] = np.flatnonzero(known)[::-1]
        came = before[first]
        at = np.searchsorted(stretch.near_columns, old_columns)
        for leaf, part, fine in zip(self.leaves, parts, finer, strict=True):
            virtual, last, next_ = self._virtual(part), leaf.iterate, self._layout(leaf)
            there = self._virtual(next_)
            start = make_iterate(next_, 1)
            start.y[:], start.row[:], start.u[:] = last.y, last.row, last.u
            start.site[:] = last.site
            start.x[at] = last.x
            row = np.asarray(last.row[: stretch.n_rows], float)
            worth = np.add.reduceat(row[stretch.whole.atom_row], stretch.whole.atom_start[:-1])
            total = np.bincount(now[known], worth[known], minlength=size)
            atom = np.bincount(now[known], fine[known], minlength=size)
            z = np.where(came >= 0, np.asarray(last.z)[~virtual][came], 0.0)
            for mine, its, real in (
                (start.atom, last.atom, atom),
                (start.mount, last.mount, np.maximum(total - atom, 0.0)),
                (start.z, last.z, z),
            ):
                mine[there], mine[~there] = its[virtual], real
            leaf.iterate = Iterate(*(array.astype(np.float32) for array in start))

    def _virtual(self, part: Layout) -> NDArray[np.bool_]:
        """Return which atoms of a leaf's layout belong to stretches."""
        return part.atom_row[part.atom_start[:-1]] >= self.stretch.n_rows

    def grow(self, splits: int, enough: Callable[[], bool]) -> None:
        """Split the leaf with the least bound some times.

        Parameters
        ----------
        splits : int
            How often at most; a leaf with nothing left to ask ends it.
        enough : callable
            Asked before each split whether to stop.
        """
        again = splits
        while splits > 0 and not enough():
            leaf = min(self.leaves, key=lambda one: one.bound)
            if leaf.short and again > 0:
                # More columns have become near since: its prices may prove more now.
                self.widen()
                self._advance(leaf, LEAF_STEPS, LEAF_ROUNDS, fresh=False)
                again -= 1
                continue
            asked = None if leaf.settled else self._question(leaf)
            if asked is None:
                leaf.settled = True
                break
            made = [self._child(leaf, (*asked, answer)) for answer in (True, False)]
            place = self.leaves.index(leaf)
            self.leaves[place : place + 1] = made
            splits -= 1
        self.widen()

    def refresh(self, margin: float, enough: Callable[[], bool]) -> None:
        """Judge all leaves by new shares, and better the prices of those near the least.

        Parameters
        ----------
        margin : float
            Bound above the least up to which a leaf is near.
        enough : callable
            Asked before each leaf whether to stop.
        """
        for leaf in self.leaves:
            leaf.bound = self.proven(leaf, leaf.row, leaf.atom, leaf.any_of)[0]
        done: set[int] = set()
        for _ in range(3):
            limit = self.value + margin
            for number, leaf in enumerate(self.leaves):
                if leaf.bound < limit and number not in done and not enough():
                    done.add(number)
                    self._advance(leaf, REFRESH_STEPS, 1, fresh=False)

    def blend(self, spread: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how far groups and columns are used, as a mean over the leaves near the least.

        Parameters
        ----------
        spread : float
            Bound above the least by which a leaf's weight falls to 1/e.

        Returns
        -------
        groups, columns : ndarray of float64
            Of the window's groups, and of all of its columns.
        """
        bound = np.array([leaf.bound for leaf in self.leaves])
        weight = np.exp(-(bound - bound.min()) / spread)
        weight /= weight.sum()
        y, x = np.zeros(len(self.stretch.shares[0])), np.zeros(len(self.stretch.shares[1]))
        for share, leaf in zip(weight, self.leaves, strict=True):
            if share < 1e-3:
                continue
            used, off = self._closed(leaf)
            mine = np.clip(leaf.iterate.y, 0.0, 1.0).astype(float)
            mine[off], mine[used] = 0.0, 1.0
            y += share * mine
            x[self.stretch.near_columns] += share * np.clip(leaf.iterate.x, 0.0, 1.0)
        return y, x
