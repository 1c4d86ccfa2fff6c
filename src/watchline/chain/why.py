"""Why a plan costs what it costs: the search again, with a little less asked each time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from watchline.chain.keys import digest
from watchline.chain.outcome import Outcome
from watchline.chain.plan import generated_poses, open_run, plan_project, write_report_files
from watchline.chain.progress import Progress, Silent
from watchline.chain.visibility import visibility_of
from watchline.design.choose import Problem, make_problem
from watchline.design.columns import make_scene, take_columns
from watchline.design.cover import CoverSolution, cover
from watchline.design.cover.certificate import make_certificate
from watchline.design.cover.problem import make_problem as make_cover_problem
from watchline.design.generate import add_poses
from watchline.design.prices import find_prices, promising_columns
from watchline.design.relax import (
    LOWERED,
    Variant,
    changed_arguments,
    cheapest_plan,
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
"""No search is begun after this, and those that run are ended."""
NEAR = 0.3
"""Plans are sought among columns with which a plan is dearer by at most this, in mean costs of a
mount with its devices: more than in planning, as what is promising changes with what is asked."""
LATE = (
    "The clock ended the searches after {seconds:.0f} s; {left} changes were not looked at. With a "
    "smaller --effort all of them are."
)
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
        lambda: _find(outcome, visibility, generated_poses(run), effort, listener),
        lambda made, folder: write_why(made, folder / WHY_FILE),
        lambda folder: read_why(folder / WHY_FILE),
        key=digest("why", run.keys["plan"], plan_digest(outcome.plan), effort),
    )
    listener.step("report")
    write_report_files(outcome, run)
    return outcome, why


@dataclass(frozen=True)
class _Base:
    """The search without a change: what every changed search starts from.

    ``problem`` has the promising columns, ``whole`` all that are offered; ``kept`` are the numbers
    in ``whole`` of those of ``problem``.
    """

    problem: Problem
    whole: Problem
    kept: np.ndarray
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
        self,
        outcome: Outcome,
        visibility: Visibility,
        generated: pd.DataFrame,
        effort: float,
        count: int,
        told: Progress,
    ) -> None:
        self.outcome = outcome
        self.generated = generated
        self.began = time.perf_counter()
        self.visibility = visibility
        self.work = effort * outcome.site.design.work_limit
        self.count, self.done, self.told = count, 0, told

    @property
    def late(self) -> bool:
        """Whether no more searches are begun."""
        return time.perf_counter() - self.began > LONGEST_S

    def base(self) -> _Base:
        """The full problem, its bound, and the longer search without a change."""
        outcome = self.outcome
        site, candidates = outcome.site, outcome.candidates
        problem = full_problem(site, candidates, self.visibility)
        scene = make_scene(site, candidates, self.visibility, problem.rows)
        columns, _ = add_poses(scene, problem.columns, self.generated)
        problem = replace(problem, columns=columns)
        problem, start, _ = offer_poses(site, candidates, self.visibility, problem, outcome.plan)
        asked = changed_arguments(lowered(site, 0.0), candidates, problem)
        self.told.share(0.5 / self.count)
        priced = find_prices(asked, BASE_TIMES * self.work, site.seed, seconds=LONGEST_S)
        mean = outcome.plan.cost / max(1, len(outcome.plan.mounts))
        keep = promising_columns(asked, priced.least, start, NEAR * mean)
        whole, problem, kept = problem, _narrowed(problem, keep), np.flatnonzero(keep)
        arguments = changed_arguments(lowered(site, 0.0), candidates, problem)
        start = (np.cumsum(keep) - 1)[start]
        solution = self._search(arguments, start, BASE_TIMES * self.work)
        solution = replace(
            solution,
            lower_bound=min(priced.bound, solution.cost),
            price_bound=priced.bound,
            row_duals=priced.row,
            cut_duals=priced.cuts,
            class_duals=priced.miss,
            price_tree=None,
            price_windows=(),
        )
        proven = replace(solution, chosen=kept[solution.chosen])
        prices = make_certificate(make_cover_problem(**asked), proven)
        return _Base(problem, whole, kept, solution.chosen, proven, prices)

    def changed(self, variant: Variant, base: _Base) -> tuple[CoverSolution, float]:
        """The choice found for a change, and the best bound known of it.

        The choice is in the numbers of ``base.whole``, but for a lower quality, which has a problem
        of its own.
        """
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
        # Plans are sought among promising columns, which prove nothing of the others; the prices of
        # the unchanged problem prove a bound of the changed one over all of them.
        whole = changed_arguments(variant, outcome.candidates, base.whole)
        if solution.status == "infeasible":
            # Too few columns are left for what is asked more: all of them are looked at.
            solution = self._search(whole, base.kept[base.start], work)
        else:
            solution = replace(solution, chosen=base.kept[solution.chosen])
        proven = float(check_certificate(base.prices, **whole).bound)
        return solution, min(proven, solution.cost)

    def _search(self, arguments: dict[str, Any], start: np.ndarray, work: float) -> CoverSolution:
        solution = cover(
            **arguments,
            start=start,
            work_limit=work,
            time_limit=max(1.0, LONGEST_S - (time.perf_counter() - self.began)),
            seed=self.outcome.site.seed,
        )
        if solution.interrupted:
            raise KeyboardInterrupt
        self.done += 1
        self.told.share(min(1.0, self.done / self.count))
        return solution


def _narrowed(problem: Problem, keep: np.ndarray) -> Problem:
    """The problem with some of its columns."""
    return replace(problem, columns=take_columns(problem.columns, keep, len(problem.rows)))


def _find(
    outcome: Outcome,
    visibility: Visibility,
    generated: pd.DataFrame,
    effort: float,
    told: Progress,
) -> Why:
    site, plan = outcome.site, outcome.plan
    dropped = without_requirement(site)
    lifted = without_condition(site)
    smaller = relaxations(site, plan.cost_along)
    more = surviving(site)
    curve = [lowered(site, by) for by in LOWERED[1:]]
    count = 1 + len(dropped) + len(lifted) + len(smaller) + (more is not None) + len(curve)
    searches = _Searches(outcome, visibility, generated, effort, count, told)
    base = searches.base()
    if not np.isfinite(base.solution.cost):
        raise UsageError(
            "the plan was not found again by so little search",
            where="--effort",
            mend="raise it",
        )

    left = 0

    def searched(variants: list[Variant]) -> list[tuple[Variant, CoverSolution, float]]:
        nonlocal left
        found = []
        for variant in variants:
            if searches.late:
                left += 1
            else:
                found.append((variant, *searches.changed(variant, base)))
        return found

    requirements = [_change(v, base, *found) for v, *found in searched(dropped)]
    conditions = [_change(v, base, *found) for v, *found in searched(lifted)]
    found = [_change(v, base, *made) for v, *made in searched(smaller)]
    found.sort(key=lambda c: (-c.saved, c.what))
    reserve = [_change(v, base, *made) for v, *made in searched([] if more is None else [more])]
    points = [(lowered(site, 0.0), 0.0, base.solution, base.bound)]
    by = {id(variant): step for step, variant in zip(LOWERED[1:], curve, strict=True)}
    points += [(v, by[id(v)], *made) for v, *made in searched(curve)]
    late = ()
    if left:
        late = (LATE.format(seconds=LONGEST_S, left=left),)
    reserved = any(r.survive_loss == "mount" and r.share < 1.0 for r in site.requirements)
    return Why(
        plan_sha256=plan_digest(plan),
        currency=plan.currency,
        plan_cost=plan.cost,
        base_cost=float(base.solution.cost),
        base_bound=base.bound,
        work=searches.work,
        requirements=tuple(requirements),
        relaxations=tuple(found),
        reserve=reserve[0] if reserve else None,
        curve=tuple(_curve(points, base, outcome)),
        dearest=tuple(dearest(plan.cost_along)),
        conditions=tuple(conditions),
        notes=(*NOTES, *((RESERVED,) if reserved else ()), *late),
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


def _curve(
    found: list[tuple[Variant, float, CoverSolution, float]], base: _Base, outcome: Outcome
) -> list[CurvePoint]:
    """The points of the curve, each with the cheapest of all plans found that does what it asks.

    Shares are of all cells under requirements, counted once for each. What one plan misses more of
    one requirement than is allowed is not made good by another requirement: so every plan is judged
    by the point's own rows.
    """
    candidates, total = outcome.candidates, max(1, len(base.whole.rows))
    plans = [solution.chosen for _, _, solution, _ in found]
    points = []
    for number, (variant, by, _, bound) in enumerate(found):
        rows = make_rows(variant.site, candidates)
        allowed = allowed_misses(rows, candidates.cells).sum()
        problem = make_cover_problem(**changed_arguments(variant, candidates, base.whole))
        best = cheapest_plan(problem, plans)
        plan = plans[number if best is None else best]
        cost = problem.cost_of(plan) if best is not None else np.inf
        points.append(
            CurvePoint(
                lowered=by,
                asked=1.0 - float(allowed) / total,
                covered=1.0 - np.count_nonzero(problem.views(plan) < problem.demand) / total,
                cost=float(cost),
                lower_bound=float(bound),
            )
        )
    return points
