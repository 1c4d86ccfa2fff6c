"""The illuminance kernel: its naive twin, Radiance, closed forms, bounds that hold."""

from __future__ import annotations

import dataclasses
import json
import math

import naive_light as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import radiance_oracle as radiance
from photometry_cases import DATA
from watchline.errors import UsageError
from watchline.io.photometry import read_photometry
from watchline.kernels.grid import make_grid, make_points
from watchline.kernels.light import along_curve, illuminate
from watchline.kernels.light_ray import triangle_heights_m
from watchline.kernels.light_table import CONE_RADII_DEG, cone_intensity, table_intensity
from watchline.physics.luminaires import Luminaire, pack_lights

FLOOD = read_photometry(DATA / "photometry" / "projector.ldt")
TYPE_B = read_photometry(DATA / "photometry_synthetic" / "B_narrow.ies")
TYPE_A = read_photometry(DATA / "photometry_synthetic" / "A_full.ies")
ROUND = read_photometry(DATA / "photometry_synthetic" / "L1.ldt")
UP = (0.0, 0.0, 1.0)
ALL_TABLES = pack_lights([Luminaire(p, 0, 0, 0) for p in (FLOOD, TYPE_A, TYPE_B, ROUND)]).tables


def fractal(rows, cols, seed, rms):
    rng = np.random.default_rng(seed)
    size = max(rows, cols)
    wave = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    wave[0, 0] = np.inf
    phase = np.exp(2j * np.pi * rng.random(wave.shape))
    surface = np.fft.irfft2(wave**-1.8 * phase, (size, size))
    return (surface / surface.std() * rms)[:rows, :cols]


def scene(seed, holes=0.0, rows=40, cols=60, cell=2.0):
    """Terrain with ridges and steps, a dozen aimed lamps of all types, some at one point."""
    rng = np.random.default_rng(seed)
    surface = fractal(rows, cols, seed, 4.0)
    surface[rows // 2] += 2.5
    surface[:, cols // 3] += 3.0
    surface[5:9, 10:14] += 6.0
    clean = surface.astype(np.float32)
    grid = make_grid(clean, cell, 100.0, 900.0)
    lamps = []
    for k in range(12):
        x = 100 + rng.uniform(1, cell * (cols - 1) - 1)
        y = 900 - rng.uniform(1, cell * (rows - 1) - 1)
        if k % 4 == 3:
            x, y = lamps[-1].x, lamps[-1].y
        z = float(triangle_heights_m(grid, [x], [y])[0]) + (7.0 if k % 4 in (2, 3) else 4.0 + k)
        photometry = (FLOOD, TYPE_B, TYPE_A, ROUND)[k % 4]
        aim = rng.uniform([0, 10, 0, 0.5], [360, 90, 360, 2])
        lamps.append(Luminaire(photometry, x, y, z, *map(float, aim)))
    n = 60
    x = 100 + rng.uniform(0, cell * (cols - 1), n)
    y = 900 - rng.uniform(0, cell * (rows - 1), n)
    x[:4], y[:4] = 100 + cell * np.array([0, 3, 7, 20]), 900 - cell * np.array([0, 9, 4, 2])
    z = triangle_heights_m(grid, x, y)
    bearing = rng.uniform(0, 2 * np.pi, n)
    normals = np.zeros((n, 2, 3))
    normals[:, 0] = UP
    normals[:, 1, 0], normals[:, 1, 1] = np.sin(bearing), np.cos(bearing)
    if holes:
        clean = clean.copy()
        clean[rng.random(clean.shape) < holes] = np.nan
        grid = make_grid(clean, cell, 100.0, 900.0)
    return grid, lamps, make_points(x, y, z), normals


@pytest.mark.parametrize(("seed", "holes", "air"), [(0, 0, 0), (1, 0, 0.01), (2, 0.01, 0)])
def test_the_naive_twin_agrees(seed, holes, air):
    heights = (0.0, 1.5)
    grid, lamps, places, normals = scene(seed, holes)
    lights = pack_lights(lamps)
    got = illuminate(grid, lights, places, heights, normals, extinction_per_m=air)
    surface = grid.surface_m.astype(float).tolist()
    dark = lit = 0
    for i in range(places.x_m.size):
        for k, height in enumerate(heights):
            lux = unknown = doubt = 0.0
            point = (places.x_m[i], places.y_m[i], places.z_m[i] + height)
            for lamp, frame, scale in zip(lamps, lights.frame, lights.scale, strict=True):
                away = [lamp.x - point[0], lamp.y - point[1], lamp.z - point[2]]
                table = lamp.photometry
                table = (table.azimuth_deg, table.polar_deg, table.intensity_cd)
                part = naive.pair_lux(away, frame, table, scale, normals[i, k], air)
                start = ((point[0] - 100) / 2, (900 - point[1]) / 2, point[2])
                end = ((lamp.x - 100) / 2, (900 - lamp.y) / 2, lamp.z)
                clear, hole = naive.clearance(surface, start, end)
                if abs(clear + naive.TOUCH_M) < 1e-7:
                    doubt += part
                elif clear >= -naive.TOUCH_M:
                    if hole:
                        unknown += part
                    else:
                        lux += part
                lit += part > 0 and clear >= 0
                dark += part > 0 and clear < 0
            assert abs(got.lux[i, k] - lux) <= doubt + 1e-7 * lux + 1e-12
            assert abs(got.unknown_lx[i, k] - unknown) <= doubt + 1e-7 * unknown + 1e-12
    assert lit > 100
    assert dark > 100
    assert (got.unknown_lx.max() > 0) == (holes > 0)
    assert not got.skipped_lx.any()


def test_radiance_agrees_on_terrain_with_ridges(tmp_path):
    """20,000 receivers; only rays that clear an edge by less than a millimetre may differ."""
    if radiance.pyradiance is None:
        pytest.skip("pyradiance is not installed")
    found = compare_with_radiance(tmp_path, 10_000)
    assert found["receivers"] == 20_000
    assert found["mean"] <= 1e-5
    assert found["p999"] <= 5e-4
    assert found["max"] <= 1e-3
    assert found["shadow"] <= 1e-4
    assert 0.3 < found["lit"] < 0.95


def compare_with_radiance(folder, count):
    """Relative differences to rtrace, apart from rays that clear an edge by less than 1 mm."""
    rng = np.random.default_rng(5)
    rows, cols, cell = 160, 240, 2.0
    surface = fractal(rows, cols, 4, 6.0)
    surface[60:63] += 3
    surface[:, 100:103] += 4
    surface[np.arange(rows), np.arange(rows)] += 2.5
    surface = surface.astype(np.float32)
    x0, y0 = -240.0, 160.0
    grid = make_grid(surface, cell, x0, y0)
    polar = np.append(FLOOD.polar_deg, [FLOOD.polar_deg[-1] + 1e-3, 180.0])
    table = np.pad(FLOOD.intensity_cd, ((0, 0), (0, 2)))
    radiance.data_file(folder / "flood.dat", FLOOD.azimuth_deg, polar, table)
    text, lamps = [radiance.terrain_text(surface, cell, x0, y0)], []
    for k in range(16):
        x, y = x0 + rng.uniform(20, 458), y0 - rng.uniform(20, 298)
        z = float(triangle_heights_m(grid, [x], [y])[0] + rng.uniform(6, 12))
        aim = float(rng.uniform(0, 360)), float(rng.uniform(20, 70)), 180.0
        lamps.append(Luminaire(FLOOD, x, y, z, *aim))
        text.append(radiance.lamp_text(f"lamp{k}", "flood.dat", x, y, z, *aim))
    tree = radiance.octree(folder, "".join(text))
    x = x0 + rng.uniform(1, cell * (cols - 1) - 1, count)
    y = y0 - rng.uniform(1, cell * (rows - 1) - 1, count)
    z = triangle_heights_m(grid, x, y)
    bearing = rng.uniform(0, 2 * np.pi, count)
    normals = np.zeros((count, 2, 3))
    normals[:, 0] = UP
    normals[:, 1, 0], normals[:, 1, 1] = np.sin(bearing), np.cos(bearing)
    heights = (0.05, 1.5)
    ours = illuminate(grid, pack_lights(lamps), make_points(x, y, z), heights, normals).lux
    points = np.concatenate([np.column_stack([x, y, z + height]) for height in heights])
    theirs, cpu = radiance.trace(
        folder, tree, points, np.concatenate([normals[:, 0], normals[:, 1]])
    )
    theirs = theirs.reshape(2, count).T
    more = np.maximum(ours, theirs)
    differs = np.abs(ours - theirs) / np.where(more > 1e-6, more, np.inf)
    grazing = np.zeros(ours.shape, dtype=bool)
    nodes = surface.astype(float).tolist()
    for i, k in np.argwhere(differs > 5e-4):
        start = ((x[i] - x0) / cell, (y0 - y[i]) / cell, z[i] + heights[k])
        for lamp in lamps:
            end = ((lamp.x - x0) / cell, (y0 - lamp.y) / cell, lamp.z)
            grazing[i, k] |= abs(naive.clearance(nodes, start, end)[0]) < 1e-3
    kept = differs[~grazing]
    dark = (ours > 1e-6) != (theirs > 1e-6)
    return {
        "receivers": ours.size,
        "mean": float(kept.mean()),
        "p999": float(np.quantile(kept, 0.999)),
        "max": float(kept.max()),
        "shadow": float(dark.mean()),
        "grazing": int(grazing.sum()),
        "lit": float((ours > 1e-6).mean()),
        "rtrace_cpu_s": cpu,
    }


def flat(half=64.0, cell=1.0):
    side = int(2 * half / cell) + 1
    return make_grid(np.zeros((side, side)), cell, -half, half)


def isotropic(candela):
    return dataclasses.replace(ROUND, intensity_cd=np.full_like(ROUND.intensity_cd, candela))


CASES = json.loads((DATA / "photometry_synthetic" / "analytic_cases.json").read_text())


def test_closed_form_of_an_isotropic_lamp():
    lamp = Luminaire(isotropic(10_000 / (4 * math.pi)), 0.0, 0.0, 3.0)
    r = np.arange(6.0)
    places = make_points(r, np.zeros(6), np.zeros(6))
    got = illuminate(flat(), pack_lights([lamp]), places, [0.0], [UP]).lux[:, 0]
    exact = 10_000 / (4 * math.pi) * 3 / (9 + r**2) ** 1.5
    assert np.abs(got / exact - 1).max() < 1e-9
    assert np.round(got, 4).tolist() == CASES["A1 isotropic 10000 lm h=3 E(r=0..5)"]


def test_closed_form_horizontal_and_vertical():
    lamp = Luminaire(isotropic(1000.0), 0.0, 0.0, 10.0)
    gamma = np.radians([0, 30, 45, 60, 75])
    places = make_points(10 * np.tan(gamma), np.zeros(5), np.zeros(5))
    normals = np.array([UP, (-1.0, 0.0, 0.0)])
    got = illuminate(flat(), pack_lights([lamp]), places, [0.0, 0.0], normals).lux
    exact = 10 * np.cos(gamma) ** 3, 10 * np.cos(gamma) ** 2 * np.sin(gamma)
    assert np.abs(got - np.array(exact).T).max() < 1e-9
    want = CASES["A2 I=1000cd h=10 E_h at gamma 0,30,45,60,75"]
    assert np.abs(got[:, 0] - want).max() < 1e-5
    want = CASES["A2v vertical plane facing source same pts"]
    assert np.abs(got[:, 1] - want).max() < 1e-5


def test_the_shadow_of_a_ridge_ends_where_similar_triangles_say():
    side = 201
    surface = np.zeros((side, side))
    surface[:, 120] = 3.0  # x = 20
    grid = make_grid(surface, 1.0, -100.0, 100.0)
    lamp = Luminaire(isotropic(1000.0), 0.0, 0.0, 12.0)
    x = np.array([20.9, 21.1, 26.6, 26.66, 26.672, 27.0])
    z = triangle_heights_m(grid, x, np.zeros(6))
    got = illuminate(grid, pack_lights([lamp]), make_points(x, np.zeros(6), z), [0.0], [UP]).lux
    assert (got[:, 0] > 0).tolist() == [False, False, False, False, True, True]


def test_air_takes_away_its_share():
    lamp = Luminaire(isotropic(10_000.0), 0.0, 0.0, 1000.0)
    sigma = -math.log(0.05) / 1000
    got = illuminate(
        flat(), pack_lights([lamp]), make_points([0], [0], [0]), [0.0], [UP],
        extinction_per_m=sigma,
    )  # fmt: skip
    assert got.lux[0, 0] == pytest.approx(
        CASES["D2 Allard E at d=1000 m, I=10000 cd, MOR=1000 m (lx)"]
    )


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1000), skip=st.sampled_from([0.001, 0.1, 1.0, 10.0]))
def test_what_is_left_out_stays_within_its_bound(seed, skip):
    grid, lamps, places, normals = scene(seed)
    lights = pack_lights(lamps)
    full = illuminate(grid, lights, places, (0.0, 1.5), normals)
    cut = illuminate(grid, lights, places, (0.0, 1.5), normals, skip_lx=skip)
    lost = full.lux - cut.lux
    assert (lost >= -1e-9).all()
    assert (lost <= cut.skipped_lx + 1e-9).all()
    assert (cut.skipped_lx <= skip).all()
    assert cut.pairs <= full.pairs


def test_the_cut_leaves_out_most_of_a_long_line():
    x = np.arange(25.0, 3000.0, 100.0)
    lamps = [Luminaire(FLOOD, float(a), 0.0, 12.0, 0.0, 55.0, 180.0) for a in x]
    grid = make_grid(np.zeros((60, 1501), dtype=np.float32), 2.0, 0.0, 60.0)
    place = np.arange(1.0, 2999.0, 10.0)
    places = make_points(place, np.full(place.size, 20.0), np.zeros(place.size))
    got = illuminate(grid, pack_lights(lamps), places, [0.0], [UP], skip_lx=0.01)
    assert got.pairs < 0.4 * place.size * len(lamps)
    assert 0 < got.skipped_lx.max() <= 0.01


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), radius=st.sampled_from([0.5, *CONE_RADII_DEG]))
def test_no_direction_in_a_cone_is_brighter_than_its_bound(seed, radius):
    rng = np.random.default_rng(seed)
    tables = ALL_TABLES
    for k, photometry in enumerate((FLOOD, TYPE_A, TYPE_B, ROUND)):
        axis = rng.normal(size=3)
        if seed % 3 == 0:
            axis[:2] *= 1e-3  # near a pole
        axis /= np.linalg.norm(axis)
        bound = cone_intensity(tables, k, *axis, radius)
        side = np.cross(axis, rng.normal(size=(60, 3)))
        side /= np.linalg.norm(side, axis=1)[:, None]
        turn = np.radians(radius) * np.sqrt(rng.random(60))[:, None]
        inside = np.cos(turn) * axis + np.sin(turn) * side
        brightest = max(table_intensity(tables, k, *direction) for direction in inside)
        assert brightest <= bound
        assert bound <= photometry.intensity_cd.max() * (1 + 1e-5)


def test_a_quarter_turn_of_the_world_changes_nothing():
    grid, lamps, places, normals = scene(7)
    before = illuminate(grid, pack_lights(lamps), places, (0.0, 1.5), normals).lux
    # (x, y) becomes (−y, x): west and south of the diagonals swap, so the surface is flat here.
    level = make_grid(np.zeros_like(grid.surface_m), grid.cell_m, grid.x0_m, grid.y0_m)
    flat_before = illuminate(level, pack_lights(lamps), places, (9.0, 9.5), normals).lux
    rows, cols = level.surface_m.shape
    turned = make_grid(np.zeros((cols, rows)), 2.0, -900.0, 100.0 + 2.0 * (cols - 1))
    moved = [dataclasses.replace(a, x=-a.y, y=a.x, azimuth_deg=a.azimuth_deg - 90) for a in lamps]
    swung = np.stack([-normals[..., 1], normals[..., 0], normals[..., 2]], axis=-1)
    there = make_points(-places.y_m, places.x_m, places.z_m)
    after = illuminate(turned, pack_lights(moved), there, (9.0, 9.5), swung).lux
    assert np.abs(after - flat_before).max() <= 1e-9 * flat_before.max()
    assert before.max() > 0


def test_lamps_at_one_point_share_rays_and_change_nothing():
    grid, lamps, places, normals = scene(3)
    together = illuminate(grid, pack_lights(lamps), places, (0.0, 1.5), normals).lux
    alone = sum(
        illuminate(grid, pack_lights([lamp]), places, (0.0, 1.5), normals).lux for lamp in lamps
    )
    assert np.abs(together - alone).max() <= 1e-9 * alone.max()


def test_places_under_the_surface_are_dark_and_beyond_it_unknown():
    surface = np.zeros((21, 21))
    surface[8:13, 8:13] = 5.0  # a building
    grid = make_grid(surface, 1.0, 0.0, 20.0)
    lamp = Luminaire(isotropic(1000.0), 2.0, 10.0, 30.0)
    places = make_points([10.0, 2.0, 25.0], [10.0, 3.0, 3.0], [0.0, 0.0, 0.0])
    got = illuminate(grid, pack_lights([lamp]), places, [0.0], [UP])
    assert got.lux[0, 0] == got.unknown_lx[0, 0] == 0
    assert got.lux[1, 0] > 0
    assert got.lux[2, 0] == 0 < got.unknown_lx[2, 0]
    unknown = illuminate(
        grid, pack_lights([lamp]), make_points([2.0], [3.0], [np.nan]), [0.0], [UP]
    )
    assert unknown.lux[0, 0] == 0
    assert unknown.unknown_lx[0, 0] == np.inf
    buried = Luminaire(isotropic(1000.0), 10.0, 10.0, 4.0)
    assert illuminate(grid, pack_lights([buried]), places, [0.0], [UP]).lux[1, 0] == 0


def test_the_curve_keeps_neighbours_together():
    x, y = (a.ravel().astype(float) for a in np.mgrid[:64, :64])
    order = along_curve(x, y)
    step = np.hypot(np.diff(x[order]), np.diff(y[order]))
    assert sorted(order) == list(range(64 * 64))
    assert step.max() == 1.0


def test_wrong_arguments_are_refused():
    lights = pack_lights([Luminaire(FLOOD, 0, 0, 5)])
    places = make_points([0.0], [0.0], [0.0])
    with pytest.raises(UsageError, match="normals have shape"):
        illuminate(flat(), lights, places, [0.0], [UP, UP])
    with pytest.raises(UsageError, match="length 1"):
        illuminate(flat(), lights, places, [0.0], [(0, 0, 2.0)])
    with pytest.raises(UsageError, match="skip_lx"):
        illuminate(flat(), lights, places, [0.0], [UP], skip_lx=-1)
