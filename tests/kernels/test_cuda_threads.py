"""The GPU kernels on many threads: simulated always, on a GPU where one is, and compiled to PTX."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from watchline.kernels import gpu_fault

CASES = Path(__file__).with_name("cuda_cases.py")
POWERS_OF_2 = {0x3FE00000_00000000, 0x40000000_00000000, 0x40700000_00000000}


def run_cases(**environment):
    """Run the cases in a process of their own: what `numba.cuda` is, is settled at its import."""
    found = subprocess.run(
        [sys.executable, "-m", "pytest", str(CASES), "-n", "0", "-p", "no:cacheprovider"],
        cwd=CASES.parents[2],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert found.returncode == 0, found.stdout[-4_000:] + found.stderr[-1_000:]
    assert "passed" in found.stdout


@pytest.mark.skipif(
    importlib.util.find_spec("numba.cuda") is None,
    reason='this numba has no simulator of its own: pip install "watchline[gpu]"',
)
def test_simulated_threads_give_the_bits_of_the_processor():
    run_cases(NUMBA_ENABLE_CUDASIM="1")


@pytest.mark.skipif(bool(gpu_fault()), reason=f"no GPU can be used: {gpu_fault()}")
def test_a_gpu_gives_the_bits_of_the_processor():
    run_cases(NUMBA_ENABLE_CUDASIM="0")


@pytest.fixture(scope="module")
def ptx():
    if importlib.util.find_spec("numba_cuda") is None:
        pytest.skip('numba-cuda and its toolkit are missing: pip install "watchline[gpu]"')
    from numba import boolean, cuda, float32, float64, int64, types, uint8, uint64

    from watchline.kernels import cuda_fan, cuda_sight, cuda_sweep

    def compiled(kernel, *arguments):
        code, _ = cuda.compile(
            kernel.py_func, types.void(*arguments), cc=(7, 5), device=False, abi="numba"
        )
        return code

    whole, real, single = int64[::1], float64[::1], float32[::1]
    planes = (uint64[:, :, :, ::1], uint64[:, :, ::1])
    sites = (real, real, real, real, whole, whole)
    flag, rooms = boolean, (int64[:, ::1], int64[:, ::1], float64[:, ::1], int64[:, ::1])
    found = {
        f"sight {kind}": compiled(
            cuda_sight.sight_kernel, kind, int64, int64, float64[:, ::1], int64[:, ::1], *sites,
            real, real, real, real, real, float64, float64, *planes,
        )
        for kind in (single, real)
    }  # fmt: skip
    found["lost"] = compiled(
        cuda_fan.lost_kernel, int64, int64, *sites, real, real, real, planes[1]
    )
    found["sweep"] = compiled(
        cuda_sweep.sweep_kernel, single, int64, int64, *sites, flag, float64, flag, flag, whole,
        real, real, real, whole, real, real, single, real, int64, float64,
        float32[:, :, :, ::1], uint8[:, :, ::1], *rooms, *planes,
    )  # fmt: skip
    return found


def test_kernels_compile_without_a_gpu(ptx):
    for name, code in ptx.items():
        assert ".entry" in code, name
        assert "atom.global.or.b64" in code, name
        assert ".func" not in code, f"{name}: a device function was not inlined"


def test_the_fan_rounds_every_product_as_the_processor_does(ptx):
    """No multiplication may be fused with an addition, but for those by a power of 2."""
    for name in ("sweep", "lost"):
        code = ptx[name]
        assert not re.search(r"\bfma\.", code), name
        assert "mul.rn.f64" in code, name
        for line in re.findall(r"\bmul\.f(?:32|64).*", code):
            factor = re.search(r"0d([0-9A-F]{16});", line)
            assert factor is not None, line
            assert int(factor.group(1), 16) in POWERS_OF_2, line
    assert "fma.rn.f64" in "".join(code for name, code in ptx.items() if name.startswith("sight"))
