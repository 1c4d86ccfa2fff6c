"""Shaded relief of a terrain, in the turn and at the scale of a picture.

Slopes follow Horn (1981), "Hill shading and the reflectance map", Proc. IEEE 69(1): weighted
differences over the eight neighbours. The light comes from the upper left of the *picture*, not
from the north-west: lit from below, a turned relief would read as its inverse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from watchline.model.terrain import Terrain
from watchline.report.frame import Frame

FloatArray = npt.NDArray[np.float64]

LIGHT_ALTITUDE_DEG = 45.0
TYPICAL_SLOPE_DEG = 17.0
EXAGGERATIONS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
SHADES = 32
TINTS = ((232, 238, 230), (236, 239, 228), (240, 238, 225), (241, 235, 221), (240, 230, 216))
WATER = (205, 221, 230)
NO_DATA = (222, 214, 224)
SHADOW = (92, 98, 112)
WATER_INDEX = SHADES * len(TINTS)
NO_DATA_INDEX = WATER_INDEX + 1
CLAMP_SLACK_M = 0.01
LOW_HIGH_PERCENTILES = (2.0, 98.0)


def horn_gradient(ground: npt.ArrayLike, cell_m: float) -> tuple[FloatArray, FloatArray]:
    """Slope of a north-up grid towards east and north.

    Parameters
    ----------
    ground : float array [rows, cols]
        Heights in m, first row northernmost; NaN = unknown.
    cell_m : float
        Side of a cell.

    Returns
    -------
    east, north : float64 array [rows, cols]
        Rise per metre. Beside unknown cells and rims the nearest known height is taken.
    """
    heights = _filled(np.asarray(ground, dtype=np.float64))
    padded = np.pad(heights, 1, mode="edge")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    cols = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    east = (rows[:, 2:] - rows[:, :-2]) / (8 * cell_m)
    north = (cols[:-2] - cols[2:]) / (8 * cell_m)
    return east, north


def _filled(heights: FloatArray) -> FloatArray:
    unknown = np.isnan(heights)
    if not unknown.any() or unknown.all():
        return np.nan_to_num(heights)
    nearest = ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True)
    return heights[tuple(nearest)]


def illumination(
    east: FloatArray, north: FloatArray, light_east: float, light_north: float
) -> FloatArray:
    """Share of the light that a slope reflects (Lambert), 0–1.

    Parameters
    ----------
    east, north : float64 array
        Rise per metre towards east and north.
    light_east, light_north : float
        Horizontal direction, of length 1, from which the light comes.
    """
    low, high = (
        math.cos(math.radians(LIGHT_ALTITUDE_DEG)),
        math.sin(math.radians(LIGHT_ALTITUDE_DEG)),
    )
    lit = high - low * (east * light_east + north * light_north)
    return np.clip(lit / np.sqrt(1.0 + east**2 + north**2), 0.0, 1.0)


def exaggeration(east: FloatArray, north: FloatArray) -> float:
    """Factor on heights that lets a flat land's relief be seen: 1 on steep land, 10 at most."""
    typical = float(np.percentile(np.hypot(east, north), 90))
    wanted = math.tan(math.radians(TYPICAL_SLOPE_DEG)) / max(typical, 1e-6)
    return max((factor for factor in EXAGGERATIONS if factor <= wanted), default=1.0)


def sample_grid(
    values: npt.ArrayLike, terrain: Terrain, x: FloatArray, y: FloatArray, *, order: int = 1
) -> FloatArray:
    """Values of a grid on the terrain's cells, at places in the site's coordinates.

    NaN outside the grid; ``order`` 1 is bilinear between cell centres, 0 the nearest cell.
    """
    x0, y0 = terrain.origin
    rows = (y0 - y) / terrain.cell_m
    cols = (x - x0) / terrain.cell_m
    sampled = ndimage.map_coordinates(
        np.asarray(values, dtype=np.float64), [rows, cols], order=order, mode="nearest"
    )
    last_row, last_col = np.asarray(values).shape
    outside = (rows < -0.5) | (cols < -0.5) | (rows > last_row - 0.5) | (cols > last_col - 0.5)
    sampled[outside] = np.nan
    return sampled


@dataclass(frozen=True)
class Slopes:
    """A terrain made ready to be shaded in any frame.

    Attributes
    ----------
    east, north : float64 array [rows, cols]
        Rise per metre of its surface, exaggerated.
    factor : float
        By how much heights were exaggerated.
    low, high : float
        Heights between which tints change, in m.
    clamp_m : float or None
        Height to which the terrain was raised: cells at it are shown as water.
    """

    terrain: Terrain
    east: FloatArray
    north: FloatArray
    factor: float
    low: float
    high: float
    clamp_m: float | None


def slopes(terrain: Terrain, clamp_m: float | None = None) -> Slopes:
    """Slopes of a terrain's surface, with what stands on the ground."""
    east, north = horn_gradient(terrain.surface, terrain.cell_m)
    factor = exaggeration(east, north)
    low, high = height_range(terrain.surface)
    return Slopes(terrain, factor * east, factor * north, factor, low, high, clamp_m)


def relief(
    land: Slopes, frame: Frame, pixel: float
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Shaded relief that fills a frame.

    Parameters
    ----------
    land : Slopes
        The terrain.
    frame : Frame
        The picture.
    pixel : float
        Side of a pixel in picture units.

    Returns
    -------
    indices : uint8 array [rows, cols]
        Colour of each pixel.
    palette : uint8 array [colours, 4]
        The colours.
    """
    cols = max(1, round(frame.width / pixel))
    rows = max(1, round(frame.height / pixel))
    down, right = np.meshgrid(
        (np.arange(rows) + 0.5) * frame.height / rows,
        (np.arange(cols) + 0.5) * frame.width / cols,
        indexing="ij",
    )
    x, y = frame.to_site(right, down)
    turn = math.radians(frame.turn_deg)
    light_east = (-math.cos(turn) - math.sin(turn)) / math.sqrt(2)
    light_north = (-math.sin(turn) + math.cos(turn)) / math.sqrt(2)
    lit = illumination(
        sample_grid(land.east, land.terrain, x, y),
        sample_grid(land.north, land.terrain, x, y),
        light_east,
        light_north,
    )
    heights = sample_grid(land.terrain.surface, land.terrain, x, y, order=0)
    share = (heights - land.low) / max(land.high - land.low, 1.0)
    known = np.isfinite(heights) & np.isfinite(lit)
    tint = np.clip(share[known] * len(TINTS), 0, len(TINTS) - 1).astype(np.uint8)
    shade = np.clip(lit[known] * (SHADES - 1) + 0.5, 0, SHADES - 1).astype(np.uint8)
    indices = np.full(heights.shape, NO_DATA_INDEX, dtype=np.uint8)
    indices[known] = tint * np.uint8(SHADES) + shade
    if land.clamp_m is not None:
        indices[known & (heights <= land.clamp_m + CLAMP_SLACK_M)] = WATER_INDEX
    return indices, relief_palette()


def height_range(surface: npt.ArrayLike) -> tuple[float, float]:
    """Heights between which tints change; unknown ones do not count."""
    surface = np.asarray(surface)
    known = surface[np.isfinite(surface)]
    if not known.size:
        return 0.0, 1.0
    low, high = np.percentile(known, LOW_HIGH_PERCENTILES)
    return float(low), float(high)


def relief_palette() -> npt.NDArray[np.uint8]:
    """Each tint from shadow to light; flat ground is nearly as light as the tint itself."""
    flat = math.sin(math.radians(LIGHT_ALTITUDE_DEG))
    lit = np.linspace(0.0, 1.0, SHADES)
    share = np.where(lit < flat, 0.12 + 0.8 * (lit / flat), 0.92 + 0.08 * (lit - flat) / (1 - flat))
    colours = [
        np.array(SHADOW) * (1 - part) + np.array(tint) * part for tint in TINTS for part in share
    ]
    rows = [*colours, WATER, NO_DATA]
    opaque = np.column_stack([np.round(np.array(rows)), np.full(len(rows), 255)])
    return opaque.astype(np.uint8)
