"""Detection: closed forms, simulated outages, and the bound that the chord gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchline.physics.detection import (
    availability,
    detection_probability,
    graded_rate_per_s,
    outage_factor,
    outage_hazard,
    over_states,
    rate_per_s,
    with_remainder,
)


def test_a_rate_gives_its_walk_test_back():
    rate = rate_per_s([0.0, 0.5, 0.98], [10.0, 3.0, 10.0])
    assert detection_probability(rate * [10.0, 3.0, 10.0]) == pytest.approx([0.0, 0.5, 0.98])
    with pytest.raises(ValueError, match="nothing is detected surely"):
        rate_per_s(1.0, 1.0)
    with pytest.raises(ValueError, match="time"):
        rate_per_s(0.5, 0.0)


def test_a_grade_counts_from_its_density_on():
    rates = graded_rate_per_s([0.0, 19.99, 20.0, 39.0, 40.0, 900.0], [20.0, 40.0], [0.1, 0.5])
    assert rates.tolist() == [0.0, 0.0, 0.1, 0.1, 0.5, 0.5]
    with pytest.raises(ValueError, match="rise"):
        graded_rate_per_s(1.0, [2.0, 1.0], [1.0, 1.0])


def test_an_outage_lasts_for_the_whole_way():
    """Simulated: the device is up or down once, then detects at its rate."""
    rng = np.random.default_rng(4)
    a, hazard, runs = 0.9, 1.7, 400_000
    seen = (rng.random(runs) < a) & (rng.exponential(1.0, runs) < hazard)
    sigma = np.sqrt(seen.mean() * (1 - seen.mean()) / runs)
    assert abs(detection_probability(outage_hazard(hazard, a)) - seen.mean()) < 3 * sigma
    assert abs(detection_probability(a * hazard) - seen.mean()) > 3 * sigma
    assert outage_hazard(1e9, a) == pytest.approx(-np.log(0.1))
    assert outage_hazard(2.0, 1.0) == pytest.approx(2.0)


@given(st.floats(0.01, 0.9999), st.floats(0.1, 10.0), st.floats(0.0, 1.0))
def test_the_chord_never_credits_too_much(a, most, share):
    hazard = share * most
    assert outage_factor(a, most) * hazard <= outage_hazard(hazard, a) + 1e-12


def test_states_are_mixed_and_not_multiplied():
    """Two cameras that fog blinds together: fog 10 %, each misses half of what it sees."""
    clear, fog = 1.0 - 0.25, 0.0
    assert over_states([0.9, 0.1], [clear, fog]) == pytest.approx(0.675)
    independent = 1.0 - (1.0 - 0.9 * 0.5) ** 2
    assert independent > 0.69
    with pytest.raises(ValueError, match=r"sum to 0.9"):
        over_states([0.5, 0.4], [1.0, 1.0])


def test_what_remains_when_nothing_happens():
    assert with_remainder([0.1, 0.25]) == pytest.approx(0.65)
    with pytest.raises(ValueError, match=r"above 1"):
        with_remainder([0.7, 0.6])


def test_availability_by_mtbf():
    assert availability(9800.0, 200.0) == pytest.approx(0.98)
    with pytest.raises(ValueError, match="MTBF"):
        availability(0.0, 1.0)
