"""Optics against closed forms: the analytic cases, geometry on flat ground, invariants."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from watchline.model.catalogue import Device
from watchline.physics import optics
from watchline.physics.watch import watch_density

CASES = json.loads(
    (Path(__file__).parents[1] / "data/photometry_synthetic/analytic_cases.json").read_text()
)
FOCAL = float(optics.focal_length_px(1920, 4.0, 5.12))


def case(start: str):
    return next(value for key, value in CASES.items() if key.startswith(start))


def camera(kind="camera", **change) -> Device:
    values = {
        "id": "c",
        "name": "c",
        "kind": kind,
        "width_px": 1920,
        "height_px": 1080,
        "sensor_width_mm": 5.12,
        "focal_min_mm": 4.0,
        "focal_max_mm": 4.0,
        "sensors": 1,
        "spacing_deg": 0.0,
        "acuity_arcmin": 0.0,
        "time_share": 1.0,
        "range_m": 5000.0,
        "price": 1.0,
        "power_w": 1.0,
    }
    return Device(**(values | change))


def test_b1_pixel_density_and_dori_distances():
    assert FOCAL == 1500.0
    assert optics.pixel_density(FOCAL, 10.0) == pytest.approx(case("B1 1920px"), abs=1e-9)
    densities = np.array([25.0, 62.5, 125.0, 250.0])
    np.testing.assert_allclose(optics.distance_for_density(FOCAL, densities), case("B1 DORI"))


def test_b2_across_and_along_on_a_mast():
    slant, tilt, across, along = case("B2")
    aim = {"azimuth_deg": 37.0, "tilt_deg": math.degrees(math.atan2(10, 60)), "focal_px": FOCAL}
    assert aim["tilt_deg"] == pytest.approx(tilt, abs=5e-5)
    place = (60 * math.sin(math.radians(37)), 60 * math.cos(math.radians(37)), -10.0)
    assert math.hypot(*place) == pytest.approx(slant, abs=5e-5)
    assert float(optics.across_density(*place, **aim)) == pytest.approx(across, abs=5e-5)
    assert float(optics.along_density(*place, **aim)) == pytest.approx(along, abs=5e-5)


def test_field_of_view_agrees_with_density():
    """W / (2 d tan(HFOV/2)) is the same density as W f / (w d)."""
    hfov = math.radians(float(optics.field_of_view_deg(1920, FOCAL)))
    assert 1920 / (2 * 42.0 * math.tan(hfov / 2)) == pytest.approx(1500 / 42.0)


def test_one_arc_minute_is_a_pixel_of_291_microradians():
    assert float(optics.observer_density(1.0, 1000.0)) == pytest.approx(3.43775, abs=1e-5)
    assert float(optics.observer_density(1 / 7, 1000.0)) == pytest.approx(7 * 3.43775, abs=1e-4)


def test_sensor_azimuths_are_even_about_the_housing():
    np.testing.assert_allclose(optics.sensor_azimuths(10.0, 4, 90.0), [235, 325, 55, 145])
    np.testing.assert_allclose(optics.sensor_azimuths(0.0, 3, 60.0), [300, 0, 60])
    np.testing.assert_allclose(optics.sensor_azimuths(77.0, 1, 0.0), [77.0])


def test_projection_of_the_axis_and_the_image_corners():
    aim = {"azimuth_deg": 90.0, "tilt_deg": 0.0, "focal_px": 1000.0}
    size = {"width_px": 2000.0, "height_px": 1000.0}
    # Looking east: south is right, up is up.
    east = np.array([10.0, 10.0, 10.0, 10.0, 10.0, -10.0])
    north = np.array([0.0, -10.0, 10.0, 0.0, -10.001, 0.0])
    rise = np.array([0.0, 0.0, 0.0, 5.0, 0.0, 0.0])
    got = optics.project_points(east, north, rise, **aim, **size)
    np.testing.assert_allclose(got.u_px[:4], [1000, 2000, 0, 1000], atol=1e-9)
    np.testing.assert_allclose(got.v_px[:4], [500, 500, 500, 0], atol=1e-9)
    assert got.inside.tolist() == [True, True, True, True, False, False]
    assert got.depth_m[5] == pytest.approx(-10.0)
    assert np.isnan(got.u_px[5])


def test_density_is_the_finite_difference_of_the_projection():
    rng = np.random.default_rng(1)
    aim = {"azimuth_deg": 200.0, "tilt_deg": 12.0, "focal_px": 1500.0}
    size = {"width_px": 1920.0, "height_px": 1080.0}
    bearing = np.radians(200 + rng.uniform(-30, 30, 50))
    distance = rng.uniform(5, 400, 50)
    east, north = distance * np.sin(bearing), distance * np.cos(bearing)
    rise = rng.uniform(-12, 5, 50)
    for function, (bx, by) in (
        (optics.across_density, (np.cos(bearing), -np.sin(bearing))),
        (optics.along_density, (np.sin(bearing), np.cos(bearing))),
    ):
        half = 5e-4
        a = optics.project_points(east + half * bx, north + half * by, rise, **aim, **size)
        b = optics.project_points(east - half * bx, north - half * by, rise, **aim, **size)
        measured = np.hypot(a.u_px - b.u_px, a.v_px - b.v_px) / (2 * half)
        np.testing.assert_allclose(function(east, north, rise, **aim), measured, rtol=1e-6)


@given(
    azimuth=st.floats(0, 360),
    tilt=st.floats(-30, 80),
    bearing=st.floats(0, 360),
    distance=st.floats(1, 5000),
    rise=st.floats(-500, 500),
)
def test_density_off_axis_lies_between_tangential_and_radial_stretch(
    azimuth, tilt, bearing, distance, rise
):
    east = distance * math.sin(math.radians(bearing))
    north = distance * math.cos(math.radians(bearing))
    forward = optics.camera_axes(azimuth, tilt)[2]
    slant = math.hypot(east, north, rise)
    cosine = min(1.0, float(forward @ [east, north, rise]) / slant)
    assume(cosine > 0.05)
    got = float(
        optics.across_density(
            east, north, rise, azimuth_deg=azimuth, tilt_deg=tilt, focal_px=1000.0
        )
    )
    least = 1000.0 / slant
    assert least * (1 - 1e-9) <= least / cosine * (1 - 1e-9) <= got
    assert got <= least / cosine**2 * (1 + 1e-9)


@given(
    height=st.floats(2, 40),
    tilt=st.floats(-5, 60),
    vfov=st.floats(5, 90),
    target=st.sampled_from([0.5, 1.7, 3.0]),
)
def test_blind_ground_and_far_edge_are_where_the_projection_says(height, tilt, vfov, target):
    near = float(optics.near_edge_m(height, tilt, vfov, target))
    far = float(optics.far_edge_m(height, tilt, vfov, target))
    focal = 540.0 / math.tan(math.radians(vfov / 2))
    distance = np.geomspace(0.05, 20000.0, 400)

    def inside(rise):
        return optics.project_points(
            0.0 * distance,
            distance,
            rise,
            azimuth_deg=0.0,
            tilt_deg=tilt,
            focal_px=focal,
            width_px=1920.0,
            height_px=1080.0,
        ).inside

    whole = inside(target - height) & inside(-height)
    clear = (np.abs(distance - near) > 1e-4 * distance) & (np.abs(distance - far) > 1e-4 * distance)
    expected = (distance >= near) & (distance <= far)
    assert (whole == expected)[clear].all()


def test_blind_ground_in_closed_form():
    # 10 m up, tilt 20°, 50° high: the lower edge looks down at 45°.
    assert float(optics.near_edge_m(10.0, 20.0, 50.0)) == pytest.approx(10.0)
    assert float(optics.near_edge_m(10.0, 70.0, 50.0)) == 0.0
    assert float(optics.near_edge_m(10.0, -30.0, 50.0)) == math.inf
    assert float(optics.far_edge_m(11.7, 70.0, 50.0, 1.7)) == pytest.approx(10.0)
    assert float(optics.far_edge_m(11.7, 10.0, 50.0, 1.7)) == math.inf


@given(st.floats(3, 40), st.floats(20, 3000), st.floats(5, 80))
def test_tilt_for_far_edge_gives_that_far_edge(height, far, vfov):
    tilt = optics.tilt_for_far_edge_deg(height, far, vfov)
    assert float(optics.far_edge_m(height, tilt, vfov)) == pytest.approx(far, rel=1e-6)


def test_curvature_at_12_km():
    assert float(optics.apparent_rise_m(0.0, 12000.0, 0.0)) == pytest.approx(-11.301, abs=1e-3)
    exact = 6371008.8 * (math.cos(20000 / 6371008.8) - 1)
    assert float(optics.apparent_rise_m(0.0, 20000.0, 0.0)) == pytest.approx(exact, abs=1e-3)


def test_a_camera_needs_top_and_feet_in_the_image():
    device = camera()
    # Level camera at 10 m: the image spans ±19.8°, feet at 20 m lie 26.6° down.
    got = watch_density(
        device, 4.0, 0.0, 0.0, 0.0, np.array([20.0, 40.0]), np.array([-8.3, -8.3]), -10.0
    )
    assert got[0] == 0.0
    assert got[1] == pytest.approx(1500 / 40.0)  # depth, since the bar lies parallel to the image


def test_a_device_counts_nothing_beyond_its_slant_range():
    device = camera(range_m=50.0)
    got = watch_density(device, 4.0, 0.0, 0.0, 0.0, np.array([49.7, 49.8]), -5.0, -6.7)
    assert (got > 0).tolist() == [True, False]


def test_a_panoramic_housing_watches_with_the_sensor_that_sees_best():
    four = camera("panoramic", sensors=4, spacing_deg=90.0, sensor_width_mm=8.0)
    bearing = np.radians(np.arange(0, 360, 5.0))
    got = watch_density(four, 4.0, 45.0, 0.0, 60 * np.sin(bearing), 60 * np.cos(bearing), 0, -1.7)
    assert (got > 0).all()
    np.testing.assert_allclose(got, np.roll(got, 18))
    two = camera("panoramic", sensors=2, spacing_deg=90.0, sensor_width_mm=8.0)
    got = watch_density(two, 4.0, 0.0, 0.0, 60 * np.sin(bearing), 60 * np.cos(bearing), 0, -1.7)
    inside = np.abs((np.degrees(bearing) + 180) % 360 - 180) <= 90
    assert ((got > 0) == inside).all()


def test_a_ptz_turns_to_every_target_within_its_elevations():
    device = camera("ptz")
    top, feet = np.array([0.0, -20.0]), np.array([-1.7, -21.7])
    got = watch_density(
        device, 4.0, 123.0, 45.0, np.array([0, -50.0]), np.array([50.0, 0]), top, feet
    )
    np.testing.assert_allclose(got, [30.0, 1500 / math.hypot(50, 20)])
    # Above 20° the head does not point; a target higher than the image does not fit.
    assert float(watch_density(device, 4.0, 0.0, 0.0, 0.0, 50.0, 20.0, 18.3)) == 0.0
    assert float(watch_density(device, 4.0, 0.0, 0.0, 0.0, 50.0, 15.0, 13.3)) > 0.0
    assert float(watch_density(device, 4.0, 0.0, 0.0, 0.0, 2.0, 1.0, -0.7)) == 0.0


def test_an_observer_looks_round_within_sixty_degrees_of_the_horizon():
    device = camera("observer", width_px=0, height_px=0, acuity_arcmin=1.0)
    got = watch_density(
        device,
        0.0,
        0.0,
        0.0,
        np.array([0.0, -100.0, 5.0]),
        np.array([100.0, 0.0, 0.0]),
        -9.0,
        -10.7,
    )
    assert got[0] == pytest.approx(3437.75 / math.hypot(100, 9), abs=1e-3)
    assert got[0] == got[1]
    assert got[2] == 0.0
