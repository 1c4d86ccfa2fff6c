"""Columns generated when the prices want them.

The enumeration of :mod:`watchline.design.poses` is a start. The prices of a solved problem say
what each row costs; every mount is then asked for its best package over all aims of its lenses
(:mod:`watchline.design.all_aims`). A package that is worth more than its mount costs shows aims
that the enumeration lacks; they are offered too, and the problem is solved again from the plan at
hand. After the last search the mounts are priced once more: what they are worth then bounds the
cost of every plan, whatever its aims.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.design.all_aims import offered, pose_table, price_mounts
from watchline.design.choose import Problem, Progress, bounded_demand, choose, solve, without_bound
from watchline.design.columns import Columns, Scene, by_mount, join_columns, mount_columns
from watchline.design.cover import CoverSolution
from watchline.design.poses import POSE_COLUMNS
from watchline.design.pricing import PricedAim, best_aim, make_field, sighting
from watchline.design.refine import centre, refine
from watchline.design.rows import demand_planned
from watchline.model.site import Site

EARLY_SHARES = (1.0,)
"""Searches whose prices generate columns, as shares of the effort that the last search has.

With the whole effort the plan before is the one that the listed poses alone would give, so that
generating never makes a plan dearer."""
BESIDES = 1e-3
"""Worth of a row that is held already, where aims are sought for rows that no pose holds."""


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
    timed : bool
        Whether the clock stopped a search before its work was done.
    """

    problem: Problem
    solution: CoverSolution
    all_aims_bound: float | None
    generated: int
    timed: bool = False


def choose_aims(
    scene: Scene,
    problem: Problem,
    effort: float,
    start: npt.NDArray[np.int64] | None,
    progress: Progress | None,
) -> Chosen:
    """The least-cost choice among the poses on offer and those that its prices ask for.

    Parameters
    ----------
    scene : Scene
        Site, candidates and who sees what.
    problem : Problem
        Rows, and the poses to begin with.
    effort : float
        Share of the site's work and time limits for the last search; those before have
        :data:`EARLY_SHARES` of it each. A search that goes on from a start with less than the
        whole effort has none before, and no bound over all aims.
    start : int64 array, optional
        Poses to start from.
    progress : callable, optional
        Called with the step's name, seconds, cost and bound.

    Returns
    -------
    Chosen
        Interrupted, the choice at hand.
    """
    site, candidates = scene.site, scene.candidates
    planned = demand_planned(problem.rows)
    before, first = len(problem.columns.poses), start
    earlier: CoverSolution | None = None
    whole = start is None or effort >= 1.0
    timed = False
    for share in EARLY_SHARES if whole else ():
        heard = _later(progress, earlier, bound=False)
        solution = solve(site, candidates, problem, effort * share, first, heard)
        timed |= solution.seconds >= effort * share * site.design.time_limit_s
        if solution.status == "unknown":
            break
        if solution.status != "infeasible":
            first, earlier = solution.chosen, _joined(earlier, solution)
        if solution.interrupted:
            return Chosen(problem, _stopped(site, problem, earlier or solution), None, 0, timed)
        try:
            problem, first = _offered_more(scene, problem, solution, first, planned)
        except KeyboardInterrupt:
            return Chosen(problem, _stopped(site, problem, earlier or solution), None, 0, timed)
    heard = _later(progress, earlier)
    solution = choose(site, candidates, problem, effort, first, heard)
    if solution.status == "infeasible" and earlier is None:
        problem, first = _offered_more(scene, problem, solution, first, planned)
        solution = choose(site, candidates, problem, effort, first, heard)
    timed |= solution.seconds >= effort * site.design.time_limit_s
    bound = None
    settled = solution.status in ("optimal", "feasible") and not solution.interrupted
    if settled and whole and site.design.budget is None:
        try:
            asked = bounded_demand(site, problem.rows)
            bound = price_mounts(scene, asked, solution.row_duals, solution.class_duals).bound
            bound = min(bound, solution.lower_bound)
        except KeyboardInterrupt:
            solution = replace(solution, interrupted=True)
    generated = len(problem.columns.poses) - before
    if settled:
        problem = replace(problem, columns=centre(scene, problem.columns, solution.chosen))
    return Chosen(problem, _joined(earlier, solution), bound, generated, timed)


def _offered_more(
    scene: Scene,
    problem: Problem,
    solution: CoverSolution,
    first: npt.NDArray[np.int64] | None,
    demand: npt.NDArray[np.int64],
) -> tuple[Problem, npt.NDArray[np.int64] | None]:
    """The problem with the poses that a solution asks for, and the poses to go on from."""
    if solution.status == "infeasible":
        poses = aims_for(scene, solution.uncovered)
    else:
        poses = price_mounts(scene, demand, solution.row_duals, solution.class_duals).poses
    columns, place = add_poses(scene, problem.columns, poses)
    first = None if first is None else place[first]
    if solution.status != "infeasible" and scene.site.design.budget is None:
        refined = refine(scene, columns, first, demand)
        columns, _ = add_poses(scene, columns, refined)
        first = numbers_of(columns, refined)
    return replace(problem, columns=columns), first


def _stopped(site: Site, problem: Problem, solution: CoverSolution) -> CoverSolution:
    """The solution of an early search that was stopped, with a bound only if it is the asked one's.

    Early searches solve the problem that plans are made for, which may be harder than what is asked
    (:func:`watchline.design.choose.choose`).
    """
    solution = replace(solution, interrupted=True)
    exact = np.array_equal(demand_planned(problem.rows), bounded_demand(site, problem.rows))
    return solution if exact else without_bound(solution)


def _later(
    progress: Progress | None, earlier: CoverSolution | None, *, bound: bool = True
) -> Progress | None:
    """Progress of a search that follows an earlier one: its clock goes on.

    The bound of a search that more poses follow is not that of all, so nobody hears it.
    """
    if progress is None:
        return None
    begun = 0.0 if earlier is None else earlier.seconds
    return lambda step, seconds, cost, proven: progress(
        step, begun + seconds, cost, proven if bound else None
    )


def _joined(earlier: CoverSolution | None, solution: CoverSolution) -> CoverSolution:
    """A solution with the log, work and time of the searches before it.

    The bounds of earlier searches are of fewer poses, so none of the later problem's.
    """
    if earlier is None:
        return solution
    log = [entry._replace(lower_bound=np.nan) for entry in earlier.log]
    log += [entry._replace(seconds=earlier.seconds + entry.seconds) for entry in solution.log]
    return replace(
        solution,
        log=tuple(log),
        work=earlier.work + solution.work,
        seconds=earlier.seconds + solution.seconds,
    )


def aims_for(scene: Scene, rows: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Aims that hold given rows: from every mount that sees one, with every lens that reaches it.

    Parameters
    ----------
    rows : int64 array
        Rows that no pose on offer holds.

    Returns
    -------
    DataFrame
        Columns :data:`watchline.design.poses.POSE_COLUMNS`.
    """
    wanted = np.zeros(len(scene.rows), dtype=bool)
    wanted[rows] = True
    found: list[tuple[int, PricedAim]] = []
    for mount in range(len(scene.candidates.mounts)):
        sight = sighting(scene.view(mount), scene.rows)
        asked = wanted[sight.row]
        if not asked.any():
            continue
        for lens, near in offered(scene, mount, sight):
            left = asked & near
            field = make_field(sight, lens, near) if left.any() else None
            while field is not None and left.any():
                aim, held = best_aim(field, np.where(left, 1.0, BESIDES * near))
                if not (held & left).any():
                    break
                found.append((mount, aim))
                left &= ~held
    return pose_table(found)


def add_poses(
    scene: Scene, columns: Columns, poses: pd.DataFrame
) -> tuple[Columns, npt.NDArray[np.int64]]:
    """Columns with more poses; those that are there already, or see nothing, are not added.

    Parameters
    ----------
    poses : DataFrame
        Columns :data:`watchline.design.poses.POSE_COLUMNS`.

    Returns
    -------
    columns : Columns
        In order of mount.
    place : int64 array [columns]
        Where each of the given columns is now.
    """
    known = set()  # where nothing was offered, not even the table's columns are there
    if len(columns.poses):
        known = set(columns.poses[list(POSE_COLUMNS)].itertuples(index=False, name=None))
    fresh = [tuple(pose) not in known for pose in poses.itertuples(index=False, name=None)]
    poses = poses[np.array(fresh, dtype=bool)]
    parts = [
        mount_columns(scene, scene.view(int(mount)), group.reset_index(drop=True))
        for mount, group in poses.groupby("mount")
    ]
    if not parts:
        return columns, np.arange(len(columns.poses))
    return by_mount(join_columns([columns, *parts]), len(scene.rows), len(columns.poses))


def numbers_of(columns: Columns, poses: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Numbers of poses among the columns; those that are not there are left out."""
    wanted = set(poses[list(POSE_COLUMNS)].itertuples(index=False, name=None))
    mine = columns.poses[list(POSE_COLUMNS)].itertuples(index=False, name=None)
    return np.array([k for k, pose in enumerate(mine) if pose in wanted], dtype=np.int64)
