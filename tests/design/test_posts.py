"""Posts: the greedy cover against a MILP, published p-centers, and the exact decomposition."""

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse.csgraph import dijkstra
from scipy.special import ndtri

from watchline.design.posts import (
    Drive,
    fewest_points,
    fewest_posts,
    line_center,
    needed_hazard,
    network_center,
    time_allowed,
    travel_allowed_s,
)
from watchline.kernels.moves import make_field
from watchline.kernels.spread import spread

PMED = Path(__file__).parents[1] / "data" / "pmed"


def hilly_road(rng, length_m=12_000.0, stations=200):
    """A road whose speed depends on the way it is driven."""
    r = np.linspace(0.0, length_m, stations)
    ahead = np.diff(r) / rng.uniform(3.0, 15.0, stations - 1)
    back = np.diff(r) / rng.uniform(3.0, 15.0, stations - 1)
    return Drive(
        r, np.concatenate([[0.0], np.cumsum(ahead)]), np.concatenate([[0.0], np.cumsum(back)])
    )


def drive_s(drive, a, b):
    if b >= a:
        return np.interp(b, drive.r_m, drive.ahead_s) - np.interp(a, drive.r_m, drive.ahead_s)
    return np.interp(a, drive.r_m, drive.back_s) - np.interp(b, drive.r_m, drive.back_s)


def milp_fewest(drive, places, within, existing):
    """Fewest posts among the ends of all intervals, by set covering on drive times."""
    low, high = drive.interval(places, within)
    sites = np.concatenate([low, high])
    pairs = list(zip(places, within, strict=True))
    reach = np.array([[drive_s(drive, a, p) <= w + 1e-6 for a in sites] for p, w in pairs])
    by_existing = np.array([any(drive_s(drive, e, p) <= w for e in existing) for p, w in pairs])
    rows = reach[~by_existing].astype(float)
    if not rows.size:
        return 0
    answer = milp(
        np.ones(sites.size), constraints=LinearConstraint(rows, 1.0, np.inf),
        integrality=np.ones(sites.size), bounds=Bounds(0, 1),
    )  # fmt: skip
    return round(answer.fun)


@pytest.mark.parametrize("seed", range(60))
def test_greedy_is_the_milp_on_random_roads(seed):
    rng = np.random.default_rng(seed)
    drive = hilly_road(rng)
    places = np.sort(rng.uniform(0.0, 12_000.0, 40))
    within = rng.uniform(20.0, 250.0, 40)
    existing = rng.uniform(0.0, 12_000.0, seed % 4)
    points, used = fewest_points(*drive.interval(places, within), existing)
    assert points.size == milp_fewest(drive, places, within, existing)
    posts = np.concatenate([points, existing[used]])
    for place, time in zip(places, within, strict=True):
        assert min(drive_s(drive, post, place) for post in posts) <= time + 1e-6


@pytest.mark.parametrize("posts", [1, 3, 8])
def test_posts_on_an_even_line_reach_its_length_over_twice_their_number(posts):
    r = np.linspace(0.0, 12_000.0, 1201)
    drive = Drive(r, r / 8.0, r / 8.0)
    places, time = line_center(drive, r, posts)
    assert places.size == posts
    assert time == pytest.approx(12_000.0 / (2 * posts) / 8.0, rel=1e-6)


@pytest.mark.parametrize(("name", "radius"), [("pmed1", 127), ("pmed5", 48)])
def test_or_library_p_center(name, radius):
    numbers = [int(word) for word in (PMED / f"{name}.txt").read_text().split()]
    places, edges, posts = numbers[:3]
    length = np.full((places, places), np.inf)
    for k in range(edges):
        a, b, cost = numbers[3 + 3 * k : 6 + 3 * k]
        length[a - 1, b - 1] = length[b - 1, a - 1] = cost
    distance = dijkstra(np.where(np.isfinite(length), length, 0.0), directed=False)
    chosen, found = network_center(distance, posts)
    assert found == radius
    assert chosen.size <= posts
    assert distance[chosen].min(axis=0).max() == radius


def random_zone(seed, shape=(60, 14)):
    rng = np.random.default_rng(seed)
    delay = np.zeros(shape)
    delay[:, 8:] = 20.0
    hazard = make_field(rng.exponential(0.03, shape), 2.0, 2.0)
    pace = make_field(rng.uniform(0.5, 1.5, shape), 2.0, 2.0, jump=delay)
    return hazard, pace, shape


def least_hazard(hazard, pace, shape, exit_row, response):
    """The two phases with one exit alone."""
    start = np.full(shape, np.inf)
    start[exit_row, -1] = -response
    left, _ = spread(pace, start)
    value, _ = spread(hazard, np.where(left <= 0, 0.0, np.inf))
    return value[:, 0].min()


@pytest.mark.parametrize("seed", range(5))
def test_the_time_allowed_is_where_the_two_phases_change(seed):
    hazard, pace, shape = random_zone(seed)
    needed = 0.4
    allowed = time_allowed(hazard, pace, 0, shape[1] - 1, needed)
    for row in range(0, shape[0], 13):
        assert least_hazard(hazard, pace, shape, row, allowed[row] - 1e-3) >= needed - 1e-6
        assert least_hazard(hazard, pace, shape, row, allowed[row] + 1e-3) < needed


def test_the_least_over_paths_is_the_least_over_exits():
    hazard, pace, shape = random_zone(9, (20, 10))
    response = np.linspace(10.0, 40.0, 20)
    start = np.full(shape, np.inf)
    start[:, -1] = -response
    left, _ = spread(pace, start)
    value, _ = spread(hazard, np.where(left <= 0, 0.0, np.inf))
    by_exit = [least_hazard(hazard, pace, shape, row, response[row]) for row in range(20)]
    assert value[:, 0].min() == pytest.approx(min(by_exit), abs=1e-9)


def test_travel_allowed_is_just_in_time():
    allowed = np.array([100.0, 200.0, 400.0, 30.0])
    travel = travel_allowed_s(allowed, 40.0, 10.0, 0.2, 0.9)
    late = 40.0 + travel + float(ndtri(0.9)) * np.hypot(10.0, 0.2 * travel)
    assert late[:3] == pytest.approx(allowed[:3], abs=1e-6)
    assert travel[3] < 0


def posts_for(required, call_out=30.0, rows=60):
    hazard, pace, shape = random_zone(2, (rows, 14))
    allowed = {
        p: time_allowed(hazard, pace, 0, shape[1] - 1, h)
        for p, h in needed_hazard(required, 0.95).items()
    }
    r = np.linspace(0.0, 2.0 * rows, 50)
    s = np.linspace(0.0, 2.0 * rows, rows)
    return fewest_posts(
        Drive(r, r / 4.0, r / 4.0), s, np.full(rows, 2.0), allowed, fixed_s=call_out,
        fixed_sd_s=0.0, travel_spread=0.0, existing_r_m=np.array([30.0]),
    )  # fmt: skip


def test_less_is_asked_fewer_posts_are_needed():
    few, many = posts_for(0.02, 24.0, 300), posts_for(0.05, 24.0, 300)
    assert not few.late.any()
    assert not many.late.any()
    assert few.r_m.size - few.existing < many.r_m.size - many.existing


def test_what_no_post_can_mend_is_response_infeasible():
    assert posts_for(0.3, call_out=1000.0).late.all()
    # Every exit's worst shortfall is told: call-out and crossing less what is allowed.
    some = posts_for(0.05, call_out=35.0)
    assert some.late.any()
    assert not some.late.all()
    assert (some.short_s[some.late] > 0).all()
    assert needed_hazard(0.97, 0.95) == {}
