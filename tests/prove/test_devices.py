"""What the proof leaves out before projecting must have had no view."""

from __future__ import annotations

import numpy as np
import pytest
from prove_scenes import DEVICES, device

from watchline.physics.watch import watch_density
from watchline.prove.devices import PlacedDevice, bearing_deg


@pytest.mark.parametrize("seed", range(40))
def test_nothing_in_view_lies_beyond_reach_or_sector(seed):
    rng = np.random.default_rng(seed)
    models = [*DEVICES.values(), device("wide", sensor_width_mm=12.0, range_m=900.0)]
    model = models[seed % len(models)]
    placed = PlacedDevice(
        "D", "M", model, rng.uniform(0, 360), rng.uniform(-30, 60), rng.uniform(2, 10)
    )
    count = 20_000
    distance = np.exp(rng.uniform(np.log(5.0), np.log(1000), count))
    bearing = rng.uniform(-np.pi, np.pi, count)
    east, north = distance * np.sin(bearing), distance * np.cos(bearing)
    feet = rng.uniform(-2.0, 1.0, count) * distance
    density = watch_density(
        model,
        placed.focal_mm,
        placed.azimuth_deg,
        placed.tilt_deg,
        east,
        north,
        feet + 1.7,
        feet,
    )
    seen = density > 0
    assert seen.any()
    slant = np.sqrt(distance**2 + (feet + 1.7) ** 2)
    assert (slant[seen] <= placed.reach_m(density[seen]) * (1 + 1e-9)).all()
    assert (slant[seen] <= placed.reach_m(np.zeros(1))).all()
    off = np.abs((bearing_deg(east, north) - placed.azimuth_deg + 180) % 360 - 180)
    assert (off[seen] <= placed.half_sector_deg() + 1e-9).all()
