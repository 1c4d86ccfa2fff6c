"""Embree's sight lines against a small marcher of its own kind, closed forms and holes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from prove_scenes import flat, terrain_of

from watchline.prove.heights import Relief, relief_of
from watchline.prove.scene import FREE, HIDDEN, UNKNOWN, build_scene, hull_of, trace
from watchline.prove.sightline import look_along

DATA = Path(__file__).parents[1] / "data/terrain"
RADIUS_M = 6_371_008.8
MOST_DISAGREEMENT = 0.003
"""Bilinear and triangulated surfaces differ inside a square by up to a quarter of its twist."""


def read(name: str) -> Relief:
    with rasterio.open(DATA / name) as source:
        heights = source.read(1).astype(np.float32)
        if source.nodata is not None:
            heights[heights == source.nodata] = np.nan
        cell, x0, y0 = source.transform.a, source.transform.c, source.transform.f
    x = x0 + cell * (np.arange(heights.shape[1]) + 0.5)
    y = y0 - cell * (np.arange(heights.shape[0]) + 0.5)
    return relief_of(terrain_of(x, y, heights, heights))


def bilinear(heights, col, row):
    left = min(int(col), heights.shape[1] - 2)
    top = min(int(row), heights.shape[0] - 2)
    east, south = col - left, row - top
    total = 0.0
    for i, j, weight in (
        (0, 0, (1 - south) * (1 - east)),
        (0, 1, (1 - south) * east),
        (1, 0, south * (1 - east)),
        (1, 1, south * east),
    ):
        if weight > 1e-9:
            total += weight * float(heights[top + i, left + j])
    return total


def march(relief: Relief, eye, target) -> int:
    """Test one ray at every crossing with a grid line; nothing shared with the code under test."""
    heights, cell = relief.surface, relief.cell_m
    p = [((e[0] - relief.x0_m) / cell, (relief.y0_m - e[1]) / cell) for e in (eye, target)]
    near = [(np.floor(c + 0.5), np.floor(r + 0.5)) for c, r in p]
    shares = []
    for a, b in ((p[0][0], p[1][0]), (p[0][1], p[1][1])):
        if a != b:
            low, high = sorted((a, b))
            lines = np.arange(np.ceil(low), np.floor(high) + 1)
            shares += list((lines - a) / (b - a))
    state = FREE
    for share in shares:
        col = p[0][0] + share * (p[1][0] - p[0][0])
        row = p[0][1] + share * (p[1][1] - p[0][1])
        if any(abs(col - c) < 1 - 1e-9 and abs(row - r) < 1 - 1e-9 for c, r in near):
            continue
        x, y = relief.x0_m + col * cell, relief.y0_m - row * cell
        surface = bilinear(heights, col, row)
        if np.isnan(surface):
            return UNKNOWN
        r2 = (x - relief.origin_m[0]) ** 2 + (y - relief.origin_m[1]) ** 2
        folded = surface - (1 - relief.refraction) * r2 / (2 * RADIUS_M)
        if folded > eye[2] + share * (target[2] - eye[2]) + 1e-3:
            state = HIDDEN
    return state


def rays(relief: Relief, count: int, seed: int):
    rng = np.random.default_rng(seed)
    rows, cols = relief.surface.shape
    x, y = relief.place(rng.uniform(2, cols - 3, count + 6), rng.uniform(2, rows - 3, count + 6))
    z = relief.fold(relief.ground_at(x, y), x, y)
    return x, y, z


@pytest.mark.parametrize(
    ("name", "eye_m", "top_m"),
    [
        ("swiss_alps_2m5/swiss_crop_240.tif", 8.0, 1.7),
        ("slovenia_hills_1m/TM1_564_146_nodata.tif", 1.7, 0.3),
    ],
)
def test_embree_agrees_with_the_marcher_on_real_terrain(name, eye_m, top_m):
    relief = read(name)
    x, y, z = rays(relief, 450, seed=3)
    scene = build_scene(relief, x, y)
    wrong = total = hidden = 0
    for k in range(6):
        eye = (x[k], y[k], z[k] + eye_m)
        state = trace(scene, eye, x[6:], y[6:], z[6:] + top_m)
        expected = np.array(
            [march(relief, eye, end) for end in zip(x[6:], y[6:], z[6:] + top_m, strict=True)]
        )
        known = np.isfinite(z[6:]) & np.isfinite(z[k])
        assert (state[~known] == UNKNOWN).all()
        # What passes over a hole is a question of geometry alone: no ray may differ.
        assert ((state == UNKNOWN) == (expected == UNKNOWN))[known].all()
        wrong += int((state != expected)[known].sum())
        total += int(known.sum())
        hidden += int((expected[known] == HIDDEN).sum())
    assert 0.1 < hidden / total < 0.9
    assert wrong / total <= MOST_DISAGREEMENT


@pytest.mark.parametrize(
    "name", ["swiss_alps_2m5/swiss_crop_240.tif", "slovenia_hills_1m/TM1_564_146_nodata.tif"]
)
def test_explained_lines_agree_with_embree_but_for_knife_edges(name):
    relief = read(name)
    x, y, z = rays(relief, 1500, seed=4)
    scene = build_scene(relief, x, y)
    eye = (x[0], y[0], z[0] + 8.0)
    state = trace(scene, eye, x[6:], y[6:], z[6:] + 1.7)
    for k, end in enumerate(zip(x[6:], y[6:], z[6:] + 1.7, strict=True)):
        line = look_along(relief, eye, end)
        if line.state != state[k]:
            assert abs(line.over_m - 1e-3) < 2e-3


def test_a_wall_hides_by_similar_triangles():
    """Eye 10 m over a plain, wall of 5 m at 100 m: a top of 1.7 m shows from 166 m on."""
    terrain = flat(cell_m=1.0, x_m=600.0, y_m=40.0)
    surface = terrain.surface.copy()
    surface[:, 200] = 5.0
    relief = relief_of(
        terrain_of(
            terrain.data.x.values,
            terrain.data.y.values,
            terrain.ground,
            surface,
            refraction=1.0,  # a flat Earth: the closed form has none
        )
    )
    x0 = relief.x0_m + 100.0
    y0 = relief.y0_m - 20.0
    x = x0 + np.arange(102.0, 400.0)
    y = np.full(x.shape, y0)
    scene = build_scene(relief, np.append(x, x0), np.append(y, y0))
    state = trace(scene, (x0, y0, 10.0), x, y, np.full(x.shape, 1.7))
    # 10 - (10 - 1.7) · 100 / d >= 5  ⟺  d >= 166
    assert (state == np.where(x - x0 >= 166.0, FREE, HIDDEN)).all()


def test_the_ends_own_cells_never_block():
    terrain = flat(cell_m=5.0)
    surface = terrain.surface.copy()
    surface[20, 10] = surface[20, 30] = 50.0
    relief = relief_of(
        terrain_of(terrain.data.x.values, terrain.data.y.values, terrain.ground, surface)
    )
    (x0, x1), (y0, y1) = relief.place(np.array([9.8, 29.8]), np.array([20.1, 20.0]))
    scene = build_scene(relief, np.array([x0, x1]), np.array([y0, y1]))
    eye = (float(x0), float(y0), 6.0)
    assert trace(scene, eye, np.array([x1]), np.array([y1]), np.array([1.7]))[0] == FREE
    beyond = np.array([x1 + 10.0])
    scene = build_scene(relief, np.append(beyond, x0), np.array([y1, y0]))
    assert trace(scene, eye, beyond, np.array([y1]), np.array([1.7]))[0] == HIDDEN


def test_a_hole_on_the_way_is_unknown_even_behind_a_wall():
    terrain = flat(cell_m=5.0)
    surface = terrain.surface.copy()
    surface[:, 20] = 90.0
    surface[20, 30] = np.nan
    relief = relief_of(
        terrain_of(terrain.data.x.values, terrain.data.y.values, terrain.ground, surface)
    )
    col = np.array([10.0, 18.0, 25.0, 40.0, 40.0])
    row = np.array([20.0, 20.0, 20.0, 20.0, 24.0])
    x, y = relief.place(col, row)
    scene = build_scene(relief, x, y)
    state = trace(scene, (float(x[0]), float(y[0]), 6.0), x[1:], y[1:], np.full(4, 1.7))
    assert state.tolist() == [FREE, HIDDEN, UNKNOWN, HIDDEN]


def test_the_known_triangle_beside_an_unknown_node_blocks():
    """The way cuts two squares with one unknown node each, on the sides of their known ones."""
    terrain = flat(cell_m=5.0)
    surface = terrain.surface.copy()
    surface[5, 5] = surface[6, 7] = np.nan
    surface[6, 6] = 100.0
    relief = relief_of(
        terrain_of(terrain.data.x.values, terrain.data.y.values, terrain.ground, surface)
    )
    # It crosses the edge from (6, 6) to (5, 6) halfway, where the surface is 50 m high, and the
    # edges before and after where it is 30 m and 0 m.
    x, y = relief.place(np.array([1.3, 10.0]), np.array([6 + 4 * 5 / 7, 6 - 4.7 * 5 / 7]))
    scene = build_scene(relief, x, y)
    for height, expected in ((40.0, HIDDEN), (60.0, FREE)):
        eye, end = (float(x[0]), float(y[0]), height), (float(x[1]), float(y[1]), height)
        assert trace(scene, eye, x[1:], y[1:], np.array([height]))[0] == expected
        assert march(relief, eye, end) == look_along(relief, eye, end).state == expected


def test_ends_outside_the_terrain_or_on_unknown_ground_are_unknown():
    relief = relief_of(flat())
    x = np.array([relief.x0_m - 1.0, relief.x0_m + 50.0, relief.x0_m + 60.0])
    y = np.full(3, relief.y0_m - 50.0)
    scene = build_scene(relief, x, y)
    z = np.array([1.7, np.nan, 1.7])
    eye = (relief.x0_m + 100.0, relief.y0_m - 50.0, 6.0)
    assert trace(scene, eye, x, y, z).tolist() == [UNKNOWN, UNKNOWN, FREE]
    assert trace(scene, (eye[0], eye[1], np.nan), x[2:], y[2:], z[2:]).tolist() == [UNKNOWN]
    outside = (relief.x0_m - 5.0, relief.y0_m - 50.0, 6.0)
    assert trace(scene, outside, x[2:], y[2:], z[2:]).tolist() == [UNKNOWN]


@pytest.mark.parametrize("over_m", [-0.02, -0.005, 0.005, 0.02])
def test_float32_keeps_millimetres_at_ten_kilometres(over_m):
    """A sill in the middle of 10 km, in national coordinates and 2,000 m up, decides by 5 mm."""
    cell = 10.0
    x, y = 600_000.0 + cell * np.arange(1011), 3_450_000.0 - cell * np.arange(7)
    ground = np.full((7, 1011), 2000.0, dtype=np.float64)
    level = relief_of(terrain_of(x, y, ground, ground))
    places = level.place(np.array([5.0, 1005.0, 505.0]), np.array([3.0, 3.0, 3.0]))
    # Both ends 10 m up; the Earth bulges between them by (1 - k) · (d/2)² / 2R.
    bulge = (1 - 0.13) * 5000.0**2 / (2 * RADIUS_M)
    surface = ground.copy()
    surface[:, 505] = 2010.0 - bulge + over_m
    relief = relief_of(terrain_of(x, y, ground, surface))
    xs, ys = places[0][:2], places[1][:2]
    z = relief.fold(np.full(2, 2010.0), xs, ys)
    scene = build_scene(relief, xs, ys)
    state = trace(scene, (float(xs[0]), float(ys[0]), float(z[0])), xs[1:], ys[1:], z[1:])
    assert state[0] == (HIDDEN if over_m > 0 else FREE)


def test_the_mesh_follows_the_hull_not_the_box():
    relief = relief_of(flat(cell_m=1.0, x_m=400.0, y_m=200.0))
    (xs), (ys) = relief.place(np.array([0.0, 399.0]), np.array([0.0, 199.0]))
    scene = build_scene(relief, xs, ys)
    assert scene.triangles < 0.03 * 2 * 399 * 199


def test_the_hull_of_places_is_convex():
    """GEOS 3.14.1 gives a polygon with a bay for these 51 places: cells, and masts along a road."""
    places = np.loadtxt(DATA / "places_along_a_road.csv", delimiter=",")
    hull = hull_of(places).buffer(1e-6)
    middles = (places[:, None] + places[None]) / 2.0
    assert shapely.intersects_xy(hull, middles[..., 0], middles[..., 1]).all()


def test_the_hull_of_few_places():
    one = hull_of(np.array([[3.0, 4.0]]))
    assert one.distance(shapely.Point(3.0, 4.0)) == 0
    row = hull_of(np.array([[0.0, 0.0], [10.0, 10.0], [20.0, 20.0]]))
    assert row.buffer(1e-9).covers(shapely.LineString([(0, 0), (20, 20)]))
