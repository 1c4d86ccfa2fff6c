"""The reference is complete, command lines in the docs parse, and the pages build."""

from __future__ import annotations

import importlib.util
import inspect
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel, Field

import watchline
from watchline.cli import app
from watchline.config.project import ProjectFile, project_schema
from watchline.model import candidates, plan

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^( *)```(?:bash|console|sh)\n(.*?)^ *```$", re.M | re.S)
INLINE = re.compile(r"`((?:\.venv/bin/)?watchline [^`\n]+)`")


def all_commands(group, before=""):
    """Every command by its words, those of sub-applications too."""
    found = {}
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        found |= all_commands(command, f"{name} ") if inner else {before + name: command}
    return found


COMMANDS = all_commands(typer.main.get_command(app))


@pytest.fixture(scope="module")
def reference():
    # As docs/conf.py does: its modules are beside one another.
    sys.path.insert(0, str(DOCS / "_ext"))
    spec = importlib.util.spec_from_file_location("reference", DOCS / "_ext" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference"] = module
    spec.loader.exec_module(module)
    return module


def verbs_of(reference):
    """The module of the verbs, which the reference has loaded."""
    return sys.modules[reference.verbs_markdown.__module__]


def test_options_in_sentences_are_code(reference):
    assert reference.said("With --skyline, as `see --to` and\n``--at``.", "it") == (
        "With `--skyline`, as `see --to` and `--at`."
    )


def test_every_verb_and_option_stands_in_the_reference(reference):
    text = reference.reference_markdown("verbs")
    assert set(verbs_of(reference).verbs()) == set(COMMANDS)
    for verb, command in COMMANDS.items():
        section = text.split(f"## {verb}\n", 1)[1].split("\n## ", 1)[0]
        for param in command.params:
            for spelling in param.opts:
                written = spelling if spelling.startswith("-") else spelling.upper()
                assert f"`{written}`" in section


def test_an_undocumented_verb_or_option_is_an_error(reference):
    told, untold = typer.Argument(help="A project."), typer.Argument()

    def silent(project: Path = told) -> None: ...

    def terse(project: Path = untold) -> None:
        """Say little."""

    def well(project: Path = told) -> None:
        """Say enough."""

    for function in (silent, terse):
        with pytest.raises(reference.Undocumented):
            verbs_of(reference).verb_markdown("verb", function)
    assert "Say enough." in verbs_of(reference).verb_markdown("verb", well)


def keys_of(schema: dict, node: dict) -> set[str]:
    found = set()
    for name, value in node.get("properties", {}).items():
        found.add(name)
        for ref in re.findall(r"#/\$defs/(\w+)", str(value)):
            found |= keys_of(schema, schema["$defs"][ref])
    return found


def test_every_key_of_the_project_file_stands_in_the_reference(reference):
    text = reference.reference_markdown("keys")
    schema = project_schema()
    for key in keys_of(schema, schema):
        assert f"| `{key}` |" in text
    for path, _, _ in reference.tables():
        if path:
            assert re.search(rf"^## `\[+{re.escape(path)}\]+`$", text, re.M)
    assert "None" not in text
    assert "typing" not in text


def test_defaults_and_units_are_those_of_the_schema(reference):
    text = reference.reference_markdown("keys")
    zone = text.split("## `[zone]`")[1].split("\n## ")[0]
    cell = ProjectFile.model_fields["zone"].annotation.model_fields["cell"].default
    assert f'| `cell` | length | `"{cell:g} m"` |' in zone
    assert "| `outer` | length | must be given |" in zone


def test_an_undocumented_key_is_an_error(reference):
    class Silent(BaseModel):
        """A table."""

        told: int = Field(1, description="Told.")
        untold: int = 2

    with pytest.raises(reference.Undocumented, match="untold"):
        reference.table_markdown("silent", False, Silent)


def test_every_public_name_stands_in_the_reference_with_words(reference):
    text = reference.reference_markdown("api")
    names = [name for name in watchline.__all__ if name != "__version__"]
    assert len(names) <= 25
    for name in names:
        assert re.search(rf"^\.\. auto\w+:: watchline\.{name}$", text, re.M)
        thing = getattr(watchline, name)
        words = inspect.getdoc(thing) or ""
        assert words
        if inspect.isfunction(thing):
            section = words.partition("Parameters\n---")[2]
            for parameter in inspect.signature(thing).parameters:
                assert re.search(rf"^[\w, ]*\b{parameter}\b[\w, ]*( : |$)", section, re.M), (
                    f"{name}: {parameter}"
                )


def test_every_error_and_exit_code_stands_in_the_reference(reference):
    text = reference.reference_markdown("errors")
    exits = reference.reference_markdown("exits")
    for kind in reference.error_classes():
        assert f"| `{kind.__name__}` |" in text
        assert f"| {kind.exit_code} |" in exits


def test_every_column_stands_in_the_reference(reference):
    artefacts = (DOCS / "reference" / "artefacts.md").read_text(encoding="utf-8")
    for of, columns in {
        "mounts": candidates.MOUNT_COLUMNS,
        "cells": candidates.CELL_COLUMNS,
        "plan-mounts": plan.PLAN_MOUNT_COLUMNS,
        "plan-devices": plan.PLAN_DEVICE_COLUMNS,
    }.items():
        assert f"{{reference}} columns {of}\n" in artefacts
        text = reference.reference_markdown("columns", of)
        assert all(f"| `{column}` |" in text for column in columns)


def command_lines():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for _, block in FENCE.findall(text):
            for line in block.splitlines():
                words = line.strip().removeprefix("$ ").removeprefix(".venv/bin/")
                if words.startswith("watchline "):
                    yield pytest.param(words, True, id=f"{page.name}: {words}")
        for words in INLINE.findall(text):
            words = words.removeprefix(".venv/bin/")
            yield pytest.param(words, False, id=f"{page.name}: {words}")


@pytest.mark.parametrize(("line", "whole"), list(command_lines()))
def test_command_lines_in_the_docs_parse(line, whole):
    words = shlex.split(line, comments=True)[1:]
    words = words[: words.index(">")] if ">" in words else words
    size = 2 if " ".join(words[:2]) in COMMANDS else 1
    verb, rest = " ".join(words[:size]), words[size:]
    if verb == "--version":
        return
    assert verb in COMMANDS, f"there is no verb '{verb}'"
    if whole:
        COMMANDS[verb].make_context(verb, list(rest))
        return
    known = {"--help"} | {name for param in COMMANDS[verb].params for name in param.opts}
    assert {word for word in rest if word.startswith("-")} <= known


def test_command_lines_are_found():
    whole = [param.values[0] for param in command_lines() if param.values[1]]
    assert {line.split()[1] for line in whole} >= {"init", "check", "plan", "prove", "export"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_toml_in_the_docs_is_toml(page):
    for _, block in re.findall(r"^( *)```toml\n(.*?)^ *```$", page.read_text("utf-8"), re.M | re.S):
        tomllib.loads(block)


def test_links_outside_the_docs_lead_to_files():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_pages_build_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    command += ["-d", str(tmp_path / "trees"), str(DOCS), str(tmp_path / "html")]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    page = (tmp_path / "html" / "explanation" / "pixel-density.html").read_text(encoding="utf-8")
    assert "<math " in page
    assert "cdn" not in page
    api = (tmp_path / "html" / "reference" / "api.html").read_text(encoding="utf-8")
    assert 'id="watchline.read_site"' in api
