"""Frames: the packed tests against full projection, and the best tilt against a search."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watchline.kernels.frames import best_tilt, frame_cells, in_frame
from watchline.physics.optics import project_points


@given(
    bearing=st.floats(-3.1, 3.1),
    elevation=st.floats(-1.0, 0.4),
    azimuth=st.floats(-3.1, 3.1),
    tilt=st.floats(-0.3, 1.2),
    tan_h=st.floats(0.02, 1.2),
    tan_v=st.floats(0.02, 0.9),
)
@example(bearing=1.75, elevation=-1.0, azimuth=0.0, tilt=1.0, tan_h=1.0, tan_v=0.875)
@settings(max_examples=500, deadline=None)
def test_a_point_is_in_the_frame_iff_the_projection_says_so(
    bearing, elevation, azimuth, tilt, tan_h, tan_v
):
    e = np.tan(elevation)
    focal = 1000.0
    image = project_points(
        np.sin(bearing) * 100,
        np.cos(bearing) * 100,
        e * 100,
        azimuth_deg=np.degrees(azimuth),
        tilt_deg=np.degrees(tilt),
        focal_px=focal,
        width_px=2 * focal * tan_h,
        height_px=2 * focal * tan_v,
    )
    off = min(abs(image.u_px), abs(image.u_px - 2 * focal * tan_h))
    off = min(off, abs(image.v_px), abs(image.v_px - 2 * focal * tan_v))
    if off > 1e-3:  # on the very edge rounding decides
        assert in_frame(bearing, 0.0, e, e, azimuth, tilt, tan_h, tan_v) == bool(image.inside)


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_a_whole_cell_is_held_only_if_all_its_corners_are(seed):
    rng = np.random.default_rng(seed)
    distance, radius, drop = rng.uniform(30, 400), rng.uniform(1, 10), rng.uniform(3, 20)
    bearing, tan_h, tan_v = rng.uniform(-3, 3), rng.uniform(0.05, 0.8), rng.uniform(0.04, 0.5)
    azimuth = bearing + rng.uniform(-0.4, 0.4)
    tilt = np.arctan(drop / distance) + rng.uniform(-0.2, 0.2)
    spread = np.arctan2(radius, distance)
    top = (1.7 - drop) / (distance + radius) if drop > 1.7 else (1.7 - drop) / (distance - radius)
    feet = -drop / (distance - radius)
    if not in_frame(bearing, spread, top, feet, azimuth, tilt, tan_h, tan_v):
        return
    for corner in np.linspace(0, 2 * np.pi, 13):
        x = distance * np.sin(bearing) + radius * np.sin(corner)
        y = distance * np.cos(bearing) + radius * np.cos(corner)
        for height in (0.0, 1.7):
            image = project_points(
                x,
                y,
                height - drop,
                azimuth_deg=np.degrees(azimuth),
                tilt_deg=np.degrees(tilt),
                focal_px=1000.0,
                width_px=2000 * tan_h + 1e-6,
                height_px=2000 * tan_v + 1e-6,
            )
            assert image.inside


def test_beyond_a_right_angle_a_part_is_held_and_a_whole_cell_is_not_promised():
    below = (1.75, 0.1, np.tan(-1.0), np.tan(-1.05))
    frame = (0.0, 1.0, 1.0, 0.875)
    assert in_frame(1.75, 0.0, *below[2:], *frame)
    assert in_frame(1.75, -0.1, *below[2:], *frame)
    assert not in_frame(*below, *frame)


def random_cells(seed, count=60):
    rng = np.random.default_rng(seed)
    bearing = rng.uniform(-0.5, 0.5, count)
    spread = rng.uniform(0.0, 0.03, count)
    feet = -rng.uniform(0.01, 0.5, count)
    top = feet + rng.uniform(0.002, 0.1, count)
    weight = rng.integers(0, 4, count).astype(float)
    return bearing, spread, top, feet, weight


def held_weight(cells, azimuth, tilt, half_h, half_v):
    bearing, spread, top, feet, weight = cells
    tan_h, tan_v = np.tan(half_h), np.tan(half_v)
    held = [
        in_frame(b, s, t, f, azimuth, tilt, tan_h, tan_v)
        for b, s, t, f in zip(bearing, spread, top, feet, strict=True)
    ]
    return weight[np.array(held)].sum()


@pytest.mark.parametrize("seed", range(25))
def test_the_best_tilt_holds_at_least_what_a_fine_search_finds(seed):
    cells = random_cells(seed)
    half_h, half_v = 0.35, 0.12
    tilt, worth = best_tilt(*cells, 0.05, half_h, half_v)
    # Cells within the half angle are always within the frame when looking down, so the found
    # worth is really held ...
    assert held_weight(cells, 0.05, tilt, half_h, half_v) >= worth - 1e-9
    # ... and no tilt of a fine search holds more of the cells that it counts.
    bearing, spread, *_ = cells
    inside = np.abs(bearing - 0.05) + spread <= half_h
    counted = (*cells[:4], np.where(inside, cells[4], 0.0))
    best = max(held_weight(counted, 0.05, t, half_h, half_v) for t in np.linspace(-0.3, 0.7, 1001))
    assert worth >= best - 1e-9


def test_any_part_is_never_less_than_the_whole():
    bearing, spread, top, feet, _ = random_cells(7, 300)
    wanted = np.ones(300, dtype=bool)
    whole, part = np.empty(300, dtype=bool), np.empty(300, dtype=bool)
    aim = (np.array([0.1]), 0.2, 0.3, 0.2, False, 1.0)
    frame_cells(bearing, spread, top, feet, wanted, *aim, whole)
    frame_cells(bearing, -spread, top, feet, wanted, *aim, part)
    assert (part | ~whole).all()
    assert part.sum() > whole.sum() > 0


def test_unwanted_cells_are_not_held_and_a_turning_head_sees_all_round():
    bearing, spread, top, feet, _ = random_cells(3, 50)
    held = np.ones(50, dtype=bool)
    wanted = np.zeros(50, dtype=bool)
    wanted[::2] = True
    frame_cells(
        bearing + np.pi, spread, top, feet, wanted, np.array([0.0]), 0.0, 50.0, 0.3, True, 0.5, held
    )
    assert held[::2].all()
    assert not held[1::2].any()
