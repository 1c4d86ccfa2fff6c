"""What a run has proven, in the problem's own numbers: prices, trees of prices, windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.dual import Prices
from watchline.design.cover.layout import Layout
from watchline.design.cover.leaf import ProvenLeaf
from watchline.design.cover.near import spans
from watchline.design.cover.part import part_of
from watchline.design.cover.solution import CutPrices, PriceSet, PriceTree, PriceWindow
from watchline.design.cover.stretch import Stretch
from watchline.design.cover.tree import Node
from watchline.design.cover.windows import Windows


def price_set(
    part: Layout, rows: NDArray[np.intp], prices: Prices, order: NDArray[np.int64]
) -> PriceSet:
    """Return prices in the problem's own numbers.

    Parameters
    ----------
    part : Layout
        A part of the problem in atoms.
    rows : ndarray of int
        Its rows in the problem.
    prices : Prices
        Its prices.
    order : ndarray of int64
        The problem's column at each position of the layout.

    Returns
    -------
    PriceSet
    """
    priced = np.flatnonzero(prices.row)
    atoms = np.flatnonzero(prices.atom > 0)
    size = part.member_start[atoms + 1] - part.member_start[atoms]
    cuts = CutPrices(
        part.atom_group[atoms].astype(np.int32),
        part.row_cap[part.atom_row[part.atom_start[atoms]]].astype(np.int32),
        np.concatenate([[0], np.cumsum(size)]).astype(np.int64),
        order[part.member_column[spans(part.member_start, atoms)]].astype(np.int32),
        prices.atom[atoms],
    )
    return PriceSet(rows[priced], prices.row[priced], cuts, prices.miss.copy())


def price_tree(layout: Layout, order: NDArray[np.int64], node: Node) -> PriceTree:
    """Return a tree of prices in the problem's own numbers."""
    if node.leaf is not None:
        leaf = node.leaf
        part = part_of(layout, leaf.rows)
        return PriceTree(prices=price_set(part, leaf.rows, leaf.prices, order))
    column = node.item - len(layout.fixed)
    return PriceTree(
        group=node.item if column < 0 else None,
        column=None if column < 0 else int(order[column]),
        used=price_tree(layout, order, node.used),
        unused=price_tree(layout, order, node.unused),
    )


class StatedWindows(Sequence[PriceWindow]):
    """The windows' best proof in the problem's own numbers, a window at a time.

    The prices of a leaf are put in the problem's numbers when they are asked for: a run keeps
    them in the window's, which is smaller, and a certificate is written window by window.

    Parameters
    ----------
    order : ndarray of int64
        The problem's column at each position of the layout.
    windows : Windows
        What they have proven.
    n_classes : int
        Classes of rows of the problem.
    """

    def __init__(self, order: NDArray[np.int64], windows: Windows, n_classes: int) -> None:
        self._order, self._proof, self._n_classes = order, windows.proof, n_classes
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
        tree = self._tree_of(stretch, self._proof.leaves[number], 0)
        return PriceWindow(
            stretch.groups.astype(np.int64),
            shares[0],
            self._order[stretch.columns],
            shares[1],
            tree,
        )

    def _tree_of(self, stretch: Stretch, leaves: list[ProvenLeaf], depth: int) -> PriceTree:
        """Return the tree of a window's leaves from a depth of their answers on."""
        first = leaves[0]
        if len(first.answers.path) == depth:
            return PriceTree(prices=self._prices_of(stretch, first))
        kind, number, _ = first.answers.path[depth]
        used, unused = (
            self._tree_of(
                stretch, [leaf for leaf in leaves if leaf.answers.path[depth][2] is said], depth + 1
            )
            for said in (True, False)
        )
        if kind == "group":
            return PriceTree(group=int(stretch.groups[number]), used=used, unused=unused)
        if kind == "column":
            column = int(self._order[stretch.columns[number]])
            return PriceTree(column=column, used=used, unused=unused)
        return PriceTree(any_of=_members(stretch, number), used=used, unused=unused)

    def _prices_of(self, stretch: Stretch, leaf: ProvenLeaf) -> PriceSet:
        part = stretch.whole._replace(atom_group=stretch.groups[stretch.whole.atom_group])
        prices = leaf.prices.unpacked()
        told = price_set(part, stretch.rows, prices, self._order[stretch.columns])
        any_of: dict[tuple[int, ...], float] = {}
        for number, price in zip(leaf.answers.asked.tolist(), leaf.any_of.tolist(), strict=True):
            if price > 0:
                key = _members(stretch, number)
                any_of[key] = any_of.get(key, 0.0) + price
        return PriceSet(told.numbers, told.rows, told.cuts, np.zeros(self._n_classes), any_of)


def _members(stretch: Stretch, number: int) -> tuple[int, ...]:
    """Return the groups of a stretch in the problem's numbers."""
    return tuple(sorted(stretch.groups[stretch.sets[number]].tolist()))
