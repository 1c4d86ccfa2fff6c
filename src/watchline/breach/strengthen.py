"""Design for interruption: the least addition to a plan with which no path is stopped too rarely.

Posts are given (:mod:`watchline.breach.garrison` offers several choices). Entries that would not
hold even if every cell were watched by :data:`IDEAL_VIEWS` of the best devices are
response-infeasible: no sensor helps there, and they are told and left out. Then devices: the
weakest paths of the plan become cuts (:mod:`watchline.breach.cuts`), the least addition that
satisfies all cuts is found (:mod:`watchline.breach.addition`), and the weakest paths of that plan
are cuts in turn, until none is left.

A demand on the mean over states has one cut an entry: the sum of the tangents of the weakest paths
of all its states, each weighed by its share of time. Each tangent lies above its state's least
probability, whatever is built, and so does the sum above the mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from watchline.breach.addition import Cut, least_addition, least_cost
from watchline.breach.cuts import path_gains, path_hazard, path_value
from watchline.breach.demands import Demand, demands_of, states_of
from watchline.breach.ground import Strip
from watchline.breach.offers import OFFER_REACH_M, Offers, Rates, hazards_along, with_poses
from watchline.breach.posts import Garrison
from watchline.breach.respond import Unit, soonest, unit_times_s
from watchline.breach.study import Case, Study, by_height
from watchline.breach.watch import Watch, joined_watch, rates, watch_of
from watchline.breach.weakest import (
    Escape,
    Weakest,
    escape,
    hazard_field,
    trace_path,
    weakest,
)
from watchline.design.columns import Scene
from watchline.model.defence import DefenceState
from watchline.model.plan import Plan
from watchline.model.terrain import Terrain
from watchline.physics.detection import rate_per_s

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IDEAL_VIEWS = 4
"""Views by the best grade of the walk tests with which an entry must hold to be worth a device."""
MOST_ROUNDS = 80
CUT_SPACING_M = 40.0
"""Entries whose paths become cuts in one round lie at least so far apart."""
SLACK = 1e-6


@dataclass(frozen=True)
class Strengthened:
    """A plan designed for interruption beside the one that it was made from.

    Attributes
    ----------
    plan : Plan
        With what was added.
    garrison : Garrison
        The posts that were added.
    cost, lower_bound : float
        Of the added devices and mounts: what they cost, and the least that any addition of the
        offered poses costs with these posts.
    hopeless : bool array [entries]
        By the chainage of ``study.strip``: entries that no detection makes hold.
    short : bool array [entries]
        Entries that still fail at the end.
    rounds, cuts : int
        Of the search.
    ended : str
        Why the search ended where entries are left; empty where none is.
    """

    plan: Plan
    garrison: Garrison
    cost: float
    lower_bound: float
    hopeless: BoolArray
    short: BoolArray
    rounds: int
    cuts: int
    ended: str


@dataclass(frozen=True)
class _Front:
    """One adversary in one state against the plan as it has become."""

    case: Case
    out: Escape
    state: DefenceState | None
    rate_of: dict[float, FloatArray]
    least: Weakest


def strengthen(
    study: Study,
    scene: Scene,
    terrain: Terrain,
    plan: Plan,
    offers: Offers,
    offered: Callable[[], Rates],
    garrison: Garrison,
    progress: Callable[[float], None] | None = None,
) -> Strengthened:
    """Add mounts and devices until every demand holds at every entry that is not hopeless.

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
    offered : callable
        Gives how fast each of them would detect where; asked for if a device is needed.
    garrison : Garrison
        Posts that stand besides those of the study.
    progress : callable, optional
        Is told the share of failing entries that hold by now.
    """
    strip = study.strip
    demands = demands_of(study.defence)
    outs = escapes(study, garrison.units)
    hopeless = hopeless_entries(study, outs)
    watch, chosen = study.watch, np.zeros(0, np.int64)
    cuts: list[Cut] = []
    added, first, ended = plan, 0, ""
    given_up = np.zeros(strip.shape[0], dtype=bool)
    for rounds in range(1, MOST_ROUNDS + 1):
        fronts = [
            _fronts(study, watch, case, out) for case, out in zip(study.cases, outs, strict=True)
        ]
        over = [
            [demand.mean([front.least.curve for front in mine]) for demand in demands]
            for mine in fronts
        ]
        failing = [
            [
                (curve < demand.required - SLACK) & ~hopeless & ~given_up
                for demand, curve in zip(demands, curves, strict=True)
            ]
            for curves in over
        ]
        left = int(sum(fails.sum() for many in failing for fails in many))
        first = first or left
        if progress is not None and first:
            progress(1.0 - left / first)
        if not left or rounds == MOST_ROUNDS:
            if left:
                ended = f"{MOST_ROUNDS} rounds were not enough"
            break
        entries = [
            (mine, row, demand)
            for mine, curves, many in zip(fronts, over, failing, strict=True)
            for demand, curve, fails in zip(demands, curves, many, strict=True)
            for row in _spread_out(curve - demand.required, fails, strip)
        ]
        cuts += _cuts(study, offers, offered(), entries, chosen)
        answer = least_addition(offers, cuts)
        chosen = answer.poses
        missed = {cuts[k].s_m for k in np.flatnonzero(answer.slack > SLACK)}
        if missed:
            # What no choice of poses reaches is told, and the rest of the line goes on without it.
            given_up |= np.isin(strip.s_m, sorted(missed))
            cuts = [cut for cut in cuts if cut.s_m not in missed]
            ended = "no choice of the offered poses reaches it"
        added = with_poses(scene, plan, offers, chosen)
        more = watch_of(scene.site, terrain, _only_new(plan, added), strip, sight=study.sight)
        watch = joined_watch(study.watch, more)
    return Strengthened(
        added,
        garrison,
        added.cost - plan.cost,
        least_cost(offers, cuts),
        hopeless,
        _short(over, demands, hopeless),
        rounds,
        len(cuts),
        ended,
    )


def _short(
    over: list[list[FloatArray]], demands: tuple[Demand, ...], hopeless: BoolArray
) -> BoolArray:
    """Entries that fail a demand though they are not hopeless."""
    short = np.zeros_like(hopeless)
    for curves in over:
        for demand, curve in zip(demands, curves, strict=True):
            short |= (curve < demand.required - SLACK) & ~hopeless
    return short


def ideal_rate_per_s(study: Study) -> float:
    """Rate of the best grade of the walk tests of any device on offer [1/s]."""
    grades = study.defence.detection.grades.values()
    found = [float(rate_per_s(g.probability, g.within_s)) for many in grades for g in many]
    return max(found, default=0.0)


def escapes(study: Study, units: tuple[Unit, ...]) -> list[Escape]:
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


def hopeless_entries(study: Study, outs: list[Escape]) -> BoolArray:
    """Entries at which some demand fails even if every cell is watched as well as can be.

    In a state that takes power or data from a stretch of mounts, cells farther than
    :data:`~watchline.breach.offers.OFFER_REACH_M` from every other mount have what they have.

    Parameters
    ----------
    study : Study
        Of the plan as it is.
    outs : list of Escape
        What a detection is worth, one an adversary.
    """
    demands, states = demands_of(study.defence), states_of(study.defence)
    lost = np.zeros(study.strip.shape[0], dtype=bool)
    for case, out in zip(study.cases, outs, strict=True):
        curves = []
        for state in states:
            rate_of = ideal_rates(study, state, IDEAL_VIEWS)
            curves.append(_front(study, case, out, state, rate_of).least.curve)
        for demand in demands:
            lost |= demand.mean(curves) < demand.required
    return lost


def ideal_rates(study: Study, state: DefenceState | None, views: float) -> dict[float, FloatArray]:
    """Rates by target height if every cell were watched by so many of the best devices [1/s]."""
    rate = np.full(study.strip.shape, ideal_rate_per_s(study) * views)
    here: list[FloatArray] = rates(study.watch, study.defence, state)
    if state is not None:
        known = dict(study.defence.detection.grades)
        rate *= max((state.factors.get(kind, 1.0) for kind in known), default=1.0)
        s = study.strip.s_m
        far = (s > state.lost_from_m + OFFER_REACH_M) & (s < state.lost_to_m - OFFER_REACH_M)
        rate[far] = 0.0
    return {
        height: np.maximum(rate.ravel(), own)
        for height, own in zip(study.watch.heights_m, here, strict=True)
    }


def _fronts(study: Study, watch: Watch, case: Case, out: Escape) -> list[_Front]:
    """One adversary in every state."""
    return [
        _front(study, case, out, state, by_height(watch, rates(watch, study.defence, state)))
        for state in states_of(study.defence)
    ]


def _front(
    study: Study,
    case: Case,
    out: Escape,
    state: DefenceState | None,
    rate_of: dict[float, FloatArray],
) -> _Front:
    hazard = hazard_field(study.strip, case.walker, rate_of)
    least = weakest(case.walker, hazard, out, study.defence.detection.communication)
    return _Front(replace(case, hazard=hazard), out, state, rate_of, least)


def _spread_out(excess: FloatArray, fails: BoolArray, strip: Strip) -> list[int]:
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


@dataclass(frozen=True)
class _Path:
    """A weakest path: what the plan as it was and as it is make of it, and what poses would add.

    Attributes
    ----------
    poses : int64 array [n]
        Offered poses that would detect on it.
    value, base : float
        Probability of interruption with what is added so far, and with nothing added.
    alone, tangent, first : float64 array [n]
        Gains of each pose: alone beside what is added, on the tangent there, and alone beside the
        plan as it was.
    """

    poses: npt.NDArray[np.int64]
    value: float
    base: float
    alone: FloatArray
    tangent: FloatArray
    first: FloatArray


def _cuts(
    study: Study,
    offers: Offers,
    offered: Rates,
    entries: list[tuple[list[_Front], int, Demand]],
    chosen: npt.NDArray[np.int64],
) -> list[Cut]:
    """The weakest paths from each entry as cuts, all of which any sufficient addition satisfies.

    Parameters
    ----------
    entries : list of (list of _Front, int, Demand)
        Adversary in every state, row and what is asked there.
    chosen : int64 array
        Poses that are added already, and therefore counted in the adversaries' fields.
    """
    base = [
        by_height(study.watch, rates(study.watch, study.defence, state))
        for state in states_of(study.defence)
    ]
    traced: dict[tuple[int, int], _Path] = {}
    is_chosen = np.zeros(len(offers.poses), dtype=bool)
    is_chosen[chosen] = True
    cuts = []
    for fronts, row, demand in entries:
        alone, tangent, first = (np.zeros(len(offers.poses)) for _ in range(3))
        value, before = 0.0, 0.0
        for front, share, plain in zip(fronts, demand.weights, base, strict=True):
            if share <= 0:
                continue
            key = id(front), row
            if key not in traced:
                traced[key] = _traced(study, offers, offered, front, row, plain)
            path = traced[key]
            value, before = value + share * path.value, before + share * path.base
            alone[path.poses] += share * path.alone
            tangent[path.poses] += share * path.tangent
            first[path.poses] += share * path.first
        s = float(study.strip.s_m[row])
        here = is_chosen & (first > 0)
        # Beside what is added: its poses count as given, whether they stay or not.
        cuts.append(_cut(s, demand.required - value, np.where(is_chosen, 0.0, alone)))
        if here.any():
            # Each alone beside the plan as it was; and the tangent, which credits what stays.
            cuts.append(_cut(s, demand.required - before, first))
            had = float(tangent[here].sum())
            cuts.append(_cut(s, demand.required - value + had, tangent))
    return cuts


def _cut(s_m: float, need: float, worth: FloatArray) -> Cut:
    poses = np.flatnonzero(worth > 0)
    return Cut(s_m, need, poses, worth[poses])


def _traced(
    study: Study,
    offers: Offers,
    offered: Rates,
    front: _Front,
    row: int,
    plain: dict[float, FloatArray],
) -> _Path:
    """The weakest path from an entry in one state; ``plain``: rates of the plan as it was."""
    case, sight = front.case, study.sight
    trace = trace_path(case.walker, case.hazard, front.least, front.out, row)
    terms = path_hazard(study.strip, case.walker, trace, front.rate_of)
    worth = study.defence.detection.communication * trace.stopped[:-1]
    poses, more = hazards_along(offered, offers, study.defence, sight, front.state, terms)
    now, before = terms.of_rates(front.rate_of), terms.of_rates(plain)
    alone, tangent = path_gains(now, worth, more)
    return _Path(
        poses,
        path_value(now, worth)[0],
        path_value(before, worth)[0],
        alone,
        tangent,
        path_gains(before, worth, more)[0],
    )
