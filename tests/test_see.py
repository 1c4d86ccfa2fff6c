"""The tools on plain arrays."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from watchline.errors import TerrainError, UsageError
from watchline.see import intervisibility, viewshed

CELL = 10.0
TRANSFORM = Affine(CELL, 0, 5_000, 0, -CELL, 9_000)


def centre(row, col):
    return TRANSFORM @ (col + 0.5, row + 0.5)


def hills(seed=4, shape=(60, 80)):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 4, shape).cumsum(axis=1).astype(np.float32)


def test_a_plain_is_seen_out_to_the_range_and_the_rest_is_false_not_unknown():
    seen = viewshed(np.zeros((41, 41)), TRANSFORM, (*centre(20, 20), 2), 0, 150)
    row, col = np.mgrid[:41, :41]
    assert (seen.data == (np.hypot(row - 20, col - 20) * CELL <= 150)).all()
    assert not seen.mask.any()


def test_own_cell_is_seen_even_from_a_pit():
    surface = np.full((9, 9), 50.0)
    surface[4, 4] = 0
    seen = viewshed(surface, TRANSFORM, (*centre(4, 4), 1), 0, 1_000)
    assert seen[4, 4]
    assert seen.sum() == 9


def test_holes_and_what_lies_behind_them_are_masked():
    surface = np.zeros((9, 30))
    surface[4, 10] = np.nan
    seen = viewshed(surface, TRANSFORM, (*centre(4, 2), 2), 1, 1_000)
    assert seen.mask[4, 10:].all()
    assert not seen.mask[4, :10].any()
    assert not seen.mask[:, :9].any()
    assert not seen.data[seen.mask].any()


def test_masked_and_integer_surfaces_are_read():
    surface = np.ma.masked_equal(np.zeros((9, 30), dtype=np.int16), -32768)
    surface[4, 10] = np.ma.masked
    seen = viewshed(surface, tuple(TRANSFORM)[:6], (*centre(4, 2), 2), 1, 1_000)
    assert seen.mask[4, 10:].all()


def test_a_short_range_is_the_same_as_a_cut_from_a_long_one():
    surface = hills()
    observer = (*centre(25, 31), 30)
    short = viewshed(surface, TRANSFORM, observer, 1.7, 180)
    long = viewshed(surface, TRANSFORM, observer, 1.7, np.inf)
    row, col = np.mgrid[:60, :80]
    near = np.hypot(row - 25, col - 31) * CELL <= 180
    assert (short.data == (long.data & near)).all()
    assert 0.03 < long.mean() < 0.97


def test_curvature_and_refraction_act():
    surface = np.zeros((3, 1_500))
    reach = {
        (curvature, k): viewshed(
            surface, TRANSFORM, (*centre(1, 0), 2), 2, 1e5, curvature, refraction=k
        )[1].sum()
        for curvature, k in ((False, 0.13), (True, 0.13), (True, 0.0))
    }
    assert reach[False, 0.13] == 1_500
    assert reach[True, 0.13] * CELL == pytest.approx(2 * np.sqrt(4 * 6_371_008.8 / 0.87), rel=0.01)
    assert reach[True, 0.0] * CELL == pytest.approx(2 * np.sqrt(4 * 6_371_008.8), rel=0.01)


def test_on_ground_below_a_surface_the_canopy_blocks():
    ground = np.zeros((9, 30))
    surface = ground.copy()
    surface[:, 10:20] = 15.0
    observer = (*centre(4, 2), 2)
    on_top = viewshed(surface, TRANSFORM, observer, 1.7, 1_000)
    below = viewshed(surface, TRANSFORM, observer, 1.7, 1_000, ground=ground)
    assert on_top[4, 10]
    assert not below[4, 12:].any()
    assert below[4, :10].all()


def test_intervisibility_agrees_with_the_viewshed_from_every_observer():
    surface = hills()
    row, col = np.mgrid[:60, :80]
    x, y = TRANSFORM @ (col.ravel() + 0.5, row.ravel() + 0.5)
    targets = np.column_stack([x, y, np.full(x.size, 1.7)])
    observers = np.array([[*centre(10, 12), 3.0], [*centre(40, 70), 8.0], [5_391.0, 8_583.0, 5.0]])
    pairs = intervisibility(surface, TRANSFORM, observers, targets, max_range=400)
    assert pairs.shape == (3, 4_800)
    for i, observer in enumerate(observers):
        alone = viewshed(surface, TRANSFORM, tuple(observer), 1.7, 400)
        assert (pairs.unpack()[i].reshape(60, 80) == alone).all()
    plain = np.unpackbits(pairs.visible.view("uint8"), axis=1, count=4_800, bitorder="little")
    assert (plain == pairs.unpack().data).all()
    assert 0 < plain.sum() < plain.size


def test_the_fan_sees_nearly_what_the_exact_method_sees():
    surface = hills()
    observer = (*centre(25, 31), 30)
    exact = viewshed(surface, TRANSFORM, observer, 1.7, 600)
    fan = viewshed(surface, TRANSFORM, observer, 1.7, 600, method="fan", spacing=0.25)
    assert 0 < np.sum(exact.data != fan.data) < 0.06 * exact.sum()  # its rows are independent
    ends = [[*centre(25, 31), 30.0]], [[*centre(row, 60), 1.7] for row in range(60)]
    pairs = intervisibility(surface, TRANSFORM, *ends, method="fan").unpack()
    assert np.mean(pairs.data != intervisibility(surface, TRANSFORM, *ends).unpack().data) < 0.1


def test_pairs_with_an_end_outside_are_unknown():
    pairs = intervisibility(
        np.zeros((5, 5)),
        TRANSFORM,
        [[*centre(2, 2), 2.0]],
        [[*centre(0, 4), 1.0], [*centre(0, 5), 1.0]],
    )
    assert pairs.unpack().mask.tolist() == [[False, True]]
    assert pairs.unpack().data.tolist() == [[True, False]]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"transform": (10, 0, 0, 0, -12, 0)}, TerrainError, "not square"),
        ({"transform": (10, 1, 0, 1, -10, 0)}, TerrainError, "rotated"),
        ({"transform": (0, 10, 0, 9_000, 0, -10)}, TerrainError, "rotated"),
        ({"transform": (10, 0, 0, 0, 10, 0)}, TerrainError, "north up"),
        ({"transform": (10, 0, 0)}, UsageError, "transform"),
        ({"observer_xyh": (0, 0, 2)}, TerrainError, "outermost"),
        ({"observer_xyh": (*centre(0, 0), 2)}, TerrainError, "no data"),
        ({"observer_xyh": (5_050.0, 8_950.0, np.nan)}, UsageError, "height"),
        ({"observer_xyh": (5_050.0, 8_950.0)}, UsageError, "observer_xyh"),
        ({"max_range": -1.0}, UsageError, "range"),
        ({"max_range": np.nan}, UsageError, "range"),
        ({"method": "sweep"}, UsageError, "method"),
        ({"method": "fan", "spacing": 2}, UsageError, "spacing"),
        ({"ground": np.zeros((4, 4))}, TerrainError, "one grid"),
        ({"surface": np.zeros(9)}, UsageError, "shape"),
    ],
)
def test_wrong_arguments_name_what_is_wrong(change, error, words):
    surface = np.zeros((9, 9))
    surface[0, 0] = np.nan
    call = {
        "surface": surface,
        "transform": TRANSFORM,
        "observer_xyh": (*centre(4, 4), 2),
        "target_height": 1.7,
        "max_range": 100,
    } | change
    with pytest.raises(error, match=words):
        viewshed(**call)


def test_wrong_points_are_refused():
    for points in ([[1.0, 2.0]], [[1.0, np.nan, 3.0]], [1.0, 2.0, 3.0]):
        with pytest.raises(UsageError, match="observers"):
            intervisibility(np.zeros((5, 5)), TRANSFORM, points, [[5_010.0, 8_990.0, 1.0]])
