"""Report: what people read and take away."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchline.model.provenance import Provenance


@dataclass(frozen=True)
class Report:
    """The report's content, ready to be written.

    Attributes
    ----------
    title : str
        Title of the report.
    html : str
        The whole page, self-contained.
    typst : str
        Source of the PDF.
    pictures : dict of str to str
        SVG pictures by file name, used by both.
    """

    title: str
    html: str
    typst: str
    pictures: dict[str, str]
    provenance: Provenance = field(default_factory=Provenance)
