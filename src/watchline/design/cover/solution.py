"""What :func:`watchline.design.cover.cover` returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Status = Literal["optimal", "feasible", "infeasible", "unknown"]


class LogEntry(NamedTuple):
    """One line of the progress of a search.

    Attributes
    ----------
    seconds : float
        Time since the start.
    cost : float
        Best cost so far (infinite before the first choice; in budget mode the covered weight).
    lower_bound : float
        Best bound so far (in budget mode the upper bound of the covered weight).
    """

    seconds: float
    cost: float
    lower_bound: float


CutKey = tuple[int, tuple[int, ...], int]
"""A row–mount cut: its group, its columns in rising order, its cap."""


class CutPrices(Mapping[CutKey, float]):
    """Prices of row–mount cuts by ``(group, (columns…), cap)``.

    They are held as arrays, a tenth of what the keys take, which are made when they are read.

    Parameters
    ----------
    group, cap : ndarray of int32, shape (n,)
        Group and cap of each cut.
    start, column : ndarray of int64 / int32
        Columns of each cut.
    price : ndarray of float64, shape (n,)
        Its price, above 0.
    """

    def __init__(
        self,
        group: NDArray[np.int32],
        cap: NDArray[np.int32],
        start: NDArray[np.int64],
        column: NDArray[np.int32],
        price: NDArray[np.float64],
    ) -> None:
        self._arrays = group, cap, start, column, price

    @cached_property
    def _priced(self) -> dict[CutKey, float]:
        group, cap, start, column, price = (array.tolist() for array in self._arrays)
        return {
            (group[n], tuple(sorted(column[start[n] : start[n + 1]])), cap[n]): price[n]
            for n in range(len(price))
        }

    def __getitem__(self, key: CutKey) -> float:
        return self._priced[key]

    def __iter__(self) -> Iterator[CutKey]:
        return iter(self._priced)

    def __len__(self) -> int:
        return len(self._arrays[-1])


@dataclass(frozen=True, eq=False)
class PriceSet:
    """Prices that prove a bound, in the numbers of the problem.

    Attributes
    ----------
    numbers : ndarray of int64, shape (n,)
        The rows with a price.
    rows : ndarray of float64, shape (n,)
        Price of one view of each of them.
    cuts : mapping
        Prices of the row–mount cuts, as ``CoverSolution.cut_duals``.
    classes : ndarray of float64, shape (n_classes,)
        Price of one unit of the weight that may stay uncovered.
    any_of : dict
        Below an answer that some of these groups are in use: its price, by the groups.
    """

    numbers: NDArray[np.int64]
    rows: NDArray[np.float64]
    cuts: Mapping[CutKey, float]
    classes: NDArray[np.float64]
    any_of: dict[tuple[int, ...], float] = field(default_factory=dict)

    def of_every_row(self, n_rows: int) -> NDArray[np.float64]:
        """Return the price of one view of every row of the problem.

        Parameters
        ----------
        n_rows : int
            Rows of the problem.

        Returns
        -------
        ndarray of float64, shape (n_rows,)
        """
        price = np.zeros(n_rows)
        price[self.numbers] = self.rows
        return price


@dataclass(frozen=True, eq=False)
class PriceTree:
    """Prices by cases: a leaf with prices, or a question with a tree for each answer.

    Attributes
    ----------
    prices : PriceSet or None
        Of a leaf.
    group, column : int or None
        What is asked for: whether this group, or this column, is in use.
    any_of : tuple of int or None
        Or whether any of these groups is.
    used, unused : PriceTree or None
        What follows if it is and if it is not.
    """

    prices: PriceSet | None = None
    group: int | None = None
    column: int | None = None
    any_of: tuple[int, ...] | None = None
    used: PriceTree | None = None
    unused: PriceTree | None = None


@dataclass(frozen=True, eq=False)
class PriceWindow:
    """A window of a long line: its shares of the costs, and a tree that proves a bound with them.

    Attributes
    ----------
    groups, columns : ndarray of int64
        Groups and columns of which it bears a share.
    group_shares, column_shares : ndarray of float64
        The shares: those of all windows add up to no more than the costs.
    tree : PriceTree
        Proves what every choice costs at least with these shares as costs.
    """

    groups: NDArray[np.int64]
    group_shares: NDArray[np.float64]
    columns: NDArray[np.int64]
    column_shares: NDArray[np.float64]
    tree: PriceTree


@dataclass(frozen=True, eq=False)
class CoverSolution:
    """A choice of columns with a bound on the least possible cost.

    Attributes
    ----------
    status : {'optimal', 'feasible', 'infeasible', 'unknown'}
        ``optimal``: the gap is closed. ``feasible``: a choice with a gap. ``infeasible``: no
        choice can meet the demands. ``unknown``: none was found, and none is excluded.
    cost : float
        Cost of the chosen columns and their groups; infinite without a choice.
    lower_bound : float
        No choice costs less. In budget mode 0.
    gap : float
        ``(cost - lower_bound) / cost``; in budget mode
        ``(weight_bound - covered_weight) / weight_bound``; 0 if both are 0.
    chosen : ndarray of int64, shape (n_chosen,)
        Chosen columns in rising order.
    groups : ndarray of int64
        Groups in use, in rising order.
    uncovered : ndarray of int64
        Rows whose demand the choice does not meet; if ``infeasible``, the rows that no choice can
        cover.
    supply : ndarray of int64
        With ``uncovered`` and status ``infeasible``: the most views that each of these rows can
        get. Empty otherwise.
    covered_weight, weight_bound : float
        Weight of the covered rows, and (budget mode) the most that any choice can cover; outside
        the budget mode the bound is the total weight.
    price_bound : float
        The part of the bound that the prices below, or those of ``price_tree``, prove by
        themselves, in rounding-safe arithmetic; ``lower_bound`` may be higher by branch and bound
        or by ``cost_step``. In budget mode, the upper bound of the covered weight that the prices
        prove.
    cost_step : float
        Every choice costs a multiple of this step, to which the bound is rounded up; 0 if none.
    row_duals : ndarray of float64, shape (n_rows,)
        Price of one view of each row: what one unit of demand costs at the margin.
    cut_duals : mapping
        Prices of the row–mount cuts: ``(group, (columns…), cap) -> price`` of one view of the
        rows that the group covers by exactly these columns and counts at most ``cap`` times.
    class_duals : ndarray of float64, shape (n_classes,)
        Price of one unit of the weight that may stay uncovered.
    log : tuple of LogEntry
        Bound and cost over time.
    work : float
        Work done, in million elementary steps: the unit of ``work_limit``.
    seconds : float
        Time taken.
    interrupted : bool
        Whether Ctrl-C ended the search before its limits did.
    price_tree : PriceTree or None
        Prices by cases that prove more than the prices above do; None without such.
    price_windows : sequence of PriceWindow
        Windows of a long line with shared costs that prove more than these; empty without such.
        Each is stated when it is read, and not kept: together they take more than the problem.
    """

    status: Status
    cost: float
    lower_bound: float
    gap: float
    chosen: NDArray[np.int64]
    groups: NDArray[np.int64]
    uncovered: NDArray[np.int64]
    supply: NDArray[np.int64]
    covered_weight: float
    weight_bound: float
    price_bound: float
    cost_step: float
    row_duals: NDArray[np.float64]
    cut_duals: Mapping[CutKey, float]
    class_duals: NDArray[np.float64]
    log: tuple[LogEntry, ...]
    work: float
    seconds: float
    interrupted: bool = False
    price_tree: PriceTree | None = None
    price_windows: Sequence[PriceWindow] = ()
