"""Candidates: crests first, even spacing after; who may stand where; costs."""

from dataclasses import replace

import numpy as np
import pytest
from shapely.geometry import Point, box

from small_project import make_project
from watchline.design.propose import mount_cost, propose_candidates, stations
from watchline.errors import InfeasibleError
from watchline.io.project import read_site
from watchline.io.terrain import build_terrain
from watchline.model.site import Area, ExistingMount


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    site = read_site(make_project(tmp_path_factory.mktemp("small")))
    return site, build_terrain(site)


def test_crests_come_first_and_gaps_are_filled_evenly():
    along = np.arange(0, 1001, 5.0)
    profile = 10 * np.exp(-(((along - 330) / 40) ** 2)) + 6 * np.exp(-(((along - 770) / 30) ** 2))
    found = stations(profile, 5.0, 200.0, 100.0)
    assert 330 in found
    assert 770 in found
    assert found[0] == 0
    assert found[-1] == 1000
    assert np.diff(found).max() <= 200
    assert (np.diff(found) > 0).all()


def test_of_two_near_crests_the_more_prominent_wins():
    along = np.arange(0, 601, 5.0)
    profile = 4 * np.exp(-(((along - 280) / 15) ** 2)) + 8 * np.exp(-(((along - 340) / 15) ** 2))
    found = stations(profile, 5.0, 600.0, 100.0)
    assert 340 in found
    assert 280 not in found


def test_flat_and_unknown_profiles_get_even_spacing():
    assert stations(np.zeros(101), 10.0, 250.0, 50.0) == pytest.approx([0, 250, 500, 750, 1000])
    assert stations(np.full(101, np.nan), 10.0, 400.0, 50.0)[[0, -1]] == pytest.approx([0, 1000])


def test_mounts_stand_beside_the_road_on_the_zone_side(small):
    site, terrain = small
    found = propose_candidates(site, terrain)
    mounts = found.mounts
    assert (site.sign * mounts["t"] > 0).all()
    distance = mounts.distance(site.road.centreline)
    assert distance.to_numpy() == pytest.approx(site.road.width_m / 2 + 2.0, abs=0.2)
    assert set(mounts["structure"]) == {"mast-6", "mast-10"}
    assert (mounts.groupby("site").size() == 2).all()
    mast = site.catalogue.structures["mast-6"]
    services = site.catalogue.services
    per_metre = services.power_trench_per_m + services.data_trench_per_m
    row = mounts[mounts["structure"] == "mast-6"].iloc[0]
    trench = row.geometry.distance(site.road.centreline)
    assert row["cost"] == pytest.approx(
        mast.price + services.connection + per_metre * trench, abs=0.01
    )
    assert mount_cost(100.0, 0.0, services) == 100.0 + services.connection


def test_exclusions_and_obstacles_keep_mounts_away_but_not_existing_ones(small):
    site, terrain = small
    place = propose_candidates(site, terrain).mounts.geometry.iloc[0]
    closed = replace(site, exclusions=(Area("barn", Point(place).buffer(30)),))
    left = propose_candidates(closed, terrain).mounts
    assert left.distance(Point(place)).min() > 30
    old = ExistingMount("old", place.x, place.y, "mast-10", 700.0)
    kept = propose_candidates(replace(closed, existing_mounts=(old,)), terrain).mounts
    mine = kept[kept["existing"]]
    assert list(mine["structure"]) == ["mast-10"]
    assert mine["cost"].iloc[0] < left["cost"].min()


def test_obstacles_keep_mounts_away(small):
    site, terrain = small
    data = terrain.data.copy()
    data["surface"] = data["ground"] + 5.0
    with pytest.raises(InfeasibleError, match="no mount can stand"):
        propose_candidates(site, replace(terrain, data=data))


def test_no_place_left_is_said(small):
    site, terrain = small
    everywhere = Area("all", box(*site.line.buffer(500).bounds))
    with pytest.raises(InfeasibleError) as caught:
        propose_candidates(replace(site, exclusions=(everywhere,)), terrain)
    assert caught.value.exit_code == 4


def test_cells_cover_the_zone_once(small):
    site, terrain = small
    cells = propose_candidates(site, terrain).cells
    zone = cells[cells["in:zone"]]
    length = site.zone.end_m - site.zone.start_m
    assert len(zone) * 25.0 == pytest.approx(length * 40.0, rel=0.03)
    assert not zone.duplicated(["x", "y"]).any()
    assert (zone["t"].between(0, 40)).all()
    strip = cells[cells["in:fence_strip"]]
    assert (strip["t"] <= 10).all()
    assert cells["s"].is_monotonic_increasing
    assert cells["ground_z"].notna().all()
