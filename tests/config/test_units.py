import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from watchline.config import units
from watchline.config.units import (
    ANGLE,
    DURATION,
    LENGTH,
    POWER,
    SPEED,
    Angle,
    Duration,
    Length,
    Power,
    Share,
    Speed,
    share,
)

angle, duration, length = ANGLE.parse, DURATION.parse, LENGTH.parse
power, speed = POWER.parse, SPEED.parse


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (length, "100 m", 100.0),
        (length, "12 km", 12_000.0),
        (length, "300 ft", 91.44),
        (length, "0.5 mi", 804.672),
        (length, " 1.5e3 m ", 1500.0),
        (length, "17mm", 0.017),
        (length, "-20 m", -20.0),
        (length, "\N{MINUS SIGN}20 m", -20.0),
        (length, "3\N{NO-BREAK SPACE}m", 3.0),
        (length, "1 nmi", 1852.0),
        (angle, "12 deg", 12.0),
        (angle, "7.1°", 7.1),
        (angle, "1 arcmin", 1 / 60),
        (angle, "1 rad", math.degrees(1.0)),
        (angle, "1 mrad", math.degrees(0.001)),
        (share, "99 %", 0.99),
        (share, "100%", 1.0),
        (share, 0.99, 0.99),
        (share, 1, 1.0),
        (share, 0, 0.0),
        (duration, "90 s", 90.0),
        (duration, "2 min", 120.0),
        (duration, "1 h", 3600.0),
        (speed, "36 km/h", 10.0),
        (speed, "1.4 m/s", 1.4),
        (power, "1.2 kW", 1200.0),
        (power, "25 W", 25.0),
    ],
)
def test_quantities_become_si(parse, text, value):
    assert parse(text) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("parse", "given", "sentence"),
    [
        (length, 100, '100 has no unit; write "100 m"'),
        (length, 2.5, '2.5 has no unit; write "2.5 m"'),
        (length, "100", "'100' has no unit; write \"100 m\""),
        (length, True, 'True is no length; write it as text, e.g. "100 m"'),
        (length, "1,200 m", "'1,200 m' has a comma; write a decimal point and no mark between"),
        (length, "5 furlongs", "the unit 'furlongs' is no unit of length; take one of m, km"),
        (length, "5 M", "the unit 'M' is no unit of length"),
        (length, "nan m", "'nan m' is no length; write a number and a unit"),
        (length, "", "'' is no length"),
        (length, "m", "'m' is no length"),
        (length, "1 2 m", "'1 2 m' is no length"),
        (length, "1e999 m", "is too large; write a smaller number"),
        (angle, 12, '12 has no unit; write "12 deg"'),
        (angle, "12 m", "the unit 'm' is no unit of angle"),
        (duration, 90, '90 has no unit; write "90 s"'),
        (duration, "-1 s", "a duration cannot be negative; leave the sign out"),
        (speed, "-1 m/s", "a speed cannot be negative"),
        (power, "-1 W", "a power cannot be negative"),
        (power, "5 mW", "the unit 'mW' is no unit of power"),
        (share, 99, '99 is no share; write "99 %" or 0.99'),
        (share, 101, "101 is no share; take one from 0 to 1"),
        (share, -0.1, "-0.1 is no share; take one from 0 to 1"),
        (share, "101 %", "take one from 0 % to 100 %"),
        (share, "0.99", 'write "99 %" or 0.99 (without quotes)'),
        (share, True, "True is no share"),
        (share, math.nan, "nan is no share"),
    ],
)
def test_what_is_refused_and_how_to_mend_it(parse, given, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse(given)


@given(st.floats(-1e9, 1e9, allow_subnormal=False), st.sampled_from(sorted(units.LENGTH_UNITS)))
def test_every_float_and_unit_round_trips(value, unit):
    metres = length(f"{value!r} {unit}")
    assert metres == pytest.approx(value * float(units.LENGTH_UNITS[unit]), rel=1e-14, abs=1e-300)


@given(st.text(max_size=20))
def test_any_text_is_parsed_or_refused_with_a_mend(text):
    for parse in (length, angle, duration, speed, power, share):
        try:
            value = parse(text)
        except ValueError as error:
            assert "; " in str(error)
        else:
            assert math.isfinite(value)


class Table(BaseModel):
    far: Length = Field(gt=0)
    tilt: Angle = 0.0
    part: Share = 1.0
    time: Duration | None = None
    pace: Speed = 0.0
    load: Power = 0.0


def test_types_work_in_a_schema_with_limits():
    table = Table(far="1 km", tilt="5 deg", part="50 %", time="2 min", pace="1 m/s", load="1 kW")
    assert table.model_dump() == {
        "far": 1000.0,
        "tilt": 5.0,
        "part": 0.5,
        "time": 120.0,
        "pace": 1.0,
        "load": 1000.0,
    }
    with pytest.raises(ValidationError) as caught:
        Table(far="0 m", tilt=5, part=2)
    assert {fault["loc"] for fault in caught.value.errors()} == {("far",), ("tilt",), ("part",)}


def test_json_schema_asks_for_text_with_a_unit():
    fields = Table.model_json_schema()["properties"]
    assert fields["far"]["type"] == "string"
    assert "km" in fields["far"]["pattern"]
    assert {option["type"] for option in fields["part"]["anyOf"]} == {"number", "string"}
