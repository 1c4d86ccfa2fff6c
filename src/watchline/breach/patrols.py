"""Patrols of a site: how long a crossing takes, the game on the road, and a schedule for a day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from watchline.breach.ground import make_strip
from watchline.breach.respond import reach_road, road_times
from watchline.breach.weakest import make_walker
from watchline.design.patrols import best_mix, draw_walk
from watchline.geo.chainage import to_chainage
from watchline.kernels.spread import spread
from watchline.model.defence import Patrol
from watchline.model.resilience import PatrolSchedule
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.prove.patrols import judge_walk

FloatArray = npt.NDArray[np.float64]
NODES = 41
"""Places of a stretch, even in driving time."""
ROUNDS_HELD = 1.0
"""Mean time on a beat before the next is drawn, in rounds of the whole stretch."""
DAY_S = 86_400.0
DAYS_JUDGED = 30
"""Days that are drawn and judged; the first is the schedule."""


def patrols_of(site: Site, terrain: Terrain) -> tuple[PatrolSchedule, ...]:
    """Schedules of every patrol of a site, drawn with the site's seed and judged.

    An attack takes as long as the quickest crossing of any adversary, running all the way, from
    any entry beside the patrol's stretch: so little time has a patrol to come by.

    Parameters
    ----------
    site : Site
        With adversaries and patrols; without them there is no schedule.
    terrain : Terrain
        Grades of the road and slopes of the zone.
    """
    defence = site.defence
    if defence is None or not defence.patrols:
        return ()
    strip = make_strip(site, terrain, defence.cell_m)
    quickest = np.full(strip.shape[0], np.inf)
    entry_r: list[FloatArray] = []
    for adversary in defence.adversaries:
        walker = make_walker(site, defence, strip, adversary)
        start = np.full(strip.shape, np.inf)
        start[:, walker.exit] = 0.0
        time, _ = spread(walker.fastest, start)
        quickest = np.minimum(quickest, time[:, walker.entry])
        entry_r.append(reach_road(site, strip.x[:, walker.entry], strip.y[:, walker.entry])[0])
    road = road_times(site, terrain)
    mean_s = (road.ahead_s + road.back_s) / 2
    return tuple(
        _schedule(site, patrol, road.r_m, mean_s, quickest, entry_r[0], site.seed + k)
        for k, patrol in enumerate(defence.patrols)
    )


def _schedule(
    site: Site,
    patrol: Patrol,
    road_m: FloatArray,
    mean_s: FloatArray,
    quickest: FloatArray,
    entry_r: FloatArray,
    seed: int,
) -> PatrolSchedule:
    """Game, draw and judgement of one patrol."""
    beside = (entry_r >= patrol.start_m) & (entry_r <= patrol.end_m) & np.isfinite(quickest)
    attack_s = float(quickest[beside].min()) if beside.any() else float("inf")
    first, last = np.interp([patrol.start_m, patrol.end_m], road_m, mean_s)
    tick_s = (last - first) / (NODES - 1)
    r = np.interp(np.linspace(first, last, NODES), mean_s, road_m)
    round_ticks = 2 * (NODES - 1)
    # Longer attacks than a round are caught by any round; whole ticks, rounded against the patrol.
    length = int(np.clip(np.floor(min(attack_s / tick_s, round_ticks)), 1, round_ticks))
    mix = best_mix(NODES, length)
    hold = max(1, round(ROUNDS_HELD * round_ticks))
    day = int(np.ceil(DAY_S / tick_s))
    walk = draw_walk(mix, DAYS_JUDGED * day, hold, seed)
    judged = judge_walk(walk, NODES, length)
    turns = _turns(walk[:day])
    points = shapely.line_interpolate_point(site.road.centreline, r)
    s, _, _ = to_chainage(site.line, shapely.get_x(points), shapely.get_y(points))
    at = walk[turns]
    return PatrolSchedule(
        name=patrol.name,
        start_m=patrol.start_m,
        end_m=patrol.end_m,
        places=NODES,
        tick_s=float(tick_s),
        attack_s=attack_s,
        attack_ticks=length,
        beats=int(mix.share.size),
        largest_share=float(mix.share.max()),
        value=mix.value,
        bound=mix.bound,
        mixed=mix.caught,
        caught=float(judged.caught[judged.worst]),
        error=judged.error,
        worst_s_m=float(s[judged.worst]),
        watched=judged.watched,
        guess=judged.guess,
        entropy_bits=judged.entropy_bits,
        days=DAYS_JUDGED,
        by_place=tuple((float(a), float(b)) for a, b in zip(s, judged.caught, strict=True)),
        turns=tuple(
            (float(turn * tick_s), float(r[k]), float(s[k]), float(points[k].x), float(points[k].y))
            for turn, k in zip(turns, at, strict=True)
        ),
    )


def _turns(walk: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Ticks at which a walk changes its course, its first and its last."""
    step = np.diff(walk)
    return np.concatenate([[0], np.flatnonzero(np.diff(step)) + 1, [walk.size - 1]])
