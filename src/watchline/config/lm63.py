"""IES files: ANSI/IES LM-63 of 1986, 1991, 1995, 2002 and 2019, as plain text to a Photometry.

Source: the layout as described by Ian Ashdown, "Parsing the IESNA LM-63 photometric data file"
(1998), for 1986 to 1995; the later editions from files in use, since the standards are sold and
were not at hand. The ballast-lamp photometric factor multiplies up to 1995; from 2002 on that
field is reserved, and in 2019 it is a code of how the file was made.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchline.config import photometric_words as words
from watchline.config.photometric_words import fault
from watchline.errors import PhotometryError
from watchline.model.photometry import PhotometricType, Photometry

FloatArray = npt.NDArray[np.float64]
FEET_M = 0.3048
HEADERS = {
    "IESNA91": 1991,
    "IESNA:LM-63-1995": 1995,
    "IESNA:LM-63-2002": 2002,
    "IES:LM-63-2019": 2019,
}
TYPES: dict[int, PhotometricType] = {1: "C", 2: "B", 3: "A"}
SEPARATORS = re.compile(r"[\s,;]+")
SLACK_DEG = 1e-6


@dataclass
class _Numbers:
    """The numbers after TILT=, in order, with their lines."""

    tokens: Sequence[tuple[str, int]]
    where: str
    last_line: int
    at: int = 0

    def _next(self, what: str) -> tuple[str, int]:
        if self.at >= len(self.tokens):
            raise fault(f"the file ends before {what}", self.where, self.last_line)
        self.at += 1
        return self.tokens[self.at - 1]

    def one(self, what: str) -> float:
        """The next number."""
        return words.number(*self._pair(what))

    def _pair(self, what: str) -> tuple[str, str, str, int]:
        text, line = self._next(what)
        return text, what, self.where, line

    def count(self, what: str, least: int, most: int) -> int:
        """The next number, which is a count."""
        return words.count(*self._pair(what), least, most)

    def many(self, how_many: int, what: str) -> tuple[FloatArray, list[int]]:
        """The next numbers and their lines."""
        if self.at + how_many > len(self.tokens):
            left = len(self.tokens) - self.at
            raise fault(
                f"the file ends after {left} of {how_many} {what}", self.where, self.last_line
            )
        taken = self.tokens[self.at : self.at + how_many]
        self.at += how_many
        values = [
            words.number(text, f"one of the {what}", self.where, line) for text, line in taken
        ]
        return np.array(values), [line for _, line in taken]

    @property
    def line(self) -> int:
        """Line of the number that was taken last."""
        return self.tokens[self.at - 1][1] if self.at else self.last_line


def parse_lm63(text: str, where: str) -> Photometry:
    """Read an IES file's text.

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
    lines = text.split("\n")
    tilt_at, tilt = _find_tilt(lines, where)
    labels, year, warnings = _labels(lines[:tilt_at])
    tokens = [
        (token, k + 1)
        for k in range(tilt_at + 1, len(lines))
        for token in SEPARATORS.split(lines[k].strip(" \t,;\x1a\x00"))
        if token
    ]
    numbers = _Numbers(tokens, where, max(len(lines), 1))
    tilt_deg, tilt_factor = np.zeros(0), np.zeros(0)
    if tilt == "INCLUDE":
        tilt_deg, tilt_factor = _tilt_factors(numbers)
    lamps = numbers.count("the number of lamps", 0, 100_000)
    lumens = numbers.one("the lumens per lamp")
    factor = numbers.one("the candela multiplier")
    polar_count = numbers.count("the number of vertical angles", 2, words.MOST_ANGLES)
    plane_count = numbers.count("the number of horizontal angles", 1, words.MOST_ANGLES)
    kind = TYPES[numbers.count("the photometric type", 1, 3)]
    metre = FEET_M if numbers.count("the units type", 1, 2) == 1 else 1.0
    width, length, height = (
        metre * numbers.one(f"the luminaire's {side}") for side in ("width", "length", "height")
    )
    ballast = numbers.one("the ballast factor")
    ballast_lamp = numbers.one("the ballast-lamp factor")
    power = numbers.one("the input power")
    factor *= ballast * (ballast_lamp if year <= 1995 else 1.0)
    factor_line = numbers.line
    if not factor > 0:
        raise fault(
            f"the product of multiplier and ballast factors is {factor:g}", where, numbers.line
        )
    vertical, vertical_lines = numbers.many(polar_count, "vertical angles")
    horizontal, horizontal_lines = numbers.many(plane_count, "horizontal angles")
    _check_angles(kind, vertical, vertical_lines, horizontal, horizontal_lines, where)
    values, value_lines = numbers.many(polar_count * plane_count, "intensities")
    words.check_intensities(values, value_lines, where)
    if numbers.at < len(tokens):
        rest = len(tokens) - numbers.at
        warnings.append(f"{rest} words after the last intensity are not read")
    table = words.scaled(values.reshape(plane_count, polar_count), factor, where, factor_line)
    azimuth, polar, table, closed, more = _expanded(kind, vertical, horizontal, table)
    lamp_flux = lamps * lumens * ballast if lumens > 0 else math.nan
    if year <= 1995 and lumens > 0:
        lamp_flux *= ballast_lamp
    return Photometry(
        name=labels.get("LUMINAIRE", labels.get("first", "")),
        maker=labels.get("MANUFAC", ""),
        number=labels.get("LUMCAT", ""),
        lamp=labels.get("LAMP", labels.get("LAMPCAT", "")),
        format=f"LM-63-{year}",
        type=kind,
        azimuth_deg=azimuth,
        polar_deg=polar,
        intensity_cd=table,
        closed=closed,
        lamp_flux_lm=lamp_flux,
        declared_flux_lm=math.nan,
        power_w=max(power, 0.0),
        # Negative sizes mean round openings; the length lies along C 0°, the width along C 90°.
        size_m=(abs(length), abs(width), abs(height)),
        tilt_deg=tilt_deg,
        tilt_factor=tilt_factor,
        warnings=tuple(warnings + more),
    )


def _find_tilt(lines: Sequence[str], where: str) -> tuple[int, str]:
    """Index of the line that begins with TILT=, and what it says."""
    for k, line in enumerate(lines):
        head = line.strip().upper().replace(" ", "")
        if head.startswith("TILT="):
            said = head[5:]
            if said in ("NONE", "INCLUDE"):
                return k, said
            raise fault(
                f"TILT names another file, {shown_tilt(line)}",
                where,
                k + 1,
                "copy that file's lines below this one and write TILT=INCLUDE",
            )
    raise PhotometryError(
        "there is no line TILT=, so it is no IES file",
        where=where,
        mend="give an IES file (LM-63) or an EULUMDAT file (.ldt)",
    )


def shown_tilt(line: str) -> str:
    """The file that a TILT line names, for an error."""
    return words.shown(line.partition("=")[2])


def _labels(lines: Sequence[str]) -> tuple[dict[str, str], int, list[str]]:
    """Keywords, the edition's year, and warnings."""
    labels: dict[str, str] = {}
    warnings: list[str] = []
    head = re.sub(r"\s+", "", lines[0]).upper() if lines else ""
    year = next((year for name, year in HEADERS.items() if head.startswith(name.upper())), 0)
    if not year:
        if head.startswith("IES"):
            warnings.append(f"unknown edition {words.shown(lines[0])}: read as that of 2002")
        year = 2002 if head.startswith("IES") else 1986
    for line in lines:
        found = re.match(r"\s*\[(\w+)\]\s*(.*)", line)
        if found and found[1].upper() not in labels:
            labels[found[1].upper()] = found[2].strip()
    if year == 1986 and lines:
        labels["first"] = lines[0].strip()
    return labels, year, warnings


def _tilt_factors(numbers: _Numbers) -> tuple[FloatArray, FloatArray]:
    numbers.count("the lamp-to-luminaire geometry", 1, 3)
    how_many = numbers.count("the number of tilt angles", 1, words.MOST_ANGLES)
    angles, lines = numbers.many(how_many, "tilt angles")
    words.check_ascending(angles, lines, "tilt angle", numbers.where)
    factors, lines = numbers.many(how_many, "tilt factors")
    words.check_intensities(factors, lines, numbers.where)
    return angles, factors


def _check_angles(
    kind: PhotometricType,
    vertical: FloatArray,
    vertical_lines: list[int],
    horizontal: FloatArray,
    horizontal_lines: list[int],
    where: str,
) -> None:
    words.check_ascending(vertical, vertical_lines, "vertical angle", where)
    words.check_ascending(horizontal, horizontal_lines, "horizontal angle", where)
    if kind == "C":
        words.check_range(vertical, vertical_lines, 0, 180, "vertical angle", where)
        words.check_range(horizontal, horizontal_lines, 0, 360, "horizontal angle", where)
        return
    # The angle about the pole may pass 90° in type B and A; the one toward it may not.
    high = (90, 180) if kind == "A" else (180, 90)
    words.check_range(vertical, vertical_lines, -high[0], high[0], "vertical angle", where)
    words.check_range(horizontal, horizontal_lines, -high[1], high[1], "horizontal angle", where)
    if len(horizontal) == 1:
        raise fault(f"type {kind} with a single horizontal angle", where, horizontal_lines[0])


def _expanded(
    kind: PhotometricType, vertical: FloatArray, horizontal: FloatArray, table: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, bool, list[str]]:
    """Azimuth, polar angle, table with the symmetries written out, closure, warnings."""
    if kind == "C":
        axial = len(horizontal) == 1
        first, last = horizontal[0], horizontal[-1]
        warnings = []
        if not axial and abs(first) < SLACK_DEG and abs(last - 90) < SLACK_DEG:
            horizontal, table = words.mirrored(horizontal, table, 90.0)
            horizontal, table = words.mirrored(horizontal, table, 180.0)
        elif not axial and abs(first) < SLACK_DEG and abs(last - 180) < SLACK_DEG:
            horizontal, table = words.mirrored(horizontal, table, 180.0)
        elif not axial and abs(first - 90) < SLACK_DEG and abs(last - 270) < SLACK_DEG:
            horizontal, table = words.mirrored(horizontal, table, 270.0)
        elif axial and abs(first) > SLACK_DEG:
            warnings.append(f"a single plane at C {first:g}°: taken as the same all round")
        horizontal, table, closed = words.closed_circle(horizontal, table)
        warnings += words.plane_warnings(horizontal, closed, axial, "C")
        return horizontal, vertical, table, closed, warnings
    warnings = []
    if abs(horizontal[0]) < SLACK_DEG:
        horizontal, table = words.mirrored(horizontal, table, 0.0)
    if vertical[0] >= 0:
        warnings.append(
            f"vertical angles begin at {vertical[0]:g}°: no light below them is assumed"
        )
    name = "vertical" if kind == "B" else "horizontal"
    if kind == "A":
        azimuth, polar, rows = horizontal, 90.0 - vertical[::-1], table[:, ::-1]
    else:
        azimuth, polar, rows = vertical, 90.0 - horizontal[::-1], table[::-1].T
    closed = abs(azimuth[-1] - azimuth[0] - 360.0) < SLACK_DEG
    warnings += words.plane_warnings(azimuth, closed, False, name)
    return azimuth, polar, np.ascontiguousarray(rows), closed, warnings
