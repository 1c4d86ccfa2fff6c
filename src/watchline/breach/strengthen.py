"""Design for interruption: the least addition to a plan with which no path is stopped too rarely.

Posts first: the fewest on the road with which every entry could be made to hold if detection were
as good as :data:`IDEAL_VIEWS` of the best devices everywhere. Entries that even these do not save
are response-infeasible: no sensor helps there, and they are told and left out. Then devices: the
weakest paths of the plan become cuts (:mod:`watchline.breach.cuts`), the least addition that
satisfies all cuts is found (:mod:`watchline.breach.addition`), and the weakest paths of that plan
are cuts in turn, until none is left.

What fog and outages leave is taken as it is before the addition: the normal state makes up for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from watchline.breach.addition import Cut, least_addition, shortage
from watchline.breach.cuts import PathHazard, path_hazard, path_value
from watchline.breach.ground import Strip
from watchline.breach.offers import Offers, rates_at, with_poses
from watchline.breach.posts import needed_posts
from watchline.breach.respond import Unit, soonest, unit_times_s
from watchline.breach.study import Case, Study, by_height
from watchline.breach.watch import WINDOW_ROWS_M, joined_watch, rates, watch_of
from watchline.breach.weakest import (
    Escape,
    Weakest,
    escape,
    hazard_field,
    trace_path,
    weakest,
)
from watchline.design.columns import Scene
from watchline.model.plan import Plan
from watchline.model.terrain import Terrain
from watchline.physics.detection import rate_per_s, with_remainder
from watchline.prove.heights import Relief, relief_of

FloatArray = npt.NDArray[np.float64]
IDEAL_VIEWS = 2
"""Views by the best grade of the walk tests that the posts reckon with at every cell."""
MOST_ROUNDS = 80
CUT_SPACING_M = 40.0
"""Entries whose paths become cuts in one round lie at least so far apart."""
SLACK = 1e-6
SUREST = 0.999
"""Arrival in time beyond which no post is planned for."""


@dataclass(frozen=True)
class Strengthened:
    """A plan designed for interruption beside the one that it was made from.

    Attributes
    ----------
    plan : Plan
        With what was added.
    units : tuple of Unit
        The posts that were added.
    posts : tuple of (float, float, float)
        Their chainage and coordinates.
    cost, lower_bound : float
        Of the added devices and mounts: what they cost, and the least that any addition of the
        offered poses costs with these posts, the other states left as they are.
    hopeless : bool array [entries]
        By the chainage of ``study.strip``: entries that no detection makes hold.
    short : bool array [entries]
        Entries that still fail at the end.
    rounds, cuts : int
        Of the search.
    ended : str
        Why the search ended where entries are left; empty where none is.
    worst : float
        Least probability of interruption over all states, at the entries that are not hopeless, by
        this search's own figures.
    """

    plan: Plan
    units: tuple[Unit, ...]
    posts: tuple[tuple[float, float, float], ...]
    cost: float
    lower_bound: float
    hopeless: npt.NDArray[np.bool_]
    short: npt.NDArray[np.bool_]
    rounds: int
    cuts: int
    ended: str
    worst: float


@dataclass(frozen=True)
class _Front:
    """One adversary in the normal state against the plan as it has become."""

    case: Case
    out: Escape
    rate_of: dict[float, FloatArray]
    least: Weakest


def strengthen(
    study: Study,
    scene: Scene,
    terrain: Terrain,
    plan: Plan,
    offers: Offers,
    required: float,
    progress: Callable[[float], None] | None = None,
) -> Strengthened:
    """Add posts, mounts and devices until every path is interrupted with the required probability.

    Parameters
    ----------
    study : Study
        Of the plan as it is.
    scene : Scene
        Candidates, visibility and lenses.
    terrain, plan
        The ground and what stands.
    offers : Offers
        What could be added.
    required : float
        Probability of interruption, over all states, at every entry.
    progress : callable, optional
        Is told the share of failing entries that hold by now.
    """
    strip, defence = study.strip, study.defence
    communication = defence.detection.communication
    usual = with_remainder([state.probability for state in defence.states])
    asked_most = max(
        float((required - _struck(study, case, case.escape)).max()) / max(usual, 1e-12)
        for case in study.cases
    )
    most = asked_most if asked_most < SUREST * communication else required
    units, places = needed_posts(study, most, ideal_rate_per_s(study) * IDEAL_VIEWS)
    outs = _escapes(study, units)
    struck = [_struck(study, case, out) for case, out in zip(study.cases, outs, strict=True)]
    # What the normal state must give at every entry, so that the other states' part is made up for.
    needed = [(required - part) / max(usual, 1e-12) for part in struck]
    hopeless = _hopeless(study, outs, needed)
    relief = relief_of(terrain)
    watch, chosen, bound = study.watch, np.zeros(0, np.int64), 0.0
    cuts: list[Cut] = []
    added, first, ended = plan, 0, ""
    for rounds in range(1, MOST_ROUNDS + 1):
        rate_of = by_height(watch, rates(watch, defence, None))
        fronts = [
            _front(strip, case, out, rate_of, communication)
            for case, out in zip(study.cases, outs, strict=True)
        ]
        failing = [
            (front.least.curve < asked - SLACK) & ~lost
            for front, asked, lost in zip(fronts, needed, hopeless, strict=True)
        ]
        left = int(sum(fails.sum() for fails in failing))
        first = first or left
        if progress is not None and first:
            progress(1.0 - left / first)
        if not left or rounds == MOST_ROUNDS:
            ended = f"{MOST_ROUNDS} rounds were not enough" if left else ""
            break
        entries = [
            (front, row, float(asked[row]))
            for front, asked, fails in zip(fronts, needed, failing, strict=True)
            for row in _spread_out(front.least.curve - asked, fails, strip)
        ]
        cuts += _cuts(study, scene, relief, offers, entries, chosen)
        answer = least_addition(offers, cuts)
        if answer is None:
            ended = shortage(cuts)
            break
        chosen, least = answer
        bound = max(bound, least)
        added = with_poses(scene, plan, offers, chosen)
        more = watch_of(scene.site, terrain, _only_new(plan, added), strip)
        watch = joined_watch(study.watch, more)
    over = [
        usual * front.least.curve[~lost] + part[~lost]
        for front, part, lost in zip(fronts, struck, hopeless, strict=True)
    ]
    return Strengthened(
        added,
        units,
        places,
        added.cost - plan.cost,
        bound,
        np.logical_or.reduce(hopeless),
        np.logical_or.reduce(failing),
        rounds,
        len(cuts),
        ended,
        min((float(np.nanmin(p)) for p in over if np.isfinite(p).any()), default=1.0),
    )


def ideal_rate_per_s(study: Study) -> float:
    """Rate of the best grade of the walk tests of any device on offer [1/s]."""
    grades = study.defence.detection.grades.values()
    found = [float(rate_per_s(g.probability, g.within_s)) for many in grades for g in many]
    return max(found, default=0.0)


def _escapes(study: Study, units: tuple[Unit, ...]) -> list[Escape]:
    """What a detection of each adversary is worth with more posts."""
    found = []
    for case in study.cases:
        more = tuple(
            unit_times_s(study.defence, study.road, unit, case.exits.r_m, case.exits.cross_s)
            for unit in units
        )
        come = soonest((*case.times_s, *more), case.exits.r_m.size)
        found.append(escape(case.walker, study.strip.shape, come))
    return found


def _struck(study: Study, case: Case, out: Escape) -> FloatArray:
    """What the states other than the normal one give at every entry, weighed by their share."""
    total = np.zeros(study.strip.shape[0])
    for state in study.defence.states:
        rate_of = by_height(study.watch, rates(study.watch, study.defence, state))
        front = _front(study.strip, case, out, rate_of, study.defence.detection.communication)
        total += state.probability * np.nan_to_num(front.least.curve)
    return total


def _hopeless(
    study: Study, outs: list[Escape], needed: list[FloatArray]
) -> list[npt.NDArray[np.bool_]]:
    """Entries at which even a detection as good as can be does not suffice."""
    rate = np.full(study.watch.cells, ideal_rate_per_s(study) * IDEAL_VIEWS)
    rate_of = dict.fromkeys(study.watch.heights_m, rate)
    communication = study.defence.detection.communication
    return [
        _front(study.strip, case, out, rate_of, communication).least.curve < asked
        for case, out, asked in zip(study.cases, outs, needed, strict=True)
    ]


def _front(
    strip: Strip, case: Case, out: Escape, rate_of: dict[float, FloatArray], communication: float
) -> _Front:
    hazard = hazard_field(strip, case.walker, rate_of)
    least = weakest(case.walker, hazard, out, communication)
    return _Front(replace(case, hazard=hazard), out, rate_of, least)


def _spread_out(excess: FloatArray, fails: npt.NDArray[np.bool_], strip: Strip) -> list[int]:
    """Failing entries, the worst first, at a distance from each other."""
    apart = max(1, round(CUT_SPACING_M / strip.row_m))
    left = fails.copy()
    found = []
    for row in np.argsort(np.where(fails, excess, np.inf), kind="stable")[: int(fails.sum())]:
        if left[row]:
            found.append(int(row))
            left[max(0, row - apart) : row + apart + 1] = False
    return found


def _only_new(plan: Plan, added: Plan) -> Plan:
    """What was added alone: its devices, and the mounts that carry them."""
    devices = added.devices.iloc[len(plan.devices) :]
    mounts = added.mounts[added.mounts["mount_id"].isin(devices["mount_id"])]
    return replace(added, mounts=mounts, devices=devices)


def _cuts(
    study: Study,
    scene: Scene,
    relief: Relief,
    offers: Offers,
    entries: list[tuple[_Front, int, float]],
    chosen: npt.NDArray[np.int64],
) -> list[Cut]:
    """The weakest path from each entry as a cut.

    Parameters
    ----------
    entries : list of (_Front, int, float)
        Adversary, row and what the normal state must give there.
    chosen : int64 array
        Poses that are added already, and therefore counted in the adversaries' fields.
    """
    strip, heights = study.strip, study.watch.heights_m
    communication = study.defence.detection.communication
    paths: list[tuple[PathHazard, float, FloatArray]] = []
    for front, row, _ in entries:
        case = front.case
        trace = trace_path(case.walker, case.hazard, front.least, front.out, row)
        terms = path_hazard(strip, case.walker, trace, front.rate_of)
        worth = communication * trace.stopped[:-1]
        paths.append((terms, *path_value(terms.of_rates(front.rate_of), worth)))
    cells = np.unique(np.concatenate([terms.cell for terms, _, _ in paths]))
    found = rates_at(scene, relief, strip, offers, cells, heights, WINDOW_ROWS_M)
    rate = found.in_state(offers, study.defence, None)
    place = found.at * len(heights) + found.height
    order = np.argsort(place, kind="stable")
    place, pose, rate = place[order], found.pose[order], rate[order]
    number = {height: h for h, height in enumerate(heights)}
    is_chosen = np.zeros(len(offers.poses), dtype=bool)
    is_chosen[chosen] = True
    cuts = []
    for (terms, value, gradient), (_, row, asked) in zip(paths, entries, strict=True):
        height = np.array([number[h] for h in terms.height_m])
        at = np.searchsorted(cells, terms.cell) * len(heights) + height
        weight = np.zeros(len(offers.poses))
        low, high = np.searchsorted(place, at), np.searchsorted(place, at, "right")
        for a, b, seconds in zip(low, high, terms.seconds_at(gradient), strict=True):
            if seconds > 0:
                weight[pose[a:b]] += seconds * rate[a:b]  # each pose stands once in a place's list
        poses = np.flatnonzero(weight > 0)
        need = asked - (value - float(weight[is_chosen].sum()))
        cuts.append(Cut(float(strip.s_m[row]), need, poses, weight[poses]))
    return cuts
