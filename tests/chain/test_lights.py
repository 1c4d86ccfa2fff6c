"""Lights through the whole chain on real terrain: plan, layers, proof, page, and after an edit."""

import json
import re
import sqlite3

import pyogrio
import pytest

from light_project import LIGHTS, make_light_project
from small_project import PROJECT, run_cli
from watchline.io.plan import read_plan
from watchline.io.project import read_site
from watchline.io.proof import read_proof
from watchline.model.plan import plan_digest


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    from watchline.chain.plan import plan_project

    folder = make_light_project(tmp_path_factory.mktemp("lights"))
    return plan_project(read_site(folder))


def test_a_plan_has_lights_that_hold(planned):
    lighting = planned.plan.lighting
    assert len(lighting.lights) > 2
    assert 0 < lighting.lower_bound <= lighting.cost
    claims = {claim.requirement: claim for claim in planned.proof.claims}
    for name in ("person at the line: minimum", "zone lit: mean", "across"):
        assert claims[name].verdict == "holds", claims[name].detail
    assert claims["person at the line: minimum"].value >= 1.0
    assert planned.proof.plan_sha256 == plan_digest(planned.plan)


def test_files_hold_the_lights(planned):
    plan = read_plan(planned.folder / "plan.gpkg", site=planned.site)
    assert plan.status == planned.plan.status
    assert plan.lighting.cost == planned.plan.lighting.cost
    assert plan.lighting.lower_bound == planned.plan.lighting.lower_bound
    assert plan_digest(plan) == plan_digest(planned.plan)
    layer = pyogrio.read_dataframe(planned.folder / "plan.gpkg", layer="lights")
    assert set(layer["sha256"]) == {planned.site.lighting.luminaires[0].photometry.sha256}
    proof = read_proof(planned.folder / "proof.json")
    assert proof.claims == planned.proof.claims
    page = (planned.folder / "lights.html").read_text("utf-8")
    assert page.count("<svg") >= 4
    assert "Isolux" in page and "http://" not in page.replace("http://www.w3.org", "")
    assert planned.site.lighting.luminaires[0].photometry.sha256[:12] in page
    report = (planned.folder / "report.html").read_text("utf-8")
    assert "person at the line: minimum" in report


def test_an_edited_light_is_proven_as_it_was_left(planned, tmp_path, monkeypatch, capsys):
    folder = planned.site.folder
    file = folder / "plans" / "edited.gpkg"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes((planned.folder / "plan.gpkg").read_bytes())
    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM lights WHERE light_id != 'L001'")
        connection.commit()
    connection.close()
    code, out, err = run_cli(monkeypatch, capsys, "prove", file, "--json")
    assert code == 1, err
    data = json.loads(out)
    assert data["lights"]["lights"] == 1
    assert data["lights"]["lower_bound"] is None
    claims = {claim["requirement"]: claim for claim in data["claims"]}
    assert claims["person at the line: minimum"]["verdict"] == "fails"
    assert claims["person at the line: minimum"]["unit"] == "lx"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE lights SET tilt_deg = 'down'")
        connection.commit()
    connection.close()
    code, _, err = run_cli(monkeypatch, capsys, "prove", file, "--json")
    assert code == 3
    assert re.search(r"layer lights: tilt_deg holds 'down', which is no number", err)


def test_lights_alone_have_a_verb(tmp_path, monkeypatch, capsys):
    folder = make_light_project(tmp_path)
    code, out, err = run_cli(monkeypatch, capsys, "light", "plan", folder, "--json")
    assert code == 0, err
    data = json.loads(out)
    assert data["holds"] and data["cost"] >= data["lower_bound"] > 0
    assert len(pyogrio.read_dataframe(data["layers"], layer="poles")) == data["poles"]
    code, out, _ = run_cli(monkeypatch, capsys, "light", "plan", folder)
    assert code == 0
    assert "Lights:" in out and "lx" in out
    plain = make_light_project(tmp_path / "plain", PROJECT)
    code, _, err = run_cli(monkeypatch, capsys, "light", "plan", plain)
    assert code == 3
    assert "says nothing of lights" in err
    dark = make_light_project(tmp_path / "dark", PROJECT + LIGHTS.replace('"1 lx"', '"900 lx"'))
    code, _, err = run_cli(monkeypatch, capsys, "light", "plan", dark)
    assert code == 4
    assert "all lights and aims together give" in err
