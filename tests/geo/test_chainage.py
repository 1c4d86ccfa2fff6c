"""Chainage and offset: closed forms, round trips, and shapely as the oracle."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString

from watchline.geo.chainage import bearing_deg, from_chainage, strip_polygon, to_chainage

BENT = LineString([(0, 0), (100, 0), (100, 100), (300, 150)])


def test_straight_line_closed_form():
    line = LineString([(10, 20), (110, 20)])
    s, t, beside = to_chainage(line, np.array([60.0, 60.0, 5.0]), np.array([25.0, 12.0, 20.0]))
    assert s == pytest.approx([50, 50, 0])
    assert t == pytest.approx([5, -8, 5])
    assert beside.tolist() == [True, True, False]


def test_left_is_positive_on_the_outer_side_of_a_corner():
    # The line turns left at (100, 0); (110, −10) is outside the corner, on the right.
    s, t, _ = to_chainage(BENT, np.array([110.0]), np.array([-10.0]))
    assert s == pytest.approx([100])
    assert t == pytest.approx([-np.hypot(10, 10)])


def test_right_corner_has_its_outer_side_on_the_left():
    line = LineString([(0, 0), (100, 0), (100, -100)])
    _, t, _ = to_chainage(line, np.array([110.0]), np.array([10.0]))
    assert t[0] == pytest.approx(np.hypot(10, 10))


@given(
    st.lists(st.tuples(st.floats(-50, 350), st.floats(-50, 200)), min_size=1, max_size=40),
)
def test_agrees_with_shapely(points):
    x, y = np.array(points).T
    s, t, _ = to_chainage(BENT, x, y)
    geometry = shapely.points(x, y)
    assert np.abs(t) == pytest.approx(shapely.distance(BENT, geometry), abs=1e-9)
    # Where two places of the line are equally near, either chainage is right.
    foot = shapely.line_interpolate_point(BENT, s)
    assert shapely.distance(foot, geometry) == pytest.approx(np.abs(t), abs=1e-6)


@given(st.floats(1, 99), st.floats(-20, 20))
def test_round_trip_on_a_segment(s, t):
    x, y = from_chainage(BENT, np.array([s]), t)
    s2, t2, _ = to_chainage(BENT, x, y)
    if t <= 0 or s < 99 - t:  # the inner side of the corner belongs to the next segment
        assert (s2[0], t2[0]) == pytest.approx((s, t), abs=1e-6)


@pytest.mark.parametrize("sign", [1, -1])
def test_strip_is_the_set_of_points_by_chainage(sign):
    strip = strip_polygon(BENT, sign, 5, 30, 20, 350)
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-60, 360, 20000), rng.uniform(-60, 220, 20000)
    s, t, _ = to_chainage(BENT, x, y)
    distance = sign * t
    by_chainage = (distance >= 5) & (distance <= 30) & (s > 20) & (s < 350)
    in_polygon = shapely.contains_xy(strip, x, y)
    assert (by_chainage != in_polygon).mean() < 5e-4


def test_bearing_is_clockwise_from_north():
    assert bearing_deg(BENT, np.array([50.0, 150.0])) == pytest.approx([90, 0])
