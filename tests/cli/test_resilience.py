"""``watchline resilience`` on real terrain: what it writes, prints and refuses."""

import json
from collections import Counter
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import Point

import watchline as wl
from breach_plans import hand_made_plan
from small_project import CRS, PROJECT, make_project, run_cli
from watchline.model.plan import PLAN_DEVICE_COLUMNS, Plan
from watchline.model.resilience import ResilienceRules
from watchline.prove.resilience import resilience_of
from watchline.report.resilience_page import resilience_page

TABLES = """
[resilience]
devices = { mtbf = "500 d", mttr = "2 d", common_cause = "10 %" }
stretch = "50 m"

[[feeders]]
name = "power"
start = "0 m"
end = "250 m"
mtbf_km = "1000 d"
mttr = "1 d"
supply_mtbf = "500 d"
supply_mttr = "4 h"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = make_project(tmp_path_factory.mktemp("resilience"), PROJECT + TABLES)
    (folder / "plans").mkdir()
    wl.write_plan(hand_made_plan(wl.read_site(folder)), folder / "plans" / "hand.gpkg")
    return folder


def test_it_judges_writes_and_agrees_with_the_proof(project, monkeypatch, capsys):
    plan = project / "plans" / "hand.gpkg"
    code, out, err = run_cli(
        monkeypatch, capsys, "resilience", project, "--plan", plan, "--json", "-q"
    )
    assert code == 0, err
    found = json.loads(out)
    assert found["elements"] == 6 + 3 + 3 + 1
    assert found["pairs"] == 13 * 12 // 2
    files = {file.rsplit("/", 1)[1]: file for file in found["files"]}
    losses = pd.read_csv(files["losses.csv"])
    assert len(losses) == 13
    assert losses["lost_m2"].is_monotonic_decreasing
    # The supply and the first piece of cable take everything with them.
    assert set(losses["name"][:2]) == {"power", "power, 0–40 m"}
    assert losses["devices"][:2].tolist() == [6, 6]
    # The whole plan's share is the proof's, and a mount's loss that of a plan without it.
    site = wl.read_site(project)
    terrain = wl.build_terrain(site)
    whole = hand_made_plan(site)
    claim = wl.prove_plan(site, terrain, whole).claims[0]
    assert found["whole"][0]["share"] == pytest.approx(claim.lower, abs=1e-12)
    without = Plan(
        "less", CRS, whole.mounts[whole.mounts["mount_id"] != "M001"],
        whole.devices[whole.devices["mount_id"] != "M001"], 0.0, None, "EUR", "edited",
    )  # fmt: skip
    left = wl.prove_plan(site, terrain, without).claims[0].lower
    row = losses[(losses["kind"] == "mount") & (losses["name"] == "M001")].iloc[0]
    assert row[f"kept:{claim.requirement}"] == pytest.approx(left, abs=1e-9)
    assert left < claim.lower
    # A ring needs a second cable here: there is no other one to tie to.
    mend = found["mends"][0]
    assert mend["element"].startswith("feeder")
    stretches = pd.read_csv(files["stretches.csv"])
    assert stretches["unseen"].between(0, 1).all()
    assert stretches["unseen"].max() > 0.004
    page = (project / files["resilience.html"]).read_text()
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_second_view_is_worth_what_is_told(project):
    """The mend's devices put into the plan, the mount taken out, and the proof asked."""
    site = wl.read_site(project)
    terrain = wl.build_terrain(site)
    plan = hand_made_plan(site)
    found = resilience_of(site, terrain, plan)
    (mend,) = [m for m in found.mends if m.devices and m.element.startswith("mount")]
    assert 0 <= mend.lost_m2 < mend.before_m2
    prices = [site.catalogue.devices[device.model].price for device in mend.devices]
    assert mend.cost == pytest.approx(sum(prices))
    lost = mend.element.removeprefix("mount ")
    carried = Counter(plan.devices["mount_id"])
    more = []
    for k, device in enumerate(mend.devices):
        assert device.mount_id != lost
        carried[device.mount_id] += 1
        mount = plan.mounts[plan.mounts["mount_id"] == device.mount_id].iloc[0]
        aim = (10.0, device.azimuth_deg, device.tilt_deg, device.focal_mm, 0.0, 0.0, 0.0)
        more.append((f"N{k}", device.mount_id, device.model, "camera", *aim, mount.geometry))
    structure = site.catalogue.structures["mast-10"]
    assert max(carried.values()) <= structure.capacity
    new = gpd.GeoDataFrame(more, columns=[*PLAN_DEVICE_COLUMNS, "geometry"], crs=CRS)
    devices = pd.concat([plan.devices, new], ignore_index=True)

    def share(devices):
        rest = Plan(
            "rest", CRS, plan.mounts[plan.mounts["mount_id"] != lost],
            devices[devices["mount_id"] != lost], 0.0, None, "EUR", "edited",
        )  # fmt: skip
        claim = wl.prove_plan(site, terrain, rest).claims[0]
        return claim.lower, claim.cells

    before, cells = share(plan.devices)
    after, _ = share(devices)
    area = found.cell_m**2
    assert found.whole[0].share - before == pytest.approx(mend.before_m2 / area / cells, abs=1e-9)
    # The new devices may also see what nobody saw: never less than told.
    assert after >= found.whole[0].share - mend.lost_m2 / area / cells - 1e-9
    assert after > before


def test_it_prints_tables_and_what_is_not_told(project, monkeypatch, capsys):
    plan = project / "plans" / "hand.gpkg"
    code, out, _ = run_cli(monkeypatch, capsys, "resilience", project, "--plan", plan, "-q")
    assert code == 0
    assert "Worst of 13 single losses" in out
    assert "Worst of all 78 pairs" in out
    assert "Mend of" in out
    assert "No mean times are told of mounts" in out
    assert "The project tells of no trunks" in out


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('end = "250 m"', 'end = "9 km"', "feeders[0].end: end (9000 m) lies beyond the line's"),
        ('mtbf = "500 d", mttr', 'mttr', "resilience.devices.mtbf"),
        ('start = "0 m"', 'start = "300 m"', "end (250 m) is not after start (300 m)"),
        ('mtbf_km = "1000 d"', 'mtbf_km = 1000', 'has no unit'),
    ],
)  # fmt: skip
def test_faults_of_the_tables_are_one_sentence(tmp_path, monkeypatch, capsys, old, new, words):
    assert old in TABLES
    folder = make_project(tmp_path, PROJECT + TABLES.replace(old, new, 1))
    code, _, err = run_cli(monkeypatch, capsys, "check", folder)
    assert code == 3
    assert words in err


def test_what_is_missing_is_said(project, monkeypatch, capsys):
    code, _, err = run_cli(monkeypatch, capsys, "resilience", project)
    assert code == 3
    assert "this project has no plan yet; run `watchline plan` first" in err


DEFENCE = """
[[adversaries]]
name = "on foot"
gaits = [{ name = "running", speed = "3 m/s" }]

[[barriers]]
name = "fence"
distance = "20 m"
delay = "10 s"

[detection]
grades = [{ px_per_m = 20, probability = "90 %", within = "10 s" }]

[response]
call_out = "10 s"
speed = "18 km/h"
cross_speed = "3 m/s"

[[patrols]]
name = "patrol"
start = "20 m"
end = "220 m"
"""


def test_a_patrol_gets_a_schedule_that_can_be_driven(project, tmp_path, monkeypatch, capsys):
    folder = make_project(tmp_path, PROJECT + TABLES + DEFENCE)
    plan = project / "plans" / "hand.gpkg"
    code, out, err = run_cli(
        monkeypatch, capsys, "resilience", folder, "--plan", plan, "--json", "-q"
    )
    assert code == 0, err
    found = json.loads(out)
    (patrol,) = found["patrols"]
    # 40 m of zone at 3 m/s on the level, from the middle of one edge's cell to that of the other's,
    # and the fence. Slopes cost time; on one of 5 % Tobler's walker gains 19 %.
    assert 10 + 35 / 3 * np.exp(-0.175) <= patrol["attack_s"] <= 10 + 3 * 40 / 3
    ticks = patrol["attack_ticks"]
    assert ticks == int(patrol["attack_s"] / patrol["tick_s"])
    places = patrol["places"]
    assert patrol["value"] >= ticks / (places + ticks - 1) - 1e-9
    assert patrol["caught"] <= patrol["bound"] + 4 * patrol["error"]
    assert patrol["mixed"] >= 0.95 * patrol["value"] - 1e-6
    turns = pd.read_csv(next(file for file in found["files"] if file.endswith("patrols.csv")))
    assert turns["time_s"].is_monotonic_increasing
    assert 86_000 < turns["time_s"].iloc[-1] <= 86_400
    assert turns["road_m"].between(20 - 1e-6, 220 + 1e-6).all()
    driven = turns["road_m"].diff().abs()[1:] / turns["time_s"].diff()[1:]
    assert driven.max() <= 5.0 * 1.05  # 18 km/h, and grades even out over both directions
    line = wl.read_site(folder).road.centreline
    on_road = [line.distance(Point(x, y)) for x, y in zip(turns["x"], turns["y"], strict=True)]
    assert max(on_road[:200]) < 1e-3


def test_a_chart_of_nothing_is_a_sentence(project):
    """Where no mean times are told, no stretch is ever unseen, and the page says why."""
    site = wl.read_site(project)
    untold = replace(site, resilience=ResilienceRules(stretch_m=50.0))
    plan = hand_made_plan(site)
    found = resilience_of(untold, wl.build_terrain(site), plan)
    page = resilience_page(found, untold, plan)
    assert "leaves a stretch unseen" in page
    assert page.count("Hours a year in which") == 0
    assert "each under its own condition" in page
    told = resilience_page(resilience_of(site, wl.build_terrain(site), plan), site, plan)
    assert "leaves a stretch unseen" not in told
    assert "Hours a year in which stretches are not seen whole" in told
