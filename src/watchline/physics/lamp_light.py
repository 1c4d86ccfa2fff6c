"""Lamp light on a person, by the side from which a camera looks at him.

A camera sees the side that is turned to it. What counts is therefore the vertical illuminance of a
plane that faces the camera. The directions round a target are cut into equal sectors. A lamp at
the bearing β gives a vertical plane that faces the bearing φ the share ``max(0, cos(φ − β))`` of
what one that faces the lamp has; over a sector, which is narrower than half a circle, the least of
that is at one of its two ends. Sums of these least shares are therefore at most the illuminance of
a plane that faces *any* direction of the sector, whatever lamps there are: the safe side.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from watchline.model.condition import Condition

FloatArray = npt.NDArray[np.float64]
LampLight = Callable[[FloatArray, FloatArray, float, float], FloatArray]
"""Least illuminance by the planned lamps [lx], float64 [n, sectors]: of vertical planes at places
(x, y) and a height above the ground [m], through air of an extinction [1/m]. NaN is unknown."""
CHEST_M = 1.5
"""Height at which light falls on a person who stands; on a lower target at its top."""
LAMP_REACH_M = 300.0
"""Lamps farther from a target than this count as none."""


def lit_height_m(target_height_m: float) -> float:
    """Height above the ground at which the light on a target counts [m]."""
    return min(CHEST_M, target_height_m)


def sector_shares(bearing_rad: FloatArray, sectors: int) -> FloatArray:
    """Least share of a lamp's level light in every sector, float64 [n, sectors].

    Parameters
    ----------
    bearing_rad : float64 array [n]
        Bearing of the lamp from the target, clockwise from north.
    sectors : int
        Number of sectors, at least 3; sector k begins at the bearing ``2π k / sectors``.
    """
    edges = 2.0 * np.pi * np.arange(sectors) / sectors
    share = np.maximum(np.cos(edges[None, :] - np.asarray(bearing_rad)[:, None]), 0.0)
    return np.minimum(share, np.roll(share, -1, axis=1))


def sector_of(bearing_rad: FloatArray, sectors: int) -> npt.NDArray[np.int64]:
    """Sector in which a bearing lies, int64 [n]."""
    turns = np.mod(np.asarray(bearing_rad) / (2.0 * np.pi), 1.0)
    return np.minimum((turns * sectors).astype(np.int64), sectors - 1)


def lamp_table(
    lamps: LampLight | None,
    condition: Condition,
    target_height_m: float,
    x: FloatArray,
    y: FloatArray,
) -> FloatArray:
    """Light of planned lamps on a target under a condition, float64 [n, sectors] or zeros [n, 1].

    Parameters
    ----------
    lamps : callable or None
        The lamps' light; None, or a condition under which it does not count, gives zeros.
    condition : Condition
        Light and air.
    target_height_m : float
        Height of the target's top above the ground.
    x, y : float64 array [n]
        Places.
    """
    if lamps is None or not condition.by_lamps:
        return np.zeros((len(x), 1))
    found = lamps(x, y, lit_height_m(target_height_m), condition.extinction_per_m)
    return np.nan_to_num(found.reshape(len(x), -1))
