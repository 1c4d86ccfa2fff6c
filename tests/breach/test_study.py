"""Weakest paths of whole plans on a plain: closed forms, losses anew, checks that can fail."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from breach_scenes import (
    EAST,
    NORTH,
    WALK,
    Adversary,
    Barrier,
    DefenceState,
    DetectionGrade,
    DetectionRules,
    Gait,
    Patrol,
    Post,
    eyes,
    flat,
    rules,
    scene,
)
from scipy.special import ndtr

from watchline.breach.ground import make_strip
from watchline.breach.posts import post_answer
from watchline.breach.prove import checks_of
from watchline.breach.respond import LEVELS, RoadTimes, Unit, climb_speed_m_s, unit_times_s
from watchline.breach.study import losses, pair_losses, study_plan
from watchline.errors import UsageError
from watchline.io.breach import write_breach
from watchline.model.breach import Breach
from watchline.model.resilience import Cable, ResilienceRules
from watchline.model.site import Area
from watchline.report.breach_page import breach_page

RATE = -np.log(0.1) / 60.0
CENTRE = (100.0, 60.0)
"""An observer who sees the whole zone of 200 m by 40 m."""


def study(plan=None, **change):
    return study_plan(scene(**change), flat(), plan or eyes(CENTRE))


def test_a_fixed_response_gives_the_closed_form():
    """38 m between the middles of the edge's cells at 1 m/s; the response takes 20 s.

    A detection counts until 20 s are left, after 18 m.
    """
    found = study()
    assert found.adversaries[0].worst == pytest.approx(1 - np.exp(-18 * RATE), abs=1e-5)
    path = found.adversaries[0].path
    assert path.x.size == 20
    assert path.away_m[path.critical] == pytest.approx(17.0)
    assert path.post == "post"


def test_a_barrier_behind_the_detection_gains_its_delay():
    late = study(barriers=(Barrier("wall", 39.0, 0.0, 200.0, 12.0),))
    # 12 s more behind: the last useful cell lies 12 m farther.
    assert late.adversaries[0].worst == pytest.approx(1 - np.exp(-30 * RATE), abs=1e-4)
    early = study(barriers=(Barrier("fence", 2.0, 0.0, 200.0, 12.0),))
    # In front it gains what is seen of him while he climbs.
    assert early.adversaries[0].worst == pytest.approx(1 - np.exp(-30 * RATE), abs=1e-4)


def test_who_carries_the_tool_is_faster_and_a_sensor_hears_him():
    wall = Barrier("wall", 2.0, 0.0, 200.0, 50.0, {"ladder": 10.0}, detection=0.5)
    bare = study(barriers=(wall,)).adversaries[0].worst
    ladder = Adversary("climber", "inward", (WALK,), tools=("ladder",))
    quick = study(barriers=(wall,), adversaries=(ladder,)).adversaries[0].worst
    assert bare == pytest.approx(1 - 0.5 * np.exp(-68 * RATE), abs=1e-4)
    assert quick == pytest.approx(1 - 0.5 * np.exp(-28 * RATE), abs=1e-4)


def test_a_gap_in_a_barrier_is_found():
    wall = Barrier("wall", 20.5, 0.0, 150.0, 1000.0)
    path = study(barriers=(wall,)).adversaries[0].path
    assert path.s[-1] > 149.0


def test_he_takes_the_gait_with_the_least_hazard_and_flees_with_the_fastest():
    hidden = DetectionRules({"": (DetectionGrade(5.0, 0.9, 60.0),)}, 1.0, 0.0, 1.0)
    slow = Gait("creeping", 0.2, 1.7, by_slope=False)
    both = Adversary("both", "inward", (slow, WALK))
    found = study(adversaries=(both,), detection=hidden)
    assert found.adversaries[0].worst == pytest.approx(1 - np.exp(-18 * RATE), abs=1e-5)


def test_inward_and_outward_mirror_each_other():
    out = Adversary("walker out", "outward", (WALK,))
    found = study(adversaries=(Adversary("walker", "inward", (WALK,)), out))
    assert found.adversaries[0].worst == pytest.approx(found.adversaries[1].worst, abs=1e-6)
    assert found.adversaries[1].path.away_m[0] == pytest.approx(39.0)


def test_a_random_response_is_weighed_along_the_way():
    """One spread everywhere: each move's detection times Φ, summed by hand."""
    found = study(response=rules(call_out_sd_s=5.0))
    left = 38.0 - 2.0 * np.arange(19)
    unseen = np.exp(-2.0 * RATE * np.arange(20))
    expected = ((unseen[:-1] - unseen[1:]) * ndtr((left - 20.0) / 5.0)).sum()
    assert found.adversaries[0].worst == pytest.approx(expected, abs=3e-4)


def test_communication_scales_and_nobody_comes_without_posts():
    rule = DetectionRules({"": (DetectionGrade(5.0, 0.9, 60.0),)}, 0.8, 0.0, 1.0)
    full, lossy = study().adversaries[0].worst, study(detection=rule).adversaries[0].worst
    assert lossy == pytest.approx(0.8 * full, abs=1e-6)
    assert study(posts=()).adversaries[0].worst == 0.0


def test_states_blind_together():
    fog = DefenceState("fog", 0.1, visibility_m=20.0)
    half = DefenceState("rain", 0.2, factors={"observer": 0.5})
    cut = DefenceState("feeder", 0.05, lost_from_m=0.0, lost_to_m=200.0)
    found = study(states=(fog, half, cut)).adversaries[0]
    values = {state.state: state.worst for state in found.states}
    full = 1 - np.exp(-18 * RATE)
    assert values["normal"] == pytest.approx(full, abs=1e-5)
    assert values["fog"] == values["feeder"] == 0.0
    assert values["rain"] == pytest.approx(1 - np.exp(-9 * RATE), abs=1e-5)
    assert found.worst == pytest.approx(0.65 * full + 0.2 * values["rain"], abs=1e-5)


def test_availability_lowers_no_more_than_the_outage_itself():
    rule = DetectionRules({"": (DetectionGrade(5.0, 0.9, 60.0),)}, 1.0, 0.0, 0.9)
    found = study(detection=rule).adversaries[0].worst
    exact = 0.9 * (1 - np.exp(-18 * RATE))
    assert exact * 0.75 < found <= exact


@pytest.fixture(scope="module")
def uneven():
    places = [(20.0, 60.0), (90.0, -15.0), (150.0, 60.0), (160.0, 70.0)]
    change = {
        "response": rules(call_out_sd_s=4.0, speed_m_s=8.0, travel_spread=0.2),
        "barriers": (
            Barrier("fence", 6.0, 0.0, 200.0, 8.0), Barrier("wall", 30.0, 40.0, 200.0, 15.0),
        ),
        "detection": DetectionRules(
            {"": (DetectionGrade(20.0, 0.5, 30.0), DetectionGrade(40.0, 0.9, 30.0))}, 0.95, 2.0, 1.0
        ),
        "patrols": (Patrol("patrol", 120.0, 200.0),),
    }  # fmt: skip
    return places, change, study(eyes(*places), **change)


def test_losses_are_those_of_a_study_without_the_thing(uneven):
    places, change, found = uneven
    cases = {(case.kind, case.name): case.worst for case in losses(found)}
    assert len(cases) == len(places) + 2
    for k in range(len(places)):
        rest = eyes(*places)
        keep = rest.mounts["mount_id"] != f"M{k:03d}"
        fewer = replace(
            rest, mounts=rest.mounts[keep],
            devices=rest.devices[rest.devices["mount_id"] != f"M{k:03d}"],
        )  # fmt: skip
        anew = study(fewer, **change).adversaries[0].worst
        assert cases["mount", f"M{k:03d}"] == pytest.approx(anew, abs=1e-9)
    without_post = study(eyes(*places), **(change | {"posts": ()})).adversaries[0].worst
    assert cases["post", "post"] == pytest.approx(without_post, abs=1e-9)
    assert min(cases.values()) < found.adversaries[0].worst


def test_pairs_are_those_of_a_study_without_both(uneven):
    places, change, found = uneven
    cases = {case.name: case.worst for case in pair_losses(found)}
    assert set(cases) <= {f"M{a:03d} and M{b:03d}" for a in range(4) for b in range(a + 1, 4)}
    rest = eyes(*places)
    gone = ["M000", "M001"]
    fewer = replace(
        rest, mounts=rest.mounts[~rest.mounts["mount_id"].isin(gone)],
        devices=rest.devices[~rest.devices["mount_id"].isin(gone)],
    )  # fmt: skip
    anew = study(fewer, **change).adversaries[0].worst
    assert cases["M000 and M001"] == pytest.approx(anew, abs=1e-9)
    single = {case.name: case.worst for case in losses(found)}
    assert all(cases[f"{a} and {b}"] <= min(single[a], single[b]) + 1e-9
               for a, b in (name.split(" and ") for name in cases))  # fmt: skip


def test_the_checks_hold_and_can_fail(uneven):
    found = uneven[2]
    assert all(check.holds for check in checks_of(found))
    case = found.cases[0]
    row = case.weakest.worst_row
    higher = case.weakest.chance.copy()
    higher[row, case.walker.entry] += 0.05
    curve = np.where(np.arange(higher.shape[0]) == row, higher[row, case.walker.entry], np.nan)
    spoiled = replace(case.weakest, chance=higher, curve=curve)
    bad = checks_of(replace(found, cases=(replace(case, weakest=spoiled),)))
    assert [check.holds for check in bad] == [False, False, False]
    deaf = replace(case, escape=replace(case.escape, stopped=0.5 * case.escape.stopped))
    assert not all(check.holds for check in checks_of(replace(found, cases=(deaf,))))


def test_new_posts_reach_what_is_required():
    change = {
        "response": rules(speed_m_s=2.0, call_out_s=5.0, required=0.35),
        "posts": (Post("far", EAST + 200.0, NORTH + 10.0),),
    }
    found = study(**change)
    assert found.adversaries[0].worst < 0.35
    answer = post_answer(found, 0.35)
    assert answer.feasible
    assert 1 <= len(answer.places) <= 12
    assert answer.achieved >= 0.35 - 1e-9
    slow = post_answer(study(**(change | {"response": rules(call_out_s=60.0)})), 0.35)
    assert not slow.feasible
    assert slow.sentence.startswith("response-infeasible: P_I ≥ 0.35 cannot hold at 100 of 100")
    assert slow.late == ((0.0, 200.0),)


def lake(start_m, end_m):
    """Ground that nobody walks on, over the whole width of the zone."""
    return Area("lake", shapely.box(EAST + start_m, NORTH - 1, EAST + end_m, NORTH + 41))


@pytest.mark.parametrize(("start", "end", "dry"), [(50.0, 120.0, 65), (-5.0, 205.0, 0)])
def test_where_nobody_can_walk_nobody_comes_in(start, end, dry, tmp_path):
    swimmer = Adversary("walker", "inward", (WALK,), grounds={"lake": 0.0})
    wet = replace(scene(adversaries=(swimmer,)), areas=(lake(start, end),))
    found = study_plan(wet, flat(), eyes(CENTRE))
    one = found.adversaries[0]
    assert np.isfinite(one.states[0].interruption).sum() == dry
    assert one.worst == pytest.approx(1 - np.exp(-18 * RATE) if dry else 1.0, abs=1e-5)
    assert (one.path is None) == (dry == 0)
    assert all(check.holds for check in checks_of(found))
    answer = post_answer(found, 0.3)
    breach = Breach(0.3, found.adversaries, losses(found), answer, checks_of(found), (), 2.0)
    assert "walker" in breach_page(breach, wet, flat(), eyes(CENTRE))
    assert all(file.is_file() for file in write_breach(breach, wet.crs, tmp_path))


def test_a_project_without_adversaries_is_told_what_is_missing():
    with pytest.raises(UsageError, match=r"add \[\[adversaries\]\]"):
        study_plan(replace(scene(), defence=None), flat(), eyes(CENTRE))


def test_uphill_the_power_sets_the_speed():
    assert climb_speed_m_s(0.0, 15.0, 0.02, 12.0) == 15.0
    assert climb_speed_m_s(0.1, 15.0, 0.02, 12.0) == pytest.approx(12.0 / (9.80665 * 0.12))
    assert climb_speed_m_s(-0.1, 15.0, 0.02, 12.0) == 15.0


def test_a_patrol_is_anywhere_on_its_stretch():
    """Even from 0 to 100 m, exit at its end, 10 m/s: uniform from 5 to 15 s."""
    r = np.linspace(0.0, 100.0, 11)
    road = RoadTimes(r, r, r, r / 10.0, r / 10.0)
    unit = Unit("patrol", np.linspace(0.0, 100.0, 4001), 0.0, 5.0, 0.0)
    found = unit_times_s(scene().defence, road, unit, np.array([100.0]), np.array([0.0]))
    assert found[:, 0] == pytest.approx(5.0 + 10.0 * LEVELS, abs=0.01)


def test_rows_are_longer_outside_a_bend():
    """A zone outside a circle of 300 m: a row at 20 m is 20/300 longer."""
    from shapely.geometry import LineString

    turn = np.radians(np.linspace(0.0, 60.0, 721))
    line = LineString(
        np.column_stack([EAST + 300 * np.sin(turn), NORTH - 300 * np.cos(turn) + 300])
    )
    outside = replace(scene(), line=line, side="right")
    strip = make_strip(outside, flat(), 2.0)
    middle = strip.shape[0] // 2
    expected = (300.0 + strip.away_m) / 300.0
    assert strip.stretch[middle] == pytest.approx(expected, rel=2e-3)


def test_a_lost_cable_is_a_study_without_its_devices():
    plan = eyes(CENTRE, (20.0, 60.0))
    hung = ResilienceRules(
        cables=(Cable("power", "feeder", 0.0, 200.0), Cable("ring", "trunk", 0.0, 200.0, "both"))
    )
    site = replace(scene(), resilience=hung)
    cases = {(case.kind, case.name): case.worst for case in losses(study_plan(site, flat(), plan))}
    places = sorted(float(s) for s in plan.mounts["s"])
    behind = f"power, {places[0]:.0f}–{places[1]:.0f} m"
    far = str(plan.mounts.sort_values("s")["mount_id"].iloc[-1])
    # Behind the first mount hangs the other one only; before it, all; cuts of a ring take nothing.
    assert cases["feeder", behind] == pytest.approx(cases["mount", far], abs=1e-12)
    assert cases["feeder supply", "power"] == pytest.approx(0.0, abs=1e-12)
    assert not any(kind.startswith("trunk") for kind, _ in cases)
