"""Plans edited by a person: what was meant is what is read."""

from __future__ import annotations

import dataclasses
import sqlite3

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from plan_edits import PLAN, SITE, add, fresh, rewrite, shift, sql
from shapely.geometry import Point

import outputs_sample as sample
from watchline.design.propose import mount_cost
from watchline.geo.chainage import to_chainage
from watchline.io.plan import read_plan, write_plan
from watchline.model.plan import plan_digest


def device(plan, key: str):
    return plan.devices.set_index("device_id").loc[key]


def mount(plan, key: str):
    return plan.mounts.set_index("mount_id").loc[key]


def cost_at(x: float, y: float, structure: str, price: float | None = None) -> float:
    price = SITE.catalogue.structures[structure].price if price is None else price
    trench = Point(x, y).distance(SITE.road.centreline)
    return mount_cost(price, trench, SITE.catalogue.services)


def total(plan) -> float:
    return plan.mounts["cost"].sum() + plan.devices["cost"].sum()


def test_a_turned_device(tmp_path) -> None:
    file = fresh(tmp_path)
    sql(file, "UPDATE devices SET azimuth_deg = 91.5, tilt_deg = 3 WHERE device_id = 'D002'")
    plan = read_plan(file, site=SITE)
    assert (plan.name, plan.status, plan.lower_bound, plan.gap) == ("mine", "edited", None, None)
    assert (plan.log, plan.design_claims, plan.cost_along) == ((), (), None)
    assert device(plan, "D002").azimuth_deg == 91.5
    assert device(plan, "D002").tilt_deg == 3.0
    assert device(plan, "D002").hfov_deg == device(PLAN, "D002").hfov_deg
    assert plan.cost == pytest.approx(PLAN.cost)
    assert plan.provenance.inputs["edited_from"] == plan_digest(PLAN)
    assert plan.notes == ()  # those of the design spoke of its bound


def test_a_zoomed_lens_changes_the_field_of_view(tmp_path) -> None:
    file = fresh(tmp_path)
    sql(file, "UPDATE devices SET focal_mm = 16 WHERE device_id = 'D001'")
    own = device(read_plan(file, site=SITE), "D001")
    wanted = 2 * np.degrees(np.arctan(5.12 / 2 / 16))
    assert own.hfov_deg == pytest.approx(wanted, abs=6e-4)
    assert own.vfov_deg == pytest.approx(
        2 * np.degrees(np.arctan(5.12 * 1440 / 2560 / 2 / 16)), abs=6e-4
    )


def test_another_model_brings_its_kind_price_and_field(tmp_path) -> None:
    file = fresh(tmp_path)
    sql(file, "UPDATE devices SET model = 'pano-4', focal_mm = 4 WHERE device_id = 'D001'")
    plan = read_plan(file, site=SITE)
    own = device(plan, "D001")
    assert (own.kind, own.cost) == ("panoramic", 1800.0)
    assert own.hfov_deg == device(PLAN, "D004").hfov_deg
    assert plan.cost == pytest.approx(PLAN.cost - 900 + 1800)


def test_a_device_nudged_on_its_mount_stays_there(tmp_path) -> None:
    file = fresh(tmp_path)
    shift(file, "devices", "D001", 1.2, -0.9)
    plan = read_plan(file, site=SITE)
    assert device(plan, "D001").mount_id == "M001"
    assert device(plan, "D001").geometry.equals(Point(sample.X0 + 101.45, sample.Y0 - 51.4))
    assert len(plan.mounts) == 3
    assert plan.cost == pytest.approx(PLAN.cost)
    assert plan.status == "edited"


def test_a_device_moved_away_gets_its_own_mount(tmp_path) -> None:
    file = fresh(tmp_path)
    shift(file, "devices", "D001", 40.0, 5.0)
    plan = read_plan(file, site=SITE)
    new = mount(plan, "M001-moved")
    x, y = sample.X0 + 140.25, sample.Y0 - 45.5
    assert device(plan, "D001").mount_id == "M001-moved"
    assert (new.structure, new.kind, new.height_m, new.existing) == ("mast-8", "mast", 8.0, False)
    assert (new.geometry.x, new.geometry.y) == (x, y)
    assert new.cost == cost_at(x, y, "mast-8")
    s, t, _ = to_chainage(SITE.line, np.array([x]), np.array([y]))
    assert (new.s, new.t) == (s[0], t[0])
    assert np.isnan(new.ground_z)
    assert plan.cost == pytest.approx(PLAN.cost + new.cost)
    assert any(
        "D001: moved 40.3 m off M001" in note and "M001-moved" in note for note in plan.notes
    )


@pytest.mark.parametrize("site", [SITE, None], ids=["with its project", "alone"])
def test_a_device_moved_off_an_existing_mount_needs_a_new_one(tmp_path, site) -> None:
    file = fresh(tmp_path)
    shift(file, "devices", "D004", 30.0, 0.0)
    new = mount(read_plan(file, site=site), "M002-moved")
    assert not new.existing
    if site is not None:
        assert new.cost == cost_at(sample.X0 + 530, sample.Y0 - 30, "mast-12")


def test_devices_moved_together_share_the_new_mount(tmp_path) -> None:
    file = fresh(tmp_path)
    for key in ("D001", "D002"):
        shift(file, "devices", key, 40.0, 5.0)
    shift(file, "devices", "D003", 80.0, 5.0)
    plan = read_plan(file, site=SITE)
    assert list(plan.devices["mount_id"][:3]) == ["M001-moved", "M001-moved", "M001-moved-2"]
    assert any("M001: carries no device now" in note for note in plan.notes)
    assert plan.cost == pytest.approx(total(plan))


def test_a_device_moved_beside_another_mount_hangs_there(tmp_path) -> None:
    file = fresh(tmp_path)
    shift(file, "devices", "D001", 400.0, 21.0)
    plan = read_plan(file, site=SITE)
    own = device(plan, "D001")
    assert own.mount_id == "M002"
    assert own.height_m == 12.0  # it hung at the top of its mount and still does
    assert len(plan.mounts) == 3
    assert any("D001: hangs on M002 now" in note for note in plan.notes)


def test_a_dragged_mount_takes_its_devices_along(tmp_path) -> None:
    file = fresh(tmp_path)
    shift(file, "mounts", "M001", 30.0, 10.0)
    plan = read_plan(file, site=SITE)
    place = mount(plan, "M001").geometry
    assert (place.x, place.y) == (sample.X0 + 130.25, sample.Y0 - 40.5)
    for key in ("D001", "D002", "D003"):
        assert device(plan, key).geometry.distance(place) < 1e-9
        assert device(plan, key).mount_id == "M001"
    assert mount(plan, "M001").cost == cost_at(place.x, place.y, "mast-8")
    assert len(plan.mounts) == 3
    assert any("M001: moved by 31.6 m, with the 3 devices" in note for note in plan.notes)


def test_a_mount_dragged_with_one_of_its_devices(tmp_path) -> None:
    file = fresh(tmp_path)
    shift(file, "mounts", "M001", 30.0, 10.0)
    shift(file, "devices", "D002", 30.5, 10.0)
    plan = read_plan(file, site=SITE)
    assert set(plan.devices["mount_id"][:3]) == {"M001"}
    assert device(plan, "D002").geometry.x == sample.X0 + 130.75
    assert device(plan, "D001").geometry.x == sample.X0 + 130.25


def test_a_deleted_device_and_a_deleted_mount(tmp_path) -> None:
    file = fresh(tmp_path)
    sql(file, "DELETE FROM devices WHERE device_id = 'D003'")
    plan = read_plan(file, site=SITE)
    assert plan.cost == pytest.approx(PLAN.cost - 4200.5)
    assert plan.status == "edited"
    rewrite(file, "devices", lambda frame: frame[frame["mount_id"] != "M003"])
    rewrite(file, "mounts", lambda frame: frame[frame["mount_id"] != "M003"])
    plan = read_plan(file, site=SITE)
    assert list(plan.mounts["mount_id"]) == ["M001", "M002"]
    assert plan.cost == pytest.approx(total(plan))


def test_an_added_device_hangs_on_the_mount_where_it_stands(tmp_path) -> None:
    file = fresh(tmp_path)
    add(file, "devices", sample.X0 + 501, sample.Y0 - 30, model="cam-4mp", azimuth_deg=359.0,
        tilt_deg=4.0, focal_mm=8.0)  # fmt: skip
    plan = read_plan(file, site=SITE)
    new = device(plan, "D008")
    assert (new.mount_id, new.kind, new.height_m, new.cost) == ("M002", "camera", 12.0, 900.0)
    assert new.hfov_deg == device(PLAN, "D002").hfov_deg
    assert any("device D008: new in row" in note for note in plan.notes)
    assert plan.cost == pytest.approx(PLAN.cost + 900.0)


@pytest.mark.parametrize(
    ("cells", "structure"),
    [
        ({"model": "cam-4mp", "focal_mm": 8.0}, "mast-8"),
        ({"model": "cam-4mp", "focal_mm": 8.0, "height_m": 10.0}, "mast-12"),
        ({"model": "observer"}, "tower-15"),
        ({"model": "thermal-25", "height_m": 8.0}, "mast-8"),
    ],
)
def test_an_added_device_alone_gets_a_mount_that_fits(tmp_path, cells, structure) -> None:
    file = fresh(tmp_path)
    x, y = sample.X0 + 300.0, sample.Y0 - 45.0
    add(file, "devices", x, y, azimuth_deg=10.0, tilt_deg=5.0, **cells)
    plan = read_plan(file, site=SITE)
    new = device(plan, "D008")
    own = mount(plan, "M004")
    assert new.mount_id == "M004"
    assert own.structure == structure
    assert new.height_m == cells.get("height_m", own.height_m)
    assert own.cost == cost_at(x, y, structure)
    assert own["name"] == f"{SITE.catalogue.structures[structure].name} for D008"
    assert any("D008: stands alone, so it gets a new mount M004" in note for note in plan.notes)


def test_a_mount_and_its_device_copied_and_pasted(tmp_path) -> None:
    file = fresh(tmp_path)
    x, y = sample.X0 + 250.0, sample.Y0 - 45.0
    old, camera = mount(PLAN, "M001"), device(PLAN, "D001")
    add(file, "mounts", x, y, mount_id="M001",
        **old.drop(["geometry", "s", "t", "cost"]).to_dict())  # fmt: skip
    add(file, "devices", x, y, device_id="D001", **camera.drop(["geometry", "cost"]).to_dict())
    plan = read_plan(file, site=SITE)
    assert mount(plan, "M001").geometry.equals(old.geometry)
    assert device(plan, "D001").geometry.equals(camera.geometry)
    assert mount(plan, "M004").geometry.equals(Point(x, y))
    assert device(plan, "D008").mount_id == "M004"
    assert device(plan, "D001").mount_id == "M001"
    assert plan.cost == pytest.approx(PLAN.cost + cost_at(x, y, "mast-8") + 900.0)


def test_a_higher_structure_lifts_the_devices_at_its_top(tmp_path) -> None:
    file = fresh(tmp_path)
    sql(
        file,
        "UPDATE mounts SET structure = 'mast-12' WHERE mount_id = 'M001'",
        "UPDATE devices SET height_m = 5.5 WHERE device_id = 'D002'",
    )
    plan = read_plan(file, site=SITE)
    assert mount(plan, "M001").height_m == 12.0
    assert list(plan.devices["height_m"][:3]) == [12.0, 5.5, 12.0]
    assert plan.cost == pytest.approx(PLAN.cost + 3300 - 2100)


def test_an_existing_mount_that_is_moved_must_be_built(tmp_path) -> None:
    file = fresh(tmp_path)
    shift(file, "mounts", "M002", 0.0, -25.0)
    plan = read_plan(file, site=SITE)
    own = mount(plan, "M002")
    assert not own.existing
    assert own.cost == cost_at(sample.X0 + 500, sample.Y0 - 55, "mast-12")
    assert any("M002: no mount of the project stands there already" in note for note in plan.notes)


def test_further_columns_layers_and_shuffled_rows_change_nothing(tmp_path) -> None:
    file = fresh(tmp_path)
    for layer in ("mounts", "devices"):
        rewrite(file, layer, lambda frame: frame.iloc[::-1].assign(remark="seen on site", n=1))
    rewrite(file, "road", lambda frame: frame, append=False)
    own = gpd.GeoDataFrame({"photo": ["a.jpg"]}, geometry=[Point(0, 0)], crs=4326)
    own.to_file(file, layer="my photos")
    plan = read_plan(file, site=SITE)
    assert (plan.status, plan.lower_bound) == ("feasible", PLAN.lower_bound)
    assert list(plan.mounts["mount_id"]) == ["M003", "M002", "M001"]
    assert list(plan.mounts.columns) == [*PLAN.mounts.columns]


def test_layers_saved_in_another_crs(tmp_path) -> None:
    file = fresh(tmp_path)
    for layer in ("mounts", "devices"):
        rewrite(file, layer, lambda frame: frame.to_crs(4326))
    sql(file, "UPDATE devices SET azimuth_deg = 1 WHERE device_id = 'D001'")
    for site in (SITE, None):
        plan = read_plan(file, site=site)
        assert plan.crs == plan.mounts.crs.to_string() == sample.CRS
        away = plan.devices.geometry.distance(PLAN.devices.geometry)
        assert away.max() < 1e-5
        assert list(plan.devices["mount_id"]) == list(PLAN.devices["mount_id"])


def test_points_saved_with_heights_or_as_multipoints(tmp_path) -> None:
    file = fresh(tmp_path)
    rewrite(file, "devices", lambda f: f.set_geometry(shapely.force_3d(f.geometry, 12.0)))
    rewrite(file, "mounts", lambda f: f.set_geometry([shapely.MultiPoint([p]) for p in f.geometry]))
    plan = read_plan(file, site=SITE)
    assert plan.status == "feasible"
    assert not plan.devices.has_z.any()


def test_new_prices_count(tmp_path) -> None:
    file = fresh(tmp_path)
    devices = {**SITE.catalogue.devices}
    devices["cam-4mp"] = dataclasses.replace(devices["cam-4mp"], price=1000.0)
    dearer = sample.make_site(catalogue=dataclasses.replace(SITE.catalogue, devices=devices))
    plan = read_plan(file, site=dearer)
    assert plan.cost == pytest.approx(PLAN.cost + 300.0)
    assert (plan.status, plan.lower_bound) == ("edited", None)


def test_edited_alone_without_its_project(tmp_path) -> None:
    file = fresh(tmp_path)
    shift(file, "devices", "D001", 40.0, 5.0)
    sql(file, "UPDATE devices SET focal_mm = 16 WHERE device_id = 'D002'")
    plan = read_plan(file)
    assert mount(plan, "M001-moved").cost == mount(PLAN, "M001").cost
    assert plan.cost == pytest.approx(total(plan))
    assert plan.currency == "EUR"
    assert any("read without its project" in note for note in plan.notes)
    assert sum("D002: its model or lens was changed" in note for note in plan.notes) == 1


def test_an_edited_plan_written_and_read_again_is_the_same(tmp_path) -> None:
    file = fresh(tmp_path)
    shift(file, "devices", "D001", 40.0, 5.0)
    first = read_plan(file, site=SITE)
    second = read_plan(write_plan(first, tmp_path / "again.gpkg", site=SITE), site=SITE)
    assert plan_digest(second) == plan_digest(first)
    assert (second.status, second.cost, second.notes) == ("edited", first.cost, first.notes)
    assert second.provenance == first.provenance


def test_a_file_that_qgis_still_has_open(tmp_path) -> None:
    file = fresh(tmp_path)
    # QGIS keeps a GeoPackage in write-ahead mode: saved edits lie in a second file until it closes.
    other = sqlite3.connect(file)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("UPDATE devices SET azimuth_deg = 3 WHERE device_id = 'D002'")
    other.commit()
    try:
        assert (tmp_path / "mine.gpkg-wal").stat().st_size
        assert device(read_plan(file, site=SITE), "D002").azimuth_deg == 3.0
    finally:
        other.close()


def test_notes_of_earlier_edits_stay(tmp_path) -> None:
    file = fresh(tmp_path)
    shift(file, "devices", "D001", 40.0, 5.0)
    again = write_plan(read_plan(file, site=SITE), tmp_path / "again.gpkg", site=SITE)
    sql(again, "UPDATE devices SET azimuth_deg = 3 WHERE device_id = 'D002'")
    shift(again, "devices", "D003", -40.0, 5.0)
    plan = read_plan(again, site=SITE)
    assert [note.split(":")[0] for note in plan.notes] == ["device D001", "device D003"]


def test_a_plan_drawn_from_nothing(tmp_path) -> None:
    file = tmp_path / "drawn.gpkg"
    place = gpd.points_from_xy([sample.X0 + 200], [sample.Y0 - 40])
    mounts = pd.DataFrame({"mount_id": ["north"], "structure": ["mast-8"]})
    devices = pd.DataFrame({"mount_id": [None], "model": ["thermal-25"], "azimuth_deg": ["45"],
                            "tilt_deg": [3], "focal_mm": [np.nan]})  # fmt: skip
    gpd.GeoDataFrame(mounts, geometry=place, crs=sample.CRS).to_file(file, layer="mounts")
    gpd.GeoDataFrame(devices, geometry=place, crs=sample.CRS).to_file(file, layer="devices")
    plan = read_plan(file, site=SITE)
    own = device(plan, "D001")
    assert (own.mount_id, own.focal_mm, own.azimuth_deg, own.height_m) == ("north", 25.0, 45.0, 8.0)
    assert plan.cost == pytest.approx(
        4200.5 + cost_at(sample.X0 + 200, sample.Y0 - 40, "mast-8"), abs=0.01
    )
    assert (plan.status, plan.name) == ("edited", "drawn")
