"""Conditions: what a project may say of light and air, and what it then means."""

import math

import pytest
from pydantic import ValidationError

from watchline.config.conditions import STANDARD, ConditionTable, all_conditions, to_condition


def made(**table):
    return to_condition(ConditionTable(**table))


def test_a_standard_name_changes_that_condition():
    fog = made(name="fog", visibility="200 m")
    assert (fog.visibility_m, fog.air, fog.ambient_lx) == (200.0, "advection fog", 1000.0)
    known = all_conditions([ConditionTable(name="fog", visibility="200 m")])
    assert known["fog"] == fog and known["night"] == STANDARD["night"]


def test_another_name_starts_from_day_or_from_the_one_it_is_like():
    assert made(name="dusk", ambient="10 lx").visibility_m == STANDARD["day"].visibility_m
    moon = made(name="moon", like="night", ambient="0.2 lx", lamps=False)
    assert (moon.ambient_lx, moon.lamps, moon.name) == (0.2, False, "moon")


@pytest.mark.parametrize(
    ("table", "air"),
    [
        ({"visibility": "900 m"}, "advection fog"),
        ({"visibility": "900 m", "air": "radiation fog"}, "radiation fog"),
        ({"visibility": "3 km"}, "rural"),
        ({"like": "fog", "visibility": "3 km"}, "rural"),
        ({"like": "fog", "visibility": "100 m"}, "advection fog"),
    ],
)
def test_thin_and_thick_air_hold_the_particles_of_haze_and_fog(table, air):
    assert made(name="x", **table).air == air


def test_units():
    assert made(name="x", ambient="0.2 fc").ambient_lx == pytest.approx(2.1528, abs=1e-4)
    assert made(name="x", ambient="1 klx").ambient_lx == 1000.0
    assert made(name="x", visibility="0.5 mi").visibility_m == pytest.approx(804.672)
    assert made(name="x", visibility="unlimited").visibility_m == math.inf
    assert made(name="x", temperature="-5 degC", target_difference="500 mK").difference_k == 0.5


def test_mor_is_less_air_than_koschmieder():
    fog = made(name="fog", visibility_means="mor")
    assert fog.extinction_per_m * 500.0 == pytest.approx(2.996, abs=1e-3)
    assert STANDARD["fog"].extinction_per_m * 500.0 == pytest.approx(3.912, abs=1e-3)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"ambient": 2}, 'has no unit; write "2 lx"'),
        ({"ambient": "-1 lx"}, "cannot be negative"),
        ({"visibility": "500"}, "has no unit"),
        ({"visibility": "0 m"}, "greater than 0"),
        ({"like": "nihgt"}, "no standard condition; take one of: day, night"),
        ({"name": "fog", "like": "day"}, "starts from itself"),
        ({"air": "smog"}, "Input should be"),
        ({"target_contrast": 2.0}, "less than or equal to 1"),
        ({"fog": True}, "Extra inputs"),
    ],
)
def test_faults_are_sentences(table, words):
    with pytest.raises(ValidationError, match="validation error") as caught:
        ConditionTable(**({"name": "x"} | table))
    assert words in str(caught.value)
