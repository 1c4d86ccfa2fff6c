"""A picture that is drawn: its frame, and how marks keep their size in it."""

from __future__ import annotations

from dataclasses import dataclass

from watchline.report import svg
from watchline.report.frame import Frame


@dataclass(frozen=True)
class Picture:
    """What a map is drawn with.

    Attributes
    ----------
    frame : Frame
        Where it lies.
    still : bool
        True: drawn in its final size. False: in metres, and its marks keep their size on the
        screen while the page's script zooms.
    prefix : str
        Begins every id, so that several pictures can share one page.
    """

    frame: Frame
    still: bool
    prefix: str

    def mark(self, x: float, y: float, *children: str, class_: str = "", **more: str) -> str:
        """A group at a place whose children are drawn in screen units."""
        right, down = (float(v) for v in self.frame.to_picture(x, y))
        inner = svg.element("g", *children, class_=None if self.still else "k")
        return svg.element(
            "g",
            inner,
            transform=f"translate({svg.short(right)} {svg.short(down)})",
            class_=class_ or None,
            **more,
        )

    def visible(self, x: float, y: float, margin: float = 0.0) -> bool:
        """Whether a place lies inside the picture."""
        right, down = (float(v) for v in self.frame.to_picture(x, y))
        return (
            -margin <= right <= self.frame.width + margin
            and -margin <= down <= self.frame.height + margin
        )
