"""The shipped devices: complete, sourced, and true to the published facts."""

import csv
import math
import tomllib
from pathlib import Path

import pytest

from watchline.config.catalogue import SERVICE_KEYS
from watchline.io.catalogue import load_catalogue, shipped_files
from watchline.model.catalogue import Device

DATA = Path(__file__).parent.parent / "data"
FACTS = list(
    csv.DictReader((DATA / "camera_facts" / "camera_facts.csv").read_text("utf-8").splitlines())
)
LENS_TOLERANCE = 0.05
"""Published tables agree with a pinhole within 5 % for focal lengths from 14 mm."""
SHORT_LENS_TOLERANCE = 0.085
"""13 mm lenses: 8.3 % (published 417 m, pinhole 382 m)."""
CATALOGUE = load_catalogue()
RAW = {file.name: tomllib.loads(file.read_text(encoding="utf-8")) for file in shipped_files()}
ENTRIES = [
    pytest.param(entry, id=entry["id"])
    for tables in RAW.values()
    for section in ("devices", "structures")
    for entry in tables.get(section, [])
]
NAMES = {"id", "name", "kind", "sources"}


def by_kind(*kinds):
    return [
        pytest.param(device, id=device.id)
        for device in CATALOGUE.devices.values()
        if device.kind in kinds
    ]


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_value_names_its_own_source(entry):
    assert isinstance(entry["sources"], dict)
    assert set(entry["sources"]) == set(entry) - NAMES


@pytest.mark.parametrize("item", [*CATALOGUE.devices.values(), *CATALOGUE.structures.values()])
def test_every_value_of_the_model_has_a_source(item):
    values = {
        key
        for key, value in vars(item).items()
        if key not in NAMES and isinstance(value, int | float) and value
    }
    # One sensor is what a camera is; it is no value of the catalogue.
    if getattr(item, "kind", "") != "panoramic":
        values -= {"sensors"}
    assert values <= set(item.sources)
    assert all(text.strip() and not text.startswith("@") for text in item.sources.values())


def test_services_have_sources_and_prices_are_marked_as_examples():
    assert set(CATALOGUE.services.sources) == set(SERVICE_KEYS)
    for item in [*CATALOGUE.devices.values(), *CATALOGUE.structures.values()]:
        assert item.sources["price"].startswith("assumption")
        assert item.price > 0
    for text in CATALOGUE.services.sources.values():
        assert text.startswith("assumption")


def test_ids_stand_once_over_all_files():
    ids = [param.id for param in ENTRIES]
    assert len(ids) == len(set(ids))
    assert len(ids) == len(CATALOGUE.devices) + len(CATALOGUE.structures)


def test_references_are_all_used():
    for name, tables in RAW.items():
        used = {
            text[1:]
            for section in ("devices", "structures")
            for entry in tables.get(section, [])
            for text in entry["sources"].values()
        } | {text[1:] for text in tables.get("services", {}).get("sources", {}).values()}
        assert used == set(tables["references"]), name


def test_what_a_border_needs_is_there():
    devices = CATALOGUE.devices.values()
    cameras = [device for device in devices if device.kind == "camera"]
    assert {round(d.width_px * d.height_px / 1e6) for d in cameras} == {2, 4, 5, 8}
    assert any(d.focal_min_mm < d.focal_max_mm for d in cameras)
    assert any(d.focal_min_mm == d.focal_max_mm for d in cameras)
    assert max(d.focal_max_mm for d in cameras) == 300.0
    assert len({d.focal_max_mm for d in devices if d.kind == "thermal"}) == 6
    assert {d.sensors * d.spacing_deg for d in devices if d.kind == "panoramic"} == {180, 360}
    assert sum(d.kind == "observer" for d in devices) == 2
    assert any(d.kind == "ptz" for d in devices)
    heights = {
        kind: sorted(s.height_m for s in CATALOGUE.structures.values() if s.kind == kind)
        for kind in ("mast", "tower")
    }
    assert heights == {"mast": [6, 8, 10, 12, 15], "tower": [10, 15, 20, 25, 30]}


def test_taller_structures_cost_more():
    for kind in ("mast", "tower"):
        steps = sorted(
            (s for s in CATALOGUE.structures.values() if s.kind == kind), key=lambda s: s.height_m
        )
        prices = [s.price for s in steps]
        assert prices == sorted(set(prices))
        assert [s.capacity for s in steps] == sorted(s.capacity for s in steps)


@pytest.mark.parametrize("device", by_kind("camera", "thermal", "ptz", "panoramic"))
def test_pixels_are_square_and_of_a_size_that_exists(device):
    pitch_um = 1000 * device.sensor_width_mm / device.width_px
    assert 1.4 <= pitch_um <= 17.0
    assert device.width_px >= device.height_px
    assert device.focal_min_mm <= device.focal_max_mm


@pytest.mark.parametrize("device", by_kind("panoramic"))
def test_panoramas_have_no_gap_between_their_sensors(device):
    assert device.sensor_fov_deg(device.focal_max_mm)[0] >= device.spacing_deg


@pytest.mark.parametrize("device", by_kind("observer"))
def test_observers_follow_from_acuity_and_field(device):
    magnification, field_deg = {"observer-eye": (1, 60.0), "observer-7x50": (7, 7.1)}[device.id]
    assert device.acuity_arcmin == pytest.approx(1 / magnification, rel=0.002)
    assert device.time_share == pytest.approx(field_deg / 360, rel=0.02)


def test_the_naked_eye_reaches_overview_at_172_metres():
    eye = CATALOGUE.devices["observer-eye"]
    assert eye.focal_px(0) / 20 == pytest.approx(1 / math.radians(1 / 60) / 20)
    assert eye.focal_px(0) / 20 == pytest.approx(171.9, abs=0.1)


@pytest.mark.parametrize("device", by_kind("camera", "ptz", "panoramic", "observer"))
def test_visible_ranges_follow_from_contrast_in_clear_air(device):
    contrast = math.exp(-3.912 * device.range_m / 20_000.0)
    assert contrast == pytest.approx(0.5, abs=0.01)


def thermal_fact(device):
    matches = [
        fact
        for fact in FACTS
        if fact["model"].startswith("FLIR FC-")
        and float(fact["focal_max_mm"]) == device.focal_max_mm
    ]
    assert len(matches) == 1
    return matches[0]


@pytest.mark.parametrize("device", by_kind("thermal"))
def test_thermal_cameras_carry_the_published_values(device):
    fact = thermal_fact(device)
    assert (device.width_px, device.height_px) == (int(fact["px_w"]), int(fact["px_h"]))
    assert device.sensor_width_mm == pytest.approx(
        int(fact["px_w"]) * float(fact["pitch_um"]) / 1000
    )
    assert device.range_m == float(fact["human_detect_m"])


@pytest.mark.parametrize("device", by_kind("thermal"))
def test_thermal_fields_and_ranges_agree_with_the_published_ones(device):
    fact = thermal_fact(device)
    tolerance = LENS_TOLERANCE if device.focal_max_mm >= 14 else SHORT_LENS_TOLERANCE
    field = device.sensor_fov_deg(device.focal_max_mm)[0]
    assert field == pytest.approx(float(fact["hfov_tele_deg"]), rel=tolerance)
    # 3.6 px over 1.8 m are 2 px/m.
    assert device.focal_px(device.focal_max_mm) / 2 == pytest.approx(device.range_m, rel=tolerance)


@pytest.mark.parametrize(
    "fact",
    [
        pytest.param(fact, id=fact["model"])
        for fact in FACTS
        if fact["pitch_um"] and float(fact["focal_min_mm"]) >= 14
    ],
)
def test_the_pinhole_agrees_with_every_published_long_lens(fact):
    width, focal = int(fact["px_w"]), float(fact["focal_max_mm"])
    sensor = width * float(fact["pitch_um"]) / 1000
    height = int(fact["px_h"])
    camera = Device("x", "x", "thermal", width, height, sensor, focal, focal, 1, 0, 0, 1, 1e4, 0, 0)
    assert camera.sensor_fov_deg(focal)[0] == pytest.approx(
        float(fact["hfov_tele_deg"]), rel=LENS_TOLERANCE
    )
    for column, pixels in (("detect", 3.6), ("recognise", 14.4), ("identify", 28.8)):
        reach = camera.focal_px(focal) * 1.8 / pixels
        assert reach == pytest.approx(float(fact[f"human_{column}_m"]), rel=LENS_TOLERANCE)


def test_the_ptz_has_the_published_field_at_its_long_end():
    fact = next(fact for fact in FACTS if "PTZ" in fact["type"])
    ptz = CATALOGUE.devices["ptz-4mp-147mm"]
    assert (ptz.focal_min_mm, ptz.focal_max_mm) == (
        float(fact["focal_min_mm"]),
        float(fact["focal_max_mm"]),
    )
    assert (ptz.width_px, ptz.height_px) == (int(fact["px_w"]), int(fact["px_h"]))
    assert ptz.sensor_fov_deg(ptz.focal_max_mm)[0] == pytest.approx(
        float(fact["hfov_tele_deg"]), rel=0.002
    )
    assert 0 < ptz.time_share < 1


@pytest.mark.parametrize("device", by_kind("camera", "ptz", "panoramic"))
def test_every_visible_camera_says_how_it_sees_in_the_dark(device):
    assert device.f_number > 0 and 0 < device.quantum_efficiency < 1 and device.read_noise_e > 0
    given = [device.ir_intensity_w_sr, device.ir_wavelength_nm, device.ir_quantum_efficiency]
    assert all(value > 0 for value in given) == (device.ir_range_m > 0)


@pytest.mark.parametrize("device", by_kind("thermal"))
def test_every_thermal_camera_says_its_noise(device):
    assert 20 <= device.netd_mk <= 100
