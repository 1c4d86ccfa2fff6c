"""A list of luminaires as CSV: which file, where, how high, aimed where."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from watchline.errors import ProjectError
from watchline.io.photometry import read_photometry
from watchline.model.photometry import Photometry
from watchline.physics.luminaires import Luminaire

NEEDED = ("file", "x", "y", "height_m", "azimuth_deg", "tilt_deg")
OPTIONAL = {"front_c_deg": 0.0, "factor": 1.0}


def read_luminaires(path: Path | str) -> tuple[Luminaire, ...]:
    """Read a list of luminaires.

    Parameters
    ----------
    path : Path or str
        CSV with a header: ``file`` (photometric file, relative to the list), ``x``, ``y``,
        ``height_m`` above the ground, ``azimuth_deg``, ``tilt_deg``, and perhaps ``front_c_deg``
        and ``factor``. Other columns are not read.

    Returns
    -------
    tuple of Luminaire
        With `z` as the height above the ground.

    Raises
    ------
    ProjectError
        With the line and what is wrong there; also a wrong photometric file.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise ProjectError(
            f"it cannot be read ({reason})", where=str(file), mend="give a CSV file in UTF-8"
        ) from problem
    rows = csv.DictReader(text.splitlines(), skipinitialspace=True)
    missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
    if missing:
        raise ProjectError(
            f"the header lacks {', '.join(missing)}",
            where=str(file),
            mend=f"begin with the line {','.join([*NEEDED, *OPTIONAL])}",
        )
    read: dict[str, Photometry] = {}
    found = []
    try:
        for row in rows:
            place = f"{file}, line {rows.line_num}"
            name = (row["file"] or "").strip()
            if not name:
                raise ProjectError("no photometric file is named", where=place)
            if name not in read:
                read[name] = read_photometry(file.parent / name)
            values = [_number(row[key], key, place, None) for key in NEEDED[1:]]
            values += [_number(row.get(key), key, place, other) for key, other in OPTIONAL.items()]
            if values[2] <= 0 or values[6] < 0:
                raise ProjectError(
                    "height_m must be above 0 and factor at least 0", where=place, mend="correct it"
                )
            found.append(Luminaire(read[name], *values))
    except csv.Error as problem:
        raise ProjectError(
            f"it is no CSV ({problem})", where=str(file), mend="write one luminaire a line"
        ) from problem
    if not found:
        raise ProjectError("it lists no luminaire", where=str(file), mend="write one a line")
    return tuple(found)


def _number(text: str | None, key: str, place: str, other: float | None) -> float:
    if other is not None and not (text or "").strip():
        return other
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ProjectError(f"{key} is '{text or ''}'", where=place, mend="write a number")
    return value
