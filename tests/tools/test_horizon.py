"""Horizon and skyline: closed forms, and a dense ray written for the test."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from watchline.errors import TerrainError, UsageError
from watchline.see import viewshed
from watchline.tools import horizon, skyline

CELL = 10.0
TRANSFORM = Affine(CELL, 0, 5_000, 0, -CELL, 9_000)
EARTH_M, K = 6_371_008.8, 0.13


def centre(row, col):
    return TRANSFORM @ (col + 0.5, row + 0.5)


def hills(seed=4, shape=(60, 80)):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 3, shape).cumsum(axis=1).cumsum(axis=0) / 12


def height(surface, row, col):
    """Bilinear height at a fractional node, by hand; None beyond the outermost nodes."""
    rows, cols = surface.shape
    if not (0 <= row <= rows - 1 and 0 <= col <= cols - 1):
        return None
    top, left = min(int(row), rows - 2), min(int(col), cols - 2)
    south, east = row - top, col - left
    near = surface[top, left] * (1 - east) + surface[top, left + 1] * east
    far = surface[top + 1, left] * (1 - east) + surface[top + 1, left + 1] * east
    return near * (1 - south) + far * south


def dense_slope(surface, row, col, eye, bearing, reach_cells, start=1.5):
    """Steepest slope [m/m] along a bearing, sampled every 0.02 cells, and whether it was cut."""
    best = -np.inf
    for away in np.arange(start, reach_cells, 0.02):
        level = height(surface, row - away * np.cos(bearing), col + away * np.sin(bearing))
        if level is None:
            return best, True
        best = max(best, (level - eye) / (away * CELL))
    return best, False


def test_a_wall_stands_as_high_as_trigonometry_says():
    surface = np.zeros((81, 81))
    surface[:, 60] = 37.0
    found = horizon(surface, TRANSFORM, (*centre(40, 40), 12), 1e6, [90, 60, 110], curvature=False)
    away = 200 / np.sin(np.radians([90, 60, 110]))
    assert found.elevation_deg == pytest.approx(np.degrees(np.arctan(25 / away)))
    assert found.distance_m == pytest.approx(away)
    assert found.followed_m[0] == pytest.approx(400)


def test_the_sea_has_the_dip_and_the_distance_of_a_round_earth_with_refraction():
    surface = np.zeros((3, 4_000))
    found = horizon(surface, TRANSFORM, (*centre(1, 0), 30), 39_000, [90])
    radius = EARTH_M / (1 - K)
    assert found.distance_m[0] == pytest.approx(np.sqrt(2 * radius * 30), abs=CELL)
    assert found.elevation_deg[0] == pytest.approx(-np.degrees(np.sqrt(2 * 30 / radius)), abs=1e-6)
    assert found.followed_m[0] == pytest.approx(39_000)


def test_directions_agree_with_a_dense_ray_and_never_fall_below_it():
    surface = hills()
    place = (*centre(28, 33), 6.0)
    found = horizon(surface, TRANSFORM, place, 250.0, np.arange(0, 360, 7.3), curvature=False)
    eye = surface[28, 33] + 6.0
    for bearing, elevation in zip(found.bearing_deg, found.elevation_deg, strict=True):
        slope, _ = dense_slope(surface, 28, 33, eye, np.radians(bearing), 25.0)
        # Between two crossings a saddle may bulge a little; a crossing may lie nearer than 1.5.
        assert np.tan(np.radians(elevation)) == pytest.approx(slope, abs=0.02)


def test_where_data_end_or_fail_the_horizon_says_how_far_it_looked():
    surface = np.zeros((9, 50))
    surface[4, 30] = np.nan
    found = horizon(surface, TRANSFORM, (*centre(4, 10), 2), 1e4, [0, 90, 270], curvature=False)
    assert found.followed_m == pytest.approx([40, 200, 100])
    alone = horizon(surface, TRANSFORM, (*centre(4, 0), 2), 0.0, [90])
    assert np.isnan(alone.elevation_deg[0])
    assert np.isnan(alone.distance_m[0])


def test_a_mount_before_a_wall_is_against_terrain_and_above_it_against_the_sky():
    surface = np.zeros((5, 60))
    surface[:, 50] = 20.0
    mount = (*centre(2, 30), 10.0)
    found = skyline(surface, TRANSFORM, mount, 0.0, 250.0, curvature=False)
    # From the west the ray climbs 10 m in the distance d and 10 more until the wall at 200 m.
    near = [col for col in range(5, 30) if found[2, col] == 2]
    assert near == [col for col in range(10, 30) if 10 / ((30 - col) * CELL) >= 10 / 200]
    assert found[2, 9] == 1
    # From the east the land behind is flat, and the raster ends 300 m behind the mount.
    assert (found[2, 31:50] == 2).all()
    assert (found[2, 51:] == 0).all()
    longer = skyline(surface, TRANSFORM, mount, 0.0, 250.0, curvature=False, background_range=301.0)
    assert (longer[2, 31:50] == 3).all()
    assert longer[2, 20] in (2, 3)


@pytest.mark.parametrize("method", ["exact", "fan"])
def test_the_skyline_agrees_with_a_dense_ray_from_every_cell(method):
    surface = hills(9)
    row, col, head = 33, 41, 5.0
    mount = (*centre(row, col), head)
    found = skyline(
        surface, TRANSFORM, mount, 1.7, 260.0, curvature=False, background_range=150.0,
        method=method,
    )  # fmt: skip
    seen = viewshed(surface, TRANSFORM, mount, 1.7, 260.0, curvature=False, method=method)
    assert ((found.data > 0) == seen.data).all()
    wrong = total = 0
    for i, j in zip(*np.nonzero(seen.data), strict=True):
        apart = np.hypot(i - row, j - col)
        if apart < 1.5:
            continue
        climb = (surface[row, col] + head - surface[i, j] - 1.7) / (apart * CELL)
        bearing = np.arctan2(col - j, i - row)
        slope, cut = dense_slope(surface, row, col, surface[row, col] + head, bearing, 15.0)
        expected = 1 if climb < slope else 3 if cut else 2
        wrong += found[i, j] != expected
        total += 1
    assert total > 300
    assert wrong <= 0.02 * total
    assert {1, 2} <= set(np.unique(found.data))


def test_wrong_arguments_name_what_is_wrong():
    surface = np.zeros((9, 9))
    place = (*centre(4, 4), 2)
    with pytest.raises(UsageError, match="bearings"):
        horizon(surface, TRANSFORM, place, 10, [np.nan])
    with pytest.raises(UsageError, match="background_range"):
        skyline(surface, TRANSFORM, place, background_range=-1)
    with pytest.raises(TerrainError, match="outermost"):
        horizon(surface, TRANSFORM, (0, 0, 2), 10)
