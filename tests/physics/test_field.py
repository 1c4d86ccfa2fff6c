"""Fields of view on flat ground against the projection that the proof uses."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import shapely

import outputs_sample as sample
from watchline.physics.field import view_polygon, whole_field_deg
from watchline.physics.watch import watch_density

DEVICES = sample.make_catalogue().devices


def test_whole_fields() -> None:
    camera = DEVICES["cam-4mp"]
    assert whole_field_deg(camera, 8.0) == pytest.approx(
        (2 * math.degrees(math.atan(0.32)), 2 * math.degrees(math.atan(0.18)))
    )
    single = whole_field_deg(camera, 4.0)
    assert whole_field_deg(DEVICES["pano-4"], 4.0) == pytest.approx((135 + single[0], single[1]))
    wide = dataclasses.replace(DEVICES["pano-4"], sensors=8)
    assert whole_field_deg(wide, 4.0)[0] == 360.0
    assert whole_field_deg(DEVICES["observer"], 0.0) == (360.0, 120.0)
    assert whole_field_deg(DEVICES["ptz-30"], 60.0)[0] == 360.0


@pytest.mark.parametrize("key", ["cam-4mp", "thermal-25", "pano-4", "ptz-30", "observer"])
def test_the_middle_of_the_field_is_watched_as_well_as_asked(key) -> None:
    """Along the azimuth the polygon ends exactly where the device stops to watch."""
    device = DEVICES[key]
    focal, tilt, height, target, asked = device.focal_max_mm, 6.0, 9.0, 1.7, 30.0
    azimuth = 40.0 if device.sensors % 2 else 40.0 + device.spacing_deg / 2
    shape = view_polygon(
        device, x=0.0, y=0.0, height_m=height, azimuth_deg=40.0, tilt_deg=tilt, focal_mm=focal,
        px_per_m=asked, target_height_m=target,
    )  # fmt: skip
    distance = np.arange(0.25, 700.0, 0.5)
    east, north = (distance * f(math.radians(azimuth)) for f in (math.sin, math.cos))
    density = watch_density(
        device, focal, 40.0, tilt, east, north,
        np.full(len(distance), target - height), np.full(len(distance), -height),
    )  # fmt: skip
    watched = density >= asked - 1e-9
    drawn = shapely.contains_xy(shape, east, north)
    assert watched.any()
    edge = np.abs(np.diff(drawn.astype(int))) > 0
    # Chords cut the arc by at most 1 - cos(1.5°) of the distance.
    near_edge = np.zeros(len(distance), bool)
    for place in np.flatnonzero(edge):
        near_edge |= np.abs(distance - distance[place]) < 1.0 + 4e-4 * distance[place]
    # Straight below a zoomed head a target fits again, which is not drawn.
    assert (watched == drawn)[~near_edge & (distance > 1.0)].all()
    assert not (drawn & ~watched)[~near_edge].any()


def test_sensors_with_gaps_are_drawn_apart() -> None:
    apart = dataclasses.replace(DEVICES["pano-4"], spacing_deg=90.0)
    shape = view_polygon(
        apart, x=0.0, y=0.0, height_m=8.0, azimuth_deg=0.0, tilt_deg=15.0, focal_mm=4.0,
        px_per_m=20.0, target_height_m=1.7,
    )  # fmt: skip
    assert len(shape.geoms) == 4
    assert not shape.contains(shapely.Point(0.0, 50.0))  # between two sensors


def test_what_cannot_reach_is_empty() -> None:
    common = {"x": 0.0, "y": 0.0, "azimuth_deg": 0.0, "target_height_m": 1.7, "focal_mm": 8.0}
    camera = DEVICES["cam-4mp"]
    steep = view_polygon(camera, height_m=8.0, tilt_deg=30.0, px_per_m=5000.0, **common)
    assert steep.is_empty
    high = view_polygon(camera, height_m=700.0, tilt_deg=30.0, px_per_m=0.0, **common)
    assert high.is_empty
