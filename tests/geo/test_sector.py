"""Sectors against their closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from watchline.geo.sector import ARC_STEP_DEG, sector_polygon


@given(
    azimuth=st.floats(0, 360),
    width=st.floats(0.5, 400),
    near=st.floats(0, 500),
    depth=st.floats(1, 500),
)
def test_area_and_reach(azimuth, width, near, depth) -> None:
    far = near + depth
    shape = sector_polygon(1000.0, -2000.0, azimuth, width, near, far)
    assert shape.is_valid
    exact = math.radians(min(width, 360.0)) / 2 * (far**2 - near**2)
    # Chords of at most ARC_STEP_DEG lose (step³ / 12) r² each.
    assert shape.area == pytest.approx(exact, rel=math.radians(ARC_STEP_DEG) ** 2 / 6 + 1e-9)
    distance = np.hypot(*(shapely.get_coordinates(shape) - [1000.0, -2000.0]).T)
    assert distance.max() == pytest.approx(far)
    if width < 360.0 or near > 1e-3:
        assert distance.min() == pytest.approx(near, abs=1.1e-3)


def test_it_lies_about_its_azimuth() -> None:
    shape = sector_polygon(0.0, 0.0, 90.0, 60.0, 10.0, 100.0)
    for bearing, inside in ((90, True), (61, True), (119, True), (59, False), (121, False)):
        x, y = 50 * math.sin(math.radians(bearing)), 50 * math.cos(math.radians(bearing))
        assert shape.contains(shapely.Point(x, y)) is inside


def test_a_whole_ring_has_a_hole() -> None:
    ring = sector_polygon(0.0, 0.0, 0.0, 360.0, 10.0, 100.0)
    assert len(ring.interiors) == 1
    assert not ring.contains(shapely.Point(0, 5))
    assert len(sector_polygon(0.0, 0.0, 0.0, 360.0, 0.0, 100.0).interiors) == 0


@pytest.mark.parametrize(
    ("width", "near", "far"), [(60, 100, 100), (60, 100, 50), (0, 0, 5), (60, 0, math.inf)]
)
def test_nothing_is_empty(width, near, far) -> None:
    assert sector_polygon(0.0, 0.0, 0.0, width, near, far).is_empty
