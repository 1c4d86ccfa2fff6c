"""One run of the covering solver: its clock, its best choice and bound, its stages."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.bounding import Bounder
from watchline.design.cover.dual import least_cost_with
from watchline.design.cover.exact import make_model, solve_model
from watchline.design.cover.judge import value_of
from watchline.design.cover.layout import Layout, make_layout
from watchline.design.cover.narrow import LEAST_PRICE, narrowed, promising, weight_of
from watchline.design.cover.problem import CoverProblem
from watchline.design.cover.recreate import prune, recreate
from watchline.design.cover.scratch import Scratch, make_scratch
from watchline.design.cover.search import improve, objective
from watchline.design.cover.solution import LogEntry
from watchline.design.cover.state import State, add_column, make_state, put
from watchline.design.cover.stretch import make_stretches
from watchline.design.cover.tree import MOST_LEAVES, Tree
from watchline.design.cover.weighting import Weights, is_plain, make_weights, reweigh
from watchline.design.cover.windows import Window, Windows, fit_shares

Progress = Callable[[float, float, float], None]
FEW = 12
"""Groups in use up to which a tree over groups is grown: each doubles it."""
STEPS = 100
"""Steps of the relaxation in a round of a leaf of that tree."""
FEWEST_NODES = 10
"""Nodes for which HiGHS is called at all: its root alone takes the time of hundreds."""
NEAR_WINDOW = 0.05
"""Share of an open group's mean cost by which a near column of a window may fall short."""
GROUPS_IN_WINDOW = 4
"""Groups of the best choice for a window: its tree doubles with each, its borders cost bound."""
CHUNK = 30.0
"""Work between two looks at the clock, in million steps (about a quarter of a second)."""


@dataclass
class Run:
    """The moving parts of one run.

    Attributes
    ----------
    problem : CoverProblem
        The problem.
    layout : Layout
        Its atoms.
    order : ndarray of int64
        The problem's column at each position of the layout.
    supply : ndarray of int64, shape (n_rows,)
        The most views that each row can get.
    ground, back : Layout, ndarray of int64
        The layout on which the search moves, and the position in ``layout`` of its columns.
    seed : int
        Seed of everything random.
    time_limit : float
        Time limit in s.
    work_limit : float or None
        Work limit in million steps: sets the share of each stage.
    target : float
        Relative gap at which the run may stop.
    progress : callable or None
        Called with seconds, cost, bound.
    """

    problem: CoverProblem
    layout: Layout
    order: NDArray[np.int64]
    supply: NDArray[np.int64]
    seed: int
    time_limit: float
    work_limit: float | None
    target: float
    progress: Progress | None
    started: float
    chosen: NDArray[np.int64] | None = None
    value: float = math.inf
    bound: float = 0.0
    step: float = 0.0
    other_work: float = 0.0
    warm: bool = False
    infeasible: bool = False
    closed: bool = False
    log: list[LogEntry] = field(default_factory=list)
    bounder: Bounder | None = None
    tree: Tree | None = None
    windows: Windows | None = None
    weights: Weights | None = None
    state: State | None = None
    scratch: Scratch | None = None
    ground: Layout | None = None
    back: NDArray[np.int64] | None = None

    @property
    def budget(self) -> float:
        """The budget, infinite in covering mode."""
        return math.inf if self.problem.budget is None else self.problem.budget

    @property
    def total(self) -> float:
        """Weight of all rows with a demand."""
        return math.fsum(self.problem.row_weight[self.problem.demand > 0].tolist())

    @property
    def seconds(self) -> float:
        """Time since the start in s."""
        return time.perf_counter() - self.started

    @property
    def work(self) -> float:
        """Work done, in million steps."""
        done = self.other_work
        if self.state is not None:
            done += float(self.state.work[0]) / 1e6
        if self.bounder is not None:
            done += self.bounder.work
        if self.tree is not None:
            done += self.tree.work
        if self.windows is not None:
            done += self.windows.work
        return done

    def share(self) -> float:
        """Return the share of the time or work limit that is used up."""
        used = self.seconds / max(self.time_limit, 1e-9)
        if self.work_limit is not None:
            # The time limit only stops a run that has a work limit; it does not steer it.
            used = self.work / max(self.work_limit, 1e-9) if used < 1 else used
        return used

    def done(self) -> bool:
        """Return whether the gap is closed as far as asked."""
        if self.closed or self.infeasible:
            return True
        if not math.isfinite(self.value):
            return False
        size = self.value if self.problem.budget is None else self.total - self.bound
        return self.value - self.bound <= max(self.target * size, 1e-9 * abs(self.value))

    def offer(self, chosen: NDArray[np.int64]) -> bool:
        """Keep a choice (layout order) if it is feasible, checked afresh, and better.

        Parameters
        ----------
        chosen : ndarray of int64
            Positions in the layout.

        Returns
        -------
        bool
            Whether it was kept.
        """
        value = value_of(self.problem, np.sort(self.order[chosen]))
        if value is None:
            return False
        if value >= self.value:
            return False
        self.value, self.chosen = value, np.sort(chosen)
        self.report()
        return True

    def raise_bound(self, bound: float) -> None:
        """Raise the bound to ``bound``, rounded up to the cost step.

        Parameters
        ----------
        bound : float
            A value that no choice undercuts.
        """
        if self.step > 0 and self.problem.budget is None and math.isfinite(bound):
            bound = math.ceil(bound / self.step) * self.step
        bound = min(bound, self.value)
        if bound > self.bound:
            self.bound = bound
            self.report()

    def report(self) -> None:
        """Log cost and bound and call ``progress``."""
        cost, bound = self.value, self.bound
        if self.problem.budget is not None:
            cost, bound = self.total - cost, self.total - bound
        self.log.append(LogEntry(self.seconds, cost, bound))
        if self.progress is not None:
            self.progress(self.seconds, cost, bound)

    def first(self, start: NDArray[np.int64] | None) -> None:
        """Make a first choice: the given start mended, or the greedy one.

        Parameters
        ----------
        start : ndarray of int64, optional
            Columns of the problem to start from.
        """
        problem, layout = self.problem, self.layout
        rng = np.random.default_rng(self.seed)
        reachable = (self.supply >= problem.demand) & (problem.demand > 0)
        scale = problem.row_weight / max(self.total / max(1, problem.n_rows), 1e-300)
        soft = (problem.allowed > 0)[problem.row_class] | (problem.budget is not None)
        weight = np.where(soft, np.clip(np.rint(64 * scale), 0, 2**24), 64).astype(np.int64)
        few = problem.n_rows <= 2000 or problem.budget is not None
        awake = np.ones(problem.n_rows, bool) if few else rng.random(problem.n_rows) < 0.1
        # Sums that move up and down drift: half the least weight tells 0 from one open row.
        least = np.full(len(problem.allowed), np.inf)
        np.minimum.at(
            least, problem.row_class, np.where(problem.demand > 0, problem.row_weight, np.inf)
        )
        allowed = np.where(np.isfinite(least), 0.5 * least, 1.0)
        if problem.budget is None:
            allowed = np.maximum(allowed, problem.allowance())
        weight = np.where(reachable, weight, 0)
        self.state = make_state(layout, weight, awake, allowed, self.seed)
        self.scratch = make_scratch(layout)
        self.ground, self.back = layout, np.arange(len(self.order))
        if start is not None and len(start):
            self.warm = True
            place = np.empty(len(self.order), np.int64)
            place[self.order] = np.arange(len(self.order))
            put(layout, self.state, place[np.unique(start)], self.budget)
        n_log = recreate(layout, self.state, self.scratch, self.budget, 0.0, 0)
        prune(layout, self.state, self.scratch, n_log)
        self.offer(np.flatnonzero(self.state.chosen))

    def concentrate(self, entries: int | None = None) -> None:
        """Search on by the prices of the bound: the promising columns, the priced rows.

        Parameters
        ----------
        entries : int, optional
            Matrix entries of the columns to keep; see
            :func:`watchline.design.cover.narrow.promising`.
        """
        least, bounder, problem = self._least(), self.bounder, self.problem
        if least is None or self.chosen is None:
            return
        price = np.zeros(problem.n_rows)
        price[bounder.price_rows] = bounder.prices.row
        if not np.any(price > LEAST_PRICE):
            return
        keep = promising(problem, least, self.order[self.chosen], self.value, entries)
        narrow, kept = narrowed(problem, keep, self.supply)
        self.other_work += len(problem.indices) / 1e6
        place = np.empty(len(self.order), np.int64)
        place[self.order] = np.arange(len(self.order))
        old = self.state
        weight = weight_of(price, old.reserve)
        awake = (price > LEAST_PRICE) | (problem.n_rows <= 2000)
        self.ground, self.back = narrow, place[kept]
        self.state = make_state(narrow, weight, awake, old.allowed, self.seed)
        self.state.work[:], self.state.random[:] = old.work, old.random
        self.scratch = make_scratch(narrow)
        for column in np.flatnonzero(np.isin(self.back, self.chosen)):
            add_column(narrow, self.state, column)

    def search(self, until: float) -> None:
        """Ruin and recreate until a share of the limits is used up.

        Parameters
        ----------
        until : float
            The share, 0 to 1.
        """
        layout, state, scratch = self.ground, self.state, self.scratch
        begin = self.share()
        budget = self.budget
        penalty = 1e3 * (1.0 + float(np.sum(layout.cost[state.chosen > 0])) + state.cost[0])
        best = state.chosen.copy()
        value = objective(state, budget, penalty)
        steps = 4
        while True:
            now = self.share()
            if now >= until or self.done() or not (state.chosen.any() or state.over[0]):
                break
            part = (now - begin) / max(until - begin, 1e-9)
            n_open = max(1, int(np.count_nonzero(state.used)))
            mean = state.cost[0] / n_open
            if budget < math.inf:
                mean = self.total / n_open
            # A start that was given is near its goal: cooled down, it is improved, not remade.
            cooled = 0.6 + 0.4 * part if self.warm else part
            heat = max(0.2 * mean * 0.02**cooled, 1e-9)
            largest = (
                4 if mean > 2.5 * float(np.mean(layout.cost)) else max(4, min(30, n_open // 8))
            )
            before = state.work[0]
            value = improve(
                layout,
                state,
                scratch,
                budget,
                penalty,
                steps,
                heat,
                heat,
                largest,
                0.3,
                best,
                value,
            )
            done = max(float(state.work[0] - before) / 1e6, 1e-6)
            steps = int(np.clip(round(steps * CHUNK / done), 1, 4 * steps))
            if value < self.value - 1e-12 * abs(value):
                self.offer(self.back[np.flatnonzero(best)])
            if self.windows is not None:
                self.raise_bound(self.windows.bound)

    @property
    def alike(self) -> bool:
        """Whether all columns cost the same: then HiGHS settles little, and searching is better."""
        costs = self.problem.costs
        return bool(len(costs) and costs.min() == costs.max())

    def reweigh(self, until: float) -> None:
        """Search by row weights, where the problem is plain set covering.

        Parameters
        ----------
        until : float
            The share of the limits, 0 to 1.
        """
        if self.chosen is None or not is_plain(self.problem):
            return
        if self.weights is None:
            self.weights = make_weights(
                self.problem, self.order[self.chosen], self.state.random.copy()
            )
        place = np.empty(len(self.order), np.int64)
        place[self.order] = np.arange(len(self.order))
        best = np.zeros(self.problem.n_columns, np.bool_)
        while self.share() < until and not self.done():
            before = self.weights.best[0]
            self.other_work += reweigh(self.weights, CHUNK * 1e6, best) / 1e6
            if self.weights.best[0] < before:
                self.offer(np.sort(place[np.flatnonzero(best)]))

    def relax(self, until: float) -> None:
        """Raise the bound until a share of the limits is used up.

        Parameters
        ----------
        until : float
            The share, 0 to 1.
        """
        if self.bounder is None:
            demanded = np.flatnonzero(self.problem.demand > 0)
            rows = demanded
            if len(rows) > 3000:
                rows = rows[self.state.weight[rows] > 0]
                rng = np.random.default_rng(self.seed)
                rows = np.sort(rng.permutation(rows)[: max(2000, len(demanded) // 16)])
            allowed = self.problem.allowance()
            if self.problem.budget is not None:
                allowed = np.array([max(self.value, 1e-6 * self.total)])
            self.bounder = Bounder(self.problem, self.layout, allowed, rows, self.seed)
        bounder = self.bounder
        since_rows = 0
        begun = False
        while not begun or (self.share() < until and not self.done()):
            begun = True
            left = max(1.0, CHUNK / max(bounder.step_work, 1e-9))
            steps = int(np.clip(left, 1, 400))
            bounder.advance(steps)
            since_rows += steps
            self.raise_bound(bounder.bound)
            if self.problem.budget is not None and since_rows >= 400:
                bounder.guess_miss()
            if since_rows >= 400:
                since_rows = 0
                if len(bounder.rows) < int(np.count_nonzero(self.problem.demand)):
                    bounder.add_rows(max(200, len(bounder.rows) // 4))
            if bounder.settled:
                break

    @property
    def few(self) -> bool:
        """Whether so few groups make up the cost that a tree over them raises the bound."""
        if self.problem.budget is not None or self.chosen is None or not self.layout.fixed.any():
            return False
        groups = np.unique(self.problem.group[self.order[self.chosen]])
        return bool(np.count_nonzero(self.layout.fixed[groups]) <= FEW)

    def branch(self, until: float) -> None:
        """Raise the bound by a tree until a share of the limits is used up.

        Parameters
        ----------
        until : float
            The share, 0 to 1.
        """
        bounder = self.bounder
        if bounder is None or bounder.prices is None or not self.few:
            return
        if self.tree is None:
            self.tree = Tree.of(bounder)
        tree = self.tree
        while self.share() < until and not self.done() and tree.leaves < MOST_LEAVES:
            goal = min(self.value - 0.999 * self.step, self.value * (1 - self.target))
            if not tree.grow(goal * (1 - 1e-9), STEPS):
                break
            self.raise_bound(tree.bound)
        self.raise_bound(tree.bound)

    @property
    def long(self) -> bool:
        """Whether so many groups make up the cost that windows raise the bound."""
        problem = self.problem
        if problem.budget is not None or self.chosen is None or self.bounder is None:
            return False
        if np.any(problem.allowed > 0) or self.bounder.prices is None:
            return False
        return bool(self._paid() > FEW)

    def _paid(self) -> int:
        """Return the number of groups in the best choice that cost something."""
        groups = np.unique(self.problem.group[self.order[self.chosen]])
        return int(np.count_nonzero(self.layout.fixed[groups]))

    def divide(self, until: float) -> None:
        """Raise the bound by windows with shared costs until a share of the limits is used up.

        Parameters
        ----------
        until : float
            The share, 0 to 1.
        """
        if not self.long:
            return
        if self.windows is None:
            self.windows = self.cut()
        limit = until * self.time_limit if self.work_limit is None else self.time_limit
        for bound in self.windows.steps(lambda: self.seconds >= limit):
            self.raise_bound(bound)
            if self.share() >= until or self.done():
                break

    def search_and_divide(self, until: float) -> None:
        """Search, and raise the bound by windows in a thread beside it (by the clock only).

        Parameters
        ----------
        until : float
            The share of the time limit, 0 to 1.
        """
        if self.windows is None:
            self.windows = self.cut()
        windows, over = self.windows, threading.Event()

        def work() -> None:
            for _ in windows.steps(lambda: over.is_set() or self.seconds >= limit, threads=1):
                pass

        limit = until * self.time_limit
        beside = threading.Thread(target=work, daemon=True)
        beside.start()
        try:
            self.search(until)
        finally:
            over.set()
            beside.join()
            self.raise_bound(windows.bound)

    def cut(self) -> Windows:
        """Return the problem cut into windows, with its costs shared by the best prices."""
        bounder = self.bounder
        least = least_cost_with(bounder.price_layout, bounder.prices, bounder.allowed)
        mean = self.value / max(1, self._paid())
        stretches = make_stretches(
            self.problem,
            self.layout,
            self.order,
            bounder.price_rows,
            bounder.prices,
            least - bounder.bound <= NEAR_WINDOW * mean,
            max(2, round(self._paid() / GROUPS_IN_WINDOW)),
            fit_shares,
        )
        self.other_work += len(self.problem.indices) / 1e6
        windows = [Window(stretch) for stretch in stretches]
        return Windows(windows, self.layout.fixed, self.layout.cost)

    def _least(self) -> NDArray[np.float64] | None:
        """Return the least cost of a choice with each column of the problem, by the best prices."""
        bounder = self.bounder
        if self.problem.budget is not None or bounder is None or bounder.prices is None:
            return None
        least = np.empty(self.problem.n_columns)
        least[self.order] = least_cost_with(
            bounder.price_layout, bounder.prices, self.problem.allowance()
        )
        return least

    def finish_exactly(self, largest: int) -> None:
        """Hand what prices cannot exclude to HiGHS for the rest of the limits.

        If too much is left, only its most promising columns: HiGHS may then find a better choice
        but proves nothing.

        Parameters
        ----------
        largest : int
            Matrix entries that HiGHS may get.
        """
        seconds = self.time_limit - self.seconds
        if seconds <= 0 or self.done():
            return
        keep, proof = np.ones(self.problem.n_columns, bool), True
        least = self._least()
        if least is not None and self.chosen is not None:
            keep = least <= self.value - self.step + 1e-9 * abs(self.value)
            size = np.diff(self.problem.indptr)
            if size[keep].sum() > largest:
                rank = np.argsort(least, kind="stable")
                keep[rank[np.cumsum(size[rank]) > largest]] = False
                proof = False
            # The known choice stays, so that HiGHS has a start.
            keep[self.order[self.chosen]] = True
        elif len(self.problem.indices) > largest:
            return
        # A choice with an excluded column costs at least the present best.
        ceiling = self.value
        problem = self.problem.with_columns(keep)
        layout, order = make_layout(problem)
        pairs = len(layout.atom_row)
        self.other_work += len(problem.indices) / 1e6
        nodes = None
        if self.work_limit is not None:
            left = max(0.0, self.work_limit - self.work)
            nodes = max(1, int(left / max(1e-6 * 40 * pairs, 1e-3)))
            if nodes < FEWEST_NODES and self.chosen is not None:
                return
            self.other_work += left
        kept = np.flatnonzero(keep)[order]
        start = None
        if self.chosen is not None:
            start = np.flatnonzero(np.isin(kept, self.order[self.chosen]))
        outcome = solve_model(
            layout,
            make_model(layout, problem.allowance(), budget=problem.budget),
            seconds=seconds,
            start=start,
            nodes=nodes,
            seed=self.seed,
            gap=self.target,
            step=self.step if problem.budget is None else 0.0,
        )
        place = np.empty(self.problem.n_columns, np.int64)
        place[self.order] = np.arange(self.problem.n_columns)
        if outcome.chosen is not None:
            self.offer(place[kept[outcome.chosen]])
        if outcome.interrupted:
            raise KeyboardInterrupt
        if not proof:
            return
        if outcome.infeasible and self.chosen is None:
            self.infeasible = True
        if math.isfinite(outcome.bound):
            # Branch and bound in floating point: take off its tolerances.
            bound = outcome.bound - 1e-6 * max(1.0, abs(outcome.bound))
            self.raise_bound(min(bound, ceiling))
        if outcome.optimal and self.chosen is not None:
            slack = 1e-6 * max(1.0, abs(self.value)) + self.target * abs(self.value)
            if self.value - min(outcome.bound, ceiling) <= max(slack, self.step * 0.999):
                if self.target == 0.0:
                    self.raise_bound(self.value)
                self.closed = True
