"""Bounds on the horizon against walking every ray: the same to the bit, and worth the trouble."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchline.kernels import bilinear_heights_m, make_grid, make_points, sight_bits
from watchline.kernels.bits import word_count
from watchline.kernels.sight import bounded_sight, candidates

MOUNTS = [0.0, 25.0, 4.0]
HEADS = [1.7, 0.5]


def scene(seed: int, rows: int, cols: int, *, rough: float, holes: float, walls: int, base: float):
    """Terrain between smooth and noise, with walls; ends at nodes, between and outside them."""
    rng = np.random.default_rng(seed)
    wave = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(cols))
    wave[0, 0] = np.inf
    phase = np.exp(2j * np.pi * rng.random(wave.shape))
    surface = np.fft.irfft2(wave**-rough * phase, (rows, cols))
    surface = base + surface / surface.std() * 8
    for _ in range(walls):
        row, col = rng.integers(rows), rng.integers(cols)
        surface[row, col:] += 6
        surface[row:, col] += 6
    surface[rng.random((rows, cols)) < holes] = np.nan
    grid = make_grid(surface.astype(np.float32 if seed % 2 else np.float64), 2.0, 500.0, 9_000.0)

    def points(count: int):
        u, v = rng.uniform(-0.6, cols - 0.4, count), rng.uniform(-0.6, rows - 0.4, count)
        u[::2], v[::2] = np.round(u[::2]), np.round(v[::2])
        u[::5], v[1::5] = np.round(u[::5] * 2) / 2, np.round(v[1::5] * 2) / 2
        x, y = grid.x0_m + 2.0 * u, grid.y0_m - 2.0 * v
        return make_points(x, y, bilinear_heights_m(grid, x, y))

    return grid, points(9), points(3_000)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([(2, 300), (40, 60), (300, 9), (90, 120)]),
    rough=st.sampled_from([0.0, 1.0, 2.0, 3.0]),
    holes=st.sampled_from([0.0, 0.0, 0.001, 0.05]),
    walls=st.integers(0, 3),
    base=st.sampled_from([0.0, 4_000.0]),
)
def test_bounds_change_no_bit(seed, size, rough, holes, walls, base):
    grid, observers, targets = scene(seed, *size, rough=rough, holes=holes, walls=walls, base=base)
    more = {"max_range_m": np.linspace(20, 700, 9), "first_target": np.arange(9) * 30}
    bounded = sight_bits(grid, observers, MOUNTS, targets, HEADS, **more)
    walked = sight_bits(grid, observers, MOUNTS, targets, HEADS, cull=False, **more)
    for one, other in zip(bounded, walked, strict=True):
        assert one.tobytes() == other.tobytes()


def work(grid, observers, targets):
    window = candidates(observers, targets, np.inf, None, None)
    return bounded_sight(
        grid, observers, np.array(MOUNTS), targets, np.array(HEADS), window,
        word_count(targets.x_m.size),
    )  # fmt: skip


def test_few_rays_are_walked():
    """On smooth ground between nodes, one in ten; without bounds it would be all."""
    grid, observers, targets = scene(1, 200, 600, rough=2.5, holes=0.0, walls=0, base=100.0)
    assert work(grid, observers, targets)[2] < 0.1 * 9 * targets.x_m.size


def test_a_wrong_bound_would_be_seen(monkeypatch):
    """Without the bends between grid lines some pairs come out wrong."""
    import watchline.kernels.sight as sight

    grid, observers, targets = scene(4, 120, 160, rough=1.0, holes=0.0, walls=2, base=0.0)
    right = work(grid, observers, targets)[0]
    nothing = sight.find_bends

    def without(lines):
        return tuple(np.zeros_like(bend) for bend in nothing(lines))

    monkeypatch.setattr(sight, "find_bends", without)
    assert (work(grid, observers, targets)[0] != right).any()


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one core")
def test_threads_and_company_change_no_bit():
    grid, observers, targets = scene(5, 90, 120, rough=1.5, holes=0.001, walls=1, base=0.0)
    together = sight_bits(grid, observers, MOUNTS, targets, HEADS)
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    alone = sight_bits(grid, observers, MOUNTS, targets, HEADS)
    numba.set_num_threads(threads)
    for i in range(3):
        one = make_points(observers.x_m[i], observers.y_m[i], observers.z_m[i])
        single = sight_bits(grid, one, MOUNTS, targets, HEADS)
        for a, b, c in zip(together, alone, single, strict=True):
            assert a.tobytes() == b.tobytes()
            assert (a[i] == c[0]).all()
