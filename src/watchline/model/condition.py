"""Condition: the light and the air under which a requirement must hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Air = Literal["rural", "maritime", "advection fog", "radiation fog"]
DAYLIGHT_LX = 1_000.0
"""Ambient light from which lamps are not counted, and light beyond which theirs counts no more."""


@dataclass(frozen=True)
class Condition:
    """Light, air and target of one condition.

    Attributes
    ----------
    name : str
        Its name, as requirements and claims write it.
    ambient_lx : float
        Illuminance on the target by sky, sun and moon, lamps left aside.
    visibility_m : float
        Visibility V; infinite for perfectly clear air.
    contrast_left : float
        Share of the contrast that is left at V: 0.02 (Koschmieder) or 0.05 (MOR).
    lamps : bool
        Whether the planned luminaires burn; where they do, their light adds to ``ambient_lx``.
    air : {"rural", "maritime", "advection fog", "radiation fog"}
        Particles in the air, which say what thermal cameras lose.
    temperature_c, humidity : float
        Air temperature and relative humidity (0–1): water vapour for thermal cameras.
    difference_k : float
        Temperature difference between a target and what lies behind it.
    contrast : float
        Inherent contrast of a target against its background in visible and near infrared light.
    reflectance : float
        Diffuse reflectance of a target.
    """

    name: str
    ambient_lx: float
    visibility_m: float
    contrast_left: float = 0.02
    lamps: bool = True
    air: Air = "rural"
    temperature_c: float = 15.0
    humidity: float = 0.6
    difference_k: float = 2.0
    contrast: float = 0.3
    reflectance: float = 0.2

    @property
    def extinction_per_m(self) -> float:
        """Extinction of visible light, ``ln(1/ε) / V`` [1/m]."""
        return math.log(1.0 / self.contrast_left) / self.visibility_m

    @property
    def by_lamps(self) -> bool:
        """Whether the planned luminaires burn and it is dark enough for their light to count."""
        return self.lamps and self.ambient_lx < DAYLIGHT_LX


DAY = Condition("day", ambient_lx=10_000.0, visibility_m=20_000.0)
"""An overcast day in clear air: what requirements mean that name no condition."""
