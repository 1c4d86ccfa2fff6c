"""Rows of the strip chart that show every cell of the straightened zone."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from watchline.model.proof import Proof
from watchline.report import judged, palette, svg, words
from watchline.report.chart import Chart, head
from watchline.report.png import data_uri, encode_indexed

FloatArray = npt.NDArray[np.float64]

MOST_PIXELS_ALONG = 2600
HEAT_HEIGHT = 42.0


def heat_row(chart: Chart, y: float, layer: judged.Layer, proof: Proof) -> tuple[str, float]:
    """The straightened zone, coloured by class; the line lies at the row's one edge."""
    cells = proof.cells
    s = cells["s"].to_numpy(dtype=np.float64)
    t = cells["t"].to_numpy(dtype=np.float64)
    inside = np.isfinite(s) & np.isfinite(t) & (s >= chart.start_m) & (s <= chart.end_m)
    inside &= layer.classes > 0
    title = head(y + 14, layer.title, "line at the dark edge")
    if not inside.any():
        return title, HEAT_HEIGHT + 10
    low, high = _offset_range(t[inside])
    cols = int(min(MOST_PIXELS_ALONG, math.ceil((chart.end_m - chart.start_m) / proof.cell_m)))
    rows = max(1, math.ceil((high - low) / proof.cell_m))
    along = chart.start_m + (np.arange(cols) + 0.5) * (chart.end_m - chart.start_m) / cols
    across = high - (np.arange(rows) + 0.5) * (high - low) / rows
    size = cells["size_m"].to_numpy(dtype=np.float64)[inside]
    indices = worst_of_columns(
        s[inside], t[inside], size, layer.classes[inside], along, across, proof.cell_m
    )
    image = svg.element(
        "image",
        href=data_uri(encode_indexed(indices, palette.picture_palette(layer.colours))),
        x=chart.left,
        y=y,
        width=chart.right - chart.left,
        height=HEAT_HEIGHT,
        preserveAspectRatio="none",
        class_="heat",
    )
    box = svg.element(
        "rect", x=chart.left, y=y, width=chart.right - chart.left, height=HEAT_HEIGHT, class_="box"
    )
    near_top = abs(high) <= abs(low)
    edge = y if near_top else y + HEAT_HEIGHT
    line = svg.element(
        "path",
        d=f"M{svg.short(chart.left)} {svg.short(edge)}H{svg.short(chart.right)}",
        class_="line",
    )
    offsets = "".join(
        svg.text(chart.left - 4, at, f"t {words.metres(value)}", "row-note", text_anchor="end")
        for at, value in ((y + 6, high), (y + HEAT_HEIGHT, low))
    )
    return title + image + box + line + offsets, HEAT_HEIGHT + 10


def _offset_range(t: FloatArray) -> tuple[float, float]:
    """Offsets shown: all, rounded outwards to 5 m."""
    return 5 * math.floor(float(t.min()) / 5), 5 * math.ceil(float(t.max()) / 5)


def worst_of_columns(
    s: FloatArray,
    t: FloatArray,
    size: FloatArray,
    classes: npt.NDArray[np.uint8],
    along: FloatArray,
    across: FloatArray,
    cell_m: float,
) -> npt.NDArray[np.uint8]:
    """Classes on a grid of chainages and offsets; the lowest class wins where cells share a pixel.

    A long line has more cells than the picture has pixels: a single bad cell must not vanish, so
    cells are drawn from the best to the worst, and only holes are filled from neighbours.

    Parameters
    ----------
    s, t, size : float64 array [cells]
        Chainage, offset and side of each cell.
    classes : uint8 array [cells]
        Their classes; the lowest is the worst.
    along, across : float64 array [cols], [rows]
        Chainage and offset of the pixels' centres.
    cell_m : float
        Side of a cell in m.
    """
    cols, rows = len(along), len(across)
    step_s = along[1] - along[0] if cols > 1 else cell_m
    step_t = across[0] - across[1] if rows > 1 else cell_m
    down, right = np.meshgrid(across, along, indexing="ij")
    # Distances are counted in pixels along and in metres across, so that a wide pixel still
    # finds a cell.
    stretch_s = max(abs(step_s) / cell_m, 1.0)
    places = np.column_stack([s / stretch_s, t])
    queries = np.column_stack([right.ravel() / stretch_s, down.ravel()])
    indices = judged.fill_grid(places, size * 1.2, classes, queries).reshape(rows, cols)
    order = np.argsort(classes, kind="stable")[::-1]
    col = np.clip(((s[order] - along[0]) / step_s + 0.5).astype(np.int64), 0, cols - 1)
    row = np.clip(((across[0] - t[order]) / step_t + 0.5).astype(np.int64), 0, rows - 1)
    indices[row, col] = classes[order]
    return indices
