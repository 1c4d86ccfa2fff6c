"""The exact kernel against closed forms: wall, horizon, cliff."""

from __future__ import annotations

import math

import numpy as np
import pytest

from watchline.kernels import (
    EARTH_RADIUS_M,
    TOUCH_M,
    fold_curvature,
    least_mount_heights_m,
    make_grid,
    make_points,
    sight_bits,
    unpack_bits,
)


def nodes(grid):
    """All nodes of a grid as points on the ground at zero, row by row."""
    rows, cols = grid.surface_m.shape
    y, x = np.mgrid[:rows, :cols]
    x = grid.x0_m + x.ravel() * grid.cell_m
    y = grid.y0_m - y.ravel() * grid.cell_m
    return make_points(x, y, np.zeros(x.size))


def seen_from(grid, x, y, ground, height, target_height):
    targets = nodes(grid)
    bits, unknown = sight_bits(
        grid, make_points([x], [y], [ground]), [height], targets, [target_height]
    )
    assert not unknown.any()
    return unpack_bits(bits[0, 0, 0], targets.x_m.size).reshape(grid.surface_m.shape)


@pytest.mark.parametrize("eye", [4.0, 5.5, 12.0])
@pytest.mark.parametrize("turned", [False, True])
def test_wall_casts_the_shadow_of_similar_triangles(eye, turned):
    wall, distance, head = 3.0, 20, 0.5
    surface = np.zeros((121, 121))
    surface[:, distance] = wall
    grid = make_grid(surface.T if turned else surface, 2.0, 0.0, 0.0)
    row, col = np.mgrid[:121, :121]
    row, col = (col, row) if turned else (row, col)
    x, y = (2.0 * 60, 0.0) if turned else (0.0, -2.0 * 60)
    seen = seen_from(grid, x, y, 0.0, eye, head)
    # Over the wall the ray has fallen from the eye to the head by the share distance / col.
    share = distance / np.maximum(col, 1)
    clear = eye + (head - eye) * share >= wall
    beyond = col > distance
    assert (seen == clear)[beyond].all()
    assert seen[col < distance].all()
    last = distance * (eye - head) / (eye - wall)
    assert not seen[beyond & (col < last - 0.001)].any()
    assert seen[beyond & (col > last + 0.001)].all()


@pytest.mark.parametrize("refraction", [0.0, 0.13, 0.25])
@pytest.mark.parametrize("head", [0.0, 1.7])
def test_horizon_on_the_sea_lies_where_the_sphere_puts_it(refraction, head):
    cell, eye = 30.0, 6.0
    surface = np.zeros((3, 700))
    x = np.arange(700) * cell
    y = np.array([[cell], [0.0], [-cell]])
    origin = (4_000.0, 900.0)
    grid = make_grid(fold_curvature(surface, x, y, origin, refraction), cell, 0.0, cell)
    ends = fold_curvature(np.zeros(700), x, np.zeros(700), origin, refraction)
    least = least_mount_heights_m(
        grid,
        make_points([0.0], [0.0], ends[:1]),
        make_points(x, np.zeros(700), ends),
        [head],
    )[0, 0]
    radius = EARTH_RADIUS_M / (1 - refraction)
    # On a grazing ray even the tolerance for touching counts: 80 m for a head of zero.
    horizon = math.sqrt(2 * radius * (eye + TOUCH_M)) + math.sqrt(2 * radius * (head + TOUCH_M))
    seen = least <= eye
    assert seen[x < horizon - cell].all()
    assert not seen[x > horizon + cell].any()


def test_cliff_hides_the_ground_beyond_it_and_nothing_else_all_round():
    size, peak = 61, 30
    surface = np.zeros((size, size), dtype=np.float32)
    surface[peak, peak] = 255.0
    grid = make_grid(surface, 30.0, 0.0, 0.0)
    rows, cols = np.mgrid[:size, :size]
    for turn in np.linspace(0, 2 * math.pi, 49):
        col, row = peak + 12 * math.cos(turn), peak + 12 * math.sin(turn)
        seen = seen_from(grid, col * 30.0, -row * 30.0, 0.0, 2.0, 0.0)
        # Where the sight line passes the peak: how far away, measured across columns and rows.
        nearest = np.full((size, size), np.inf)
        for share in np.linspace(0, 1, 2001):
            across = np.maximum(
                abs(col + share * (cols - col) - peak), abs(row + share * (rows - row) - peak)
            )
            nearest = np.minimum(nearest, across)
        itself = (rows == peak) & (cols == peak)
        assert seen[itself].all()
        assert not seen[(nearest <= 0.5) & ~itself].any()
        assert seen[nearest > 1.05].all()
