"""Small icons drawn by formula, so that exports carry their own and fetch none."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

ICON_PX = 48
EDGE_PX = 4.0
"""Width of the dark edge, which keeps a tinted icon readable on any ground."""


def icon_png(shape: str) -> bytes:
    """A white icon with a dark edge on clear ground, as PNG (ISO/IEC 15948).

    Parameters
    ----------
    shape : {"disc", "square", "arrow"}
        ``arrow`` points up, that is north at heading 0.

    Raises
    ------
    KeyError
        There is no such shape.
    """
    middle = (ICON_PX - 1) / 2
    down, right = np.mgrid[0:ICON_PX, 0:ICON_PX] - middle
    depth = {"disc": _disc, "square": _square, "arrow": _arrow}[shape](right, -down)
    inside = np.clip(depth + 0.5, 0.0, 1.0)
    white = np.clip(depth - EDGE_PX + 0.5, 0.0, 1.0)
    pixels = np.empty((ICON_PX, ICON_PX, 4), dtype=np.uint8)
    pixels[..., :3] = np.rint(white * 255)[..., None]
    pixels[..., 3] = np.rint(inside * 255)
    return _png(pixels)


def _disc(right: npt.NDArray[np.float64], up: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Distance in px from the edge, positive inside."""
    return np.asarray(ICON_PX / 2 - 6 - np.hypot(right, up))


def _square(right: npt.NDArray[np.float64], up: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(ICON_PX / 2 - 8 - np.maximum(np.abs(right), np.abs(up)))


def _arrow(right: npt.NDArray[np.float64], up: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A tall triangle: inside all three of its edges."""
    tip, foot, half = 21.0, -19.0, 14.0
    slant = np.hypot(tip - foot, half)
    sides = ((tip - up) * half - np.abs(right) * (tip - foot)) / slant
    return np.asarray(np.minimum(sides, up - foot))


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    height, width, _ = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    lines = b"".join(b"\x00" + line.tobytes() for line in pixels)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
