"""``watchline easi``: the published sample from a file, and one sentence for each fault."""

import json
from pathlib import Path

import pytest

from small_project import run_cli

SAMPLE = Path(__file__).parents[1] / "data" / "easi" / "tasks.csv"
RESPONSE = ("--response", 300, "--response-sd", 90, "--communication", 0.95)
HEADER = "task,detection,mean_s,sd_s,detected\n"


def test_the_published_sample(monkeypatch, capsys):
    code, out, err = run_cli(monkeypatch, capsys, "easi", SAMPLE, *RESPONSE, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["interruption"] == pytest.approx(0.476041, abs=1e-6)
    assert found["critical_detection_point"] == "open the door"
    assert found["notes"] == []
    assert [task["margin_s"] for task in found["tasks"]] == [32, 22, 10, -80, -90, -180]
    assert sum(task["share"] for task in found["tasks"]) == pytest.approx(found["interruption"])


def test_the_table_names_the_critical_point(monkeypatch, capsys):
    code, out, err = run_cli(monkeypatch, capsys, "easi", SAMPLE, *RESPONSE)
    assert code == 0, err
    assert "0.4760" in out
    assert "open the door *" in out


def test_what_is_assumed_is_said(tmp_path, monkeypatch, capsys):
    file = tmp_path / "tasks.csv"
    file.write_text("task,detection,mean_s,detected\nclimb,0.9,100,end\nrun,0,50,middle\n")
    code, out, err = run_cli(monkeypatch, capsys, "easi", file, "--response", 60, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert [task["sd_s"] for task in found["tasks"]] == [30.0, 15.0]
    assert found["response_sd_s"] == 18.0
    assert len(found["notes"]) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,mean_s\n", "the header lacks task, detection, detected"),
        (HEADER, "it lists no task"),
        (HEADER + "a,0.5,10,1,start\n", "line 2: detected is 'start'; write beginning"),
        (HEADER + "a,0.5,10,1,end\nb,1.5,1,1,end\n", "line 3: detection is 1.5"),
        (HEADER + "a,0.5,ten,1,end\n", "line 2: mean_s is 'ten'; write a number"),
        (HEADER + "a,0.5,10,-1,end\n", "line 2: sd_s is '-1'"),
        (HEADER + ",0.5,10,1,end\n", "line 2: the task has no name"),
        (HEADER + "a,0.5,10,1,end,9\n", "line 2: it has more columns"),
    ],
)
def test_faults_are_one_sentence_with_file_and_line(tmp_path, monkeypatch, capsys, text, words):
    file = tmp_path / "tasks.csv"
    file.write_text(text)
    code, out, err = run_cli(monkeypatch, capsys, "easi", file, *RESPONSE)
    assert code == 3
    assert out == ""
    assert err.startswith(f"error: {file}")
    assert words in err
    assert err.count("\n") == 1


def test_a_probability_above_one_is_a_usage_error(monkeypatch, capsys):
    code, _, err = run_cli(
        monkeypatch, capsys, "easi", SAMPLE, "--response", 1, "--communication", 3
    )
    assert code == 2
    assert "--communication is 3" in err


def test_a_missing_file_is_said(tmp_path, monkeypatch, capsys):
    code, _, err = run_cli(monkeypatch, capsys, "easi", tmp_path / "no.csv", *RESPONSE)
    assert code == 3
    assert "it cannot be read (No such file or directory)" in err
