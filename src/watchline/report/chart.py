"""The strip chart's frame: its axis of chainages, grid and row titles."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchline.report import svg, ticks

FloatArray = npt.NDArray[np.float64]

LEFT = 150.0
RIGHT = 16.0
MOST_LABELS = 16
TITLE_LETTERS = 30
TITLE_LEADING = 8.5


@dataclass(frozen=True)
class Chart:
    """A drawn strip chart.

    Attributes
    ----------
    svg : str
        The picture's inside, without the outer element.
    width, height : float
        Its size.
    left, right : float
        Where the chainage axis begins and ends.
    start_m, end_m : float
        The chainages there.
    """

    svg: str
    width: float
    height: float
    left: float
    right: float
    start_m: float
    end_m: float

    def x(self, s: npt.ArrayLike) -> FloatArray:
        """Place on the axis of chainages."""
        share = (np.asarray(s, dtype=np.float64) - self.start_m) / (self.end_m - self.start_m)
        return self.left + share * (self.right - self.left)


def label_step(chart: Chart) -> float:
    """Spacing of the axis's labels in m."""
    return ticks.label_step(chart.end_m - chart.start_m, MOST_LABELS)


def places(chart: Chart) -> FloatArray:
    """Chainages that are labelled."""
    step = label_step(chart)
    first = math.ceil(chart.start_m / step) * step
    return np.arange(first, chart.end_m + 1e-6, step)


def grid(chart: Chart, bottom: float) -> str:
    """Upright lines at the labelled chainages, down to ``bottom``."""
    lines = "".join(f"M{svg.short(float(x))} 0V{svg.short(bottom)}" for x in chart.x(places(chart)))
    return svg.element("path", d=lines or "M0 0", class_="grid")


def axis(chart: Chart, y: float) -> tuple[str, float]:
    """The axis at ``y`` with its labels, and its height."""
    step = label_step(chart)
    decimals = 0 if step >= 1000 else 1 if step >= 100 else 2
    labels = [
        svg.text(
            float(chart.x(s)), y + 14, f"{s / 1000:.{decimals}f}", "axis-text", text_anchor="middle"
        )
        for s in places(chart)
    ]
    base = f"M{svg.short(chart.left)} {svg.short(y + 2)}H{svg.short(chart.right)}"
    return (
        svg.element("path", d=base, class_="axis")
        + "".join(labels)
        + head(y + 14, "Chainage in km", ""),
        22.0,
    )


def head(y: float, title: str, note: str, letters: int = TITLE_LETTERS) -> str:
    """Title of a row, on two lines where one is too short, and a note under it, in the left margin.

    Parameters
    ----------
    y : float
        Base of a title of one line.
    title, note : str
        Its words.
    letters : int
        How many fit on a line.
    """
    lines = textwrap.wrap(title, letters, max_lines=2, placeholder="…")
    first = y - TITLE_LEADING / 2 * (len(lines) - 1)
    parts = [
        svg.text(0, first + TITLE_LEADING * k, line, "row-title") for k, line in enumerate(lines)
    ]
    if note:
        below = first + TITLE_LEADING * (len(lines) - 1) + 10
        parts.append(svg.text(0, below, note, "row-note"))
    return "".join(parts)
