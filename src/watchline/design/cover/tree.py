"""A tree that raises the bound: each group, and then each column, is in use or it is not.

Prices alone prove no more than the relaxation, in which half-used groups are cheaper than whole
ones. A tree asks of one *item* after the other whether it is used, a group or a column of a group
in use, and proves a bound by prices in each leaf; the least of them holds for every choice. Nothing
but prices is needed for that: an item in use is paid for and costs nothing more, one that is not in
use takes no part. So a checker needs the formula of :mod:`watchline.design.cover.dual` and the
tree, and no solver. Items are numbered: the groups, then the columns (layout order).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.bounding import Bounder
from watchline.design.cover.dual import Prices, bound_of
from watchline.design.cover.layout import Layout
from watchline.design.cover.part import part_of
from watchline.design.cover.problem import CoverProblem
from watchline.design.cover.relaxation import Iterate

MOST_LEAVES = 1000
"""Leaves at which a tree stops growing: a leaf holds prices, and a checker reads them all."""
ROUNDS = 12
"""The most rounds of a leaf's relaxation."""
PATIENCE = 1e-4
"""Share of the bound that a leaf's relaxation must gain in a round to go on."""


@dataclass(eq=False)
class Leaf:
    """What is known where some groups are used and others are not.

    Attributes
    ----------
    used, unused : frozenset of int
        Items in use, and not in use.
    bound : float
        No such choice costs less.
    rows : ndarray of int
        Rows to which ``prices`` belong, in rising order.
    prices : Prices
        What proves the bound, on the layout of these rows.
    working : ndarray of int
        Working rows of the relaxation.
    iterate : Iterate or None
        Where the relaxation stopped; None if nothing is left to decide.
    weight : float
        Its primal weight.
    """

    used: frozenset[int]
    unused: frozenset[int]
    bound: float
    rows: NDArray[np.intp]
    prices: Prices
    working: NDArray[np.intp]
    iterate: Iterate | None
    weight: float


@dataclass(eq=False)
class Node:
    """A place in the tree: a leaf, or an item with what follows if it is used or not."""

    leaf: Leaf | None = None
    item: int = -1
    used: Node | None = None
    unused: Node | None = None


@nb.njit(cache=True)
def _supply(layout: Layout, off: NDArray) -> NDArray:
    """Return the most views of each row without the groups that are ``off`` (sites aside)."""
    views = np.zeros(len(layout.demand), np.int64)
    for row in range(len(views)):
        for q in range(layout.row_start[row], layout.row_start[row + 1]):
            atom = layout.row_atom[q]
            if not off[layout.atom_group[atom]]:
                views[row] += layout.atom_cap[atom]
    return views


@dataclass(eq=False)
class Tree:
    """A growing tree.

    Attributes
    ----------
    problem : CoverProblem
        The problem; not in budget mode.
    layout : Layout
        Its atoms.
    allowed : ndarray of float64, shape (n_classes,)
        Row weight that may stay uncovered, per class.
    root : Node
        The first place.
    seed : int
        Seed of the price ascent.
    work : float
        Steps done, in millions.
    """

    problem: CoverProblem
    layout: Layout
    allowed: NDArray[np.float64]
    root: Node
    seed: int = 0
    work: float = 0.0
    open: list[Node] = field(default_factory=list)
    settled: float = math.inf

    @classmethod
    def of(cls, bounder: Bounder) -> Tree:
        """Return the tree whose only leaf is what prices have proven so far.

        Parameters
        ----------
        bounder : Bounder
            The bound of the whole problem, with prices.

        Returns
        -------
        Tree
        """
        leaf = Leaf(
            frozenset(),
            frozenset(),
            bounder.bound,
            bounder.price_rows,
            bounder.prices,
            bounder.rows,
            _copied(bounder.iterates[0]),
            float(bounder.memory[0]),
        )
        root = Node(leaf)
        tree = cls(bounder.problem, bounder.layout, bounder.allowed, root, bounder.seed)
        tree.open.append(root)
        return tree

    @property
    def bound(self) -> float:
        """The least bound of a leaf: no choice costs less."""
        return min([self.settled, *(node.leaf.bound for node in self.open)])

    @property
    def leaves(self) -> int:
        """Number of leaves."""
        return len(self.each_leaf())

    def each_leaf(self) -> list[Leaf]:
        """Return all leaves, in order."""
        found, waiting = [], [self.root]
        while waiting:
            node = waiting.pop()
            if node.leaf is not None:
                found.append(node.leaf)
            else:
                waiting += [node.unused, node.used]
        return found

    def grow(self, goal: float, steps: int) -> bool:
        """Split the leaf with the least bound.

        Parameters
        ----------
        goal : float
            A leaf with this bound needs no more work.
        steps : int
            The most steps of the relaxation in a round of each new leaf.

        Returns
        -------
        bool
            Whether there was a leaf to split.
        """
        if not self.open:
            return False
        node = min(self.open, key=lambda one: one.leaf.bound)
        leaf = node.leaf
        if leaf.bound >= goal:
            return False
        item = self._undecided(leaf)
        # All is worked out before anything is changed: an interruption leaves a whole tree.
        if item < 0:
            # Nothing is half used: more rows may ask for more, or this bound stays as it is.
            again = self._made(leaf, leaf.used, leaf.unused, goal, steps)
            gained = again.bound > leaf.bound * (1 + PATIENCE)
            grown = len(again.working) > len(leaf.working)
            self.open.remove(node)
            node.leaf = again
            if gained or grown:
                self._file(node, goal)
            else:
                self.settled = min(self.settled, again.bound)
            return self.settled > self.bound
        without = Node(self._made(leaf, leaf.used, leaf.unused | {item}, goal, steps))
        barred = leaf.unused | self._rivals(item)
        with_it = Node(self._made(leaf, leaf.used | {item}, barred, goal, steps))
        self.open.remove(node)
        node.item, node.leaf, node.used, node.unused = item, None, with_it, without
        self._file(with_it, goal)
        self._file(without, goal)
        return True

    def _file(self, node: Node, goal: float) -> None:
        """Note a new leaf among those to split, or as done."""
        if node.leaf.bound < goal and node.leaf.iterate is not None:
            self.open.append(node)
        else:
            self.settled = min(self.settled, node.leaf.bound)
            node.leaf.iterate = None  # a leaf that is done needs no memory

    def _rivals(self, item: int) -> frozenset[int]:
        """Return the groups that cannot be used along with an item: those of its site."""
        if item >= len(self.layout.fixed) or self.layout.site[item] < 0:
            return frozenset()
        at_site = np.flatnonzero(self.layout.site == self.layout.site[item])
        return frozenset(at_site.tolist()) - {item}

    def _undecided(self, leaf: Leaf) -> int:
        """Return the item whose half use hides most cost, -1 if none is left.

        Groups come first. Columns are asked for only where their group is known to be used.
        """
        layout, n_groups = self.layout, len(self.layout.fixed)
        y = np.clip(leaf.iterate.y, 0.0, 1.0)
        x = np.clip(leaf.iterate.x, 0.0, 1.0)
        known = np.zeros(n_groups + len(x), bool)
        known[list(leaf.used | leaf.unused)] = True
        in_use = np.zeros(n_groups, bool)
        in_use[[item for item in leaf.used if item < n_groups]] = True
        half = np.minimum(y, 1.05 - y) * (y + 0.25) * layout.fixed
        half[known[:n_groups] | (y < 1e-3)] = 0.0
        if half.any():
            return int(np.argmax(half))
        half = np.minimum(x, 1.0 - x) * layout.cost
        half[known[n_groups:] | (np.minimum(x, 1.0 - x) < 0.01)] = 0.0
        half[~in_use[layout.column_group]] = 0.0
        return n_groups + int(np.argmax(half)) if half.any() else -1

    def _made(
        self,
        parent: Leaf,
        used: frozenset[int],
        unused: frozenset[int],
        goal: float,
        steps: int,
    ) -> Leaf:
        """Return a leaf with the best prices that some rounds of its relaxation give."""
        n_groups = len(self.layout.fixed)
        spent, layout = decided(self.layout, used, unused)
        leaf = Leaf(used, unused, -math.inf, parent.rows, parent.prices, parent.working, None, 0.0)
        lost = self._impossible(unused)
        self.work += len(self.layout.row_atom) / 1e6
        if lost is not None:
            leaf.rows, leaf.prices = lost
            leaf.bound = _total(spent, layout, leaf, self.allowed)
            return leaf
        leaf.bound = before = _total(spent, layout, leaf, self.allowed)
        bounder = Bounder(self.problem, layout, self.allowed, parent.working, self.seed)
        for target in (bounder.iterates[0], bounder.iterates[2]):
            for mine, its in zip(target, parent.iterate, strict=True):
                mine[:] = its
            for value, items in ((0.0, unused), (1.0, used)):
                target.y[[item for item in items if item < n_groups]] = value
                target.x[[item - n_groups for item in items if item >= n_groups]] = value
        bounder.memory[0] = parent.weight
        grown = 0
        for turn in range(ROUNDS):
            bounder.advance(steps)
            value = _below(spent, bounder.bound)
            if value >= goal or bounder.settled:
                break
            if turn > 1 and value < before + PATIENCE * abs(before):
                if grown == 2 or not bounder.add_rows(max(50, len(bounder.rows) // 8)):
                    break
                grown += 1
            before = max(before, value)
        self.work += bounder.work
        if value > leaf.bound:
            leaf.bound, leaf.rows, leaf.prices = value, bounder.price_rows, bounder.prices
        if leaf.bound <= spent:
            # A bound below 0 counts as 0, which prices of 0 prove.
            leaf.prices = Prices(*(np.zeros_like(array) for array in leaf.prices))
        leaf.working = bounder.rows
        leaf.iterate, leaf.weight = _copied(bounder.iterates[0]), float(bounder.memory[0])
        return leaf

    def _impossible(self, unused: frozenset[int]) -> tuple[NDArray[np.intp], Prices] | None:
        """Return a row that cannot be covered any more, with a price that says so."""
        off = np.zeros(len(self.layout.fixed), np.bool_)
        off[[item for item in unused if item < len(off)]] = True
        lack = self.problem.demand - _supply(self.layout, off)
        hard = self.allowed[self.problem.row_class] <= 0
        lost = np.flatnonzero((lack > 0) & hard)
        if not len(lost):
            return None
        row = lost[:1]
        atoms = part_of(self.layout, row)
        price = Prices(
            np.array(
                [2.0 * (1.0 + float(np.sum(self.layout.fixed)) + float(np.sum(self.layout.cost)))]
            ),
            np.zeros(len(atoms.atom_group)),
            np.zeros(len(self.allowed)),
        )
        return row, price


def _copied(iterate: Iterate) -> Iterate:
    return Iterate(*(array.copy() for array in iterate))


def decided(layout: Layout, used: frozenset[int], unused: frozenset[int]) -> tuple[float, Layout]:
    """Return what is spent on used groups, and the layout of what is left to decide.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.
    used, unused : frozenset of int
        Items in use, and not in use.

    Returns
    -------
    spent : float
        Costs of the items in use.
    layout : Layout
        With the cost 0 for these, and one that no price reaches for those not in use.
    """
    n_groups = len(layout.fixed)
    price = np.concatenate([layout.fixed, layout.cost])
    spent = math.fsum(price[sorted(used)].tolist())
    never = 1e3 * (1.0 + float(np.sum(price)))
    price[sorted(used)], price[sorted(unused)] = 0.0, never
    return spent, layout._replace(fixed=price[:n_groups], cost=price[n_groups:])


def _below(spent: float, bound: float) -> float:
    """Return a sum, rounded downwards."""
    return math.nextafter(math.nextafter(spent, -math.inf) + bound, -math.inf)


def _total(spent: float, layout: Layout, leaf: Leaf, allowed: NDArray[np.float64]) -> float:
    """Return what a leaf's prices prove."""
    return _below(spent, bound_of(part_of(layout, leaf.rows), leaf.prices, allowed))
