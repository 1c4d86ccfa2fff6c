"""Reports to files, and the report's templates from the package."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

import typst

from watchline.errors import ArtefactError, UsageError
from watchline.io.files import atomic_write
from watchline.model.report import Report

TEMPLATES = "watchline.report"


@cache
def report_templates() -> dict[str, str]:
    """Texts of the report's templates, style sheets and scripts, by file name."""
    folder = resources.files(TEMPLATES) / "templates"
    return {
        item.name: item.read_text(encoding="utf-8")
        for item in sorted(folder.iterdir(), key=lambda item: item.name)
        if item.is_file()
    }


def write_report(report: Report, path: Path | str) -> None:
    """Write a report as one self-contained page or as a PDF.

    Parameters
    ----------
    report : Report
        From :func:`watchline.report.build_report`.
    path : Path or str
        Ends in ``.html`` or ``.pdf``.

    Raises
    ------
    UsageError
        If the path ends in anything else.
    ArtefactError
        If the file cannot be written.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix == ".html":
        content = report.html.encode("utf-8")
    elif suffix == ".pdf":
        content = compile_pdf(report)
    else:
        raise UsageError(
            f"a report cannot be written as '{target.suffix}'",
            where=str(target),
            mend="choose a name that ends in .html or .pdf",
        )
    with atomic_write(target) as temporary:
        temporary.write_bytes(content)


def compile_pdf(report: Report) -> bytes:
    """Compile a report's Typst source with its pictures, in memory, with Typst's own fonts.

    The same report gives the same bytes: no date is written, and no font of the machine is used.

    Raises
    ------
    ArtefactError
        If Typst refuses the source.
    """
    files = {"main.typ": report.typst.encode("utf-8")}
    files |= {name: picture.encode("utf-8") for name, picture in report.pictures.items()}
    try:
        compiled = typst.compile(files, format="pdf", ignore_system_fonts=True, timestamp=0)
    except typst.TypstError as problem:
        raise ArtefactError(
            f"Typst cannot set the report ({problem.message})",
            mend="write the report as .html, and report this as a fault of watchline",
        ) from problem
    if not isinstance(compiled, bytes):
        raise ArtefactError("Typst gave no PDF", mend="write the report as .html")
    return compiled
