"""What a run has proven, in the problem's own numbers: prices, trees of prices, windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.dual import Prices
from watchline.design.cover.layout import Layout
from watchline.design.cover.leaf import WindowLeaf
from watchline.design.cover.part import part_of
from watchline.design.cover.problem import CoverProblem
from watchline.design.cover.solution import PriceSet, PriceTree, PriceWindow
from watchline.design.cover.stretch import Stretch
from watchline.design.cover.tree import Node
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
    cuts: dict[tuple[int, tuple[int, ...], int], float] = {}
    for atom in np.flatnonzero(prices.atom > 0):
        span = slice(part.member_start[atom], part.member_start[atom + 1])
        members = tuple(sorted(order[part.member_column[span]].tolist()))
        cap = int(part.row_cap[part.atom_row[part.atom_start[atom]]])
        key = (int(part.atom_group[atom]), members, cap)
        cuts[key] = float(prices.atom[atom])
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


def price_windows(
    problem: CoverProblem, order: NDArray[np.int64], windows: Windows
) -> tuple[PriceWindow, ...]:
    """Return the windows' best proof in the problem's own numbers.

    Parameters
    ----------
    problem : CoverProblem
        The problem.
    order : ndarray of int64
        The problem's column at each position of the layout.
    windows : Windows
        With a proof.

    Returns
    -------
    tuple of PriceWindow
    """
    proof, stated = windows.proof, []
    if proof is None:
        return ()
    for window, shares, leaves in zip(windows.windows, proof.shares, proof.leaves, strict=True):
        stretch = window.stretch
        tree = _tree_of(problem, order, stretch, leaves, 0)
        stated.append(
            PriceWindow(
                stretch.groups.astype(np.int64),
                shares[0],
                order[stretch.columns],
                shares[1],
                tree,
            )
        )
    return tuple(stated)


def _tree_of(
    problem: CoverProblem,
    order: NDArray[np.int64],
    stretch: Stretch,
    leaves: list[WindowLeaf],
    depth: int,
) -> PriceTree:
    """Return the tree of a window's leaves from a depth of their answers on."""
    first = leaves[0]
    if len(first.answers.path) == depth:
        prices = _leaf_prices(problem, order, stretch, first)
        return PriceTree(prices=prices)
    kind, number, _ = first.answers.path[depth]
    below = []
    for answer in (True, False):
        those = [leaf for leaf in leaves if leaf.answers.path[depth][2] is answer]
        below.append(_tree_of(problem, order, stretch, those, depth + 1))
    if kind == "group":
        return PriceTree(group=int(stretch.groups[number]), used=below[0], unused=below[1])
    if kind == "column":
        column = int(order[stretch.columns[number]])
        return PriceTree(column=column, used=below[0], unused=below[1])
    return PriceTree(any_of=_members(stretch, number), used=below[0], unused=below[1])


def _members(stretch: Stretch, number: int) -> tuple[int, ...]:
    """Return the groups of a stretch in the problem's numbers."""
    return tuple(sorted(stretch.groups[stretch.sets[number]].tolist()))


def _leaf_prices(
    problem: CoverProblem, order: NDArray[np.int64], stretch: Stretch, leaf: WindowLeaf
) -> PriceSet:
    part = stretch.whole._replace(atom_group=stretch.groups[stretch.whole.atom_group])
    told = price_set(problem, part, stretch.rows, leaf.prices, order[stretch.columns])
    priced = zip(leaf.answers.asked.tolist(), leaf.any_of.tolist(), strict=True)
    any_of: dict[tuple[int, ...], float] = {}
    for number, price in priced:
        if price > 0:
            key = _members(stretch, number)
            any_of[key] = any_of.get(key, 0.0) + price
    return PriceSet(told.rows, told.cuts, np.zeros(len(problem.allowed)), any_of)
