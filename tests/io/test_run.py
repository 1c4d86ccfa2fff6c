"""Runs: nothing is computed twice, and whatever was finished survives."""

import json

import pytest

from watchline.errors import ArtefactError
from watchline.io.run import Run


class Step:
    """A step that writes a number and counts how often it was made."""

    def __init__(self):
        self.made = 0

    def make(self):
        self.made += 1
        return self.made

    def write(self, value, folder):
        (folder / "n.txt").write_text(str(value))

    def read(self, folder):
        text = (folder / "n.txt").read_text()
        if not text.isdigit():
            raise ArtefactError("it is spoilt", where="n.txt", mend="nothing to do")
        return int(text)

    def run(self, run, key=None):
        return run.step("count", ("n.txt",), self.make, self.write, self.read, key=key)


@pytest.fixture
def said():
    return []


def make_run(tmp_path, said, name="a", key="k"):
    return Run(tmp_path / "runs" / name, {"count": key}, said.append)


def test_a_finished_step_is_read_back(tmp_path, said):
    step = Step()
    assert step.run(make_run(tmp_path, said)) == 1
    assert step.run(make_run(tmp_path, said)) == 1
    assert step.made == 1
    log = (tmp_path / "runs" / "a" / "run.jsonl").read_text().splitlines()
    assert json.loads(log[0])["step"] == "count"


def test_another_key_makes_it_again(tmp_path, said):
    step = Step()
    step.run(make_run(tmp_path, said))
    assert step.run(make_run(tmp_path, said, key="other")) == 2


def test_a_sister_run_with_the_same_key_lends_its_files(tmp_path, said):
    step = Step()
    step.run(make_run(tmp_path, said))
    assert step.run(make_run(tmp_path, said, name="b")) == 1
    assert (tmp_path / "runs" / "b" / "n.txt").read_text() == "1"
    assert step.made == 1


def test_a_step_that_died_while_writing_is_made_again(tmp_path, said):
    step = Step()

    def dies(value, folder):
        (folder / "n.txt").write_text("half")
        raise KeyboardInterrupt

    run = make_run(tmp_path, said)
    with pytest.raises(KeyboardInterrupt):
        run.step("count", ("n.txt",), step.make, dies, step.read)
    assert step.run(run) == 2


def test_remaking_does_not_trust_an_old_mark(tmp_path, said):
    step = Step()
    run = make_run(tmp_path, said)
    step.run(run)

    def dies(value, folder):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.step("count", ("n.txt",), step.make, dies, step.read, key="new")
    # The old mark is gone: the file may be half of the new one.
    assert step.run(run) == 3


def test_a_spoilt_file_is_said_and_made_again(tmp_path, said):
    step = Step()
    run = make_run(tmp_path, said)
    step.run(run)
    (run.folder / "n.txt").write_text("rubbish")
    assert step.run(run) == 2
    assert "it is spoilt" in said[0]


def test_writing_again_leaves_the_sister_alone(tmp_path, said):
    step = Step()
    one = make_run(tmp_path, said)
    step.run(one)
    two = make_run(tmp_path, said, name="b")
    step.run(two)
    assert (one.folder / "n.txt").samefile(two.folder / "n.txt")


def test_an_unfinished_artefact_is_written_but_never_taken_over(tmp_path, said):
    step = Step()
    run = make_run(tmp_path, said)
    step.run(run)
    key = "new"
    arguments = ("count", ("n.txt",), step.make, step.write, step.read)
    assert run.step(*arguments, key=key, finished=lambda _: False) == 2
    assert (run.folder / "n.txt").read_text() == "2"
    assert run.step(*arguments, key=key) == 3
    assert run.step(*arguments, key=key) == 3
