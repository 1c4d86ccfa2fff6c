"""A list of luminaires as CSV: which file, where, how high, aimed where."""

from __future__ import annotations

from pathlib import Path

from watchline.errors import ProjectError
from watchline.io.csv_list import csv_rows, number_of
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
    read: dict[str, Photometry] = {}
    found = []
    header = ",".join([*NEEDED, *OPTIONAL])
    for row, place in csv_rows(file, NEEDED, header, "luminaire"):
        name = (row["file"] or "").strip()
        if not name:
            raise ProjectError("no photometric file is named", where=place)
        if name not in read:
            read[name] = read_photometry(file.parent / name)
        values = [number_of(row[key], key, place) for key in NEEDED[1:]]
        for key, usual in OPTIONAL.items():
            given = (row.get(key) or "").strip()
            values.append(number_of(given, key, place) if given else usual)
        if values[2] <= 0 or values[6] < 0:
            raise ProjectError(
                "height_m must be above 0 and factor at least 0", where=place, mend="correct it"
            )
        found.append(Luminaire(read[name], *values))
    return tuple(found)
