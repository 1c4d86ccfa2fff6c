"""Quantities written as text, parsed once into SI floats.

People write ``"100 m"``, ``"0.5 mi"``, ``"12 deg"``, ``"99 %"``; the code holds metres, degrees and
shares from 0 to 1. A bare number where a unit is needed is refused, because 300 could be metres or
feet and nobody would notice.

A :class:`Quantity` is one kind of them. It raises :class:`ValueError` with a message of the form
"what; mend", so that pydantic collects it with the file's other faults. The types :data:`Length`,
:data:`Angle`, :data:`Share`, :data:`Duration`, :data:`Speed`, :data:`Power`, :data:`Illuminance`,
:data:`Intensity` and :data:`Luminance` are what schemas use.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import core_schema

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


@dataclass(frozen=True, eq=False)  # the tables of units have no hash
class Quantity:
    """One kind of quantity: how its text is read, and the JSON Schema of that text.

    It is metadata of a type: ``Annotated[float, Quantity(...)]``.

    Parameters
    ----------
    noun : str
        What it is, for messages.
    units : mapping
        SI value of each unit; the first is the one that messages propose.
    example : str
        Text that is accepted, such as ``"100 m"``; its number stands in messages too.
    signed : bool
        Whether it may be negative.
    words : mapping
        Words that are accepted instead, with their values.
    """

    noun: str
    units: Mapping[str, Decimal]
    example: str
    signed: bool = False
    words: Mapping[str, float] = field(default_factory=dict)

    def parse(self, value: object) -> float:
        """Read text of the form "number unit" into SI.

        Parameters
        ----------
        value : object
            What stands in the file; only text with one of the units, or one of the words.

        Raises
        ------
        ValueError
            If it is not text, has no or an unknown unit, is no finite number, or is negative where
            that makes no sense.
        """
        if isinstance(value, str) and value in self.words:
            return self.words[value]
        number = self._number(value)
        if number < 0 and not self.signed:
            raise ValueError(f"{value!r}: a {self.noun} cannot be negative; leave the sign out")
        return number

    def _number(self, value: object) -> float:
        noun, first = self.noun, next(iter(self.units))
        example = f"{self.example.split()[0]} {first}"
        if isinstance(value, int | float) and not isinstance(value, bool):
            raise ValueError(f'{value:g} has no unit; write "{value:g} {first}"')
        if not isinstance(value, str):
            raise ValueError(f'{value!r} is no {noun}; write it as text, e.g. "{example}"')
        text = _plain(value)
        match = _QUANTITY.fullmatch(text)
        if match is None:
            if _COMMA.match(text):
                raise ValueError(
                    f"{value!r} has a comma; write a decimal point and no mark between thousands"
                )
            raise ValueError(f'{value!r} is no {noun}; write a number and a unit, e.g. "{example}"')
        number, unit = match["number"], match["unit"]
        if unit is None:
            raise ValueError(f'{value!r} has no unit; write "{number} {first}"')
        if unit not in self.units:
            known = ", ".join(self.units)
            raise ValueError(
                f"{value!r}: the unit '{unit}' is no unit of {noun}; take one of {known}"
            )
        return _finite(Decimal(number) * self.units[unit], value)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Parse before pydantic looks at limits."""
        return core_schema.no_info_before_validator_function(self.parse, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Text that matches "number unit", or one of the words."""
        alternatives = "|".join(re.escape(unit) for unit in self.units)
        pattern = rf"^\s*{_NUMBER}\s*({alternatives})\s*$"
        if self.words:
            pattern = f"{pattern}|^({'|'.join(self.words)})$"
        return {
            "type": "string",
            "pattern": pattern,
            "examples": [self.example],
            "description": f"A {self.noun} with its unit: {', '.join(self.units)}.",
        }


LENGTH = Quantity("length", LENGTH_UNITS, "100 m", signed=True)
ANGLE = Quantity("angle", ANGLE_UNITS, "12 deg", signed=True)
DURATION = Quantity("duration", DURATION_UNITS, "90 s")
SPEED = Quantity("speed", SPEED_UNITS, "1.4 m/s")
POWER = Quantity("power", POWER_UNITS, "25 W")
ILLUMINANCE = Quantity("illuminance", ILLUMINANCE_UNITS, "2 lx")
INTENSITY = Quantity("luminous intensity", INTENSITY_UNITS, "2.5 kcd")
LUMINANCE = Quantity("luminance", LUMINANCE_UNITS, "0.3 cd/m²")


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


def _plain(text: str) -> str:
    """Text with a typographic minus as a plain one."""
    return text.replace("\N{MINUS SIGN}", "-")


def _finite(number: Decimal, value: object) -> float:
    found = float(number)
    if not math.isfinite(found):
        raise ValueError(f"{value!r} is too large; write a smaller number")
    return found


Length = Annotated[float, LENGTH]
"""Metres, from text such as ``"100 m"``."""
Angle = Annotated[float, ANGLE]
"""Degrees, from text such as ``"12 deg"``."""
Duration = Annotated[float, DURATION]
"""Seconds, from text such as ``"2 min"``."""
Speed = Annotated[float, SPEED]
"""Metres a second, from text such as ``"5 km/h"``."""
Power = Annotated[float, POWER]
"""Watts, from text such as ``"25 W"``."""
Illuminance = Annotated[float, ILLUMINANCE]
"""Lux, from text such as ``"2 lx"``."""
Intensity = Annotated[float, INTENSITY]
"""Candelas, from text such as ``"2.5 kcd"``."""
Luminance = Annotated[float, LUMINANCE]
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
