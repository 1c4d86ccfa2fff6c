"""Faults of ``project.toml`` in words: what, where, and what was probably meant."""

from __future__ import annotations

import difflib

from pydantic import ValidationError

from watchline.config.project import project_schema
from watchline.errors import ProjectError, WatchlineError


def schema_faults(error: ValidationError, file: str) -> list[WatchlineError]:
    """One sentence for each fault that pydantic found."""
    faults: list[WatchlineError] = []
    for item in error.errors(include_url=False):
        key = ""
        for step in item["loc"]:
            key += f"[{step}]" if isinstance(step, int) else f".{step}" if key else str(step)
        kind, message = item["type"], item["msg"].removeprefix("Value error, ")
        what, _, mend = message.partition("; ")
        if kind == "extra_forbidden":
            parent = ".".join(str(s) for s in item["loc"][:-1] if not isinstance(s, int))
            what = "this key is unknown"
            mend = suggest(str(item["loc"][-1]), keys_of(parent))
        elif kind == "missing":
            what, mend = "this key is missing", "add it"
        elif not mend:
            given = item.get("input")
            shown = f", not {given!r}" if isinstance(given, str | int | float | bool) else ""
            what, mend = f"{what[:1].lower()}{what[1:]}{shown}", "correct it"
        faults.append(ProjectError(what, where=f"{file}: {key}" if key else file, mend=mend))
    return faults


def keys_of(path: str) -> list[str]:
    """Keys that a table of ``project.toml`` may have, by its dotted path without numbers."""
    schema = project_schema()
    node = schema
    for step in [step for step in path.split(".") if step]:
        child = node.get("properties", {}).get(step, {})
        options = [child, child.get("items", {}), *child.get("anyOf", [])]
        ref = next((option["$ref"] for option in options if "$ref" in option), None)
        if ref is None:
            return []
        node = schema["$defs"][ref.rsplit("/", 1)[1]]
    return list(node.get("properties", {}))


def suggest(word: str, known: list[str]) -> str:
    """What was probably meant by a word, or what there is."""
    near = difflib.get_close_matches(word, known, n=2, cutoff=0.5)
    if near:
        return "did you mean " + " or ".join(f"'{name}'" for name in near) + "?"
    return "take one of: " + ", ".join(known[:20]) if known else "remove it"
