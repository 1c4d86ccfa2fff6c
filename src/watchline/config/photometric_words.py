"""Numbers and lines of photometric files, each with the line that it stands on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from watchline.errors import PhotometryError

FloatArray = npt.NDArray[np.float64]
Values = Sequence[float] | FloatArray
MOST_ANGLES = 20_000
"""More angles on one axis than any goniophotometer gives: a count beyond it is a slip."""
WIDE_STEP_DEG = 15.0
"""Between planes farther apart than this a linear interpolation is a guess."""
WRAP_SLACK = 1.5
"""Planes close the circle if the last gap is at most this many times the widest other one."""
MOST_CD = 1e12
"""A lighthouse has 1e7 cd: an intensity beyond this is a slip."""


def fault(what: str, where: str, line: int, mend: str = "") -> PhotometryError:
    """The error to raise for a fault on a line.

    Parameters
    ----------
    what : str
        What is wrong.
    where : str
        Name of the file.
    line : int
        Line number, from 1.
    mend : str
        What to do; by default, to get the file again from its maker.
    """
    mend = mend or "correct that line, or get the file again from the maker"
    return PhotometryError(what, where=f"{where}, line {line}", mend=mend)


def shown(text: str) -> str:
    """A piece of a file in quotes, cut where it is long, without control characters."""
    clean = "".join(c if c.isprintable() else "?" for c in text.strip())
    return f"'{clean[:24]}…'" if len(clean) > 25 else f"'{clean}'"


def number(text: str, what: str, where: str, line: int) -> float:
    """A finite number.

    Raises
    ------
    PhotometryError
        The text is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    # Python also reads "1_000" and Arabic digits, which no photometric file means.
    if not math.isfinite(value) or "_" in text or not text.isascii():
        raise fault(f"{what} is {shown(text) if text.strip() else 'missing'}", where, line)
    return value


def count(text: str, what: str, where: str, line: int, least: int, most: int) -> int:
    """A whole number within limits.

    Raises
    ------
    PhotometryError
        It is not whole or outside the limits.
    """
    value = number(text, what, where, line)
    if value != int(value) or not least <= value <= most:
        raise fault(f"{what} is {value:g}, not a whole number of {least} to {most}", where, line)
    return int(value)


def check_ascending(values: Values, lines: Sequence[int], what: str, where: str) -> None:
    """Refuse angles that do not rise.

    Raises
    ------
    PhotometryError
        With the line of the first that does not.
    """
    for k in range(1, len(values)):
        if not values[k] > values[k - 1]:
            raise fault(
                f"{what} {values[k]:g}° follows {values[k - 1]:g}°, but must be larger",
                where,
                lines[k],
            )


def check_range(
    values: Values,
    lines: Sequence[int],
    low: float,
    high: float,
    what: str,
    where: str,
) -> None:
    """Refuse angles outside a range.

    Raises
    ------
    PhotometryError
        With the line of the first that is outside.
    """
    for value, line in zip(values, lines, strict=True):
        if not low <= value <= high:
            raise fault(f"{what} {value:g}° is not within {low:g}° to {high:g}°", where, line)


def check_intensities(values: Values, lines: Sequence[int], where: str) -> None:
    """Refuse negative intensities.

    Raises
    ------
    PhotometryError
        With the line of the first.
    """
    for value, line in zip(values, lines, strict=True):
        if value < 0:
            raise fault(f"the intensity {value:g} is negative", where, line)


def scaled(table: FloatArray, factor: float, where: str, line: int) -> FloatArray:
    """Intensities with the file's factors applied [cd].

    Raises
    ------
    PhotometryError
        With the line of the factors, if no lamp has such intensities.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        product = table * factor
    # Written so that NaN and infinity fail too.
    if not (product <= MOST_CD).all():
        raise fault(f"the factors make intensities of more than {MOST_CD:.0e} cd", where, line)
    return product


def mirrored(
    angles: FloatArray, table: FloatArray, about_deg: float
) -> tuple[FloatArray, FloatArray]:
    """Planes of a half, and their mirror images about one of its ends.

    Parameters
    ----------
    angles : float64 array [n]
        Azimuths, ascending, all on one side of the mirror.
    table : float64 array [n, m]
        One row a plane.
    about_deg : float
        Where the mirror stands: the first or the last azimuth.

    Returns
    -------
    angles, table
        Ascending again; the plane in the mirror stands once.
    """
    images = 2.0 * about_deg - angles
    own = ~np.isclose(images, angles)
    all_angles = np.concatenate([angles, images[own]])
    rows = np.concatenate([table, table[own]])
    order = np.argsort(all_angles, kind="stable")
    return all_angles[order], rows[order]


def closed_circle(angles: FloatArray, table: FloatArray) -> tuple[FloatArray, FloatArray, bool]:
    """Planes with the first repeated at its end + 360° where they go all round.

    Parameters
    ----------
    angles : float64 array [n]
        Azimuths, ascending.
    table : float64 array [n, m]
        One row a plane.

    Returns
    -------
    angles, table, closed
        `closed` is False where a gap remains.
    """
    if len(angles) == 1:
        return np.array([0.0, 360.0]), np.repeat(table, 2, axis=0), True
    gap = 360.0 - (angles[-1] - angles[0])
    if gap > WRAP_SLACK * float(np.diff(angles).max()) + 1e-6:
        return angles, table, False
    if gap < 1e-6:
        angles, table = angles[:-1], table[:-1]
    angles = angles % 360.0
    order = np.argsort(angles, kind="stable")
    angles, table = angles[order], table[order]
    return np.append(angles, angles[0] + 360.0), np.concatenate([table, table[:1]]), True


def plane_warnings(angles: FloatArray, closed: bool, axial: bool, name: str) -> list[str]:
    """What to warn of in the spacing of the planes."""
    warnings = []
    widest = float(np.diff(angles).max()) if len(angles) > 1 else 0.0
    if widest > WIDE_STEP_DEG + 1e-6 and not axial:
        warnings.append(
            f"{name} planes are up to {widest:g}° apart: intensities between them are guesses"
        )
    if not closed and name == "C":
        warnings.append(
            f"planes from C {angles[0]:g}° to {angles[-1]:g}° only: no light elsewhere is assumed"
        )
    return warnings
