"""The sweep all round against the exact method and the fan with lists of targets."""

from __future__ import annotations

import numpy as np
import pytest

from watchline.errors import UsageError
from watchline.kernels import (
    circle_flags,
    curvature_drop_m,
    fan_bits,
    make_grid,
    make_points,
    sight_bits,
    unpack_bits,
)

MOUNTS = [25.0, 4.0, 10.0]
HEADS = [0.5, 1.7]


def scene(seed: int, rows: int = 181, cols: int = 230, cell: float = 5.0):
    rng = np.random.default_rng(seed)
    wave = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(cols))
    wave[0, 0] = np.inf
    surface = np.fft.irfft2(wave**-1.9 * np.exp(2j * np.pi * rng.random(wave.shape)), (rows, cols))
    return make_grid(
        (1_500 + surface / surface.std() * 25).astype(np.float32), cell, 7_000.0, 3_000.0
    )


def nodes(grid):
    row, col = (a.ravel() for a in np.mgrid[: grid.surface_m.shape[0], : grid.surface_m.shape[1]])
    x, y = grid.x0_m + col * grid.cell_m, grid.y0_m - row * grid.cell_m
    return make_points(x, y, grid.surface_m[row, col])


def listed(method, grid, observer, reach, **more):
    """The same by lists of targets, the observer alone."""
    targets = nodes(grid)
    one = make_points(*([value] for value in observer))
    seen, _ = method(grid, one, MOUNTS, targets, HEADS, reach, **more)
    return unpack_bits(seen[0], targets.x_m.size).reshape(3, 2, *grid.surface_m.shape)


PLACES = {
    "at a node": (7_400.0, 2_600.0, 1_490.0),
    "between nodes": (7_401.7, 2_598.1, 1_495.0),
    "in the corner": (7_000.0, 3_000.0, 1_510.0),
    "on the edge": (7_222.2, 2_100.0, 1_500.0),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("reach", [260.0, 3_000.0])
@pytest.mark.parametrize("spacing", [0.5, 0.3])
def test_it_differs_from_the_exact_method_no_more_than_the_fan_does(place, reach, spacing):
    grid = scene(1)
    found = circle_flags(grid, PLACES[place], MOUNTS, HEADS, reach, spacing=spacing)
    exact = listed(sight_bits, grid, PLACES[place], reach)
    fan = listed(fan_bits, grid, PLACES[place], reach, spacing=spacing)
    assert 0.005 < exact.mean() < 0.95
    assert np.mean(found != exact) <= 1.3 * np.mean(fan != exact) + 2e-4
    # The number of rays differs, the method does not.
    assert np.mean(found != fan) < 0.004


def test_culling_changes_no_bit():
    for seed in range(4):
        grid = scene(seed, 200, 700)
        for place in PLACES.values():
            both = [circle_flags(grid, place, MOUNTS, HEADS, cull=cull) for cull in (True, False)]
            assert (both[0] == both[1]).all()


def test_a_plain_is_seen_as_far_as_the_range_and_no_farther():
    grid = make_grid(np.zeros((101, 131)), 2.0, 0.0, 0.0)
    found = circle_flags(grid, (80.0, -90.0, 0.0), [3.0], [0.0], 61.0)[0, 0]
    row, col = np.mgrid[:101, :131]
    assert (found == (np.hypot(col * 2.0 - 80, row * 2.0 - 90) <= 61.0)).all()


def test_the_earth_is_round():
    """From 2 m, a target of 1 m goes below the horizon of an open plain at its distance."""
    grid = make_grid(np.zeros((3, 1_401)), 10.0, 0.0, 0.0)
    found = circle_flags(grid, (0.0, -10.0, 0.0), [2.0], [1.0], spacing=0.25, refraction=0.13)
    far = np.flatnonzero(found[0, 0, 1]).max() * 10.0
    # The tangent touches where the drop is 2 m, and passes 1 m above ground a drop of 1 m farther.
    drop = curvature_drop_m(1.0, 0.0, (0.0, 0.0))
    assert far == pytest.approx(np.sqrt(2 / drop) + np.sqrt(1 / drop), abs=30)
    assert circle_flags(grid, (0.0, -10.0, 0.0), [2.0], [1.0])[0, 0, 1].all()


def test_a_spacing_out_of_bounds_is_refused():
    with pytest.raises(UsageError, match="spacing"):
        circle_flags(scene(1), PLACES["at a node"], [1.0], [1.0], spacing=0.0)
