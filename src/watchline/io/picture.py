"""Pictures to files: SVG as it is, PNG by Typst with its own fonts."""

from __future__ import annotations

from pathlib import Path

import typst

from watchline.errors import ArtefactError, UsageError
from watchline.io.files import atomic_write

PIXELS_PER_INCH = 200.0


def write_picture(svg: str, path: Path | str) -> None:
    """Write a whole SVG file's text as SVG or PNG.

    Parameters
    ----------
    svg : str
        The picture.
    path : Path or str
        Ends in ``.svg`` or ``.png``.

    Raises
    ------
    UsageError
        If the path ends in anything else.
    ArtefactError
        If the file cannot be written.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix == ".svg":
        content = svg.encode("utf-8")
    elif suffix == ".png":
        content = _png(svg)
    else:
        raise UsageError(
            f"a picture cannot be written as '{target.suffix}'",
            where=str(target),
            mend="choose a name that ends in .svg or .png",
        )
    with atomic_write(target) as temporary:
        temporary.write_bytes(content)


def _png(svg: str) -> bytes:
    """The picture as PNG, the same bytes on every machine."""
    page = '#set page(width: auto, height: auto, margin: 0pt)\n#image("picture.svg")'
    files = {"main.typ": page.encode(), "picture.svg": svg.encode("utf-8")}
    try:
        made = typst.compile(files, format="png", ppi=PIXELS_PER_INCH, ignore_system_fonts=True)
    except typst.TypstError as problem:
        raise ArtefactError(
            f"Typst cannot draw the picture ({problem.message})", mend="write it as .svg"
        ) from problem
    if not isinstance(made, bytes):
        raise ArtefactError("Typst gave no picture", mend="write it as .svg")
    return made
