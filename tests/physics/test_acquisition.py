"""What a device makes out: closed forms, published figures, and what must never happen."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchline.config.conditions import STANDARD
from watchline.io.catalogue import load_catalogue
from watchline.model.condition import DAY
from watchline.physics import acquisition, atmosphere, low_light
from watchline.physics.acquisition import margin, reach_m, shortfall
from watchline.physics.reach import at_least_as_hard

DEVICES = load_catalogue().devices
NAMES = sorted(DEVICES)
FOG = STANDARD["fog"]
NIGHT = STANDARD["night"]
CAMERA = DEVICES["fixed-8mp-25mm"]
INFRARED = DEVICES["ir-8mp-25mm"]
THERMAL = DEVICES["thermal-640-35mm"]

devices = st.sampled_from(NAMES).map(DEVICES.__getitem__)
densities = st.floats(1.0, 300.0)
lights = st.floats(0.0, 2e4)
visibilities = st.floats(20.0, 1e6) | st.just(math.inf)
airs = st.sampled_from(sorted(atmosphere.THERMAL_SHARE))
conditions = st.builds(
    replace,
    st.just(DAY),
    ambient_lx=lights,
    visibility_m=visibilities,
    air=airs,
    humidity=st.floats(0.0, 1.0),
    temperature_c=st.floats(-20.0, 40.0),
    difference_k=st.floats(0.1, 10.0),
    contrast=st.floats(0.05, 1.0),
    reflectance=st.floats(0.05, 0.9),
)


def of(device):
    return device, device.focal_max_mm


def test_contrast_through_fog_is_koschmieders():
    """Contrast 0.3 falls to 0.05 at V · ln 6 / 3.912; by day noise is far away from it."""
    bright = replace(FOG, ambient_lx=1e6)
    expected = 500.0 * math.log(6.0) / 3.912
    assert reach_m(*of(CAMERA), bright, 2.0) == pytest.approx(expected, rel=1e-4)
    # The published case: V = 1000 m at 500 m leaves a contrast of 0.14142.
    clear = replace(bright, visibility_m=1000.0, contrast=1.0)
    assert margin(*of(CAMERA), clear, 2.0, 500.0) * 0.05 == pytest.approx(0.14142, abs=5e-6)


def test_meteorological_optical_range_means_five_per_cent():
    """The same number as MOR is 2.996/V and not 3.912/V: targets are seen a third farther."""
    bright = replace(FOG, ambient_lx=1e6)
    mor = replace(bright, contrast_left=0.05)
    assert reach_m(*of(CAMERA), mor, 2.0) / reach_m(*of(CAMERA), bright, 2.0) == pytest.approx(
        math.log(50.0) / math.log(20.0)
    )


def test_noise_of_a_pixel_by_hand():
    """8 MP, 2.0 µm, F2.0, 10 lx: 9.5e15 photons a lux, ρ 0.2, T 0.8, QE 0.35, 1/30 s at 20 px/m."""
    on_sensor = 10.0 * 0.2 * 0.8 / (4.0 * 2.0**2)
    electrons = on_sensor * (2e-6) ** 2 / 30.0 * 0.35 * 9.5e15
    expected = 0.3 * electrons / math.sqrt(electrons + 2.0**2)
    found = acquisition.pixel_contrast(CAMERA, NIGHT, 20.0, 10.0)
    assert found == pytest.approx(expected, rel=1e-9)
    # In clear air a 2 × 2 px detail is enough where 2 · focal/(d · p) · that is Rose's 5.
    clear = replace(NIGHT, ambient_lx=10.0, visibility_m=math.inf)
    far = 2.0 * CAMERA.focal_px(25.0) / 20.0 * expected / 5.0
    assert reach_m(*of(CAMERA), clear, 20.0) == pytest.approx(far, rel=1e-9)


def test_exposure_lets_a_walker_blur_by_one_pixel():
    assert acquisition.exposure_s(2.0) == 0.04
    assert acquisition.exposure_s(125.0) == pytest.approx(1 / 187.5)


def test_day_cameras_are_blind_by_starlight_and_thermal_cameras_are_not():
    assert reach_m(*of(CAMERA), NIGHT, 20.0) < 5.0
    assert reach_m(*of(THERMAL), NIGHT, 20.0) == reach_m(*of(THERMAL), DAY, 20.0) > 1000.0
    assert reach_m(*of(DEVICES["observer-eye"]), NIGHT, 20.0) == -1.0
    assert reach_m(*of(DEVICES["observer-eye"]), NIGHT, 20.0, 2.0) > 0.0


def test_lamps_count_only_where_the_condition_has_them_on():
    dark = STANDARD["night without lamps"]
    assert reach_m(*of(CAMERA), NIGHT, 20.0, 20.0) > 100.0
    assert reach_m(*of(CAMERA), dark, 20.0, 20.0) == reach_m(*of(CAMERA), dark, 20.0)
    lamps = np.array([0.0, 5.0, 20.0])
    reach = reach_m(*of(CAMERA), NIGHT, 20.0, lamps)
    assert reach.shape == (3,) and (np.diff(reach) > 0).all()


def test_infrared_without_air_is_the_inverse_square():
    """Electrons by I/d² · ρ T/(4F²); no light is thrown back where the air takes none."""
    clear = replace(NIGHT, visibility_m=math.inf)
    at = 40.0
    irradiance = 50.0 / at**2 * 0.2 * 0.8 / (4.0 * 2.0**2)
    photons = irradiance * 850e-9 / (low_light.PLANCK_J_S * low_light.LIGHT_SPEED_M_S)
    electrons = photons * (2e-6) ** 2 / 30.0 * 0.3
    detail = 2.0 * INFRARED.focal_px(25.0) / (at * 20.0)
    noise = 0.3 * electrons / math.sqrt(electrons + 4.0) * detail / 5.0
    found = acquisition.infrared_margin(*of(INFRARED), clear, 20.0, at)
    assert found == pytest.approx(min(0.3 / 0.05, noise), rel=1e-9)


def _back(r, sigma):
    return math.exp(-2 * sigma * r) / r**2


def test_light_thrown_back_is_the_integral():
    from scipy.integrate import quad

    for sigma, far in ((0.0078, 80.0), (2e-4, 500.0), (0.04, 10.0)):
        expected = quad(_back, 2.0, far, args=(sigma,), epsabs=0)[0]
        found = acquisition._thrown_back(sigma, np.array(far))
        assert found == pytest.approx(expected, rel=1e-9)


def test_fog_takes_infrared_away_before_the_dark_does():
    assert reach_m(*of(INFRARED), NIGHT, 20.0) > 100.0
    thick = replace(NIGHT, visibility_m=500.0, air="advection fog")
    assert reach_m(*of(INFRARED), thick, 20.0) < 50.0


def test_infrared_ends_at_the_stated_range():
    strong = replace(INFRARED, ir_intensity_w_sr=1e6)
    assert reach_m(*of(strong), NIGHT, 2.0) == strong.ir_range_m
    assert acquisition.infrared_margin(*of(strong), NIGHT, 2.0, strong.ir_range_m + 1e-6) == 0.0


def test_thermal_air_against_tables():
    """Vapour by Magnus: 23.4 hPa at 20 °C; a continuum of 0.1 to 0.2 a kilometre in mild air."""
    assert atmosphere.saturation_pressure_pa(20.0) == pytest.approx(2339.0, rel=4e-3)
    assert 1e-4 < atmosphere.vapour_extinction_per_m(23.0, 0.5) < 2e-4
    assert atmosphere.vapour_extinction_per_m(30.0, 0.9) > 3 * atmosphere.vapour_extinction_per_m(
        15.0, 0.6
    )
    assert atmosphere.vapour_extinction_per_m(15.0, 0.0) == 0.0


@pytest.mark.parametrize(("visibility_m", "published_m"), [(305.0, 293.0), (92.0, 87.0)])
def test_thermal_range_in_dense_fog_is_the_published_one(visibility_m, published_m):
    """A maker's note (MODTRAN, 10 K over 0.15 K; from memory): no farther than by eye."""
    thick = replace(FOG, visibility_m=visibility_m)
    found = math.log(10.0 / 0.15) / atmosphere.thermal_extinction_per_m(thick)
    assert found == pytest.approx(published_m, rel=0.03)


def test_thermal_cameras_gain_little_in_dense_fog_and_much_in_radiation_fog():
    dense = reach_m(*of(THERMAL), FOG, 2.667)
    thin = reach_m(*of(THERMAL), replace(FOG, air="radiation fog"), 2.667)
    seen = reach_m(*of(CAMERA), FOG, 2.667)
    assert 1.3 * seen < dense < 2.0 * seen
    assert thin > 2.0 * dense


def test_a_device_without_data_counts_in_clear_daylight_only():
    bare = replace(CAMERA, f_number=0.0)
    assert reach_m(*of(bare), DAY, 20.0) > 3500.0
    assert reach_m(*of(bare), NIGHT, 20.0) == -1.0
    bare = replace(THERMAL, netd_mk=0.0)
    assert reach_m(*of(bare), NIGHT, 20.0) == math.inf
    assert reach_m(*of(bare), FOG, 20.0) == -1.0


@pytest.mark.parametrize(
    ("device", "condition", "distance_m", "words"),
    [
        (CAMERA, NIGHT, 50.0, "too dark under 'night', 0.01 lx"),
        (INFRARED, NIGHT, 150.0, "infrared too weak"),
        (CAMERA, FOG, 300.0, "too little contrast through fog under 'fog', visibility 500 m"),
        (THERMAL, FOG, 600.0, "too little warmth"),
        (replace(THERMAL, netd_mk=0.0), FOG, 10.0, "does not state its NETD"),
        (CAMERA, DAY, 100.0, ""),
    ],
)
def test_shortfall_names_condition_and_cause(device, condition, distance_m, words):
    said = shortfall(*of(device), condition, 2.667, distance_m)
    assert words in said and bool(words) == bool(said)


@settings(max_examples=300, deadline=None)
@given(devices, conditions, densities, lights)
def test_reach_is_where_the_margin_falls_to_one(device, condition, density, lamp_lx):
    """The design takes the reach, the proof the margin: two ways that must agree."""
    far = float(reach_m(*of(device), condition, density, lamp_lx))
    at = np.geomspace(1.0, 2e4, 60)
    at = at[np.abs(at - far) > 1e-6 * at]
    found = margin(*of(device), condition, density, at, lamp_lx)
    # A contrast that is the threshold itself, in clear air, is a tie at every distance.
    told = np.abs(found - 1.0) > 1e-9
    assert ((found >= 1.0) == (at <= far))[told].all()


@settings(max_examples=300, deadline=None)
@given(devices, conditions, densities, visibilities, lights, lights)
def test_more_light_and_clearer_air_never_take_sight_away(
    device, condition, density, visibility_m, lamp_lx, more_lx
):
    at = np.geomspace(1.0, 2e4, 40)
    found = margin(*of(device), condition, density, at, lamp_lx)
    brighter = margin(*of(device), condition, density, at, lamp_lx + more_lx)
    assert (brighter >= found - 1e-12).all()
    clearer = replace(condition, visibility_m=max(visibility_m, condition.visibility_m))
    better = margin(*of(device), clearer, density, at, lamp_lx)
    assert ((better >= 1.0) >= (found >= 1.0)).all()
    assert (np.diff(found) <= 1e-12).all()


@settings(max_examples=200, deadline=None)
@given(devices, conditions, conditions, densities, lights, st.booleans(), st.booleans())
def test_what_is_made_out_in_the_harder_condition_is_in_the_easier(
    device, first, second, density, lamp_lx, on, lit
):
    first, second = replace(first, lamps=on), replace(second, lamps=not on)
    light = lamp_lx if lit else 0.0
    if at_least_as_hard(first, second, lamps=lit):
        hard = float(reach_m(*of(device), first, density, light))
        easy = float(reach_m(*of(device), second, density, light))
        assert hard <= easy or hard == pytest.approx(easy, rel=1e-9)


def test_standard_conditions_are_ordered():
    def harder(a, b):
        return at_least_as_hard(STANDARD[a], STANDARD[b], lamps=False)

    assert harder("night", "day") and harder("haze", "day")
    assert harder("night fog", "fog") and harder("night fog", "night")
    assert not harder("day", "night") and not harder("fog", "night") and not harder("night", "fog")
    assert harder("night", "night without lamps")
    assert not at_least_as_hard(STANDARD["night"], STANDARD["night without lamps"], lamps=True)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from([n for n in NAMES if DEVICES[n].kind != "thermal"]), densities)
def test_fog_that_thins_to_nothing_is_the_day(name, density):
    device = DEVICES[name]
    thin = replace(FOG, visibility_m=1e12, ambient_lx=DAY.ambient_lx)
    clear = replace(DAY, visibility_m=1e12)
    far = reach_m(*of(device), thin, density)
    assert far == pytest.approx(float(reach_m(*of(device), clear, density)), rel=1e-6)
