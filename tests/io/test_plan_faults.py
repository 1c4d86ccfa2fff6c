"""Plan files that cannot be read: what is wrong, in which row, and how to mend it."""

from __future__ import annotations

import sqlite3

import geopandas as gpd
import pyogrio
import pytest
from plan_edits import SITE, add, fresh, rewrite, shift, sql
from shapely.geometry import LineString, Point

import outputs_sample as sample
from watchline.errors import ManyFaults, PlanError
from watchline.io.plan import read_plan


def fault_of(file, site=SITE) -> str:
    with pytest.raises(PlanError) as caught:
        read_plan(file, site=site)
    assert caught.value.exit_code == 3
    return caught.value.sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            "azimuth_deg = 361",
            "azimuth_deg 361 is out of range; write degrees clockwise from grid north, 0 to 360.",
        ),
        ("azimuth_deg = -1", "azimuth_deg -1 is out of range"),
        ("azimuth_deg = NULL", "azimuth_deg is empty; write degrees clockwise"),
        (
            "azimuth_deg = 'north'",
            "azimuth_deg 'north' is not a number; write a number with a decimal point.",
        ),
        ("azimuth_deg = 9e999", "azimuth_deg 'inf' is not a number"),
        (
            "tilt_deg = 90.5",
            "tilt_deg 90.5 is out of range; write degrees below the horizontal, -90 to 90.",
        ),
        ("tilt_deg = ' '", "tilt_deg is empty"),
        ("focal_mm = 7.9", "focal_mm 7.9 is outside the lens of 'cam-4mp'; write 8 to 32."),
        ("focal_mm = 33", "focal_mm 33 is outside the lens of 'cam-4mp'"),
        ("focal_mm = NULL", "focal_mm is empty; write 8 to 32."),
        (
            "model = 'cam-5mp'",
            "the catalogue has no device 'cam-5mp'; take one of: cam-4mp.",
        ),
        ("model = NULL", "model is empty; write the key of a device of the catalogue."),
        (
            "height_m = 9",
            "height_m 9 is not between the ground and the top of its mount M001 (8 m); "
            "lower it, or choose a higher structure.",
        ),
        ("height_m = 0", "height_m 0 is not between the ground"),
        (
            "mount_id = 'M00X', geom = (SELECT geom FROM devices WHERE device_id = 'D999')",
            "its geometry is empty; draw its point, or delete the row.",
        ),
    ],
)
def test_one_bad_cell_of_a_device(tmp_path, change, sentence) -> None:
    file = fresh(tmp_path)
    if "azimuth_deg = '" in change or "tilt_deg = '" in change:
        rewrite(file, "devices", lambda f: f.astype({"azimuth_deg": str, "tilt_deg": str}))
    sql(file, f"UPDATE devices SET {change} WHERE device_id = 'D001'")
    found = fault_of(file)
    assert found.startswith("mine.gpkg: layer devices, row 1")
    assert sentence in found


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            "structure = 'mast-9'",
            "the catalogue has no mast or tower 'mast-9'; take one of: mast-8, mast-12.",
        ),
        ("structure = NULL", "structure is empty; write the key of a mast or tower"),
        (
            "height_m = 9.5",
            "height_m 9.5 is not that of 'mast-8' (8 m); write 8, or choose a structure of that "
            "height.",
        ),
        ("cost = 'much'", "cost 'much' is not a number"),
        ("geom = NULL", "its geometry is empty"),
    ],
)
def test_one_bad_cell_of_a_mount(tmp_path, change, sentence) -> None:
    file = fresh(tmp_path)
    if "cost" in change:
        rewrite(file, "mounts", lambda f: f.astype({"cost": str}))
    sql(file, f"UPDATE mounts SET {change} WHERE mount_id = 'M001'")
    found = fault_of(file)
    assert found.startswith("mine.gpkg: layer mounts, row 1")
    assert sentence in found


def test_a_missing_file(tmp_path) -> None:
    file = tmp_path / "none.gpkg"
    assert fault_of(file) == f"{file}: it does not exist; check the path and its permissions."


def test_a_folder_in_place_of_a_file(tmp_path) -> None:
    assert "it cannot be read" in fault_of(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip", b"{}"])
def test_something_else_in_place_of_a_geopackage(tmp_path, content) -> None:
    file = tmp_path / "plan.gpkg"
    file.write_bytes(content)
    assert "it is not a GeoPackage; export the plan again" in fault_of(file)


def test_another_sqlite_file(tmp_path) -> None:
    file = tmp_path / "plan.gpkg"
    sql(file, "CREATE TABLE notes (text TEXT)")
    assert "it is not a GeoPackage (no such table: gpkg_contents)" in fault_of(file)


def test_a_damaged_file(tmp_path) -> None:
    file = fresh(tmp_path)
    content = bytearray(file.read_bytes())
    for page in range(3, len(content) // 4096):
        content[page * 4096 : page * 4096 + 2000] = bytes(2000)
    file.write_bytes(content)
    assert "it is damaged" in fault_of(file)


def test_damage_in_a_layer_that_is_not_read(tmp_path) -> None:
    file = fresh(tmp_path)
    connection = sqlite3.connect(file)
    query = "SELECT rootpage FROM sqlite_master WHERE name = 'zone'"
    page = connection.execute(query).fetchone()[0]
    connection.close()
    content = bytearray(file.read_bytes())
    content[(page - 1) * 4096 : (page - 1) * 4096 + 100] = b"\xff" * 100
    file.write_bytes(content)
    assert "it is damaged" in fault_of(file)


def test_half_a_file(tmp_path) -> None:
    file = fresh(tmp_path)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    assert "it is damaged" in fault_of(file)


def test_a_locked_file(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("watchline.io.plan_tables.LOCK_WAIT_S", 0.1)
    file = fresh(tmp_path)
    other = sqlite3.connect(file)
    other.execute("BEGIN EXCLUSIVE")
    try:
        found = fault_of(file)
    finally:
        other.rollback()
        other.close()
    assert found == (
        f"{file}: another program is writing to it; save the edits there and close the file, "
        "then try again."
    )
    assert read_plan(file).status == "feasible"


def test_both_layers_missing(tmp_path) -> None:
    file = tmp_path / "plan.gpkg"
    gpd.GeoDataFrame({"a": [1]}, geometry=[Point(0, 0)], crs=4326).to_file(file, layer="towers")
    with pytest.raises(ManyFaults) as caught:
        read_plan(file, site=SITE)
    assert caught.value.sentence == (
        "plan.gpkg: the layer mounts is missing; copy it from the plan that was exported.\n"
        "plan.gpkg: the layer devices is missing; copy it from the plan that was exported."
    )


def test_a_missing_column(tmp_path) -> None:
    file = fresh(tmp_path)
    rewrite(file, "devices", lambda f: f.drop(columns=["azimuth_deg", "focal_mm"]))
    assert fault_of(file) == (
        "mine.gpkg: layer devices: the column azimuth_deg, focal_mm is missing; "
        "add it, or copy the layer from the plan that was exported."
    )


def test_a_layer_without_crs(tmp_path) -> None:
    file = fresh(tmp_path)
    rewrite(file, "mounts", lambda f: f.set_crs(None, allow_override=True))
    assert fault_of(file) == (
        "mine.gpkg: layer mounts: it has no CRS; set the layer's CRS in QGIS and save it again."
    )


def test_lines_in_place_of_points(tmp_path) -> None:
    file = fresh(tmp_path)
    line = LineString([(sample.X0, sample.Y0), (sample.X0 + 5, sample.Y0)])
    rewrite(file, "devices", lambda f: f.set_geometry([line] * len(f), crs=f.crs))
    with pytest.raises(ManyFaults) as caught:
        read_plan(file, site=SITE)
    assert len(caught.value.faults) == 7
    assert "row 1: its geometry is no point but a LineString" in caught.value.sentence


def test_a_plan_of_another_place(tmp_path) -> None:
    file = fresh(tmp_path)
    for layer in ("mounts", "devices"):
        rewrite(file, layer, lambda f: f.set_crs(32633, allow_override=True))
    with pytest.raises(ManyFaults) as caught:
        read_plan(file, site=SITE)
    assert len(caught.value.faults) == 2
    assert "layer mounts: all its rows lie more than 50 km from the line" in caught.value.sentence


def test_one_row_at_the_origin(tmp_path) -> None:
    file = fresh(tmp_path)
    shift(file, "mounts", "M003", -sample.X0, -sample.Y0)
    found = fault_of(file)
    assert found.startswith("mine.gpkg: layer mounts, row 3 (M003): it lies more than 50 km")


def test_a_device_whose_mount_was_deleted(tmp_path) -> None:
    file = fresh(tmp_path)
    sql(file, "DELETE FROM mounts WHERE mount_id = 'M002'")
    with pytest.raises(ManyFaults) as caught:
        read_plan(file, site=SITE)
    assert [fault.where for fault in caught.value.faults] == [
        "mine.gpkg: layer devices, row 4 (D004)",
        "mine.gpkg: layer devices, row 5 (D005)",
    ]
    assert "its mount 'M002' is not in the layer mounts" in caught.value.sentence


def test_a_device_alone_without_the_project(tmp_path) -> None:
    file = fresh(tmp_path)
    add(file, "devices", sample.X0 + 300, sample.Y0 - 45, device_id="D100", model="cam-4mp",
        kind="camera", azimuth_deg=1.0, tilt_deg=1.0, focal_mm=8.0, hfov_deg=35.0, vfov_deg=20.0,
        cost=900.0)  # fmt: skip
    assert (
        "(D100): it has no mount_id, and no mount stands within 2 m; draw a mount there, or "
        in (fault_of(file, site=None))
    )


def test_rows_that_need_the_project(tmp_path) -> None:
    file = fresh(tmp_path)
    add(file, "devices", sample.X0 + 500, sample.Y0 - 30, model="cam-4mp", kind="camera",
        azimuth_deg=1.0, tilt_deg=1.0, focal_mm=8.0, hfov_deg=35.0, vfov_deg=20.0)  # fmt: skip
    assert "(D008): cost is empty; fill it in, or name the project." in fault_of(file, site=None)


def test_no_table_plan_and_no_project(tmp_path) -> None:
    file = fresh(tmp_path)
    sql(file, "DROP TABLE plan", "DELETE FROM gpkg_contents WHERE table_name = 'plan'")
    assert "its table 'plan' is missing or empty, so its currency is not known" in fault_of(
        file, site=None
    )
    assert read_plan(file, site=SITE).status == "edited"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE plan SET value = 'optimal' WHERE key = 'status'",
        "UPDATE plan SET value = '[1]' WHERE key = 'provenance'",
        "UPDATE plan SET value = '\"cheap\"' WHERE key = 'cost'",
    ],
)
def test_a_spoilt_table_plan(tmp_path, statement) -> None:
    file = fresh(tmp_path)
    sql(file, statement)
    assert "its table 'plan' is spoilt" in fault_of(file)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE plan SET value = '{}' WHERE key = 'written'",
        'UPDATE plan SET value = \'{"mounts": [1], "devices": {"D001": 3}}\' '
        "WHERE key = 'written'",
        "UPDATE plan SET value = NULL WHERE key = 'written'",
    ],
)
def test_what_was_written_may_be_lost(tmp_path, statement) -> None:
    file = fresh(tmp_path)
    sql(file, statement)
    assert read_plan(file, site=SITE).status == "feasible"


def test_all_faults_at_once(tmp_path) -> None:
    file = fresh(tmp_path)
    sql(
        file,
        "UPDATE devices SET azimuth_deg = 400, focal_mm = 1 WHERE device_id = 'D001'",
        "UPDATE devices SET model = 'x' WHERE device_id = 'D003'",
        "UPDATE mounts SET structure = 'y' WHERE mount_id = 'M003'",
    )
    with pytest.raises(ManyFaults) as caught:
        read_plan(file, site=SITE)
    assert all(isinstance(fault, PlanError) for fault in caught.value.faults)
    assert [fault.where.removeprefix("mine.gpkg: layer ") for fault in caught.value.faults] == [
        "mounts, row 3 (M003)",
        "devices, row 1 (D001)",
        "devices, row 1 (D001)",
        "devices, row 3 (D003)",
    ]


def test_a_read_leaves_the_file_as_it_was(tmp_path) -> None:
    file = fresh(tmp_path)
    before = file.read_bytes()
    read_plan(file, site=SITE)
    assert file.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["mine.gpkg"]
    assert len(pyogrio.list_layers(file)) > 5
