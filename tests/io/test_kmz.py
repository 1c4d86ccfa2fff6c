"""The KMZ parses, lies where it should, and no name breaks it."""

from __future__ import annotations

import dataclasses
import html
import xml.etree.ElementTree as ET
import zipfile
from xml.sax.saxutils import escape

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.io import MemoryFile

import outputs_sample as sample
from watchline.io.icons import icon_png
from watchline.io.kmz import write_kmz

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
SITE = sample.make_site()
PLAN = sample.make_plan(SITE)
PROOF = sample.make_proof(SITE, PLAN)
K = "{http://www.opengis.net/kml/2.2}"
BACK = pyproj.Transformer.from_crs("EPSG:4326", sample.CRS, always_xy=True)


def parse(file) -> ET.Element:
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[0] == "doc.kml"
        root = ET.fromstring(archive.read("doc.kml"))
        icons = {node.text for node in root.iter("{http://www.opengis.net/kml/2.2}href")}
        assert icons == set(names[1:])  # nothing is fetched from elsewhere
        for icon in icons:
            with MemoryFile(archive.read(icon)) as memory, memory.open() as image:
                assert (image.driver, image.count, image.shape) == ("PNG", 4, (48, 48))
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> ET.Element:
    return parse(write_kmz(PLAN, tmp_path_factory.mktemp("k") / "plan.kmz", site=SITE, proof=PROOF))


def folder(root: ET.Element, name: str) -> ET.Element:
    return next(f for f in root.iter(f"{K}Folder") if f.findtext(f"{K}name").startswith(name))


def places(node: ET.Element) -> np.ndarray:
    """Coordinates of a node, back in the plan's CRS; a height stays the third column."""
    texts = [text for n in node.iter(f"{K}coordinates") for text in n.text.split()]
    values = np.array([[float(v) for v in text.split(",")] for text in texts])
    values[:, 0], values[:, 1] = BACK.transform(values[:, 0], values[:, 1])
    return values


def marks(node: ET.Element) -> dict[str, ET.Element]:
    return {mark.findtext(f"{K}name"): mark for mark in node.iter(f"{K}Placemark")}


def test_folders(root) -> None:
    names = [f.findtext(f"{K}name") for f in root.find(f"{K}Document").findall(f"{K}Folder")]
    assert names == [
        "Site", "Mounts", "Devices", "Fields of view at 20 px/m", "Failing or unknown stretches",
    ]  # fmt: skip
    site = marks(folder(root, "Site"))
    assert set(site) == {"Line", "Zone", "Patrol road", "crossing", "wadi & 'well'", "house"}


def test_every_style_that_is_used_is_there(root) -> None:
    styles = {style.get("id") for style in root.iter(f"{K}Style")}
    used = {url.text.removeprefix("#") for url in root.iter(f"{K}styleUrl")}
    assert used <= styles
    colour = next(s for s in root.iter(f"{K}Style") if s.get("id") == "line").find(f".//{K}color")
    assert colour.text == "ff0c49d1"  # alpha, blue, green, red of #d1490c


def test_mounts_stand_in_their_places_at_their_heights(root) -> None:
    found = marks(folder(root, "Mounts"))
    assert list(found) == list(PLAN.mounts["mount_id"])
    for mount in PLAN.mounts.itertuples():
        x, y, height = places(found[mount.mount_id])[0]
        assert (x, y) == pytest.approx((mount.geometry.x, mount.geometry.y), abs=0.01)
        assert height == mount.height_m
        point = found[mount.mount_id].find(f"{K}Point")
        assert point.findtext(f"{K}altitudeMode") == "relativeToGround"
        assert point.findtext(f"{K}extrude") == "1"


def test_line_and_zone_lie_where_they_lie(root) -> None:
    site = marks(folder(root, "Site"))
    line = shapely.LineString(places(site["Line"])[:, :2])
    assert line.hausdorff_distance(SITE.line) < 0.01
    ring = shapely.Polygon(places(site["Zone"])[:, :2])
    assert ring.area == pytest.approx(100 * SITE.line.length, rel=0.02)


def test_devices_and_their_fields(root) -> None:
    assert set(marks(folder(root, "Devices"))) == set(PLAN.devices["device_id"])
    fields = marks(folder(root, "Fields of view"))
    assert set(fields) == set(PLAN.devices["device_id"])
    corners = places(fields["D001"])[:, :2]
    device = PLAN.devices.geometry.iloc[0]
    focal_px = 2560 * 12.0 / 5.12
    reach = np.hypot(*(corners - [device.x, device.y]).T).max()
    assert reach == pytest.approx((focal_px / 20), rel=0.001)


def test_icons_of_devices_point_along_their_azimuth(root) -> None:
    found = marks(folder(root, "Devices"))
    heading = f"{K}Style/{K}IconStyle/{K}heading"
    for device in PLAN.devices.itertuples():
        text = found[device.device_id].findtext(heading)
        if device.kind in ("observer", "ptz"):
            assert text is None
        else:
            assert float(text) == pytest.approx(device.azimuth_deg, abs=0.005)


def test_an_arrow_points_up() -> None:
    with MemoryFile(icon_png("arrow")) as memory, memory.open() as image:
        alpha = image.read(4).astype(float)
    widths = (alpha > 127).sum(axis=1)
    filled = widths[widths > 0]
    assert filled[0] <= 3 and filled[-1] >= 24  # narrow at the top, broad at the foot
    assert (np.diff(filled) >= 0).all()


def test_failing_stretches_follow_the_line(root) -> None:
    stretches = folder(root, "Failing or unknown stretches")
    names = [f.findtext(f"{K}name") for f in stretches.findall(f"{K}Folder")]
    assert names == ["whole zone: fails", "crouching: unknown"]
    first = marks(stretches.findall(f"{K}Folder")[0])
    assert list(first) == ["0–100 m", "400–520 m"]
    piece = shapely.LineString(places(first["400–520 m"])[:, :2])
    assert piece.length == pytest.approx(120.5, abs=0.05)
    assert SITE.line.distance(piece.centroid) < 0.01
    assert first["0–100 m"].findtext(f"{K}styleUrl") == "#failing"


def test_balloons_escape_what_people_wrote(root) -> None:
    mark = marks(folder(root, "Mounts"))["M002"]
    balloon = mark.findtext(f"{K}description")
    assert html.escape(sample.HOSTILE) in balloon
    assert "<b>" not in balloon
    assert "&lt;b&gt;" in balloon


@settings(max_examples=25, deadline=None)
@given(name=st.text(min_size=1, max_size=30))
def test_any_name_parses(tmp_path_factory, name) -> None:
    plan = dataclasses.replace(PLAN, mounts=PLAN.mounts.assign(mount_id=name, name=name))
    site = dataclasses.replace(SITE, name=name)
    file = tmp_path_factory.mktemp("any") / "plan.kmz"
    root = parse(write_kmz(plan, file, site=site))
    assert len(marks(folder(root, "Mounts"))) == 1
    if name.isprintable():
        assert name in marks(folder(root, "Mounts"))
        assert escape(name) in ET.tostring(root, encoding="unicode")


def test_equal_plans_make_equal_bytes(tmp_path) -> None:
    files = [tmp_path / "a.kmz", tmp_path / "b.kmz"]
    for file in files:
        write_kmz(PLAN, file, site=SITE, proof=PROOF)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_an_empty_plan(tmp_path) -> None:
    plan = dataclasses.replace(PLAN, mounts=PLAN.mounts.iloc[:0], devices=PLAN.devices.iloc[:0])
    root = parse(write_kmz(plan, tmp_path / "e.kmz", site=SITE))
    assert marks(folder(root, "Mounts")) == {}


def test_a_stretch_at_the_end_and_of_no_length_is_drawn(tmp_path) -> None:
    length = SITE.line.length
    claim = dataclasses.replace(
        PROOF.claims[0], failing_chainages=((length, length), (50.0, 50.0), (-5.0, 10.0))
    )
    proof = dataclasses.replace(PROOF, claims=(claim,))
    root = parse(write_kmz(PLAN, tmp_path / "s.kmz", site=SITE, proof=proof))
    for mark in folder(root, "Failing or unknown stretches").iter(f"{K}Placemark"):
        assert shapely.LineString(places(mark)[:, :2]).length >= 0.99
