"""``watchline paths`` on real terrain: what it writes, prints and refuses."""

import json
from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest

import watchline as wl
from breach_plans import DEFENCE, hand_made_plan
from small_project import CRS, PROJECT, make_project, run_cli


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = make_project(tmp_path_factory.mktemp("paths"), PROJECT + DEFENCE)
    site = wl.read_site(folder)
    (folder / "plans").mkdir()
    wl.write_plan(hand_made_plan(site), folder / "plans" / "hand.gpkg")
    return folder


def test_it_finds_writes_and_proves(project, monkeypatch, capsys):
    plan = project / "plans" / "hand.gpkg"
    code, out, err = run_cli(monkeypatch, capsys, "paths", project, "--plan", plan, "--json", "-q")
    found = json.loads(out)
    assert code == (0 if found["holds"] else 1), err
    assert all(check["holds"] for check in found["checks"]), found["checks"]
    (adversary,) = found["adversaries"]
    assert [state["state"] for state in adversary["states"]] == ["normal", "fog"]
    normal, fog = (state["worst"] for state in adversary["states"])
    assert 0.0 <= fog <= normal <= 0.95
    assert adversary["path"]["responds"] in ("gate", "patrol")
    assert len(found["losses"]) == 3 + 6 + 2
    assert min(case["worst"] for case in found["losses"]) <= normal + 1e-9
    assert max(case["worst"] for case in found["losses"]) <= normal + 1e-9
    files = {file.rsplit("/", 1)[1]: file for file in found["files"]}
    curve = pd.read_csv(files["paths.csv"])
    assert curve["interruption:normal"].min() == pytest.approx(normal, rel=1e-4)
    paths = gpd.read_file(files["paths.gpkg"], layer="weakest_paths")
    assert paths.crs == CRS
    assert paths.length[0] > 30.0
    page = (project / files["paths.html"]).read_text()
    assert "on foot" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_it_prints_tables(project, monkeypatch, capsys):
    plan = project / "plans" / "hand.gpkg"
    code, out, _ = run_cli(monkeypatch, capsys, "paths", project, "--plan", plan, "-q", "--pairs")
    assert code in (0, 1)
    assert "Worst losses of two mounts" in out
    assert "mounts M000 and M001" in out
    assert "Least probability of interruption" in out
    assert "holds: on foot: no path has less" in out
    assert "Posts:" in out


def test_the_best_places_for_a_number_of_posts(project, monkeypatch, capsys):
    plan = project / "plans" / "hand.gpkg"
    code, out, _ = run_cli(
        monkeypatch, capsys, "paths", project, "--plan", plan, "-q", "--posts", 1
    )
    assert code in (0, 1)
    assert "Best places for 1 new post: s = " in out
    code, out, _ = run_cli(
        monkeypatch, capsys, "paths", project, "--plan", plan, "-q", "--posts", 1, "--json"
    )
    best = json.loads(out)["best_posts"]
    assert best["asked"] == 1
    assert len(best["posts"]) <= 1
    assert 0 < best["served_exits"] <= best["exits"]


def test_what_is_missing_is_said(project, tmp_path, monkeypatch, capsys):
    code, _, err = run_cli(monkeypatch, capsys, "paths", project)
    assert code == 3
    assert "this project has no plan yet; run `watchline plan` first" in err
    bare = make_project(tmp_path / "bare")
    plan = project / "plans" / "hand.gpkg"
    code, _, err = run_cli(monkeypatch, capsys, "paths", bare, "--plan", plan)
    assert code == 2
    assert "add [[adversaries]], [detection] and [response]" in err


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('distance = "30 m"', 'distance = "90 m"', "barriers[0].distance: distance (90 m) is not"),
        ('end = "240 m"', 'end = "9 km"', "patrols[0].end: end (9000 m) lies beyond the road's"),
        ('chainage = "60 m"', 'chainage = "9 km"', "posts[0].chainage: chainage 9000 m lies"),
        ('visibility = "40 m"', 'condition = "mist"', "'mist' is no condition of this project"),
        ('visibility = "40 m"', 'visibility = "40 m"\ncondition = "fog"', "give either condition"),
        ('name = "fog"', 'name = "normal"', "states[0].name: 'normal' is what the states leave"),
        ('probability = "5 %"', 'probability = "0 %"', "states[0].probability"),
        ('speed = "3 m/s" }', 'speed = 3 }', 'has no unit; write "3 m/s"'),
        ('[[posts]]', 'path_cell = "20 m"\n[[posts]]', "path_cell (20 m) is too coarse"),
        ("[detection]", "[detection2]", "detection2: this key is unknown; did you"),
        ('delay = "45 s"', 'delay = "45 s"\ndelays = { saw = "9 s" }', "carries 'saw'"),
        ('assessment = "5 s"', 'mtbf = "9 d"', "mtbf and mttr go together; give both"),
        ('gaits = [', 'grounds = { marsh = 0.5 }\ngaits = [', "'marsh' is no area of this project"),
    ],
)  # fmt: skip
def test_faults_of_the_tables_are_one_sentence(tmp_path, monkeypatch, capsys, old, new, words):
    assert old in DEFENCE
    folder = make_project(tmp_path, PROJECT + DEFENCE.replace(old, new, 1))
    code, _, err = run_cli(monkeypatch, capsys, "check", folder)
    assert code == 3
    assert words in err


def test_availability_by_mean_times(tmp_path):
    by_times = 'assessment = "5 s"\nmtbf = "98 d"\nmttr = "2 d"'
    text = PROJECT + DEFENCE.replace('assessment = "5 s"', by_times)
    site = wl.read_site(make_project(tmp_path, text))
    assert site.defence.detection.availability == pytest.approx(0.98)


def test_tables_that_belong_together_are_asked_for(tmp_path, monkeypatch, capsys):
    only = DEFENCE[: DEFENCE.index("[[barriers]]")]
    folder = make_project(tmp_path, PROJECT + only)
    code, _, err = run_cli(monkeypatch, capsys, "check", folder)
    assert code == 3
    assert "paths need adversaries, detection and response; add detection and response" in err


def test_a_plan_is_designed_for_interruption(tmp_path, monkeypatch, capsys):
    """Three masts on two thirds of the line leave its end open; posts alone do not close it."""
    wanted = DEFENCE.replace('required = "50 %"', 'required = "70 %"\npost_cost = 1000')
    mist = '[[conditions]]\nname = "mist"\nlike = "day"\nvisibility = "150 m"\n\n[[states]]'
    wanted = wanted.replace("[[states]]", mist).replace('visibility = "40 m"', 'condition = "mist"')
    folder = make_project(tmp_path, PROJECT + wanted)
    site = wl.read_site(folder)
    plan = hand_made_plan(site)
    few = replace(plan, mounts=plan.mounts.iloc[:2], devices=plan.devices.iloc[:3])
    (folder / "plans").mkdir()
    file = folder / "plans" / "few.gpkg"
    wl.write_plan(few, file)
    code, out, err = run_cli(
        monkeypatch, capsys, "paths", folder, "--plan", file, "--design", "--json", "-q"
    )
    assert code == 1, err
    found = json.loads(out)
    design = found["design"]
    assert found["worst"] < 0.7
    assert design["holds"], design["sentence"]
    assert design["devices_added"] > 0
    assert design["worst_after"] >= 0.7 - 1e-6
    assert 0 < design["lower_bound_of_addition"] <= design["cost_after"] - design["cost_before"]
    assert design["posts_cost"] == 1000 * len(design["posts"])
    assert all(check["holds"] for check in design["checks"])
    assert [choice["taken"] for choice in design["choices_of_posts"]].count(True) == 1
    stronger = next(file for file in found["files"] if file.endswith("interrupted.gpkg"))
    posts = gpd.read_file(stronger, layer="posts") if design["posts"] else ()
    assert len(posts) == len(design["posts"])
    code, out, err = run_cli(
        monkeypatch, capsys, "paths", folder, "--plan", stronger, "--json", "-q"
    )
    again = json.loads(out)
    if design["response_infeasible_entries"] == 0:
        assert code == 0, err
        assert again["worst"] == pytest.approx(design["worst_after"], abs=1e-6)
    # The proof of the plan has the same claim, from the plan's file alone.
    code, out, err = run_cli(monkeypatch, capsys, "prove", stronger, "--project", folder, "--json")
    proven = json.loads(out)
    (claim,) = [c for c in proven["claims"] if c["kind"] == "interruption"]
    assert claim["value"] == pytest.approx(again["worst"], abs=1e-9)
    assert claim["binding"]
    assert claim["unit"] == "P_I"
    page = next(file for file in found["files"] if file.endswith("paths.html"))
    assert "Designed for interruption" in (folder / page).read_text()


def test_what_no_choice_of_devices_reaches_is_told(tmp_path, monkeypatch, capsys):
    """Masts 200 m apart with one kind of camera cannot hold what four of the best could."""
    wanted = DEFENCE.replace('required = "50 %"', 'required = "90 %"')
    wanted = wanted.replace("px_per_m = 20", "px_per_m = 100")
    text = PROJECT.replace('spacing = "60 m"', 'spacing = "200 m"')
    text = text.replace(', "fixed-4mp-16mm", "fixed-8mp-12mm"]', "]")
    folder = make_project(tmp_path, text + wanted)
    plan = hand_made_plan(wl.read_site(folder))
    few = replace(plan, mounts=plan.mounts.iloc[:1], devices=plan.devices.iloc[:1])
    (folder / "plans").mkdir()
    file = folder / "plans" / "few.gpkg"
    wl.write_plan(few, file)
    code, out, err = run_cli(
        monkeypatch, capsys, "paths", folder, "--plan", file, "--design", "--json", "-q"
    )
    assert code == 1, err
    design = json.loads(out)["design"]
    assert not design["holds"]
    assert design["worst_after"] < 0.9
    assert "could not be reached at" in design["sentence"]
    assert "reaches it; there 'on foot' is interrupted with 0." in design["sentence"]
    assert "most is missing in 'normal' (95% of the time, 0." in design["sentence"]
