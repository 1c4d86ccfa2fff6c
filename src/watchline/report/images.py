"""Pixel pictures within the maps: the shaded relief and the coloured cells."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from watchline.report import judged, palette, svg
from watchline.report.frame import Frame
from watchline.report.hillshade import Slopes, relief
from watchline.report.png import data_uri, encode_indexed

RELIEF_PIXELS = 780
PIXELS_PER_CELL = 4
TILE_M = 1600.0


def relief_image(land: Slopes | None, frame: Frame, pixels: int = RELIEF_PIXELS) -> str:
    """The shaded relief as an SVG image at most ``pixels`` wide; empty without terrain."""
    if land is None:
        return ""
    finest = land.terrain.cell_m * frame.scale / PIXELS_PER_CELL
    indices, colours = relief(land, frame, max(frame.width / pixels, finest))
    return svg.element(
        "image",
        href=data_uri(encode_indexed(indices, colours)),
        x=0,
        y=0,
        width=frame.width,
        height=frame.height,
        preserveAspectRatio="none",
        class_="relief",
    )


def heat_images(layer: judged.Layer, cells: pd.DataFrame, frame: Frame, cell_m: float) -> str:
    """Cells coloured by class, as pictures cut into pieces so that empty ground costs nothing."""
    shown = layer.classes > 0
    if not shown.any():
        return ""
    right, down = frame.to_picture(cells["x"].to_numpy()[shown], cells["y"].to_numpy()[shown])
    size = cells["size_m"].to_numpy(dtype=np.float64)[shown] * frame.scale
    classes = layer.classes[shown]
    colours = palette.picture_palette(layer.colours)
    side = TILE_M * frame.scale
    images = []
    for low in np.arange(0.0, frame.width, side):
        inside = (right >= low) & (right < low + side) & (down > 0) & (down < frame.height)
        if inside.any():
            images.append(
                _heat_tile(
                    np.column_stack([right[inside], down[inside]]),
                    size[inside],
                    classes[inside],
                    colours,
                    cell_m * frame.scale,
                )
            )
    return "".join(images)


def _heat_tile(
    places: np.ndarray, size: np.ndarray, classes: np.ndarray, colours: np.ndarray, pixel: float
) -> str:
    """One picture over the extent of its cells."""
    half = float(size.max()) / 2
    left, top = places.min(axis=0) - half
    width, height = places.max(axis=0) + half - (left, top)
    cols, rows = max(1, math.ceil(width / pixel)), max(1, math.ceil(height / pixel))
    down, right = np.meshgrid(np.arange(rows) + 0.5, np.arange(cols) + 0.5, indexing="ij")
    queries = np.column_stack([left + right.ravel() * pixel, top + down.ravel() * pixel])
    indices = judged.fill_grid(places, size, classes, queries).reshape(rows, cols)
    return svg.element(
        "image",
        href=data_uri(encode_indexed(indices, colours)),
        x=float(left),
        y=float(top),
        width=cols * pixel,
        height=rows * pixel,
        preserveAspectRatio="none",
        class_="heat",
    )
