"""Colours: one palette for page, maps, charts and PDF, safe for colour-blind readers.

Verdicts and kinds take the hues of Okabe and Ito (2008), "Color Universal Design"; shares and
counts take single-hue scales that grow darker, so that they also read in grey. No verdict is told
by its colour alone: a shape and a word stand beside it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FAIL = "#d1490c"
UNKNOWN = "#9a5b9e"
HOLDS = "#0b6aa2"
BELOW = "#f0efe6"

VIEW_COLOURS = ("#c9def0", "#8fbbe0", "#5593c9", "#2a69a8", "#103f73")
DENSITY_COLOURS = ("#d3ece2", "#9dd5c2", "#5fb59d", "#2b8d7b", "#0f615c", "#063b3d")

DEVICE_COLOURS = {
    "camera": "#0072b2",
    "thermal": "#b0530a",
    "ptz": "#7b4fa3",
    "panoramic": "#00806a",
    "observer": "#8a6d00",
}

LIGHT = {
    "paper": "#ffffff",
    "panel": "#f5f6f4",
    "ink": "#1b2124",
    "soft": "#5a6468",
    "faint": "#d8dcda",
    "line": "#111517",
    "zone": "#111517",
    "road": "#7a6a4f",
    "road_fill": "#fbf7ee",
    "ground": "#e9ece8",
    "no_watch": "#a3195b",
    "exclusion": "#4b5357",
    "area": "#0b6aa2",
    "fail": FAIL,
    "unknown": UNKNOWN,
    "holds": HOLDS,
    "bar": "#8aa3b3",
    "profile": "#b9b29f",
    "cost": "#5b7f95",
}

DARK = {
    **LIGHT,
    "paper": "#14181a",
    "panel": "#1d2225",
    "ink": "#eceeec",
    "soft": "#a3adb0",
    "faint": "#3a4246",
    "line": "#f6f7f5",
    "zone": "#f6f7f5",
    "road": "#c9b48a",
    "road_fill": "#3b3527",
    "ground": "#22282b",
    "no_watch": "#ff7ab0",
    "exclusion": "#c0c7c9",
    "area": "#6ab7ea",
    "fail": "#ff8a4c",
    "unknown": "#cf9ad3",
    "holds": "#6ab7ea",
    "bar": "#5f7c8d",
    "profile": "#5c5747",
    "cost": "#7ea5bd",
}

DARK_DEVICE_COLOURS = {
    "camera": "#56b4e9",
    "thermal": "#f0a35a",
    "ptz": "#c4a0e8",
    "panoramic": "#4fd1b5",
    "observer": "#e6cf4f",
}


def rgba(colour: str, alpha: int = 255) -> tuple[int, int, int, int]:
    """Red, green, blue and alpha (0–255) of a colour written ``#rrggbb``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16), alpha


def picture_palette(colours: tuple[str, ...]) -> npt.NDArray[np.uint8]:
    """Palette of an indexed picture: 0 is clear, 1 is the first colour, and so on."""
    return np.array([(0, 0, 0, 0), *(rgba(colour) for colour in colours)], dtype=np.uint8)
