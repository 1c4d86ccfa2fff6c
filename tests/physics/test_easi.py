"""EASI against the published sample, Monte Carlo and finite differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchline.physics.easi import WEIGHT_LEFT, easi, easi_sensitivity, margin_s

DETECTION = np.array([0, 0, 0.9, 0, 0.9, 0])
MEAN = np.array([10.0, 12, 90, 10, 90, 120])
SD = np.array([3, 3.6, 27, 3, 27, 36])
C = 0.95
PUBLISHED = 1e-6


def p_i(detection=DETECTION, mean=MEAN, sd=SD, at="beginning", c=C, response=300.0, spread=90.0):
    return float(easi(detection, mean, sd, WEIGHT_LEFT[at], c, response, spread).interruption)


def test_garcia_s_sample_and_its_variants():
    assert p_i() == pytest.approx(0.476041, abs=PUBLISHED)
    assert p_i(at="middle") == pytest.approx(0.319418, abs=PUBLISHED)
    assert p_i(at="end") == pytest.approx(0.185160, abs=PUBLISHED)
    assert p_i(np.array([0.9, 0, 0.9, 0, 0.9, 0])) == pytest.approx(0.578106, abs=PUBLISHED)
    assert p_i(response=200.0, spread=60.0) == pytest.approx(0.830508, abs=PUBLISHED)


@pytest.mark.parametrize(
    ("response", "expected"), [(209, 0.9405), (211, 0.855), (309, 0.855), (310, 0.0), (311, 0.0)]
)
def test_without_spread_a_detection_counts_or_does_not(response, expected):
    assert p_i(sd=0 * SD, response=response, spread=0.0) == pytest.approx(expected, abs=1e-12)


def test_a_lost_message_is_not_found_again():
    """Simulated: only the first detection is reported, and its message may fail."""
    rng = np.random.default_rng(1)
    runs = 400_000
    detected = rng.random((runs, 6)) < DETECTION
    first = np.where(detected.any(axis=1), detected.argmax(axis=1), 6)
    delays = MEAN + SD * rng.standard_normal((runs, 6))
    left = np.where(np.arange(6) >= first[:, None], delays, 0.0).sum(axis=1)
    heard = rng.random(runs) < C
    in_time = left > 300.0 + 90.0 * rng.standard_normal(runs)
    stopped = ((first < 6) & heard & in_time).mean()
    sigma = np.sqrt(stopped * (1 - stopped) / runs)
    assert abs(p_i() - stopped) < 3 * sigma
    assert abs(0.483180 - stopped) > 3 * sigma, "the wrong miss term would pass"


def test_the_critical_detection_point_is_the_last_that_still_helps():
    found = easi(DETECTION, MEAN, SD, 1.0, C, 300.0, 90.0)
    assert found.left_s.tolist() == [332, 322, 310, 220, 210, 120]
    assert found.critical == 2
    assert easi(DETECTION, MEAN, SD, 1.0, C, 400.0, 90.0).critical == -1
    assert found.share.sum() == pytest.approx(float(found.interruption))


def test_many_cases_at_once_are_each_case_alone():
    response = np.array([150.0, 300.0, 450.0])
    cases = [np.broadcast_to(a, (3, 6)) for a in (DETECTION, MEAN, SD)]
    found = easi(*cases, 1.0, C, response, 90.0)
    assert found.interruption.shape == (3,)
    assert found.interruption == pytest.approx([p_i(response=r) for r in response], abs=1e-15)


def test_deterministic_margins():
    delays = [20, 40, 150, 60, 200, 240]
    assert margin_s(delays, 2, 0.0, 20.0, 300.0) == 180.0
    assert margin_s(delays, 2, 0.0, 20.0, 1800.0) == -1320.0


probability = st.floats(0.02, 0.98)
seconds = st.floats(1.0, 300.0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(probability, seconds, seconds, st.sampled_from([0.0, 0.5, 1.0])),
             min_size=1, max_size=6),
    probability, st.floats(10.0, 600.0), st.floats(20.0, 100.0),
)  # fmt: skip
def test_slopes_are_those_of_finite_differences(tasks, c, response, spread):
    d, m, s, w = (np.array(column) for column in zip(*tasks, strict=True))
    slopes = easi_sensitivity(d, m, s, w, c, response, spread)

    def value(**change):
        given_ = {"d": d, "m": m, "s": s, "c": c, "r": response, "q": spread} | change
        return float(
            easi(given_["d"], given_["m"], given_["s"], w, given_["c"], given_["r"], given_["q"])
            .interruption
        )  # fmt: skip

    def slope(key, at, step):
        return (value(**{key: at + step}) - value(**{key: at - step})) / (2 * np.abs(step).max())

    for k in range(len(d)):
        unit = np.eye(len(d))[k]
        assert slopes.detection[k] == pytest.approx(slope("d", d, 1e-4 * unit), abs=1e-6)
        assert slopes.mean[k] == pytest.approx(slope("m", m, 1e-3 * unit), abs=1e-6)
        assert slopes.sd[k] == pytest.approx(slope("s", s, 1e-3 * unit), abs=1e-6)
    assert slopes.communication == pytest.approx(slope("c", c, 1e-4), abs=1e-6)
    assert slopes.response == pytest.approx(slope("r", response, 1e-3), abs=1e-6)
    assert slopes.response_sd == pytest.approx(slope("q", spread, 1e-3), abs=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"detection": [1.2]}, "detection = 1.2"),
        ({"mean_s": [-1]}, "mean_s = -1"),
        ({"sd_s": [float("nan")]}, "sd_s = nan"),
        ({"communication": 2}, "communication = 2"),
        ({"detection": []}, "no task"),
    ],
)
def test_what_is_no_probability_or_time_is_refused(change, words):
    good = {"detection": [0.5], "mean_s": [1], "sd_s": [1], "weight_left": 1.0}
    good |= {"communication": 1.0, "response_s": 1.0, "response_sd_s": 1.0}
    with pytest.raises(ValueError, match=words):
        easi(**(good | change))
