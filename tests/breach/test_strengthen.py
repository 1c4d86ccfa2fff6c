"""Design for interruption: paths as sums, tangents that cut off no good plan, least additions."""

import itertools

import numpy as np
import pandas as pd
import pytest
from breach_scenes import (
    WALK,
    Adversary,
    Barrier,
    Gait,
    eyes,
    flat,
    scene,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from watchline.breach.addition import Cut, least_addition, least_cost
from watchline.breach.cuts import path_gains, path_hazard, path_value
from watchline.breach.offers import Offers
from watchline.breach.study import by_height, study_plan
from watchline.breach.watch import joined_watch, rates, watch_of
from watchline.breach.weakest import trace_path
from watchline.kernels.moves import COL_STEP, ROW_STEP, one_move

CRAWL = Gait("crawling", 0.3, 0.5, by_slope=False)
WALLS = (
    Barrier("fence", 12.0, 0.0, 90.0, 25.0, detection=0.3),
    Barrier("ditch", 30.0, 40.0, 200.0, 15.0),
)


def crossed(**change):
    place = scene(adversaries=(Adversary("he", "inward", (WALK, CRAWL)),), barriers=WALLS, **change)
    return study_plan(place, flat(), eyes((60.0, 70.0), (150.0, 55.0)))


@pytest.mark.parametrize("row", [5, 30, 47, 80])
def test_a_path_is_the_sum_of_its_terms(row):
    found = crossed()
    case = found.cases[0]
    trace = trace_path(case.walker, case.hazard, case.weakest, case.escape, row)
    rate_of = by_height(found.watch, rates(found.watch, found.defence, None))
    terms = path_hazard(found.strip, case.walker, trace, rate_of)
    steps = {(int(a), int(b)): m for m, (a, b) in enumerate(zip(ROW_STEP, COL_STEP, strict=True))}
    told = [
        one_move(case.hazard, i, j, steps[a - i, b - j])
        for (i, j), (a, b) in itertools.pairwise(
            zip(trace.row.tolist(), trace.col.tolist(), strict=True)
        )
    ]
    assert terms.of_rates(rate_of) == pytest.approx(told, rel=1e-5, abs=1e-9)
    worth = case.escape.stopped[trace.row, trace.col][:-1]
    value, _ = path_value(terms.of_rates(rate_of), worth)
    assert value == pytest.approx(case.weakest.curve[row], rel=1e-4, abs=1e-6)


def test_a_missing_barrier_would_be_noticed():
    """The fence is crossed on one of the paths: without its sensor the sum is another one."""
    found = crossed()
    case = found.cases[0]
    trace = trace_path(case.walker, case.hazard, case.weakest, case.escape, 30)
    rate_of = by_height(found.watch, rates(found.watch, found.defence, None))
    terms = path_hazard(found.strip, case.walker, trace, rate_of)
    assert terms.fixed.sum() == pytest.approx(-np.log(0.7))


numbers = st.lists(st.floats(0.0, 3.0), min_size=1, max_size=8)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_tangent_lies_above_the_probability(data):
    hazard = np.array(data.draw(numbers))
    more = np.array(data.draw(st.lists(st.floats(0.0, 3.0), min_size=hazard.size,
                                       max_size=hazard.size)))  # fmt: skip
    worth = np.array(data.draw(st.lists(st.floats(0.0, 1.0), min_size=hazard.size,
                                        max_size=hazard.size)))  # fmt: skip
    value, gradient = path_value(hazard, worth)
    other, _ = path_value(more, worth)
    assert other <= value + float(gradient @ (more - hazard)) + 1e-9
    # Never below the true one: each detection is worth what it is, or a later one is worth more.
    missed = np.concatenate([[1.0], np.exp(-np.cumsum(hazard))])
    true = float((missed[:-1] * -np.expm1(-hazard) * worth).sum())
    assert value >= true - 1e-9
    if (np.diff(worth) <= 0).all():
        assert value == pytest.approx(true, abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_set_of_poses_gains_more_than_its_gains_alone(data):
    """Cuts by gains cut off no good addition, and the slope is never less than the gain."""
    hazard = np.array(data.draw(numbers))
    moves = hazard.size
    rows = st.lists(st.floats(0.0, 2.0), min_size=moves, max_size=moves)
    poses = np.array(data.draw(st.lists(rows, min_size=1, max_size=4))).T
    worth = np.array(data.draw(st.lists(st.floats(0.0, 1.0), min_size=moves, max_size=moves)))
    alone, tangent = path_gains(hazard, worth, np.cumsum(poses, axis=0))
    value, gradient = path_value(hazard, worth)
    assert tangent == pytest.approx(gradient @ poses, abs=1e-9)
    assert (alone <= tangent + 1e-12).all()
    for k in range(poses.shape[1]):
        assert path_value(hazard + poses[:, k], worth)[0] == pytest.approx(
            value + alone[k], abs=1e-9
        )
    together = path_value(hazard + poses.sum(axis=1), worth)[0]
    assert together <= value + alone.sum() + 1e-9


def offers_of(random, poses, mounts):
    table = pd.DataFrame(
        {
            "mount": np.sort(random.integers(0, mounts, poses)),
            "cost": random.integers(1, 20, poses).astype(float),
        }
    )
    places = pd.DataFrame(
        {
            "site": np.arange(mounts) // 2,
            "room": random.integers(1, 3, mounts),
            "fixed": random.integers(0, 30, mounts).astype(float),
        }
    )
    return Offers(table, places, ("camera",) * poses, np.zeros(poses))


def cheapest(offers, cuts):
    """Every choice, tried."""
    best = np.inf
    for choice in itertools.product((False, True), repeat=len(offers.poses)):
        chosen = np.flatnonzero(choice)
        mounts, used = np.unique(offers.poses["mount"].to_numpy()[chosen], return_counts=True)
        mine = offers.mounts.loc[mounts]
        if (used > mine["room"]).any() or mine["site"].duplicated().any():
            continue
        if all(cut.worth[np.isin(cut.poses, chosen)].sum() >= cut.need - 1e-12 for cut in cuts):
            cost = offers.poses["cost"].to_numpy()[chosen].sum() + mine["fixed"].sum()
            best = min(best, float(cost))
    return best


@pytest.mark.parametrize("seed", range(25))
def test_additions_are_the_least_of_all_choices_and_bounds_below_them(seed):
    random = np.random.default_rng(seed)
    offers = offers_of(random, 9, 5)
    cuts = []
    for s in range(int(random.integers(1, 4))):
        poses = np.flatnonzero(random.random(9) < 0.7)
        cuts.append(Cut(float(s), float(random.uniform(0.1, 1.0)), poses,
                        random.uniform(0.05, 0.6, poses.size)))  # fmt: skip
    best = cheapest(offers, cuts)
    answer = least_addition(offers, cuts)
    if not np.isfinite(best):
        assert answer.slack.max() > 0
        return
    assert answer.slack.max() == 0
    chosen, bound = answer.poses, least_cost(offers, cuts)
    mounts = np.unique(offers.poses["mount"].to_numpy()[chosen])
    cost = offers.poses["cost"].to_numpy()[chosen].sum() + offers.mounts["fixed"].loc[mounts].sum()
    assert cost <= best * 1.003 + 1e-9
    assert 0.0 < bound <= best + 1e-6


def test_watches_join_like_one_plan():
    place = scene()
    apart = [study_plan(place, flat(), eyes(at)) for at in ((60.0, 70.0), (150.0, 55.0))]
    strip = apart[0].strip
    both = watch_of(place, flat(), eyes((60.0, 70.0), (150.0, 55.0)), strip)
    joined = joined_watch(apart[0].watch, apart[1].watch)
    for a, b in zip(rates(joined, place.defence, None), rates(both, place.defence, None),
                    strict=True):  # fmt: skip
        assert a == pytest.approx(b)
        assert a.max() > 0
