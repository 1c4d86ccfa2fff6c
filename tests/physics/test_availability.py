"""Availability against closed forms."""

import pytest
from scipy.stats import binom

from watchline.physics.availability import (
    at_least_out,
    cable_unavailability,
    hours_a_year,
    split_common_cause,
    unavailability,
)


def test_mean_times():
    assert unavailability(990.0, 10.0) == pytest.approx(0.01)
    assert unavailability(100.0, 0.0) == 0.0
    assert hours_a_year(0.01) == pytest.approx(87.66)


def test_cables_fail_by_length():
    assert cable_unavailability(1000.0, 10.0, 1000.0) == pytest.approx(10 / 1010)
    assert cable_unavailability(1000.0, 10.0, 250.0) == pytest.approx(10 / 4010)
    assert cable_unavailability(1000.0, 10.0, 0.0) == 0.0
    # Two halves in series are nearly the whole: exact for rates, not for shares of time.
    half = cable_unavailability(1e5, 10.0, 500.0)
    assert 1 - (1 - half) ** 2 == pytest.approx(cable_unavailability(1e5, 10.0, 1000.0), rel=1e-4)
    with pytest.raises(ValueError, match="length"):
        cable_unavailability(1000.0, 10.0, -1.0)


@pytest.mark.parametrize(("n", "k", "q"), [(1, 1, 0.3), (3, 2, 0.1), (5, 3, 0.25), (8, 8, 0.9)])
def test_k_out_of_n_is_scipys_binomial(n, k, q):
    assert at_least_out(n, k, q) == pytest.approx(binom.sf(k - 1, n, q), rel=1e-12)


def test_common_cause_splits_and_keeps_the_whole():
    own, common = split_common_cause(0.1, 0.2)
    assert (own, common) == pytest.approx((0.08, 0.02))
    with pytest.raises(ValueError, match="beta"):
        split_common_cause(0.1, 1.2)
