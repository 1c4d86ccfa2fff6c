"""A certificate on disk: prices as JSON, the problem's arrays as NumPy's npz beside it.

Whoever wants to check it by another program needs JSON, NumPy's array format and the formula in the
documentation; nothing else of watchline.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from watchline.errors import ArtefactError
from watchline.io.files import atomic_write, sha256_file
from watchline.io.json_text import to_json
from watchline.io.zipped import zip_bytes
from watchline.model.certificate import Certificate, CoverArrays
from watchline.version import __version__

CERTIFICATE_FILE = "certificate.json"
SCHEMA_VERSION = 1
KIND = "watchline certificate"
FLOATS = ("costs", "group_costs", "row_weight", "allowed_uncovered")
LONG = ("indptr",)
STEPS = "index_steps"
"""``indices`` is kept as differences of neighbours, which take a tenth of the space."""
BUDGET = "budget"
MEND = "plan again; it is made anew"
NOT_PROVEN = (
    "The bound speaks of the offered mounts, devices and aims and of the design's cells; other "
    "sites or aims might cost less.",
    "claimed_bound may be higher than bound: by HiGHS's branch and bound, or by rounding up to "
    "what whole prices can cost. Only bound follows from the prices.",
    "Who sees what is taken as it stands in the problem: that is the proof's matter.",
)


@dataclass(frozen=True)
class CertificateFile:
    """A certificate as it was read.

    Attributes
    ----------
    certificate : Certificate
        Its content.
    faults : tuple of str
        Signs that the files are not as they were written.
    """

    certificate: Certificate
    faults: tuple[str, ...]


def certificate_files(path: Path | str) -> tuple[Path, Path]:
    """Both files of a certificate: the JSON file and the arrays beside it.

    Parameters
    ----------
    path : Path or str
        The JSON file; ``certificate.json`` has ``certificate.npz``.
    """
    file = Path(path)
    return file, file.with_suffix(".npz")


def write_certificate(certificate: Certificate, path: Path | str) -> Path:
    """Write a certificate: its arrays first, then the JSON file that holds their hash.

    Parameters
    ----------
    certificate : Certificate
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
    file, arrays = certificate_files(path)
    with atomic_write(arrays) as temporary:
        temporary.write_bytes(zip_bytes(_entries(certificate.arrays)))
    return _write_json(certificate, file, sha256_file(arrays))


def restate_certificate(
    source: Path | str,
    path: Path | str,
    *,
    plan_sha256: str,
    plan_cost: float,
    plan_bound: float | None,
) -> Path:
    """Write a round's certificate again as that of the plan that is reported with its bound.

    Parameters
    ----------
    source : Path or str
        The JSON file of a round.
    path : Path or str
        The JSON file to write.
    plan_sha256, plan_cost, plan_bound
        As in :class:`~watchline.model.certificate.Certificate`.

    Returns
    -------
    Path
        The JSON file.

    Raises
    ------
    ArtefactError
        The round's files are missing or damaged, or it cannot be written.
    """
    old, old_arrays = certificate_files(source)
    file, arrays = certificate_files(path)
    certificate = replace(
        _certificate(_read_json(old), old, _read_arrays(old_arrays)),
        plan_sha256=plan_sha256,
        plan_cost=plan_cost,
        plan_bound=plan_bound,
    )
    with atomic_write(arrays) as temporary:
        temporary.write_bytes(old_arrays.read_bytes())
    return _write_json(certificate, file, sha256_file(arrays))


def _write_json(certificate: Certificate, file: Path, arrays_sha256: str) -> Path:
    problem = certificate.arrays
    content = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "watchline_version": __version__,
        "not_proven": NOT_PROVEN,
        "plan": {
            "sha256": certificate.plan_sha256,
            "cost": certificate.plan_cost,
            "lower_bound": certificate.plan_bound,
            "currency": certificate.currency,
        },
        "problem": {
            "file": certificate_files(file)[1].name,
            "sha256": arrays_sha256,
            "round": certificate.round_,
            "rows": len(problem.demand),
            "poses": len(problem.costs),
            "mounts": len(problem.group_costs),
            "cell_m": certificate.cell_m,
            "requirements": certificate.requirements,
        },
        "certificate": dict(certificate.content),
    }
    content["sha256"] = _digest(content)
    with atomic_write(file) as temporary:
        temporary.write_text(to_json(content) + "\n", encoding="utf-8")
    return file


def _digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of everything in the JSON file but the digest itself."""
    rest = {key: value for key, value in content.items() if key != "sha256"}
    return hashlib.sha256(to_json(rest).encode("utf-8")).hexdigest()


def read_certificate(path: Path | str) -> CertificateFile:
    """Read a certificate.

    Parameters
    ----------
    path : Path or str
        The JSON file; its arrays lie beside it under the same name.

    Returns
    -------
    CertificateFile
        With the signs of tampering that the hashes show. What the numbers prove is another
        question: :func:`watchline.prove.certified.judge_certificate`.

    Raises
    ------
    ArtefactError
        A file is missing, is no certificate, is of another version, or its arrays do not fit
        together.
    """
    file, arrays = certificate_files(path)
    content = _read_json(file)
    certificate = _certificate(content, file, _read_arrays(arrays))
    faults = []
    if content.get("sha256") != _digest(content):
        faults.append(f"{file.name} was changed after it was written (its digest differs).")
    if content["problem"].get("sha256") != sha256_file(arrays):
        faults.append(f"{arrays.name} is not the problem that was written with {file.name}.")
    return CertificateFile(certificate, tuple(faults))


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "it is no JSON"
        raise ArtefactError(
            f"it cannot be read ({reason})", where=str(file), mend="name a certificate.json"
        ) from problem
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise ArtefactError("it is no certificate", where=str(file), mend="name a certificate.json")
    if content.get("schema_version") != SCHEMA_VERSION:
        raise ArtefactError("it was made by another version", where=str(file), mend=MEND)
    return content


def _certificate(content: Mapping[str, Any], file: Path, arrays: CoverArrays) -> Certificate:
    try:
        plan, problem = content["plan"], content["problem"]
        bound = plan["lower_bound"]
        return Certificate(
            arrays=arrays,
            content=dict(content["certificate"]),
            requirements=tuple(str(name) for name in problem["requirements"]),
            currency=str(plan["currency"]),
            cell_m=float(problem["cell_m"]),
            round_=int(problem["round"]),
            plan_sha256=str(plan["sha256"]),
            plan_cost=float(plan["cost"]),
            plan_bound=None if bound is None else float(bound),
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise ArtefactError(
            f"it is spoilt ({type(problem).__name__}: {problem})", where=str(file), mend=MEND
        ) from problem


def _entries(arrays: CoverArrays) -> dict[str, bytes]:
    """The arrays in NumPy's format, by the name of their entry in the archive."""
    entries = {}
    for name in arrays.array_names():
        values, kind = getattr(arrays, name), _kind(name)
        if name == "indices":
            name, values = STEPS, np.diff(values.astype(np.int32), prepend=np.int32(0))
        entries[f"{name}.npy"] = _npy(values.astype(kind))
    budget = np.nan if arrays.budget is None else arrays.budget
    entries[f"{BUDGET}.npy"] = _npy(np.array(budget, dtype="<f8"))
    return entries


def _kind(name: str) -> str:
    return "<f8" if name in FLOATS else "<i8" if name in LONG else "<i4"


def _npy(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def _read_arrays(file: Path) -> CoverArrays:
    try:
        with np.load(file, allow_pickle=False) as archive:
            found = {name: archive[name] for name in archive.files}
        budget = float(found.pop(BUDGET))
        found["indices"] = np.cumsum(found.pop(STEPS), dtype=np.int64).astype(np.int32)
        arrays = CoverArrays(
            **{name: values.astype(_kind(name)) for name, values in found.items()},
            budget=None if np.isnan(budget) else budget,
        )
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as problem:
        reason = getattr(problem, "strerror", None) or f"{type(problem).__name__}: {problem}"
        raise ArtefactError(
            f"the problem's arrays cannot be read ({reason})", where=str(file), mend=MEND
        ) from problem
    fault = _misfit(arrays)
    if fault:
        raise ArtefactError(f"its arrays do not fit together: {fault}", where=str(file), mend=MEND)
    return arrays


def _misfit(arrays: CoverArrays) -> str:
    """What keeps arrays from being a problem; empty if nothing does."""
    rows, poses, mounts = len(arrays.demand), len(arrays.costs), len(arrays.group_costs)
    classes = len(arrays.allowed_uncovered)
    lengths = {
        "indptr": poses + 1, "groups": poses, "sites": mounts, "capacity": mounts,
        "row_cap": rows, "row_weight": rows, "row_class": rows,
    }  # fmt: skip
    for name in arrays.array_names():
        values = getattr(arrays, name)
        if values.ndim != 1 or (name in lengths and len(values) != lengths[name]):
            return f"{name} has the shape {values.shape}"
        if name in FLOATS and not np.isfinite(values).all():
            return f"{name} holds something that is no finite number"
    steps = np.diff(arrays.indptr)
    if arrays.indptr[0] != 0 or arrays.indptr[-1] != len(arrays.indices) or (steps < 0).any():
        return "indptr does not fit indices"
    limits = (("indices", rows), ("groups", mounts), ("row_class", classes))
    for name, limit in limits:
        values = getattr(arrays, name)
        if len(values) and not 0 <= values.min() <= values.max() < limit:
            return f"{name} goes beyond {limit}"
    return ""
