"""One run of the covering solver: its clock, its best choice, its bound."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.bounding import Bounder
from watchline.design.cover.core import Core
from watchline.design.cover.judge import value_of
from watchline.design.cover.layout import Layout, make_layout, reach
from watchline.design.cover.problem import CoverProblem
from watchline.design.cover.scratch import Scratch, make_scratch
from watchline.design.cover.solution import LogEntry, PriceSet
from watchline.design.cover.state import State
from watchline.design.cover.tree import Tree
from watchline.design.cover.weights import Weights
from watchline.design.cover.windows import Windows

Progress = Callable[[float, float, float], None]
FEW = 12
"""Groups in use up to which a tree over groups is grown: each doubles it."""


@dataclass
class Run:
    """The moving parts of one run.

    Attributes
    ----------
    problem : CoverProblem
        The problem.
    layout : Layout
        Its atoms; once windows are cut, none: its columns and groups alone.
    order : ndarray of int64
        The problem's column at each position of the layout.
    supply : ndarray of int64, shape (n_rows,)
        The most views that each row can get.
    ground, back : Layout, ndarray of int64
        The layout on which the search moves, and the position in ``layout`` of its columns.
    cooled : float
        How far a search is cooled down when it starts, 0 to 1.
    core : Core or None
        The rows of ``ground`` on which the search moves; None for all.
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
    interrupted : bool
        Whether the user has asked for the end, by Ctrl-C.
    root : PriceSet or None
        What the relaxation has proven, once windows are cut.
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
    cooled: float = 0.0
    infeasible: bool = False
    closed: bool = False
    interrupted: bool = False
    log: list[LogEntry] = field(default_factory=list)
    bounder: Bounder | None = None
    root: PriceSet | None = None
    tree: Tree | None = None
    windows: Windows | None = None
    weights: list[Weights] | None = None
    near_weights: list[Weights] | None = None
    state: State | None = None
    scratch: Scratch | None = None
    core: Core | None = None
    ground: Layout | None = None
    back: NDArray[np.int64] | None = None

    @classmethod
    def begun(cls, problem: CoverProblem, work_limit: float | None) -> Run:
        """Return a run that only its work ends, with nothing done."""
        layout, order = make_layout(problem)
        return cls(
            problem=problem,
            layout=layout,
            order=order,
            supply=reach(layout),
            seed=0,
            time_limit=math.inf,
            work_limit=work_limit,
            target=0.0,
            progress=None,
            started=time.perf_counter(),
        )

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
        """Return whether the gap is closed as far as asked.

        Raises
        ------
        KeyboardInterrupt
            The user has asked for the end.
        """
        if self.interrupted:
            raise KeyboardInterrupt
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

    @property
    def arena(self) -> Layout:
        """The layout on which the search moves now: of the core's rows, if there is a core."""
        return self.ground if self.core is None else self.core.layout

    def stand_at(self, chosen: NDArray[np.bool_]) -> None:
        """Let the search stand at a choice, on the core's rows as they are now.

        Parameters
        ----------
        chosen : ndarray of bool, shape (n_columns,)
            Columns of the ground.
        """
        self.state = self.core.state_of(chosen, self.state)
        self.scratch = make_scratch(self.arena)

    @property
    def alike(self) -> bool:
        """Whether all columns cost the same: then HiGHS settles little, and searching is better."""
        costs = self.problem.costs
        return bool(len(costs) and costs.min() == costs.max())

    @property
    def few(self) -> bool:
        """Whether so few groups make up the cost that a tree over them raises the bound."""
        if self.problem.budget is not None or self.chosen is None or not self.layout.fixed.any():
            return False
        groups = np.unique(self.problem.group[self.order[self.chosen]])
        return bool(np.count_nonzero(self.layout.fixed[groups]) <= FEW)

    @property
    def long(self) -> bool:
        """Whether so many groups make up the cost that windows raise the bound."""
        problem = self.problem
        if problem.budget is not None or self.chosen is None or self.bounder is None:
            return False
        if np.any(problem.allowed > 0) or self.bounder.prices is None:
            return False
        return bool(self.paid() > FEW)

    def paid(self) -> int:
        """Return the number of groups in the best choice that cost something."""
        groups = np.unique(self.problem.group[self.order[self.chosen]])
        return int(np.count_nonzero(self.layout.fixed[groups]))
