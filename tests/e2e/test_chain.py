"""The whole chain on real terrain, through the command line."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pytest

from small_project import PROJECT, make_project, run_cli
from watchline.io.plan import read_plan
from watchline.io.project import read_site
from watchline.io.terrain import build_terrain
from watchline.model.plan import plan_digest
from watchline.prove.proof import prove_plan


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


def test_a_budget_maximises_the_share(planned, tmp_path, monkeypatch, capsys):
    budget = round(planned[1]["cost"] * 0.85)
    text = PROJECT.replace("[design]", f"[design]\nbudget = {budget}")
    folder = make_project(tmp_path, text)
    code, out, err = run_cli(monkeypatch, capsys, "plan", folder, "--json", "--quiet")
    assert code == 1, err
    data = json.loads(out)
    assert data["status"] == "budget"
    assert data["cost"] <= budget
    share = data["claims"][0]["value"]
    assert 0.4 < share < 0.97
    code, out, _ = run_cli(monkeypatch, capsys, "certificate", data["folder"], "--json", "--quiet")
    assert code == 0
    found = json.loads(out)
    assert found["plan_bound"] is None
    assert 0 < found["covered"] <= found["bound"]
    assert found["gap"] == pytest.approx(1 - found["covered"] / found["bound"])


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
    from watchline.chain import rounds as chain_rounds
    from watchline.design.cover import cover, solve

    def interrupted(*_):
        raise KeyboardInterrupt

    folder = make_project(tmp_path)
    cover([1.0], [[0]], [1])  # compiles the solver, which the interrupt is not meant for
    with monkeypatch.context() as patched:
        patched.setattr(chain_rounds, "warm_up", lambda: 0.0)
        patched.setattr(solve, "relax", interrupted)
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


def test_the_bound_of_the_plan_is_certified(planned, tmp_path, monkeypatch, capsys):
    file = Path(planned[1]["certificate"])
    code, out, err = run_cli(monkeypatch, capsys, "certificate", file, "--json", "--quiet")
    assert code == 0, err
    found = json.loads(out)
    assert found["holds"] is True
    assert found["plan_cost"] == pytest.approx(planned[1]["cost"])
    assert found["plan_bound"] == pytest.approx(planned[1]["lower_bound"])
    assert 0 < found["bound"] <= planned[1]["lower_bound"] * (1 + 1e-6)
    code, out, _ = run_cli(monkeypatch, capsys, "certificate", file.parent, "--quiet")
    assert code == 0
    assert "The certificate holds" in out
    assert "other sites or aims might cost less" in out
    # Tampered with, it is refused in words; spoilt, it cannot be read.
    run = copy_of(planned, tmp_path) / "runs" / file.parent.name
    content = json.loads((run / "certificate.json").read_text())
    content["plan"]["lower_bound"] = planned[1]["lower_bound"] + 100.0
    (run / "certificate.json").write_text(json.dumps(content))
    code, out, _ = run_cli(monkeypatch, capsys, "certificate", run, "--quiet")
    assert code == 1
    assert "was changed after it was written" in out
    assert "not with" in out
    (run / "certificate.npz").write_bytes(b"spoilt")
    code, _, err = run_cli(monkeypatch, capsys, "certificate", run, "--quiet")
    assert code == 3
    assert err.count("\n") == 1


def test_a_certificate_beside_another_plan_is_refused(planned, tmp_path, monkeypatch, capsys):
    run = copy_of(planned, tmp_path) / "runs" / Path(planned[1]["folder"]).name
    devices = gpd.read_file(run / "plan.gpkg", layer="devices")
    devices["azimuth_deg"] = (devices["azimuth_deg"] + 5.0) % 360.0
    devices.to_file(run / "plan.gpkg", layer="devices", driver="GPKG")
    code, out, _ = run_cli(monkeypatch, capsys, "certificate", run, "--quiet")
    assert code == 1
    assert "is not the plan that was reported with this bound" in out


def test_why_is_kept_and_stands_in_the_report(planned, tmp_path, monkeypatch, capsys):
    folder = copy_of(planned, tmp_path)
    arguments = ("why", folder, "--effort", "0.02", "--json", "--quiet")
    code, out, err = run_cli(monkeypatch, capsys, *arguments)
    assert code == 0, err
    why = json.loads(out)
    run = Path(why["report"]).parent
    kinds = {change["kind"] for change in why["relaxations"]}
    assert kinds == {"share", "stretch"}  # one view, and no quality class below overview
    saved = [change["saved"] for change in why["relaxations"]]
    assert saved == sorted(saved, reverse=True)
    assert all(change["saved"] >= 0 for change in why["relaxations"])
    for change in (*why["relaxations"], why["reserve"]):
        assert change["cost"] >= change["lower_bound"] > 0
    assert why["base_cost"] <= planned[1]["cost"] + 1e-6
    assert why["reserve"]["cost"] > why["base_cost"]
    covered = [point["covered"] for point in why["curve"]]
    costs = [point["cost"] for point in why["curve"]]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < costs[0]
    assert all(p["covered"] >= p["asked"] - 1e-9 for p in why["curve"])
    assert all(p["cost"] >= p["lower_bound"] - 1e-6 for p in why["curve"])
    assert covered[0] >= 0.97
    page = (run / "report.html").read_text()
    assert "Why it costs this" in page
    # Again, nothing is searched; and planning again keeps the section.
    mark = (run / "steps" / "why.json").stat().st_mtime_ns
    assert json.loads(run_cli(monkeypatch, capsys, *arguments)[1]) == why
    assert (run / "steps" / "why.json").stat().st_mtime_ns == mark
    assert run_cli(monkeypatch, capsys, "plan", folder, "--quiet")[0] == 0
    assert (run / "report.html").read_text() == page


def test_why_of_a_budget_is_a_usage_error(tmp_path, monkeypatch, capsys):
    folder = make_project(tmp_path, PROJECT.replace("[design]", "[design]\nbudget = 9000"))
    code, _, err = run_cli(monkeypatch, capsys, "why", folder, "--quiet")
    assert code == 2
    assert "has no least cost to explain" in err


def test_a_search_starts_from_an_edited_plan(planned, tmp_path, monkeypatch, capsys):
    folder = copy_of(planned, tmp_path)
    mine = folder / "plans" / "mine.gpkg"
    mine.parent.mkdir()
    shutil.copy2(next(folder.glob("runs/*/plan.gpkg")), mine)
    mounts = gpd.read_file(mine, layer="mounts")
    mounts.loc[0, "geometry"] = mounts.geometry.iloc[0].__class__(
        mounts.geometry.iloc[0].x + 1.5, mounts.geometry.iloc[0].y + 0.5
    )
    mounts.to_file(mine, layer="mounts", driver="GPKG")
    arguments = ("plan", folder, "--start", mine, "--json", "--quiet")
    code, out, err = run_cli(monkeypatch, capsys, *arguments)
    assert code == 0, err
    data = json.loads(out)
    assert data["folder"] != planned[1]["folder"]
    assert data["lower_bound"] <= data["cost"]
    assert data["lower_bound"] <= planned[1]["cost"]
    code, out, _ = run_cli(monkeypatch, capsys, "certificate", data["folder"], "--json", "--quiet")
    assert code == 0
    run = Path(data["folder"])
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    assert json.loads(run_cli(monkeypatch, capsys, *arguments)[1])["cost"] == data["cost"]
    assert before == {p: p.stat().st_mtime_ns for p in run.rglob("*") if p.is_file()}


def test_a_wide_gap_stops_the_search_at_once(planned, tmp_path, monkeypatch, capsys):
    folder = copy_of(planned, tmp_path)
    out = run_cli(monkeypatch, capsys, "plan", folder, "--gap", "0.9", "--json", "--quiet")[1]
    data = json.loads(out)
    assert 0 < data["gap"] <= 0.9
    assert data["cost"] >= planned[1]["lower_bound"]


def test_a_plan_that_survives_each_loss(tmp_path, monkeypatch, capsys):
    """Whatever mount is taken out of the plan's file, the claim without it still holds."""
    text = PROJECT.replace("[design]", '[design]\nsurvive_loss = "mount"')
    folder = make_project(tmp_path, text)
    code, out, err = run_cli(monkeypatch, capsys, "plan", folder, "--json", "--quiet")
    data = json.loads(out)
    claims = {claim["requirement"]: claim for claim in data["claims"]}
    lost = claims["zone in overview, any one mount lost"]
    assert code == 0, err
    assert (lost["kind"], lost["verdict"]) == ("loss", "holds")
    assert claims["zone crouching, any one mount lost"]["binding"] is False
    plan = read_plan(Path(data["folder"]) / "plan.gpkg")
    site = read_site(folder)
    terrain = build_terrain(site)
    worst = 1.0
    for mount in plan.mounts["mount_id"]:
        rest = replace(
            plan,
            mounts=plan.mounts[plan.mounts["mount_id"] != mount],
            devices=plan.devices[plan.devices["mount_id"] != mount],
        )
        claim = prove_plan(site, terrain, rest).claims[0]
        assert claim.verdict == "holds"
        worst = min(worst, claim.value)
    assert worst == lost["value"]
