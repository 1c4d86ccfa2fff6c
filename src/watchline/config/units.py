"""Quantities written as text, parsed once into SI floats.

People write ``"100 m"``, ``"0.5 mi"``, ``"12 deg"``, ``"99 %"``; the code holds metres, degrees and
shares from 0 to 1. A bare number where a unit is needed is refused, because 300 could be metres or
feet and nobody would notice.

The functions raise :class:`ValueError` with a message of the form "what; mend", so that pydantic
collects it with the file's other faults. The types :data:`Length`, :data:`Angle`, :data:`Share`,
:data:`Duration`, :data:`Speed`, :data:`Power`, :data:`Illuminance`, :data:`Intensity` and
:data:`Luminance` are what schemas use.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

LENGTH_UNITS: Mapping[str, Decimal] = {
    "m": Decimal(1),
    "km": Decimal(1000),
    "cm": Decimal("0.01"),
    "mm": Decimal("0.001"),
    "ft": Decimal("0.3048"),
    "yd": Decimal("0.9144"),
    "mi": Decimal("1609.344"),
    "nmi": Decimal(1852),
}
"""Metres in each unit of length (international foot, yard and mile of 1959)."""

ANGLE_UNITS: Mapping[str, Decimal] = {
    "deg": Decimal(1),
    "°": Decimal(1),
    "rad": Decimal(180) / Decimal(math.pi),
    "mrad": Decimal("0.18") / Decimal(math.pi),
    "arcmin": Decimal(1) / Decimal(60),
}
"""Degrees in each unit of angle."""

DURATION_UNITS: Mapping[str, Decimal] = {
    "s": Decimal(1),
    "ms": Decimal("0.001"),
    "min": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
}
"""Seconds in each unit of time."""

SPEED_UNITS: Mapping[str, Decimal] = {
    "m/s": Decimal(1),
    "km/h": Decimal(1000) / Decimal(3600),
    "mph": Decimal("0.44704"),
    "kn": Decimal(1852) / Decimal(3600),
}
"""Metres a second in each unit of speed."""

POWER_UNITS: Mapping[str, Decimal] = {"W": Decimal(1), "kW": Decimal(1000), "MW": Decimal(10**6)}
"""Watts in each unit of power."""

ILLUMINANCE_UNITS: Mapping[str, Decimal] = {
    "lx": Decimal(1),
    "lux": Decimal(1),
    "klx": Decimal(1000),
    "fc": Decimal("10.76391041670972"),
}
"""Lux in each unit of illuminance; a footcandle is one lumen on a square foot."""

INTENSITY_UNITS: Mapping[str, Decimal] = {"cd": Decimal(1), "kcd": Decimal(1000)}
"""Candelas in each unit of luminous intensity."""

LUMINANCE_UNITS: Mapping[str, Decimal] = {"cd/m²": Decimal(1), "cd/m2": Decimal(1)}
"""Candelas a square metre in each unit of luminance."""

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_QUANTITY = re.compile(rf"\s*(?P<number>{_NUMBER})\s*(?P<unit>[^\s\d.,+-]\S*)?\s*")
_COMMA = re.compile(r"\s*[+-]?\d[\d.]*,[\d.,]*")


def length(value: object) -> float:
    """Length in metres from text such as ``"100 m"``, ``"12 km"``, ``"300 ft"``, ``"0.5 mi"``.

    Parameters
    ----------
    value : object
        What stands in the file; only text with a unit of :data:`LENGTH_UNITS` is accepted.

    Raises
    ------
    ValueError
        If it is not text, has no or an unknown unit, or is no finite number.
    """
    return _quantity(value, LENGTH_UNITS, "length")


def angle(value: object) -> float:
    """Angle in degrees from text such as ``"12 deg"``, ``"12°"`` or ``"5 mrad"``.

    Parameters
    ----------
    value : object
        What stands in the file; only text with a unit of :data:`ANGLE_UNITS` is accepted.

    Raises
    ------
    ValueError
        If it is not text, has no or an unknown unit, or is no finite number.
    """
    return _quantity(value, ANGLE_UNITS, "angle")


def duration(value: object) -> float:
    """Duration in seconds from text such as ``"90 s"`` or ``"2 min"``; not negative.

    Parameters
    ----------
    value : object
        What stands in the file; only text with a unit of :data:`DURATION_UNITS` is accepted.

    Raises
    ------
    ValueError
        If it is not text, has no or an unknown unit, is no finite number, or is negative.
    """
    return _not_negative(_quantity(value, DURATION_UNITS, "duration"), value, "duration")


def speed(value: object) -> float:
    """Speed in metres a second from text such as ``"1.4 m/s"`` or ``"30 km/h"``; not negative.

    Parameters
    ----------
    value : object
        What stands in the file; only text with a unit of :data:`SPEED_UNITS` is accepted.

    Raises
    ------
    ValueError
        If it is not text, has no or an unknown unit, is no finite number, or is negative.
    """
    return _not_negative(_quantity(value, SPEED_UNITS, "speed"), value, "speed")


def power(value: object) -> float:
    """Power in watts from text such as ``"25 W"`` or ``"1.2 kW"``; not negative.

    Parameters
    ----------
    value : object
        What stands in the file; only text with a unit of :data:`POWER_UNITS` is accepted.

    Raises
    ------
    ValueError
        If it is not text, has no or an unknown unit, is no finite number, or is negative.
    """
    return _not_negative(_quantity(value, POWER_UNITS, "power"), value, "power")


def illuminance(value: object) -> float:
    """Illuminance in lux from text such as ``"2 lx"`` or ``"0.2 fc"``; not negative.

    Parameters
    ----------
    value : object
        What stands in the file; only text with a unit of :data:`ILLUMINANCE_UNITS` is accepted.

    Raises
    ------
    ValueError
        If it is not text, has no or an unknown unit, is no finite number, or is negative.
    """
    number = _quantity(value, ILLUMINANCE_UNITS, "illuminance")
    return _not_negative(number, value, "illuminance")


def intensity(value: object) -> float:
    """Luminous intensity in candela from text such as ``"2.5 kcd"``; not negative.

    Parameters
    ----------
    value : object
        What stands in the file; only text with a unit of :data:`INTENSITY_UNITS` is accepted.

    Raises
    ------
    ValueError
        If it is not text, has no or an unknown unit, is no finite number, or is negative.
    """
    return _not_negative(_quantity(value, INTENSITY_UNITS, "intensity"), value, "intensity")


def luminance(value: object) -> float:
    """Luminance in cd/m² from text such as ``"0.3 cd/m²"``; not negative.

    Parameters
    ----------
    value : object
        What stands in the file; only text with a unit of :data:`LUMINANCE_UNITS` is accepted.

    Raises
    ------
    ValueError
        If it is not text, has no or an unknown unit, is no finite number, or is negative.
    """
    return _not_negative(_quantity(value, LUMINANCE_UNITS, "luminance"), value, "luminance")


def share(value: object) -> float:
    """Share from 0 to 1 from ``"99 %"`` or ``0.99``.

    Parameters
    ----------
    value : object
        Text with a per cent sign, or a number from 0 to 1.

    Raises
    ------
    ValueError
        If it is neither, or lies outside 0 to 1 (0 % to 100 %).
    """
    if isinstance(value, str):
        match = _QUANTITY.fullmatch(_plain(value))
        if match is None or match["unit"] != "%":
            raise ValueError(f'{value!r} is no share; write "99 %" or 0.99 (without quotes)')
        found = _finite(Decimal(match["number"]) / 100, value)
        if not 0.0 <= found <= 1.0:
            raise ValueError(f"{value!r} is no share; take one from 0 % to 100 %")
        return found
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f'{value!r} is no share; write "99 %" or 0.99')
    if 1.0 < value <= 100.0:
        raise ValueError(f'{value:g} is no share; write "{value:g} %" or {value / 100:g}')
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{value:g} is no share; take one from 0 to 1")
    return float(value)


def _quantity(value: object, units: Mapping[str, Decimal], noun: str) -> float:
    """Parse text of the form "number unit" with one of the given units; the first is SI's."""
    first = next(iter(units))
    known = ", ".join(units)
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f'{value:g} has no unit; write "{value:g} {first}"')
    if not isinstance(value, str):
        raise ValueError(f'{value!r} is no {noun}; write it as text, e.g. "100 {first}"')
    text = _plain(value)
    match = _QUANTITY.fullmatch(text)
    if match is None:
        if _COMMA.match(text):
            raise ValueError(
                f"{value!r} has a comma; write a decimal point and no mark between thousands"
            )
        raise ValueError(f'{value!r} is no {noun}; write a number and a unit, e.g. "100 {first}"')
    number, unit = match["number"], match["unit"]
    if unit is None:
        raise ValueError(f'{value!r} has no unit; write "{number} {first}"')
    if unit not in units:
        raise ValueError(f"{value!r}: the unit '{unit}' is no unit of {noun}; take one of {known}")
    return _finite(Decimal(number) * units[unit], value)


def quantity(value: object, units: Mapping[str, str], noun: str, example: str) -> float:
    """Quantity of a schema with units of its own.

    Parameters
    ----------
    value : object
        What stands in the file.
    units : mapping
        SI value of each unit, as decimal text; the first is the one that messages propose.
    noun : str
        What it is, for messages.
    example : str
        A number, for messages.

    Raises
    ------
    ValueError
        If it is not text, has no or an unknown unit, or is no finite number.
    """
    known = {unit: Decimal(size) for unit, size in units.items()}
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        first = next(iter(units))
        raise ValueError(f'{value!r} is no {noun}; write it as text, e.g. "{example} {first}"')
    return _quantity(value, known, noun)


def quantity_schema(
    noun: str, units: Mapping[str, str], example: str, *, words: tuple[str, ...] = ()
) -> WithJsonSchema:
    """JSON Schema of a quantity with units of its own; ``words`` are accepted besides."""
    made = _json(noun, {unit: Decimal(1) for unit in units}, example)
    schema = dict(made.json_schema or {})
    if words:
        schema["pattern"] = f"{schema['pattern']}|^({'|'.join(words)})$"
    return WithJsonSchema(schema)


def _plain(text: str) -> str:
    """Text with a typographic minus as a plain one."""
    return text.replace("\N{MINUS SIGN}", "-")


def _finite(number: Decimal, value: object) -> float:
    found = float(number)
    if not math.isfinite(found):
        raise ValueError(f"{value!r} is too large; write a smaller number")
    return found


def _not_negative(number: float, value: object, noun: str) -> float:
    if number < 0:
        raise ValueError(f"{value!r}: a {noun} cannot be negative; leave the sign out")
    return number


def _json(noun: str, units: Mapping[str, Decimal], example: str) -> WithJsonSchema:
    """JSON Schema of a quantity: text that matches "number unit"."""
    alternatives = "|".join(re.escape(unit) for unit in units)
    schema: dict[str, Any] = {
        "type": "string",
        "pattern": rf"^\s*{_NUMBER}\s*({alternatives})\s*$",
        "examples": [example],
        "description": f"A {noun} with its unit: {', '.join(units)}.",
    }
    return WithJsonSchema(schema)


Length = Annotated[float, BeforeValidator(length), _json("length", LENGTH_UNITS, "100 m")]
"""Metres, from text such as ``"100 m"``."""
Angle = Annotated[float, BeforeValidator(angle), _json("angle", ANGLE_UNITS, "12 deg")]
"""Degrees, from text such as ``"12 deg"``."""
Duration = Annotated[float, BeforeValidator(duration), _json("duration", DURATION_UNITS, "90 s")]
"""Seconds, from text such as ``"2 min"``."""
Speed = Annotated[float, BeforeValidator(speed), _json("speed", SPEED_UNITS, "1.4 m/s")]
"""Metres a second, from text such as ``"5 km/h"``."""
Power = Annotated[float, BeforeValidator(power), _json("power", POWER_UNITS, "25 W")]
"""Watts, from text such as ``"25 W"``."""
Illuminance = Annotated[
    float, BeforeValidator(illuminance), _json("illuminance", ILLUMINANCE_UNITS, "2 lx")
]
"""Lux, from text such as ``"2 lx"``."""
Intensity = Annotated[
    float, BeforeValidator(intensity), _json("luminous intensity", INTENSITY_UNITS, "2.5 kcd")
]
"""Candelas, from text such as ``"2.5 kcd"``."""
Luminance = Annotated[
    float, BeforeValidator(luminance), _json("luminance", LUMINANCE_UNITS, "0.3 cd/m²")
]
"""Candelas a square metre, from text such as ``"0.3 cd/m²"``."""
Share = Annotated[
    float,
    BeforeValidator(share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": rf"^\s*{_NUMBER}\s*%\s*$"},
            ],
            "examples": ["99 %", 0.99],
            "description": 'A share: "99 %" or 0.99.',
        }
    ),
]
"""A share from 0 to 1, from ``"99 %"`` or ``0.99``."""
