"""Visibility: which mount sees the target at which cell.

Cells are ordered by chainage, and a mount can see only those within its range, so it keeps the bits
of its own runs of cells: the artefact grows with the length of the line, not with its square.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from watchline.model.provenance import Provenance

WORD_CELLS = 64
"""Cells of one word: bit j of word w stands for cell 64·w + j."""

Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Where the bits of each mount lie.

    Bits are kept in two long planes. The *visible* plane holds the words of mount after mount, the
    *unknown* plane those of site after site (whether a ray passes unknown ground does not depend on
    the height of the mast). Sites stand in the order of their chainage, mounts in the order of
    their sites, then of their numbers. A site's words are its runs, one after the other.

    Attributes
    ----------
    cells : int
        Number of cells.
    targets : int
        Number of target heights.
    site : int64 array [mounts]
        Place of each mount's site in the order of chainage.
    run_start : int64 array [sites + 1]
        Runs of a site: ``run_start[site] .. run_start[site + 1]``.
    run_first, run_last : int64 array [runs]
        First word of a run, and the one after its last.
    """

    cells: int
    targets: int
    site: Indices
    run_start: Indices
    run_first: Indices
    run_last: Indices

    @property
    def sites(self) -> int:
        """Number of sites."""
        return len(self.run_start) - 1

    @cached_property
    def width(self) -> Indices:
        """Number of words of each site, int64 [sites]."""
        ends = np.concatenate([[0], np.cumsum(self.run_last - self.run_first)])
        return np.asarray(np.diff(ends[self.run_start]), dtype=np.int64)

    @cached_property
    def order(self) -> Indices:
        """Numbers of the mounts in the order of the visible plane, int64 [mounts]."""
        return np.argsort(self.site, kind="stable")

    @cached_property
    def mount_start(self) -> Indices:
        """First word of each mount in the visible plane, int64 [mounts]."""
        start = np.empty(len(self.site), dtype=np.int64)
        widths = self.width[self.site[self.order]]
        start[self.order] = np.cumsum(widths) - widths
        return start

    @cached_property
    def site_start(self) -> Indices:
        """First word of each site in the unknown plane, int64 [sites]."""
        return np.asarray(np.cumsum(self.width) - self.width, dtype=np.int64)

    @property
    def visible_words(self) -> int:
        """Length of the visible plane in words."""
        return int(self.width[self.site].sum())

    @property
    def unknown_words(self) -> int:
        """Length of the unknown plane in words."""
        return int(self.width.sum())

    @property
    def nbytes(self) -> int:
        """Bytes of both planes, all target heights."""
        return 8 * self.targets * (self.visible_words + self.unknown_words)

    def words_of(self, site: int) -> Indices:
        """Words of a site, ascending, int64 [width]."""
        runs = slice(self.run_start[site], self.run_start[site + 1])
        return _joined(self.run_first[runs], self.run_last[runs])

    def cells_of(self, site: int) -> Indices:
        """Cells of a site's words, ascending, int64 [n]."""
        runs = slice(self.run_start[site], self.run_start[site + 1])
        last = np.minimum(self.run_last[runs] * WORD_CELLS, self.cells)
        return _joined(self.run_first[runs] * WORD_CELLS, last)


def _joined(first: Indices, last: Indices) -> Indices:
    parts = [np.arange(a, b, dtype=np.int64) for a, b in zip(first, last, strict=True)]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


class Planes(Protocol):
    """Holds the two planes of a visibility, in memory or on disk."""

    def visible(self, first: int, last: int) -> Words:
        """Words first ≤ w < last of the visible plane, uint64 [targets, n]."""

    def unknown(self, first: int, last: int) -> Words:
        """Words first ≤ w < last of the unknown plane, uint64 [targets, n]."""


@dataclass(frozen=True)
class MemoryPlanes:
    """Both planes in memory, uint64 [targets, words] each."""

    visible_words: Words
    unknown_words: Words

    def visible(self, first: int, last: int) -> Words:
        """Words first ≤ w < last of the visible plane, uint64 [targets, n]."""
        return self.visible_words[:, first:last]

    def unknown(self, first: int, last: int) -> Words:
        """Words first ≤ w < last of the unknown plane, uint64 [targets, n]."""
        return self.unknown_words[:, first:last]


@dataclass(frozen=True)
class Visibility:
    """Line of sight from every mount to the target at every cell in its range.

    Attributes
    ----------
    layout : Layout
        Which cells each mount keeps bits of.
    planes : Planes
        The bits.
    target_heights_m : tuple of float
        The target heights, in order.
    method : str
        How it was computed, with its error.
    """

    layout: Layout
    planes: Planes
    target_heights_m: tuple[float, ...]
    method: str
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.layout.cells

    @property
    def mounts(self) -> int:
        """Number of mounts."""
        return len(self.layout.site)

    def cells_of(self, mount: int) -> Indices:
        """Cells near enough to a mount to be in range, ascending, int64 [n]; it sees no others."""
        return self.layout.cells_of(int(self.layout.site[mount]))

    def visible_at(self, mount: int) -> Flags:
        """Whether the target's top is in sight at each of the mount's cells, bool [targets, n]."""
        start = int(self.layout.mount_start[mount])
        return self._flags(mount, self.planes.visible, start)

    def unknown_at(self, mount: int) -> Flags:
        """Whether the answer is unknown at each of the mount's cells, bool [targets, n]."""
        start = int(self.layout.site_start[self.layout.site[mount]])
        return self._flags(mount, self.planes.unknown, start)

    def sees(self, mount: int, target: int) -> Flags:
        """Cells of the whole line that one mount sees, bool [cells]."""
        seen = np.zeros(self.cells, dtype=np.bool_)
        seen[self.cells_of(mount)] = self.visible_at(mount)[target]
        return seen

    def unknown_of(self, mount: int, target: int) -> Flags:
        """Cells of the whole line of which one mount's answer is unknown, bool [cells]."""
        unknown = np.zeros(self.cells, dtype=np.bool_)
        unknown[self.cells_of(mount)] = self.unknown_at(mount)[target]
        return unknown

    def seen_by_any(self, target: int) -> tuple[Flags, Flags]:
        """Cells that any mount sees, and those unknown to any, bool [cells] each."""
        seen, unknown = (np.zeros(self.cells, dtype=np.bool_) for _ in range(2))
        for mount in self.layout.order:
            cells = self.cells_of(mount)
            seen[cells] |= self.visible_at(mount)[target]
            unknown[cells] |= self.unknown_at(mount)[target]
        return seen, unknown

    def _flags(self, mount: int, plane: Callable[[int, int], Words], start: int) -> Flags:
        site = int(self.layout.site[mount])
        words = plane(start, start + int(self.layout.width[site]))
        return flags_of(words)[:, : len(self.layout.cells_of(site))]


def flags_of(words: Words) -> Flags:
    """Bits as booleans, bool [targets, 64 · words].

    Parameters
    ----------
    words : uint64 array [targets, words]
        Bit j of a word is the place 64·w + j.
    """
    octets = np.ascontiguousarray(words, dtype="<u8").view(np.uint8)
    return np.unpackbits(octets, axis=-1, bitorder="little").view(np.bool_)


class Sink(Protocol):
    """Takes the bits of a visibility as they are made, in the order of its layout."""

    def begin(self, layout: Layout) -> None:
        """Bits of this layout follow."""

    def add(self, visible: Words, unknown: Words) -> None:
        """The next words of both planes, uint64 [targets, n] each; n may differ."""

    def finish(
        self, target_heights_m: tuple[float, ...], method: str, provenance: Provenance
    ) -> Visibility:
        """All bits are in: the artefact."""

    def abandon(self) -> None:
        """No more will come, and what came is not wanted."""


class MemorySink:
    """Keeps both planes in memory."""

    def begin(self, layout: Layout) -> None:
        """Bits of this layout follow."""
        self._layout = layout
        self._visible = np.zeros((layout.targets, layout.visible_words), dtype=np.uint64)
        self._unknown = np.zeros((layout.targets, layout.unknown_words), dtype=np.uint64)
        self._at = [0, 0]

    def add(self, visible: Words, unknown: Words) -> None:
        """The next words of both planes, uint64 [targets, n] each; n may differ."""
        for i, (plane, words) in enumerate(((self._visible, visible), (self._unknown, unknown))):
            plane[:, self._at[i] : self._at[i] + words.shape[1]] = words
            self._at[i] += words.shape[1]

    def finish(
        self, target_heights_m: tuple[float, ...], method: str, provenance: Provenance
    ) -> Visibility:
        """All bits are in: the artefact, read-only."""
        for plane in (self._visible, self._unknown):
            plane.flags.writeable = False
        planes = MemoryPlanes(self._visible, self._unknown)
        return Visibility(self._layout, planes, target_heights_m, method, provenance)

    def abandon(self) -> None:
        """No more will come, and what came is not wanted."""
        self._visible = self._unknown = np.empty((0, 0), dtype=np.uint64)
