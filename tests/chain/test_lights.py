"""Lights through the whole chain on real terrain: plan, layers, proof, page, and after an edit."""

import json
import re
import sqlite3
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pyogrio
import pytest

from light_project import LIGHTS, make_light_project
from small_project import PROJECT, run_cli
from watchline.chain import lights as chain_lights
from watchline.chain.progress import Silent
from watchline.io.plan import read_plan
from watchline.io.project import read_site
from watchline.io.proof import read_proof
from watchline.model.plan import plan_digest
from watchline.prove.light_claims import LightProof


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
    # The plan of cameras and its report are kept, and say so.
    code, out, err = run_cli(monkeypatch, capsys, "plan", dark, "--json", "--quiet")
    assert code == 4
    assert re.search(r"s = \d+–\d+ m.*asks for 900 lx.*the cheapest relaxation is to", err, re.S)
    data = json.loads(out)
    assert data["devices"] > 0 and data["lights"]["lights"] == 0
    binding = [c for c in data["claims"] if c["binding"]]
    failing = {c["requirement"] for c in binding if c["verdict"] != "holds"}
    assert failing == {"person at the line: minimum", "zone lit: mean"}
    assert "asks for 900 lx" in Path(data["report"]).read_text("utf-8")


@pytest.fixture
def rounds(tmp_path, monkeypatch, planned):
    """Run the rounds of lights with designs and proofs from lists."""
    site = replace(planned.site, design=replace(planned.site.design, repair_rounds=3))

    def run(designs, verdicts):
        asked = []

        def round_(site, terrain, mounts, run, listener, folder, key, before, missed):
            asked.append((folder, key, before, missed))
            good = verdicts[len(asked) - 1]
            claim = replace(
                planned.light_proof.claims[0], binding=True, verdict="holds" if good else "fails"
            )
            points = planned.light_proof.points
            points = points.assign(lux=points["lux"] if good else 0.9 * points["lux"].min())
            return designs[len(asked) - 1], LightProof((claim,), points, 2.5)

        monkeypatch.setattr(chain_lights, "_light_round", round_)
        run_ = SimpleNamespace(keys={"terrain": "t"})
        found, proof = chain_lights.light_step(site, planned.terrain, None, run_, Silent())
        return found, proof, asked

    return run


def test_lights_that_fail_are_designed_again_until_they_hold(rounds, planned):
    first = planned.plan.lighting
    other = replace(first, lights=first.lights.assign(azimuth_deg=1.0))
    found, proof, asked = rounds([first, other], [False, True])
    assert len(asked) == 2 and proof.claims[0].verdict == "holds"
    assert len({key for _, key, _, _ in asked}) == 2
    assert asked[0][2:] == (None, None)
    assert asked[1][2] is first and len(asked[1][3].points["person at the line"]) > 0
    assert any("Round 1: the proof found 'person at the line: minimum'" in n for n in found.notes)
    assert "still does" not in found.notes[-1]
    # Where the same lights come again, nothing is asked a third time, and the notes say why.
    found, proof, asked = rounds([first, first], [False, False])
    assert len(asked) == 2 and proof.claims[0].verdict == "fails"
    assert "It still does: no other lights near there were found that mend it." in found.notes[-1]
    designs = [replace(first, lights=first.lights.assign(azimuth_deg=float(k))) for k in range(4)]
    found, proof, asked = rounds(designs, [False] * 4)
    assert len(asked) == 4 and "3 rounds were made" in found.notes[-1]
