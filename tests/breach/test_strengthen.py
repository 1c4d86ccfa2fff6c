"""Design for interruption: paths as sums, tangents that cut off no good plan, least additions."""

import itertools
from dataclasses import replace

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

from watchline.breach.addition import Cut, least_addition, least_cost, most_worth
from watchline.breach.cuts import path_gains, path_hazard, path_value
from watchline.breach.offers import Offers, cost_of
from watchline.breach.prune import pruned
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


def choices(offers):
    """Every choice of poses for which mounts have room and sites one mount."""
    for choice in itertools.product((False, True), repeat=len(offers.poses)):
        chosen = np.flatnonzero(choice)
        mounts, used = np.unique(offers.poses["mount"].to_numpy()[chosen], return_counts=True)
        mine = offers.mounts.loc[mounts]
        if (used <= mine["room"]).all() and not mine["site"].duplicated().any():
            yield chosen.tolist()


def cheapest(offers, cuts):
    """Every choice, tried."""
    good = (
        cost_of(offers, np.array(choice, dtype=np.int64))
        for choice in choices(offers)
        if all(cut.worth[np.isin(cut.poses, choice)].sum() >= cut.need - 1e-12 for cut in cuts)
    )
    return min(good, default=np.inf)


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
    bound = least_cost(offers, cuts)
    assert cost_of(offers, answer.poses) <= best * 1.003 + 1e-9
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


@pytest.mark.parametrize("seed", range(25))
def test_the_most_that_poses_are_worth_is_that_of_the_best_choice(seed):
    random = np.random.default_rng(seed)
    offers = offers_of(random, 8, 5)
    poses = np.flatnonzero(random.random(8) < 0.8)
    cut = Cut(0.0, 1.0, poses, random.uniform(0.05, 0.6, poses.size))
    worth = np.zeros(8)
    worth[poses] = cut.worth
    assert most_worth(offers, cut) == pytest.approx(
        max(worth[list(choice)].sum() for choice in choices(offers))
    )


@pytest.mark.parametrize("seed", range(25))
def test_kept_poses_stay_and_the_rest_is_least(seed):
    random = np.random.default_rng(seed)
    offers = offers_of(random, 9, 5)
    allowed = [choice for choice in choices(offers) if len(choice) == 2]
    kept = np.array(allowed[int(random.integers(len(allowed)))])
    cut = Cut(0.0, 0.7, np.arange(9), random.uniform(0.05, 0.6, 9))
    answer = least_addition(offers, [cut], kept)
    assert set(kept) <= set(answer.poses.tolist())
    good = [
        cost_of(offers, np.array(choice))
        for choice in choices(offers)
        if set(kept.tolist()) <= set(choice) and cut.worth[list(choice)].sum() >= cut.need
    ]
    if not good:
        assert answer.slack.max() > 0
    else:
        assert answer.slack.max() == 0
        assert cost_of(offers, answer.poses) <= min(good) * 1.003


@pytest.mark.parametrize("seed", range(25))
def test_pruning_leaves_nothing_that_could_go(seed):
    """Entries ask for two poses that serve them; whatever is taken away, nothing new may fail."""
    random = np.random.default_rng(seed)
    offers = offers_of(random, 24, 12)
    of_mount = np.sort(random.uniform(0, 2e4, 12))
    offers = replace(offers, mount_s_m=of_mount[offers.poses["mount"].to_numpy()])
    s_m = np.arange(0.0, 2e4, 100.0)
    serves = np.abs(s_m[:, None] - offers.mount_s_m) < random.uniform(200, 900, 24)

    def failing(chosen):
        return serves[:, chosen].sum(axis=1) < np.minimum(1, serves.sum(axis=1))

    cuts = [
        Cut(float(s), 1.0, np.flatnonzero(row), np.ones(int(row.sum())))
        for s, row in zip(s_m, serves, strict=True)
        if row.any()
    ]
    every = np.arange(24)
    for known in ([], cuts[::3]):
        left = pruned(offers, known, every, s_m, failing)
        assert not failing(left).any()
        assert left.size < every.size
        assert all(failing(np.setdiff1d(left, [pose])).any() for pose in left)
