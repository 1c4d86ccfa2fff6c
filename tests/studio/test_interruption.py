"""Claims on interruption come after the edit, and are those of `watchline prove`."""

import json
import os
import pickle
import queue
import signal
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import geopandas as gpd
import pytest

from breach_plans import DEFENCE
from small_project import run_cli
from studio_project import SOURCE, STUDIO_PROJECT, Server, make_studio_project, wait_for
from watchline.breach.study import study_plan
from watchline.chain.guard import with_interruption
from watchline.chain.plan import open_run
from watchline.chain.progress import Silent
from watchline.chain.prove import prove_whole
from watchline.io.plan import read_plan, write_plan
from watchline.io.project import read_site
from watchline.model.breach import Interruption
from watchline.prove.proof import prove_plan
from watchline.studio.edit_answers import AimDevice, EditRequest, MoveMount, RemoveDevice
from watchline.studio.interruption import Interruptions
from watchline.studio.studio import Studio

WAIT_S = 90.0
TEXT = STUDIO_PROJECT + DEFENCE


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_studio_project(tmp_path_factory.mktemp("interrupted") / "small", TEXT)


@pytest.fixture(scope="module")
def studio(folder):
    opened = Studio(folder)
    yield opened
    opened.close()


def judged(studio, name):
    """The claims on a plan, when none is waited for any more."""

    def news():
        found = studio.news(name)
        return None if found.waits else found

    return wait_for(news, WAIT_S)


def interrupted(claims):
    return [(c.requirement, c.verdict, c.value) for c in claims if c.kind == "interruption"]


def turn(device, azimuth):
    return AimDevice(action="aim_device", device_id=device, azimuth_deg=azimuth)


def edit(studio, name, revision, *edits):
    return studio.edit(name, revision, EditRequest(edits=list(edits)), 0.0)


def test_figures_after_edits_are_those_of_prove(studio, folder, monkeypatch, capsys):
    detail = studio.detail("computed")
    name, revision = "computed", detail.revision
    site, terrain = studio._project.site, studio._project.terrain
    mount = detail.mount_list[1]
    moved = MoveMount(
        action="move_mount", mount_id=mount.mount_id, lon=mount.lon + 8e-5, lat=mount.lat
    )
    steps = (
        [turn("D001", 33.0)],
        [RemoveDevice(action="remove_device", device_id="D004")],
        [moved, AimDevice(action="aim_device", device_id="D007", tilt_deg=18.0)],
    )
    figures, paths = [interrupted(judged(studio, name).claims)], []
    for edits in steps:
        answer = edit(studio, name, revision, *edits)
        name, revision = answer.plan, answer.revision
        assert not studio.layer("weakest_path", name).features  # none that is stale
        told = {c.requirement: c for c in answer.claims if c.kind == "interruption"}
        assert all(c.waits and c.verdict == "unknown" for c in told.values()) and told
        assert not {c.requirement for c in answer.changed_claims} & told.keys()
        assert not answer.holds
        news = judged(studio, name)
        assert news.revision == revision
        studio.save(name)
        plan = read_plan(folder / "plans" / f"{name}.gpkg", site=site)
        _, proof, _ = prove_whole(site, terrain, plan, Silent())
        opened = studio._plans.open(name)
        assert opened.stands().claims == proof.claims
        assert news.holds == proof.holds == opened.stands().holds
        assert [(c.requirement, c.value, c.verdict) for c in news.claims] == [
            (c.requirement, c.value, c.verdict) for c in proof.claims
        ]
        whole = opened.whole_proof()
        assert whole.claims == proof.claims and whole.plan_sha256 == proof.plan_sha256
        assert whole.chainage.equals(proof.chainage)
        drawn = studio.layer("weakest_path", name).features
        assert [path.properties["adversary"] for path in drawn] == [
            path.adversary for path in study_plan(site, terrain, plan).adversaries
        ]
        paths.append(str([path.geometry for path in drawn]))
        figures.append(interrupted(news.claims))
    assert len(set(map(str, figures))) == len(figures)  # each edit changed them
    assert len(set(paths)) > 1
    assert any(0.0 < value < 1.0 for found in figures for _, _, value in found)
    assert {verdict for found in figures for _, verdict, _ in found} == {"holds", "fails"}
    _, out, _ = run_cli(
        monkeypatch, capsys, "prove", folder / "plans" / f"{name}.gpkg", "--json", "-q"
    )
    told = [(c["requirement"], c["verdict"], c["value"]) for c in json.loads(out)["claims"]]
    assert told == [(c.requirement, c.verdict, c.value) for c in news.claims]

    back = studio.step(name, revision, -1, None, 0.0)  # a figure that is known is there at once
    assert interrupted(back.claims) == figures[-2] and not any(c.waits for c in back.claims)
    assert {"interrupted: on foot"} <= {c.requirement for c in back.changed_claims}
    found = studio.difference("computed", name)
    assert {"interrupted: on foot"} <= {c.requirement for c in found.claims} and not found.waiting
    files = [folder / "plans" / f"{name}.gpkg", next(folder.glob("runs/*/plan.gpkg"))]
    studio.save(name)
    _, out, _ = run_cli(monkeypatch, capsys, "diff", *files, "--json", "-q")
    shown = {c["requirement"]: c["value_before"] for c in json.loads(out)["claims"]}
    assert shown["interrupted: on foot"] == figures[-2][0][2]


def test_the_latest_edit_wins(studio):
    judged(studio, "computed")
    begun = studio._project.interruptions._number
    name, revision, digests = "computed", studio.detail("computed").revision, []
    for azimuth in (11.0, 12.0, 13.0):
        answer = edit(studio, name, revision, turn("D002", azimuth))
        name, revision = answer.plan, answer.revision
        digests.append(studio._plans.open(name).digest)
    assert studio.difference("computed", name).waiting == ["interrupted: on foot"]
    found = judged(studio, name)
    assert found.revision == revision
    assert studio._project.interruptions._number == begun + 1
    known = studio._project.interruptions._known
    assert digests[2] in known and not {*digests[:2]} & known.keys()

    # One that runs already is stopped by a newer one; where it had ended by then it is kept.
    first = edit(studio, name, revision, turn("D002", 14.0))
    wait_for(lambda: studio._project.interruptions._job, WAIT_S)
    second = edit(studio, name, first.revision, turn("D002", 15.0))
    found = judged(studio, name)
    assert found.revision == second.revision
    opened = studio._plans.open(name)
    _, proof, _ = prove_whole(studio._project.site, studio._project.terrain, opened.plan, Silent())
    assert interrupted(found.claims) == interrupted(proof.claims)


def test_a_newer_edit_stops_the_search_for_an_older_one(studio, monkeypatch):
    """Both ends of the protocol: a stop is sent for the plan that was overtaken, and obeyed."""
    site, terrain = studio._project.site, studio._project.terrain
    waiting, letters = Interruptions(site, lambda: terrain), queue.SimpleQueue()
    out, into = (os.fdopen(end, mode) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True))
    waiting._letters = letters
    monkeypatch.setattr(waiting, "_begun", lambda: SimpleNamespace(stdout=out))

    def letter():
        return pickle.loads(letters.get(timeout=WAIT_S))

    def answer(**message):
        pickle.dump(message, into)
        into.flush()

    waiting.ask("a", "old plan", "old")
    assert letter() == (1, "old plan")
    assert waiting.standing("old").waits == "the weakest paths are sought"
    waiting.ask("b", "other plan", "other")
    assert waiting.standing("other").waits == "another plan is judged first"
    waiting.ask("a", "new plan", "new")
    assert letter() == (1, None)
    answer(number=1, stopped=True)
    second = [letter()]
    answer(number=2, found=Interruption(("of the second",), None, ()))
    second.append(letter())
    answer(number=3, fault="it cannot be judged.")
    assert [number for number, _ in second] == [2, 3]
    assert {plan for _, plan in second} == {"other plan", "new plan"}
    wait_for(lambda: waiting._job is None and not waiting._waiting)
    stands = [waiting.standing("other"), waiting.standing("new")]
    assert ("of the second",) in [one.claims for one in stands]
    assert "not judged: it cannot be judged; save the plan" in str(stands)
    assert "not judged yet" in waiting.standing("old").claims[0].detail
    waiting.close()

    with subprocess.Popen(
        [sys.executable, "-m", "watchline.studio.judge"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    ) as process:
        plan = studio._plans.open("computed").plan
        for message in ((site, terrain), (1, None), (1, plan)):
            pickle.dump(message, process.stdin)
        process.stdin.flush()
        assert pickle.load(process.stdout) == {"number": 1, "stopped": True}
        pickle.dump((2, plan), process.stdin)
        process.stdin.flush()
        while "found" not in (message := pickle.load(process.stdout)):
            assert message.keys() == {"number", "share"} and 0.0 <= message["share"] <= 1.0
        assert interrupted(message["found"].claims)
        assert message["found"].paths
        process.stdin.close()
        assert process.wait(20) == 0


def test_a_process_that_dies_is_told_and_another_one_goes_on(studio):
    detail = studio.detail("computed")
    answer = edit(studio, "computed", detail.revision, turn("D003", 21.0))
    wait_for(lambda: studio._project.interruptions._job, WAIT_S)
    wait_for(lambda: studio._project.interruptions._process, WAIT_S)
    os.kill(studio._project.interruptions._process.pid, signal.SIGKILL)
    found = judged(studio, answer.plan)
    (claim,) = [c for c in found.claims if c.kind == "interruption"]
    assert claim.verdict == "unknown" and not claim.waits
    assert "ended before its time" in claim.detail and "watchline prove" in claim.detail
    again = edit(studio, answer.plan, answer.revision, turn("D003", 22.0))
    found = judged(studio, again.plan)
    assert "unknown" not in {c.verdict for c in found.claims}


def test_what_the_run_found_is_taken_from_it(tmp_path):
    folder = make_studio_project(tmp_path / "small", TEXT)
    project = folder / "project.toml"
    with_run = Studio(folder)
    site, terrain = with_run._project.site, with_run._project.terrain
    with_run.close()
    run = open_run(site, Silent())
    plan = read_plan(run.folder / "plan.gpkg", site=site)
    proof = with_interruption(site, terrain, plan, prove_plan(site, terrain, plan), Silent(), run)
    opened = Studio(folder)
    claims = opened.detail("computed").claims
    assert interrupted(claims) == interrupted(proof.claims) and claims
    assert opened._project.interruptions._thread is None  # nothing was judged for it
    copied = opened.copy("computed", "same")
    assert interrupted(copied.claims) == interrupted(proof.claims)
    opened.close()

    project.write_text(TEXT.replace('required = "50 %"', 'required = "51 %"'))
    other = Studio(folder)
    (claim,) = [c for c in other.detail("computed").claims if c.kind == "interruption"]
    assert claim.waits and claim.target == 0.51
    other.close()


def test_posts_of_the_plan_stay_with_it_and_count(tmp_path):
    """What `watchline paths --design` adds to a plan is not lost by an edit of it."""
    text = TEXT.partition("[[posts]]")[0]
    folder = make_studio_project(tmp_path / "small", text)
    site = read_site(folder)
    run = open_run(site, Silent())
    plan = read_plan(run.folder / "plan.gpkg", site=site)
    place = plan.mounts.geometry.iloc[1:2].tolist()
    posts = gpd.GeoDataFrame(
        {"name": ["new"], "s": [90.0], "t": [34.0], "cost": [0.0]}, geometry=place, crs=site.crs
    )
    write_plan(replace(plan, posts=posts), run.folder / "plan.gpkg", site=site)
    opened = Studio(folder)
    try:
        answer = edit(opened, "computed", opened.detail("computed").revision, turn("D001", 33.0))
        ((_, verdict, value),) = interrupted(judged(opened, answer.plan).claims)
        opened.save(answer.plan)
        saved = read_plan(folder / "plans" / f"{answer.plan}.gpkg", site=site)
        assert saved.posts["name"].tolist() == ["new"]
        assert (verdict, value > 0) == ("holds", True)  # nobody would come without that post
        assert "posts" in [layer.name for layer in opened.layers() if layer.plan]
        (drawn,) = opened.layer("posts", answer.plan).features
        assert drawn.properties["name"] == "new"
        marks = opened.strip(answer.plan, "day", 20.0).marks
        assert [m.name for m in marks if m.kind == "post"] == ["new"]
    finally:
        opened.close()


def test_the_page_is_told_by_events(folder, studio):
    studio.close()  # one studio at a time holds a project
    server = Server(folder)
    try:
        client = server.client
        plan = client.get("/api/plans/computed").json()
        answer = client.post(
            "/api/plans/computed/edits",
            headers={"If-Match": plan["revision"]},
            json={"edits": [{"action": "aim_device", "device_id": "D004", "azimuth_deg": 33.0}]},
        ).json()
        with client.stream("GET", f"/api/plans/{answer['plan']}/claims/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            events = [
                json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")
            ]
        assert events[0]["waits"] and not events[-1]["waits"] and len(events) < 60
        assert {e["revision"] for e in events} == {answer["revision"]}
        (last,) = [c for c in events[-1]["claims"] if c["kind"] == "interruption"]
        assert last["verdict"] in ("holds", "fails") and last["waits"] == ""
        assert client.get("/api/plans/nowhere/claims/events").status_code == 404
        assert client.get(f"/api/plans/{answer['plan']}/claims").json() == events[-1]
    finally:
        assert server.end() == 0
