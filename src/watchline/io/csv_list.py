"""Lists as CSV with a header: opened, their header checked, row by row with its line."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

from watchline.errors import ProjectError


def csv_rows(
    file: Path, needed: tuple[str, ...], header: str, one: str
) -> Iterator[tuple[dict[str, str | None], str]]:
    """Rows of a list, each with its file and line.

    Parameters
    ----------
    file : Path
        CSV in UTF-8 with a header.
    needed : tuple of str
        Columns that must be there.
    header : str
        A header to begin with, for the sentence.
    one : str
        What a row is, for the sentence.

    Yields
    ------
    row, place

    Raises
    ------
    ProjectError
        The file cannot be read, its header lacks a column, or it holds no row.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise ProjectError(
            f"it cannot be read ({reason})", where=str(file), mend="give a CSV file in UTF-8"
        ) from problem
    rows = csv.DictReader(text.splitlines(), skipinitialspace=True)
    missing = [name for name in needed if name not in (rows.fieldnames or ())]
    if missing:
        raise ProjectError(
            f"the header lacks {', '.join(missing)}",
            where=str(file),
            mend=f"begin with the line {header}",
        )
    empty = True
    try:
        for row in rows:
            empty = False
            yield row, f"{file}, line {rows.line_num}"
    except csv.Error as problem:
        raise ProjectError(
            f"it is no CSV ({problem})",
            where=f"{file}, line {rows.line_num}",
            mend=f"write one {one} a line",
        ) from problem
    if empty:
        raise ProjectError(f"it lists no {one}", where=str(file), mend="write one a line")


def number_of(text: str | None, key: str, place: str, *, least: float = -math.inf) -> float:
    """A finite number from a field.

    Raises
    ------
    ProjectError
        It is none, or smaller than the least that is allowed.
    """
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < least:
        bound = "" if least == -math.inf else f" of at least {least:g}"
        raise ProjectError(
            f"{key} is '{(text or '').strip()}'", where=place, mend=f"write a number{bound}"
        )
    return value
