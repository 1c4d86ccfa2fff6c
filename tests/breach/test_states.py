"""States by condition, demands, claims and posts: closed forms and small choices tried out."""

import itertools
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
from breach_scenes import (
    EAST,
    NORTH,
    DefenceState,
    Post,
    eyes,
    flat,
    rules,
    scene,
)

from watchline.breach.claims import claims_not_judged, interruption_claims
from watchline.breach.demands import demands_of
from watchline.breach.garrison import garrisons
from watchline.breach.posts import best_posts, needed_posts
from watchline.breach.prove import checks_of
from watchline.breach.strengthen import escapes, hopeless_entries
from watchline.breach.study import study_plan
from watchline.breach.watch import rates
from watchline.config.conditions import STANDARD
from watchline.design.posts import most_covering_points
from watchline.model.breach import BreachCheck

CENTRE = (100.0, 60.0)
NIGHT = replace(STANDARD["night without lamps"])
MIST = replace(STANDARD["day"], name="mist", visibility_m=100.0)


def study(plan=None, **change):
    return study_plan(scene(**change), flat(), plan or eyes(CENTRE))


def test_who_sees_by_eye_sees_nothing_by_night_and_less_in_mist():
    found = study(
        states=(
            DefenceState("night", 0.3, condition=NIGHT),
            DefenceState("mist", 0.1, condition=MIST),
        )
    )
    normal, night, mist = (
        rates(found.watch, found.defence, state)[0] for state in (None, *found.defence.states)
    )
    assert normal.max() > 0
    assert night.max() == 0
    # Contrast 0.3 falls to 0.05 at ln(6) of ln(50)/100 m.
    reach = np.log(6.0) / np.log(50.0) * 100.0
    east = found.strip.x.ravel() - (EAST + CENTRE[0])
    north = found.strip.y.ravel() - (NORTH + CENTRE[1])
    slant = np.sqrt(east**2 + north**2 + (10.0 - 1.7) ** 2)
    clear = normal > 0
    assert (mist[clear] > 0).tolist() == (slant[clear] <= reach).tolist()
    assert 0 < (mist > 0).sum() < clear.sum()
    curves = [state.interruption for state in found.adversaries[0].states]
    assert (curves[1] == 0).all()
    (mean,) = demands_of(found.defence)
    assert mean.weights == pytest.approx((0.6, 0.3, 0.1))
    assert mean.mean(curves) == pytest.approx(found.adversaries[0].curve)
    assert all(check.holds for check in checks_of(found))
    assert sum("in 'mist'" in check.name for check in checks_of(found)) == 1


def test_a_state_may_ask_for_itself():
    night = DefenceState("night", 0.3, condition=NIGHT, required=0.2)
    found = study(states=(night,), response=rules(required=0.05))
    claims, along = interruption_claims(found, checks_of(found))
    mean, alone = claims
    waiting = claims_not_judged(found.site, "wait for it")
    assert [c.requirement for c in waiting] == [c.requirement for c in claims]
    assert {(c.verdict, c.detail) for c in waiting} == {("unknown", "wait for it")}
    assert (mean.condition, alone.condition) == ("all states", "night")
    assert mean.verdict == "holds"
    assert (alone.verdict, alone.value, alone.target) == ("fails", 0.0, 0.2)
    assert alone.failing_chainages[0][1] - alone.failing_chainages[0][0] == pytest.approx(200.0)
    assert mean.value == pytest.approx(0.7 * found.adversaries[0].states[0].worst)
    shares = along.groupby("requirement")["share"].mean()
    assert shares[mean.requirement] == 1.0
    assert shares[alone.requirement] == 0.0


def test_a_check_that_does_not_agree_leaves_the_claim_unknown():
    found = study(response=rules(required=0.01))
    (good,), _ = interruption_claims(found, checks_of(found))
    assert good.verdict == "holds"
    (claim,), _ = interruption_claims(found, (BreachCheck("walker: walkers", False, "off"),))
    assert claim.verdict == "unknown"
    assert "a check does not agree" in claim.detail


def test_posts_of_a_plan_respond_like_those_of_the_project():
    bare = study(posts=())
    assert bare.adversaries[0].worst == 0.0
    post = gpd.GeoDataFrame(
        {"name": ["new"], "s": [100.0], "t": [10.0], "cost": [0.0]},
        geometry=gpd.points_from_xy([EAST + 100.0], [NORTH + 10.0]),
    )
    own = study(replace(eyes(CENTRE), posts=post), posts=())
    same = study(posts=(Post("new", EAST + 100.0, NORTH + 10.0),))
    assert own.adversaries[0].curve == pytest.approx(same.adversaries[0].curve)
    assert own.adversaries[0].worst > 0


SLOW = {"speed_m_s": 5.0, "cross_speed_m_s": 1e6, "call_out_s": 5.0, "travel_spread": 0.0}


def test_more_posts_serve_more_and_the_paths_agree():
    place = scene(posts=(), response=rules(required=0.6, **SLOW))
    found = study_plan(place, flat(), eyes((60.0, 60.0), (140.0, 60.0)))
    one, two = best_posts(found, 0.6, 1), best_posts(found, 0.6, 2)
    assert len(one.places) == 1
    assert 0 < one.served <= two.served <= one.exits == found.strip.shape[0]
    assert two.achieved >= one.achieved > found.adversaries[0].worst
    assert two.failing[0] <= one.failing[0]


@pytest.mark.parametrize("seed", range(40))
def test_points_hit_as_many_intervals_as_any_points(seed):
    random = np.random.default_rng(seed)
    low = np.round(random.uniform(0.0, 10.0, 9), 1)
    high = low + np.round(random.uniform(0.0, 4.0, 9), 1)
    number = int(random.integers(1, 4))
    points, hit = most_covering_points(low, high, number)
    assert points.size <= number
    inside = (low[:, None] <= points) & (points <= high[:, None])
    assert hit == inside.any(axis=1).sum()
    most = max(
        int(((low[:, None] <= np.array(some)) & (np.array(some) <= high[:, None])).any(1).sum())
        for some in itertools.combinations_with_replacement(high, number)
    )
    assert hit == most


def test_choices_of_posts_go_from_few_to_many_and_save_alike():
    place = scene(posts=(), response=rules(required=0.6, **SLOW))
    found = study_plan(place, flat(), eyes((60.0, 60.0), (140.0, 60.0)))
    offered = garrisons(found)
    counts = [len(choice.units) for choice, _ in offered]
    assert counts == sorted(set(counts))
    assert len({lost for _, lost in offered}) == 1
    # Nobody at all saves nobody, and more posts never save fewer.
    none = hopeless_entries(found, escapes(found, ()))
    assert none.all()
    assert offered[0][1] < none.sum()
    assert len(needed_posts(found, 0.6).units) >= counts[0]
