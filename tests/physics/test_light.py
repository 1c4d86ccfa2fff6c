"""Light, weather, low light, thermal and sun against closed forms and published figures."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photometry_cases import DATA
from watchline.io.photometry import read_photometry
from watchline.physics import light, low_light, sun, thermal, weather
from watchline.physics.luminaires import Luminaire, aimed_intensity_cd, luminaire_axes, near_parts
from watchline.physics.optics import (
    across_density,
    along_density,
    distance_for_density,
    focal_length_px,
    pixel_density,
)
from watchline.physics.photometry import flux_lm, photometric_numbers

CASES = json.loads((DATA / "photometry_synthetic" / "analytic_cases.json").read_text())
ROUND = read_photometry(DATA / "photometry_synthetic" / "L1.ldt")


def case(start):
    """The published figure whose name begins so."""
    (found,) = [value for name, value in CASES.items() if name.startswith(start)]
    return found


def printed(value, published, digits):
    """Equal to the digits that are printed."""
    return np.array_equal(np.round(value, digits), np.asarray(published))


def luminaire(power, size=(0.0, 0.0, 0.0), candela=1000.0):
    """I0·cos^power γ downwards, in steps of a quarter of a degree."""
    gamma = np.arange(0.0, 90.1, 0.25)
    table = candela * np.cos(np.radians(gamma)) ** power
    return dataclasses.replace(
        ROUND, polar_deg=gamma, intensity_cd=np.stack([table, table]), size_m=size
    )


def test_point_by_point():
    r = np.arange(6.0)
    d = np.hypot(3.0, r)
    got = light.point_illuminance_lx(10_000 / (4 * math.pi), d, 3 / d)
    assert printed(got, case("A1"), 4)
    gamma = np.radians([0, 30, 45, 60, 75])
    d = 10 / np.cos(gamma)
    assert printed(light.point_illuminance_lx(1000, d, np.cos(gamma)), case("A2 I"), 5)
    assert printed(light.point_illuminance_lx(1000, d, np.sin(gamma)), case("A2v"), 5)
    assert light.point_illuminance_lx(1000, 10, -0.5) == 0
    got = light.point_illuminance_lx(1000, 10, 1, extinction_per_m=0.01, maintenance=0.8)
    assert got == pytest.approx(8 * math.exp(-0.1), rel=1e-12)


def test_areas():
    x, y = np.array([0, 1, 2, 3, 5.0]), np.array([0, 0, 0, 1, 5.0])
    assert printed(light.rectangle_illuminance_lx(1000, (2, 1), 3, x, y), case("A3 rect"), 4)
    assert printed(light.disk_illuminance_lx(1000, 0.5, 2), case("A5"), 4)
    d = np.array([1, 2, 3.25, 6.5])
    point = 1000 * 0.65 * 0.40 / d**2
    exact = np.array([light.rectangle_illuminance_lx(1000, (0.65, 0.40), h) for h in d])
    assert printed(point / exact - 1, case("A4"), 5)


def test_near_parts_come_close_to_the_exact_area():
    """A luminous area from nearby: cut into parts, the error falls from 10 % to under 0.3 %."""
    for distance, error in ((1.0, 0.003), (2.0, 0.003), (8.0, 0.01)):
        whole = Luminaire(luminaire(1, (0.65, 0.40, 0.0), 260.0), 0, 0, distance)
        parts = near_parts(whole, distance)
        assert (len(parts) == 1) == (distance == 8.0)
        assert sum(part.factor for part in parts) == pytest.approx(1.0)
        total = 0.0
        for part in parts:
            away = np.array([part.x, part.y, part.z])
            d = float(np.linalg.norm(away))
            candela = float(aimed_intensity_cd(part, -away))
            total += float(light.point_illuminance_lx(candela, d, away[2] / d))
        exact = float(light.rectangle_illuminance_lx(1000, (0.65, 0.40), distance))
        assert total == pytest.approx(exact, rel=error)


def test_lambertian_flux_through_a_circle():
    """∫ E dA under a Lambertian lamp: π I0 R²/(R² + h²)."""
    r = (np.arange(20_000) + 0.5) / 20_000 * 10
    d = np.hypot(5.0, r)
    e = light.point_illuminance_lx(1000 * 5 / d, d, 5 / d)
    assert (e * 2 * np.pi * r).sum() * 10 / 20_000 == pytest.approx(case("A6"), rel=1e-7)
    assert flux_lm(luminaire(1)) == pytest.approx(1000 * math.pi, rel=1e-5)


def test_beam_and_field_angles_of_a_power_of_the_cosine():
    for power in (1, 4, 40):
        numbers = photometric_numbers(luminaire(power))
        for share, angles in ((0.5, numbers.beam_deg), (0.1, numbers.field_deg)):
            want = 2 * math.degrees(math.acos(share ** (1 / power)))
            assert angles == pytest.approx((want, want), abs=0.05)
        assert numbers.peak_cd == 1000
        assert numbers.upward_share == 0


def test_upward_share_of_an_even_lamp_is_a_half():
    even = dataclasses.replace(ROUND, intensity_cd=np.ones_like(ROUND.intensity_cd))
    numbers = photometric_numbers(even)
    assert numbers.upward_share == pytest.approx(0.5, abs=1e-9)
    assert numbers.flux_lm == pytest.approx(4 * math.pi, rel=1e-12)
    assert math.isnan(numbers.beam_deg[0])


@given(
    azimuth=st.floats(0, 360),
    tilt=st.floats(-90, 90),
    front=st.floats(0, 360),
    gamma=st.floats(0, 90),
)
def test_aims_turn_and_do_not_bend(azimuth, tilt, front, gamma):
    axes = luminaire_axes(azimuth, tilt, front)
    assert np.allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    # The photometric axis has the azimuth and the tilt; the front half-plane looks above it.
    a, t, g, f = np.radians([azimuth, tilt, gamma, front])
    axis = np.array([np.sin(a) * np.cos(t), np.cos(a) * np.cos(t), -np.sin(t)])
    assert np.allclose(axes @ axis, [0, 0, -1], atol=1e-12)
    raised = np.array([np.sin(a) * np.cos(t - g), np.cos(a) * np.cos(t - g), -np.sin(t - g)])
    own = [np.sin(g) * np.cos(f), np.sin(g) * np.sin(f), -np.cos(g)]
    assert np.allclose(axes @ raised, own, atol=1e-12)


def test_uniformity_grid_and_maintenance():
    assert light.uniformity([1.0, 2.0, 3.0]) == (0.5, 1 / 3)
    assert light.uniformity([0.0, 0.0]) == (0.0, 0.0)
    assert all(math.isnan(v) for v in light.uniformity([1.0, math.nan]))
    assert light.grid_spacing_m(10.0) == pytest.approx(1.0)
    assert light.grid_spacing_m(1e6) == 10.0
    assert light.maintenance_factor(0.9, 1.0, 0.8) == pytest.approx(0.72)
    with pytest.raises(ValueError, match="within 0 and 1"):
        light.maintenance_factor(1.1, 1, 1)


def test_glare():
    assert printed(light.veiling_luminance_cd_m2([2.0], [10.0]), case("E1")[0], 5)
    assert printed(light.veiling_luminance_cd_m2([2.0], [10.0], 50), case("E1")[1], 5)
    assert light.veiling_luminance_cd_m2([2.0, 2.0, 9.0], [10.0, 10.0, 61.0]) == pytest.approx(0.4)
    assert light.threshold_increment_percent(0.2, 1.0) == case("E2")
    assert printed(light.glare_rating(0.5, 0.1), case("E3"), 4)
    assert light.ground_veil_cd_m2(math.pi, 0.2) == pytest.approx(0.007)


def test_pixel_density_cases():
    focal = focal_length_px(1920, 4, 5.12)
    assert pixel_density(focal, 10.0) == case("B1 1920px")
    assert distance_for_density(focal, np.array([25, 62.5, 125, 250])).tolist() == case("B1 DORI")
    slant, tilt, across, along = case("B2")
    assert printed(math.hypot(60, 10), slant, 4)
    aim = {
        "azimuth_deg": 0.0,
        "tilt_deg": math.degrees(math.atan2(10, 60)),
        "focal_px": float(focal),
    }
    assert printed(aim["tilt_deg"], tilt, 4)
    assert printed(across_density(0.0, 60.0, -10.0, **aim), across, 4)
    assert printed(along_density(0.0, 60.0, -10.0, **aim), along, 4)


def test_sensor_light_and_noise():
    assert printed(low_light.sensor_illuminance_lx(10, 0.2, 1.4, 0.8), case("B3 sensor"), 5)
    f = np.array([1.0, 1.2, 1.4, 1.7, 2, 2.8, 4, 5.6])
    table = 100 * low_light.sensor_illuminance_lx(1.0, 1.0, f, 0.8)
    assert np.abs(table - case("B3b")).max() <= 0.0006
    got = low_light.focal_plane_exposure_lx_s(4000, 8, 1 / 250, flare_lx_s=0.0015)
    assert printed(got, case("B3c"), 7)
    got = low_light.photoelectrons(0.20408, 2.9e-6, 1 / 25, 0.6, low_light.GREEN_PHOTONS)
    assert printed(got, case("B4"), 2)
    white = low_light.photoelectrons(0.20408, 2.9e-6, 1 / 25, 0.6)
    assert 2.1 < float(white / got) < 2.5
    assert low_light.signal_to_noise(100.0) == 10.0
    assert low_light.signal_to_noise(100.0, 44.0, 5.0) == pytest.approx(100 / 13)
    assert low_light.signal_to_noise(0.0) == 0.0


def test_infrared_is_radiant_and_goes_both_ways():
    clear = low_light.infrared_sensor_irradiance_w_m2(2.0, 50.0, 0.5, 1.6, 0.8)
    assert float(clear) == pytest.approx(2 / 2500 * 0.5 * 0.8 / (4 * 2.56), rel=1e-12)
    hazy = low_light.infrared_sensor_irradiance_w_m2(2.0, 50.0, 0.5, 1.6, 0.8, 0.004)
    assert float(hazy / clear) == pytest.approx(math.exp(-0.4), rel=1e-12)
    # 1 W/m² of 555 nm is 683 lx: both ways of counting photons agree.
    watt = low_light.infrared_photoelectrons(1.0, 555.0, 3e-6, 0.04, 0.5)
    lux = low_light.photoelectrons(683.0, 3e-6, 0.04, 0.5, low_light.GREEN_PHOTONS)
    assert float(watt / lux) == pytest.approx(1.0, rel=5e-3)


def test_thermal_ranges_and_probability():
    got = thermal.johnson_range_m(9, 25, thermal.PERSON_CRITICAL_M, np.array([1.5, 6, 12]))
    assert got.tolist() == case("C1 pure-geometry")
    ratio = np.array([0.5, 1, 1.5, 2, 3])
    assert printed(thermal.task_probability(ratio * 4.0, 4.0), case("C2"), 4)
    assert thermal.task_probability(1e9, 1.0) == 1.0
    assert thermal.cycles_on_target(9, 25, 0.75, 180.0) == pytest.approx(0.75)
    assert thermal.thermal_signal_to_noise(-2.0, 100.0, 0.0, 0.05) == 40.0
    # Makers print 205/52/26 m for 9 mm and 300/74 m for 13 mm, each for its own pixels.
    published = np.array([205, 52, 26, 300, 74.0])
    geometry = [*got, *thermal.johnson_range_m(13, 25, 0.75, np.array([1.5, 6]))]
    assert np.abs(published / geometry - 1).max() < 0.16


def test_air():
    assert printed([weather.extinction_per_m(1.0, s) for s in (0.02, 0.05)], case("D1 sigma"), 5)
    sigma = [weather.extinction_per_m(1000, s) for s in (0.02, 0.05)]
    assert printed([weather.apparent_contrast(1.0, 500, s) for s in sigma], case("D1 contrast"), 5)
    mor = float(weather.extinction_per_m(1000, weather.MOR_SHARE))
    assert printed(weather.lamp_illuminance_lx(10_000, 1000, mor), case("D2 Allard E"), 7)
    assert printed(weather.lamp_range_m(10_000, 1e-6, mor), case("D2 Allard range"), 3)
    assert weather.lamp_range_m(100.0, 1.0) == 10.0
    visibility = np.array([500, 1000, 2000, 10_000.0])
    table = [1000 * weather.infrared_extinction_per_m(visibility, w) for w in (550, 850, 10_000)]
    # Printed with σ = 3.912/V rounded to four digits.
    assert np.allclose(np.array(table).T, case("D3"), rtol=1.2e-5, atol=6e-6)


@given(st.floats(1, 1e6), st.floats(1e-6, 10), st.floats(0, 0.05))
def test_the_reach_of_a_lamp_is_where_its_light_falls_to_the_threshold(candela, lux, sigma):
    reach = weather.lamp_range_m(candela, lux, sigma)
    assert float(weather.lamp_illuminance_lx(candela, reach, sigma)) == pytest.approx(lux, rel=1e-6)


def test_the_sun_of_nrel():
    """NREL/TP-560-34302, appendix A.5."""
    when = pd.DatetimeIndex(["2003-10-17 12:30:30"], tz="Etc/GMT+7")
    found = sun.sun_position(
        when, 39.742476, -105.1786, altitude_m=1830.14, pressure_pa=82_000, temperature_c=11,
        delta_t_s=67,
    )  # fmt: skip
    assert found.zenith_deg[0] == pytest.approx(50.11162, abs=1e-5)
    assert found.azimuth_deg[0] == pytest.approx(194.34024, abs=1e-5)


def test_hours_of_sun_in_a_lens():
    camera = {"tilt_deg": 5.0, "width_px": 1920, "height_px": 1080, "focal_px": 2000.0}
    west = sun.sun_in_lens_hours(31.3, 34.2, azimuth_deg=270, **camera)
    east = sun.sun_in_lens_hours(31.3, 34.2, azimuth_deg=90, **camera)
    north = sun.sun_in_lens_hours(31.3, 34.2, azimuth_deg=0, **camera)
    assert 150 < west < 400
    assert east == pytest.approx(west, rel=0.05)
    assert north == 0
    # The whole sky is lit for about half of the year's hours.
    everything = sun.sun_in_lens_hours(
        31.3, 34.2, azimuth_deg=180, tilt_deg=-89, width_px=1, height_px=1, focal_px=1e-9
    )
    assert 4300 < everything < 4550
