"""Isochrones: how long a response takes to every place of the straightened zone."""

from __future__ import annotations

import itertools

import numpy as np

from watchline.model.breach import Isochrones
from watchline.report import palette, svg, words
from watchline.report.chart import Chart, head
from watchline.report.png import data_uri, encode_indexed

HEIGHT = 42.0
MOST_COLUMNS = 2600
COLOURS = ("#2a69a8", "#5593c9", "#8fbbe0", "#c9def0", "#f3d9a4", "#e8a34d", "#d1490c")
"""From soon to late; the last is later than every limit."""
STEPS_S = (5, 10, 15, 20, 30, 60, 120, 300, 600, 1800, 3600)


def isochrone_row(chart: Chart, y: float, found: Isochrones) -> tuple[str, float]:
    """Response times as bands over the straightened zone, the line at the top.

    Parameters
    ----------
    chart : Chart
        Where along.
    y : float
        Top of the row.
    found : Isochrones
        Times at the zone's cells.

    Returns
    -------
    body : str
        SVG.
    height : float
        What it takes.
    """
    parts = [head(y + 14, "Isochrones", "response, s")]
    known = found.time_s[np.isfinite(found.time_s)]
    if not known.size:
        return svg.element(
            "g", *parts, svg.text(chart.left, y + 14, "nobody comes", "row-note")
        ), 24
    limits = _limits(float(known.min()), float(known.max()))
    columns = min(MOST_COLUMNS, found.s_m.size)
    place = np.linspace(chart.start_m, chart.end_m, columns + 1)
    # The latest of the rows that share a pixel: a short late stretch must not vanish.
    edges = np.clip(np.searchsorted(found.s_m, place), 0, found.s_m.size - 1)
    times = np.array(
        [found.time_s[a : max(a + 1, b)].max(axis=0) for a, b in itertools.pairwise(edges)]
    )
    classes = np.searchsorted(limits, np.where(np.isfinite(times), times, np.inf)).astype(np.uint8)
    colours = palette.picture_palette((*COLOURS[: len(limits)], COLOURS[-1]))
    image = svg.element(
        "image",
        href=data_uri(encode_indexed((classes.T + 1).astype(np.uint8), colours)),
        x=chart.left,
        y=y,
        width=chart.right - chart.left,
        height=HEIGHT,
        preserveAspectRatio="none",
        class_="heat",
    )
    box = svg.element(
        "rect", x=chart.left, y=y, width=chart.right - chart.left, height=HEIGHT, class_="box"
    )
    parts += [image, box]
    legend_y = y + HEIGHT + 12
    x = chart.left
    texts = [f"≤ {limit:g} s" for limit in limits] + [f"> {limits[-1]:g} s"]
    for colour, text in zip((*COLOURS[: len(limits)], COLOURS[-1]), texts, strict=True):
        parts.append(svg.element("rect", x=x, y=legend_y - 7, width=12, height=8, fill=colour))
        parts.append(svg.text(x + 16, legend_y, text, "row-note"))
        x += 74.0
    depth = f"{words.metres(float(found.away_m[0]))} to {words.metres(float(found.away_m[-1]))}"
    parts.append(svg.text(0, y + 36, f"{depth} from the line", "row-note"))
    return svg.element("g", *parts), HEIGHT + 22.0


def _limits(least: float, most: float) -> list[float]:
    """At most six round limits of bands between the soonest and the latest time."""
    for step in STEPS_S:
        limits = np.arange(np.ceil(least / step), np.ceil(most / step) + 1) * step
        if limits.size <= len(COLOURS) - 1:
            return [float(limit) for limit in limits]
    return [float(step) for step in STEPS_S[-6:]]
