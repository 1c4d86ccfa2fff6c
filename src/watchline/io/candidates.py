"""Candidates on disk: mounts as GeoParquet, cells as Parquet."""

from __future__ import annotations

from pathlib import Path

from watchline.errors import ArtefactError
from watchline.io.files import sha256_file
from watchline.io.tables import MEND, damage, provenance_from, read_table, write_table
from watchline.model.candidates import CELL_COLUMNS, MOUNT_COLUMNS, Candidates
from watchline.model.provenance import SCHEMA_VERSION

MOUNTS_FILE = "candidates.parquet"
CELLS_FILE = "cells.parquet"


def write_candidates(candidates: Candidates, folder: Path) -> None:
    """Write candidates into a folder, as :data:`MOUNTS_FILE` and :data:`CELLS_FILE`.

    The mounts' file is written last and knows the hash of the cells' file, so that two files that
    do not belong together are found out.

    Parameters
    ----------
    candidates : Candidates
        What to write.
    folder : Path
        Where; it is made.

    Raises
    ------
    ArtefactError
        They cannot be written.
    """
    cells = folder / CELLS_FILE
    write_table(candidates.cells, cells)
    metadata = {
        "range_m": candidates.range_m,
        "target_heights_m": candidates.target_heights_m,
        "cells_sha256": sha256_file(cells),
        "provenance": candidates.provenance.as_dict(),
    }
    write_table(candidates.mounts, folder / MOUNTS_FILE, metadata)


def read_candidates(folder: Path) -> Candidates:
    """The candidates that were written into a folder.

    Parameters
    ----------
    folder : Path
        Where.

    Raises
    ------
    ArtefactError
        A file is missing, damaged, of another version, or belongs to other candidates.
    """
    path, cells_path = folder / MOUNTS_FILE, folder / CELLS_FILE
    mounts, metadata = read_table(path, geo=True)
    cells, _ = read_table(cells_path)
    with damage(path):
        found = Candidates(
            mounts=mounts,
            cells=cells,
            range_m=float(metadata["range_m"]),
            target_heights_m=tuple(float(h) for h in metadata["target_heights_m"]),
            provenance=provenance_from(metadata["provenance"]),
        )
        wanted = metadata["cells_sha256"]
    if wanted != sha256_file(cells_path):
        raise ArtefactError(
            f"it does not belong to {MOUNTS_FILE}", where=str(cells_path), mend=MEND
        )
    missing = [c for c in MOUNT_COLUMNS if c not in mounts] + [
        c for c in CELL_COLUMNS if c not in cells
    ]
    if missing or found.provenance.schema_version != SCHEMA_VERSION:
        raise ArtefactError("it was made by another version", where=str(path), mend=MEND)
    return found
