"""A proof on disk: ``proof.json`` with its claims, and its tables beside it as Parquet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from watchline.errors import ArtefactError
from watchline.io.files import atomic_write, sha256_file
from watchline.io.json_text import to_json
from watchline.io.tables import MEND, damage, provenance_from, read_table, write_table
from watchline.model.proof import Claim, Proof, Witness
from watchline.model.provenance import SCHEMA_VERSION

TABLES = ("cells", "chainage")


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
        claims = tuple(_claim(values) for values in content["claims"])
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


def _claim(values: Mapping[str, Any]) -> Claim:
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
