"""Ticks of chainage beside the line."""

from __future__ import annotations

import numpy as np
from shapely.geometry import LineString

from watchline.geo import chainage
from watchline.report import svg, words
from watchline.report.frame import Frame
from watchline.report.picture import Picture

TICK_PX = 7.0
STEPS = (10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0)
FINE_PARTS = 10


def label_step(span_m: float, most: int) -> float:
    """Spacing of labelled ticks so that at most ``most`` fit into a span of the line."""
    return next((step for step in STEPS if span_m / step <= most), STEPS[-1])


def ticks_layer(picture: Picture, line: LineString, sign: int, label_m: float) -> str:
    """Ticks on the line's free side, with labels.

    Parameters
    ----------
    picture : Picture
        A still one has half-way ticks between the labelled ones; one that is zoomed has ten fine
        ones, whose labels its script shows when they have room.
    line : LineString
        The guarded line.
    sign : int
        +1 where the zone lies left of the line, −1 where right.
    label_m : float
        Spacing of the labelled ticks.
    """
    parts = 2 if picture.still else FINE_PARTS
    step = label_m / parts
    count = int(line.length / step + 1e-9) + 1
    places = np.arange(count) * step
    x, y = chainage.from_chainage(line, places)
    bearings = chainage.bearing_deg(line, places)
    marks = []
    for k, (s, px, py, bearing) in enumerate(zip(places, x, y, bearings, strict=True)):
        if picture.still and not picture.visible(px, py, -4):
            continue
        out = free_side(picture.frame, float(bearing), sign)
        major = k % parts == 0
        tick = svg.element("path", d=_tick_path(out, TICK_PX if major else TICK_PX / 2))
        label = ""
        if major or not picture.still:
            right, down = out[0] * (TICK_PX + 9), out[1] * (TICK_PX + 9) + 3.5
            said = chainage_words(float(s), label_m if major else step)
            label = svg.text(right, down, said, "chainage", text_anchor="middle")
        class_ = "tick fine" if not major else "tick odd" if k // parts % 2 else "tick"
        marks.append(picture.mark(float(px), float(py), tick, label, class_=class_))
    return svg.element("g", *marks, class_="ticks")


def chainage_words(s: float, step_m: float) -> str:
    """A chainage as a label: in km with as many digits as the step needs, or in m."""
    if step_m >= 1000:
        return f"{s / 1000:.0f} km"
    if step_m >= 100 and s >= 1000:
        return f"{s / 1000:.1f} km"
    return f"{words.number(s)} m"


def _tick_path(out: tuple[float, float], length: float) -> str:
    return f"M0 0L{svg.short(out[0] * length)} {svg.short(out[1] * length)}"


def free_side(frame: Frame, line_bearing_deg: float, sign: int) -> tuple[float, float]:
    """Unit vector in the picture that points away from the line on the side without a zone."""
    return frame.direction(line_bearing_deg + 90 * sign)
