"""Choosing a device, and what a machine without a GPU must not notice."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import watchline as wl
from watchline.errors import UsageError, WatchlineError
from watchline.kernels import choose_device, device, gpu_fault, sight_on

ROOT = Path(__file__).parents[2]
WALL = np.zeros((9, 12))
WALL[:, 5] = 4.0
PLACE = ((1.0, 0.0, 0.0, 0.0, -1.0, 9.0), (1.5, 4.5, 2.0), 1.0, 100.0)


def test_the_processor_needs_nothing_and_imports_nothing():
    script = """
import sys
import numpy as np
import watchline as wl
from watchline.cli import app
from watchline.chain import doctor, plan, see
from watchline.design import see
for method in ("exact", "fan"):
    wl.viewshed(np.zeros((9, 12)), (1, 0, 0, 0, -1, 9), (1.5, 4.5, 2), 1, 100, method=method)
print([m for m in sys.modules if m.startswith(("numba.cuda", "numba_cuda", "cuda.", "nvidia"))])
print([m for m in sys.modules if m.startswith("watchline.kernels.cuda")])
"""
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "0"},
    )  # fmt: skip
    assert found.stdout.split("\n")[:2] == ["[]", "[]"]


def test_an_installation_without_the_extra_pulls_in_nothing_of_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    plain = " ".join(project["dependencies"]) + (ROOT / "requirements.lock").read_text()
    assert "cuda" not in plain
    assert "nvidia" not in plain
    extra = project["optional-dependencies"]["gpu"]
    assert any(name.startswith("numba-cuda") for name in extra)
    assert any(name.startswith("cuda-toolkit") and "==" in name for name in extra)
    numpy = next(name for name in project["dependencies"] if name.startswith("numpy"))
    assert "<2.5" in numpy, "numba-cuda does not run with numpy 2.5"
    assert importlib.metadata.version("numpy") < "2.5"


@pytest.fixture
def without_gpu(monkeypatch):
    monkeypatch.setattr(device, "gpu_fault", lambda: "the machine has none")


def test_auto_takes_the_processor_where_there_is_no_gpu(without_gpu):
    assert choose_device("auto") == choose_device("cpu") == "cpu"
    assert sight_on("auto").__module__ == "watchline.kernels.sight"
    assert sight_on("cpu", "fan").__module__ == "watchline.kernels.fan"
    seen = [wl.viewshed(WALL, *PLACE, device=name) for name in ("cpu", "auto")]
    assert (seen[0] == seen[1]).all()
    assert 0 < seen[0].sum() < WALL.size


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch):
    monkeypatch.setattr(device, "gpu_fault", lambda: "")
    assert choose_device("auto") == choose_device("gpu") == "gpu"
    assert choose_device("cpu") == "cpu"


def test_asking_for_a_gpu_that_is_not_there_is_refused_in_a_sentence(without_gpu):
    for ask in (
        lambda: choose_device("gpu"),
        lambda: wl.viewshed(WALL, *PLACE, device="gpu"),
        lambda: wl.intervisibility(WALL, PLACE[0], [[1, 4, 2]], [[9, 4, 2]], device="gpu"),
    ):
        with pytest.raises(UsageError, match="no GPU can be used: the machine has none") as found:
            ask()
        assert "\n" not in found.value.sentence
        assert "auto" in found.value.sentence


@pytest.mark.parametrize("name", ["cuda", "GPU", ""])
def test_another_device_is_refused(name):
    with pytest.raises(UsageError, match="device"):
        wl.viewshed(WALL, *PLACE, device=name)


def test_another_method_is_refused_before_the_device_is_looked_at(without_gpu):
    with pytest.raises(UsageError, match="method"):
        sight_on("gpu", "guess")


def test_a_missing_extra_and_a_broken_toolkit_are_told_apart(monkeypatch):
    monkeypatch.setattr(device.numba.config, "ENABLE_CUDASIM", 0)
    monkeypatch.setattr(device.importlib.util, "find_spec", lambda _: None)
    assert "watchline[gpu]" in gpu_fault()
    monkeypatch.setattr(device.importlib.util, "find_spec", lambda _: object())

    def broken():
        raise RuntimeError("no driver\nlibcuda.so.1 is too old")

    from numba import cuda

    monkeypatch.setattr(cuda, "is_available", broken)
    assert gpu_fault() == "CUDA does not start: libcuda.so.1 is too old"
    monkeypatch.setattr(cuda, "is_available", lambda: False)
    assert "no NVIDIA GPU" in gpu_fault()


def test_what_cuda_raises_becomes_a_sentence_and_a_bug_does_not():
    out_of_memory = type("CudaAPIError", (Exception,), {"__module__": "numba.cuda.cudadrv.driver"})

    def fails(fault):
        raise fault

    with pytest.raises(WatchlineError, match="the GPU failed: out of memory; choose"):
        device._in_a_sentence(fails)(out_of_memory("out of\nmemory"))
    with pytest.raises(ZeroDivisionError):
        device._in_a_sentence(fails)(ZeroDivisionError())
