"""EULUMDAT files (.ldt), as plain text to a Photometry.

Source: the description of the format by Axel Stockmar (1990) as reprinted in public manuals. One
value a line; intensities are in cd per 1000 lm of the lamps. A set's flux is that of all its
lamps, so the number of lamps does not multiply; several sets burn together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchline.config import photometric_words as words
from watchline.config.photometric_words import fault
from watchline.model.photometry import Photometry

FloatArray = npt.NDArray[np.float64]
LAMP_SETS_AT = 25
LAMP_LINES = 6
MOST_SETS = 20
RATIOS = 10


@dataclass
class _Lines:
    """The lines of a file, one value each, taken by their number."""

    lines: Sequence[str]
    where: str

    def text(self, at: int, what: str) -> str:
        """The line at an index from 0."""
        if at >= len(self.lines):
            raise fault(f"the file ends before {what}", self.where, max(len(self.lines), 1))
        return self.lines[at].strip(" \t\r\x1a\x00")

    def number(self, at: int, what: str) -> float:
        """A number, with a decimal point or comma."""
        return words.number(self.text(at, what).replace(",", "."), what, self.where, at + 1)

    def optional(self, at: int, what: str) -> float:
        """A number, or 0 where the line is empty."""
        return self.number(at, what) if self.text(at, what) else 0.0

    def count(self, at: int, what: str, least: int, most: int) -> int:
        """A whole number."""
        text = self.text(at, what).replace(",", ".")
        return words.count(text, what, self.where, at + 1, least, most)

    def many(self, at: int, how_many: int, what: str) -> tuple[FloatArray, list[int]]:
        """Numbers on successive lines, and their line numbers."""
        if at + how_many > len(self.lines):
            left = max(len(self.lines) - at, 0)
            raise fault(
                f"the file ends after {left} of {how_many} {what}",
                self.where,
                max(len(self.lines), 1),
            )
        values = [self.number(at + k, f"one of the {what}") for k in range(how_many)]
        return np.array(values), [at + k + 1 for k in range(how_many)]


def parse_eulumdat(text: str, where: str) -> Photometry:
    """Read an EULUMDAT file's text.

    Parameters
    ----------
    text : str
        The whole file.
    where : str
        Its name, for errors.

    Returns
    -------
    Photometry

    Raises
    ------
    PhotometryError
        With the line and what is wrong there.
    """
    file = _Lines(text.split("\n"), where)
    symmetry = file.count(2, "the symmetry (Isym)", 0, 4)
    planes = file.count(3, "the number of C planes (Mc)", 1, words.MOST_ANGLES)
    angles = file.count(5, "the number of γ angles (Ng)", 2, words.MOST_ANGLES)
    _check_symmetry(symmetry, planes, where)
    size = [max(file.optional(15 + k, "the luminous area"), 0.0) / 1000 for k in range(2)]
    height = max(file.optional(17 + k, "the luminous height") for k in range(4)) / 1000
    declared = file.optional(22, "the light output ratio (LORL)")
    factor = file.number(23, "the conversion factor")
    sets = file.count(LAMP_SETS_AT, "the number of lamp sets", 1, MOST_SETS)
    flux, power, absolute, lamp = _lamps(file, sets)
    at = LAMP_SETS_AT + 1 + LAMP_LINES * sets + RATIOS
    azimuth, lines = file.many(at, planes, "C angles")
    words.check_ascending(azimuth, lines, "C angle", where)
    words.check_range(azimuth, lines, 0, 360, "C angle", where)
    polar, lines = file.many(at + planes, angles, "γ angles")
    words.check_ascending(polar, lines, "γ angle", where)
    words.check_range(polar, lines, 0, 180, "γ angle", where)
    first, stored = _stored_planes(symmetry, planes)
    values, lines = file.many(at + planes + angles, stored * angles, "intensities")
    words.check_intensities(values, lines, where)
    if not factor * flux > 0:
        raise fault(
            f"lamp flux {flux:g} lm times conversion factor {factor:g} is not above zero", where, 24
        )
    table = words.scaled(values.reshape(stored, angles), factor * flux / 1000.0, where, 24)
    azimuth, table = _expanded(symmetry, azimuth, table, first, where)
    azimuth, table, closed = words.closed_circle(azimuth, table)
    warnings = words.plane_warnings(azimuth, closed, symmetry == 1, "C")
    ratio_known = declared > 0
    return Photometry(
        name=file.text(8, "the luminaire's name"),
        maker=file.text(0, "the maker").lstrip("\ufeff"),
        number=file.text(9, "the luminaire's number"),
        lamp=lamp,
        format="EULUMDAT",
        type="C",
        azimuth_deg=azimuth,
        polar_deg=polar,
        intensity_cd=table,
        closed=closed,
        lamp_flux_lm=math.nan if absolute else flux,
        declared_flux_lm=flux * declared / 100.0 if ratio_known else math.nan,
        power_w=max(power, 0.0),
        # The length lies along C 90°, across the C 0° plane; a width of 0 is a round area.
        size_m=(size[1] or size[0], size[0], max(height, 0.0)),
        tilt_deg=np.zeros(0),
        tilt_factor=np.zeros(0),
        warnings=tuple(warnings),
    )


def _check_symmetry(symmetry: int, planes: int, where: str) -> None:
    parts = {0: 1, 1: 1, 2: 2, 3: 4, 4: 4}[symmetry]
    if planes % parts:
        raise fault(
            f"{planes} C planes cannot have the symmetry Isym = {symmetry}, "
            f"which needs a multiple of {parts}",
            where,
            4,
        )


def _stored_planes(symmetry: int, planes: int) -> tuple[int, int]:
    """Index of the first plane whose intensities are stored, and how many are."""
    if symmetry == 1:
        return 0, 1
    if symmetry == 2:
        return 0, planes // 2 + 1
    if symmetry == 3:
        return 3 * planes // 4, planes // 2 + 1
    if symmetry == 4:
        return 0, planes // 4 + 1
    return 0, planes


def _lamps(file: _Lines, sets: int) -> tuple[float, float, bool, str]:
    """Flux [lm] and power [W] of all sets, whether measured absolutely, and the lamps' names."""
    flux = power = 0.0
    absolute = False
    names = []
    for k in range(sets):
        at = LAMP_SETS_AT + 1 + LAMP_LINES * k
        absolute |= file.optional(at, "the number of lamps") < 0
        names.append(file.text(at + 1, "the lamp's type"))
        flux += file.number(at + 2, "the flux of the lamps")
        power += file.optional(at + 5, "the power with ballast")
    return flux, power, absolute, ", ".join(name for name in names if name)


def _expanded(
    symmetry: int, azimuth: FloatArray, table: FloatArray, first: int, where: str
) -> tuple[FloatArray, FloatArray]:
    """All planes of the circle, from those that are stored."""
    if symmetry == 0:
        return azimuth, table
    if symmetry == 1:
        return np.zeros(1), table
    stored = table.shape[0]
    # Isym 3 stores C 270° over 360° to 90°: angles that wrap become ascending.
    taken = azimuth[np.arange(first, first + stored) % azimuth.size].copy()
    taken[np.arange(first, first + stored) >= azimuth.size] += 360.0
    ends = {2: (0.0, 180.0), 3: (270.0, 450.0), 4: (0.0, 90.0)}[symmetry]
    if abs(taken[0] - ends[0]) > 1e-6 or abs(taken[-1] - ends[1]) > 1e-6:
        raise fault(
            f"with Isym = {symmetry} the stored planes must run from C {ends[0]:g}° "
            f"to {ends[1] % 360:g}°, not from {taken[0]:g}° to {taken[-1] % 360:g}°",
            where,
            3,
        )
    if symmetry == 4:
        taken, table = words.mirrored(taken, table, 90.0)
    taken, table = words.mirrored(taken, table, ends[1] if symmetry == 3 else 180.0)
    return taken, table
