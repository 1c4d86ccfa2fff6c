"""``--device``: what a machine without a GPU says, and that the choice arrives where it counts."""

import json
import subprocess
import sys

import pytest
import rasterio

from small_project import LIDAR, make_project, run_cli
from watchline.errors import WatchlineError
from watchline.kernels import device

AT = ("see", LIDAR, "--at", "564749,146744,10", "--max-range", 100)


@pytest.fixture
def without_gpu(monkeypatch):
    monkeypatch.setattr(device, "gpu_fault", lambda: "the machine has none")


def test_see_on_auto_is_see_on_the_processor(without_gpu, tmp_path, monkeypatch, capsys):
    seen = []
    for name in ("cpu", "auto"):
        target = tmp_path / f"{name}.tif"
        assert run_cli(monkeypatch, capsys, *AT, "--to", target, "--device", name)[0] == 0
        with rasterio.open(target) as raster:
            seen.append(raster.read(1))
    assert (seen[0] == seen[1]).all()
    assert (seen[0] == 1).any()


def test_a_gpu_that_is_not_there_is_a_sentence(without_gpu, tmp_path, monkeypatch, capsys):
    target = tmp_path / "seen.tif"
    code, _, err = run_cli(monkeypatch, capsys, *AT, "--to", target, "--device", "gpu", "-q")
    assert code == 2
    (sentence,) = err.strip().splitlines()
    assert sentence.endswith(
        'device: no GPU can be used: the machine has none; mend that, or choose "cpu" or "auto".'
    )
    assert not target.exists()


def test_plan_looks_for_the_gpu_before_it_works(without_gpu, tmp_path, monkeypatch, capsys):
    project = make_project(tmp_path)
    code, _, err = run_cli(monkeypatch, capsys, "plan", project, "--device", "gpu")
    assert code == 2
    assert "no GPU can be used" in err
    assert not (project / "runs").exists()


def test_plan_hands_the_device_on(tmp_path, monkeypatch, capsys):
    asked = []

    def sight_on(name, method="exact"):
        asked.append(name)
        raise WatchlineError("far enough")

    monkeypatch.setattr(device, "gpu_fault", lambda: "")
    monkeypatch.setattr("watchline.design.see.sight_on", sight_on)
    code, _, err = run_cli(monkeypatch, capsys, "plan", make_project(tmp_path), "--device", "auto")
    assert (code, asked) == (3, ["gpu"])
    assert "far enough" in err


def test_the_doctor_says_whether_a_gpu_can_be_used():
    code = (
        "import json; from watchline.chain.doctor import _gpu, _try; "
        "found = _try('GPU', _gpu); print(json.dumps([found.well, found.detail]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    well, detail = json.loads(done.stdout)
    assert well
    assert "none can be used" in detail or "sees what the processor sees" in detail
