"""The whole chain on real terrain, through the command line."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from small_project import PROJECT, make_project, run_cli, write_dem
from watchline.io.plan import read_plan
from watchline.model.plan import plan_digest


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """A planned project and what the plan verb printed; tests must not change it."""
    folder = make_project(tmp_path_factory.mktemp("planned"))
    done = subprocess.run(
        [sys.executable, "-m", "watchline", "plan", folder, "--json", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def copy_of(planned, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(planned[0], folder)
    return folder


def test_the_plan_holds_and_says_its_cost_bound_and_gap(planned):
    _, data = planned
    assert data["holds"] is True
    assert data["cost"] >= data["lower_bound"] > 0
    assert data["gap"] == pytest.approx((data["cost"] - data["lower_bound"]) / data["cost"])
    claims = {claim["requirement"]: claim for claim in data["claims"]}
    overview = claims["zone in overview"]
    assert overview["verdict"] == "holds"
    assert overview["value"] >= overview["target"] == 0.97
    assert claims["zone crouching"]["binding"] is False
    assert Path(data["report"]).is_file()


def test_every_output_is_there(planned):
    folder = Path(planned[1]["folder"])
    names = {path.name for path in folder.iterdir()}
    wanted = {"terrain.tif", "candidates.parquet", "cells.parquet", "visibility.zarr"}
    wanted |= {"plan.gpkg", "proof.json", "quantities.xlsx", "plan.kmz", "report.html"}
    wanted |= {"report.pdf", "run.jsonl", "views_1.7m.tif", "px_per_m_1.7m.tif"}
    assert wanted <= names
    assert not [name for name in names if ".part-" in name]


def test_planning_again_computes_nothing(planned, monkeypatch, capsys):
    folder, data = planned
    run = Path(data["folder"])
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    code, out, _ = run_cli(monkeypatch, capsys, "plan", folder, "--json", "--quiet")
    assert code == 0
    assert json.loads(out)["cost"] == data["cost"]
    after = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    assert after == before


def test_a_changed_requirement_takes_over_what_it_can(planned, tmp_path, monkeypatch, capsys):
    folder = copy_of(planned, tmp_path)
    text = (folder / "project.toml").read_text().replace('"97 %"', '"95 %"')
    (folder / "project.toml").write_text(text)
    code, out, _ = run_cli(monkeypatch, capsys, "plan", folder, "--json", "--quiet")
    assert code == 0
    run = Path(json.loads(out)["folder"])
    log = [json.loads(line) for line in (run / "run.jsonl").read_text().splitlines()]
    taken = {event["step"] for event in log if "taken_from" in event}
    assert {"terrain", "candidates", "visibility"} <= taken
    assert "plan-0" in {event["step"] for event in log if "seconds" in event}


def test_the_same_seed_gives_the_same_plan(planned, tmp_path, monkeypatch, capsys):
    folder = make_project(tmp_path)
    code, out, _ = run_cli(monkeypatch, capsys, "plan", folder, "--json", "--quiet")
    assert code == 0
    one = read_plan(Path(planned[1]["folder"]) / "plan.gpkg")
    two = read_plan(Path(json.loads(out)["folder"]) / "plan.gpkg")
    assert plan_digest(one) == plan_digest(two)


def test_a_killed_run_keeps_its_finished_steps(tmp_path):
    folder = make_project(tmp_path)
    command = [sys.executable, "-m", "watchline", "plan", str(folder), "--json", "--quiet"]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while not list(folder.glob("runs/*/steps/visibility.json")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    marks = {p: p.stat().st_mtime_ns for p in folder.glob("runs/*/steps/*.json")}
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for mark, stamp in marks.items():
        assert mark.stat().st_mtime_ns == stamp
    run = Path(json.loads(done.stdout)["folder"])
    steps = [json.loads(line)["step"] for line in (run / "run.jsonl").read_text().splitlines()]
    assert steps.count("visibility") == 1
    assert "report" in steps


def test_a_moved_and_turned_device_is_judged_anew(planned, tmp_path, monkeypatch, capsys):
    folder = copy_of(planned, tmp_path)
    mine = folder / "plans" / "mine.gpkg"
    mine.parent.mkdir()
    shutil.copy2(next(folder.glob("runs/*/plan.gpkg")), mine)
    devices = gpd.read_file(mine, layer="devices")
    devices["azimuth_deg"] = (devices["azimuth_deg"] + 180.0) % 360.0
    devices.to_file(mine, layer="devices", driver="GPKG")
    code, out, _ = run_cli(monkeypatch, capsys, "prove", mine, "--json", "--quiet")
    data = json.loads(out)
    assert code == 1
    assert data["holds"] is False
    assert data["status"] == "edited"
    assert data["lower_bound"] is None
    claim = next(c for c in data["claims"] if c["requirement"] == "zone in overview")
    assert claim["verdict"] == "fails"
    assert claim["failing_chainages_m"]
    unedited = next(folder.glob("runs/*/plan.gpkg"))
    code, out, _ = run_cli(monkeypatch, capsys, "prove", unedited, "--json", "--quiet")
    assert code == 0
    assert json.loads(out)["cost"] == planned[1]["cost"]


def test_diff_says_what_an_edit_changed(planned, tmp_path, monkeypatch, capsys):
    folder = copy_of(planned, tmp_path)
    before = next(folder.glob("runs/*/plan.gpkg"))
    after = folder / "after.gpkg"
    shutil.copy2(before, after)
    devices = gpd.read_file(after, layer="devices")
    lost = devices["device_id"].iloc[0]
    devices.iloc[1:].to_file(after, layer="devices", driver="GPKG")
    code, out, err = run_cli(monkeypatch, capsys, "diff", before, after, "--quiet")
    assert code == 0, err
    assert lost in out


def infeasible(tmp_path, text, monkeypatch, capsys):
    code, out, err = run_cli(monkeypatch, capsys, "plan", make_project(tmp_path, text), "--quiet")
    assert code == 4, err
    assert out == ""
    assert "Traceback" not in err
    return err


def test_out_of_reach_is_explained(tmp_path, monkeypatch, capsys):
    text = PROJECT.replace('quality = "overview"\nshare = "97 %"', 'quality = "scrutinise"')
    err = infeasible(tmp_path, text, monkeypatch, capsys)
    assert re.search(r"chainage \d+–\d+ m.*'zone in overview' cannot hold on [\d,]+ cells", err)
    assert "set share" in err


def test_too_few_mounts_is_explained(tmp_path, monkeypatch, capsys):
    text = PROJECT.replace('share = "97 %"', "views = 8")
    text = text.replace('spacing = "60 m"', 'spacing = "400 m"\ncrest_spacing = "400 m"')
    err = infeasible(tmp_path, text, monkeypatch, capsys)
    assert re.search(r"too few different mounts \(8 asked\)", err)
    assert "set views" in err


def test_unknown_ground_is_explained_and_never_counts(tmp_path, monkeypatch, capsys):
    def hole(heights):
        heights = heights.copy()
        heights[195:225, 215:245] = np.nan
        return heights

    folder = make_project(tmp_path, PROJECT.replace('"97 %"', '"100 %"'))
    write_dem(folder / "inputs" / "dem.tif", hole)
    err = infeasible(tmp_path, PROJECT.replace('"97 %"', '"100 %"'), monkeypatch, capsys)
    assert "without terrain data" in err
    relaxed = re.search(r'set share = "([\d.]+) %"', err)
    (folder / "project.toml").write_text(PROJECT.replace('"97 %"', f'"{relaxed[1]} %"'))
    out = run_cli(monkeypatch, capsys, "plan", folder, "--json", "--quiet")[1]
    claim = json.loads(out)["claims"][0]
    assert claim["upper"] > claim["lower"]
    assert claim["verdict"] in ("holds", "unknown")


def test_a_budget_maximises_the_share(planned, tmp_path, monkeypatch, capsys):
    budget = round(planned[1]["cost"] * 0.6)
    text = PROJECT.replace("[design]", f"[design]\nbudget = {budget}")
    folder = make_project(tmp_path, text)
    code, out, err = run_cli(monkeypatch, capsys, "plan", folder, "--json", "--quiet")
    assert code == 1, err
    data = json.loads(out)
    assert data["status"] == "budget"
    assert data["cost"] <= budget
    share = data["claims"][0]["value"]
    assert 0.4 < share < 0.97


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path, monkeypatch, capsys):
    import errno

    folder = make_project(tmp_path)

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        code, _, err = run_cli(monkeypatch, capsys, "plan", folder, "--quiet")
    assert code == 3
    assert "full" in err or "space" in err
    assert err.count("\n") <= 2
    assert not [p for p in folder.rglob("*") if ".part-" in p.name]
    assert run_cli(monkeypatch, capsys, "plan", folder, "--quiet")[0] == 0


def test_init_writes_a_project_that_plans(tmp_path, monkeypatch, capsys):
    source = make_project(tmp_path / "source")
    folder = tmp_path / "border"
    line, dem = source / "inputs" / "line.geojson", source / "inputs" / "dem.tif"
    code, out, err = run_cli(
        monkeypatch, capsys, "init", line, dem, "--folder", folder, "--side", "left"
    )
    assert code == 0, err
    assert "EPSG:326" in (folder / "project.toml").read_text()
    code, out, err = run_cli(monkeypatch, capsys, "check", folder)
    assert code == 0, err
    assert "Nothing is wrong" in out
    code, _, err = run_cli(monkeypatch, capsys, "init", line, dem, "--folder", folder)
    assert code == 2
    assert "exists already" in err


def test_an_interrupted_search_reports_its_best_and_is_not_kept(
    planned, tmp_path, monkeypatch, capsys
):
    from watchline.chain import plan as chain_plan
    from watchline.design.cover.run import Run

    def interrupted(*_):
        raise KeyboardInterrupt

    folder = make_project(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(chain_plan, "warm_up", lambda: 0.0)
        patched.setattr(Run, "relax", interrupted)
        code, out, err = run_cli(patched, capsys, "plan", folder, "--json", "--quiet")
    assert code in (0, 1), err
    data = json.loads(out)
    assert data["status"] == "interrupted"
    assert "interrupted" in data["notes"][0]
    assert data["cost"] >= planned[1]["cost"]
    assert Path(data["report"]).is_file()
    code, out, _ = run_cli(monkeypatch, capsys, "plan", folder, "--json", "--quiet")
    again = json.loads(out)
    assert again["status"] != "interrupted"
    assert (again["cost"], again["lower_bound"]) == (
        planned[1]["cost"],
        planned[1]["lower_bound"],
    )


def test_one_site_of_two_heights_is_one_view(tmp_path, monkeypatch, capsys):
    """Two heights of one site exclude each other, so they never count as two mounts."""
    text = PROJECT.replace('share = "97 %"', 'share = "97 %"\nviews = 2')
    folder = make_project(tmp_path, text)
    (folder / "project.toml").write_text(
        text.replace('road_clearance = "2 m"', 'road_clearance = "35 m"').replace(
            'spacing = "60 m"', 'spacing = "4000 m"\ncrest_spacing = "4000 m"'
        )
        + '\n[[exclusions]]\nname = "most"\n'
        + 'circle = { chainage = "255 m", offset = "67 m", radius = "225 m" }\n'
    )
    code, _, err = run_cli(monkeypatch, capsys, "plan", folder, "--quiet")
    assert code == 4, err
    assert "too few different mounts (2 asked)" in err
    assert "one by one but not together" not in err
