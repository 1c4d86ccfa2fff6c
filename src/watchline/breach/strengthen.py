"""Design for interruption: the least addition to a plan with which no path is stopped too rarely.

Posts first: the fewest on the road with which every entry could be made to hold if detection were
as good as :data:`IDEAL_VIEWS` of the best devices everywhere. Entries that even these do not save
are response-infeasible: no sensor helps there, and they are told and left out. Then devices: the
weakest paths of the plan become cuts (:mod:`watchline.breach.cuts`), a mixed integer program finds
the least cost of poses and mounts that satisfies all cuts, and the weakest paths of that plan are
cuts in turn, until none is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from watchline.breach.cuts import PathHazard, path_hazard, path_value
from watchline.breach.ground import Strip
from watchline.breach.offers import Offers, rates_at, with_poses
from watchline.breach.posts import needed_posts
from watchline.breach.respond import Unit, soonest, unit_times_s
from watchline.breach.study import Case, Study, by_height
from watchline.breach.watch import WINDOW_ROWS_M, Watch, joined_watch, rates, watch_of
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
from watchline.physics.detection import rate_per_s, with_remainder
from watchline.prove.heights import relief_of

FloatArray = npt.NDArray[np.float64]
IDEAL_VIEWS = 2
"""Views by the best grade of the walk tests that the posts reckon with at every cell."""
MOST_ROUNDS = 60
CUT_SPACING_M = 40.0
"""Entries whose paths become cuts in one round lie at least so far apart."""
SLACK = 1e-6
MIP_GAP = 0.002
MIP_SECONDS = 20.0


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
        offered poses costs with these posts that satisfies the cuts.
    hopeless : bool array [entries]
        By the chainage of ``study.strip``: entries that no detection makes hold.
    short : bool array [entries]
        Entries that still fail at the end.
    rounds, cuts : int
        Of the search.
    ended : str
        Why the search ended where entries are left; empty where none is.
    worst : float
        Least probability of interruption, over all states, at the entries that are not hopeless.
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
    """One adversary in one state: what a detection is worth and what the plan's paths are."""

    case: Case
    out: Escape
    state: DefenceState | None
    rate_of: dict[float, FloatArray]
    least: Weakest


@dataclass
class _Cut:
    """One path in one state, as a sum over offered poses."""

    fixed: float
    poses: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    worth: FloatArray = field(default_factory=lambda: np.zeros(0))
    least: float = 0.0


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
    states: list[tuple[float, DefenceState | None]] = [
        (with_remainder([state.probability for state in defence.states]), None),
        *((state.probability, state) for state in defence.states),
    ]
    units, places = needed_posts(study, required, ideal_rate_per_s(study) * IDEAL_VIEWS)
    outs = _escapes(study, units)
    hopeless = _hopeless(study, outs, required)
    master = _Master(scene, strip, offers, terrain, study.watch.heights_m, required)
    watch, chosen, bound = study.watch, np.zeros(0, np.int64), 0.0
    added, first, ended = plan, 0, ""
    for rounds in range(1, MOST_ROUNDS + 1):
        fronts = [
            [_front(study, watch, case, out, state) for _, state in states]
            for case, out in zip(study.cases, outs, strict=True)
        ]
        curves = [_curve(of_case, states) for of_case in fronts]
        failing = [
            (curve < required - SLACK) & ~lost for curve, lost in zip(curves, hopeless, strict=True)
        ]
        open_ = int(sum(fails.sum() for fails in failing))
        first = first or open_
        if progress is not None and first:
            progress(1.0 - open_ / first)
        if not open_ or rounds == MOST_ROUNDS:
            ended = f"{MOST_ROUNDS} rounds were not enough" if open_ else ""
            break
        before = len(master.cuts)
        for of_case, curve, fails in zip(fronts, curves, failing, strict=True):
            for row in _spread_out(curve, fails, strip):
                master.add(study, of_case, states, row, chosen)
        if len(master.cuts) == before:
            ended = "the paths that are left give no new cut"
            break
        answer = master.solve()
        if answer is None:
            ended = master.shortage()
            break
        chosen, least = answer
        bound = max(bound, least)
        added = with_poses(scene, plan, offers, chosen)
        more = watch_of(scene.site, terrain, _only_new(plan, added), strip)
        watch = joined_watch(study.watch, more)
    kept = [curve[~lost] for curve, lost in zip(curves, hopeless, strict=True)]
    worst = min((float(np.nanmin(c)) for c in kept if np.isfinite(c).any()), default=1.0)
    return Strengthened(
        added,
        units,
        places,
        added.cost - plan.cost,
        bound,
        np.logical_or.reduce(hopeless),
        np.logical_or.reduce(failing),
        rounds,
        len(master.cuts),
        ended,
        worst,
    )


def ideal_rate_per_s(study: Study) -> float:
    """Rate of the best grade of the walk tests of any device on offer [1/s]."""
    grades = study.defence.detection.grades.values()
    found = [float(rate_per_s(g.probability, g.within_s)) for many in grades for g in many]
    return max(found, default=0.0)


def _escapes(study: Study, units: tuple[Unit, ...]) -> list[Escape]:
    """What a detection is worth to each adversary's opponents with more posts."""
    found = []
    for case in study.cases:
        more = tuple(
            unit_times_s(study.defence, study.road, unit, case.exits.r_m, case.exits.cross_s)
            for unit in units
        )
        come = soonest((*case.times_s, *more), case.exits.r_m.size)
        found.append(escape(case.walker, study.strip.shape, come))
    return found


def _hopeless(study: Study, outs: list[Escape], required: float) -> list[npt.NDArray[np.bool_]]:
    """Entries at which even a detection as good as can be, in every state, does not suffice."""
    rate = np.full(study.watch.cells, ideal_rate_per_s(study) * IDEAL_VIEWS)
    found = []
    for case, out in zip(study.cases, outs, strict=True):
        ideal = hazard_field(study.strip, case.walker, dict.fromkeys(study.watch.heights_m, rate))
        best = weakest(case.walker, ideal, out, study.defence.detection.communication)
        found.append(best.curve < required)
    return found


def _front(
    study: Study, watch: Watch, case: Case, out: Escape, state: DefenceState | None
) -> _Front:
    rate_of = by_height(watch, rates(watch, study.defence, state))
    hazard = hazard_field(study.strip, case.walker, rate_of)
    least = weakest(case.walker, hazard, out, study.defence.detection.communication)
    return _Front(replace(case, hazard=hazard), out, state, rate_of, least)


def _curve(fronts: list[_Front], states: list[tuple[float, DefenceState | None]]) -> FloatArray:
    """Probability of interruption by entry, over all states, for one who knows the state."""
    return np.sum(
        [p * front.least.curve for (p, _), front in zip(states, fronts, strict=True)], axis=0
    )


def _spread_out(curve: FloatArray, fails: npt.NDArray[np.bool_], strip: Strip) -> list[int]:
    """Failing entries, the worst first, at a distance from each other."""
    apart = max(1, round(CUT_SPACING_M / strip.row_m))
    left = fails.copy()
    found = []
    for row in np.argsort(np.where(fails, curve, np.inf), kind="stable")[: int(fails.sum())]:
        if left[row]:
            found.append(int(row))
            left[max(0, row - apart) : row + apart + 1] = False
    return found


def _only_new(plan: Plan, added: Plan) -> Plan:
    """What was added alone: its devices, and the mounts that carry them."""
    devices = added.devices.iloc[len(plan.devices) :]
    mounts = added.mounts[added.mounts["mount_id"].isin(devices["mount_id"])]
    return replace(added, mounts=mounts, devices=devices)


class _Master:
    """The mixed integer program over offered poses, with the cuts so far."""

    def __init__(
        self,
        scene: Scene,
        strip: Strip,
        offers: Offers,
        terrain: Terrain,
        heights_m: tuple[float, ...],
        required: float,
    ) -> None:
        self.scene, self.strip, self.offers = scene, strip, offers
        self.relief = relief_of(terrain)
        self.heights_m = heights_m
        self.required = required
        self.cuts: list[_Cut] = []
        self.where_m: list[float] = []

    def add(
        self,
        study: Study,
        fronts: list[_Front],
        states: list[tuple[float, DefenceState | None]],
        row: int,
        chosen: npt.NDArray[np.int64],
    ) -> None:
        """The weakest paths from an entry, one a state, as one cut."""
        cut = _Cut(0.0, least=self.required)
        poses, worth = [], []
        for (share, state), front in zip(states, fronts, strict=True):
            trace = trace_path(front.case.walker, front.case.hazard, front.least, front.out, row)
            if share <= 0.0 or trace.row.size < 2:
                continue
            terms = path_hazard(self.strip, front.case.walker, trace, front.rate_of)
            value = study.defence.detection.communication * trace.stopped[1:]
            probability, gradient = path_value(terms.of_rates(front.rate_of), value)
            own, weight = self._worth(study, terms, gradient, state)
            cut.fixed += share * (probability - weight[chosen].sum())
            poses.append(own)
            worth.append(share * weight[own])
        who = np.concatenate(poses) if poses else np.zeros(0, np.int64)
        cut.poses, inverse = np.unique(who, return_inverse=True)
        cut.worth = np.bincount(inverse, np.concatenate(worth) if worth else None, cut.poses.size)
        self.cuts.append(cut)
        self.where_m.append(float(self.strip.s_m[row]))

    def _worth(
        self, study: Study, terms: PathHazard, gradient: FloatArray, state: DefenceState | None
    ) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Poses that would detect on a path, and what each adds to the tangent [all poses]."""
        cells, at = np.unique(terms.cell, return_inverse=True)
        found = rates_at(
            self.scene, self.relief, self.strip, self.offers, cells, self.heights_m, WINDOW_ROWS_M
        )
        seconds = np.zeros((len(self.heights_m), cells.size))
        number = {height: h for h, height in enumerate(self.heights_m)}
        height = np.array([number[value] for value in terms.height_m])
        np.add.at(seconds, (height, at), terms.seconds_at(gradient))
        rate = found.in_state(self.offers, study.defence, state)
        weight = np.bincount(
            found.pose, rate * seconds[found.height, found.at], len(self.offers.poses)
        )
        return np.flatnonzero(weight > 0), weight

    def solve(self) -> tuple[npt.NDArray[np.int64], float] | None:
        """Poses of least cost that satisfy all cuts and a bound on it; None where none do."""
        used = np.unique(np.concatenate([cut.poses for cut in self.cuts]))
        if not used.size:
            return None
        poses, mounts = self.offers.poses.iloc[used], self.offers.mounts
        numbers, of_pose = np.unique(poses["mount"].to_numpy(), return_inverse=True)
        mine = mounts.loc[numbers]
        n, m = used.size, numbers.size
        cost = np.concatenate([poses["cost"].to_numpy(float), mine["fixed"].to_numpy(float)])
        place = {int(pose): k for k, pose in enumerate(used)}
        rows, cols, values, need = [], [], [], []
        for r, cut in enumerate(self.cuts):
            rest = cut.least - cut.fixed
            need.append(rest)
            for pose, worth in zip(cut.poses, cut.worth, strict=True):
                rows.append(r)
                cols.append(place[int(pose)])
                # No more than what is missing counts: the rounding of integers needs no more.
                values.append(min(float(worth), max(rest, 0.0)))
        cuts = scipy.sparse.csr_array((values, (rows, cols)), shape=(len(self.cuts), n + m))
        own = scipy.sparse.csr_array((np.ones(n), (np.arange(n), np.arange(n))), shape=(n, n + m))
        carrier = scipy.sparse.csr_array(
            (np.ones(n), (np.arange(n), n + of_pose)), shape=(n, n + m)
        )
        room = scipy.sparse.csr_array(
            (np.ones(n), (of_pose, np.arange(n))), shape=(m, n + m)
        ) - scipy.sparse.csr_array(
            (mine["room"].to_numpy(float), (np.arange(m), n + np.arange(m))), shape=(m, n + m)
        )
        _, of_site = np.unique(mine["site"].to_numpy(), return_inverse=True)
        sites = scipy.sparse.csr_array((np.ones(m), (of_site, n + np.arange(m))))
        answer = milp(
            cost,
            constraints=[
                LinearConstraint(cuts, np.array(need), np.inf),
                LinearConstraint(own - carrier, -np.inf, 0.0),
                LinearConstraint(room, -np.inf, 0.0),
                LinearConstraint(sites, -np.inf, 1.0),
            ],
            integrality=np.ones(n + m),
            bounds=Bounds(0, 1),
            options={"mip_rel_gap": MIP_GAP, "time_limit": MIP_SECONDS},
        )
        if answer.x is None:
            return None
        chosen = used[np.flatnonzero(answer.x[:n] > 0.5)]
        bound = answer.mip_dual_bound
        return chosen, float(bound) if bound is not None else 0.0

    def shortage(self) -> str:
        """Where even all offered poses together are too few, in words."""
        lacking = [
            (cut.least - cut.fixed - float(cut.worth.sum()), s)
            for cut, s in zip(self.cuts, self.where_m, strict=True)
        ]
        most, s = max(lacking)
        if most > 0:
            return (
                f"from the entry at s = {s:.0f} m all offered poses together leave at least "
                f"{most:.3f} of the probability missing; offer more mounts or devices there, add "
                "delay behind the detection, or shorten the response"
            )
        return (
            "no choice of the offered poses satisfies all paths at once; offer more mounts, "
            "devices or places on them"
        )
