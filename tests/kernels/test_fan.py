"""The fan of rays against the exact method, and what must hold for it by itself."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from watchline.errors import UsageError
from watchline.kernels import (
    bilinear_heights_m,
    fan_bits,
    make_grid,
    make_points,
    sight_bits,
    unpack_bits,
)

MOUNTS = [25.0, 4.0, 10.0]
HEADS = [0.5, 1.7]


def fractal(seed: int, rows: int, cols: int, rms: float = 25.0):
    """Terrain with a power-law spectrum, in metres."""
    rng = np.random.default_rng(seed)
    wave = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(cols))
    wave[0, 0] = np.inf
    surface = np.fft.irfft2(wave**-1.9 * np.exp(2j * np.pi * rng.random(wave.shape)), (rows, cols))
    return (1_500 + surface / surface.std() * rms).astype(np.float32)


def scene(seed=1, rows=150, cols=400, holes=0.0, cell=5.0):
    rng = np.random.default_rng(seed)
    surface = fractal(seed, rows, cols)
    surface[rng.random((rows, cols)) < holes] = np.nan
    grid = make_grid(surface, cell, 7_000.0, 3_000.0)

    def points(count):
        u, v = rng.uniform(0, cols - 1, count), rng.uniform(0, rows - 1, count)
        u[::2], v[::2] = np.round(u[::2]), np.round(v[::2])
        x, y = grid.x0_m + cell * u, grid.y0_m - cell * v
        return make_points(x, y, bilinear_heights_m(grid, x, y))

    return grid, points(20), points(8_000)


def planes(method, scene, **more):
    grid, observers, targets = scene
    seen, unknown = method(grid, observers, MOUNTS, targets, HEADS, **more)
    return unpack_bits(seen, targets.x_m.size), unpack_bits(unknown, targets.x_m.size)


@pytest.mark.parametrize(
    ("spacing", "differ"), [(1.0, 0.0076), (0.5, 0.003), (0.25, 0.0014), (0.05, 0.001)]
)
def test_error_shrinks_with_the_spacing(spacing, differ):
    """Bound: twice what was measured; the terrain is rough, to see errors at all."""
    exact, _ = planes(sight_bits, scene())
    fan, unknown = planes(fan_bits, scene(), spacing=spacing)
    assert 0.1 < exact.mean() < 0.9
    assert not unknown.any()
    assert np.mean(fan != exact) < differ


def test_errors_lean_to_neither_side_by_far():
    """Between its samples the fan misses some tops, so it shows more than it should, a little."""
    exact, _ = planes(sight_bits, scene(3))
    fan, _ = planes(fan_bits, scene(3), spacing=0.5)
    shown, hidden = np.sum(fan & ~exact), np.sum(exact & ~fan)
    assert 0.5 < shown / hidden < 4.0


@pytest.mark.parametrize("holes", [0.0, 0.0002])
@pytest.mark.parametrize("seed", [1, 2])
def test_culling_changes_no_bit(seed, holes):
    rough = scene(seed, 120, 1_500, holes)
    for spacing in (1.0, 0.3):
        on = fan_bits(*rough[:2], MOUNTS, rough[2], HEADS, spacing=spacing, cull=True)
        off = fan_bits(*rough[:2], MOUNTS, rough[2], HEADS, spacing=spacing, cull=False)
        assert all((a == b).all() for a, b in zip(on, off, strict=True))


def test_one_and_two_threads_and_any_company_give_the_same_bits():
    grid, observers, targets = scene(5, holes=0.0002)
    together = fan_bits(grid, observers, MOUNTS, targets, HEADS)
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    alone = fan_bits(grid, observers, MOUNTS, targets, HEADS)
    numba.set_num_threads(threads)
    for a, b in zip(together, alone, strict=True):
        assert a.tobytes() == b.tobytes()
    for i in range(3):
        one = make_points(observers.x_m[i], observers.y_m[i], observers.z_m[i])
        single = fan_bits(grid, one, MOUNTS, targets, HEADS)
        assert all((a[i] == b[0]).all() for a, b in zip(together, single, strict=True))


def test_higher_mounts_and_taller_targets_are_never_worse():
    fan, _ = planes(fan_bits, scene(6))
    order = np.argsort(MOUNTS)
    assert (np.diff(fan[:, order].astype(int), axis=1) >= 0).all()
    assert (np.diff(fan.astype(int), axis=2) >= 0).all()


def test_holes_make_unknown_what_the_exact_method_calls_unknown():
    rough = scene(8, holes=0.0004)
    exact_seen, exact = planes(sight_bits, rough)
    fan_seen, fan = planes(fan_bits, rough, spacing=0.25)
    assert 0.05 < exact.mean() < 0.95
    assert np.mean(fan != exact) < 0.02
    assert not (fan_seen & fan[:, None]).any()
    assert np.mean((fan_seen != exact_seen)[~np.repeat(fan[:, None] | exact[:, None], 3, 1)]) < 0.01


def test_range_window_and_lost_ends_are_those_of_the_exact_method():
    grid, observers, targets = scene(9)
    observers.z_m[3] = np.nan
    observers.x_m[4] -= 10_000
    targets.z_m[::7] = np.nan
    targets.x_m[::11] += 4_000
    more = {
        "max_range_m": np.linspace(100, 2_000, 20),
        "first_target": np.arange(20) * 100,
        "last_target": np.arange(20) * 150 + 4_000,
    }
    rough = grid, observers, targets
    exact_seen, exact = planes(sight_bits, rough, **more)
    fan_seen, fan = planes(fan_bits, rough, **more)
    assert (fan == exact).all()
    assert exact.any()
    # On a plain nothing is hidden, so what is seen is what is in range.
    flat = grid._replace(surface_m=np.full_like(grid.surface_m, 0.0))
    level = [p._replace(z_m=p.z_m * 0.0) for p in (observers, targets)]
    seen = [planes(method, (flat, *level), **more)[0] for method in (sight_bits, fan_bits)]
    assert (seen[0] == seen[1]).all()
    assert not fan_seen[:, :, :, targets.x_m > grid.x0_m + 1_995].any()
    assert exact_seen.any()


def test_turned_by_90_degrees_it_sees_the_same_but_for_rounding():
    grid, observers, targets = scene(10, 200, 200)
    turned = grid._replace(surface_m=np.ascontiguousarray(np.rot90(grid.surface_m)))

    def turn(points):
        east, south = points.x_m - grid.x0_m, grid.y0_m - points.y_m
        return make_points(grid.x0_m + south, grid.y0_m - (199 * 5.0 - east), points.z_m)

    before, _ = planes(fan_bits, (grid, observers, targets))
    after, _ = planes(fan_bits, (turned, turn(observers), turn(targets)))
    assert np.mean(before != after) < 2e-3


def test_a_wall_across_hides_exactly_what_lies_in_its_shadow():
    surface = np.zeros((201, 201))
    surface[:, 120] = 6.0
    grid = make_grid(surface, 1.0, 0.0, 0.0)
    row, col = (a.ravel() for a in np.mgrid[:201, :201])
    targets = make_points(col * 1.0, -row * 1.0, np.zeros(col.size))
    seen, _ = fan_bits(grid, make_points([100.0], [-100.0], [0.0]), [12.0], targets, [0.5])
    seen = unpack_bits(seen[0, 0, 0], col.size)
    # In the cone across the wall; along the wall the fan samples its ramps only now and then.
    cone = (col > 121) & (abs(row - 100) <= col - 100)
    clear = 12.0 + (0.5 - 12.0) * 20 / np.maximum(col - 100, 1) >= 6.0
    assert (seen == clear)[cone].all()
    assert seen[col < 119].all()


@pytest.mark.parametrize("spacing", [0.0, -0.5, 1.5, np.nan])
def test_a_spacing_out_of_bounds_is_refused(spacing):
    grid, observers, targets = scene()
    with pytest.raises(UsageError, match="spacing"):
        fan_bits(grid, observers, MOUNTS, targets, HEADS, spacing=spacing)
