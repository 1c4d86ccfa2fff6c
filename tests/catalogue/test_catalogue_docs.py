"""The generated reference is complete, and what the how-to says works."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
from sphinx.cmd.build import build_main

from watchline.config.catalogue import (
    DEVICE_ENTRIES,
    CatalogueFile,
    ServicesTable,
    StructureEntry,
)
from watchline.config.project import CandidatesTable, CatalogueTable
from watchline.errors import ManyFaults
from watchline.io.catalogue import load_catalogue

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference" / "catalogue.md").read_text(encoding="utf-8")
HOWTO = (DOCS / "howto" / "own-devices.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^ *```\{code-block\} toml\n *:caption: (\S+)\n(.*?)^ *```$", re.M | re.S)


@pytest.fixture(scope="module")
def extension():
    spec = importlib.util.spec_from_file_location(
        "catalogue_table", DOCS / "_ext" / "catalogue_table.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def text(extension):
    parts = re.findall(r"^```\{catalogue-table\} (\S+)$", PAGE, re.M)
    return "\n".join(extension.catalogue_markdown(part) for part in parts)


def test_every_item_stands_in_the_reference(text):
    catalogue = load_catalogue()
    for key in [*catalogue.devices, *catalogue.structures]:
        assert f"| `{key}` |" in text
        assert f"**`{key}`**" in text
    for name in ("overview", "scrutinise", "dori:monitor", "dori:identify"):
        assert f"| `{name}` |" in text


def test_every_key_stands_in_the_reference(text):
    for model in (CatalogueFile, StructureEntry, ServicesTable, *DEVICE_ENTRIES.values()):
        for key in model.model_fields:
            assert f"| `{key}` |" in text
    assert "None" not in text


def test_assumptions_are_starred_and_facts_are_not(text):
    row = next(line for line in text.splitlines() if line.startswith("| `thermal-640-35mm`"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2] == "640 × 512"
    assert cells[8] == "1079"
    assert cells[10].endswith("\\*")


def test_the_pages_build_without_a_warning(tmp_path):
    source = tmp_path / "docs"
    for name in ("reference/catalogue.md", "howto/own-devices.md"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text((DOCS / name).read_text(encoding="utf-8"), encoding="utf-8")
    (source / "explanation").mkdir()
    (source / "explanation" / "conditions.md").write_text("# Conditions\n", encoding="utf-8")
    (source / "index.md").write_text(
        "# Test\n```{toctree}\nreference/catalogue\nhowto/own-devices\n"
        "explanation/conditions\n```\n",
        encoding="utf-8",
    )
    (source / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(DOCS / '_ext')!r})\n"
        'extensions = ["myst_parser", "catalogue_table"]\n',
        encoding="utf-8",
    )
    assert build_main(["-q", "-W", "-b", "html", str(source), str(tmp_path / "html")]) == 0
    page = (tmp_path / "html" / "reference" / "catalogue.html").read_text(encoding="utf-8")
    assert "<table" in page
    assert "thermal-640-60mm" in page


def blocks(caption):
    found = [body for name, body in BLOCK.findall(HOWTO) if name == caption]
    return [re.sub(r"^   ", "", body, flags=re.M) for body in found]


def test_the_how_to_works_as_written(tmp_path):
    (own,) = blocks("catalogue/mine.toml")
    prices, names = (tomllib.loads(body) for body in blocks("project.toml"))
    path = tmp_path / "catalogue" / "mine.toml"
    path.parent.mkdir()
    path.write_text(own, encoding="utf-8")
    assert CatalogueTable.model_validate(names["catalogue"]).files == ["catalogue/mine.toml"]
    wanted = CandidatesTable.model_validate(names["candidates"])
    catalogue = load_catalogue([path], CatalogueTable(**prices["catalogue"]).prices)
    assert set(wanted.devices) <= set(catalogue.devices)
    assert set(wanted.structures) <= set(catalogue.structures)
    assert catalogue.structures["mast-8"].name == "Lattice mast 8 m"
    assert catalogue.structures["mast-8"].price == 5100
    assert catalogue.devices["acme-bx8-40mm"].sources["price"] == "ACME offer 4711"


def test_the_faults_that_the_how_to_shows_are_those_that_appear(tmp_path):
    (own,) = blocks("catalogue/mine.toml")
    wrong = own.replace("focal_max_mm = 40.0", "focal_max_mm = 4").replace(
        'power_w = "@sheet"\n', ""
    )
    path = tmp_path / "catalogue" / "mine.toml"
    path.parent.mkdir()
    path.write_text(wrong, encoding="utf-8")
    with pytest.raises(ManyFaults) as caught:
        load_catalogue([path], relative_to=tmp_path)
    for line in str(caught.value).splitlines():
        assert line in HOWTO
