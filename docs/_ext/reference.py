"""The directive ``{reference}``: parts of the reference, generated from the code itself.

Verbs and options come from the command line, keys from the schema of ``project.toml``, errors from
their classes, columns from the artefacts and names from the package. What has no words of its own
in the code is an error here, so the reference cannot fall behind.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from docutils import nodes
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from reference_verbs import verbs_markdown
from reference_words import Undocumented, alternatives, first_paragraph, said, table
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import watchline
from watchline import errors
from watchline.cli.app import INTERRUPTED
from watchline.config.project import ProjectFile
from watchline.config.units import (
    Angle,
    Duration,
    Illuminance,
    Intensity,
    Length,
    Luminance,
    Power,
    Share,
    Speed,
)
from watchline.model import candidates, lighting, plan

QUANTITIES = (
    (Length, "length", "m"),
    (Share, "share", ""),
    (Duration, "duration", "s"),
    (Speed, "speed", "m/s"),
    (Angle, "angle", "deg"),
    (Power, "power", "W"),
    (Illuminance, "illuminance", "lx"),
    (Intensity, "intensity", "cd"),
    (Luminance, "luminance", "cd/m²"),
)
COLUMNS: dict[str, Mapping[str, str]] = {
    "mounts": candidates.MOUNT_COLUMNS,
    "cells": candidates.CELL_COLUMNS,
    "plan-mounts": plan.PLAN_MOUNT_COLUMNS,
    "plan-devices": plan.PLAN_DEVICE_COLUMNS,
    "poles": lighting.POLE_COLUMNS,
    "lights": lighting.LIGHT_COLUMNS,
}


# Keys of project.toml


def _table_of(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Table model of a field, and whether it is a list of tables."""
    for kind in alternatives(annotation):
        if typing.get_origin(kind) is list:
            (item,) = typing.get_args(kind)
            if isinstance(item, type) and issubclass(item, BaseModel):
                return item, True
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind, False
    return None, False


def tables(
    model: type[BaseModel] = ProjectFile, path: str = "", lists: bool = False
) -> Iterator[tuple[str, bool, type[BaseModel]]]:
    """Every table of the project file: its path, whether it may stand several times, its model."""
    yield path, lists, model
    for name, field in model.model_fields.items():
        inner, many = _table_of(field.annotation)
        if inner is not None:
            yield from tables(inner, f"{path}.{name}".lstrip("."), many)


def _quantity(field: FieldInfo) -> tuple[str, str] | None:
    """Name and SI unit of a field's quantity, found by the metadata of its type."""
    found = list(field.metadata)
    for kind in alternatives(field.annotation):
        found += getattr(kind, "__metadata__", ())
    return _named(found)


def _named(metadata: Iterable[Any]) -> tuple[str, str] | None:
    for kind, name, unit in QUANTITIES:
        if any(item == kind.__metadata__[0] for item in metadata):
            return name, unit
    return None


def _kind(field: FieldInfo) -> str:
    quantity = _quantity(field)
    if quantity is not None:
        return quantity[0]
    return " or ".join(_kind_name(kind) for kind in alternatives(field.annotation))


def _kind_name(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Annotated:
        quantity = _named(kind.__metadata__)
        if quantity is not None:
            return quantity[0]
        return _kind_name(typing.get_args(kind)[0])
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(f"`{value}`" for value in typing.get_args(kind))
    if typing.get_origin(kind) is list:
        return f"list of {_kind_name(typing.get_args(kind)[0])}"
    if typing.get_origin(kind) is dict:
        return f"table of {_kind_name(typing.get_args(kind)[1])}"
    return {str: "text", float: "number", int: "whole number", bool: "true or false"}[kind]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    quantity = _quantity(field)
    if quantity is not None and quantity[0] == "share":
        return f'`"{value * 100:g} %"`'
    if quantity is not None:
        return f'`"{value:g} {quantity[1]}"`'
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def table_markdown(path: str, many: bool, model: type[BaseModel]) -> str:
    """Section of one table of the project file."""
    brackets = f"[[{path}]]" if many else f"[{path}]"
    title = f"`{brackets}`" if path else "The file"
    rows = []
    for name, field in model.model_fields.items():
        where = f"{path}.{name}".lstrip(".")
        inner, _ = _table_of(field.annotation)
        if inner is not None:
            words = field.description or f"{first_paragraph(inner, where)} See below."
            rows.append(
                [f"`{name}`", "table", _default(field) if field.is_required() else "", words]
            )
            continue
        words = said(field.description, f"the key {where}")
        rows.append([f"`{name}`", _kind(field), _default(field), words])
    text = first_paragraph(model, f"the table {path or ProjectFile.__name__}")
    return f"## {title}\n\n{text}\n\n{table(['key', 'value', 'default', 'meaning'], rows)}"


def keys_markdown() -> str:
    """Sections of all tables of the project file; a table met again points to its first section."""
    parts = []
    first: dict[type[BaseModel], str] = {}
    for path, many, model in tables():
        if model in first:
            brackets = f"[[{path}]]" if many else f"[{path}]"
            words = first_paragraph(model, path)
            parts.append(f"## `{brackets}`\n\n{words} Keys as in `{first[model]}`.")
        else:
            first[model] = f"[[{path}]]" if many else f"[{path}]"
            parts.append(table_markdown(path, many, model))
    return "\n\n".join(parts)


# Errors, columns, names


def error_classes() -> list[type[errors.WatchlineError]]:
    """Every class of error, the base first."""

    def below(kind: type[errors.WatchlineError]) -> Iterator[type[errors.WatchlineError]]:
        yield kind
        for child in kind.__subclasses__():
            yield from below(child)

    return list(below(errors.WatchlineError))


def errors_markdown() -> str:
    """Table of the error classes."""
    rows = []
    for kind in error_classes():
        parent = "" if kind is errors.WatchlineError else f"`{kind.__base__.__name__}`"
        words = first_paragraph(kind, kind.__name__)
        words = re.sub(r"\(raised by `([^`]+)`\)", r"(raised by `\1`)", words)
        rows.append([f"`{kind.__name__}`", parent, str(kind.exit_code), words])
    return table(["class", "is a", "exit code", "when"], rows)


def exits_markdown() -> str:
    """Table of the exit codes."""
    by_code: dict[int, list[str]] = {}
    for kind in error_classes():
        by_code.setdefault(kind.exit_code, []).append(f"`{kind.__name__}`")
    meanings = {
        0: "all is well; after `plan` and `prove`: every binding claim holds",
        1: "a binding claim fails or is unknown; after `doctor`: something does not "
        "work; after `certificate`: the bound is not proven",
        2: "the verb was called wrongly",
        3: "bad input: the project, a file that it names, or a plan file",
        4: "no plan can satisfy the requirements",
        INTERRUPTED: "stopped by the user; finished steps are kept",
    }
    if set(by_code) - set(meanings):
        raise Undocumented(f"exit codes {set(by_code) - set(meanings)} have no meaning here")
    rows = [[str(c), words, ", ".join(by_code.get(c, []))] for c, words in meanings.items()]
    return table(["exit code", "meaning", "errors"], rows)


def columns_markdown(of: str) -> str:
    """Table of an artefact's columns."""
    return table(
        ["column", "meaning"],
        [[f"`{name}`", said(words, name)] for name, words in COLUMNS[of].items()],
    )


def public_names() -> list[str]:
    """Public names of the package that are documented one by one."""
    return [name for name in watchline.__all__ if not name.startswith("__")]


def api_markdown() -> str:
    """Documentation of every public name, in the order of ``watchline.__all__``."""
    parts = []
    for name in public_names():
        thing = getattr(watchline, name)
        first_paragraph(thing, f"watchline.{name}")
        kind = "autofunction"
        if inspect.isclass(thing):
            kind = "autoexception" if issubclass(thing, BaseException) else "autoclass"
        parts.append(f"```{{eval-rst}}\n.. {kind}:: watchline.{name}\n```")
    return "\n\n".join(parts)


def reference_markdown(what: str, of: str = "") -> str:
    """Markdown of one generated part of the reference.

    Parameters
    ----------
    what : str
        ``verbs``, ``keys``, ``errors``, ``exits``, ``columns`` or ``api``.
    of : str
        For ``columns``: whose.

    Raises
    ------
    Undocumented
        Something has no words in the code.
    """
    if what == "columns":
        return columns_markdown(of)
    makers = {
        "verbs": verbs_markdown,
        "keys": keys_markdown,
        "errors": errors_markdown,
        "exits": exits_markdown,
        "api": api_markdown,
    }
    return makers[what]()


class Reference(SphinxDirective):
    """The directive ``reference``."""

    required_arguments = 1
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse the generated Markdown in place."""
        try:
            text = reference_markdown(*self.arguments)
        except (KeyError, Undocumented) as error:
            raise self.error(f"reference {' '.join(self.arguments)}: {error}") from None
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("reference", Reference)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
