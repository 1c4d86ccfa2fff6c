"""The proof as a whole: closed forms, walls, holes, kinds of device, views, tampering."""

from __future__ import annotations

import ast
import math
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from prove_scenes import EAST, NORTH, change, flat, plan, requirement, site
from shapely.geometry import Point, box

import watchline.prove
from watchline.errors import ClaimFailed, PlanError, ProjectError, TerrainError, UsageError
from watchline.model.plan import plan_digest
from watchline.model.site import Area, NoWatchArea
from watchline.prove import explain_cell
from watchline.prove.proof import prove_plan

WEST = {"at": (-20.0, 10.0), "height_m": 6.0}
"""A camera 20 m before the line's start that looks along it."""


def claim(proof, name="seen"):
    return next(c for c in proof.claims if c.requirement == name)


def cells_of(proof, where="zone"):
    return proof.cells[proof.cells[f"in:{where}"]]


def test_density_on_a_plain_reaches_as_far_as_the_closed_form_says():
    """1500 px over a plain: 20 px/m across the line of sight, along the axis to depth 75 m."""
    proof = prove_plan(site(), flat(), plan(WEST))
    seen = cells_of(proof)
    east, north = seen.x - (EAST - 20.0), seen.y - (NORTH + 10.0)
    tilt, rise = math.radians(5.0), 1.7 - 6.0
    forward = east * math.cos(tilt) - rise * math.sin(tilt)
    # A bar at right angles to the bearing, of which the share sin(bearing) changes the depth.
    flat_m = np.hypot(east, north)
    bar = np.column_stack([north / flat_m, -east / flat_m])
    right, down = -north, -east * math.sin(tilt) - rise * math.cos(tilt)
    depth_rate = bar[:, 0] * math.cos(tilt)
    du = -bar[:, 1] / forward - right * depth_rate / forward**2
    dv = -bar[:, 0] * math.sin(tilt) / forward - down * depth_rate / forward**2
    density = 1500.0 * np.hypot(du, dv)
    inside = (np.abs(1500 * right / forward) <= 960) & (np.abs(1500 * down / forward) <= 540)
    feet = -east * math.sin(tilt) + 6.0 * math.cos(tilt)
    forward_feet = east * math.cos(tilt) + 6.0 * math.sin(tilt)
    inside &= (np.abs(1500 * feet / forward_feet) <= 540) & (
        np.abs(1500 * right / forward_feet) <= 960
    )
    expected = inside & (density >= 20.0)
    edge = np.abs(density - 20.0) < 1e-4  # the Earth curves by 0.4 mm over 80 m
    assert (seen["views@1.7"].to_numpy() == expected)[~edge].all()
    assert expected.sum() > 100
    np.testing.assert_allclose(
        seen["px_per_m@1.7"].to_numpy()[expected & ~edge], density[expected & ~edge], rtol=1e-5
    )
    assert claim(proof).value == pytest.approx(expected.mean(), abs=2 / len(seen))
    assert claim(proof).verdict == "fails"


def test_every_claim_holds_where_all_is_seen():
    one = site(requirement(px_per_m=5.0), length_m=60.0)
    proof = prove_plan(one, flat(), plan({"at": (-30.0, 10.0), "tilt_deg": 3.0}))
    assert proof.holds
    proof.raise_if_failed()
    got = claim(proof)
    assert (got.verdict, got.lower, got.upper, got.cells) == ("holds", 1.0, 1.0, 300)
    assert got.failing_chainages == ()
    assert "tightest" in got.witness.why
    assert proof.chainage["cells"].tolist() == [300]
    assert proof.chainage["share"].tolist() == [1.0]


def test_a_wall_hides_and_the_witness_names_it():
    terrain = change(flat(), 60, 60, -50, 50, surface=8.0, ground=8.0)
    proof = prove_plan(site(requirement(px_per_m=5.0)), terrain, plan(WEST))
    got = claim(proof)
    assert got.verdict == "fails"
    behind = cells_of(proof).query("s > 66")
    assert (behind["views@1.7"] == 0).all()
    assert (cells_of(proof).query("20 < s < 54")["views@1.7"] == 1).all()
    assert got.failing_chainages[-1][0] < 70 < got.failing_chainages[-1][1]
    views = explain_cell(site(), terrain, plan(WEST), EAST + 90.0, NORTH + 10.0)
    assert "terrain hides it" in views[0].why
    assert views[0].block_x == pytest.approx(EAST + 60.0)
    house = change(flat(), 60, 60, -50, 50, surface=8.0)
    views = explain_cell(site(), house, plan(WEST), EAST + 90.0, NORTH + 10.0)
    assert "something on the ground hides it" in views[0].why


def test_unknown_surface_on_the_way_makes_unknown_not_covered():
    terrain = change(flat(), 60, 60, -50, 50, surface=np.nan)
    whole = site(requirement(px_per_m=5.0), length_m=120.0, outer_m=8.0)
    camera = plan({"at": (-30.0, 4.0), "tilt_deg": 3.0})
    proof = prove_plan(whole, terrain, camera)
    got = claim(proof)
    assert got.verdict == "unknown"
    assert got.upper == 1.0
    assert 0.4 < got.lower < 0.6
    assert got.failing_chainages[0][0] == pytest.approx(60.0, abs=12.0)
    assert "no terrain data on the way" in got.witness.why
    assert not proof.holds
    with pytest.raises(ClaimFailed, match="unknown"):
        proof.raise_if_failed()


def test_unknown_ground_is_unknown_even_where_no_device_looks():
    terrain = change(flat(), 100, 110, -50, 50, ground=np.nan)
    proof = prove_plan(site(requirement(px_per_m=5.0)), terrain, plan(WEST))
    lost = cells_of(proof).query("101 < s < 109")
    assert lost["ground_z"].isna().all()
    assert lost["unknown@1.7"].all()
    assert (lost["views@1.7"] == 0).all()
    nowhere = prove_plan(site(requirement(px_per_m=1e6)), terrain, plan(WEST))
    # Bilinear ground is unknown from 95 m to 115 m: 9 columns of 10 cells.
    assert (claim(nowhere).lower, claim(nowhere).upper) == (0.0, 0.09)
    blind = change(flat(), -30, -10, -50, 50, ground=np.nan)
    proof = prove_plan(site(requirement(px_per_m=5.0)), blind, plan(WEST))
    assert claim(proof).verdict == "unknown"
    assert claim(proof).lower == 0.0


def test_devices_of_one_mount_are_one_view():
    two = site(requirement(px_per_m=5.0, views=2), length_m=60.0)
    here = {"at": (-30.0, 10.0), "tilt_deg": 3.0}
    same = plan({**here, "mount": "A"}, {**here, "mount": "A", "height_m": 7.0})
    got = claim(prove_plan(two, flat(), same))
    assert (got.verdict, got.upper) == ("fails", 0.0)
    assert "seen from 1 of 2 mounts (A); devices of one mount count once" in got.witness.why
    other = plan({**here, "mount": "A"}, {**here, "mount": "B"})
    proof = prove_plan(two, flat(), other)
    assert claim(proof).verdict == "holds"
    assert (cells_of(proof)["views@1.7"] == 2).all()


def test_an_observer_sees_round_about_to_the_range():
    eyes = plan({"at": (100.0, 10.0), "model": "eyes"})
    proof = prove_plan(site(requirement(px_per_m=3437.0 / 50.0)), flat(), eyes)
    seen = cells_of(proof)
    flat_m = np.hypot(seen.x - (EAST + 100.0), seen.y - (NORTH + 10.0))
    slant = np.hypot(flat_m, 4.3)
    steep = np.degrees(np.arctan2(6.0, flat_m)) > 60.0
    expected = (3437.746771 / slant >= 3437.0 / 50.0) & ~steep
    assert (seen["views@1.7"] == expected).all()
    assert steep.any()
    assert seen["views@1.7"].any()


def test_a_ptz_counts_only_for_its_share_of_time():
    head = plan(
        {"at": (100.0, 10.0), "model": "ptz", "azimuth_deg": math.nan, "tilt_deg": math.nan}
    )
    asked = (
        requirement("always", px_per_m=10.0),
        requirement("seldom", px_per_m=10.0, time_share=0.2),
    )
    proof = prove_plan(site(*asked), flat(), head)
    assert claim(proof, "always").upper == 0.0
    assert "watches 20% of the time" in claim(proof, "always").witness.why
    seldom = cells_of(proof)
    distance = np.hypot(seldom.x - EAST - 100.0, seldom.y - NORTH - 10.0)
    # Of a target near the mast the head's upright image holds the whole height: 39.6°.
    assert claim(proof, "seldom").lower == pytest.approx((distance < 149).mean(), abs=0.02)


def test_a_panoramic_housing_looks_to_all_sides():
    ring = plan({"at": (100.0, 10.0), "model": "ring", "tilt_deg": 0.0, "azimuth_deg": 17.0})
    proof = prove_plan(site(requirement(px_per_m=5.0)), flat(), ring)
    seen = cells_of(proof)
    distance = np.hypot(seen.x - EAST - 100.0, seen.y - NORTH - 10.0)
    assert (seen["views@1.7"][distance > 20.0] == 1).all()
    assert (seen["views@1.7"][distance < 8.0] == 0).all()


def test_range_is_slant_distance():
    short = plan({**WEST, "model": "short"})
    proof = prove_plan(site(requirement(px_per_m=1.0)), flat(), short)
    seen = cells_of(proof).query("`views@1.7` > 0")
    slant = np.hypot(np.hypot(seen.x - EAST + 20.0, seen.y - NORTH - 10.0), 4.3)
    assert 59.0 < slant.max() <= 60.0


def test_a_crouching_target_is_judged_apart():
    terrain = change(flat(), 60, 60, -50, 50, surface=1.2)
    asked = (
        requirement("standing", px_per_m=5.0),
        requirement("crouching", px_per_m=5.0, target_height_m=0.5),
    )
    proof = prove_plan(site(*asked), terrain, plan(WEST))
    assert claim(proof, "standing").value > claim(proof, "crouching").value + 0.01
    for column in ("views@0.5", "px_per_m@0.5", "unknown@0.5", "views@1.7"):
        assert column in proof.cells
    assert {"state:standing", "state:crouching"} <= set(proof.cells)


def test_no_watch_areas_are_judged_by_their_unwatched_share():
    places = (
        NoWatchArea("near", box(EAST + 20, NORTH + 30, EAST + 40, NORTH + 40), 0.0, 0.0),
        NoWatchArea("half", box(EAST + 20, NORTH + 30, EAST + 40, NORTH + 40), 1.0, 0.0),
        NoWatchArea("coarse", box(EAST + 20, NORTH + 30, EAST + 40, NORTH + 40), 0.0, 200.0),
        NoWatchArea("behind", box(EAST - 60, NORTH + 30, EAST - 40, NORTH + 40), 0.0, 0.0),
    )
    camera = plan({**WEST, "azimuth_deg": 60.0})
    proof = prove_plan(site(no_watch=places), flat(), camera)
    verdicts = [claim(proof, f"no-watch: {p.name}").verdict for p in places]
    assert verdicts == ["fails", "holds", "holds", "holds"]
    near = claim(proof, "no-watch: near")
    assert (near.cells, near.lower, near.upper) == (50, 0.0, 0.0)
    assert "D000 sees it" in near.witness.why
    assert near.detail.startswith("50 of 50 cells are surely watched at all")
    holes = change(flat(), 0, 10, 10, 60, surface=np.nan)
    got = claim(prove_plan(site(no_watch=places), holes, camera), "no-watch: near")
    assert (got.verdict, got.lower, got.upper) == ("unknown", 0.0, 1.0)
    assert "no terrain data on the way" in got.witness.why


def test_a_no_watch_area_on_unknown_ground_is_unknown():
    lost = NoWatchArea("lost", box(EAST + 220, NORTH + 30, EAST + 230, NORTH + 40), 0.0, 0.0)
    terrain = change(flat(), 200, 260, 20, 60, ground=np.nan)
    away = prove_plan(site(no_watch=(lost,)), terrain, plan({**WEST, "azimuth_deg": 270.0}))
    got = claim(away, "no-watch: lost")
    assert (got.verdict, got.lower, got.upper) == ("unknown", 0.0, 1.0)


def test_exclusions_keep_mounts_and_devices_out():
    area = Area("marsh", box(EAST - 30, NORTH, EAST - 10, NORTH + 20))
    proof = prove_plan(site(exclusions=(area,)), flat(), plan(WEST))
    got = claim(proof, "exclusion: marsh")
    assert got.verdict == "fails"
    assert got.witness.why == "mount M000 stands in 'marsh'"
    moved = plan({**WEST, "at": (-40.0, 10.0)})
    assert (
        claim(prove_plan(site(exclusions=(area,)), flat(), moved), got.requirement).verdict
        == "holds"
    )


def test_structures_carry_what_they_can():
    here = {"at": (0.0, 10.0), "mount": "A"}
    full = plan(here, here, here, mounts={"A": "mast"})
    got = claim(prove_plan(site(), flat(), full), "capacity of structures")
    assert got.verdict == "fails"
    assert "3 devices, 2 is its most" in got.detail
    for bad, words in (
        ({"model": "eyes"}, "needs a tower"),
        ({"height_m": 12.0}, "top is at 10 m"),
        ({"focal_mm": 50.0}, "lens goes from 2 to 16 mm"),
    ):
        one = plan({**here, **bad}, mounts={"A": "mast"})
        got = claim(prove_plan(site(), flat(), one), "capacity of structures")
        assert (got.verdict, words in got.detail) == ("fails", True)
    good = plan({**here, "model": "eyes"}, mounts={"A": "tower"})
    assert claim(prove_plan(site(), flat(), good), "capacity of structures").verdict == "holds"


def test_a_condition_that_the_site_lacks_is_named():
    with pytest.raises(ProjectError, match="no condition 'night'"):
        prove_plan(site(requirement(condition="night")), flat(), plan(WEST))


def test_tampering_with_a_plan_changes_verdict_and_digest():
    one = site(requirement(px_per_m=5.0), length_m=60.0)
    true = plan({"at": (-30.0, 10.0), "tilt_deg": 3.0})
    before = prove_plan(one, flat(), true)
    for column, value in (("azimuth_deg", 120.0), ("tilt_deg", 40.0), ("focal_mm", 16.0)):
        table = true.devices.copy()
        table[column] = value
        after = prove_plan(one, flat(), replace(true, devices=table))
        assert claim(after).verdict == "fails"
        assert after.plan_sha256 != before.plan_sha256
    table = true.devices.copy()
    table = gpd.GeoDataFrame(table.drop(columns="geometry"), geometry=[Point(EAST + 40, NORTH)])
    moved = prove_plan(one, flat(), replace(true, devices=table))
    assert claim(moved).verdict == "fails"
    assert moved.plan_sha256 not in (before.plan_sha256, "")
    again = prove_plan(one, flat(), true)
    assert again.plan_sha256 == before.plan_sha256 == plan_digest(true)
    assert again.claims == before.claims


def test_windows_do_not_change_the_answer(monkeypatch):
    terrain = change(flat(), 60, 80, 5, 12, surface=3.0)
    asked = site(requirement(px_per_m=5.0, views=2))
    both = plan(WEST, {"at": (220.0, 10.0), "azimuth_deg": 270.0})
    whole = prove_plan(asked, terrain, both)
    monkeypatch.setattr("watchline.prove.views.WINDOW_M", 13.0)
    parts = prove_plan(asked, terrain, both)
    assert whole.cells.equals(parts.cells)
    assert whole.claims == parts.claims


def test_proof_cells_are_half_the_designs_and_named_places_are_cut_by_their_geometry():
    area = Area("gate", box(EAST + 90, NORTH - 20, EAST + 110, NORTH - 10))
    one = site(requirement(where="gate"), areas=(area,))
    proof = prove_plan(one, flat(), plan(WEST))
    assert proof.cell_m == 2.0
    assert set(proof.cells["size_m"]) == {2.0}
    assert (len(cells_of(proof)), len(cells_of(proof, "fence_strip"))) == (1000, 200)
    gate = cells_of(proof, "gate")
    assert len(gate) == 50
    assert not gate["in:zone"].any()
    assert claim(proof).cells == 50
    road = cells_of(proof, "road").query("s > 0 and s < 200")
    assert set(np.round(road["t"], 6)) == {9.0, 11.0}
    np.testing.assert_allclose((proof.cells["x"] / 2.0) % 1.0, 0.5)
    assert len(cells_of(prove_plan(one, flat(), plan(WEST), cell_m=1.0))) == 4000


def test_a_place_without_a_cell_is_unknown():
    area = Area("dot", box(EAST + 90.1, NORTH + 5.3, EAST + 90.2, NORTH + 5.4))
    got = claim(prove_plan(site(requirement(where="dot"), areas=(area,)), flat(), plan(WEST)))
    assert (got.verdict, got.cells, got.witness) == ("unknown", 0, None)
    assert "no cell of 2 m" in got.detail


def test_a_plan_without_devices_fails_in_words():
    empty = plan(WEST)
    empty = replace(empty, devices=empty.devices.iloc[:0])
    got = claim(prove_plan(site(), flat(), empty))
    assert (got.verdict, got.upper) == ("fails", 0.0)
    assert got.witness.why == "the plan has no device"


def test_progress_ends_at_one():
    told = []
    prove_plan(site(length_m=150.0), flat(), plan(WEST), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_faults_of_plan_terrain_and_site_are_named():
    one, good = site(), plan(WEST)

    def with_device(**values):
        return replace(good, devices=good.devices.assign(**values))

    cases = [
        (PlanError, "model 'x' is not in the catalogue", with_device(model="x")),
        (PlanError, "mount 'x' is not in the plan", with_device(mount_id="x")),
        (PlanError, "azimuth_deg = nan", with_device(azimuth_deg=math.nan)),
        (PlanError, "focal_mm = 0", with_device(focal_mm=0.0)),
        (PlanError, "height_m = nan", with_device(height_m=math.nan)),
        (PlanError, "the plan is in EPSG:32637", replace(good, crs="EPSG:32637")),
        (
            PlanError,
            "structure 'x' is not in the catalogue",
            replace(good, mounts=good.mounts.assign(structure="x")),
        ),
    ]
    for error, words, bad in cases:
        with pytest.raises(error, match=words):
            prove_plan(one, flat(), bad)
    with pytest.raises(TerrainError, match="EPSG:32637"):
        prove_plan(one, replace(flat(), crs="EPSG:32637"), good)
    with pytest.raises(ProjectError, match="no place 'yard'"):
        prove_plan(site(requirement(where="yard")), flat(), good)
    with pytest.raises(UsageError, match="cell_m"):
        prove_plan(one, flat(), good, cell_m=0.0)


def test_explanations_name_every_reason_nearest_first():
    far = {"at": (-20.0, 10.0), "tilt_deg": 3.0}
    several = plan(
        far,
        {**far, "model": "short"},
        {**far, "azimuth_deg": 270.0},
        {**far, "model": "ptz"},
        {**far, "focal_mm": 2.0},
    )
    views = explain_cell(
        site(), flat(), several, EAST + 50, NORTH + 10, px_per_m=15.0, time_share=0.5
    )
    assert [view.device_id for view in views] == ["D000", "D004", "D002", "D001", "D003"]
    words = ["sees it with 21.4 px/m", "px/m of 15", "outside", "out of range", "of the time"]
    for view, word in zip(views, words, strict=True):
        assert word in view.why
    assert views[0].distance_m == pytest.approx(math.hypot(70, 4.3), abs=1e-3)


def test_the_proof_knows_nothing_of_the_design():
    folder = Path(watchline.prove.__file__).parent
    allowed = ("prove", "physics", "geo", "model", "errors")
    names = set()
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                names.add(node.module or "")
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
    ours = {name for name in names if name.startswith("watchline")}
    assert ours
    # Counting what an outage leaves is arithmetic on the proof's own sights.
    ours -= {"watchline.kernels.outages"}
    assert {name for name in ours if name.split(".")[1] not in allowed} == set()
