"""A device's picture: the horizon, the rings and a mast where the projection says."""

import math
from dataclasses import replace

import numpy as np
import pytest
from shapely.geometry import LineString, Point

from watchline.io.catalogue import load_catalogue
from watchline.physics.optics import project_points
from watchline.prove.heights import Relief
from watchline.report.camera_view import Drawn, Ring, View, draw_view

CAMERA = load_catalogue().devices["fixed-8mp-12mm"]
RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture(scope="module")
def plain():
    heights = np.zeros((401, 401), dtype=np.float32)
    return Relief(heights, heights, 5.0, 0.0, 2000.0, (1000.0, 1000.0), 0.13)


@pytest.fixture(scope="module")
def view():
    hfov, vfov = CAMERA.sensor_fov_deg(CAMERA.focal_min_mm)
    focal = CAMERA.focal_min_mm
    return View(
        1000.0, 700.0, 10.0, CAMERA, 0.0, 4.0, focal, hfov, vfov, "flat", 640, 360
    )  # fmt: skip


def rows_of(picture, colour):
    return np.flatnonzero((picture == colour).all(axis=2).any(axis=1))


def test_sky_begins_at_the_horizon(plain, view):
    picture = draw_view(view, plain).astype(float)
    blue = picture[:, 320, 2] - picture[:, 320, 0]
    horizon = int(np.flatnonzero(blue > 0).max())
    # 4 degrees above the axis; the ground of this model ends 1,300 m away, 0.44 degrees lower.
    focal_px = 320 / math.tan(math.radians(view.hfov_deg) / 2)
    expected = 180 - focal_px * math.tan(math.radians(4.0 - math.degrees(math.atan2(10, 1300))))
    assert horizon == pytest.approx(expected, abs=2)


def test_a_ring_lies_where_the_density_is_reached(plain, view):
    density = 40.0
    ring = Ring("outline", density, RED)
    plainly = draw_view(view, plain).astype(int)
    ringed = draw_view(view, plain, rings=(ring,)).astype(int)
    rows = np.flatnonzero(np.abs(ringed - plainly)[:, 320].sum(axis=1) > 60)
    away = CAMERA.focal_px(view.focal_mm) / density
    flat = math.sqrt(away**2 - 10.0**2)
    found = project_points(
        0.0, flat, -10.0, azimuth_deg=0.0, tilt_deg=4.0,
        focal_px=CAMERA.focal_px(view.focal_mm), width_px=3840.0, height_px=2160.0,
    )  # fmt: skip
    assert rows.size and rows.mean() == pytest.approx(float(found.v_px) / 6.0, abs=2.0)


def test_lines_are_drawn_where_they_project_and_hidden_behind_a_bank(plain, view):
    fence = Drawn(LineString([(960.0, 800.0), (1040.0, 800.0)]), RED)
    mast = Drawn(Point(1000.0, 760.0), BLUE, 2, 6.0)
    picture = draw_view(view, plain, (fence, mast))
    focal = CAMERA.focal_px(view.focal_mm)
    size = {"width_px": 3840.0, "height_px": 2160.0}
    aim = {"azimuth_deg": 0.0, "tilt_deg": 4.0, "focal_px": focal}
    at = project_points(0.0, 100.0, -9.95, **aim, **size)
    assert rows_of(picture, RED).mean() == pytest.approx(float(at.v_px) / 6.0, abs=2.0)
    foot, top = (
        float(project_points(0.0, 60.0, rise, **aim, **size).v_px) / 6 for rise in (-10, -4)
    )
    rows = rows_of(picture, BLUE)
    assert rows.min() == pytest.approx(top, abs=2) and rows.max() == pytest.approx(foot, abs=2)
    bank = plain.surface.copy()
    bank[244:248, :] = 9.0  # 12 m of bank, 770-780 m north: before the fence, behind the mast
    hidden = draw_view(view, replace(plain, ground=bank, surface=bank), (fence, mast))
    assert not rows_of(hidden, RED).size and rows_of(hidden, BLUE).size
