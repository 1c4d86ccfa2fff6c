"""PNG pictures in memory, the same bytes for the same pixels on every machine."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt

UInt8Array = npt.NDArray[np.uint8]
SIGNATURE = b"\x89PNG\r\n\x1a\n"
TRUECOLOUR, PALETTE, TRUECOLOUR_ALPHA = 2, 3, 6
LEVEL = 9
FAST_LEVEL = 3


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def encode_indexed(indices: UInt8Array, palette: UInt8Array) -> bytes:
    """Encode an indexed picture (PNG, third edition, clauses 4 and 11).

    Parameters
    ----------
    indices : uint8 array [rows, cols]
        Index of each pixel's colour.
    palette : uint8 array [colours, 4]
        Red, green, blue and alpha of each colour, at most 256.

    Returns
    -------
    bytes
        The PNG file.
    """
    rows, cols = indices.shape
    colours = np.asarray(palette, dtype=np.uint8)
    bits = next(bits for bits in (1, 2, 4, 8) if len(colours) <= 1 << bits)
    packed = _pack(np.ascontiguousarray(indices, dtype=np.uint8), bits)
    # Each row begins with its filter; palette pictures compress best without one.
    raw = np.zeros((rows, packed.shape[1] + 1), dtype=np.uint8)
    raw[:, 1:] = packed
    head = struct.pack(">IIBBBBB", cols, rows, bits, PALETTE, 0, 0, 0)
    return b"".join(
        [
            SIGNATURE,
            _chunk(b"IHDR", head),
            _chunk(b"PLTE", colours[:, :3].tobytes()),
            _chunk(b"tRNS", colours[:, 3].tobytes()),
            _chunk(b"IDAT", zlib.compress(raw.tobytes(), LEVEL)),
            _chunk(b"IEND", b""),
        ]
    )


def encode_colours(pixels: UInt8Array) -> bytes:
    """Encode a picture of many colours, quickly rather than small.

    Parameters
    ----------
    pixels : uint8 array [rows, cols, 3 or 4]
        Red, green, blue and perhaps alpha.

    Returns
    -------
    bytes
        The PNG file.
    """
    rows, cols, bands = pixels.shape
    kind = TRUECOLOUR if bands == 3 else TRUECOLOUR_ALPHA
    # Each row as differences to the row above ("up", clause 9.2): neighbours are much alike.
    raw = np.empty((rows, cols * bands + 1), dtype=np.uint8)
    raw[:, 0] = 2
    flat = np.ascontiguousarray(pixels, dtype=np.uint8).reshape(rows, -1)
    raw[0, 1:] = flat[0]
    raw[1:, 1:] = flat[1:] - flat[:-1]
    head = struct.pack(">IIBBBBB", cols, rows, 8, kind, 0, 0, 0)
    return b"".join(
        [
            SIGNATURE,
            _chunk(b"IHDR", head),
            _chunk(b"IDAT", zlib.compress(raw.tobytes(), FAST_LEVEL)),
            _chunk(b"IEND", b""),
        ]
    )


def _pack(indices: UInt8Array, bits: int) -> UInt8Array:
    """Pack indices of 1, 2, 4 or 8 bits into bytes, the leftmost pixel in the highest bits."""
    per_byte = 8 // bits
    rows, cols = indices.shape
    padded = np.zeros((rows, -(-cols // per_byte) * per_byte), dtype=np.uint8)
    padded[:, :cols] = indices
    packed = np.zeros((rows, padded.shape[1] // per_byte), dtype=np.uint8)
    for place in range(per_byte):
        packed |= padded[:, place::per_byte] << np.uint8(bits * (per_byte - 1 - place))
    return packed


def data_uri(png: bytes) -> str:
    """A PNG as a ``data:`` address, to be embedded in SVG and HTML."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
