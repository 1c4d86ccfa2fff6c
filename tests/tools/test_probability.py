"""Probability of visibility: closed forms, the fan without error, and independent exact runs."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from scipy import stats

from watchline.errors import UsageError
from watchline.kernels import probability as kernel
from watchline.kernels.error_field import draw_error_fields, interpolate_error
from watchline.see import viewshed
from watchline.tools import probability
from watchline.tools.probability import visibility_probability

CELL = 10.0
TRANSFORM = Affine(CELL, 0, 5_000, 0, -CELL, 9_000)


def centre(row, col):
    return TRANSFORM @ (col + 0.5, row + 0.5)


def hills(seed=4, shape=(70, 90)):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 3, shape).cumsum(axis=1).cumsum(axis=0) / 12


def errors(shape, sigma, length, realisations, seed):
    """Errors at every node, realisations first."""
    fields = draw_error_fields(shape, CELL, sigma, length, realisations, seed)
    row, col = (axis.ravel().astype(float) for axis in np.mgrid[: shape[0], : shape[1]])
    return interpolate_error(fields, row, col).T.reshape(-1, *shape)


@pytest.mark.parametrize("place", [centre(30, 40), (5_393.0, 8_688.0)])
@pytest.mark.parametrize("hole", [False, True])
def test_without_error_it_is_the_fan(place, hole):
    surface = hills()
    if hole:
        surface[30, 52:54] = np.nan
    observer = (*place, 8.0)
    fan = viewshed(surface, TRANSFORM, observer, 1.7, 300, method="fan")
    found = visibility_probability(
        surface, TRANSFORM, observer, 1.7, 300, terrain_sigma=0, correlation_length=50,
        realisations=3,
    )  # fmt: skip
    assert set(np.unique(found[~np.isnan(found)])) == {0, 1}
    assert np.isnan(found).any() == hole
    assert np.mean(np.isnan(found) != fan.mask) < 0.002
    assert np.mean((found == 1) != fan.data) < 0.002
    assert 200 < fan.data.sum() < fan.size / 2


def test_fields_have_the_deviation_and_correlation_that_are_stated():
    for length in (0.0, 15.0, 120.0):
        drawn = errors((64, 64), 2.0, length, range(200), 5)
        assert drawn.std() == pytest.approx(2.0, rel=0.05)
        # Between coarse nodes as well as at them.
        assert drawn.std(axis=0).min() > 1.5
        for apart in (1, 6, 12, 24):
            along = (drawn[:, :, apart:] * drawn[:, :, :-apart]).mean() / 4
            down = (drawn[:, apart:] * drawn[:, :-apart]).mean() / 4
            expected = np.exp(-((apart * CELL / length) ** 2)) if length else 0.0
            assert along == pytest.approx(expected, abs=0.07)
            assert down == pytest.approx(expected, abs=0.07)
    assert stats.kstest(drawn[:, 5, 9] / 2, "norm").pvalue > 1e-4


def test_a_realisation_does_not_depend_on_what_is_drawn_with_it():
    whole = errors((20, 30), 1.0, 60.0, range(7), 2)
    assert (errors((20, 30), 1.0, 60.0, range(3, 6), 2) == whole[3:6]).all()
    assert (errors((20, 30), 1.0, 60.0, range(3, 6), 3) != whole[3:6]).all()


@pytest.mark.parametrize("length", [25.0, 600.0])
def test_a_plain_with_a_far_wall_is_the_normal_distribution(length):
    surface = np.zeros((41, 101))
    surface[:, 60] = 20.0
    sigma, eye, n = 1.0, 30.0, 4_000
    for head in (5.0, 3.5):
        found = visibility_probability(
            surface, TRANSFORM, (*centre(20, 0), eye), head, 2_000, terrain_sigma=sigma,
            correlation_length=length, realisations=n, curvature=False, spacing=0.25,
        )  # fmt: skip
        # Eye at 0, wall at 600 m, target at 1,000 m: the ray's height at the wall less the wall.
        wall, far = 600.0, 1_000.0
        weights = np.array([1 - wall / far, -1.0, wall / far])
        at = np.array([0.0, wall, far])
        shared = np.exp(-(((at[:, None] - at) / length) ** 2))
        spread = sigma * np.sqrt(weights @ shared @ weights)
        margin = eye * (1 - wall / far) + head * wall / far - 20.0
        expected = stats.norm.cdf(margin / spread)
        assert found[20, 100] == pytest.approx(expected, abs=4 * np.sqrt(0.25 / n) + 0.005)


def test_it_counts_what_separate_fans_over_the_same_terrains_count():
    surface = hills()
    observer, n = (*centre(30, 40), 6.0), 40
    found = visibility_probability(
        surface, TRANSFORM, observer, 1.7, 1e4, terrain_sigma=1.5, correlation_length=90,
        realisations=n, seed=8, curvature=False,
    )  # fmt: skip
    # With a ground of its own a viewshed has the fan's number of rays, not that of the full circle.
    separate = sum(
        viewshed(made, TRANSFORM, observer, 1.7, 1e4, False, method="fan", ground=made).data
        for made in (surface + error for error in errors(surface.shape, 1.5, 90.0, range(n), 8))
    )
    assert np.abs(found * n - separate).mean() < 0.05
    assert np.mean((found > 0.05) & (found < 0.95)) > 0.1


def test_it_lies_within_the_binomial_bands_of_independent_exact_runs():
    surface = hills(11)
    observer, n = (*centre(30, 40), 6.0), 150
    found = visibility_probability(
        surface, TRANSFORM, observer, 1.7, 280, terrain_sigma=1.5, correlation_length=90,
        realisations=n, seed=1, spacing=0.25,
    )  # fmt: skip
    exact = (
        sum(
            viewshed(surface + error, TRANSFORM, observer, 1.7, 280).data
            for error in errors(surface.shape, 1.5, 90.0, range(n), 2)
        )
        / n
    )
    share = (found + exact) / 2
    near = np.hypot(*np.mgrid[-30:40, -40:50]) <= 27.9
    band = 3 * np.sqrt(2 * share * (1 - share) / n) + 1 / n
    assert np.mean(np.abs(found - exact)[near] <= band[near]) > 0.985
    assert np.mean(found[near]) == pytest.approx(np.mean(exact[near]), abs=0.01)


def test_sway_blurs_the_edge_of_a_near_wall_as_trigonometry_says():
    surface = np.zeros((41, 101))
    surface[:, 4] = 8.0  # 40 m from the eye
    sway, n = 2.0, 4_000
    observer = (*centre(20, 0), 10.0)
    found = visibility_probability(
        surface, TRANSFORM, observer, 0.0, 2_000, terrain_sigma=0, correlation_length=0,
        sway=sway, realisations=n, curvature=False, spacing=0.25,
    )  # fmt: skip
    # The shadow ends where 10 m have sunk to the ground: at 40 m·10/2 = 200 m from a still head;
    # from one moved by δ to the east at δ + (40 - δ)·5.
    for col in (19, 20, 21):
        limit = (200 - col * CELL) / 4  # seen iff -4 δ <= 10 col - 200
        expected = stats.norm.cdf(-limit / sway)
        assert found[20, col] == pytest.approx(expected, abs=0.04)


def test_culling_chunks_and_seeds(monkeypatch):
    surface = hills()
    call = {
        "surface": surface,
        "transform": TRANSFORM,
        "observer_xyh": (*centre(30, 40), 6.0),
        "target_height": 1.7,
        "max_range": 300,
        "terrain_sigma": 1.0,
        "correlation_length": 60,
        "realisations": 40,
    }
    once = visibility_probability(**call)
    assert (visibility_probability(**call) == once).all()
    assert (visibility_probability(**call, seed=1) != once).any()
    monkeypatch.setattr(probability, "FIELD_BYTES", 1.0)
    assert (visibility_probability(**call) == once).all()
    # With so large an error in store no sample is passed over.
    monkeypatch.setattr(kernel, "_SLACK_M", 1e6)
    assert (visibility_probability(**call) == once).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"terrain_sigma": -1}, "terrain_sigma"),
        ({"correlation_length": np.nan}, "correlation_length"),
        ({"sway": 6.0}, "half a cell"),
        ({"realisations": 0}, "realisations"),
        ({"spacing": 2.0}, "spacing"),
        ({"target_height": np.inf}, "height"),
    ],
)
def test_wrong_arguments_name_what_is_wrong(change, words):
    call = {
        "surface": np.zeros((9, 9)),
        "transform": TRANSFORM,
        "observer_xyh": (*centre(4, 4), 2),
        "target_height": 1.7,
        "max_range": 100,
        "terrain_sigma": 1,
        "correlation_length": 50,
    } | change
    with pytest.raises(UsageError, match=words):
        visibility_probability(**call)
