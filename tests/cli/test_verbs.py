"""Every verb once, on real input: data on stdout, progress on stderr, exit codes."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import rasterio
import rich.console

import watchline as wl
from small_project import LIDAR, make_project, run_cli
from watchline.cli.catalogue import device_table
from watchline.io.catalogue import load_catalogue


def test_version_is_fast_and_imports_nothing_heavy():
    code = "import sys, watchline.cli.app; print(sorted({'numba', 'geopandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unknown_verb_and_option_are_usage_errors(monkeypatch, capsys):
    assert run_cli(monkeypatch, capsys, "plain")[0] == 2
    assert run_cli(monkeypatch, capsys, "plan", ".", "--colour")[0] == 2


def test_every_verb_takes_json_and_quiet():
    from typer.main import get_command

    from watchline.cli import app

    found = dict(get_command(app).commands)
    for name, command in list(found.items()):
        if hasattr(command, "commands"):
            found |= {f"{name} {inner}": c for inner, c in found.pop(name).commands.items()}
    assert "light show" in found
    for name, command in found.items():
        options = {flag for parameter in command.params for flag in parameter.opts}
        if name != "schema":  # its output is JSON in any case
            assert {"--json", "--quiet"} <= options, name


def test_schema_is_a_schema_that_the_examples_meet(monkeypatch, capsys):
    import tomllib

    import jsonschema

    code, out, _ = run_cli(monkeypatch, capsys, "schema")
    assert code == 0
    schema = json.loads(out)
    jsonschema.Draft202012Validator.check_schema(schema)
    for example in (LIDAR.parents[2]).glob("*/project.toml"):
        jsonschema.validate(tomllib.loads(example.read_text()), schema)
    assert json.loads(run_cli(monkeypatch, capsys, "schema", "catalogue")[1])
    code, _, err = run_cli(monkeypatch, capsys, "schema", "plan")
    assert code == 2
    assert "take project or catalogue" in err


def test_catalogue_lists_devices_with_reach(monkeypatch, capsys):
    code, out, _ = run_cli(monkeypatch, capsys, "catalogue")
    assert code == 0
    assert "fixed-8mp-25mm" in out
    assert "tower-20" in out
    data = json.loads(run_cli(monkeypatch, capsys, "catalogue", "--json")[1])
    assert data["devices"]["fixed-8mp-25mm"]["width_px"] == 3840


def test_the_catalogue_names_every_key_on_a_narrow_screen():
    found = load_catalogue(None)
    screen = io.StringIO()
    rich.console.Console(file=screen, width=80).print(device_table(found))
    assert all(key in screen.getvalue() for key in found.devices)
    assert "…" not in screen.getvalue()


def test_see_writes_what_the_function_gives(tmp_path, monkeypatch, capsys):
    target = tmp_path / "seen.tif"
    place = (564749.0, 146744.0, 10.0)
    at = ",".join(map(str, place))
    code, out, _ = run_cli(
        monkeypatch, capsys, "see", LIDAR, "--at", at, "--max-range", 300, "--to", target, "--json"
    )
    assert code == 0
    with rasterio.open(LIDAR) as raster:
        seen = wl.viewshed(raster.read(1), raster.transform, place, 1.7, 300.0)
    with rasterio.open(target) as raster:
        values = raster.read(1)
        assert raster.crs.to_epsg() == 3794
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    assert (values == 1).sum() == json.loads(out)["seen"] == np.ma.filled(seen, False).sum()
    code, _, err = run_cli(monkeypatch, capsys, "see", LIDAR, "--at", "here", "--to", target)
    assert code == 2
    assert "write x,y,h" in err


def test_doctor_finds_this_installation_well(monkeypatch, capsys):
    code, out, _ = run_cli(monkeypatch, capsys, "doctor", "--json")
    assert code == 0
    assert {finding["part"] for finding in json.loads(out)} >= {"solver", "ray caster", "PDF"}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = make_project(tmp_path_factory.mktemp("exported"))
    target = folder / "out"
    done = subprocess.run(
        [sys.executable, "-m", "watchline", "export", folder, "--to", target, "--json", "-q"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder, target, json.loads(done.stdout)["files"]


def test_export_writes_every_format(exported):
    _, target, files = exported
    assert {Path(file).name for file in files} >= {
        "plan.gpkg",
        "quantities.xlsx",
        "plan.kmz",
        "proof.json",
        "views_1.7m.tif",
    }
    assert all(Path(file).is_file() for file in files)
    assert "doc.kml" in zipfile.ZipFile(target / "plan.kmz").namelist()
    book = openpyxl.load_workbook(target / "quantities.xlsx")
    assert "Bill of quantities" in book.sheetnames


def test_report_copies_the_pages(exported, tmp_path, monkeypatch, capsys):
    folder, *_ = exported
    code, out, _ = run_cli(monkeypatch, capsys, "report", folder, "--to", tmp_path / "pages", "-q")
    assert code == 0
    assert (tmp_path / "pages" / "report.pdf").read_bytes().startswith(b"%PDF")
    page = (tmp_path / "pages" / "report.html").read_text(encoding="utf-8")
    assert "zone in overview" in page
    assert str(tmp_path / "pages" / "report.html") in out


def test_the_public_chain_in_python(exported, tmp_path):
    """The seven calls of the README, as a program from outside makes them."""
    folder, *_ = exported
    site = wl.read_site(folder)
    terrain = wl.build_terrain(site)
    candidates = wl.propose_candidates(site, terrain)
    visibility = wl.compute_visibility(terrain, candidates)
    plan = wl.design_plan(site, candidates, visibility)
    proof = wl.prove_plan(site, terrain, plan)
    report = wl.build_report(plan, proof)
    proof.raise_if_failed()
    assert 0 < plan.lower_bound <= plan.cost
    assert plan.gap == pytest.approx((plan.cost - plan.lower_bound) / plan.cost)
    wl.write_plan(plan, tmp_path / "plan.gpkg")
    wl.write_report(report, tmp_path / "report.html")
    assert wl.read_plan(tmp_path / "plan.gpkg").cost == pytest.approx(plan.cost)
    seen = wl.explain_cell(site, terrain, plan, *candidates.cells[["x", "y"]].iloc[0])
    assert seen
    assert len(wl.__all__) <= 25
    assert all(getattr(wl, name) is not None for name in wl.__all__)
