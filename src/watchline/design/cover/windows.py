"""A bound for long lines: windows with a tree each, and costs that the windows share.

The rows are cut into windows. A group, or a column, that matters to several windows divides its
cost among them; however it does, the windows' least costs add up to no more than the least cost of
the whole, so that bounds proven window by window may be summed. The division starts from the
prices of the whole relaxation and then moves towards agreement: where one window uses a group more
than the mean of the windows that share it, its share rises (Lagrangian decomposition; Guignard and
Kim, Mathematical Programming 39, 1987).

What a window proves is a tree's: :mod:`watchline.design.cover.window`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.freed import give_back
from watchline.design.cover.leaf import ProvenLeaf
from watchline.design.cover.window import Window

THREADS = 2
"""Windows that are worked on at once; what they find does not depend on it."""
FIRST_SPLITS, MORE_SPLITS = 4, 4
"""Splits of each window before costs are shared anew, and after each round of that."""
STEP, SPREAD, SLOWER = 0.04, 4.0, 15.0
"""Share of a cost that moves per unit of disagreement; cost within which leaves are blended; the
rounds after which both are half as large."""
FREE = nullcontext()
"""A gate that holds nobody back."""
MOMENTUM = 0.6
MARGIN = 3.0
FINEST = 2.0**-20
"""Shares are whole multiples of it, so that their sums are exact."""


@dataclass(frozen=True, eq=False)
class Proof:
    """The best division of the costs that was found, with its leaves.

    Attributes
    ----------
    bound : float
        The sum of the windows' values.
    shares : list of pairs of ndarray of float64
        Each window's shares of its groups' and of its columns' costs.
    leaves : list of list of ProvenLeaf
        Each window's leaves.
    """

    bound: float
    shares: list[tuple[NDArray[np.float64], NDArray[np.float64]]]
    leaves: list[list[ProvenLeaf]]


@dataclass(eq=False)
class Windows:
    """All windows of a problem, the shares of the costs, and the best bound so far.

    Attributes
    ----------
    windows : list of Window
        In order along the line.
    group_costs, column_costs : ndarray of float64
        The costs that are shared.
    proof : Proof or None
        The best so far.
    """

    windows: list[Window]
    group_costs: NDArray[np.float64]
    column_costs: NDArray[np.float64]
    proof: Proof | None = None
    _round: int = -1
    _pull: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]] | None = None

    @property
    def work(self) -> float:
        """Work done, in million steps."""
        return math.fsum(window.work for window in self.windows)

    @property
    def bound(self) -> float:
        """The best bound so far."""
        return -math.inf if self.proof is None else self.proof.bound

    def steps(
        self,
        enough: Callable[[], bool] = lambda: False,
        threads: int = THREADS,
        gate: AbstractContextManager = FREE,
    ) -> Iterator[float]:
        """Raise the bound, and yield it after each piece of work.

        Parameters
        ----------
        enough : callable
            Asked again and again; the piece of work that it ends is not counted.
        threads : int
            Windows that are worked on at once.
        gate : context manager
            Held while a window is worked on: a semaphore lets fewer work at once for a while.

        Yields
        ------
        float
            The best bound so far.
        """
        with ThreadPoolExecutor(threads) as pool:

            def work(action: Callable[[Window], None], window: Window) -> None:
                with gate:
                    if not enough():
                        action(window)

            def each(action: Callable[[Window], None]) -> bool:
                list(pool.map(lambda window: work(action, window), self.windows))
                return not enough()

            def grow(window: Window) -> None:
                window.activate(SPREAD)
                window.grow(MORE_SPLITS, enough)

            if self._round < 0:
                if not each(Window.begin):
                    return
                yield self._note()
                for _ in range(FIRST_SPLITS // MORE_SPLITS):
                    if not each(grow):
                        return
                    yield self._note()
                self._round = 0
            while True:
                slower = 1.0 + self._round / SLOWER
                self._share(STEP / slower, SPREAD / slower)
                margin = MARGIN * SPREAD / slower

                def refresh(window: Window, most: float = margin) -> None:
                    window.refresh(most, enough)

                if not each(refresh) or not each(grow):
                    return
                self._round += 1
                yield self._note()

    def _note(self) -> float:
        """Keep the present shares and leaves if their bound is the best."""
        # fsum of rounded-down values: what is lost in the sum itself is taken off.
        values = [max(0.0, window.value) for window in self.windows]
        total = math.fsum(values) * (1 - 1e-14)
        give_back()
        if total > self.bound:
            self.proof = Proof(
                total,
                [(window.stretch.shares[0], window.stretch.shares[1]) for window in self.windows],
                [
                    [ProvenLeaf(leaf.answers, leaf.prices, leaf.any_of) for leaf in window.leaves]
                    for window in self.windows
                ],
            )
        return self.bound

    def _share(self, step: float, spread: float) -> None:
        """Move the shares towards agreement of the windows."""
        blends = [window.blend(spread) for window in self.windows]
        pulls = []
        for kind, costs in ((0, self.group_costs), (1, self.column_costs)):
            places = [window.stretch.places[kind] for window in self.windows]
            pull = _above_mean([blend[kind] for blend in blends], places, len(costs))
            if self._pull is not None:
                old = self._pull[kind]
                pull = [MOMENTUM * a + b for a, b in zip(old, pull, strict=True)]
            pulls.append(pull)
            asked = [
                np.maximum(window.stretch.shares[kind] + step * costs[place] * mine, 0.0)
                for window, place, mine in zip(self.windows, places, pull, strict=True)
            ]
            seen = [window.stretch.seen[kind] for window in self.windows]
            for window, share in zip(
                self.windows, fit_shares(asked, seen, places, costs), strict=True
            ):
                window.stretch.shares[kind] = share
        self._pull = (pulls[0], pulls[1])


def _above_mean(
    values: list[NDArray[np.float64]], places: list[NDArray[np.intp]], size: int
) -> list[NDArray[np.float64]]:
    """Return how far each window's values are above the mean of the windows."""
    mean = _summed(values, places, size)
    mean /= np.maximum(_summed([np.ones(len(one)) for one in values], places, size), 1.0)
    return [value - mean[place] for value, place in zip(values, places, strict=True)]


def _summed(
    values: list[NDArray[np.float64]], places: list[NDArray[np.intp]], size: int
) -> NDArray[np.float64]:
    total = np.zeros(size)
    for value, place in zip(values, places, strict=True):
        total[place] += value
    return total


def fit_shares(
    shares: list[NDArray[np.float64]],
    weight: list[NDArray[np.float64]],
    places: list[NDArray[np.intp]],
    costs: NDArray[np.float64],
) -> list[NDArray[np.float64]]:
    """Return shares that add up to at most the costs, and nearly to them.

    Parameters
    ----------
    shares : list of ndarray of float64
        What each window asks for, at least 0.
    weight : list of ndarray of float64
        What is left of a cost is divided in this ratio.
    places : list of ndarray of int
        The costs that each window has a part in.
    costs : ndarray of float64, shape (n,)
        The costs.

    Returns
    -------
    list of ndarray of float64
        Whole multiples of :data:`FINEST`.
    """
    size = len(costs)
    factor = np.minimum(1.0, costs / np.maximum(_summed(shares, places, size), 1e-12))
    # One list, changed in place: a long line's shares take tens of megabytes.
    fitted = [share * factor[place] for share, place in zip(shares, places, strict=True)]
    rest = np.maximum(costs - _summed(fitted, places, size), 0.0)
    rest /= np.maximum(_summed(weight, places, size), 1e-12)
    for share, mine, place in zip(fitted, weight, places, strict=True):
        share += rest[place] * mine
        share[:] = np.maximum(np.floor(share / FINEST - 1e-6), 0.0)
    over = np.maximum(_summed(fitted, places, size) - np.floor(costs / FINEST), 0.0)
    for share, place in zip(fitted, places, strict=True):
        share[:] = np.maximum(share - over[place], 0.0) * FINEST
    return fitted
