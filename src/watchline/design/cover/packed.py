"""Prices as the leaves of windows keep them: most are 0, and there are hundreds of leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.dual import Prices


@dataclass(frozen=True, eq=False)
class Packed:
    """An array without its zeros.

    Attributes
    ----------
    length : int
        Length of the array.
    where : ndarray of uint8
        A bit for each entry, whether it is not 0.
    values : ndarray of float64
        The entries that are not 0.
    """

    length: int
    where: NDArray[np.uint8]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, array: NDArray[np.float64]) -> Packed:
        """Return an array packed."""
        there = array != 0.0
        return cls(len(array), np.packbits(there), array[there])

    def unpacked(self) -> NDArray[np.float64]:
        """Return the array, to the bit."""
        array = np.zeros(self.length)
        array[np.unpackbits(self.where, count=self.length).view(bool)] = self.values
        return array


@dataclass(frozen=True, eq=False)
class PackedPrices:
    """Prices of rows and atoms without their zeros.

    Attributes
    ----------
    row, atom : Packed
    miss : ndarray of float64, shape (n_classes,)
    """

    row: Packed
    atom: Packed
    miss: NDArray[np.float64]

    @classmethod
    def of(cls, prices: Prices) -> PackedPrices:
        """Return prices packed."""
        return cls(Packed.of(prices.row), Packed.of(prices.atom), prices.miss)

    def unpacked(self) -> Prices:
        """Return the prices, to the bit."""
        return Prices(self.row.unpacked(), self.atom.unpacked(), self.miss)
