"""The verbs of the command line as pages of the reference."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference_words import alternatives, said, table
from typer.models import ArgumentInfo, OptionInfo

from watchline.cli.app import app as cli_app


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
        (kind,) = alternatives(self.kind)
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
