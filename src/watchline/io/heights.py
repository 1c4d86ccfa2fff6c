"""From what a raster stores to heights in metres: no-data, units, limits, each with a note.

Nothing is guessed in silence: a value that no place on Earth can have is unknown, and the note
says which one it was; a value that the file and the project contradict each other about is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from watchline.errors import TerrainError
from watchline.io.raster import METRES_PER, UNIT_NAMES, HeightUnit, Raster

SENTINELS = (-9999.0, -32768.0, -32767.0, 32767.0, -99999.0)
"""Values that mean "no data" by custom; as a height in metres only the first could exist, on a
few square metres of deep-sea trench."""

LOWEST_M = -11_100.0
HIGHEST_M = 9_000.0
"""Beyond the Challenger Deep and Mount Everest there is no ground."""

TALLEST_M = 900.0
"""No building or tree is taller than 830 m; more says that the raster holds a whole surface."""

NOISE_BELOW_GROUND_M = 2.0
"""Heights above ground may be this far below zero through noise; lower ones are no such heights."""

HeightArray = npt.NDArray[np.float32]


@dataclass
class GroundReader:
    """Makes heights above the datum of what a raster of ground or surface stores.

    Attributes
    ----------
    unit : {"m", "ft", "us-ft"}
        Unit of the stored heights.
    unknown : float or None
        Value that means "unknown" by the project (``terrain.nodata``).
    clamp_below_m : float or None
        Heights below are raised to it. Nodes are raised before anything is interpolated: a deep
        sea floor would else pull the shore down with it.
    sentinels : set of float
        Undeclared values that were taken as unknown.
    lowest_m : float
        Lowest height that was raised.
    """

    unit: HeightUnit
    unknown: float | None
    clamp_below_m: float | None
    sentinels: set[float] = field(default_factory=set)
    lowest_m: float = np.inf

    def __call__(self, raw: HeightArray, stored: HeightArray) -> HeightArray:
        """Heights in metres, NaN = unknown, of the stored values of a window."""
        heights = in_metres(stored, self.unit)
        if self.unknown is not None:
            heights[raw == np.float32(self.unknown)] = np.nan
        forget(heights, raw, LOWEST_M, HIGHEST_M, self.sentinels)
        if self.clamp_below_m is not None:
            low = heights < self.clamp_below_m
            if low.any():
                self.lowest_m = min(self.lowest_m, float(heights[low].min()))
                heights[low] = self.clamp_below_m
        return heights

    def notes(self, raster: Raster) -> list[str]:
        """What was done, in sentences."""
        notes = sentinel_note(self.sentinels, raster.path)
        if self.unknown is not None:
            notes.append(
                f"Places of {raster.path.name} that hold {self.unknown:g} are unknown, as the "
                "project says."
            )
        if np.isfinite(self.lowest_m):
            notes.append(
                f"Heights of {raster.path.name} below {self.clamp_below_m:g} m (the lowest: "
                f"{self.lowest_m:.0f} m) were raised to it before interpolation."
            )
        return notes + unit_note(self.unit, raster)


@dataclass
class StandingReader:
    """Makes heights above the ground of what a raster of buildings or vegetation stores.

    Attributes
    ----------
    unit : {"m", "ft", "us-ft"}
        Unit of the stored heights.
    where : str
        Place in messages.
    zero_is_nodata : bool
        The file declares 0 as no-data. In heights above the ground 0 is how "nothing stands
        here" is written, so it is kept.
    sentinels : set of float
        Undeclared values that were taken as unknown.
    lowest_m : float
        Lowest negative height that was raised to 0.
    """

    unit: HeightUnit
    where: str
    zero_is_nodata: bool
    sentinels: set[float] = field(default_factory=set)
    lowest_m: float = 0.0

    def __call__(self, raw: HeightArray, stored: HeightArray) -> HeightArray:
        """Heights above the ground in metres, NaN = unknown, of the stored values of a window.

        Raises
        ------
        TerrainError
            If the values cannot be heights above the ground.
        """
        heights = in_metres(stored, self.unit)
        forget(heights, raw, LOWEST_M, HIGHEST_M, self.sentinels)
        if self.zero_is_nodata:
            heights[raw == 0] = 0.0
        low, high = _extremes(heights)
        if low < -NOISE_BELOW_GROUND_M or high > TALLEST_M:
            raise TerrainError(
                f"it holds {low if low < -NOISE_BELOW_GROUND_M else high:.1f} m, which is no "
                "height of a thing above the ground",
                where=self.where,
                mend="give heights above the ground, or a whole surface as terrain.surface",
            )
        self.lowest_m = min(self.lowest_m, low)
        np.maximum(heights, 0.0, out=heights)  # NaN stays NaN
        return heights

    def notes(self, raster: Raster) -> list[str]:
        """What was done, in sentences."""
        notes = sentinel_note(self.sentinels, raster.path)
        if self.lowest_m < 0:
            notes.append(
                f"Negative heights of {raster.path.name} (to {self.lowest_m:.1f} m) were taken "
                "as 0."
            )
        if self.zero_is_nodata:
            notes.append(
                f"{raster.path.name} declares 0 as no-data; in heights above the ground it is "
                "taken to mean that nothing stands there."
            )
        return notes + unit_note(self.unit, raster)


def agreed_unit(raster: Raster, unit: HeightUnit) -> HeightUnit:
    """Unit of a raster's heights, on which file and project must agree.

    Raises
    ------
    TerrainError
        If the file declares another unit than the project.
    """
    if raster.unit is not None and raster.unit != unit:
        raise TerrainError(
            f"it declares its heights in {UNIT_NAMES[raster.unit]}, and the project reads them "
            f"as {UNIT_NAMES[unit]}",
            where=raster.where,
            mend=f'write unit = "{raster.unit}" under [terrain]',
        )
    return unit


def in_metres(stored: HeightArray, unit: HeightUnit) -> HeightArray:
    """A copy of heights, in metres."""
    if unit == "m":
        return stored.copy()
    return (stored.astype(np.float64) * METRES_PER[unit]).astype(np.float32)


def forget(
    heights: HeightArray, raw: HeightArray, lowest_m: float, highest_m: float, found: set[float]
) -> None:
    """Make values unknown that can be no heights, in place.

    Parameters
    ----------
    heights : float32 array
        Heights in metres; changed.
    raw : float32 array
        The values as stored, of the same shape.
    lowest_m, highest_m : float
        Limits of what can be a height.
    found : set of float
        Takes the stored values that were made unknown.
    """
    with np.errstate(invalid="ignore"):
        bad = (heights < lowest_m) | (heights > highest_m) | np.isin(raw, np.float32(SENTINELS))
    bad &= ~np.isnan(heights)
    if bad.any():
        values, counts = np.unique(raw[bad], return_counts=True)
        found.update(float(value) for value in values[np.argsort(-counts)[:5]])
        heights[bad] = np.nan


def sentinel_note(found: set[float], path: Path) -> list[str]:
    """The sentence about undeclared no-data values, where there were any."""
    if not found:
        return []
    values = ", ".join(f"{value:.6g}" for value in sorted(found)[:5])
    return [
        f"Places of {path.name} that hold {values} are unknown: no place has such a height, though "
        "the file does not declare it as no-data."
    ]


def unit_note(unit: HeightUnit, raster: Raster) -> list[str]:
    """The sentence about converted units, where there were any."""
    if unit == "m":
        return []
    says = "the file and the project say" if raster.unit else "the project says"
    return [
        f"Heights of {raster.path.name} are {UNIT_NAMES[unit]}, as {says}, and were converted to "
        f"metres (1 = {METRES_PER[unit]:.7f} m)."
    ]


def _extremes(heights: HeightArray) -> tuple[float, float]:
    """Least and greatest known height; 0, 0 where nothing is known."""
    known = heights[~np.isnan(heights)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
