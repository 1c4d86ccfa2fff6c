"""Made-up sites with lights, for the tests of their design and of their proof."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
from prove_scenes import CRS, EAST, NORTH, site

from watchline.io.photometry import read_photometry
from watchline.model.lighting import (
    LIGHT_COLUMNS,
    POLE_COLUMNS,
    Lighting,
    LightingRules,
    LightRequirement,
    LuminaireOffer,
    PoleRules,
)
from watchline.model.site import Site

DATA = Path(__file__).parent / "data"
ROAD = read_photometry(DATA / "photometry" / "road_luminaire.ldt")
FLOOD = read_photometry(DATA / "photometry" / "projector.ldt")


def offer(photometry=ROAD, **change) -> LuminaireOffer:
    values = {
        "name": "road",
        "file": "road.ldt",
        "photometry": photometry,
        "price": 500.0,
        "power_w": 276.0,
        "front_c_deg": 190.0,
        "azimuths_deg": (-40.0, 40.0),
        "tilts_deg": (90.0,),
    }
    return LuminaireOffer(**(values | change))


def poles(**change) -> PoleRules:
    values = {
        "poles": ((10.0, 2000.0),),
        "spacing_m": 25.0,
        "offsets_m": (15.0,),
        "on_masts": False,
        "trench_per_m": 10.0,
        "energy_price": 0.1,
    }
    return PoleRules(**(values | change))


def lit_site(*requirements: LightRequirement, offers=None, limits=(), rules=None, **change) -> Site:
    """The site of the proof's tests, 200 m long, with lights."""
    asked = requirements or (LightRequirement("lit", "zone", minimum_lx=2.0),)
    lighting = LightingRules(tuple(offers or (offer(),)), rules or poles(), asked, tuple(limits))
    return replace(site(), lighting=lighting, **change)


def lights(*rows: dict) -> Lighting:
    """Lights as dicts: at (x, y from the line's start), aim, and perhaps height and pole."""
    table, stands = [], {}
    for k, row in enumerate(rows):
        x, y = row["at"]
        pole = row.get("pole", f"P{k + 1:03d}")
        stands.setdefault(pole, (x, y, row.get("height_m", 10.0), row.get("feeder", 1)))
        values = {
            "light_id": f"L{k + 1:03d}",
            "pole_id": pole,
            "luminaire": row.get("luminaire", "road"),
            "sha256": row.get("sha256", ""),
            "height_m": row.get("height_m", 10.0),
            "s": x,
            "t": y,
            "azimuth_deg": row.get("azimuth_deg", 0.0),
            "tilt_deg": row.get("tilt_deg", 90.0),
            "roll_deg": row.get("roll_deg", 190.0),
            "power_w": 276.0,
            "cost": 500.0,
        }
        table.append({**values, "x": x, "y": y})
    masts = [
        {
            "pole_id": name,
            "mount_id": "",
            "height_m": h,
            "s": x,
            "t": y,
            "feeder": f,
            "cost": 2000.0,
        }
        | {"x": x, "y": y}
        for name, (x, y, h, f) in stands.items()
    ]
    return Lighting(_frame(masts, POLE_COLUMNS), _frame(table, LIGHT_COLUMNS), 0.0, None, "edited")


def _frame(rows: list[dict], columns) -> gpd.GeoDataFrame:
    x = np.array([row["x"] for row in rows], dtype=float) + EAST
    y = np.array([row["y"] for row in rows], dtype=float) + NORTH
    plain = {name: [row[name] for row in rows] for name in columns}
    return gpd.GeoDataFrame(plain, geometry=gpd.points_from_xy(x, y), crs=CRS)
