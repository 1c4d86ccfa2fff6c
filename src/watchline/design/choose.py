"""The choice: the covering problem of one site, handed to the solver, with a bound that holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from watchline.design.columns import Columns, make_columns
from watchline.design.cover import CoverSolution, cover
from watchline.design.rows import (
    Rows,
    allowed_misses,
    demand_implied,
    demand_planned,
    make_rows,
)
from watchline.model.candidates import Candidates
from watchline.model.site import Site
from watchline.model.visibility import Visibility

Progress = Callable[[str, float, float | None, float | None], None]
BOUND_SHARE = 0.4
"""Share of the effort for the bound alone, where a plan is sought by a sufficient condition."""


@dataclass(frozen=True)
class Problem:
    """The covering problem of one site: rows, columns, and what was left out."""

    rows: Rows
    columns: Columns


def make_problem(
    site: Site,
    candidates: Candidates,
    visibility: Visibility,
    progress: Callable[[float], None] | None = None,
) -> Problem:
    """Rows and columns of the covering problem."""
    rows = make_rows(site, candidates)
    return Problem(rows, make_columns(site, candidates, visibility, rows, progress))


def choose(
    site: Site,
    candidates: Candidates,
    problem: Problem,
    effort: float,
    start: npt.NDArray[np.int64] | None,
    progress: Progress | None,
    seconds: float | None = None,
) -> CoverSolution:
    """The least-cost choice with a bound that holds for every plan that meets the requirements.

    Parameters
    ----------
    effort : float
        Share of the site's work and time limits.
    start : int64 array, optional
        Poses to start from.
    seconds : float, optional
        Time limit in s instead of the site's share.
    """
    exact = site.design.budget is not None or np.array_equal(
        demand_planned(problem.rows), demand_implied(problem.rows)
    )
    if exact:
        return solve(site, candidates, problem, effort, start, progress, seconds=seconds)
    heard = None
    if progress is not None:
        # The harder problem's bound is none of the asked one, so nobody hears it.
        def heard(step: str, seconds: float, cost: float | None, _: float | None) -> None:
            progress(step, seconds, cost, None)

    part = 1.0 - BOUND_SHARE
    solution = solve(
        site,
        candidates,
        problem,
        effort * part,
        start,
        heard,
        seconds=None if seconds is None else part * seconds,
    )
    solution = replace(
        solution, log=tuple(entry._replace(lower_bound=np.nan) for entry in solution.log)
    )
    if solution.status in ("infeasible", "unknown") or solution.interrupted:
        return without_bound(solution)
    left = None if seconds is None else max(0.0, seconds - solution.seconds)
    return _with_implied_bound(site, candidates, problem, solution, effort, progress, left)


def bounded_demand(site: Site, rows: Rows) -> npt.NDArray[np.int64]:
    """Views of each row in the problem that the stated bound is about, int64 [rows]."""
    return demand_planned(rows) if site.design.budget is not None else demand_implied(rows)


def without_bound(solution: CoverSolution) -> CoverSolution:
    """A solution of a harder problem than asked: its bound is none of the asked problem."""
    if solution.status == "infeasible":
        return solution
    return replace(
        solution,
        status="unknown" if solution.status == "unknown" else "feasible",
        lower_bound=0.0,
        gap=1.0 if solution.cost > 0 else 0.0,
        price_bound=0.0,
        row_duals=np.zeros_like(solution.row_duals),
        cut_duals={},
        class_duals=np.zeros_like(solution.class_duals),
        price_tree=None,
        price_windows=(),
    )


def _with_implied_bound(
    site: Site,
    candidates: Candidates,
    problem: Problem,
    solution: CoverSolution,
    effort: float,
    progress: Progress | None,
    seconds: float | None,
) -> CoverSolution:
    """The solution with a bound that holds for every plan that meets the requirements.

    The plan was sought by a condition that is only sufficient, whose own bound may lie too high.
    """
    heard = None
    if progress is not None:

        def heard(step: str, seconds: float, _: float | None, bound: float | None) -> None:
            progress(step, seconds, float(solution.cost), bound)

    looser = solve(
        site,
        candidates,
        problem,
        effort * BOUND_SHARE,
        solution.chosen,
        heard,
        demand=demand_implied(problem.rows),
        seconds=seconds,
    )
    bound = min(looser.lower_bound, solution.cost)
    gap = (solution.cost - bound) / solution.cost if solution.cost > 0 else 0.0
    return replace(
        solution,
        status="optimal" if gap <= 1e-9 else "feasible",
        lower_bound=bound,
        gap=gap,
        price_bound=looser.price_bound,
        cost_step=looser.cost_step,
        row_duals=looser.row_duals,
        cut_duals=looser.cut_duals,
        class_duals=looser.class_duals,
        price_tree=looser.price_tree,
        price_windows=looser.price_windows,
        log=(*solution.log, *_later(looser.log, solution, bound)),
        work=solution.work + looser.work,
        seconds=solution.seconds + looser.seconds,
        interrupted=looser.interrupted,
    )


def _later(log: tuple[Any, ...], solution: CoverSolution, bound: float) -> list[Any]:
    """Log of the search for the bound, after that for the plan and at the plan's cost."""
    return [
        entry._replace(
            seconds=solution.seconds + entry.seconds,
            cost=solution.cost,
            lower_bound=min(bound, entry.lower_bound),
        )
        for entry in log
    ]


def cover_arguments(
    site: Site, candidates: Candidates, problem: Problem, demand: npt.NDArray[np.int64]
) -> dict[str, Any]:
    """The problem as arguments of :func:`watchline.design.cover.cover`.

    Parameters
    ----------
    demand : int64 array [rows]
        Views that each row needs.
    """
    rows, columns = problem.rows, problem.columns
    mounts = candidates.mounts
    matrix = scipy.sparse.csc_matrix(
        (np.ones(len(columns.indices), dtype=np.int8), columns.indices, columns.indptr),
        shape=(len(rows), len(columns.poses)),
    )
    some = len(columns.poses) > 0
    return {
        "costs": columns.poses["cost"].to_numpy(float) if some else np.empty(0),
        "columns": matrix,
        "demand": demand,
        "groups": columns.poses["mount"].to_numpy(np.int64) if some else None,
        "group_costs": mounts["cost"].to_numpy(float) if some else None,
        "sites": mounts["site"].to_numpy(np.int64) if some else None,
        "row_cap": np.ones(len(rows), dtype=np.int64),
        "row_class": rows.requirement,
        "allowed_uncovered": allowed_misses(rows, candidates.cells),
        "capacity": mounts["capacity"].to_numpy(np.int64) if some else None,
        "budget": site.design.budget,
    }


def solve(
    site: Site,
    candidates: Candidates,
    problem: Problem,
    effort: float,
    start: npt.NDArray[np.int64] | None,
    progress: Progress | None,
    demand: npt.NDArray[np.int64] | None = None,
    seconds: float | None = None,
) -> CoverSolution:
    """Run the covering solver on a problem.

    Parameters
    ----------
    effort : float
        Share of the site's work and time limits.
    start : int64 array, optional
        Poses to start from.
    demand : int64 array [rows], optional
        Views that each row needs; None: what the requirements ask.
    seconds : float, optional
        Time limit in s instead of the site's share.
    """
    return cover(
        **cover_arguments(
            site, candidates, problem, demand_planned(problem.rows) if demand is None else demand
        ),
        time_limit=effort * site.design.time_limit_s if seconds is None else seconds,
        work_limit=effort * site.design.work_limit,
        seed=site.seed,
        gap=site.design.gap,
        start=start,
        progress=None
        if progress is None
        else lambda seconds, cost, bound: progress("cover", seconds, cost, bound),
    )
