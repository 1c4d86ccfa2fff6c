"""Study a plan: the weakest paths of every adversary in every state, and what each loss leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from watchline.breach.cables import cable_losses
from watchline.breach.ground import Strip, make_strip
from watchline.breach.respond import (
    Arrival,
    RoadTimes,
    Unit,
    reach_road,
    road_times,
    soonest,
    unit_times_s,
    units_of,
)
from watchline.breach.sight import Sight, sight_of
from watchline.breach.watch import Watch, rates, watch_of
from watchline.breach.weakest import (
    Escape,
    Walker,
    Weakest,
    as_weakest,
    escape,
    hazard_field,
    make_walker,
    trace_path,
    weakest,
)
from watchline.errors import UsageError
from watchline.kernels.moves import Field
from watchline.kernels.spread import respread
from watchline.model.breach import (
    SURE_RESPONSE,
    AdversaryBreach,
    BreachPath,
    Isochrones,
    LossCase,
    StateCurve,
)
from watchline.model.defence import NORMAL_STATE, Defence, DefenceState, Post
from watchline.model.plan import Plan
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.physics.detection import over_states, with_remainder
from watchline.prove.heights import relief_of

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Exits:
    """Where the road meets the exits of a side: distance along it, and the time from there."""

    r_m: FloatArray
    cross_s: FloatArray


@dataclass(frozen=True)
class Case:
    """One adversary in the normal state, with all that was computed for him.

    ``times_s`` holds the response times of each unit at his exits, float64 [levels, exits].
    """

    walker: Walker
    exits: Exits
    times_s: tuple[FloatArray, ...]
    arrival: Arrival
    escape: Escape
    hazard: Field
    weakest: Weakest


@dataclass(frozen=True)
class Study:
    """A plan's study.

    Attributes
    ----------
    site : Site
        With its defence.
    strip : Strip
        The zone's cells.
    watch : Watch
        Who would detect where.
    sight : Sight
        What detection depends on besides devices and terrain.
    road : RoadTimes
        Driving.
    units : tuple of Unit
        Who comes.
    cases : tuple of Case
        One an adversary, in the normal state.
    adversaries : tuple of AdversaryBreach
        The curves and paths.
    """

    site: Site
    strip: Strip
    watch: Watch
    sight: Sight
    road: RoadTimes
    units: tuple[Unit, ...]
    cases: tuple[Case, ...]
    adversaries: tuple[AdversaryBreach, ...]

    @property
    def defence(self) -> Defence:
        """The site's defence."""
        assert self.site.defence is not None
        return self.site.defence


def study_plan(
    site: Site, terrain: Terrain, plan: Plan, progress: Callable[[float], None] | None = None
) -> Study:
    """Find the weakest paths over a plan's zone, with the posts of its site and its own.

    Parameters
    ----------
    site : Site
        With adversaries, detection and response.
    terrain, plan
        The ground and what stands on it.
    progress : callable, optional
        Is told the share done, 0–1.

    Raises
    ------
    UsageError
        The site tells nothing of adversaries.
    PlanError
        The plan does not belong to the site.
    """
    site = with_posts(site, plan)
    defence = site.defence
    if defence is None:
        raise UsageError(
            "the project tells nothing of adversaries, detection and response",
            where=str(site.folder / "project.toml"),
            mend="add [[adversaries]], [detection] and [response]",
        )
    strip = make_strip(site, terrain, defence.cell_m)
    sight = sight_of(site, relief_of(terrain), plan.lighting, strip)
    watch = watch_of(site, terrain, plan, strip, progress, sight)
    road = road_times(site, terrain)
    units = units_of(site)
    cases, found = [], []
    normal = rates(watch, defence, None)
    for adversary in defence.adversaries:
        walker = make_walker(site, defence, strip, adversary)
        exits = exits_of(site, strip, walker)
        times = tuple(unit_times_s(defence, road, unit, exits.r_m, exits.cross_s) for unit in units)
        come = soonest(times, exits.r_m.size)
        out = escape(walker, strip.shape, come)
        hazard = hazard_field(strip, walker, by_height(watch, normal))
        least = weakest(walker, hazard, out, defence.detection.communication)
        case = Case(walker, exits, times, come, out, hazard, least)
        cases.append(case)
        found.append(_adversary(defence, strip, watch, units, case))
    return Study(site, strip, watch, sight, road, units, tuple(cases), tuple(found))


def with_posts(site: Site, plan: Plan) -> Site:
    """A site whose defence has the posts of a plan besides its own."""
    if site.defence is None or plan.posts is None or not len(plan.posts):
        return site
    more = [
        Post(str(name), float(point.x), float(point.y))
        for name, point in zip(plan.posts["name"], plan.posts.geometry, strict=True)
    ]
    return replace(site, defence=replace(site.defence, posts=(*site.defence.posts, *more)))


def exits_of(site: Site, strip: Strip, walker: Walker) -> Exits:
    """Where the road meets a walker's exits."""
    r, cross = reach_road(site, strip.x[:, walker.exit], strip.y[:, walker.exit])
    return Exits(r, cross)


def isochrones_of(study: Study) -> Isochrones:
    """Median response time at every cell of the zone, with all posts and patrols."""
    strip, site = study.strip, study.site
    r, cross = reach_road(site, strip.x.ravel(), strip.y.ravel())
    times = [unit_times_s(study.defence, study.road, unit, r, cross) for unit in study.units]
    come = soonest(times, r.size)
    half = int(np.argmin(np.abs(come.level - 0.5)))
    return Isochrones(strip.s_m, strip.away_m, come.time_s[half].reshape(strip.shape))


def by_height(watch: Watch, found: list[FloatArray]) -> dict[float, FloatArray]:
    """Rates by their target height."""
    return dict(zip(watch.heights_m, found, strict=True))


def losses(study: Study, progress: Callable[[float], None] | None = None) -> tuple[LossCase, ...]:
    """Probability of interruption without each mount, device, cable, post and patrol in turn.

    A lost device lowers hazards where it had a view and nowhere else, and leaves what a detection
    is worth as it is: the paths are mended from there, not sought anew. A lost post changes what a
    detection is worth, so that for it they are sought anew.

    Returns
    -------
    tuple of LossCase
        Worst first; equal ones by their largest fall at any entry.
    """
    watch = study.watch
    mounts = sorted(set(watch.mount_ids))
    mount_of, id_of = np.array(watch.mount_ids), np.array(watch.device_ids)
    cases = [("mount", name, mount_of == name) for name in mounts]
    # The only device of a mount is that mount: told once.
    cases += [
        ("device", name, id_of == name)
        for name in watch.device_ids
        if (mount_of == mount_of[id_of == name][0]).sum() > 1
    ]
    cases += cable_losses(watch, study.site.resilience)
    total = len(cases) + len(study.units)
    found = []
    for k, (kind, name, lost) in enumerate(cases):
        found.append(_without_devices(study, kind, name, lost))
        if progress is not None:
            progress((k + 1) / total)
    posts = len(study.defence.posts)
    for k, unit in enumerate(study.units):
        kind = "post" if k < posts else "patrol"
        rest = [case.times_s[:k] + case.times_s[k + 1 :] for case in study.cases]
        found.append(_worst_of(kind, unit.name, study, _with_times(study, rest)))
        if progress is not None:
            progress((len(cases) + k + 1) / total)
    return tuple(sorted(found, key=lambda case: (case.worst, -case.fall, case.kind, case.name)))


def pair_losses(
    study: Study, progress: Callable[[float], None] | None = None
) -> tuple[LossCase, ...]:
    """Probability of interruption without each two mounts that watch some row of cells together.

    Two mounts that share no row fail each on their own ground: their pair leaves what the worse of
    the two single losses leaves, unless a path runs along the line from one to the other.

    Returns
    -------
    tuple of LossCase
        Worst first; equal ones by their largest fall at any entry.
    """
    watch = study.watch
    mounts = sorted(set(watch.mount_ids))
    mount_of = np.array(watch.mount_ids)
    seen = np.zeros((len(mounts), study.strip.shape[0]), dtype=bool)
    for cell, device in zip(watch.cell, watch.device, strict=True):
        which = np.searchsorted(mounts, mount_of)[device]
        seen[which, cell // study.strip.shape[1]] = True
    shared = np.triu(seen.astype(np.int64) @ seen.T.astype(np.int64) > 0, 1)
    pairs = np.argwhere(shared)
    found = []
    for k, (a, b) in enumerate(pairs):
        lost = (mount_of == mounts[a]) | (mount_of == mounts[b])
        found.append(_without_devices(study, "mounts", f"{mounts[a]} and {mounts[b]}", lost))
        if progress is not None:
            progress((k + 1) / len(pairs))
    return tuple(sorted(found, key=lambda case: (case.worst, -case.fall, case.name)))


def with_more_units(study: Study, units: list[Unit]) -> list[Weakest]:
    """Weakest paths of every adversary with more posts or patrols, in the normal state."""
    times = [
        case.times_s
        + tuple(
            unit_times_s(study.defence, study.road, unit, case.exits.r_m, case.exits.cross_s)
            for unit in units
        )
        for case in study.cases
    ]
    return _with_times(study, times)


def _with_times(study: Study, times_s: list[tuple[FloatArray, ...]]) -> list[Weakest]:
    """Weakest paths of every adversary with these response times instead."""
    communication = study.defence.detection.communication
    found = []
    for case, times in zip(study.cases, times_s, strict=True):
        come = soonest(times, case.exits.r_m.size)
        out = escape(case.walker, study.strip.shape, come)
        found.append(weakest(case.walker, case.hazard, out, communication))
    return found


def _without_devices(study: Study, kind: str, name: str, lost: npt.NDArray[np.bool_]) -> LossCase:
    watch, strip = study.watch, study.strip
    changed = np.zeros(watch.cells, dtype=bool)
    for cell, device in zip(watch.cell, watch.device, strict=True):
        changed[cell[lost[device]]] = True
    lower = by_height(watch, rates(watch, study.defence, None, lost))
    communication = study.defence.detection.communication
    found = []
    for case in study.cases:
        hazard = hazard_field(strip, case.walker, lower)
        chance, move = respread(
            hazard,
            case.weakest.chance,
            case.weakest.move,
            changed.reshape(strip.shape),
            communication * case.escape.stopped,
        )
        found.append(as_weakest(case.walker, chance, move))
    return _worst_of(kind, name, study, found)


def _worst_of(kind: str, name: str, study: Study, found: list[Weakest]) -> LossCase:
    k = min(range(len(found)), key=lambda i: found[i].worst)
    row = found[k].worst_row
    s = float(study.strip.s_m[row]) if row >= 0 else float("nan")
    falls = [
        np.nan_to_num(case.weakest.curve - left.curve)
        for case, left in zip(study.cases, found, strict=True)
    ]
    most = max(falls, key=lambda fall: float(fall.max()))
    return LossCase(
        kind,
        name,
        study.cases[k].walker.adversary.name,
        found[k].worst,
        s,
        float(most.max()),
        float(study.strip.s_m[int(most.argmax())]),
    )


def _adversary(
    defence: Defence, strip: Strip, watch: Watch, units: tuple[Unit, ...], case: Case
) -> AdversaryBreach:
    """Curves in every state, and the weakest path of the normal one."""
    rest = with_remainder([state.probability for state in defence.states])
    curves = [StateCurve(NORMAL_STATE, rest, case.weakest.curve)]
    for state in defence.states:
        _, found = in_state(defence, strip, watch, case, state)
        curves.append(StateCurve(state.name, state.probability, found.curve))
    adversary = case.walker.adversary
    row = case.weakest.worst_row
    path = None
    if row >= 0:
        trace = trace_path(case.walker, case.hazard, case.weakest, case.escape, row)
        at = (trace.row, trace.col)
        unit = int(case.arrival.unit[trace.row[-1]])
        path = BreachPath(
            strip.x[at],
            strip.y[at],
            strip.s_m[trace.row],
            strip.away_m[trace.col],
            trace.detected,
            trace.stopped,
            trace.critical,
            units[unit].name if unit >= 0 else "",
        )
    share = [curve.probability for curve in curves]
    over = over_states(share, [curve.interruption for curve in curves])
    return AdversaryBreach(
        adversary.name,
        adversary.direction,
        strip.s_m,
        tuple(curves),
        path,
        over,
        float(np.nanmin(over)) if np.isfinite(over).any() else 1.0,
        float(over_states(share, [curve.worst for curve in curves])),
        _response(case.arrival),
    )


def _response(arrival: Arrival) -> FloatArray:
    """Median response time at every exit, and the one that is kept surely enough."""
    levels = [int(np.argmin(np.abs(arrival.level - level))) for level in (0.5, SURE_RESPONSE)]
    return arrival.time_s[levels]


def in_state(
    defence: Defence, strip: Strip, watch: Watch, case: Case, state: DefenceState
) -> tuple[Field, Weakest]:
    """Hazard of an adversary's moves in a state, and his weakest paths."""
    lower = by_height(watch, rates(watch, defence, state))
    hazard = hazard_field(strip, case.walker, lower)
    return hazard, weakest(case.walker, hazard, case.escape, defence.detection.communication)
