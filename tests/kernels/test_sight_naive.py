"""The exact kernel against its naive twin: every pair, every height, every hole."""

from __future__ import annotations

import math
from fractions import Fraction

import naive_sight
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchline.kernels import (
    TOUCH_M,
    bilinear_heights_m,
    explain_sight,
    least_mount_heights_m,
    make_grid,
    make_points,
    sight_bits,
    unpack_bits,
)

MOUNTS = [0.0, 1.7, 6.0, 30.0]
HEADS = [0.0, 0.5, 1.7]


def scene(seed: int, *, integers: bool, holes: float, walls: int, cell: float):
    """Return a grid, observers and targets of one random scene."""
    rng = np.random.default_rng(seed)
    rows, cols = rng.integers(2, 14, 2)
    surface = rng.normal(0, 4, (rows, cols))
    if integers:
        surface = np.round(surface / 3)
    for _ in range(walls):
        surface[rng.integers(rows), :] += 10
        surface[:, rng.integers(cols)] += 10
    surface[rng.random((rows, cols)) < holes] = np.nan
    if seed % 2:
        surface = surface.astype(np.float32)
    grid = make_grid(surface, cell, 500_000.0, 4_000_000.0)

    def points(count: int):
        # Nodes, eighths of cells and free places; some a little outside.
        u = rng.uniform(-0.3, cols - 0.7, count)
        v = rng.uniform(-0.3, rows - 0.7, count)
        u[: count // 3], v[: count // 3] = np.round(u[: count // 3]), np.round(v[: count // 3])
        half = slice(count // 3, 2 * count // 3)
        u[half], v[half] = np.round(u[half] * 8) / 8, np.round(v[half] * 8) / 8
        x, y = grid.x0_m + u * cell, grid.y0_m - v * cell
        return make_points(x, y, bilinear_heights_m(grid, x, y))

    return grid, points(6), points(40)


def in_nodes(grid, points, i):
    """The same arithmetic as the kernel's, so that both walk the same ray."""
    return (
        (points.x_m[i] - grid.x0_m) / grid.cell_m,
        (grid.y0_m - points.y_m[i]) / grid.cell_m,
        points.z_m[i],
    )


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    integers=st.booleans(),
    holes=st.sampled_from([0.0, 0.0, 0.02, 0.2]),
    walls=st.integers(0, 2),
    cell=st.sampled_from([1.0, 2.5, 30.0]),
)
def test_agrees_with_the_naive_twin_on_every_pair(seed, integers, holes, walls, cell):
    grid, observers, targets = scene(seed, integers=integers, holes=holes, walls=walls, cell=cell)
    visible, unknown = sight_bits(grid, observers, MOUNTS, targets, HEADS)
    visible = unpack_bits(visible, targets.x_m.size)
    unknown = unpack_bits(unknown, targets.x_m.size)
    least = least_mount_heights_m(grid, observers, targets, HEADS)
    rows = grid.surface_m.tolist()
    for i in range(observers.x_m.size):
        for j in range(targets.x_m.size):
            ends = in_nodes(grid, observers, i), in_nodes(grid, targets, j)
            for k, head in enumerate(HEADS):
                want = naive_sight.least_mount(rows, *ends, head)
                assert unknown[i, k, j] == (want is None)
                assert np.isnan(least[i, k, j]) == (want is None)
                if want is None:
                    assert not visible[i, :, k, j].any()
                    continue
                if math.isinf(want):
                    assert least[i, k, j] == -np.inf
                else:
                    assert least[i, k, j] == pytest.approx(float(want), rel=1e-6, abs=2e-6)
                for m, mount in enumerate(MOUNTS):
                    seen = Fraction(mount) >= want if math.isfinite(want) else True
                    assert visible[i, m, k, j] == seen
                    assert (mount >= least[i, k, j]) == seen


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), holes=st.sampled_from([0.0, 0.05]))
def test_the_explanation_names_the_crossing_that_blocks(seed, holes):
    grid, observers, targets = scene(seed, integers=False, holes=holes, walls=1, cell=2.5)
    rows = grid.surface_m.tolist()
    for i in range(observers.x_m.size):
        for j in range(targets.x_m.size):
            observer, target = (
                (p.x_m[k], p.y_m[k], p.z_m[k]) for p, k in ((observers, i), (targets, j))
            )
            told = explain_sight(grid, observer, 1.7, target, 0.5)
            want = naive_sight.least_mount(
                rows, in_nodes(grid, observers, i), in_nodes(grid, targets, j), 0.5
            )
            verdict = "unknown" if want is None else "visible" if want <= 1.7 else "hidden"
            assert told.verdict == verdict
            if told.verdict == "unknown" or math.isnan(told.x_m):
                continue
            # The place lies on the ray and on the surface, and the clearance is the gap there.
            assert bilinear_heights_m(grid, [told.x_m], [told.y_m])[0] == pytest.approx(
                told.surface_m, abs=1e-5
            )
            share = math.dist((told.x_m, told.y_m), observer[:2]) / math.dist(
                target[:2], observer[:2]
            )
            ray = (observer[2] + 1.7) * (1 - share) + (target[2] + 0.5) * share
            assert told.clearance_m == pytest.approx(ray - told.surface_m, abs=1e-5)
            assert (told.clearance_m < -TOUCH_M) == (told.verdict == "hidden")
