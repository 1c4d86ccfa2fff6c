"""Visibility on disk: a Zarr (version 3) folder that is written and read chunk by chunk."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from watchline.errors import ArtefactError
from watchline.io.files import TEMPORARY_MARK, write_error
from watchline.io.tables import MEND, damage, provenance_from
from watchline.model.provenance import SCHEMA_VERSION, Provenance
from watchline.model.visibility import Layout, Visibility, Words

LAYOUT_VERSION = 2
"""1 held every word of every mount; 2 holds each mount's own runs of words."""

CHUNK_BYTES = 4 << 20
KEPT_CHUNKS = 8
"""Chunks of each plane that a reader keeps: 32 MB."""

PLANES = {
    "visible": "bit of each cell: the target's top is in sight; the words of mount after mount",
    "unknown": "bit of each cell: no terrain data on the way; the words of site after site",
}
INDICES = {
    "site": ("mount", "place of the mount's site in the order of chainage"),
    "run_start": ("site_edge", "runs of a site: from its own entry to the next"),
    "run_first": ("run", "first word of a run of cells; a word holds 64 cells"),
    "run_last": ("run", "word after the last of a run"),
}


def write_visibility(visibility: Visibility, path: Path) -> None:
    """Write visibility as a Zarr folder, aside and then renamed.

    Parameters
    ----------
    visibility : Visibility
        What to write.
    path : Path
        The folder, e.g. ``visibility.zarr``; an old one is replaced.

    Raises
    ------
    ArtefactError
        It cannot be written.
    """
    layout = visibility.layout
    sink = VisibilityWriter(path)
    try:
        sink.begin(layout)
        step = _chunk_words(layout.targets)
        for first in range(0, max(layout.visible_words, layout.unknown_words), step):
            sink.add(
                visibility.planes.visible(first, first + step),
                visibility.planes.unknown(first, first + step),
            )
        sink.finish(visibility.target_heights_m, visibility.method, visibility.provenance)
    except BaseException:
        sink.abandon()
        raise


def _chunk_words(targets: int) -> int:
    return max(1, CHUNK_BYTES // (8 * max(1, targets)))


class VisibilityWriter:
    """A sink that appends to a Zarr folder: written aside, and renamed when all is in.

    Holds one chunk of each plane in memory, however long the line.

    Parameters
    ----------
    path : Path
        The folder, e.g. ``visibility.zarr``; an old one is replaced at the end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.with_name(f"{path.name}{TEMPORARY_MARK}{secrets.token_hex(4)}")

    def begin(self, layout: Layout) -> None:
        """Bits of this layout follow.

        Raises
        ------
        ArtefactError
            The folder cannot be made.
        """
        with _writing(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._root = zarr.create_group(store=self._temporary, zarr_format=3)
            self._layout = layout
            words = (layout.visible_words, layout.unknown_words)
            self._planes = [
                _Appended(self._root, name, layout.targets, count)
                for name, count in zip(PLANES, words, strict=True)
            ]

    def add(self, visible: Words, unknown: Words) -> None:
        """The next words of both planes, uint64 [targets, n] each; n may differ.

        Raises
        ------
        ArtefactError
            The disk is full, or refuses.
        """
        with _writing(self._path):
            for plane, words in zip(self._planes, (visible, unknown), strict=True):
                plane.add(words)

    def finish(
        self, target_heights_m: tuple[float, ...], method: str, provenance: Provenance
    ) -> Visibility:
        """All bits are in: the folder gets its name; the artefact that reads from it.

        Raises
        ------
        ArtefactError
            It cannot be written.
        """
        layout = self._layout
        old = self._path.with_name(f"{self._temporary.name}-old")
        with _writing(self._path):
            hashes = {name: p.close() for name, p in zip(PLANES, self._planes, strict=True)}
            for name, (dimension, text) in INDICES.items():
                values = np.ascontiguousarray(getattr(layout, name), dtype=np.int64)
                array = self._root.create_array(
                    name,
                    shape=values.shape,
                    dtype=values.dtype,
                    chunks=(max(1, len(values)),),
                    dimension_names=(dimension,),
                    attributes={"long_name": text, "units": "1"},
                )
                array[:] = values
                hashes[name] = [_hash(values)]
            self._root.attrs.update(
                {
                    "layout_version": LAYOUT_VERSION,
                    "cells": int(layout.cells),
                    "target_heights_m": [float(h) for h in target_heights_m],
                    "method": method,
                    "sha256": hashes,
                    "provenance": provenance.as_dict(),
                }
            )
            try:
                if self._path.exists():
                    self._path.rename(old)
                self._temporary.rename(self._path)
            finally:
                _remove(old)
        return read_visibility(self._path, verify=False)

    def abandon(self) -> None:
        """No more will come: nothing stays behind."""
        _remove(self._temporary)


class _Appended:
    """One plane on disk that grows by whole chunks; the rest waits in memory."""

    def __init__(self, root: zarr.Group, name: str, targets: int, words: int) -> None:
        self._step = _chunk_words(targets)
        self._array = root.create_array(
            name,
            shape=(targets, words),
            dtype=np.uint64,
            chunks=(max(1, targets), self._step),
            dimension_names=("target_height", "word"),
            attributes={"long_name": PLANES[name], "units": "1"},
        )
        self._name, self._words = name, words
        self._waiting = np.zeros((targets, self._step), dtype=np.uint64)
        self._filled = self._written = 0
        self._hashes: list[str] = []

    def add(self, words: Words) -> None:
        """Append words, uint64 [targets, n]."""
        done = 0
        while done < words.shape[1]:
            count = min(self._step - self._filled, words.shape[1] - done)
            self._waiting[:, self._filled : self._filled + count] = words[:, done : done + count]
            self._filled += count
            done += count
            if self._filled == self._step:
                self._flush()

    def _flush(self) -> None:
        words = self._waiting[:, : self._filled]
        self._array[:, self._written : self._written + self._filled] = words
        self._hashes.append(_hash(words))
        self._written += self._filled
        self._filled = 0

    def close(self) -> list[str]:
        """Write what waits; the hash of every chunk."""
        if self._filled:
            self._flush()
        if self._written != self._words:
            raise ValueError(f"{self._name}: {self._written} words came, not {self._words}")
        return self._hashes


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what the disk says into an :class:`ArtefactError` on the folder."""
    try:
        yield
    except OSError as problem:
        raise write_error(problem, path) from problem


def _remove(litter: Path) -> None:
    if litter.is_dir():
        shutil.rmtree(litter, ignore_errors=True)
    else:
        litter.unlink(missing_ok=True)


def _hash(values: npt.NDArray[Any]) -> str:
    digest = hashlib.sha256(repr(values.shape).encode())
    digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


class StoredPlanes:
    """Both planes on disk; each chunk is read when it is asked for, checked, and kept a while.

    Parameters
    ----------
    path : Path
        The Zarr folder, for messages.
    root : zarr.Group
        The folder, open.
    hashes : dict of str to list of str
        Hash of every chunk of each plane.
    """

    def __init__(self, path: Path, root: zarr.Group, hashes: dict[str, list[str]]) -> None:
        self._path = path
        self._arrays = {name: root[name] for name in PLANES}
        self._hashes = hashes
        self._chunk = functools.lru_cache(maxsize=KEPT_CHUNKS * len(PLANES))(self._read)

    def visible(self, first: int, last: int) -> Words:
        """Words first ≤ w < last of the visible plane, uint64 [targets, n]."""
        return self._words("visible", first, last)

    def unknown(self, first: int, last: int) -> Words:
        """Words first ≤ w < last of the unknown plane, uint64 [targets, n]."""
        return self._words("unknown", first, last)

    def verify(self) -> None:
        """Read every chunk once and hold it against its hash.

        Raises
        ------
        ArtefactError
            A chunk is lost or not what was written.
        """
        for name, hashes in self._hashes.items():
            for number in range(max(len(hashes), self._arrays[name].nchunks)):
                self._read(name, number)

    def _words(self, name: str, first: int, last: int) -> Words:
        array = self._arrays[name]
        last = min(last, array.shape[1])
        if first >= last:
            return np.empty((array.shape[0], 0), dtype=np.uint64)
        step = array.chunks[1]
        numbers = range(first // step, (last - 1) // step + 1)
        parts = [
            self._chunk(name, number)[:, max(first - number * step, 0) : last - number * step]
            for number in numbers
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _read(self, name: str, number: int) -> Words:
        array = self._arrays[name]
        step = array.chunks[1]
        with damage(self._path):
            words = np.asarray(array[:, number * step : (number + 1) * step], dtype=np.uint64)
            # Zarr takes a lost chunk for zeros, so the hash of each is checked.
            if _hash(words) != self._hashes[name][number]:
                raise ValueError(f"the array {name} is not what was written")
        words.flags.writeable = False
        return words


def read_visibility(path: Path, *, verify: bool = True) -> Visibility:
    """The visibility in a Zarr folder; its bits stay on disk until somebody asks for them.

    Parameters
    ----------
    path : Path
        The folder.
    verify : bool
        Hold every chunk against its hash now, one at a time; if not, each is checked when it is
        read.

    Raises
    ------
    ArtefactError
        It is missing, damaged or of another version.
    """
    with damage(path):
        root = zarr.open_group(path, mode="r", zarr_format=3)
        attributes: dict[str, Any] = dict(root.attrs)
        version = attributes.get("layout_version", 1)
        hashes = attributes["sha256"]
        if version == LAYOUT_VERSION:
            found = _described(path, root, attributes, hashes)
    if version != LAYOUT_VERSION:
        raise ArtefactError(
            f"it has layout {version}, and this program reads {LAYOUT_VERSION}",
            where=str(path),
            mend=MEND,
        )
    if found.provenance.schema_version != SCHEMA_VERSION:
        raise ArtefactError("it was made by another version", where=str(path), mend=MEND)
    if verify:
        found.planes.verify()  # type: ignore[attr-defined] # they are StoredPlanes
    return found


def _described(
    path: Path, root: zarr.Group, attributes: dict[str, Any], hashes: dict[str, list[str]]
) -> Visibility:
    indices = {}
    for name in INDICES:
        values = np.asarray(root[name][:], dtype=np.int64)
        if [_hash(values)] != hashes[name]:
            raise ValueError(f"the array {name} is not what was written")
        values.flags.writeable = False
        indices[name] = values
    heights = tuple(float(h) for h in attributes["target_heights_m"])
    layout = Layout(cells=int(attributes["cells"]), targets=len(heights), **indices)
    planes = StoredPlanes(path, root, {name: list(hashes[name]) for name in PLANES})
    return Visibility(
        layout=layout,
        planes=planes,
        target_heights_m=heights,
        method=str(attributes["method"]),
        provenance=provenance_from(attributes["provenance"]),
    )
