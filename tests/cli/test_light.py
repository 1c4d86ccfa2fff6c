"""``watchline light show``: figures on stdout, the diagram in a file, faults in a sentence."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio

from photometry_cases import DATA
from small_project import run_cli

FLOOD = DATA / "photometry" / "projector.ldt"


def test_show_prints_the_figures(monkeypatch, capsys):
    code, out, _ = run_cli(monkeypatch, capsys, "light", "show", FLOOD)
    assert code == 0
    for said in ("5,158 lm", "79.4 %", "5,402 cd", "C 165.0°, γ 44.0°", "20.0° × 67.2°"):
        assert said in out
    data = json.loads(run_cli(monkeypatch, capsys, "light", "show", FLOOD, "--json")[1])
    assert data["flux_lm"] == pytest.approx(5158.0, abs=0.1)
    assert data["efficiency"] == pytest.approx(data["flux_lm"] / 6500)
    assert data["picture"] is None


def test_unknown_figures_are_null_and_warnings_are_said(monkeypatch, capsys):
    file = DATA / "photometry_synthetic" / "C_half_nonuni.ies"
    code, out, _ = run_cli(monkeypatch, capsys, "light", "show", file)
    assert code == 0
    assert "Warning: C planes are up to 40° apart" in out
    data = json.loads(run_cli(monkeypatch, capsys, "light", "show", file, "--json")[1])
    assert data["lamp_flux_lm"] is None
    assert data["warnings"]


def test_the_diagram_is_a_picture(tmp_path, monkeypatch, capsys):
    svg, png = tmp_path / "flood.svg", tmp_path / "flood.png"
    for file in (svg, png):
        assert run_cli(monkeypatch, capsys, "light", "show", FLOOD, "--to", file)[0] == 0
    root = ElementTree.fromstring(svg.read_text("utf-8"))
    curves = [e for e in root.iter() if e.get("class") in ("curve-cost", "curve-bound")]
    assert len(curves) == 4  # two in the diagram, two in its legend
    with rasterio.open(png) as picture:
        pixels = picture.read()
    assert pixels.shape[1] > 800
    assert len(np.unique(pixels[0])) > 20
    code, _, err = run_cli(monkeypatch, capsys, "light", "show", FLOOD, "--to", tmp_path / "a.gif")
    assert code == 2
    assert ".svg or .png" in err


def test_a_broken_file_is_one_sentence(tmp_path, monkeypatch, capsys):
    file = tmp_path / "broken.ldt"
    file.write_bytes(FLOOD.read_bytes()[:2000])
    code, out, err = run_cli(monkeypatch, capsys, "light", "show", file)
    assert code == 3
    assert not out
    assert "line" in err
    assert err.count("\n") == 1
