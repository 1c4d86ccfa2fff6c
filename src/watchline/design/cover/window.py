"""One window of a long line: a tree whose leaves are proven by prices.

The tree asks whether *any group of a stretch* is in use: the window's groups are put in order along
the line, and stretches of 3, 6, … of them are what is asked for. If none is, all of them are
closed; if one is, that is a row with a price of its own. Where no stretch is undecided, single
groups are asked for, and then columns. No mount need be known to stand for a bound to rise, so that
few leaves do.

A window knows more rows than its relaxation has: those that its leaves leave open become active.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.bounding import views_of
from watchline.design.cover.dual import Prices, ascend, paid_for, value_of_prices
from watchline.design.cover.leaf import Answer, Answers, WindowLeaf, question
from watchline.design.cover.near import carried, make_part
from watchline.design.cover.packed import PackedPrices
from watchline.design.cover.relaxation import Iterate, make_iterate, relax
from watchline.design.cover.stretch import Stretch

NO_MISSES = np.zeros(1)
"""Windows are for problems in which no row may stay uncovered."""
ROOT_STEPS, ROOT_ROUNDS = 400, 6
TOLERANCE = 0.01
"""Share of a cost by which prices may overpay a column, or a group, that is not near."""
WIDENINGS = 5
"""How often columns that its prices overpay are added to a window's near ones."""
LEAF_STEPS, LEAF_ROUNDS = 200, 2
REFRESH_STEPS = 90
LARGEST = 1e30
"""The highest price that a leaf goes on from: what it is kept in holds 1e38."""
GROWN, PAID = 1.3, 0.9
"""Growth of the near columns after which those are given up that no leaf uses, nor pays so much of
what they cost."""
VERSIONS = 12
"""Former sets of near columns that leaves may keep: each takes as much memory as a dozen leaves."""
OPEN = 0.1
"""Share of a row's demand that a mean over the leaves must lack for the row to become active."""
ACTIVATED = 0.12
"""Rows that become active at once, for each active one, at most."""


@dataclass(eq=False)
class Window:
    """A window: its rows with the columns that see them, its shares of the costs, its leaves.

    Attributes
    ----------
    stretch : Stretch
        The window as a problem of its own.
    leaves : list of WindowLeaf
        Of its tree, from left to right.
    work : float
        Work done, in million steps.
    missing : set of int
        Columns that prices overpaid and that are not near.
    sifted : int
        Near columns that were left when useless ones were last given up.
    """

    stretch: Stretch
    leaves: list[WindowLeaf] = field(default_factory=list)
    work: float = 0.0
    missing: set[int] = field(default_factory=set)
    sifted: int = 0

    @property
    def value(self) -> float:
        """The least bound of a leaf."""
        return min(leaf.bound for leaf in self.leaves)

    def begin(self) -> None:
        """Solve the relaxation of the window: its first leaf."""
        stretch = self.stretch
        row, atom = np.zeros(stretch.n_rows), np.zeros(len(stretch.whole.atom_group))
        nothing = PackedPrices.of(Prices(row, atom, NO_MISSES))
        answers = Answers((), stretch)
        for turn in range(WIDENINGS + 1):
            near = stretch.near
            start = make_iterate(stretch.asking, 1)
            leaf = WindowLeaf(answers, -math.inf, nothing, np.zeros(0), start, near, stretch.scale)
            self._advance(leaf, ROOT_STEPS, ROOT_ROUNDS)
            self.leaves = [leaf]
            if not self.missing or turn == WIDENINGS:
                break
            chosen = np.zeros(len(stretch.columns), bool)
            chosen[near.columns] = True
            chosen[sorted(self.missing)] = True
            stretch.take(chosen)
            self.missing = set()

    def _proven(
        self, answers: Answers, prices: Prices, any_of: NDArray[np.float64], *, raised: bool
    ) -> tuple[float, Prices]:
        """Return what prices on all atoms prove with all columns.

        Parameters
        ----------
        answers : Answers
            What is taken for granted.
        prices : Prices
            On the layout of all columns.
        any_of : ndarray of float64
            As in :class:`WindowLeaf`.
        raised : bool
            Whether the prices may be changed to prove more.

        Returns
        -------
        bound : float
            No choice below the answers costs the window less.
        prices : Prices
            That prove it.
        """
        stretch = self.stretch
        part, rows, atoms = stretch.judged
        fixed, cost = answers.costs
        owed = np.zeros(len(fixed))
        for number, price in zip(answers.asked, any_of, strict=True):
            owed[stretch.sets[number]] += price
        # Groups not in use count nothing; those in use are paid for whatever they are worth.
        spent = answers.spent + float(np.sum(any_of)) - float(np.sum(owed[answers.used]))
        owed[answers.used + answers.off] = 0.0
        fixed -= owed
        layout = part._replace(fixed=fixed, cost=cost)
        plain = Prices(prices.row[rows], prices.atom[atoms], prices.miss)
        best = value_of_prices(layout, plain, NO_MISSES)
        self.work += 2 * len(layout.atom_row) / 1e6
        if raised:
            row, atom = plain.row.copy(), plain.atom.copy()
            held = layout._replace(fixed=np.maximum(fixed, 0.0))
            ascend(held, row, atom, np.full(len(row), np.inf), stretch.order)
            self.work += 6 * len(layout.atom_row) / 1e6
            value = value_of_prices(layout, Prices(row, atom, prices.miss), NO_MISSES)
            if value > best:
                best, prices = value, Prices(*(np.zeros(len(a)) for a in prices))
                prices.row[rows], prices.atom[atoms] = row, atom
        slip = 1e-12 * (abs(best) + float(np.sum(any_of)) + abs(spent) + answers.spent)
        return best + spent - slip, prices

    def _advance(self, leaf: WindowLeaf, steps: int, rounds: int) -> None:
        """Run rounds of the relaxation of a leaf from its iterate."""
        self._bring(leaf)
        stretch, near, answers = self.stretch, self.stretch.near, leaf.answers
        asked = stretch.n_rows + answers.asked
        rows = np.concatenate([np.flatnonzero(stretch.active), asked])
        part, _, atoms = make_part(stretch.asking, rows, answers.off)
        fixed, cost = answers.costs
        part = part._replace(fixed=fixed, cost=cost[near.columns])
        now, out, anchor, tau = (make_iterate(part, 1) for _ in range(4))
        for target in (now, anchor):
            _copy(leaf.iterate, target, rows, atoms)
            target.y[:], target.x[:] = leaf.uses()
        memory = np.array([leaf.weight, 0.0, 0.0, 0.0, 0.0])
        links = 3 * len(part.column_atom) + 6 * len(part.atom_group)
        row, atom = np.zeros(len(stretch.asking.demand)), np.zeros(len(atoms))
        for _ in range(rounds):
            relax(part, NO_MISSES, now, out, anchor, tau, memory, steps)
            self.work += steps * (500 + 2 * len(part.atom_row) + links) / 1e6
            # A row that nobody can see any more has any price: more than all costs says nothing.
            row[rows], atom[atoms] = np.minimum(out.row, 2.0 * (1.0 + stretch.most)), out.atom
            any_of, paid = row[asked], row[: stretch.n_rows].copy()
            price = stretch.spread(paid, atom[near.real], near)
            raw = Prices(paid, price, NO_MISSES)
            value, kept = self._proven(answers, raw, any_of, raised=True)
            if value > leaf.bound:
                leaf.bound, leaf.any_of = value, any_of
                leaf.prices = PackedPrices.of(kept)
        for number, owed in zip(answers.asked, any_of, strict=True):
            fixed[stretch.sets[number]] -= owed
        fixed[answers.used] = stretch.shares[0][answers.used]
        more = stretch.overpaid(paid, price, fixed, TOLERANCE)
        self.missing.update(more.tolist())
        leaf.short = len(more) > 0
        leaf.iterate = Iterate(*(array.astype(np.float32) for array in leaf.iterate))
        _paste(now, leaf.iterate, rows, atoms)
        leaf.weight = float(memory[0])

    def _child(self, parent: WindowLeaf, answer: Answer) -> WindowLeaf:
        """Return the leaf below one more answer."""
        self._bring(parent)
        stretch = self.stretch
        answers = Answers((*parent.answers.path, answer), stretch)
        kind, number, said = answer
        any_of, start = parent.any_of, parent.iterate
        if kind == "any" and said:
            any_of = np.insert(any_of, np.searchsorted(answers.asked, number), 0.0)
            # The new row counts the uses of its groups.
            start = start._replace(z=start.z.copy())
            virtual = ~stretch.near.real
            start.z[virtual] = np.clip(start.y[stretch.asking.atom_group[virtual]], 0, 1)
        # What the parent's prices prove here is the least that is known.
        known = parent.prices.unpacked()
        bound, prices = self._proven(answers, known, any_of, raised=True)
        packed = PackedPrices.of(prices)
        leaf = replace(
            parent, answers=answers, bound=bound, prices=packed, any_of=any_of, iterate=start
        )
        self._advance(leaf, LEAF_STEPS, LEAF_ROUNDS)
        return leaf

    def widen(self) -> None:
        """Take the columns that prices were found to overpay among the near ones."""
        if not self.missing:
            return
        stretch, old = self.stretch, self.stretch.near
        chosen = np.zeros(len(stretch.columns), bool)
        chosen[old.columns] = True
        many = len(old.columns) > GROWN * self.sifted
        if many:
            chosen = self._useful()
        chosen[sorted(self.missing)] = True
        self.missing = set()
        stretch.take(chosen)
        if many:
            self.sifted = len(stretch.near.columns)
        if len({id(leaf.near) for leaf in self.leaves}) > VERSIONS:
            for leaf in self.leaves:
                self._bring(leaf)

    def _bring(self, leaf: WindowLeaf) -> None:
        """Carry a leaf's iterate over to the present near columns."""
        stretch, old = self.stretch, leaf.near
        if old is stretch.near:
            return
        row = leaf.iterate.row[: stretch.n_rows].astype(float)
        fine = stretch.spread(row, leaf.iterate.atom[old.real].astype(float), old)
        leaf.iterate = carried(stretch.whole, stretch.asking, leaf.iterate, fine, old, stretch.near)
        leaf.near = stretch.near

    def _useful(self) -> NDArray[np.bool_]:
        """Tell which columns any leaf uses, or pays nearly enough."""
        whole, cost = self.stretch.whole, self.stretch.shares[1]
        useful = np.zeros(len(cost), bool)
        for leaf in self.leaves:
            paid = paid_for(whole, leaf.prices.atom.unpacked())
            near = leaf.near.columns
            useful[near] |= (leaf.iterate.x > 1e-3) | (paid >= PAID * cost)[near]
            useful[leaf.answers.taken + leaf.answers.dropped] = True
        return useful

    def activate(self, spread: float) -> None:
        """Make the rows active that the leaves near the least leave open most.

        Parameters
        ----------
        spread : float
            As in :meth:`blend`.
        """
        stretch = self.stretch
        if stretch.active.all():
            return
        demand, lack = stretch.whole.demand, np.zeros(stretch.n_rows)
        for share, leaf in self._weighted(spread):
            self._bring(leaf)
            views = views_of(stretch.asking, *leaf.uses())[: stretch.n_rows]
            lack += share * np.maximum(0.0, 1.0 - views / np.maximum(demand, 1))
            self.work += len(stretch.asking.atom_row) / 1e6
        lack[stretch.active | (demand == 0)] = 0.0
        most = max(1, int(ACTIVATED * np.count_nonzero(stretch.active)))
        rank = np.argsort(-lack, kind="stable")[:most]
        more = np.zeros(stretch.n_rows, bool)
        more[rank[lack[rank] > OPEN]] = True
        if more.any():
            stretch.activate(more)

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
                self._advance(leaf, LEAF_STEPS, LEAF_ROUNDS)
                again -= 1
                continue
            asked = question(leaf)
            if asked is None:
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
            prices = leaf.prices.unpacked()
            leaf.bound = self._proven(leaf.answers, prices, leaf.any_of, raised=False)[0]
        done: set[int] = set()
        for _ in range(3):
            limit = self.value + margin
            for number, leaf in enumerate(self.leaves):
                if leaf.bound < limit and number not in done and not enough():
                    done.add(number)
                    prices = leaf.prices.unpacked()
                    leaf.bound, prices = self._proven(
                        leaf.answers, prices, leaf.any_of, raised=True
                    )
                    leaf.prices = PackedPrices.of(prices)
                    if leaf.bound >= limit:
                        continue
                    self._advance(leaf, REFRESH_STEPS, 1)

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
        y, x = np.zeros(len(self.stretch.shares[0])), np.zeros(len(self.stretch.shares[1]))
        for share, leaf in self._weighted(spread):
            groups, columns = leaf.uses()
            y += share * groups
            x[leaf.near.columns] += share * columns
        return y, x

    def _weighted(self, spread: float) -> list[tuple[float, WindowLeaf]]:
        """Return the leaves near the least with their weights, which add up to nearly 1."""
        bound = np.array([leaf.bound for leaf in self.leaves])
        weight = np.exp(-(bound - bound.min()) / spread)
        weight /= weight.sum()
        return [
            (float(share), leaf)
            for share, leaf in zip(weight, self.leaves, strict=True)
            if share >= 1e-3
        ]


def _copy(
    source: Iterate, target: Iterate, rows: NDArray[np.intp], atoms: NDArray[np.bool_]
) -> None:
    """Copy what belongs to some rows, atoms and all sites into an iterate that has these alone."""
    target.site[:] = source.site
    target.row[:] = source.row[rows]
    for mine, its in zip(target[5:7], source[5:7], strict=True):
        mine[:] = its[atoms]
    target.z[:] = source.z[atoms]


def _paste(
    source: Iterate, target: Iterate, rows: NDArray[np.intp], atoms: NDArray[np.bool_]
) -> None:
    """Copy the values of an iterate that has some rows and atoms alone to their places.

    Prices of a leaf that no choice can satisfy grow without end: they stop at ``LARGEST``.
    """
    target.y[:], target.x[:] = source.y, source.x
    target.site[:] = np.minimum(source.site, LARGEST)
    target.row[rows] = np.minimum(source.row, LARGEST)
    for mine, its in zip(target[5:7], source[5:7], strict=True):
        mine[atoms] = np.minimum(its, LARGEST)
    target.z[atoms] = source.z
