"""Photometric files in: LM-63 (.ies) and EULUMDAT (.ldt), told apart by what they hold."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

from watchline.config.eulumdat import parse_eulumdat
from watchline.config.lm63 import parse_lm63
from watchline.errors import PhotometryError
from watchline.model.photometry import Photometry

MOST_BYTES = 50_000_000


def read_photometry(path: Path | str) -> Photometry:
    """Read a photometric file.

    Parameters
    ----------
    path : Path or str
        LM-63 of 1986, 1991, 1995, 2002 or 2019, types A, B and C, or EULUMDAT. UTF-8 with or
        without a byte order mark, or Latin-1.

    Returns
    -------
    Photometry
        With the hash of the file's bytes.

    Raises
    ------
    PhotometryError
        The file cannot be read, or a line of it is wrong.
    """
    file = Path(path)
    try:
        if file.stat().st_size > MOST_BYTES:
            raise PhotometryError(
                "it is larger than 50 MB", where=str(file), mend="give a photometric file"
            )
        content = file.read_bytes()
    except OSError as problem:
        raise PhotometryError(
            f"it cannot be read ({problem.strerror or problem})",
            where=str(file),
            mend="check the path and the file's permissions",
        ) from problem
    found = parse_photometry(content, str(file))
    return dataclasses.replace(found, sha256=hashlib.sha256(content).hexdigest())


def parse_photometry(content: bytes, where: str) -> Photometry:
    """Read a photometric file's bytes.

    Parameters
    ----------
    content : bytes
        The whole file.
    where : str
        Its name, for errors; its suffix decides where the content does not.

    Returns
    -------
    Photometry

    Raises
    ------
    PhotometryError
        A line is wrong.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    # Only line ends end lines: str.splitlines would also split at form feeds and the like.
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    is_lm63 = any(line.lstrip().upper().startswith("TILT") for line in lines.split("\n"))
    is_lm63 |= lines.lstrip().upper().startswith("IES") or where.lower().endswith(".ies")
    if is_lm63 and not where.lower().endswith(".ldt"):
        return parse_lm63(lines, where)
    return parse_eulumdat(lines, where)
