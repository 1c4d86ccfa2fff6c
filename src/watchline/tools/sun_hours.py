"""Hours a year that the sun shines into each camera of a plan, over the terrain's own horizon."""

from __future__ import annotations

import numpy as np
import pyproj

from watchline.errors import WatchlineError
from watchline.model.plan import Plan
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.physics.optics import sensor_azimuths
from watchline.physics.sun import FloatArray, hours_in_lens, sun_year
from watchline.tools.horizon import horizon

HORIZON_M = 5_000.0
"""How far the horizon is looked for: a hill of 90 m there takes one degree."""


def sun_hours(plan: Plan, site: Site, terrain: Terrain | None) -> dict[str, float]:
    """Hours a year in which the sun's disk stands in the picture of each camera, in clear weather.

    Parameters
    ----------
    plan : Plan
        Devices with their aims.
    site : Site
        CRS, catalogue and line; the sun's path is that of the line's middle.
    terrain : Terrain or None
        Takes away the hours in which the sun stands behind it; without it the horizon is level.

    Returns
    -------
    dict of str to float
        By ``device_id``; thermal cameras, and what turns or looks all round, are left out.
    """
    known = site.catalogue.devices
    cameras = [
        row
        for row in plan.devices.itertuples()
        if str(row.model) in known and row.kind in ("camera", "panoramic")
    ]
    if not cameras:
        return {}
    middle = site.line.interpolate(0.5, normalized=True)
    to_geographic = pyproj.Transformer.from_crs(site.crs, 4326, always_xy=True)
    longitude, latitude = to_geographic.transform(middle.x, middle.y)
    convergence = pyproj.Proj(site.crs).get_factors(longitude, latitude).meridian_convergence
    sun = sun_year(latitude, longitude)
    skylines: dict[tuple[float, float, float], FloatArray | None] = {}
    hours = {}
    for row in cameras:
        device = known[str(row.model)]
        place = (row.geometry.x, row.geometry.y, float(row.height_m))
        if place not in skylines:
            skylines[place] = None if terrain is None else _skyline_deg(terrain, place)
        hours[str(row.device_id)] = hours_in_lens(
            sun,
            azimuths_deg=sensor_azimuths(row.azimuth_deg, device.sensors, device.spacing_deg),
            tilt_deg=row.tilt_deg,
            width_px=device.width_px,
            height_px=device.height_px,
            focal_px=device.focal_px(row.focal_mm),
            convergence_deg=convergence,
            horizon_deg=skylines[place],
        )
    return hours


def _skyline_deg(terrain: Terrain, place: tuple[float, float, float]) -> FloatArray | None:
    """Height of the horizon at every whole degree; None where the place has no terrain."""
    cell = terrain.cell_m
    x, y, height = place
    reach = int(np.ceil(HORIZON_M / cell)) + 2
    column, row = round((x - terrain.x[0]) / cell), round((terrain.y[0] - y) / cell)
    rows = slice(max(0, row - reach), row + reach + 1)
    columns = slice(max(0, column - reach), column + reach + 1)
    surface = np.asarray(terrain.surface)[rows, columns]
    ground = np.asarray(terrain.ground)[rows, columns]
    west = float(terrain.x[columns.start]) - cell / 2
    north = float(terrain.y[rows.start]) + cell / 2
    try:
        found = horizon(
            surface,
            (cell, 0.0, west, 0.0, -cell, north),
            (x, y, height),
            HORIZON_M,
            refraction=terrain.refraction,
            ground=ground,
        )
    except WatchlineError:  # off the terrain: nothing is known of its horizon
        return None
    return found.elevation_deg
