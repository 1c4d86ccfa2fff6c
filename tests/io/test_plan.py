"""A plan written as a GeoPackage and read back: nothing lost, styled, whole or not at all."""

from __future__ import annotations

import dataclasses
import math
import sqlite3
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

import outputs_sample as sample
from watchline.errors import ArtefactError
from watchline.io.plan import read_plan, write_plan
from watchline.model.plan import PLAN_DEVICE_COLUMNS, PLAN_MOUNT_COLUMNS, plan_digest

# What QGIS 3.22 writes through GDAL when a style is saved into a GeoPackage.
QGIS_STYLES_SCHEMA = (
    'CREATE TABLE "layer_styles" ( "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, '
    '"f_table_catalog" TEXT(256), "f_table_schema" TEXT(256), "f_table_name" TEXT(256), '
    '"f_geometry_column" TEXT(256), "styleName" TEXT(30), "styleQML" TEXT, "styleSLD" TEXT, '
    '"useAsDefault" BOOLEAN, "description" TEXT, "owner" TEXT(30), "ui" TEXT(30), '
    "\"update_time\" DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"
)
SITE = sample.make_site()
PLAN = sample.make_plan(SITE)
PROOF = sample.make_proof(SITE, PLAN)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    return write_plan(PLAN, tmp_path_factory.mktemp("plan") / "plan.gpkg", site=SITE, proof=PROOF)


def assert_same_plan(found, wanted) -> None:
    for column in PLAN_MOUNT_COLUMNS:
        assert list(found.mounts[column]) == list(wanted.mounts[column]), column
    for column in PLAN_DEVICE_COLUMNS:
        assert list(found.devices[column]) == list(wanted.devices[column]), column
    assert shapely.equals_exact(found.mounts.geometry.values, wanted.mounts.geometry.values).all()
    assert shapely.equals_exact(found.devices.geometry.values, wanted.devices.geometry.values).all()
    for field in ("name", "crs", "cost", "lower_bound", "currency", "status", "notes", "log",
                  "design_claims", "provenance"):  # fmt: skip
        assert getattr(found, field) == getattr(wanted, field), field
    pd.testing.assert_frame_equal(found.cost_along, wanted.cost_along)


@pytest.mark.parametrize("site", [None, SITE], ids=["alone", "with its project"])
def test_round_trip_loses_nothing(written, site) -> None:
    assert_same_plan(read_plan(written, site=site), PLAN)


def test_equal_plans_make_equal_bytes(written, tmp_path) -> None:
    again = write_plan(PLAN, tmp_path / "other-name.gpkg", site=SITE, proof=PROOF)
    assert again.read_bytes() == written.read_bytes()


def test_a_copy_under_another_name_stays_the_computed_plan(written, tmp_path) -> None:
    copy = tmp_path / "mine.gpkg"
    copy.write_bytes(written.read_bytes())
    plan = read_plan(copy, site=SITE)
    assert (plan.name, plan.status, plan.lower_bound) == ("computed", "feasible", PLAN.lower_bound)


def test_layers_with_their_columns(written) -> None:
    layers = dict(pyogrio.list_layers(written))
    assert set(layers) == {
        "line", "zone", "road", "areas", "exclusions", "no_watch", "views", "mounts", "devices",
        "coverage", "coverage_0.5m", "plan", "layer_styles",
    }  # fmt: skip
    mounts = pyogrio.read_dataframe(written, layer="mounts")
    devices = pyogrio.read_dataframe(written, layer="devices")
    assert list(mounts.columns[:-1]) == list(PLAN_MOUNT_COLUMNS)
    assert list(devices.columns[:-1]) == list(PLAN_DEVICE_COLUMNS)
    assert mounts.crs.to_epsg() == 32636
    assert list(mounts["name"])[1] == sample.HOSTILE


def test_without_site_and_proof_only_the_plan_is_there(tmp_path) -> None:
    file = write_plan(PLAN, tmp_path / "bare.gpkg")
    assert set(pyogrio.list_layers(file)[:, 0]) == {"mounts", "devices", "plan", "layer_styles"}


def test_an_empty_plan_round_trips(tmp_path) -> None:
    empty = dataclasses.replace(
        PLAN, mounts=PLAN.mounts.iloc[:0], devices=PLAN.devices.iloc[:0], cost=0.0, lower_bound=0.0
    )
    for site in (None, SITE):
        file = write_plan(empty, tmp_path / "empty.gpkg", site=site)
        assert_same_plan(read_plan(file, site=site), empty)


def test_coverage_keeps_every_cell_and_its_area(written) -> None:
    for layer, height in (("coverage", "1.7"), ("coverage_0.5m", "0.5")):
        frame = pyogrio.read_dataframe(written, layer=layer)
        cells = PROOF.cells
        assert frame["cells"].sum() == len(cells)
        assert frame.area.sum() == pytest.approx((cells["size_m"] ** 2).sum(), rel=1e-9)
        for views in range(5):
            wanted = int((cells[f"views@{height}"] == views).sum())
            assert frame.loc[frame["views"] == views, "cells"].sum() == wanted
        unknown = frame.loc[frame["unknown"] == 1, "cells"].sum()
        assert unknown == cells[f"unknown@{height}"].sum()
        assert (frame["target_height_m"] == float(height)).all()
        assert frame.is_valid.all()


def test_coverage_polygons_hold_cells_of_their_own_class(written) -> None:
    frame = pyogrio.read_dataframe(written, layer="coverage")
    points = shapely.points(PROOF.cells["x"], PROOF.cells["y"])
    hit = shapely.STRtree(frame.geometry.values).query(points, predicate="within")
    views = PROOF.cells["views@1.7"].to_numpy()
    assert len(hit[0]) == len(points)
    np.testing.assert_array_equal(views[hit[0]], frame["views"].to_numpy()[hit[1]])


def test_views_reach_as_far_as_the_density_allows(written) -> None:
    frame = pyogrio.read_dataframe(written, layer="views")
    own = frame[frame["device_id"] == "D001"].sort_values("px_per_m")
    assert list(own["px_per_m"]) == [20.0, 40.0]
    focal_px = 2560 * 12.0 / 5.12
    for row, px_per_m in zip(own.itertuples(), (20.0, 40.0), strict=True):
        device = PLAN.devices.geometry.iloc[0]
        corners = shapely.get_coordinates(row.geometry)
        distance = np.hypot(*(corners - [device.x, device.y]).T)
        reach = math.sqrt((focal_px / px_per_m) ** 2 - (8.0 - 1.7) ** 2)
        upper_edge = 6.5 - PLAN.devices["vfov_deg"].iloc[0] / 2
        assert upper_edge < 0  # the picture reaches above the horizon, so only the density ends it
        assert distance.max() == pytest.approx(reach, rel=1e-6)
        bearing = np.degrees(np.arctan2(*(corners - [device.x, device.y]).T)) % 360
        half = PLAN.devices["hfov_deg"].iloc[0] / 2
        assert bearing.max() == pytest.approx(75.123456 + half, abs=1e-3)


def test_styles_are_the_table_that_qgis_writes(written) -> None:
    connection = sqlite3.connect(written)
    schema = connection.execute(
        "SELECT sql FROM sqlite_master WHERE name = 'layer_styles'"
    ).fetchone()[0]
    assert "".join(schema.split()) == "".join(QGIS_STYLES_SCHEMA.split())
    rows = connection.execute(
        "SELECT f_table_catalog, f_table_schema, f_table_name, f_geometry_column, useAsDefault, "
        "styleQML FROM layer_styles"
    ).fetchall()
    layers = {row[0] for row in connection.execute("SELECT table_name FROM gpkg_geometry_columns")}
    assert {row[2] for row in rows} == layers
    kinds = dict(
        connection.execute("SELECT table_name, geometry_type_name FROM gpkg_geometry_columns")
    )
    for catalog, schema, layer, column, default, qml in rows:
        assert (catalog, schema, column, default) == ("", "", "geom", 1)
        assert qml.startswith("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>")
        root = ET.fromstring(qml)
        number = {"POINT": "0", "LINESTRING": "1", "MULTIPOLYGON": "2"}[kinds[layer]]
        assert root.findtext("layerGeometryType") == number
        renderer = root.find("renderer-v2")
        symbols = {symbol.get("name") for symbol in renderer.iter("symbol")}
        used = {node.get("symbol") for node in renderer.iter() if node.get("symbol")}
        assert used <= symbols
    contents = connection.execute(
        "SELECT data_type FROM gpkg_contents WHERE table_name = 'layer_styles'"
    ).fetchone()
    assert contents == ("attributes",)
    connection.close()


def test_styles_fit_their_columns(written) -> None:
    connection = sqlite3.connect(written)
    qml = dict(connection.execute("SELECT f_table_name, styleQML FROM layer_styles"))
    connection.close()
    mounts, devices, coverage = (
        ET.fromstring(qml[layer]).find("renderer-v2") for layer in ("mounts", "devices", "coverage")
    )
    assert mounts.get("attr") == "kind"
    assert {c.get("value") for c in mounts.iter("category")} == {"mast", "tower", ""}
    assert {c.get("value") for c in devices.iter("category")} >= set(PLAN.devices["kind"])
    angle = devices.find(".//data_defined_properties//Option[@name='angle']/Option[@name='field']")
    assert angle.get("value") == "azimuth_deg"
    assert coverage.get("type") == "graduatedSymbol"
    assert [r.get("label") for r in coverage.iter("range")][:3] == ["unknown", "not seen", "1 view"]
    choices = ET.fromstring(qml["devices"]).findall(".//field[@name='model']//Option[@value]")
    assert {option.get("value") for option in choices} == set(SITE.catalogue.devices)


def test_a_file_that_another_program_edits_is_left_alone(tmp_path) -> None:
    file = tmp_path / "open.gpkg"
    write_plan(PLAN, file)
    before = file.read_bytes()
    (tmp_path / "open.gpkg-wal").write_bytes(b"unsaved")
    with pytest.raises(ArtefactError, match="another program has it open"):
        write_plan(PLAN, file)
    assert file.read_bytes() == before


def test_another_ending_is_refused(tmp_path) -> None:
    with pytest.raises(ArtefactError, match=r"'\.shp' is not the ending of a GeoPackage"):
        write_plan(PLAN, tmp_path / "plan.shp")


def test_a_failed_write_leaves_the_old_plan(tmp_path, monkeypatch) -> None:
    file = write_plan(PLAN, tmp_path / "plan.gpkg")
    before = file.read_bytes()

    def full(*args, **more):
        raise pyogrio.errors.DataSourceError("disk I/O error")

    monkeypatch.setattr("watchline.io.plan.pyogrio.write_dataframe", full)
    with pytest.raises(ArtefactError, match="disk I/O error"):
        write_plan(dataclasses.replace(PLAN, status="optimal"), file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20
).filter(str.strip)
angles = st.floats(0, 359.99)


@settings(max_examples=15, deadline=None)
@given(
    names=st.lists(names, min_size=1, max_size=4, unique=True),
    azimuths=st.lists(angles, min_size=4, max_size=4),
    tilt=st.floats(-90, 90),
    shift=st.floats(-1e6, 1e6),
)
def test_any_name_and_aim_round_trips(names, azimuths, tilt, shift) -> None:
    mounts = pd.concat([PLAN.mounts.iloc[[0]]] * len(names), ignore_index=True)
    mounts["mount_id"] = names
    mounts["name"] = names
    mounts.geometry = [
        Point(sample.X0 + shift + 10 * k, sample.Y0 + k / 3) for k in range(len(names))
    ]
    devices = pd.concat([PLAN.devices.iloc[[0]]] * len(names), ignore_index=True)
    devices["device_id"] = [f"{name}|{k}" for k, name in enumerate(names)]
    devices["mount_id"] = names
    devices["azimuth_deg"] = azimuths[: len(names)]
    devices["tilt_deg"] = tilt
    devices.geometry = list(mounts.geometry)
    plan = dataclasses.replace(PLAN, mounts=mounts, devices=devices)
    with tempfile.TemporaryDirectory() as folder:
        found = read_plan(write_plan(plan, Path(folder) / "any.gpkg"))
    assert_same_plan(found, plan)
    assert plan_digest(found) == plan_digest(plan)
