"""Thermal infrared (8–14 µm) through air: particles by model and visibility, and water vapour.

Particles lose a share of what they take from visible light; the share depends on their size. It is
taken from the models of LOWTRAN 7 (Kneizys et al. 1988, AFGL-TR-88-0177, after Shettle and Fenn
1979, AFGL-TR-79-0214), averaged over 8–14 µm. Large droplets (advection fog) take as much as of
visible light or a little more, small ones (radiation fog) a third, dry haze a twelfth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from watchline.model.condition import Air, Condition

THERMAL_SHARE: Mapping[Air, float] = MappingProxyType(
    {"rural": 0.084, "maritime": 0.210, "advection fog": 1.107, "radiation fog": 0.351}
)
"""Extinction at 8–14 µm over that at 0.55 µm: means over the band of the tables of LOWTRAN 7, rural
and maritime at 80 % relative humidity, advection fog of V = 200 m, radiation fog of V = 500 m."""

CONTINUUM = (4.18, 5578.0, 7.87e-3)
"""a, b [g⁻¹ cm² atm⁻¹] and β [cm] of the water vapour continuum at 296 K, ``a + b e^(−βν)``
(Roberts, Selby and Biberman, Appl. Opt. 15, 2085, 1976; from memory)."""
FOREIGN = 0.002
"""Broadening by air over that by vapour itself (same source)."""
BAND_PER_CM = (1e4 / 14.0, 1e4 / 8.0)


def saturation_pressure_pa(temperature_c: float) -> float:
    """Saturation pressure of water vapour [Pa], Magnus formula (WMO-No. 8, −45 to 60 °C)."""
    return 611.2 * math.exp(17.62 * temperature_c / (243.12 + temperature_c))


def vapour_extinction_per_m(
    temperature_c: float, humidity: float, pressure_pa: float = 101_325.0
) -> float:
    """Extinction of water vapour's continuum at 8–14 µm [1/m].

    ``C · w · (p_w + 0.002 (p − p_w))`` with the density w and the pressure p_w of the vapour and
    ``C`` the band's mean of :data:`CONTINUUM`, times ``e^(1800/T − 1800/296)``. The lines of vapour
    and carbon dioxide are left out: they take some hundredths a kilometre more.

    Parameters
    ----------
    temperature_c, humidity : float
        Air temperature [°C] and relative humidity, 0–1.
    pressure_pa : float
        Air pressure [Pa].
    """
    kelvin = temperature_c + 273.15
    vapour_pa = humidity * saturation_pressure_pa(temperature_c)
    density_g_cm3 = vapour_pa * 18.015 / (8.314_462 * kelvin) * 1e-6
    a, b, beta = CONTINUUM
    low, high = BAND_PER_CM
    mean = a + b / (beta * (high - low)) * (math.exp(-beta * low) - math.exp(-beta * high))
    mean *= math.exp(1800.0 / kelvin - 1800.0 / 296.0)
    atmospheres = (vapour_pa + FOREIGN * (pressure_pa - vapour_pa)) / 101_325.0
    return mean * density_g_cm3 * atmospheres * 100.0


def thermal_extinction_per_m(condition: Condition) -> float:
    """Extinction at 8–14 µm under a condition [1/m]: particles and water vapour.

    Parameters
    ----------
    condition : Condition
        Its visibility, air, temperature and humidity are used.
    """
    particles = THERMAL_SHARE[condition.air] * condition.extinction_per_m
    return particles + vapour_extinction_per_m(condition.temperature_c, condition.humidity)
