"""A proof on disk: claims as JSON, tables as Parquet beside it, coverage as rasters for a GIS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.shutil
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile

from watchline.errors import ArtefactError
from watchline.io.files import atomic_write, sha256_file
from watchline.io.json_text import to_json
from watchline.io.tables import MEND, damage, provenance_from, read_table, write_table
from watchline.model.proof import Claim, Proof, Witness
from watchline.model.provenance import SCHEMA_VERSION

TABLES = ("cells", "chainage")
BLOCK_PX = 256
MOST_CELLS = 400_000_000
"""Largest raster in cells: about 2 GB of memory."""
VIEWS_OUTSIDE, VIEWS_UNKNOWN, MOST_VIEWS = 255, 254, 253
VIEWS_PALETTE = {
    0: (209, 73, 12, 255),
    1: (201, 222, 240, 255),
    2: (143, 187, 224, 255),
    3: (85, 147, 201, 255),
    4: (42, 105, 168, 255),
    **dict.fromkeys(range(5, MOST_VIEWS + 1), (16, 63, 115, 255)),
    VIEWS_UNKNOWN: (154, 91, 158, 255),
    VIEWS_OUTSIDE: (0, 0, 0, 0),
}


def proof_files(path: Path | str) -> tuple[Path, ...]:
    """All files of a proof: the JSON file and its tables beside it.

    Parameters
    ----------
    path : Path or str
        The JSON file; ``proof.json`` has ``proof.cells.parquet`` and ``proof.chainage.parquet``.
    """
    file = Path(path)
    return (file, *(file.with_name(f"{file.stem}.{table}.parquet") for table in TABLES))


def write_proof(proof: Proof, path: Path | str) -> Path:
    """Write a proof: its tables first, then the JSON file that holds their hashes.

    Parameters
    ----------
    proof : Proof
        What to write.
    path : Path or str
        The JSON file.

    Returns
    -------
    Path
        The JSON file.

    Raises
    ------
    ArtefactError
        It cannot be written.
    """
    file, *tables = proof_files(path)
    hashes = {}
    for name, table in zip(TABLES, tables, strict=True):
        write_table(getattr(proof, name), table)
        hashes[name] = {"file": table.name, "sha256": sha256_file(table)}
    content = {
        "schema_version": SCHEMA_VERSION,
        "holds": proof.holds,
        "claims": [asdict(claim) for claim in proof.claims],
        "cell_m": float(proof.cell_m),
        "plan_sha256": proof.plan_sha256,
        "provenance": proof.provenance.as_dict(),
        "tables": hashes,
    }
    with atomic_write(file) as temporary:
        temporary.write_text(to_json(content, indent=1) + "\n", encoding="utf-8")
    return file


def read_proof(path: Path | str) -> Proof:
    """The proof that was written.

    Parameters
    ----------
    path : Path or str
        The JSON file.

    Raises
    ------
    ArtefactError
        A file is missing, damaged, of another version, or a table is not the proof's own.
    """
    file, *tables = proof_files(path)
    with damage(file):
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["schema_version"] != SCHEMA_VERSION:
            raise ArtefactError("it was made by another version", where=str(file), mend=MEND)
        claims = tuple(claim_from(values) for values in content["claims"])
        hashes = {name: str(content["tables"][name]["sha256"]) for name in TABLES}
        cell_m, plan_sha256 = float(content["cell_m"]), str(content["plan_sha256"])
        provenance = provenance_from(content["provenance"])
    frames = {}
    for name, table in zip(TABLES, tables, strict=True):
        frames[name], _ = read_table(table)
        if sha256_file(table) != hashes[name]:
            raise ArtefactError(f"it does not belong to {file.name}", where=str(table), mend=MEND)
    return Proof(
        claims=claims,
        cells=frames["cells"],
        chainage=frames["chainage"],
        cell_m=cell_m,
        plan_sha256=plan_sha256,
        provenance=provenance,
    )


def claim_from(values: Mapping[str, Any]) -> Claim:
    """A claim from its JSON values; unknown keys and missing ones raise TypeError."""
    plain = dict(values)
    for name in ("value", "lower", "upper", "target"):
        plain[name] = float(plain[name])
    plain["failing_chainages"] = tuple((float(a), float(b)) for a, b in plain["failing_chainages"])
    if plain["witness"] is not None:
        witness = dict(plain["witness"])
        figures = {name: float(witness[name]) for name in ("x", "y", "s", "t", "value")}
        plain["witness"] = Witness(**{**witness, **figures})
    return Claim(**plain)


def write_coverage(proof: Proof, folder: Path | str, crs: str) -> list[Path]:
    """Write the coverage as cloud-optimised GeoTIFFs, two for each target height.

    ``views_<height>m.tif`` (uint8) holds the number of mounts that see the target, 254 where
    nothing is known and none surely sees it; ``px_per_m_<height>m.tif`` (float32) the best pixel
    density. Both end at the bounding box of the zone, and have no data outside the cells.

    Parameters
    ----------
    proof : Proof
        Its table of cells, whose centres lie on one grid of ``cell_m``.
    folder : Path or str
        Where; it is made.
    crs : str
        CRS of the cells.

    Returns
    -------
    list of Path
        The files, the smallest height first; empty where the proof has no cells.

    Raises
    ------
    ArtefactError
        They cannot be written.
    """
    cells = proof.cells
    zone = (
        cells["in:zone"].to_numpy(dtype=bool) if "in:zone" in cells else np.ones(len(cells), bool)
    )
    if not zone.any():
        zone = np.ones(len(cells), dtype=bool)
    if not len(cells):
        return []
    size = float(proof.cell_m)
    x, y = cells["x"].to_numpy(np.float64), cells["y"].to_numpy(np.float64)
    west, north = x[zone].min() - size / 2, y[zone].max() + size / 2
    column = np.rint((x - west) / size - 0.5).astype(np.int64)
    row = np.rint((north - y) / size - 0.5).astype(np.int64)
    shape = int(row[zone].max()) + 1, int(column[zone].max()) + 1
    if shape[0] * shape[1] > MOST_CELLS:
        raise ArtefactError(
            f"a raster of {shape[0]} × {shape[1]} cells of {size:g} m is too large",
            where=str(folder),
            mend="take the layer coverage of the plan's GeoPackage, or a shorter line",
        )
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    place = row[inside], column[inside]
    profile = {"crs": crs, "transform": rasterio.Affine(size, 0.0, west, 0.0, -size, north)}
    heights = sorted(
        (str(name).split("@", 1)[1] for name in cells.columns if str(name).startswith("views@")),
        key=float,
    )
    files = []
    for height in heights:
        found = cells[f"views@{height}"].to_numpy(np.float64)[inside]
        unknown = cells[f"unknown@{height}"].to_numpy(bool)[inside]
        views = np.full(shape, VIEWS_OUTSIDE, dtype=np.uint8)
        views[place] = np.clip(np.nan_to_num(found), 0, MOST_VIEWS).astype(np.uint8)
        nothing = unknown & (views[place] == 0)
        views[place[0][nothing], place[1][nothing]] = VIEWS_UNKNOWN
        density = np.full(shape, np.nan, dtype=np.float32)
        density[place] = cells[f"px_per_m@{height}"].to_numpy(np.float32)[inside]
        folder_ = Path(folder)
        names = folder_ / f"views_{height}m.tif", folder_ / f"px_per_m_{height}m.tif"
        note = {"target_height_m": height, "plan_sha256": proof.plan_sha256}
        views_note = {**note, "long_name": "mounts that see the target; 254 = unknown"}
        _write_cog(names[0], views, profile, VIEWS_OUTSIDE, views_note, VIEWS_PALETTE)
        density_note = {**note, "long_name": "best pixel density", "units": "px/m"}
        _write_cog(names[1], density, profile, np.nan, density_note)
        files += names
    return files


def _write_cog(
    path: Path,
    values: npt.NDArray[Any],
    profile: Mapping[str, Any],
    nodata: float,
    note: Mapping[str, str],
    palette: Mapping[int, tuple[int, int, int, int]] | None = None,
) -> None:
    """One band as a cloud-optimised GeoTIFF: tiled, compressed, with overviews."""
    with atomic_write(path) as temporary:
        try:
            with MemoryFile() as memory:
                with memory.open(
                    driver="GTiff",
                    height=values.shape[0],
                    width=values.shape[1],
                    count=1,
                    dtype=values.dtype,
                    nodata=nodata,
                    **profile,
                ) as raster:
                    raster.write(values, 1)
                    raster.set_band_description(1, note["long_name"])
                    raster.update_tags(**note)
                    if palette is not None:
                        raster.write_colormap(1, palette)
                with memory.open() as raster:
                    # Averaging would make views and densities that nobody has: nearest cells.
                    rasterio.shutil.copy(
                        raster,
                        temporary,
                        driver="COG",
                        compress="DEFLATE",
                        blocksize=BLOCK_PX,
                        overview_resampling="nearest",
                    )
        except RasterioError as problem:
            raise ArtefactError(
                f"it cannot be written ({' '.join(str(problem).split())[:120]})",
                where=str(path),
                mend="check the free space and the permissions of the folder",
            ) from problem
