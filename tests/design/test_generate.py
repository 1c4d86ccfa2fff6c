"""Pricing, packages, generated columns, the bound over all aims, and refinement on real terrain."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from small_project import make_project
from watchline.design import choose_aims as stages
from watchline.design import prices
from watchline.design.all_aims import offered, price_mounts
from watchline.design.choose import cover_arguments, make_problem, solve
from watchline.design.choose_aims import choose_aims
from watchline.design.columns import make_scene, mount_columns, take_columns
from watchline.design.cover.certificate import make_certificate
from watchline.design.cover.problem import make_problem as make_cover_problem
from watchline.design.generate import add_poses, aims_for
from watchline.design.packages import best_package
from watchline.design.poses import POSE_COLUMNS
from watchline.design.prices import find_prices, promising_columns
from watchline.design.pricing import best_aim, make_field, sighting
from watchline.design.propose import propose_candidates
from watchline.design.refine import centre, refine
from watchline.design.rows import demand_planned
from watchline.design.see import compute_visibility
from watchline.io.project import read_site
from watchline.io.terrain import build_terrain
from watchline.model.site import Requirement
from watchline.prove.certificate import check_certificate

ROUNDS = stages.ROUNDS
DEVICES = ("fixed-4mp-8mm", "fixed-8mp-12mm", "pano-180-8mp", "ptz-4mp-147mm", "observer-eye")


@pytest.fixture(scope="module", autouse=True)
def few_rounds():
    """Two rounds are enough to see what they do, and pricing takes most of a test's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "ROUNDS", 2)
        yield


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    site = read_site(make_project(tmp_path_factory.mktemp("small")))
    rules = replace(
        site.candidates, devices=DEVICES, structures=("mast-6", "tower-15"), spacing_m=90.0
    )
    requirements = (
        Requirement("overview", "zone", "overview", 20.0, share=0.97),
        Requirement("outline", "fence_strip", "outline", 40.0, views=2),
    )
    design = replace(site.design, work_limit=15.0)
    site = replace(site, candidates=rules, requirements=requirements, design=design)
    terrain = build_terrain(site)
    candidates = propose_candidates(site, terrain)
    visibility = compute_visibility(terrain, candidates)
    problem = make_problem(site, candidates, visibility)
    return make_scene(site, candidates, visibility, problem.rows), problem


@pytest.fixture(scope="module")
def solved(world):
    scene, problem = world
    return solve(scene.site, scene.candidates, problem, 1.0, None, None)


@pytest.fixture(scope="module")
def chosen(world):
    scene, problem = world
    return choose_aims(scene, problem, 1.0, None, None)


def random_poses(scene, mount, lens, count, rng):
    """Poses of a lens at random, rounded as poses are."""
    bearings = scene.view(mount).bearing
    azimuth = np.degrees(rng.choice(bearings, count) + rng.uniform(-0.5, 0.5, count)) % 360
    rows = [
        (mount, lens.number, lens.focal_mm, round(a, 3), round(t, 3), lens.device.price)
        for a, t in zip(azimuth, rng.uniform(-5, 40, count), strict=True)
    ]
    return pd.DataFrame(rows, columns=list(POSE_COLUMNS))


def column_sets(columns):
    return [
        columns.indices[columns.indptr[k] : columns.indptr[k + 1]]
        for k in range(len(columns.poses))
    ]


def test_no_pose_is_worth_more_than_the_best_aim(world):
    scene, problem = world
    rng = np.random.default_rng(3)
    tried = 0
    for mount in range(0, len(scene.candidates.mounts), 2):
        sight = sighting(scene.view(mount), scene.rows)
        price = np.zeros(len(scene.rows))
        price[sight.row] = rng.exponential(1.0, len(sight)) * (rng.random(len(sight)) < 0.3)
        listed = problem.columns.poses[problem.columns.poses["mount"] == mount]
        for lens, near in offered(scene, mount, sight):
            most = best_aim(make_field(sight, lens, near), price[sight.row] * near)[0].most
            mine = listed[(listed["device"] == lens.number) & (listed["focal_mm"] == lens.focal_mm)]
            poses = mine.reset_index(drop=True)
            if not lens.full_circle:
                poses = pd.concat([poses, random_poses(scene, mount, lens, 15, rng)])
            for rows in column_sets(mount_columns(scene, scene.view(mount), poses)):
                tried += 1
                assert price[rows].sum() <= most * (1 + 1e-9)
    assert tried > 300


def test_a_package_is_worth_no_less_than_the_relaxation_over_the_listed_poses(world):
    scene, problem = world
    rng = np.random.default_rng(5)
    columns = problem.columns
    for mount in (0, 1, 4):
        sight = sighting(scene.view(mount), scene.rows)
        price = rng.exponential(60.0, len(sight)) * (rng.random(len(sight)) < 0.4)
        capacity = 2
        package = best_package(sight, offered(scene, mount, sight), price, capacity, 0.0)
        mine = np.flatnonzero(columns.poses["mount"].to_numpy() == mount)
        cost = columns.poses["cost"].to_numpy()[mine]
        matrix = np.zeros((len(sight), len(mine)))
        for k, pose in enumerate(mine):
            rows = columns.indices[columns.indptr[pose] : columns.indptr[pose + 1]]
            matrix[np.isin(sight.row, rows), k] = 1.0
        n, m = len(sight), len(mine)
        upper = np.block([[np.eye(n), -matrix], [np.zeros((1, n)), np.ones((1, m))]])
        best = linprog(
            np.concatenate([-price, cost]),
            A_ub=upper,
            b_ub=np.concatenate([np.zeros(n), [capacity]]),
            bounds=[(0, 1)] * n + [(0, None)] * m,
        )
        assert -best.fun <= package.most * (1 + 1e-7)
        assert package.least <= package.most * (1 + 1e-9)
        assert package.most <= price.sum() * (1 + 1e-9)
        # Continuous aims may be better than the listed ones, but not by a class.
        assert package.most <= -1.6 * best.fun + 1.0


def test_the_bound_over_all_aims_holds_for_any_prices(world, solved, chosen):
    scene, problem = world
    demand = demand_planned(problem.rows)
    rng = np.random.default_rng(1)
    least = min(solved.cost, chosen.solution.cost)
    for _ in range(4):
        row = solved.row_duals * rng.uniform(0.5, 2.0, len(demand))
        row += rng.exponential(20.0, len(demand)) * (rng.random(len(demand)) < 0.05)
        miss = solved.class_duals * rng.uniform(0.5, 2.0, len(solved.class_duals))
        assert price_mounts(scene, demand, row, miss).bound <= least


def test_generated_poses_make_the_plan_no_dearer_and_the_bounds_true(world, solved, chosen):
    assert chosen.generated > 0
    assert chosen.solution.cost <= solved.cost
    assert 0 < chosen.all_aims_bound <= chosen.solution.lower_bound <= chosen.solution.cost
    # The bound over all aims says something: a good part of the bound over the offered poses.
    assert chosen.all_aims_bound > 0.3 * chosen.solution.lower_bound


def test_the_same_search_twice_gives_the_same_plan(world, chosen):
    scene, problem = world
    again = choose_aims(scene, problem, 1.0, None, None)
    assert again.solution.cost == chosen.solution.cost
    assert again.all_aims_bound == chosen.all_aims_bound
    first, second = (
        each.problem.columns.poses.iloc[each.solution.chosen] for each in (chosen, again)
    )
    pd.testing.assert_frame_equal(first, second)


def test_added_poses_leave_the_others_as_they_were(world):
    scene, problem = world
    columns = problem.columns
    rng = np.random.default_rng(2)
    more = random_poses(scene, 1, scene.lenses[0], 6, rng)
    more = pd.concat([more, columns.poses.iloc[:3]], ignore_index=True)
    joined, place = add_poses(scene, columns, more)
    assert 0 < len(joined.poses) - len(columns.poses) <= 6
    assert (np.diff(joined.poses["mount"]) >= 0).all()
    sets = column_sets(joined)
    for old, rows in enumerate(column_sets(columns)):
        assert np.array_equal(sets[place[old]], rows)
        assert tuple(joined.poses.iloc[place[old]]) == tuple(columns.poses.iloc[old])


def test_rows_that_no_pose_holds_get_aims(world):
    scene, _ = world
    wanted = np.array([5, 40, 41, 300])
    poses = aims_for(scene, wanted)
    held = set()
    for mount, mine in poses.groupby("mount"):
        part = mount_columns(scene, scene.view(int(mount)), mine.reset_index(drop=True))
        held |= set(part.indices.tolist())
    assert set(wanted) <= held


def test_a_problem_whose_list_of_poses_is_too_short_is_still_solved(world, solved):
    scene, problem = world
    columns = problem.columns
    # Only panoramic cameras are listed: they reach too little.
    few = columns.poses["device"].to_numpy() == DEVICES.index("pano-180-8mp")
    sets = column_sets(columns)
    kept = [sets[k] for k in np.flatnonzero(few)]
    short = replace(
        columns,
        poses=columns.poses[few].reset_index(drop=True),
        indptr=np.concatenate([[0], np.cumsum([len(rows) for rows in kept])]),
        indices=np.concatenate(kept),
    )
    found = choose_aims(scene, replace(problem, columns=short), 1.0, None, None)
    assert found.solution.status in ("feasible", "optimal")
    assert found.solution.cost <= 1.3 * solved.cost


def test_prices_prove_a_bound_and_go_on_from_known_ones(world, solved, monkeypatch):
    scene, problem = world
    demand = demand_planned(problem.rows)
    arguments = cover_arguments(scene.site, scene.candidates, problem, demand)
    cold = find_prices(arguments, 30.0, 1)
    assert 0 < cold.bound <= solved.cost
    assert (cold.least >= cold.bound * (1 - 1e-9)).all()
    chosen = cold.least[solved.chosen]
    assert (chosen <= solved.cost * (1 + 1e-9)).all()
    # A few steps from good prices prove more than as many from nothing.
    monkeypatch.setattr(prices, "STEPS_AT_ONCE", 10)
    warm = find_prices(arguments, 0.0, 1, cold.row)
    assert warm.bound > 1.01 * find_prices(arguments, 0.0, 1).bound
    assert warm.bound <= solved.cost


def test_the_stated_bound_is_what_the_stated_prices_prove(world, chosen):
    scene, problem = world
    demand = demand_planned(problem.rows)
    made = chosen.problem
    arguments = cover_arguments(scene.site, scene.candidates, made, demand)
    solution = chosen.solution
    content = make_certificate(make_cover_problem(**arguments), solution)
    checked = check_certificate(content, **arguments)
    assert checked.holds, checked.faults
    assert checked.cost == solution.cost
    assert checked.bound == pytest.approx(solution.price_bound, rel=1e-6)
    # Branch and bound may have proven more, which the certificate says.
    assert content["claimed_bound"] == solution.lower_bound >= solution.price_bound


def test_promising_columns_keep_the_plan_and_every_row_in_reach(world, solved):
    scene, problem = world
    demand = demand_planned(problem.rows)
    arguments = cover_arguments(scene.site, scene.candidates, problem, demand)
    priced = find_prices(arguments, 30.0, 1)
    keep = promising_columns(arguments, priced.least, solved.chosen, 0.0)
    assert keep[solved.chosen].all()
    assert np.count_nonzero(keep) < 0.6 * len(keep)
    narrow = replace(problem, columns=take_columns(problem.columns, keep, len(problem.rows)))
    sets, whole = column_sets(narrow.columns), column_sets(problem.columns)
    for rows, number in zip(sets, np.flatnonzero(keep), strict=True):
        assert np.array_equal(rows, whole[number])
    found = solve(scene.site, scene.candidates, narrow, 0.5, None, None)
    assert found.status in ("feasible", "optimal")
    # Without the plan's columns the rows are still in reach.
    bare = promising_columns(arguments, priced.least, np.empty(0, np.int64), -1.0)
    part = replace(problem, columns=take_columns(problem.columns, bare, len(problem.rows)))
    assert solve(scene.site, scene.candidates, part, 0.2, None, None).status != "infeasible"


@pytest.mark.parametrize("calls", [0, 1])
def test_interrupted_between_the_stages_the_plan_at_hand_is_given(world, monkeypatch, calls):
    scene, problem = world
    left = [calls]

    def price(*arguments):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return price_mounts(*arguments)

    monkeypatch.setattr(stages, "price_mounts", price)
    found = choose_aims(scene, problem, 1.0, None, None)
    solution = found.solution
    assert solution.interrupted
    assert found.all_aims_bound is None
    columns = found.problem.columns
    mounts = np.unique(columns.poses["mount"].to_numpy()[solution.chosen])
    cost = columns.poses["cost"].to_numpy()[solution.chosen].sum()
    cost += scene.candidates.mounts["cost"].to_numpy()[mounts].sum()
    assert solution.cost == pytest.approx(cost)
    # The bound of the listed poses, or what was proven over all aims by then.
    assert 0 < solution.lower_bound <= solution.cost
    if found.generated:
        assert solution.price_bound == 0
        priced = [e.lower_bound for e in solution.log if np.isfinite(e.lower_bound)]
        assert solution.lower_bound == pytest.approx(max(priced))


def test_stages_share_the_whole_work():
    shares = stages.FIRST_SHARE + stages.FULL_SHARE + ROUNDS * stages.ROUND_SHARE
    shares += sum(stages.SEARCH_SHARES) + stages.LAST_SHARE + stages.BOUND_SHARE
    assert shares == pytest.approx(1.0)


def views_of(devices, count):
    views = np.zeros(count, dtype=int)
    for mount in {m for m, _ in devices}:
        views[np.unique(np.concatenate([rows for m, rows in devices if m == mount]))] += 1
    return views


def test_refinement_costs_no_more_and_loses_no_row(world):
    scene, problem = world
    demand = demand_planned(problem.rows)
    # A greedy choice leaves much to refine.
    quick = solve(scene.site, scene.candidates, problem, 0.02, None, None)
    sets = column_sets(problem.columns)
    poses = problem.columns.poses
    before = [(poses["mount"].iloc[k], sets[k]) for k in quick.chosen]
    refined = refine(scene, problem.columns, quick.chosen, demand)
    after = []
    for mount, mine in refined.groupby("mount"):
        part = mount_columns(scene, scene.view(int(mount)), mine.reset_index(drop=True))
        assert len(part.poses) == len(mine)
        after += [(mount, rows) for rows in column_sets(part)]
    met = views_of(before, len(demand)) >= demand
    assert (views_of(after, len(demand)) >= demand)[met].all()
    assert set(refined["mount"]) <= set(poses["mount"].iloc[quick.chosen])
    cost = poses["cost"].iloc[quick.chosen].sum()
    assert refined["cost"].sum() <= cost


def test_a_superfluous_device_is_dropped_by_turning_another(world):
    scene, problem = world
    lens = next(lens for lens in scene.lenses if not lens.full_circle)
    mount = 0
    poses = problem.columns.poses
    mine = np.flatnonzero((poses["mount"] == mount) & (poses["device"] == lens.number))
    sets = column_sets(problem.columns)
    # Asked is what one aim of the lens holds and two others hold a part each of.
    whole = max(mine, key=lambda k: len(sets[k]))
    pair, asked = None, np.empty(0, int)
    for a in mine:
        for b in mine[mine > a]:
            parts = [np.intersect1d(sets[whole], sets[k]) for k in (a, b)]
            alone = all(len(np.setdiff1d(parts[k], parts[1 - k])) for k in (0, 1))
            if whole not in (a, b) and alone and len(np.union1d(*parts)) > len(asked):
                pair, asked = (a, b), np.union1d(*parts)
    demand = np.zeros(len(scene.rows), dtype=np.int64)
    demand[asked] = 1
    refined = refine(scene, problem.columns, np.array(pair), demand)
    assert len(refined) == 1


def test_centred_aims_hold_what_they_held(world, chosen):
    scene, problem = world
    everything = np.arange(0, len(problem.columns.poses), 7)
    moved = centre(scene, problem.columns, everything)
    changed = 0
    for number in everything:
        pose = moved.poses.iloc[[number]].reset_index(drop=True)
        changed += tuple(pose.iloc[0]) != tuple(problem.columns.poses.iloc[number])
        part = mount_columns(scene, scene.view(int(pose["mount"].iloc[0])), pose)
        rows = column_sets(problem.columns)[number]
        assert not len(np.setdiff1d(rows, part.indices))
    assert changed > 0
