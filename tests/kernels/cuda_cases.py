"""The GPU kernels on many threads, against the processor's.

Run by ``test_cuda_threads.py`` in a process of its own, with numba's simulator of CUDA (small
scenes: it is slow) or on a GPU.
"""

from __future__ import annotations

import numba
import numpy as np
import pytest
import test_cuda_compiled as compiled
import test_fan

from watchline.kernels import device, fan_bits, make_points, sight_bits, unpack_bits

SIMULATED = bool(numba.config.ENABLE_CUDASIM)
MOUNTS, HEADS = [8.0, 2.0], [0.5, 1.7]


def some(points, count):
    return make_points(*(a[:count] for a in points))


def scene(seed, rows, cols, holes=0.0):
    """A scene of this size for the simulator, 400 times as many nodes and more pairs for a GPU."""
    scale = 1 if SIMULATED else 20
    grid, observers, targets = test_fan.scene(seed, rows * scale, cols * scale, holes, cell=2.0)
    observers.z_m[1] = np.nan
    return grid, some(observers, 3 * scale), some(targets, 150 if SIMULATED else 8_000)


def test_it_is_the_gpu_that_is_asked():
    assert device.choose_device("gpu") == "gpu"
    assert device.sight_on("gpu").__module__ == "watchline.kernels.cuda_sight"
    assert device.sight_on("auto", "fan").__module__ == "watchline.kernels.cuda_fan"
    assert device.gpu_name()


@pytest.mark.parametrize("threads", [3, 64])
def test_exact_gives_the_bits_of_the_processor(threads):
    grid, observers, targets = compiled.untwisted(5, 20, 30)
    targets = targets if not SIMULATED else some(targets, 200)
    theirs = sight_bits(grid, observers, MOUNTS, targets, HEADS)
    assert theirs[1].any()
    ours = device.sight_on("gpu")(grid, observers, MOUNTS, targets, HEADS, threads=threads)
    compiled.assert_same(ours, theirs)


def test_exact_sees_the_inside_of_a_cell():
    assert not compiled.sees_saddle(device.sight_on("gpu"), 1.9)
    assert compiled.sees_saddle(device.sight_on("gpu"), 2.1)


@pytest.mark.parametrize(
    ("seed", "rows", "cols", "holes", "spacing", "threads", "room_bytes"),
    [
        (1, 12, 36, 0.0, 0.5, 5, 2**28),
        (2, 16, 18, 0.01, 1.0, 32, 1),  # one block sweeps all cones, one after the other
        (3, 26, 12, 0.0, 0.05, 16, 2**28),
    ],
)
def test_the_fan_gives_the_bits_of_the_processor(
    seed, rows, cols, holes, spacing, threads, room_bytes, monkeypatch
):
    grid, observers, targets = scene(seed, rows, cols, holes)
    theirs = fan_bits(grid, observers, MOUNTS, targets, HEADS, spacing=spacing)
    assert 0.05 < unpack_bits(theirs[0], targets.x_m.size).mean() < 0.95
    fan = device.sight_on("gpu", "fan")
    monkeypatch.setitem(fan.__wrapped__.__globals__, "_ROOM_BYTES", room_bytes)
    for cull in (True, False) if not SIMULATED else (True,):
        ours = fan(
            grid, observers, MOUNTS, targets, HEADS, spacing=spacing, cull=cull, threads=threads
        )
        compiled.assert_same(ours, theirs)


def test_the_tools_give_the_same_on_both_devices():
    from watchline.chain.doctor import _gpu

    assert "sees what the processor sees" in _gpu()
