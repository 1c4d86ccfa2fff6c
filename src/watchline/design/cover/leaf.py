"""What is known of a window of a long line below some answers, and what to ask next there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.near import Near
from watchline.design.cover.packed import PackedPrices
from watchline.design.cover.relaxation import Iterate
from watchline.design.cover.stretch import Stretch

DECIDED = 0.03
"""A sum of uses this near to 0 or above 1 less that is no question."""

Answer = tuple[str, int, bool]
"""A question of a tree, ``any`` stretch, ``group`` or ``column``, its number, and the answer."""


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers on the way to a leaf, and what follows from them.

    Attributes
    ----------
    path : tuple of Answer
        The answers.
    stretch : Stretch
        The window that they are about.
    """

    path: tuple[Answer, ...]
    stretch: Stretch

    def told(self, kind: str, answer: bool) -> list[int]:
        """Return the numbers of the questions of a kind that were answered so, in rising order."""
        return sorted(number for what, number, said in self.path if what == kind and said is answer)

    @cached_property
    def used(self) -> list[int]:
        """The groups in use: a column in use has its group in use."""
        group = self.stretch.whole.column_group
        return sorted({*self.told("group", True), *(int(group[j]) for j in self.taken)})

    @cached_property
    def off(self) -> list[int]:
        """The groups that are not in use."""
        off = set(self.told("group", False))
        for number in self.told("any", False):
            off.update(self.stretch.sets[number].tolist())
        site = self.stretch.whole.site
        for group in self.used:
            if site[group] >= 0:
                off.update(np.flatnonzero(site == site[group]).tolist())
        return sorted(off.difference(self.used))

    @cached_property
    def asked(self) -> NDArray[np.int64]:
        """The stretches of which one group is in use, in rising order."""
        return np.array(self.told("any", True), np.int64)

    @cached_property
    def taken(self) -> list[int]:
        """The columns in use."""
        return self.told("column", True)

    @cached_property
    def dropped(self) -> list[int]:
        """The columns that are not in use."""
        return self.told("column", False)

    @property
    def costs(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What groups and columns cost: nothing if they are in use, too much if they are not."""
        fixed, cost = (share.copy() for share in self.stretch.shares)
        never = 1e3 * (1.0 + self.stretch.most)
        fixed[self.used], fixed[self.off] = 0.0, never
        cost[self.taken], cost[self.dropped] = 0.0, never
        return fixed, cost

    @property
    def spent(self) -> float:
        """What is in use costs."""
        fixed, cost = self.stretch.shares
        return float(np.sum(fixed[self.used])) + float(np.sum(cost[self.taken]))


@dataclass(frozen=True, eq=False)
class ProvenLeaf:
    """What a certificate says of a leaf.

    Attributes
    ----------
    answers, prices, any_of
        As in :class:`WindowLeaf`.
    """

    answers: Answers
    prices: PackedPrices
    any_of: NDArray[np.float64]


@dataclass(eq=False)
class WindowLeaf:
    """What is known of a window below some answers.

    Attributes
    ----------
    answers : Answers
        The answers.
    bound : float
        What the prices prove with the present shares.
    prices : PackedPrices
        That prove it, on the layout of all columns.
    any_of : ndarray of float64
        Prices of the stretches of which one group is in use, in rising order.
    iterate : Iterate
        Where the relaxation stopped, on all rows, stretches and atoms of ``near`` (float32: no
        more than a place to go on from).
    near : Near
        The near columns of the iterate: the window's, or former ones.
    weight : float
        Its primal weight.
    short : bool
        Whether the prices overpaid columns that were not near.
    """

    answers: Answers
    bound: float
    prices: PackedPrices
    any_of: NDArray[np.float64]
    iterate: Iterate
    near: Near
    weight: float
    short: bool = False

    def uses(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how far groups, and near columns, are used.

        Returns
        -------
        groups, columns : ndarray of float64
            0 to 1.
        """
        answers = self.answers
        near = self.near.columns
        y = np.clip(self.iterate.y, 0.0, 1.0).astype(float)
        x = np.clip(self.iterate.x, 0.0, 1.0).astype(float)
        y[answers.off], y[answers.used] = 0.0, 1.0
        x[np.searchsorted(near, answers.dropped)] = 0.0
        x[np.searchsorted(near, answers.taken)] = 1.0
        return y, x


def question(leaf: WindowLeaf) -> tuple[str, int] | None:
    """Return what is most undecided in a leaf: a stretch, else a group, else a column, else None.

    Parameters
    ----------
    leaf : WindowLeaf
        The leaf.

    Returns
    -------
    tuple of str and int, or None
        The question and its number.
    """
    answers = leaf.answers
    stretch, used = answers.stretch, answers.used
    y, x = leaf.uses()
    sums = stretch.of_set @ y
    # Little is at stake where other windows bear most of the cost.
    stake = (stretch.of_set @ (y * stretch.shares[0])) / np.maximum(sums, 1e-12)
    half = np.minimum(sums, 1.0 - sums) * stretch.set_weight * stake
    half[(sums < DECIDED) | (sums > 1 - DECIDED)] = -1.0
    half[answers.told("any", True) + answers.told("any", False)] = -1.0
    if used:
        known = np.zeros(len(y))
        known[used] = 1.0
        half[stretch.of_set @ known > 0] = -1.0
    if len(half) and half.max() > 0:
        return "any", int(np.argmax(half))
    half = np.minimum(y, 1.05 - y) * (y + 0.25) * stretch.shares[0]
    half[used] = 0.0
    half[y < 1e-2] = 0.0
    if half.any():
        return "group", int(np.argmax(half))
    near = leaf.near.columns
    half = np.minimum(x, 1.0 - x) * stretch.shares[1][near]
    half[(x < DECIDED) | (x > 1 - DECIDED)] = 0.0
    half[np.searchsorted(near, answers.taken + answers.dropped)] = 0.0
    return ("column", int(near[np.argmax(half)])) if half.any() else None
