"""A small site with its plan and proof, made in memory: what the tests of the outputs write."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry import LineString, Point

from watchline.design.propose import mount_cost
from watchline.geo.chainage import to_chainage
from watchline.model.catalogue import Catalogue, Device, Services, Structure
from watchline.model.plan import DesignClaim, Plan, plan_digest
from watchline.model.proof import Claim, Proof, Witness
from watchline.model.provenance import Provenance
from watchline.model.site import (
    Area,
    CandidateRules,
    DesignRules,
    ExistingMount,
    NoWatchArea,
    Requirement,
    Road,
    Site,
    TerrainSource,
    Zone,
)
from watchline.physics.field import whole_field_deg

CRS = "EPSG:32636"
X0, Y0 = 600_000.0, 3_460_000.0
HOSTILE = 'Tor "5" <b>&amp;</b> O\'Neil; DROP TABLE mounts;-- é日本 =1+1'


def device(id_: str, kind: str = "camera", **more: object) -> Device:
    values: dict[str, object] = {
        "id": id_, "name": f"Model {id_}", "kind": kind, "width_px": 2560, "height_px": 1440,
        "sensor_width_mm": 5.12, "focal_min_mm": 8.0, "focal_max_mm": 32.0, "sensors": 1,
        "spacing_deg": 0.0, "acuity_arcmin": 0.0, "time_share": 1.0, "range_m": 600.0,
        "price": 900.0, "power_w": 12.0, "sources": {"price": "assumption"},
    }  # fmt: skip
    return Device(**{**values, **more})  # type: ignore[arg-type]


def make_catalogue() -> Catalogue:
    devices = [
        device("cam-4mp"),
        device("thermal-25", "thermal", width_px=640, height_px=512, sensor_width_mm=7.68,
               focal_min_mm=25.0, focal_max_mm=25.0, price=4200.5),
        device("pano-4", "panoramic", sensors=4, spacing_deg=45.0, focal_min_mm=4.0,
               focal_max_mm=4.0, price=1800.0),
        device("ptz-30", "ptz", focal_min_mm=4.3, focal_max_mm=129.0, time_share=0.1,
               price=2500.0),
        device("observer", "observer", width_px=0, height_px=0, sensor_width_mm=0.0,
               focal_min_mm=0.0, focal_max_mm=0.0, acuity_arcmin=1.0, price=0.0, power_w=0.0),
    ]  # fmt: skip
    structures = [
        Structure("mast-8", "Mast of 8 m", "mast", 8.0, 4, 2100.0, {"price": "assumption"}),
        Structure("mast-12", "Mast of 12 m", "mast", 12.0, 4, 3300.0, {"price": "assumption"}),
        Structure("tower-15", "Tower of 15 m", "tower", 15.0, 8, 21000.0, {"price": "assumption"}),
    ]
    services = Services(38.4, 9.15, 1250.0, {"connection": "assumption"})
    return Catalogue(
        "EUR",
        {d.id: d for d in devices},
        {s.id: s for s in structures},
        services,
        {"overview": 20.0, "outline": 40.0, "perceive": 125.0},
    )


def make_site(folder: Path = Path("project"), **more: object) -> Site:
    line = LineString([(X0, Y0), (X0 + 600, Y0 + 40), (X0 + 1100, Y0 + 300)])
    road = shapely.offset_curve(line, -60.0)
    catalogue = make_catalogue()
    values: dict[str, object] = {
        "name": "Sample <line>",
        "folder": folder,
        "crs": CRS,
        "line": line,
        "side": "right",
        "zone": Zone(0.0, 100.0, 0.0, line.length, 5.0, 20.0),
        "road": Road(road, 6.0),
        "terrain": TerrainSource(ground=folder / "ground.tif"),
        "requirements": (
            Requirement("whole zone", "zone", "overview", 20.0),
            Requirement("beside the line", "fence_strip", "outline", 40.0, views=2),
            Requirement("crouching", "zone", "overview", 20.0, target_height_m=0.5, binding=False),
        ),
        "catalogue": catalogue,
        "candidates": CandidateRules(
            100.0, 50.0, 3.0, tuple(catalogue.devices), tuple(catalogue.structures)
        ),
        "design": DesignRules(),
        "areas": (Area("crossing", Point(X0 + 300, Y0 - 20).buffer(40)),),
        "exclusions": (Area("wadi & 'well'", Point(X0 + 700, Y0).buffer(30)),),
        "no_watch": (NoWatchArea("house", Point(X0 + 900, Y0 + 90).buffer(20), 0.0, 12.5),),
        "existing_mounts": (ExistingMount(HOSTILE, X0 + 500, Y0 - 30, "mast-12", 400.0),),
        "line_credit": "made by hand",
    }
    return Site(**{**values, **more})  # type: ignore[arg-type]


def make_plan(site: Site | None = None, **more: object) -> Plan:
    site = site or make_site()
    catalogue = site.catalogue
    places = [
        ("M001", "Mast at 100 m", "mast-8", X0 + 100.25, Y0 - 50.5, False),
        ("M002", HOSTILE, "mast-12", X0 + 500.0, Y0 - 30.0, True),
        ("M003", "Tower", "tower-15", X0 + 800.0, Y0 + 60.0, False),
    ]
    rows = []
    for key, name, structure_id, x, y, existing in places:
        structure = catalogue.structures[structure_id]
        s, t, _ = to_chainage(site.line, np.array([x]), np.array([y]))
        price = 400.0 if existing else structure.price
        trench = Point(x, y).distance(site.road.centreline)
        rows.append(
            {
                "mount_id": key, "name": name, "structure": structure_id, "kind": structure.kind,
                "height_m": structure.height_m, "s": float(s[0]), "t": float(t[0]),
                "ground_z": 40.0 + len(rows) / 3,
                "cost": mount_cost(price, trench, catalogue.services), "existing": existing,
                "geometry": Point(x, y),
            }
        )  # fmt: skip
    mounts = gpd.GeoDataFrame(pd.DataFrame(rows), crs=CRS)
    aims = [
        ("M001", "cam-4mp", 75.123456, 6.5, 12.0),
        ("M001", "cam-4mp", 255.0, 6.5, 8.0),
        ("M001", "thermal-25", 80.0, 2.0, 25.0),
        ("M002", "pano-4", 10.0, 12.0, 4.0),
        ("M002", "cam-4mp", 66.0, 4.0, 32.0),
        ("M003", "observer", 0.0, 0.0, 0.0),
        ("M003", "ptz-30", 180.0, 5.0, 60.0),
    ]
    home = mounts.set_index("mount_id")
    rows = []
    for number, (mount, model, azimuth, tilt, focal) in enumerate(aims):
        own = catalogue.devices[model]
        horizontal, vertical = whole_field_deg(own, focal)
        rows.append(
            {
                "device_id": f"D{number + 1:03d}", "mount_id": mount, "model": model,
                "kind": own.kind, "height_m": float(home.loc[mount, "height_m"]),
                "azimuth_deg": azimuth, "tilt_deg": tilt, "focal_mm": focal,
                "hfov_deg": round(horizontal, 3), "vfov_deg": round(vertical, 3),
                "cost": own.price, "geometry": home.loc[mount, "geometry"],
            }
        )  # fmt: skip
    devices = gpd.GeoDataFrame(pd.DataFrame(rows), crs=CRS)
    cost = round(float(mounts["cost"].sum() + devices["cost"].sum()), 2)
    values: dict[str, object] = {
        "name": "computed",
        "crs": CRS,
        "mounts": mounts,
        "devices": devices,
        "cost": cost,
        "lower_bound": cost * 0.97,
        "currency": "EUR",
        "status": "feasible",
        "design_claims": (DesignClaim("whole zone", 1.0, 1234, 0.6),),
        "cost_along": pd.DataFrame({"s_from": [0.0, 100.0], "price": [1.5, float("nan")]}),
        "log": ((0.5, cost * 2, float("-inf")), (1.5, cost, cost * 0.97)),
        "notes": (f"note of {HOSTILE}",),
        "provenance": Provenance({"candidates": "ab" * 32}, 7, "0.1.0"),
    }
    return Plan(**{**values, **more})  # type: ignore[arg-type]


def make_proof(site: Site | None = None, plan: Plan | None = None, cell_m: float = 10.0) -> Proof:
    site = site or make_site()
    plan = plan or make_plan(site)
    x, y = np.meshgrid(
        np.arange(X0 + cell_m / 2, X0 + 1100, cell_m),
        np.arange(Y0 - 100 + cell_m / 2, Y0 + 300, cell_m),
    )
    x, y = x.ravel(), y.ravel()
    s, t, beside = to_chainage(site.line, x, y)
    keep = beside & (-t >= 0) & (-t <= 100)
    x, y, s, t = x[keep], y[keep], s[keep], t[keep]
    rng = np.random.default_rng(5)
    views = np.clip((np.sin(s / 90) * 2 + 2).astype(int), 0, 4)
    cells = pd.DataFrame(
        {
            "x": x, "y": y, "s": s, "t": t, "size_m": np.full(len(x), cell_m),
            "ground_z": rng.normal(40, 3, len(x)), "in:zone": True, "in:fence_strip": -t <= 20,
            "views@1.7": views.astype(np.int32),
            "px_per_m@1.7": rng.uniform(0, 150, len(x)), "unknown@1.7": rng.random(len(x)) < 0.05,
            "views@0.5": np.maximum(views - 1, 0).astype(np.int32),
            "px_per_m@0.5": rng.uniform(0, 150, len(x)), "unknown@0.5": np.zeros(len(x), bool),
        }
    )  # fmt: skip
    witness = Witness(X0 + 50, Y0 - 20, 50.0, -20.0, float("nan"), "the terrain hides it <&>")
    claims = (
        Claim("whole zone", "coverage", "zone", "day", "fails", 0.98, 0.98, 0.99, 1.0, True,
              witness, len(x), ((0.0, 100.0), (400.0, 520.5)), "rays", f"says {HOSTILE}"),
        Claim("house", "no_watch", "house", "day", "holds", 0.0, 0.0, 0.0, 0.0, True, None, 30, (),
              "rays", "nothing is watched"),
        Claim("crouching", "coverage", "zone", "day", "unknown", 0.9, 0.9, 1.0, 1.0, False,
              witness, len(x), ((0.0, 1200.0),), "rays", ""),
    )  # fmt: skip
    chainage = pd.DataFrame(
        {
            "requirement": ["whole zone"] * 3,
            "s_from": [0.0, 100.0, 200.0],
            "s_to": [100.0, 200.0, 300.0],
            "cells": [10, 20, 30],
            "share": [1.0, 0.5, float("nan")],
            "unknown_share": [0.0, 0.1, 0.2],
        }
    )
    return Proof(
        claims, cells, chainage, cell_m, plan_digest(plan), Provenance({"plan": "cd" * 32}, 3, "x")
    )
