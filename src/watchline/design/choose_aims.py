"""The search for the least cost among all aims: what is offered, priced, searched and proven.

The enumeration of :mod:`watchline.design.poses` is a start. The prices of the rows say what is
worth what; every mount is asked for its best package over all aims
(:mod:`watchline.design.all_aims`), and the aims of packages that pay are offered too. That is
repeated, with few steps each, until prices and aims fit one another. Only then the plan is sought,
among the few columns that are worth their price, and its devices are turned
(:mod:`watchline.design.refine`). In the end the bound is proven over all offered poses, and over
all aims.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.design.all_aims import price_mounts
from watchline.design.choose import (
    Problem,
    Progress,
    bounded_demand,
    choose,
    cover_arguments,
    solve,
    without_bound,
)
from watchline.design.columns import Scene, take_columns
from watchline.design.cover import CoverSolution
from watchline.design.cover.solution import LogEntry
from watchline.design.generate import add_poses, aims_for, numbers_of
from watchline.design.poses import POSE_COLUMNS
from watchline.design.prices import RowPrices, find_prices, promising_columns
from watchline.design.refine import centre, refine
from watchline.design.rows import demand_planned
from watchline.design.standing import LEAST_S, Standing

FIRST_SHARE, FULL_SHARE, ROUND_SHARE = 0.1, 0.08, 0.03
"""Shares of the work: of the first plan and its prices, of prices over all listed poses, of prices
in each round that adds poses."""
SEARCH_SHARES = (0.26, 0.16)
"""Of the searches among promising columns; after each the devices are turned."""
LAST_SHARE, BOUND_SHARE = 0.1, 0.12
"""Of the last search, over all poses, and of its bound."""
ROUNDS = 6
"""Rounds that add poses. With the shares above they make up the whole work."""
SETTLED = 0.001
"""Rounds end when neither bound moved by more than this: small problems need two or three."""
ROUND_NEAR, SEARCH_NEAR = 0.1, 0.02
"""How much dearer a plan with a column may be for the column to stay in rounds and searches, in
mean costs of a mount with its devices. On Rafah 0.02 found 681,000 where 0.05 found 718,000 and
all columns 734,000 with the same work."""


Prices = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
"""Prices of the rows, and of the misses of each requirement."""


@dataclass(frozen=True)
class Chosen:
    """The choice with the problem that it was made from.

    Attributes
    ----------
    problem : Problem
        Rows and columns, the generated ones included.
    solution : CoverSolution
        The choice and its bound over the columns.
    all_aims_bound : float or None
        No plan costs less, whatever the aims of the offered lenses; None within a budget, or
        where the search was stopped before.
    generated : int
        Number of poses that were generated.
    added : DataFrame
        These and others that were offered again: columns
        :data:`watchline.design.poses.POSE_COLUMNS`.
    timed : bool
        Whether the clock stopped a search before its work was done.
    """

    problem: Problem
    solution: CoverSolution
    all_aims_bound: float | None
    generated: int
    added: pd.DataFrame
    timed: bool = False


def choose_aims(
    scene: Scene,
    problem: Problem,
    effort: float,
    start: npt.NDArray[np.int64] | None,
    progress: Progress | None,
) -> Chosen:
    """The least-cost choice among the poses on offer and those that prices ask for.

    Parameters
    ----------
    scene : Scene
        Site, candidates and who sees what.
    problem : Problem
        Rows, and the poses to begin with.
    effort : float
        Share of the site's work and time limits. With less than the whole effort and a start no
        poses are generated, and no bound over all aims is proven.
    start : int64 array, optional
        Poses to start from.
    progress : callable, optional
        Called with the step's name, seconds, cost and bound.

    Returns
    -------
    Chosen
        Interrupted, the choice at hand.
    """
    search = _Search(scene, problem, effort, progress, whole=start is None or effort >= 1.0)
    try:
        search.first(start)
        if search.ended is None and search.found is not None:
            if search.in_budget:
                search.offer_once()
            else:
                search.offer_more()
                search.seek(fresh=start is None)
        if search.ended is None:
            search.last()
    except KeyboardInterrupt:
        search.stop()
    return search.result()


class _Search(Standing):
    """One search: its clock, the problem as it grows, and the best plan at hand."""

    def __init__(
        self,
        scene: Scene,
        problem: Problem,
        effort: float,
        progress: Progress | None,
        *,
        whole: bool,
    ) -> None:
        empty = problem.columns.poses.reindex(columns=list(POSE_COLUMNS)).head(0)
        super().__init__(scene, effort, progress, empty)
        self.problem, self.whole = problem, whole
        self.listed = len(problem.columns.poses)
        self.demand = demand_planned(problem.rows)
        asked = bounded_demand(scene.site, problem.rows)
        self.exact = bool(np.array_equal(self.demand, asked))
        self.added = empty
        self.ended: CoverSolution | None = None
        self.timed = False
        self.prices: Prices | None = None
        self.bound, self.anchor = 0.0, self.prices
        """The best bound over all aims, and the prices that prove it."""
        self.part, self.least = problem, np.empty(0)
        """What the rounds work on, and what a choice with each of its columns costs at least."""

    def first(self, start: npt.NDArray[np.int64] | None) -> None:
        """A plan among the listed poses, so that there is one at any time, and its prices."""
        share = 1.0 if self.in_budget else FIRST_SHARE
        solution = self._solve(self.problem, share, start, bound=True)
        if solution.status == "infeasible":
            self._add(aims_for(self.scene, solution.uncovered))
            solution = self._solve(self.problem, share, None)
        if solution.interrupted:
            self.ended = solution
        if solution.status in ("optimal", "feasible"):
            self.keep(solution, self.problem)
            self.prices = (solution.row_duals, solution.class_duals)

    def offer_once(self) -> None:
        """Within a budget: the poses that the first plan's prices ask for."""
        if self.prices is not None:
            self._add(price_mounts(self.scene, self.demand, *self.prices).poses)

    def offer_more(self) -> None:
        """Prices, and in turn the poses that they ask for."""
        before = None if self.prices is None else self.prices[0]
        priced = self._priced(self.problem, FULL_SHARE, before)
        self.part, self.least = self._narrow(self.problem, priced.least, ROUND_NEAR)
        for number in range(ROUNDS if self.whole else 0):
            proven, relaxed = self.bound, priced.bound
            offered = self._price((priced.row, priced.miss))
            columns, _ = add_poses(self.scene, self.part.columns, offered)
            self.part = replace(self.part, columns=columns)
            self._add(offered)
            priced = self._priced(self.part, ROUND_SHARE, priced.row)
            self.least = priced.least
            self.proven = self.bound if self.exact else 0.0
            self.tell()
            still = self.bound <= (1 + SETTLED) * proven
            if number and still and priced.bound >= (1 - SETTLED) * relaxed:
                break
        self.prices = (priced.row, priced.miss)

    def seek(self, *, fresh: bool) -> None:
        """Plans among the promising columns; their devices are turned."""
        part, _ = self._narrow(self.part, self.least, SEARCH_NEAR)
        start = None if fresh else numbers_of(part.columns, self.poses)
        for share in SEARCH_SHARES:
            solution = self._solve(part, share, start)
            if solution.status not in ("optimal", "feasible"):
                return
            self.keep(solution, part)
            if solution.interrupted:
                raise KeyboardInterrupt
            refined = refine(self.scene, part.columns, solution.chosen, self.demand)
            columns, _ = add_poses(self.scene, part.columns, refined)
            part = replace(part, columns=columns)
            self._add(refined)
            self.keep_poses(refined)
            start = numbers_of(columns, refined)

    def last(self) -> None:
        """The last search, over all poses, and the bounds."""
        site, candidates = self.scene.site, self.scene.candidates
        start = None if self.found is None else numbers_of(self.problem.columns, self.poses)
        share = 1.0 if self.in_budget or self.found is None else LAST_SHARE
        solution = choose(
            site,
            candidates,
            self.problem,
            self.effort * share,
            start,
            self.heard(bound=True),
            seconds=self.left_s,
        )
        self.note(solution, bound=True)
        self.timed = self.left_s <= LEAST_S
        self.ended = self.told(solution)
        settled = solution.status in ("optimal", "feasible") and not solution.interrupted
        if settled and not self.in_budget:
            try:
                self._prove(solution)
            except KeyboardInterrupt:
                self.ended = replace(self.ended, interrupted=True)

    def _prove(self, solution: CoverSolution) -> None:
        """The bound over all offered poses from the best prices, and that over all aims."""
        site, candidates = self.scene.site, self.scene.candidates
        asked = bounded_demand(site, self.problem.rows)
        if solution.status != "optimal":
            known = self.prices if self.exact else None
            found = find_prices(
                cover_arguments(site, candidates, self.problem, asked),
                self.work(BOUND_SHARE),
                site.seed,
                solution.row_duals if known is None else known[0],
                self.bound_left_s,
            )
            self.done += found.work
            solution = _with_prices(solution, found)
        if self.whole:
            duals = (solution.row_duals, solution.class_duals)
            bound = price_mounts(self.scene, asked, *duals).bound
            self.bound = max(self.bound if self.exact else 0.0, bound)
            self.bound = min(self.bound, solution.lower_bound)
        self.log.append(LogEntry(self.seconds, solution.cost, solution.lower_bound))
        self.ended = self.told(solution)
        if self.progress is not None:
            self.progress("cover", self.seconds, solution.cost, solution.lower_bound)

    def stop(self) -> None:
        """Interrupted: the plan at hand becomes the choice."""
        found = self.found
        if found is None:
            raise KeyboardInterrupt
        # Its bound is of the problem at hand only before poses were added, and not if the plan is
        # sought for more than is asked. What holds for all aims holds in any case.
        if not self.exact or len(self.problem.columns.poses) > self.listed:
            bound = min(self.proven, found.cost)
            gap = (found.cost - bound) / found.cost if found.cost > 0 else 0.0
            found = replace(without_bound(found), lower_bound=bound, gap=gap)
        chosen = numbers_of(self.problem.columns, self.poses)
        self.ended = self.told(replace(found, chosen=chosen, interrupted=True))

    def result(self) -> Chosen:
        """What the search found."""
        solution, problem = self.ended, self.problem
        if solution is None:
            raise KeyboardInterrupt
        settled = solution.status in ("optimal", "feasible") and not solution.interrupted
        if settled:
            columns = centre(self.scene, problem.columns, solution.chosen)
            problem = replace(problem, columns=columns)
        return Chosen(
            problem=problem,
            solution=solution,
            all_aims_bound=self.bound if settled and self.whole and not self.in_budget else None,
            generated=len(problem.columns.poses) - self.listed,
            added=self.added,
            timed=self.timed or self.seconds >= self.limit_s,
        )

    def _solve(
        self,
        problem: Problem,
        share: float,
        start: npt.NDArray[np.int64] | None,
        *,
        bound: bool = False,
    ) -> CoverSolution:
        """Run the covering solver for a share of the work."""
        solution = solve(
            self.scene.site,
            self.scene.candidates,
            problem,
            self.effort * share,
            start,
            self.heard(bound=bound and self.exact),
            seconds=self.left_s,
        )
        self.note(solution, bound=False)
        return solution

    def _add(self, poses: pd.DataFrame) -> None:
        """Offer more poses."""
        columns, _ = add_poses(self.scene, self.problem.columns, poses)
        self.problem = replace(self.problem, columns=columns)
        self.added = pd.concat([self.added, poses], ignore_index=True) if len(poses) else self.added

    def _priced(
        self, problem: Problem, share: float, before: npt.NDArray[np.float64] | None
    ) -> RowPrices:
        """Prices over the columns of a problem."""
        site, candidates = self.scene.site, self.scene.candidates
        arguments = cover_arguments(site, candidates, problem, self.demand)
        found = find_prices(arguments, self.work(share), site.seed, before, self.left_s)
        self.done += found.work
        return found

    def _price(self, prices: Prices) -> pd.DataFrame:
        """Aims that prices ask for; where these prove less than others did, halfway between too.

        Prices of few columns swing from round to round. The bound is concave in them, so it is
        seldom worse halfway, and the aims that are missing there are those that count.
        """
        made = price_mounts(self.scene, self.demand, *prices)
        if made.bound > self.bound or self.anchor is None:
            self.bound, self.anchor = made.bound, prices
            return made.poses
        row, miss = (0.5 * (a + b) for a, b in zip(prices, self.anchor, strict=True))
        middle = price_mounts(self.scene, self.demand, row, miss)
        if middle.bound > self.bound:
            self.bound, self.anchor = middle.bound, (row, miss)
        return pd.concat([made.poses, middle.poses]).drop_duplicates(ignore_index=True)

    def _narrow(
        self, problem: Problem, least: npt.NDArray[np.float64], near: float
    ) -> tuple[Problem, npt.NDArray[np.float64]]:
        """The problem with its promising columns, and what a choice with each costs at least."""
        assert self.found is not None
        arguments = cover_arguments(self.scene.site, self.scene.candidates, problem, self.demand)
        chosen = numbers_of(problem.columns, self.poses)
        mean = self.found.cost / max(1, len(self.found.groups))
        keep = promising_columns(arguments, least, chosen, near * mean)
        columns = take_columns(problem.columns, keep, len(problem.rows))
        return replace(problem, columns=columns), least[keep]


def _with_prices(solution: CoverSolution, found: RowPrices) -> CoverSolution:
    """A solution with the prices that were found afterwards, if they prove more."""
    if found.bound <= solution.price_bound:
        return solution
    step, bound = solution.cost_step, found.bound
    if step > 0:
        bound = math.ceil(bound / step) * step
    bound = max(solution.lower_bound, min(bound, solution.cost))
    gap = (solution.cost - bound) / solution.cost if solution.cost > 0 else 0.0
    return replace(
        solution,
        status="optimal" if gap <= 1e-9 else "feasible",
        lower_bound=bound,
        gap=gap,
        price_bound=found.bound,
        row_duals=found.row,
        cut_duals=found.cuts,
        class_duals=found.miss,
        price_tree=None,
        price_windows=(),
    )
