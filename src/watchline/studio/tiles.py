"""Pictures of the map's tiles: terrain for three dimensions, its shading, cells by their views."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

from watchline.io.tiles import (
    TILE_PIXELS,
    pixel_m,
    terrain_preview,
    tile_heights,
    tile_places,
)
from watchline.prove.cells import Cells
from watchline.report.hillshade import (
    SHADES,
    TINTS,
    exaggeration,
    height_range,
    horn_gradient,
    illumination,
    relief_palette,
)
from watchline.report.png import encode_colours, encode_indexed
from watchline.studio.colours import LEGEND, OPACITY

IntArray = npt.NDArray[np.int64]
KEPT_TILES = 512
TERRARIUM_M = 32_768.0
RIM = 2
LIGHT = -1 / 2**0.5, 1 / 2**0.5
"""Light from the north-west, as on maps."""
DARK_LEVEL = 0.42
"""Brightness of the shading on a dark page, of that on a light one."""
EMPTY = encode_indexed(
    np.zeros((TILE_PIXELS, TILE_PIXELS), dtype=np.uint8), np.zeros((1, 4), dtype=np.uint8)
)


class Kept:
    """A few things that were made, by key; those used longest ago are let go first."""

    def __init__(self, most: int = KEPT_TILES) -> None:
        self._most = most
        self._things: OrderedDict[tuple[object, ...], object] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: tuple[object, ...], make: Callable[[], object]) -> object:
        """What was made for a key, or is made now."""
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
                return self._things[key]
        thing = make()
        with self._lock:
            self._things[key] = thing
            while len(self._things) > self._most:
                self._things.popitem(last=False)
        return thing


class TerrainTiles:
    """Tiles of a terrain.

    Parameters
    ----------
    file : Path
        The terrain's file.
    key : str
        What it was made from; a part of the tags by which browsers keep tiles.
    """

    def __init__(self, file: Path, key: str) -> None:
        self.file = file
        self.key = key
        heights, cell_m, self.bounds = terrain_preview(file)
        self.low, self.high = height_range(heights)
        self.factor = exaggeration(*horn_gradient(heights, cell_m))
        self._kept = Kept()

    def etag(self, kind: str) -> str:
        """Tag of all tiles of a kind."""
        return f'"{kind}-{self.key[:16]}"'

    def terrain(self, z: int, x: int, y: int) -> bytes:
        """Heights, terrarium-encoded; beyond the terrain the lowest height of the whole."""
        return self._take(("terrain", z, x, y), lambda: self._terrain(z, x, y))

    def hillshade(self, z: int, x: int, y: int, *, dark: bool) -> bytes:
        """Shaded relief, tinted by height; transparent beyond the terrain."""
        return self._take(("shade", dark, z, x, y), lambda: self._hillshade(z, x, y, dark))

    def _take(self, key: tuple[object, ...], make: Callable[[], bytes]) -> bytes:
        found = self._kept.take(key, make)
        assert isinstance(found, bytes)
        return found

    def _terrain(self, z: int, x: int, y: int) -> bytes:
        heights = tile_heights(self.file, z, x, y)
        if heights is None:
            heights = np.full((TILE_PIXELS, TILE_PIXELS), self.low)
        level = np.where(np.isfinite(heights), heights, self.low) + TERRARIUM_M
        code = np.clip(np.rint(level * 256.0), 0, 2**24 - 1).astype(np.uint32)
        parts = [(code >> 16) & 255, (code >> 8) & 255, code & 255]
        return encode_colours(np.stack(parts, axis=2).astype(np.uint8))

    def _hillshade(self, z: int, x: int, y: int, dark: bool) -> bytes:
        heights = tile_heights(self.file, z, x, y, rim=RIM)
        if heights is None:
            return EMPTY
        east, north = horn_gradient(heights, pixel_m(z, y))
        lit = illumination(self.factor * east, self.factor * north, *LIGHT)
        inside = slice(RIM, -RIM)
        heights, lit = heights[inside, inside], lit[inside, inside]
        known = np.isfinite(heights)
        share = (np.where(known, heights, self.low) - self.low) / max(self.high - self.low, 1.0)
        tint = np.clip(share * len(TINTS), 0, len(TINTS) - 1).astype(np.int64)
        shade = np.clip(lit * (SHADES - 1) + 0.5, 0, SHADES - 1).astype(np.int64)
        palette = relief_palette()
        if dark:
            palette[:, :3] = (palette[:, :3] * DARK_LEVEL).astype(np.uint8)
        pixels = palette[tint * SHADES + shade]
        pixels[~known] = 0
        return encode_colours(pixels)


class CellPlaces:
    """Which of the proof's cells lies under which pixel.

    Parameters
    ----------
    cells : Cells
        The proof's cells.
    crs : str
        CRS of their coordinates.
    """

    def __init__(self, cells: Cells, crs: str) -> None:
        self.cell_m = cells.cell_m
        column, row = self._numbers(cells.x, cells.y)
        self._west, self._south = int(column.min()), int(row.min())
        self._width = int(column.max()) - self._west + 1
        self._height = int(row.max()) - self._south + 1
        key = (row - self._south) * self._width + column - self._west
        self._order = np.argsort(key)
        self._keys = key[self._order]
        self._turn = Transformer.from_crs(3857, crs, always_xy=True)
        self._lock = threading.Lock()
        self._kept = Kept()

    def _numbers(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[IntArray, IntArray]:
        column = np.floor(np.asarray(x) / self.cell_m)
        row = np.floor(np.asarray(y) / self.cell_m)
        return column.astype(np.int64), row.astype(np.int64)

    def find(self, x: npt.ArrayLike, y: npt.ArrayLike) -> IntArray:
        """Numbers of the cells at places in the site's CRS; −1 where there is none."""
        known = np.isfinite(x) & np.isfinite(y)
        column, row = self._numbers(np.where(known, x, 0.0), np.where(known, y, 0.0))
        column, row = column - self._west, row - self._south
        known &= (column >= 0) & (column < self._width) & (row >= 0) & (row < self._height)
        key = np.where(known, row * self._width + column, -1)
        at = np.minimum(np.searchsorted(self._keys, key), self._keys.size - 1)
        return np.where(self._keys[at] == key, self._order[at], -1)

    def tile(self, z: int, x: int, y: int) -> IntArray:
        """Numbers of the cells under a tile's pixels, int64 [256, 256]."""
        found = self._kept.take((z, x, y), lambda: self._tile(z, x, y))
        assert isinstance(found, np.ndarray)
        return found

    def _tile(self, z: int, x: int, y: int) -> IntArray:
        with self._lock:
            east, north = self._turn.transform(*tile_places(z, x, y))
        return self.find(east, north).astype(np.int32)


@dataclass(frozen=True)
class CellTiles:
    """Tiles of a figure of the cells, as colours.

    Attributes
    ----------
    places : CellPlaces
        Where the cells are.
    classes : uint8 array [cells]
        Number of each cell's colour in the palette; 0 is none.
    palette : uint8 array [colours, 4]
        The colours.
    version : str
        What they show; changes with the plan.
    """

    places: CellPlaces
    classes: npt.NDArray[np.uint8]
    palette: npt.NDArray[np.uint8]
    version: str

    @property
    def etag(self) -> str:
        """Tag by which browsers keep a tile."""
        return f'"{self.version}"'

    def tile(self, z: int, x: int, y: int) -> bytes:
        """One tile."""
        if x >= 2**z or y >= 2**z:
            return EMPTY
        at = self.places.tile(z, x, y)
        if not (at >= 0).any():
            return EMPTY
        return encode_indexed(np.where(at >= 0, self.classes[at], 0).astype(np.uint8), self.palette)


def colour(text: str, alpha: int) -> tuple[int, int, int, int]:
    """A colour ``#rrggbb`` with its opacity."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16), alpha


VIEWS_PALETTE = np.array(
    [(0, 0, 0, 0), *(colour(text, OPACITY) for _, text in LEGEND)], dtype=np.uint8
)
NOT_ENOUGH, ONE_VIEW, UNKNOWN_VIEW = 1, 2, 5
"""Places in the palette: the legend's, from 1."""
SEEN_PALETTE = np.array([(0, 0, 0, 0), colour("#e8a33d", 150)], dtype=np.uint8)
