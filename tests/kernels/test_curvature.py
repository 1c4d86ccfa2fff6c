from __future__ import annotations

import numpy as np
import pytest

from watchline.kernels import EARTH_RADIUS_M, curvature_drop_m, fold_curvature


def test_drop_at_12_km_is_11_metres_and_refraction_takes_its_share():
    assert curvature_drop_m(12_000, 0, (0, 0), 0.0) == pytest.approx(11.3, abs=0.01)
    bare, bent = (curvature_drop_m(3e3, 4e3, (0, 0), k) for k in (0.0, 0.13))
    assert bare == pytest.approx(25e6 / (2 * EARTH_RADIUS_M))
    assert bent == pytest.approx(0.87 * bare)


def test_points_far_from_the_origin_drop():
    x, y = np.arange(5) * 1000.0, np.arange(3)[:, None] * -1000.0
    folded = fold_curvature(np.full((3, 5), 50.0), x, y, (2000.0, -1000.0))
    assert folded[1, 2] == 50.0
    assert folded.argmin() in (0, 4, 10, 14)
    assert (folded <= 50.0).all()


def test_another_origin_adds_only_a_plane():
    rng = np.random.default_rng(3)
    x, y = rng.uniform(0, 2e4, (2, 50))
    here, there = (fold_curvature(np.zeros(50), x, y, o) for o in ((0, 0), (9e3, -4e3)))
    plane = np.column_stack([x, y, np.ones(50)])
    _, rest, *_ = np.linalg.lstsq(plane, here - there, rcond=None)
    assert rest[0] < 1e-12


def test_kind_and_holes_are_kept():
    heights = np.array([1.0, np.nan], dtype=np.float32)
    folded = fold_curvature(heights, [0.0, 1.0], [0.0, 1.0], (0, 0))
    assert folded.dtype == np.float32
    assert np.isnan(folded).tolist() == [False, True]
    assert fold_curvature([1, 2], [0, 1], [0, 1], (0, 0)).dtype == np.float64
