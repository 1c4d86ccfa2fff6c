"""What a run has proven, in the problem's own numbers: prices, trees of prices, windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.dual import Prices
from watchline.design.cover.layout import Layout
from watchline.design.cover.part import part_of
from watchline.design.cover.problem import CoverProblem
from watchline.design.cover.solution import CutPrices, PriceSet, PriceTree, PriceWindow
from watchline.design.cover.stretch import Stretch, spans
from watchline.design.cover.tree import Node
from watchline.design.cover.window import Window, WindowLeaf
from watchline.design.cover.windows import Windows


def price_set(
    problem: CoverProblem,
    part: Layout,
    rows: NDArray[np.intp],
    prices: Prices,
    order: NDArray[np.int64],
) -> PriceSet:
    """Return prices in the problem's own numbers."""
    row = np.zeros(problem.n_rows)
    row[rows] = prices.row
    atoms = np.flatnonzero(prices.atom > 0)
    size = part.member_start[atoms + 1] - part.member_start[atoms]
    cuts = CutPrices(
        part.atom_group[atoms].astype(np.int32),
        part.row_cap[part.atom_row[part.atom_start[atoms]]].astype(np.int32),
        np.concatenate([[0], np.cumsum(size)]).astype(np.int64),
        order[part.member_column[spans(part.member_start, atoms)]].astype(np.int32),
        prices.atom[atoms],
    )
    return PriceSet(row, cuts, prices.miss.copy())


def price_tree(
    problem: CoverProblem, layout: Layout, order: NDArray[np.int64], node: Node
) -> PriceTree:
    """Return a tree of prices in the problem's own numbers."""
    if node.leaf is not None:
        leaf = node.leaf
        part = part_of(layout, leaf.rows)
        return PriceTree(prices=price_set(problem, part, leaf.rows, leaf.prices, order))
    column = node.item - problem.n_groups
    return PriceTree(
        group=node.item if column < 0 else None,
        column=None if column < 0 else int(order[column]),
        used=price_tree(problem, layout, order, node.used),
        unused=price_tree(problem, layout, order, node.unused),
    )


class StatedWindows(Sequence[PriceWindow]):
    """The windows' best proof in the problem's own numbers, a window at a time.

    The prices of a leaf are worked out again when they are asked for: a run keeps what they follow
    from, which is smaller, and a certificate is written window by window.

    Parameters
    ----------
    problem : CoverProblem
        The problem.
    order : ndarray of int64
        The problem's column at each position of the layout.
    windows : Windows
        What they have proven.
    """

    def __init__(self, problem: CoverProblem, order: NDArray[np.int64], windows: Windows) -> None:
        self._problem, self._order, self._proof = problem, order, windows.proof
        self._stretches = [window.stretch for window in windows.windows]

    def __len__(self) -> int:
        return 0 if self._proof is None else len(self._stretches)

    @overload
    def __getitem__(self, place: int) -> PriceWindow: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[PriceWindow, ...]: ...
    def __getitem__(self, place: int | slice) -> PriceWindow | tuple[PriceWindow, ...]:
        if isinstance(place, slice):
            return tuple(self[number] for number in range(*place.indices(len(self))))
        number = range(len(self))[place]
        stretch, shares = self._stretches[number], self._proof.shares[number]
        present, stretch.shares = stretch.shares, list(shares)
        try:
            tree = _tree_of(
                self._problem, self._order, Window(stretch), self._proof.leaves[number], 0
            )
        finally:
            stretch.shares = present
        return PriceWindow(
            stretch.groups.astype(np.int64),
            shares[0],
            self._order[stretch.columns],
            shares[1],
            tree,
        )


def _tree_of(
    problem: CoverProblem,
    order: NDArray[np.int64],
    window: Window,
    leaves: list[WindowLeaf],
    depth: int,
) -> PriceTree:
    """Return the tree of a window's leaves from a depth of their answers on."""
    stretch, first = window.stretch, leaves[0]
    if len(first.path) == depth:
        prices = _leaf_prices(problem, order, window, first)
        return PriceTree(prices=prices)
    kind, number, _ = first.path[depth]
    below = [
        _tree_of(
            problem, order, window, [f for f in leaves if f.path[depth][2] is answer], depth + 1
        )
        for answer in (True, False)
    ]
    if kind == "group":
        return PriceTree(group=int(stretch.groups[number]), used=below[0], unused=below[1])
    return PriceTree(any_of=_members(stretch, number), used=below[0], unused=below[1])


def _members(stretch: Stretch, number: int) -> tuple[int, ...]:
    """Return the groups of a stretch in the problem's numbers."""
    return tuple(sorted(stretch.groups[stretch.sets[number]].tolist()))


def _leaf_prices(
    problem: CoverProblem, order: NDArray[np.int64], window: Window, leaf: WindowLeaf
) -> PriceSet:
    stretch = window.stretch
    _, prices = window.proven(leaf, leaf.row, leaf.atom, leaf.any_of)
    part = stretch.whole._replace(atom_group=stretch.groups[stretch.whole.atom_group])
    told = price_set(problem, part, stretch.rows, prices, order[stretch.columns])
    asked = sorted(leaf.answered("any", True))
    priced = zip(asked, leaf.any_of.tolist(), strict=True)
    any_of: dict[tuple[int, ...], float] = {}
    for number, price in priced:
        if price > 0:
            key = _members(stretch, number)
            any_of[key] = any_of.get(key, 0.0) + price
    return PriceSet(told.rows, told.cuts, np.zeros(len(problem.allowed)), any_of)
