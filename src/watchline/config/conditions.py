"""Schema of ``[[conditions]]`` in ``project.toml``, and the conditions that ship.

A condition of the project that has the name of a standard one starts from it; another one starts
from the standard one that ``like`` names (``day`` where it names none).

Sources of the standard figures: fog is a visibility below 1 km and haze one of 1 to 5 km (WMO,
International Cloud Atlas, hydrometeors and lithometeors); 20 km is what the catalogue's ranges of
visible cameras assume; a moonless clear night has about 0.001 lx, one with a quarter moon 0.01 lx,
an overcast day 1,000 to 10,000 lx (customary tables of illuminance, from memory). Temperature,
humidity, contrast and reflectance are assumptions; 2 K between target and background is the
customary figure of STANAG 4347 (from memory).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from watchline.config.units import LENGTH_UNITS, Illuminance, Quantity, Share
from watchline.model.condition import DAY, Air, Condition

FOG_BELOW_M = 1000.0
"""Visibility below which particles are taken as those of fog, unless the project says which."""

STANDARD: Mapping[str, Condition] = MappingProxyType(
    {
        condition.name: condition
        for condition in (
            DAY,
            replace(DAY, name="night", ambient_lx=0.01),
            replace(DAY, name="night without lamps", ambient_lx=0.01, lamps=False),
            replace(DAY, name="haze", visibility_m=5_000.0),
            replace(
                DAY,
                name="fog",
                ambient_lx=1_000.0,
                visibility_m=500.0,
                air="advection fog",
                temperature_c=10.0,
                humidity=1.0,
            ),
            replace(
                DAY,
                name="night fog",
                ambient_lx=0.01,
                visibility_m=500.0,
                air="advection fog",
                temperature_c=10.0,
                humidity=1.0,
            ),
        )
    }
)
"""The conditions that every project has, by name."""

Temperature = Annotated[
    float,
    Quantity("temperature", {"degC": Decimal(1), "°C": Decimal(1)}, "15 degC", signed=True),
]
Difference = Annotated[
    float,
    Quantity(
        "temperature difference",
        {"K": Decimal(1), "mK": Decimal("0.001")},
        "2 K",
        signed=True,
    ),
]
Visibility = Annotated[
    float,
    Quantity(
        "visibility",
        {unit: LENGTH_UNITS[unit] for unit in ("m", "km", "mi")},
        "500 m",
        words={"unlimited": math.inf},
    ),
]


class ConditionTable(BaseModel):
    """A condition: light, air and target. Keys that are left out keep the standard's value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        min_length=1,
        max_length=40,
        pattern=r"^[^\x00-\x1f/\\,]+$",
        description="Its name; a standard one's name changes that one.",
    )
    like: str | None = Field(
        None, description="Standard condition that it starts from (default: day)."
    )
    ambient: Illuminance | None = Field(
        None, description="Illuminance on the target without lamps, by sky, sun and moon."
    )
    visibility: Visibility | None = Field(
        None, gt=0, description='Meteorological visibility, or "unlimited".'
    )
    visibility_means: Literal["koschmieder", "mor"] | None = Field(
        None,
        description="koschmieder: 2 % of the contrast is left at it (default); mor: 5 %, the "
        "meteorological optical range that sensors at airports report.",
    )
    lamps: bool | None = Field(None, description="Whether the planned luminaires burn.")
    air: Air | None = Field(
        None,
        description="Particles, for thermal cameras: rural, maritime, advection fog or radiation "
        "fog (default: advection fog below 1 km of visibility, else rural).",
    )
    temperature: Temperature | None = Field(None, ge=-60, le=60, description="Of the air.")
    humidity: Share | None = Field(None, description="Relative humidity.")
    target_difference: Difference | None = Field(
        None, ge=0, description="Temperature difference of a target to what lies behind it."
    )
    target_contrast: float | None = Field(
        None, gt=0, le=1, description="Inherent contrast of a target, 0 to 1."
    )
    target_reflectance: float | None = Field(
        None, gt=0, le=1, description="Diffuse reflectance of a target, 0 to 1."
    )

    @model_validator(mode="after")
    def _one_start(self) -> ConditionTable:
        if self.like is not None and self.name in STANDARD:
            raise ValueError(
                f"'{self.name}' is a standard condition and starts from itself; "
                "leave like out, or give it another name"
            )
        if self.like is not None and self.like not in STANDARD:
            raise ValueError(
                f"like: '{self.like}' is no standard condition; take one of: " + ", ".join(STANDARD)
            )
        return self


def to_condition(table: ConditionTable) -> Condition:
    """Condition of a table, on the standard one that it starts from."""
    base = STANDARD[table.name if table.name in STANDARD else table.like or "day"]
    given: dict[str, Any] = {
        "ambient_lx": table.ambient,
        "visibility_m": table.visibility,
        "contrast_left": {"koschmieder": 0.02, "mor": 0.05, None: None}[table.visibility_means],
        "lamps": table.lamps,
        "air": table.air,
        "temperature_c": table.temperature,
        "humidity": table.humidity,
        "difference_k": table.target_difference,
        "contrast": table.target_contrast,
        "reflectance": table.target_reflectance,
    }
    if table.visibility is not None and table.air is None:
        foggy = table.visibility < FOG_BELOW_M
        if foggy != (base.visibility_m < FOG_BELOW_M):
            given["air"] = "advection fog" if foggy else "rural"
    changes = {key: value for key, value in given.items() if value is not None}
    return replace(base, name=table.name, **changes)


def all_conditions(tables: Sequence[ConditionTable]) -> dict[str, Condition]:
    """The standard conditions with those of a project laid over them, by name."""
    own = [to_condition(table) for table in tables]
    return {**STANDARD, **{condition.name: condition for condition in own}}
