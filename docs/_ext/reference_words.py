"""Words and tables of the generated reference, and what it says of kinds."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Iterable
from typing import Any


class Undocumented(Exception):
    """Something has no words in the code."""


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """Markdown table; bars within cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines
    )


def said(words: str | None, what: str) -> str:
    """The words on a thing, on one line.

    Raises
    ------
    Undocumented
        There are none.
    """
    text = re.sub(r"\s+", " ", words or "").strip()
    if not text:
        raise Undocumented(f"{what} has no description in the code")
    text = text.replace("``", "`")
    # An option outside of code would have its hyphens joined to a dash.
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"(?<![\w-])(--[a-z][a-z-]*)", r"`\1`", part) for part in parts[::2]]
    return "".join(parts)


def first_paragraph(thing: object, what: str) -> str:
    """First paragraph of a docstring, on one line."""
    return said((inspect.getdoc(thing) or "").split("\n\n")[0], what)


def alternatives(annotation: Any) -> list[Any]:
    """The kinds that a value may have, None apart."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [a for a in typing.get_args(annotation) if a is not type(None)]
    return [annotation]
