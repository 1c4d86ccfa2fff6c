"""Where a search of several stages stands: its clock, its log, and the best plan at hand."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pandas as pd

from watchline.design.choose import Problem, Progress
from watchline.design.columns import Scene
from watchline.design.cover import CoverSolution
from watchline.design.cover.solution import LogEntry
from watchline.design.poses import POSE_COLUMNS

LEAST_S = 0.01
BOUND_RESERVE = 0.2
"""Share of the time that is kept for the bound: where the clock stops the search for plans, what
is proven of them must not suffer too."""


class Standing:
    """The clock, the log and the best plan of a search whose stages follow one another.

    Attributes
    ----------
    log : list of LogEntry
        Cost and bound of all stages so far, by the time since the start.
    done : float
        Work so far, in million steps.
    found : CoverSolution or None
        The best plan at hand.
    poses : DataFrame
        Its poses: columns :data:`watchline.design.poses.POSE_COLUMNS`.
    proven : float
        No plan costs less, whatever is offered later; 0 where nothing is proven.
    """

    def __init__(
        self, scene: Scene, effort: float, progress: Progress | None, poses: pd.DataFrame
    ) -> None:
        self.scene, self.effort, self.progress = scene, effort, progress
        self.in_budget = scene.site.design.budget is not None
        self.began = time.perf_counter()
        self.log: list[LogEntry] = []
        self.done = 0.0
        self.found: CoverSolution | None = None
        self.poses = poses
        self.proven = 0.0

    @property
    def seconds(self) -> float:
        """Time since the start in s."""
        return time.perf_counter() - self.began

    @property
    def left_s(self) -> float:
        """Time that is left for plans in s; within no budget a part is kept for the bound."""
        kept = 0.0 if self.in_budget else BOUND_RESERVE
        return max(LEAST_S, (1.0 - kept) * self.limit_s - self.seconds)

    @property
    def bound_left_s(self) -> float:
        """Time that is left for the bound in s."""
        return max(LEAST_S, self.limit_s - self.seconds)

    @property
    def limit_s(self) -> float:
        """Time of the whole search in s."""
        return self.effort * self.scene.site.design.time_limit_s

    def work(self, share: float) -> float:
        """Work of a stage in million steps."""
        return share * self.effort * self.scene.site.design.work_limit

    def note(self, solution: CoverSolution, *, bound: bool) -> None:
        """Keep the log and the work of a search that ends now."""
        begun = self.seconds - solution.seconds
        for entry in solution.log:
            self.log.append(
                LogEntry(
                    begun + entry.seconds,
                    self.best(entry.cost),
                    max(entry.lower_bound, self.proven) if bound else self.proven or np.nan,
                )
            )
        self.done += solution.work

    def told(self, solution: CoverSolution) -> CoverSolution:
        """A solution with the log, work and time of the whole search."""
        return replace(solution, log=tuple(self.log), work=self.done, seconds=self.seconds)

    def best(self, cost: float) -> float:
        """The best cost known, where costs are what is made small."""
        return cost if self.in_budget or self.found is None else min(cost, self.found.cost)

    def heard(self, *, bound: bool) -> Progress | None:
        """Progress of one stage: its clock goes on, and no cost is told above the best known.

        The bound of a search that more poses follow is not that of all, so nobody hears it.
        """
        progress, begun = self.progress, self.seconds
        if progress is None:
            return None
        return lambda step, seconds, cost, proven: progress(
            step,
            begun + seconds,
            None if cost is None else self.best(cost),
            max(proven or 0.0, self.proven) if bound else self.proven or None,
        )

    def tell(self) -> None:
        """Log and tell where the search stands between two stages."""
        if self.found is None:
            return
        self.log.append(LogEntry(self.seconds, self.found.cost, self.proven or np.nan))
        if self.progress is not None:
            self.progress("cover", self.seconds, self.found.cost, self.proven or None)

    def keep(self, solution: CoverSolution, problem: Problem) -> None:
        """Keep a choice if it is the best."""
        better = self.found is None or solution.cost < self.found.cost
        if self.in_budget or better:
            self.found = solution
            table = problem.columns.poses[list(POSE_COLUMNS)]
            self.poses = table.iloc[solution.chosen].reset_index(drop=True)

    def keep_poses(self, poses: pd.DataFrame) -> None:
        """Keep a plan of turned devices if it is the best."""
        mounts = np.unique(poses["mount"].to_numpy(np.int64))
        fixed = self.scene.candidates.mounts["cost"].to_numpy(float)[mounts]
        cost = math.fsum([*poses["cost"].tolist(), *fixed.tolist()])
        if self.found is not None and cost < self.found.cost:
            self.found, self.poses = replace(self.found, cost=cost, groups=mounts), poses
