"""The directive ``{reference}``: parts of the reference, generated from the code itself.

Verbs and options come from the command line, keys from the schema of ``project.toml``, errors from
their classes, columns from the artefacts and names from the package. What has no words of its own
in the code is an error here, so the reference cannot fall behind.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer.models import ArgumentInfo, OptionInfo

import watchline
from watchline import errors
from watchline.cli.app import INTERRUPTED
from watchline.cli.app import app as cli_app
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


# Verbs


@dataclass(frozen=True)
class Parameter:
    """One argument or option of a verb, as its function declares it."""

    name: str
    kind: Any
    info: ArgumentInfo | OptionInfo

    @property
    def is_argument(self) -> bool:
        """Whether it is told by its place."""
        return isinstance(self.info, ArgumentInfo)

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.info.default is ...

    @property
    def spellings(self) -> list[str]:
        """How it is written: the argument's name, or every spelling of the option."""
        if self.is_argument:
            return [self.name.upper()]
        declared = list(getattr(self.info, "param_decls", None) or ())
        return declared or ["--" + self.name.replace("_", "-")]

    @property
    def value(self) -> str:
        """What is written behind it."""
        words = {Path: "path", float: "number", int: "whole number", str: "text"}
        if self.kind is bool:
            return ""
        low, high = self.info.min, self.info.max
        limits = ("" if low is None else f" from {low:g}") + (
            "" if high is None else f" to {high:g}"
        )
        (kind,) = _alternatives(self.kind)
        if typing.get_origin(kind) is list:
            return f"{words[typing.get_args(kind)[0]]}{limits}, several times"
        return words[kind] + limits

    @property
    def default(self) -> str:
        """What holds where it is not given."""
        if self.required:
            return "must be given"
        default = self.info.default
        if default is None or default is False or default == []:
            return ""
        if isinstance(default, list):
            default = ", ".join(map(str, default))
        return f"`{default}`"


def verbs() -> dict[str, Callable[..., None]]:
    """Functions of the command line by verb, in the order of its help; then those of two words."""
    found = {str(c.name): c.callback for c in cli_app.registered_commands if c.callback}
    for group in cli_app.registered_groups:
        inner = group.typer_instance
        if inner is not None:
            name = str(inner.info.name)
            found |= {
                f"{name} {c.name}": c.callback for c in inner.registered_commands if c.callback
            }
    return found


def parameters(function: Callable[..., None]) -> list[Parameter]:
    """Arguments and options of a verb's function."""
    hints = typing.get_type_hints(function)
    declared = inspect.signature(function).parameters
    return [Parameter(name, hints[name], p.default) for name, p in declared.items()]


def usage(verb: str, function: Callable[..., None]) -> str:
    """How a verb is called."""
    words = ["watchline", *verb.split()]
    for param in parameters(function):
        if param.is_argument:
            name = param.spellings[0] + ("..." if typing.get_origin(param.kind) is list else "")
            words.append(name if param.required else f"[{name}]")
    if not all(param.is_argument for param in parameters(function)):
        words.append("[OPTIONS]")
    return " ".join(words)


def verb_markdown(verb: str, function: Callable[..., None]) -> str:
    """Section of one verb."""
    paragraphs = (inspect.getdoc(function) or "").split("\n\n")
    parts = [
        f"({verb.replace(' ', '-')}-verb)=\n## {verb}",
        "```text\n" + usage(verb, function) + "\n```",
    ]
    parts += [said(text, f"the verb {verb}") for text in paragraphs]
    rows = [
        [
            ", ".join(f"`{spelling}`" for spelling in param.spellings),
            param.value,
            param.default,
            said(param.info.help, f"{param.name} of the verb {verb}"),
        ]
        for param in parameters(function)
    ]
    return "\n\n".join([*parts, table(["name", "value", "default", "meaning"], rows)])


def verbs_markdown() -> str:
    """Sections of all verbs."""
    return "\n\n".join(verb_markdown(verb, function) for verb, function in verbs().items())


# Keys of project.toml


def _alternatives(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [a for a in typing.get_args(annotation) if a is not type(None)]
    return [annotation]


def _table_of(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Table model of a field, and whether it is a list of tables."""
    for kind in _alternatives(annotation):
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
    for kind in _alternatives(field.annotation):
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
    return " or ".join(_kind_name(kind) for kind in _alternatives(field.annotation))


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
