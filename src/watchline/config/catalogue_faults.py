"""Faults of a catalogue file, each as one sentence: where, what, how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from watchline.errors import CatalogueError

SECTIONS = {"devices": "device", "structures": "structure"}
NO_SOURCE_NEEDED = frozenset({"id", "name", "kind", "sources"})
PITCH_UM = (0.5, 60.0)
"""Pixel pitches that exist, with room; outside, the sensor's width is in a wrong unit."""
KINDS = {"devices": "camera, thermal, ptz, panoramic or observer", "structures": "mast or tower"}


def suggest(word: str, known: list[str]) -> str:
    """How to mend a wrong key: the nearest known ones, or all of them.

    Parameters
    ----------
    word : str
        What was written.
    known : list of str
        What could have been meant.
    """
    near = difflib.get_close_matches(word, known, n=2, cutoff=0.6)
    if near:
        return "write " + " or ".join(f"'{name}'" for name in near) + ", if that is meant"
    return "take one of: " + ", ".join(known[:30]) if known else "remove it"


def translate(
    error: ValidationError,
    tables: Mapping[str, Any],
    where: str,
    keys_of: Callable[[str, object], list[str]],
) -> list[CatalogueError]:
    """One sentence for each fault that pydantic found.

    Parameters
    ----------
    error : ValidationError
        What pydantic raised.
    tables : mapping
        The file's content, from which entries take their names.
    where : str
        Name of the file.
    keys_of : callable
        Keys that a section's entry of a kind may have, ``keys_of(section, kind)``.
    """
    found = []
    for item in error.errors(include_url=False):
        steps = list(item["loc"])
        section = str(steps[0]) if steps else ""
        label, kind = "", None
        if section in SECTIONS and len(steps) > 1 and isinstance(steps[1], int):
            entry = tables[section][steps[1]]
            label = _label(section, steps[1], entry)
            kind = entry.get("kind") if isinstance(entry, Mapping) else None
            # A tagged union puts the kind between the entry's number and the key.
            steps = steps[3:] if section == "devices" else steps[2:]
        key = ".".join(str(step) for step in steps)
        place = ": ".join(part for part in (where, label) if part)
        what, mend = _sentence(item, key, section, kind, keys_of)
        found.append(CatalogueError(what, where=place, mend=mend))
    return found


def check_meaning(tables: Mapping[str, Any], where: str) -> list[CatalogueError]:
    """Faults that field types cannot express, also in entries that have other faults.

    Parameters
    ----------
    tables : mapping
        The file's content as the TOML parser gave it, however wrong.
    where : str
        Name of the file.

    Returns
    -------
    list of CatalogueError
        The same id twice, swapped focal lengths, impossible sensors, more than a full circle,
        values without a source, sources of values that are not there, unknown references.
    """
    found: list[CatalogueError] = []
    references = tables.get("references")
    references = references if isinstance(references, Mapping) else {}
    first: dict[str, str] = {}
    for section, number, entry in _entries(tables):
        label = _label(section, number, entry)
        place = f"{where}: {label}"
        key = entry.get("id")
        if isinstance(key, str):
            if key in first:
                found.append(
                    CatalogueError(
                        f"the id '{key}' stands twice (also as {first[key]})",
                        where=place,
                        mend="rename one",
                    )
                )
            first.setdefault(key, f"{section}[{number}]")
        found += [CatalogueError(what, where=place, mend=mend) for what, mend in _optics(entry)]
        found += _source_faults(entry, references, place)
    services = tables.get("services")
    if isinstance(services, Mapping):
        found += _source_faults(services, references, f"{where}: services")
    return found


def _entries(tables: Mapping[str, Any]) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    for section in SECTIONS:
        entries = tables.get(section)
        if isinstance(entries, list):
            for number, entry in enumerate(entries):
                if isinstance(entry, Mapping):
                    yield section, number, entry


def _label(section: str, number: int, entry: object) -> str:
    key = entry.get("id") if isinstance(entry, Mapping) else None
    return f"{SECTIONS[section]} '{key}'" if isinstance(key, str) else f"{section}[{number}]"


def _sentence(
    item: Any,
    key: str,
    section: str,
    kind: object,
    keys_of: Callable[[str, object], list[str]],
) -> tuple[str, str]:
    """What is wrong and how to mend it."""
    fault, limits, value = item["type"], item.get("ctx", {}), item.get("input")
    shown = f"{value!r}" if isinstance(value, str) else f"{value}"
    if fault == "extra_forbidden":
        known = keys_of(section if key != section else "", kind)
        return f"the key '{key}' is unknown", suggest(key, known)
    if fault == "list_type" and key == section in SECTIONS:
        return f"{key} is no list of tables", f"begin each entry with [[{key}]] and give it an id"
    if fault == "missing":
        if key == "sources":
            return (
                "there are no sources",
                'write sources = "assumption", or a table with each value',
            )
        named = key in NO_SOURCE_NEEDED or not section
        return f"{key} is missing", "add it" if named else "add it, with its source"
    if fault == "finite_number":
        return f"{key} is {shown}", "give a number"
    if fault.startswith("union_tag") or key == "kind":
        given = value.get("kind") if isinstance(value, Mapping) else value
        what = "kind is missing" if given is None else f"the kind {given!r} is unknown"
        return what, f"write {KINDS[section]}"
    if fault in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        limit = next(limits[name] for name in ("gt", "ge", "lt", "le") if name in limits)
        if limit == 0 and isinstance(value, int | float) and value < 0:
            return f"{key} {shown} is negative", "leave the sign out"
        words = {
            "greater_than": "above",
            "greater_than_equal": "of at least",
            "less_than": "below",
            "less_than_equal": "of at most",
        }
        return f"{key} is {shown}", f"give a number {words[fault]} {limit:g}"
    if fault == "string_pattern_mismatch":
        how = {
            "id": "use small letters, digits and hyphens",
            "currency": 'write three capitals, e.g. "EUR"',
        }.get(key, "correct it")
        return f"{key} {shown} is not written as it must be", how
    what, _, mend = item["msg"].removeprefix("Value error, ").partition("; ")
    if not mend:
        what = what[:1].lower() + what[1:]
        if isinstance(value, str | int | float | bool):
            what = f"{what}, not {shown}"
    return f"{key}: {what}" if key else what, mend or "correct it"


def _number(entry: Mapping[str, Any], key: str) -> float | None:
    value = entry.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _optics(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Contradictions between the values of a device."""
    low, high = _number(entry, "focal_min_mm"), _number(entry, "focal_max_mm")
    if low is not None and high is not None and low > high:
        yield f"focal_min_mm {low:g} is larger than focal_max_mm {high:g}", "swap them"
    width, pixels = _number(entry, "sensor_width_mm"), _number(entry, "width_px")
    if width is not None and pixels is not None and width > 0 and pixels > 0:
        pitch = 1000 * width / pixels
        if not PITCH_UM[0] <= pitch <= PITCH_UM[1]:
            yield (
                f"sensor_width_mm {width:g} over {pixels:g} px makes pixels of {pitch:.3g} µm",
                "give the width of the sensor's active area in mm",
            )
    sensors, spacing = _number(entry, "sensors"), _number(entry, "spacing_deg")
    if sensors is not None and spacing is not None and sensors * spacing > 360:
        yield (
            f"{sensors:g} sensors every {spacing:g} deg are more than a full circle",
            f"give a spacing_deg of at most {360 / sensors:g}",
        )


def _source_faults(
    entry: Mapping[str, Any], references: Mapping[str, Any], place: str
) -> list[CatalogueError]:
    """Values without a source, sources without a value, and unknown references."""
    sources = entry.get("sources")
    if isinstance(sources, str):
        texts: Mapping[str, Any] = {"sources": sources}
    elif isinstance(sources, Mapping):
        texts = sources
        values = [key for key in entry if key not in NO_SOURCE_NEEDED]
        missing = [key for key in values if key not in texts]
        surplus = [key for key in texts if key not in values]
        faults = [
            CatalogueError(
                f"sources names '{key}', which is not given",
                where=place,
                mend=suggest(key, missing or values),
            )
            for key in surplus
        ]
        if missing:
            have = "has" if len(missing) == 1 else "have"
            what = f"{', '.join(missing)} {have} no source"
            mend = f'write {missing[0]} = "assumption", or where it was read, into its sources'
            faults.insert(0, CatalogueError(what, where=place, mend=mend))
        return faults + _unknown_references(texts, references, place)
    else:
        return []
    return _unknown_references(texts, references, place)


def _unknown_references(
    texts: Mapping[str, Any], references: Mapping[str, Any], place: str
) -> list[CatalogueError]:
    return [
        CatalogueError(
            f"the source of {key}, '{text}', is not among the file's [references]",
            where=place,
            mend=suggest(text[1:], list(references))
            if references
            else "write the source itself, without @",
        )
        for key, text in texts.items()
        if isinstance(text, str) and text.startswith("@") and text[1:] not in references
    ]
