"""Visibility on disk: a Zarr (version 3) folder with the packed bits."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import zarr

from watchline.errors import ArtefactError
from watchline.io.files import TEMPORARY_MARK, write_error
from watchline.io.tables import MEND, damage, provenance_from
from watchline.model.provenance import SCHEMA_VERSION
from watchline.model.visibility import Visibility

CHUNK_BYTES = 4 << 20
ARRAYS = ("visible", "unknown")


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
    temporary = path.with_name(f"{path.name}{TEMPORARY_MARK}{secrets.token_hex(4)}")
    old = path.with_name(f"{path.name}{TEMPORARY_MARK}{secrets.token_hex(4)}-old")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _fill(visibility, temporary)
        if path.exists():
            path.rename(old)
        temporary.rename(path)
    except OSError as problem:
        raise write_error(problem, path) from problem
    finally:
        for litter in (temporary, old):
            if litter.is_dir():
                shutil.rmtree(litter, ignore_errors=True)
            else:
                litter.unlink(missing_ok=True)


def _fill(visibility: Visibility, folder: Path) -> None:
    root = zarr.create_group(store=folder, zarr_format=3)
    hashes = {}
    for name in ARRAYS:
        bits = np.ascontiguousarray(getattr(visibility, name), dtype=np.uint64)
        hashes[name] = _hash(bits)
        per_mount = max(1, bits[:1].nbytes)
        rows = max(1, min(len(bits), CHUNK_BYTES // per_mount))
        array = root.create_array(
            name,
            shape=bits.shape,
            dtype=bits.dtype,
            chunks=(rows, *(max(1, n) for n in bits.shape[1:])),
            dimension_names=("mount", "target_height", "word"),
            attributes={"long_name": LONG_NAMES[name], "units": "1"},
        )
        array[:] = bits
    root.attrs.update(
        {
            "cells": int(visibility.cells),
            "target_heights_m": [float(h) for h in visibility.target_heights_m],
            "method": visibility.method,
            "sha256": hashes,
            "provenance": visibility.provenance.as_dict(),
        }
    )


LONG_NAMES = {
    "visible": "bit of each cell: the target's top is in sight of the mount",
    "unknown": "bit of each cell: no terrain data on the way",
}


def _hash(bits: npt.NDArray[np.uint64]) -> str:
    digest = hashlib.sha256(repr(bits.shape).encode())
    digest.update(bits.tobytes())
    return digest.hexdigest()


def read_visibility(path: Path) -> Visibility:
    """The visibility that was written into a Zarr folder; its arrays are read-only.

    Zarr takes a lost chunk for zeros, so the hash of each array is checked.

    Parameters
    ----------
    path : Path
        The folder.

    Raises
    ------
    ArtefactError
        It is missing, damaged or of another version.
    """
    arrays = {}
    with damage(path):
        root = zarr.open_group(path, mode="r", zarr_format=3)
        attributes = dict(root.attrs)
        for name in ARRAYS:
            bits = np.asarray(root[name][:], dtype=np.uint64)
            if _hash(bits) != attributes["sha256"][name]:
                raise ValueError(f"the array {name} is not what was written")
            bits.flags.writeable = False
            arrays[name] = bits
        found = Visibility(
            visible=arrays["visible"],
            unknown=arrays["unknown"],
            target_heights_m=tuple(float(h) for h in attributes["target_heights_m"]),
            cells=int(attributes["cells"]),
            method=str(attributes["method"]),
            provenance=provenance_from(attributes["provenance"]),
        )
    if found.provenance.schema_version != SCHEMA_VERSION:
        raise ArtefactError("it was made by another version", where=str(path), mend=MEND)
    return found
