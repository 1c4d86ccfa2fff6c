"""The visibility step: on the disk chunk by chunk, told, kept, and made again where it must be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from small_project import PROJECT, make_project
from watchline.chain import visibility as step
from watchline.chain.keys import step_keys
from watchline.chain.plan import open_run
from watchline.chain.progress import Silent
from watchline.design.propose import propose_candidates
from watchline.design.see import sight_note
from watchline.errors import ManyFaults
from watchline.io.project import read_site
from watchline.io.terrain import build_terrain
from watchline.model.site import VisibilityRules

FAN = PROJECT + '\n[visibility]\nmethod = "fan"\nspacing = 0.25\n'


class Listener(Silent):
    def __init__(self):
        self.said, self.shares, self.steps = [], [], []

    def step(self, name, detail=""):
        self.steps.append((name, detail))

    def share(self, done):
        self.shares.append(done)

    def say(self, sentence):
        self.said.append(sentence)


def world(folder, text=PROJECT):
    site = read_site(make_project(folder, text))
    terrain = build_terrain(site)
    listener = Listener()
    run = open_run(site, listener)
    return site, terrain, propose_candidates(site, terrain), run, listener


def test_the_step_tells_what_it_takes_and_is_kept(tmp_path):
    job = world(tmp_path)
    made = step.visibility_of(*job)
    listener, run = job[-1], job[-2]
    assert listener.steps[0][0] == "visibility"
    assert listener.shares[-1] == 1.0
    assert any("MB of memory at a time" in sentence for sentence in listener.said)
    stamp = (run.folder / "visibility.zarr").stat().st_mtime_ns
    again = step.visibility_of(*job)
    assert (run.folder / "visibility.zarr").stat().st_mtime_ns == stamp
    assert again.method == made.method
    for mount in range(made.mounts):
        np.testing.assert_array_equal(again.visible_at(mount), made.visible_at(mount))


def test_a_spoilt_chunk_is_made_again_with_a_sentence(tmp_path):
    job = world(tmp_path)
    wanted = step.visibility_of(*job).visible_at(0)
    chunk = next((job[-2].folder / "visibility.zarr" / "visible" / "c" / "0").iterdir())
    chunk.unlink()
    found = step.visibility_of(*job)
    assert any("not what was written" in said and "made again" in said for said in job[-1].said)
    np.testing.assert_array_equal(found.visible_at(0), wanted)


def test_an_interrupted_step_leaves_nothing_and_is_made_whole(tmp_path, monkeypatch):
    job = world(tmp_path)
    monkeypatch.setattr("watchline.design.corridor.CHUNK_RAYS", 10_000)

    def stop(done):
        if done > 0.3:
            raise KeyboardInterrupt

    monkeypatch.setattr(job[-1], "share", stop)
    with pytest.raises(KeyboardInterrupt):
        step.visibility_of(*job)
    assert not list(job[-2].folder.glob("visibility*"))
    monkeypatch.undo()
    assert step.visibility_of(*job).visible_at(0).any()


def test_a_fan_prints_and_keeps_its_measured_error(tmp_path):
    job = world(tmp_path, FAN)
    made = step.visibility_of(*job)
    assert job[0].visibility == VisibilityRules("fan", 0.25)
    assert any("fan against exact on" in sentence for sentence in job[-1].said)
    assert "rays at most 0.25 cells apart" in made.method
    assert made.method in sight_note(step.visibility_of(*job))


def test_a_repair_round_gets_a_folder_of_its_own(tmp_path):
    job = world(tmp_path)
    step.visibility_of(*job)
    step.round_visibility(*job)
    step.round_visibility(*job)
    assert (job[-2].folder / "rounds" / "visibility.zarr").is_dir()
    assert (job[-2].folder / "visibility.zarr").is_dir()


def test_the_method_is_in_the_key_of_what_depends_on_it_and_of_nothing_else(tmp_path):
    site = read_site(make_project(tmp_path))
    keys = step_keys(site)
    for rules in (VisibilityRules("fan", 0.5), VisibilityRules("fan", 0.25)):
        other = step_keys(replace(site, visibility=rules))
        changed = {name for name, key in keys.items() if other[name] != key}
        # Which fine cells are hard to see is told by the same method, so candidates depend on it.
        assert changed == set(keys) - {"terrain"}
        keys = other


@pytest.mark.parametrize(
    ("table", "word"), [('method = "guess"', "method"), ("spacing = 1.5", "spacing")]
)
def test_what_is_no_method_is_refused(tmp_path, table, word):
    folder = make_project(tmp_path, f"{PROJECT}\n[visibility]\n{table}\n")
    with pytest.raises(ManyFaults) as caught:
        read_site(folder)
    assert f"visibility.{word}" in str(caught.value)
