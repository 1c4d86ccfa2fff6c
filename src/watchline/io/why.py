"""``why.json``: what a plan's cost is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from watchline.errors import ArtefactError
from watchline.io.files import atomic_write
from watchline.io.json_text import to_json
from watchline.io.tables import MEND, damage, provenance_from
from watchline.model.provenance import SCHEMA_VERSION
from watchline.model.why import Change, CurvePoint, Why

WHY_FILE = "why.json"


def why_data(why: Why) -> dict[str, Any]:
    """The findings as plain values, with the gap of each change."""
    content = asdict(why)
    for key in ("requirements", "relaxations", "conditions"):
        content[key] = [_change_data(change) for change in getattr(why, key)]
    content["reserve"] = None if why.reserve is None else _change_data(why.reserve)
    content["provenance"] = why.provenance.as_dict()
    return {"schema_version": SCHEMA_VERSION, **content}


def _change_data(change: Change) -> dict[str, Any]:
    return asdict(change) | {"gap": change.gap}


def write_why(why: Why, path: Path | str) -> Path:
    """Write the findings.

    Parameters
    ----------
    why : Why
        What was found.
    path : Path or str
        The JSON file.

    Raises
    ------
    ArtefactError
        It cannot be written.
    """
    file = Path(path)
    with atomic_write(file) as temporary:
        temporary.write_text(to_json(why_data(why), indent=1) + "\n", encoding="utf-8")
    return file


def read_why(path: Path | str) -> Why:
    """The findings that were written.

    Parameters
    ----------
    path : Path or str
        The JSON file.

    Raises
    ------
    ArtefactError
        It is missing, damaged or of another version.
    """
    file = Path(path)
    with damage(file):
        content = json.loads(file.read_text(encoding="utf-8"))
        if content.pop("schema_version") != SCHEMA_VERSION:
            raise ArtefactError("it was made by another version", where=str(file), mend=MEND)
        reserve = content.pop("reserve")
        return Why(
            **content
            | {
                "requirements": tuple(_change(c) for c in content["requirements"]),
                "relaxations": tuple(_change(c) for c in content["relaxations"]),
                "conditions": tuple(_change(c) for c in content["conditions"]),
                "reserve": None if reserve is None else _change(reserve),
                "curve": tuple(CurvePoint(**point) for point in content["curve"]),
                "dearest": tuple((float(a), float(b), float(p)) for a, b, p in content["dearest"]),
                "notes": tuple(content["notes"]),
                "provenance": provenance_from(content["provenance"]),
            }
        )


def _change(values: Mapping[str, Any]) -> Change:
    return Change(**{key: value for key, value in values.items() if key != "gap"})
