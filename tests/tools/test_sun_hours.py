"""Sun in the lens over a horizon: what stands in its way takes hours away, and only that."""

import numpy as np
import pytest

from watchline.physics.sun import hours_in_lens, sun_in_lens_hours, sun_year

WEST = {"tilt_deg": 5.0, "width_px": 1920, "height_px": 1080, "focal_px": 2000.0}


@pytest.fixture(scope="module")
def year():
    return sun_year(31.3, 34.2)


def test_a_level_horizon_is_none(year):
    level = hours_in_lens(year, azimuths_deg=(270.0,), **WEST)
    assert level == sun_in_lens_hours(31.3, 34.2, azimuth_deg=270.0, **WEST)
    assert level == hours_in_lens(
        year, azimuths_deg=(270.0,), horizon_deg=np.full(360, np.nan), **WEST
    )


def test_a_wall_before_the_camera_takes_the_hours_that_it_hides(year):
    def hours(height_deg, at):
        horizon = np.zeros(360)
        horizon[at] = height_deg
        return hours_in_lens(year, azimuths_deg=(270.0,), horizon_deg=horizon, **WEST)

    level, north = hours(0.0, slice(None)), hours(80.0, slice(0, 90))
    low, high = hours(5.0, slice(240, 301)), hours(40.0, slice(240, 301))
    assert north == level > low > high == 0.0


def test_two_sensors_see_the_sun_once(year):
    one = hours_in_lens(year, azimuths_deg=(270.0,), **WEST)
    assert hours_in_lens(year, azimuths_deg=(270.0, 270.0), **WEST) == one
    apart = hours_in_lens(year, azimuths_deg=(90.0, 270.0), **WEST)
    east = hours_in_lens(year, azimuths_deg=(90.0,), **WEST)
    assert apart == pytest.approx(one + east)


def test_grid_north_is_not_true_north(year):
    turned = hours_in_lens(year, azimuths_deg=(268.0,), convergence_deg=2.0, **WEST)
    assert turned == hours_in_lens(year, azimuths_deg=(270.0,), **WEST)
