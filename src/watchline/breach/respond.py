"""Response: how long a unit takes along the road and over the zone to each exit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.special import ndtr, ndtri

from watchline.geo.grid import bilinear_at
from watchline.model.defence import Defence, ResponseRules
from watchline.model.site import Site
from watchline.model.terrain import Terrain

FloatArray = npt.NDArray[np.float64]
GRAVITY_M_S2 = 9.80665
STATION_M = 10.0
PLACES = 41
"""Places of a roving patrol at which its time is taken, evenly over its stretch."""
LEVELS = np.array(
    [1e-5, 0.001, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.94,
     0.97, 0.99, 0.999, 0.99999]
)  # fmt: skip
"""Probabilities at which the response times of exits are told."""


@dataclass(frozen=True)
class RoadTimes:
    """Driving along the road.

    Attributes
    ----------
    r_m : float64 array [stations]
        Distance along the centreline.
    x, y : float64 array [stations]
        Where.
    ahead_s, back_s : float64 array [stations]
        Time from the first station to each in the road's direction, and from each back to it.
    """

    r_m: FloatArray
    x: FloatArray
    y: FloatArray
    ahead_s: FloatArray
    back_s: FloatArray

    def drive_s(self, start_m: npt.ArrayLike, end_m: npt.ArrayLike) -> FloatArray:
        """Time from one distance along the road to another; the shapes broadcast."""
        a, b = np.broadcast_arrays(np.asarray(start_m, float), np.asarray(end_m, float))
        ahead = np.interp(b, self.r_m, self.ahead_s) - np.interp(a, self.r_m, self.ahead_s)
        back = np.interp(a, self.r_m, self.back_s) - np.interp(b, self.r_m, self.back_s)
        return np.where(b >= a, ahead, back)


@dataclass(frozen=True)
class Unit:
    """A post or a patrol: places from which it sets out, each as likely, and its call-out.

    Attributes
    ----------
    name : str
        Its name.
    r_m : float64 array [places]
        Where on the road.
    access_s : float
        Time from where it stands to the road.
    call_out_s, call_out_sd_s : float
        Mean and standard deviation from the judged alarm until it moves.
    """

    name: str
    r_m: FloatArray
    access_s: float
    call_out_s: float
    call_out_sd_s: float


@dataclass(frozen=True)
class Arrival:
    """Times from a detection until a response stands at each exit, assessment included.

    Attributes
    ----------
    level : float64 array [levels]
        Probabilities.
    time_s : float64 array [levels, exits]
        Within this time the response has come with that probability; infinite without a unit.
    unit : int64 array [exits]
        The unit that is soonest there, by its median; −1 without any.
    """

    level: FloatArray
    time_s: FloatArray
    unit: npt.NDArray[np.int64]


def climb_speed_m_s(
    grade: npt.ArrayLike, limit_m_s: npt.ArrayLike, rolling: npt.ArrayLike, power_w_kg: float
) -> FloatArray:
    """Speed at which the power is just used up, ``P / (g·(grade + rolling))``, or the limit.

    Parameters
    ----------
    grade : array_like
        Rise over run in the direction of travel.
    limit_m_s : array_like
        Speed on the level surface.
    rolling : array_like
        Rolling resistance; air and acceleration are left out.
    power_w_kg : float
        Power at the wheels a kilogram of vehicle.
    """
    load = GRAVITY_M_S2 * (np.asarray(grade, float) + np.asarray(rolling, float))
    by_power = np.where(load > 0, power_w_kg / np.where(load > 0, load, 1.0), np.inf)
    return np.minimum(limit_m_s, by_power)


def road_times(site: Site, terrain: Terrain) -> RoadTimes:
    """Times along the road by grade and surface.

    Grades are those of the terrain's ground between stations; where it is unknown, level.
    """
    assert site.defence is not None
    rules = site.defence.response
    line = site.road.centreline
    count = max(2, int(np.ceil(line.length / STATION_M)) + 1)
    r = np.linspace(0.0, line.length, count)
    points = shapely.line_interpolate_point(line, r)
    x, y = shapely.get_x(points), shapely.get_y(points)
    x0, y0 = terrain.origin
    z = bilinear_at(terrain.ground, (x - x0) / terrain.cell_m, (y0 - y) / terrain.cell_m)
    run = np.diff(r)
    grade = np.diff(z) / run
    grade = np.where(np.isfinite(grade), grade, 0.0)
    limit, rolling = _surface(rules, (r[1:] + r[:-1]) / 2)
    ahead = run / climb_speed_m_s(grade, limit, rolling, rules.power_w_kg)
    back = run / climb_speed_m_s(-grade, limit, rolling, rules.power_w_kg)
    return RoadTimes(
        r,
        x,
        y,
        np.concatenate([[0.0], np.cumsum(ahead)]),
        np.concatenate([[0.0], np.cumsum(back)]),
    )


def reach_road(site: Site, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Nearest distance along the road of places, and the time between them and it."""
    assert site.defence is not None
    points = shapely.points(x, y)
    line = site.road.centreline
    shapely.prepare(line)
    r = shapely.line_locate_point(line, points)
    off = shapely.distance(line, points)
    return r, off / site.defence.response.cross_speed_m_s


def units_of(site: Site) -> tuple[Unit, ...]:
    """Posts and patrols of a site, posts first."""
    defence = site.defence
    assert defence is not None
    rules = defence.response
    posts = [post_unit(site, post.name, post.x, post.y) for post in defence.posts]
    patrols = [
        Unit(
            patrol.name,
            np.linspace(patrol.start_m, patrol.end_m, PLACES),
            0.0,
            rules.patrol_call_out_s,
            rules.patrol_call_out_sd_s,
        )
        for patrol in defence.patrols
    ]
    return (*posts, *patrols)


def post_unit(site: Site, name: str, x: float, y: float) -> Unit:
    """A post at a place."""
    assert site.defence is not None
    rules = site.defence.response
    r, access = reach_road(site, np.array([x]), np.array([y]))
    return Unit(name, r, float(access[0]), rules.call_out_s, rules.call_out_sd_s)


def unit_times_s(
    defence: Defence,
    road: RoadTimes,
    unit: Unit,
    exit_r_m: FloatArray,
    exit_cross_s: FloatArray,
) -> FloatArray:
    """Times from a detection until one unit stands at exits, as quantiles.

    Parameters
    ----------
    defence : Defence
        Assessment, and the spread of travel.
    road : RoadTimes
        Driving.
    unit : Unit
        Who comes.
    exit_r_m, exit_cross_s : float64 array [exits]
        Where on the road an exit is nearest to, and the time from there.

    Returns
    -------
    float64 array [levels, exits]
        At the probabilities of :data:`LEVELS`.
    """
    travel = road.drive_s(unit.r_m[:, None], exit_r_m) + unit.access_s + exit_cross_s
    mean = defence.detection.assessment_s + unit.call_out_s + travel
    spread = np.hypot(unit.call_out_sd_s, defence.response.travel_spread * travel)
    return _quantiles(mean, spread)


def soonest(times_s: Sequence[FloatArray], exits: int) -> Arrival:
    """Response times at exits by the soonest unit at each probability.

    Whether two units are late together nobody knows: the better one counts, not both.

    Parameters
    ----------
    times_s : sequence of float64 array [levels, exits]
        One a unit, of :func:`unit_times_s`.
    exits : int
        Number of exits.
    """
    if not times_s:
        never = np.full((LEVELS.size, exits), np.inf)
        return Arrival(LEVELS, never, np.full(exits, -1, dtype=np.int64))
    half = int(np.argmin(np.abs(LEVELS - 0.5)))
    who = np.argmin([time[half] for time in times_s], axis=0)
    return Arrival(LEVELS, np.minimum.reduce(list(times_s)), who)


def _surface(rules: ResponseRules, r_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Speed limit and rolling resistance at distances along the road."""
    limit, rolling = np.full(r_m.size, rules.speed_m_s), np.full(r_m.size, rules.rolling)
    for surface in rules.surfaces:
        there = (r_m >= surface.start_m) & (r_m <= surface.end_m)
        limit[there], rolling[there] = surface.speed_m_s, surface.rolling
    return limit, rolling


def _quantiles(mean: FloatArray, spread: FloatArray) -> FloatArray:
    """Quantiles [levels, exits] of an even mixture over places of normal times."""
    z = ndtri(LEVELS)
    if mean.shape[0] == 1:
        return mean[0] + z[:, None] * spread[0]
    low = (mean + z[0] * spread).min(axis=0) * np.ones((LEVELS.size, 1))
    high = (mean + z[-1] * spread).max(axis=0) * np.ones((LEVELS.size, 1))
    for _ in range(50):
        middle = (low + high) / 2
        safe = np.where(spread > 0, spread, 1.0)
        gap = middle[:, None, :] - mean
        share = np.where(spread > 0, ndtr(gap / safe), gap >= 0).mean(axis=1)
        enough = share >= LEVELS[:, None]
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high
