"""Start from a plan: what a person placed is offered, priced and covered like everything else."""

from dataclasses import replace

import numpy as np
import pytest
from shapely.geometry import Point

from small_project import make_project
from watchline.design.choose import make_problem
from watchline.design.plan import design_plan
from watchline.design.propose import mount_cost, propose_candidates
from watchline.design.see import compute_visibility
from watchline.design.start import NOT_TAKEN, offer_mounts, offer_poses
from watchline.io.project import read_site
from watchline.io.terrain import build_terrain
from watchline.model.site import Area, NoWatchArea


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    site = read_site(make_project(tmp_path_factory.mktemp("small")))
    terrain = build_terrain(site)
    candidates = propose_candidates(site, terrain)
    visibility = compute_visibility(terrain, candidates)
    problem = make_problem(site, candidates, visibility)
    plan = design_plan(site, candidates, visibility)
    return site, terrain, candidates, visibility, problem, plan


def moved(plan, by=(3.0, 1.0), turn=7.3, tilt=1.1):
    """The plan as a person might leave it: mounts moved, cameras turned and tilted."""
    mounts, devices = plan.mounts.copy(), plan.devices.copy()
    for table in (mounts, devices):
        table["geometry"] = [Point(p.x + by[0], p.y + by[1]) for p in table.geometry]
    devices["azimuth_deg"] = (devices["azimuth_deg"] + turn) % 360.0
    devices["tilt_deg"] = devices["tilt_deg"] + tilt
    return replace(plan, name="mine", mounts=mounts, devices=devices)


def test_a_plan_of_offered_poses_adds_nothing(world):
    site, terrain, candidates, visibility, problem, plan = world
    assert offer_mounts(site, terrain, candidates, plan) is candidates
    # The plan's generated and centred aims are not listed; once offered, they are.
    more, _, _ = offer_poses(site, candidates, visibility, problem, plan)
    same, start, notes = offer_poses(site, candidates, visibility, more, plan)
    assert same is more
    assert notes == ()
    poses = same.columns.poses.iloc[start]
    assert len(poses) == len(plan.devices)
    models = [site.candidates.devices[d] for d in poses["device"]]
    assert sorted(models) == sorted(plan.devices["model"])


def test_turned_devices_are_offered_with_what_they_cover(world):
    site, _, candidates, visibility, problem, plan = world
    mine = moved(plan, by=(0.0, 0.0))
    more, start, notes = offer_poses(site, candidates, visibility, problem, mine)
    assert notes == ()
    assert len(start) == len(mine.devices)
    old, new = problem.columns, more.columns
    assert len(new.poses) == len(old.poses) + len(start)
    assert (np.diff(new.poses["mount"]) >= 0).all()
    # What was offered before is there still, with the rows that it covered.
    kept = np.setdiff1d(np.arange(len(new.poses)), start)
    assert new.poses.iloc[kept].reset_index(drop=True).equals(old.poses)
    for a, b in zip(kept, range(len(old.poses)), strict=True):
        one = new.indices[new.indptr[a] : new.indptr[a + 1]]
        assert np.array_equal(one, old.indices[old.indptr[b] : old.indptr[b + 1]])
    # An aim that the program offers too, given as a person's, covers the same rows.
    again, found, _ = offer_poses(
        site,
        candidates,
        visibility,
        replace(problem, columns=_without(old, [5])),
        _one_device(plan, candidates, site, old.poses.iloc[5]),
    )
    span = again.columns.indices[
        again.columns.indptr[found[0]] : again.columns.indptr[found[0] + 1]
    ]
    assert np.array_equal(span, old.indices[old.indptr[5] : old.indptr[6]])


def _without(columns, numbers):
    kept = np.setdiff1d(np.arange(len(columns.poses)), numbers)
    spans = [columns.indices[columns.indptr[k] : columns.indptr[k + 1]] for k in kept]
    return replace(
        columns,
        poses=columns.poses.iloc[kept].reset_index(drop=True),
        indptr=np.concatenate([[0], np.cumsum([len(s) for s in spans])]),
        indices=np.concatenate(spans),
    )


def _one_device(plan, candidates, site, pose):
    mount = candidates.mounts.iloc[int(pose["mount"])]
    place = Point(mount.x, mount.y)
    mounts = plan.mounts.iloc[:1].assign(structure=mount.structure, geometry=[place])
    devices = plan.devices.iloc[:1].assign(
        mount_id=mounts["mount_id"].iloc[0],
        model=site.candidates.devices[int(pose["device"])],
        azimuth_deg=pose["azimuth_deg"],
        tilt_deg=pose["tilt_deg"],
        focal_mm=pose["focal_mm"],
        height_m=mount.height_m,
        geometry=[place],
    )
    return replace(plan, mounts=mounts, devices=devices)


def test_moved_mounts_are_offered_at_their_own_sites_and_prices(world):
    site, terrain, candidates, _, _, plan = world
    mine = moved(plan)
    more = offer_mounts(site, terrain, candidates, mine)
    assert len(more.mounts) == len(candidates.mounts) + len(mine.mounts)
    assert (more.mounts["mount"] == np.arange(len(more.mounts))).all()
    assert more.mounts["site"].is_monotonic_increasing
    new = more.mounts[more.mounts["site"] > candidates.mounts["site"].max()]
    assert len(new) == len(mine.mounts)
    assert new["site"].is_unique
    assert new["ground_z"].notna().all()
    assert list(new["cost"]) == list(mine.mounts["cost"])
    # Another height at a spot that is offered shares its site.
    higher = plan.mounts.assign(
        structure="mast-10", cost=mount_cost(1.0, 2.0, site.catalogue.services)
    )
    narrow = replace(site, candidates=replace(site.candidates, structures=("mast-6",)))
    few = propose_candidates(narrow, terrain)
    both = offer_mounts(narrow, terrain, few, replace(plan, mounts=higher))
    assert both.mounts["site"].nunique() == few.mounts["site"].nunique()
    assert (both.mounts.groupby("site").size().max()) == 2


def test_the_search_gives_an_edited_plan_back_or_a_cheaper_one(world):
    """With all but no work the answer is the start itself, mended where it does not meet all."""
    site, terrain, candidates, _, _, plan = world
    mine = moved(plan, by=(0.4, 0.2), turn=0.7, tilt=0.2)
    lazy = replace(site, design=replace(site.design, work_limit=0.001))
    offered = offer_mounts(lazy, terrain, candidates, mine)
    seen = compute_visibility(terrain, offered)
    found = design_plan(lazy, offered, seen, start=mine)
    ours = {(round(p.x, 2), round(p.y, 2)) for p in found.mounts.geometry}
    wanted = {(round(p.x, 2), round(p.y, 2)) for p in mine.mounts.geometry}
    assert wanted <= ours or found.cost <= mine.cost + 1e-6
    full = design_plan(site, offered, seen, start=mine)
    assert full.cost <= found.cost
    assert full.lower_bound <= plan.cost + 1e-6


def test_what_cannot_be_taken_over_is_said(world):
    site, terrain, candidates, _, _, plan = world
    mine = moved(plan)
    first = mine.mounts.geometry.iloc[0]
    closed = replace(site, exclusions=(Area("pond", first.buffer(1.0)),))
    offered = offer_mounts(closed, terrain, candidates, mine)
    assert len(offered.mounts) == len(candidates.mounts) + len(mine.mounts) - 1
    seen = compute_visibility(terrain, offered)
    _, _, notes = offer_poses(closed, offered, seen, make_problem(closed, offered, seen), mine)
    lost = mine.devices[mine.devices["mount_id"] == mine.mounts["mount_id"].iloc[0]]
    assert len(notes) == len(lost)
    assert all(note.startswith(NOT_TAKEN) and "may not stand there" in note for note in notes)
    devices = mine.devices.copy()
    devices.loc[devices.index[0], "model"] = "observer-eye"
    devices.loc[devices.index[1], "height_m"] -= 2.0
    odd = replace(mine, devices=devices)
    offered = offer_mounts(site, terrain, candidates, odd)
    seen = compute_visibility(terrain, offered)
    problem = make_problem(site, offered, seen)
    _, start, notes = offer_poses(site, offered, seen, problem, odd)
    assert len(start) == len(devices) - 1
    assert any("'observer-eye' is not among candidates.devices" in note for note in notes)
    assert any("the height of device" in note for note in notes)


def test_a_device_that_would_watch_a_no_watch_area_is_not_taken(world):
    site, terrain, candidates, _, _, plan = world
    device, azimuth = plan.devices.iloc[0], np.radians(plan.devices["azimuth_deg"].iloc[0])
    place = Point(
        device.geometry.x + 60.0 * np.sin(azimuth), device.geometry.y + 60.0 * np.cos(azimuth)
    )
    watched = replace(site, no_watch=(NoWatchArea("house", place.buffer(8.0), 0.0, 0.0),))
    terrain = build_terrain(watched)
    candidates = propose_candidates(watched, terrain)
    seen = compute_visibility(terrain, candidates)
    problem = make_problem(watched, candidates, seen)
    _, start, notes = offer_poses(watched, candidates, seen, problem, plan)
    assert any("would watch a no-watch area" in note for note in notes)
    assert len(start) < len(plan.devices)
