"""PNG pictures in memory, the same bytes for the same pixels on every machine."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt

UInt8Array = npt.NDArray[np.uint8]
SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE = 3
LEVEL = 9


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
