"""The vectors of sixteen against their plain twins, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from watchline.kernels import lanes, lanes_plain, lanes_targets

RNG = np.random.default_rng(7)
FLAT = RNG.normal(0, 30, 4_000).astype(np.float32)
BENDS = RNG.exponential(1, 4_000).astype(np.float32)
NAMES = (
    "sample_line", "sample_between", "raise_lanes", "raise_both", "bound_sectors", "place_lanes",
    "steeper_lanes", "beyond_lanes", "see_lanes", "store_mask",
)  # fmt: skip


def real(value):
    return np.float32(value)


def arguments(name: str, case: int) -> tuple:
    """Some arguments; every array may be written to."""
    rng = np.random.default_rng(case)
    gap = real([0.01, 0.25, 0.5, 0.99, 1.0][case % 5])
    place = real(rng.uniform(0, 40))
    out, room = (rng.normal(0, 1, 64).astype(np.float32) for _ in range(2))
    rays = np.sort(rng.uniform(0, [60, 200][case // 5 % 2], 64)).astype(np.float32)
    p, q, z = (
        rng.integers(0, 9, 64) * 1.0,
        np.sort(rng.integers(0, 30, 64) * 1.0),
        rng.normal(0, 9, 64),
    )
    step = [-1.0, 1.0][case % 2]
    slopes, scales = (rng.normal(0, 1, 64).astype(np.float32) for _ in range(2))
    return {
        "sample_line": (FLAT, 100, place, gap, 0, real(3), real(0.2), out),
        "sample_between": (FLAT, 100, 900, place, gap, 0, real(3), real(0.2), out),
        "raise_lanes": (slopes, real(0.3), out, 16),
        "raise_both": (slopes, real(0.3), scales, real(-0.2), out, 16),
        "bound_sectors": (
            FLAT, 200, place, gap, real(1.5), real(0.1), real(0.11), BENDS, 300,
            real(rng.uniform(0, 9)), gap, real(0.9), real(-0.01), out, 16, room, slopes, scales,
        ),
        "place_lanes": (
            p, q, z, 4.0, 15.0, step, case % 3 == 0, real(40), 90.0, 1.5, 16, case % 17, out, room,
            slopes, 16,
        ),
        "steeper_lanes": (rays, slopes, scales, real(0.1), 150, FLAT, 500, 16),
        "beyond_lanes": (
            rng.integers(0, 99, 64).astype(np.int32), slopes, scales, real(0.1), real(2e-6), FLAT,
            500, 16,
        ),
        "see_lanes": (FLAT, 50, real(2), real(1), place, real(2.7), 150, FLAT, 700, case % 17),
        "store_mask": (int(rng.integers(0, 65_536)), np.zeros(64, dtype=np.bool_), 16),
    }[name]  # fmt: skip


@pytest.mark.parametrize("width", [16, 8, 0])
@pytest.mark.parametrize("name", NAMES)
def test_vectors_do_what_plain_loops_do(name, width, monkeypatch):
    if not {16: lanes._AVX512, 8: lanes._AVX2, 0: True}[width]:
        pytest.skip("this processor has no such permutations")
    monkeypatch.setattr(lanes, "_AVX512", width == 16)
    monkeypatch.setattr(lanes, "_AVX2", width > 0)
    vector = getattr(lanes, name, None) or getattr(lanes_targets, name)
    plain = getattr(lanes_plain, name)

    @njit
    def call(given):
        return vector(*given)

    for case in range(60):
        one, other = arguments(name, case), arguments(name, case)
        assert (call(one) or 0) == (plain(*other) or 0)
        for a, b in zip(one, other, strict=True):
            if isinstance(a, np.ndarray):
                # Eight lanes that rounding carries over a node may differ in the last place.
                np.testing.assert_allclose(a, b, rtol=2e-6, atol=2e-5)
