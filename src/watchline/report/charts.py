"""Small charts and legends as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from watchline.model.plan import Plan
from watchline.report import svg, symbols, words
from watchline.report.strip import nice_range
from watchline.report.tables import log_points

LOG_WIDTH = 510.0
LOG_HEIGHT = 150.0
LOG_LEFT = 78.0
LOG_RIGHT = 70.0
LOG_BOTTOM = 24.0
LEGEND_ROW = 17.0
LEGEND_GAP = 16.0


@dataclass(frozen=True)
class Key:
    """One entry of a legend: a kind of :func:`watchline.report.symbols.swatch` and its words."""

    kind: str
    words: str
    colour: str = ""

    @property
    def picture(self) -> str:
        """Its sample, 28 × 14 units."""
        return symbols.swatch(self.kind, self.colour)


def search_chart(plan: Plan) -> str:
    """Cost and bound as the search went, as the inside of a picture; empty without a log."""
    log = log_points(plan)
    cost = log["cost"].to_numpy(dtype=np.float64)
    bound = log["bound"].to_numpy(dtype=np.float64)
    finite = np.concatenate([cost[np.isfinite(cost)], bound[np.isfinite(bound)]])
    if len(log) < 2 or not finite.size:
        return ""
    seconds = log["seconds"].to_numpy(dtype=np.float64)
    last = max(float(seconds.max()), 1e-9)
    low, high, step = nice_range(float(finite.min()), float(finite.max()))
    top, base = 8.0, LOG_HEIGHT - LOG_BOTTOM
    right = LOG_WIDTH - LOG_RIGHT
    parts = []
    for value in np.arange(low, high + step / 2, step):
        y = base - (base - top) * (value - low) / (high - low)
        parts.append(
            svg.element("path", d=f"M{svg.short(LOG_LEFT)} {svg.short(y)}H{right:g}", class_="grid")
        )
        label = words.number(value)
        parts.append(svg.text(LOG_LEFT - 5, y + 2.5, label, "axis-text", text_anchor="end"))
    ends: list[tuple[float, str]] = []
    for values, class_, name in ((cost, "curve-cost", "cost"), (bound, "curve-bound", "bound")):
        known = np.isfinite(values)
        if not known.any():
            continue
        x = LOG_LEFT + (right - LOG_LEFT) * seconds[known] / last
        y = base - (base - top) * (values[known] - low) / (high - low)
        # A value stands until the next one is found: a staircase, not a slope.
        stair_x, stair_y = np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]
        parts.append(svg.element("path", d=svg.path_of_points(stair_x, stair_y), class_=class_))
        ends.append((float(y[-1]), name))
    ends.sort()
    if len(ends) == 2 and ends[1][0] - ends[0][0] < 9:
        ends = [(ends[0][0] - 3, ends[0][1]), (ends[0][0] + 7, ends[1][1])]
    parts += [svg.text(right + 6, y + 2.5, name, "row-title") for y, name in ends]
    parts.append(svg.text(LOG_LEFT, base + 14, "0 s", "axis-text"))
    end = words.quantity(last, "s", 0 if last >= 10 else 1)
    parts.append(svg.text(right, base + 14, end, "axis-text", text_anchor="end"))
    middle = (LOG_LEFT + right) / 2
    parts.append(svg.text(middle, base + 14, "time of search", "axis-text", text_anchor="middle"))
    return "".join(parts)


def legend_picture(keys: Sequence[Key], width: float) -> tuple[str, float]:
    """A legend in rows, as the inside of a picture, and its height."""
    parts, x, y = [], 0.0, 2.0
    for key in keys:
        heading = key.kind == "words"
        indent = 0 if heading else 33
        taken = indent + svg.text_width(key.words, 7.0, svg.SERIF_EM) + LEGEND_GAP
        if x > 0 and (heading or x + taken - LEGEND_GAP > width):
            x, y = 0.0, y + LEGEND_ROW
        place = f"translate({svg.short(x)} {svg.short(y)})"
        class_ = "row-title" if heading else "legend-text"
        parts.append(svg.element("g", key.picture, transform=place) if key.picture else "")
        parts.append(svg.text(x + indent, y + 9.5, key.words, class_))
        x += taken
    return "".join(parts), y + LEGEND_ROW
