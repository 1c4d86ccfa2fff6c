"""Why a plan costs what it costs: the search again, with a little less asked each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from watchline.chain.keys import digest
from watchline.chain.outcome import Outcome
from watchline.chain.plan import open_run, plan_project, write_report_files
from watchline.chain.progress import Progress, Silent
from watchline.chain.visibility import visibility_of
from watchline.design.choose import Problem, make_problem
from watchline.design.cover import CoverSolution, cover
from watchline.design.cover.certificate import make_certificate
from watchline.design.cover.problem import make_problem as make_cover_problem
from watchline.design.relax import (
    LOWERED,
    Variant,
    changed_arguments,
    dearest,
    full_problem,
    lowered,
    relaxations,
    surviving,
    without_condition,
    without_requirement,
)
from watchline.design.rows import allowed_misses, make_rows
from watchline.design.start import offer_poses
from watchline.errors import UsageError
from watchline.io.why import WHY_FILE, read_why, write_why
from watchline.model.plan import plan_digest
from watchline.model.site import Site
from watchline.model.visibility import Visibility
from watchline.model.why import Change, CurvePoint, Why
from watchline.prove.certificate import check_certificate

EFFORT = 0.05
"""Share of the project's search effort for each changed search."""
BASE_TIMES = 4.0
"""The search without a change gets this many times the effort: its prices serve all others."""
LONGEST_S = 600.0
"""Safety limit of each search by the clock."""
NOTES = (
    "Each figure is that of a search of limited work, started from the plan: the true saving may "
    "be larger. None of these plans was proven.",
    "Searched on the design's own cells, without what repairs added.",
)
SAME_REACH = "No farther than the qualities asked by the project reach."
RESERVED = (
    "The bounds count one view in reserve where a mount may be lost and a share may miss, which is "
    "sufficient but not necessary."
)


def why_project(
    site: Site, effort: float = EFFORT, progress: Progress | None = None
) -> tuple[Outcome, Why]:
    """Plan a project, and search again with less asked.

    Parameters
    ----------
    site : Site
        What is asked.
    effort : float
        Share of the project's search effort for each changed search.
    progress : Progress, optional
        Who listens.

    Returns
    -------
    outcome : Outcome
        The plan, as :func:`watchline.chain.plan.plan_project` gives it; its report has the
        findings.
    why : Why
        The findings, kept in the run.

    Raises
    ------
    UsageError
        The project is planned within a budget.
    WatchlineError
        As in planning.
    """
    if site.design.budget is not None:
        raise UsageError(
            "a plan within a budget has no least cost to explain",
            where="design.budget",
            mend="leave the budget out, or plan several budgets and compare what they cover",
        )
    listener = progress or Silent()
    outcome = plan_project(site, listener)
    if outcome.plan.status == "interrupted":
        raise KeyboardInterrupt  # it was meant for all that follows too
    run = open_run(site, listener)
    visibility = visibility_of(site, outcome.terrain, outcome.candidates, run, listener)
    listener.step("why")
    why = run.step(
        "why",
        (WHY_FILE,),
        lambda: _find(outcome, visibility, effort, listener),
        lambda made, folder: write_why(made, folder / WHY_FILE),
        lambda folder: read_why(folder / WHY_FILE),
        key=digest("why", run.keys["plan"], plan_digest(outcome.plan), effort),
    )
    listener.step("report")
    write_report_files(outcome, run)
    return outcome, why


@dataclass(frozen=True)
class _Base:
    """The search without a change: what every changed search starts from."""

    problem: Problem
    start: np.ndarray
    solution: CoverSolution
    prices: Mapping[str, Any]

    @property
    def bound(self) -> float:
        """What no plan costs less than."""
        return float(self.solution.lower_bound)


class _Searches:
    """Runs the searches of one project, one after the other, and tells how far it is."""

    def __init__(
        self, outcome: Outcome, visibility: Visibility, effort: float, count: int, told: Progress
    ) -> None:
        self.outcome = outcome
        self.visibility = visibility
        self.work = effort * outcome.site.design.work_limit
        self.count, self.done, self.told = count, 0, told

    def base(self) -> _Base:
        """The full problem, and the longer search without a change."""
        outcome = self.outcome
        site, candidates = outcome.site, outcome.candidates
        problem = full_problem(site, candidates, self.visibility)
        problem, start, _ = offer_poses(site, candidates, self.visibility, problem, outcome.plan)
        arguments = changed_arguments(lowered(site, 0.0), candidates, problem)
        solution = self._search(arguments, start, BASE_TIMES * self.work)
        prices = make_certificate(make_cover_problem(**arguments), solution)
        return _Base(problem, solution.chosen, solution, prices)

    def changed(self, variant: Variant, base: _Base) -> tuple[CoverSolution, float]:
        """The choice found for a change, and the best bound known of it."""
        outcome = self.outcome
        if variant.kind == "quality":
            # Coarser pixels reach farther: other rows are within the reach of a pose.
            site, candidates = variant.site, outcome.candidates
            problem = make_problem(site, candidates, self.visibility)
            problem, start, _ = offer_poses(
                site, candidates, self.visibility, problem, outcome.plan
            )
            arguments = changed_arguments(variant, candidates, problem)
            solution = self._search(arguments, start, self.work)
            return solution, solution.lower_bound
        arguments = changed_arguments(variant, outcome.candidates, base.problem)
        work = self.work * (2.0 if variant.kind == "reserve" else 1.0)
        solution = self._search(arguments, base.start, work)
        # The prices of the unchanged problem prove a bound of the changed one too.
        proven = check_certificate(base.prices, **arguments).bound
        return solution, max(solution.lower_bound, proven)

    def _search(self, arguments: dict[str, Any], start: np.ndarray, work: float) -> CoverSolution:
        solution = cover(
            **arguments,
            start=start,
            work_limit=work,
            time_limit=LONGEST_S,
            seed=self.outcome.site.seed,
        )
        if solution.interrupted:
            raise KeyboardInterrupt
        self.done += 1
        self.told.share(min(1.0, self.done / self.count))
        return solution


def _find(outcome: Outcome, visibility: Visibility, effort: float, told: Progress) -> Why:
    site, plan = outcome.site, outcome.plan
    dropped = without_requirement(site)
    lifted = without_condition(site)
    smaller = relaxations(site, plan.cost_along)
    more = surviving(site)
    curve = [lowered(site, by) for by in LOWERED[1:]]
    count = 1 + len(dropped) + len(lifted) + len(smaller) + (more is not None) + len(curve)
    searches = _Searches(outcome, visibility, effort, count, told)
    base = searches.base()
    if not np.isfinite(base.solution.cost):
        raise UsageError(
            "the plan was not found again by so little search",
            where="--effort",
            mend="raise it",
        )

    def change(variant: Variant) -> Change:
        return _change(variant, base, *searches.changed(variant, base))

    requirements = tuple(change(variant) for variant in dropped)
    conditions = tuple(change(variant) for variant in lifted)
    found = sorted((change(v) for v in smaller), key=lambda c: (-c.saved, c.what))
    reserve = None if more is None else change(more)
    points = [_point(lowered(site, 0.0), 0.0, base, outcome, base.solution, base.bound)]
    points += [
        _point(variant, by, base, outcome, *searches.changed(variant, base))
        for by, variant in zip(LOWERED[1:], curve, strict=True)
    ]
    reserved = any(r.survive_loss == "mount" and r.share < 1.0 for r in site.requirements)
    return Why(
        plan_sha256=plan_digest(plan),
        currency=plan.currency,
        plan_cost=plan.cost,
        base_cost=float(base.solution.cost),
        base_bound=base.bound,
        work=searches.work,
        requirements=requirements,
        relaxations=tuple(found),
        reserve=reserve,
        curve=tuple(_falling(points)),
        dearest=tuple(dearest(plan.cost_along)),
        conditions=conditions,
        notes=NOTES + ((RESERVED,) if reserved else ()),
        provenance=plan.provenance,
    )


def _change(variant: Variant, base: _Base, solution: CoverSolution, bound: float) -> Change:
    """A change with what was found for it."""
    found = solution.status in ("optimal", "feasible")
    cost = float(solution.cost) if found else None
    note = SAME_REACH if variant.kind == "quality" else ""
    if variant.kind == "reserve" and not found:
        rows = len(solution.uncovered)
        note = f"No plan of what is offered can: {rows:,} rows are in reach of too few mounts."
        if solution.status == "unknown":
            note = "No plan was found within the work of this search, and none is excluded."
    return Change(
        kind=variant.kind,
        requirement=variant.requirement,
        what=variant.what,
        cost=cost,
        lower_bound=float(bound) if np.isfinite(bound) else 0.0,
        saved=float(base.solution.cost - cost) if cost is not None else 0.0,
        priced=_priced(base, variant) if variant.kind in ("drop", "condition") else None,
        note=note,
    )


def _priced(base: _Base, variant: Variant) -> float:
    """What the bound pays for the views of a requirement or a condition, by its prices."""
    rows = base.problem.rows
    part = "name" if variant.kind == "drop" else "condition"
    named = [getattr(r, part) == variant.requirement for r in rows.requirements]
    mine = np.array(named)[rows.requirement]
    views = np.array([r.views_planned for r in rows.requirements])[rows.requirement]
    prices = base.solution.row_duals
    return float((prices * views)[mine].sum())


def _point(
    variant: Variant,
    by: float,
    base: _Base,
    outcome: Outcome,
    solution: CoverSolution,
    bound: float,
) -> CurvePoint:
    """A point of the curve, in shares of all cells under requirements."""
    rows = make_rows(variant.site, outcome.candidates)
    allowed = allowed_misses(rows, outcome.candidates.cells).sum()
    total = max(1, len(base.problem.rows))
    return CurvePoint(
        lowered=by,
        asked=1.0 - float(allowed) / total,
        covered=1.0 - len(solution.uncovered) / total,
        cost=float(solution.cost),
        lower_bound=float(bound),
    )


def _falling(points: list[CurvePoint]) -> list[CurvePoint]:
    """Points with the cheapest of all plans found that cover what each asks."""
    return [
        _as(
            point,
            min(
                (other for other in points if other.covered >= point.asked - 1e-12),
                key=lambda other: (other.cost, -other.covered),
                default=point,
            ),
        )
        for point in points
    ]


def _as(point: CurvePoint, better: CurvePoint) -> CurvePoint:
    return replace(point, covered=better.covered, cost=better.cost)
