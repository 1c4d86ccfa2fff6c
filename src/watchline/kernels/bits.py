"""Bit planes: one bit a target, 64 targets a word.

Bit j of word w stands for target 64·w + j. On disk and in memory the words are little-endian, so
``numpy.unpackbits(words.view(numpy.uint8), axis=-1, count=m, bitorder="little")`` reads them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def word_count(targets: int) -> int:
    """Return the number of 64-bit words that hold one bit for each of `targets`."""
    return (targets + 63) // 64


def pack_bits(flags: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Pack booleans along the last axis.

    Parameters
    ----------
    flags : ndarray of bool, shape (..., m)
        The flags.

    Returns
    -------
    ndarray of uint64, shape (..., ceil(m / 64))
        The words; the bits past m are 0.
    """
    flags = np.asarray(flags, dtype=bool)
    words = word_count(flags.shape[-1])
    octets = np.zeros((*flags.shape[:-1], words * 8), dtype=np.uint8)
    packed = np.packbits(flags, axis=-1, bitorder="little")
    octets[..., : packed.shape[-1]] = packed
    return octets.view("<u8").astype(np.uint64, copy=False)


def unpack_bits(words: NDArray[np.uint64], count: int) -> NDArray[np.bool_]:
    """Unpack words along the last axis.

    Parameters
    ----------
    words : ndarray of uint64, shape (..., w)
        Bit planes as :func:`pack_bits` makes them.
    count : int
        Number of targets m, at most 64·w.

    Returns
    -------
    ndarray of bool, shape (..., m)
        The flags.
    """
    octets = np.ascontiguousarray(words, dtype="<u8").view(np.uint8)
    return np.unpackbits(octets, axis=-1, count=count, bitorder="little").view(bool)


def count_bits(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Count the set bits along the last axis.

    Parameters
    ----------
    words : ndarray of uint64, shape (..., w)
        Bit planes.

    Returns
    -------
    ndarray of int64, shape (...)
        Set bits in each plane.
    """
    return np.bitwise_count(words).sum(axis=-1, dtype=np.int64)
