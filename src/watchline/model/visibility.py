"""Visibility: which mount sees the target at which cell."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from watchline.model.provenance import Provenance


@dataclass(frozen=True)
class Visibility:
    """Line of sight from every mount to the target at every cell.

    Attributes
    ----------
    visible : uint64 array [mounts, target heights, words]
        Bit ``cell % 64`` of word ``cell // 64``: the target's top is in sight.
    unknown : uint64 array [mounts, target heights, words]
        The same layout: the answer is unknown (no terrain data on the way).
    target_heights_m : tuple of float
        The target heights, in order.
    cells : int
        Number of cells.
    method : str
        How it was computed, with its error.
    """

    visible: npt.NDArray[np.uint64]
    unknown: npt.NDArray[np.uint64]
    target_heights_m: tuple[float, ...]
    cells: int
    method: str
    provenance: Provenance = field(default_factory=Provenance)

    def sees(self, mount: int, target: int) -> npt.NDArray[np.bool_]:
        """Cells that one mount sees, bool [cells]."""
        words = np.ascontiguousarray(self.visible[mount, target]).view(np.uint8)
        return np.unpackbits(words, count=self.cells, bitorder="little").astype(bool)
