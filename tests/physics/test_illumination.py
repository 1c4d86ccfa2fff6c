"""Luminaires on terrain: hung from the ground, folded over the round Earth, cut where near."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from photometry_cases import DATA
from watchline.io.photometry import read_photometry
from watchline.kernels.grid import make_grid
from watchline.physics.illumination import UPWARDS, Receivers, cast_light, facing
from watchline.physics.light import rectangle_illuminance_lx
from watchline.physics.luminaires import Luminaire

ROUND = read_photometry(DATA / "photometry_synthetic" / "L1.ldt")


def flat(half=32.0, cell=1.0):
    side = int(2 * half / cell) + 1
    return make_grid(np.zeros((side, side), dtype=np.float32), cell, -half, half)


def panel(size=(0.65, 0.40, 0.0)):
    """A Lambertian panel of 1000 cd/m²."""
    gamma = np.arange(0.0, 90.1, 0.25)
    table = 1000 * 0.65 * 0.40 * np.cos(np.radians(gamma))
    return dataclasses.replace(
        ROUND, polar_deg=gamma, intensity_cd=np.stack([table, table]), size_m=size
    )


def test_a_near_panel_is_cut_into_parts():
    """One metre over the ground the point is 10 % off, the parts are not."""
    here = Receivers(np.zeros(1), np.zeros(1), (0.0,), np.array([UPWARDS]))
    exact = float(rectangle_illuminance_lx(1000, (0.65, 0.40), 1.0))
    got = cast_light(flat(), flat(), [Luminaire(panel(), 0, 0, 1.0)], here).lux[0, 0]
    point = cast_light(flat(), flat(), [Luminaire(panel((0, 0, 0)), 0, 0, 1.0)], here).lux[0, 0]
    assert got == pytest.approx(exact, rel=0.003)
    assert point == pytest.approx(1.096 * exact, rel=0.001)


def test_luminaires_and_receivers_stand_on_the_ground_and_the_surface_blocks():
    ground = flat()
    raised = ground._replace(surface_m=ground.surface_m + np.float32(100.0))
    wall = raised.surface_m.copy()
    wall[:, 37] += 6.0  # x = 5, between the lamp at 0 and the second receiver
    there = Receivers(
        np.array([2.0, 9.0]), np.zeros(2), (0.0, 1.5), np.array([UPWARDS, facing(270.0)])
    )
    lamp = [Luminaire(panel((0, 0, 0)), 0, 0, 4.0)]
    low = cast_light(ground, ground, lamp, there)
    high = cast_light(raised, raised, lamp, there)
    walled = cast_light(raised._replace(surface_m=wall), raised, lamp, there)
    assert low.lux == pytest.approx(high.lux, rel=1e-4)
    assert (walled.lux[0] == pytest.approx(high.lux[0])) and not walled.lux[1].any()
    assert (high.lux > 0).all()


def test_a_luminaire_on_unknown_ground_leaves_nothing_known():
    ground = flat()
    holed = ground.surface_m.copy()
    holed[30:34, 30:34] = np.nan
    grid = ground._replace(surface_m=holed)
    here = Receivers(np.array([9.0]), np.zeros(1), (0.0,), np.array([UPWARDS]))
    found = cast_light(grid, grid, [Luminaire(panel(), 0, 0, 4.0)], here)
    assert found.lux[0, 0] == 0
    assert math.isinf(found.unknown_lx[0, 0])


def test_the_earth_is_round():
    """A receiver on the sea sees a lamp 10 m high from 12.1 km, not from 13.4 km."""
    cell, cols = 20.0, 801
    grid = make_grid(np.zeros((3, cols), dtype=np.float32), cell, 0.0, 20.0)
    lamp = [Luminaire(panel((0, 0, 0)), 20.0, 0.0, 10.0, azimuth_deg=90.0, tilt_deg=0.0)]
    x = np.array([11_000.0, 13_400.0])
    there = Receivers(x, np.zeros(2), (0.0,), np.array([facing(270.0)]))
    # Horizon at √(2 · 6371 km / 0.87 · 10 m) = 12.1 km.
    lux = cast_light(grid, grid, lamp, there).lux[:, 0]
    assert lux[0] > 0
    assert lux[1] == 0
