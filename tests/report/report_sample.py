"""A whole made-up run on the real Rafah line: its plan, with the place and the proof."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from report_place import CRS, ground_at, make_site, make_terrain
from report_proof_sample import add_states, make_cells, make_proof

from watchline.geo import chainage
from watchline.model.plan import DesignClaim, Plan
from watchline.model.proof import Proof
from watchline.model.provenance import Provenance
from watchline.model.site import Site
from watchline.model.terrain import Terrain


def make_plan(site: Site, terrain: Terrain, count: int = 60) -> Plan:
    rng = np.random.default_rng(7)
    s = np.linspace(360, 12_240, count) + rng.uniform(-40, 40, count)
    t = np.where(rng.random(count) < 0.5, -46.0, -58.0)
    x, y = chainage.from_chainage(site.line, s, t)
    z = ground_at(terrain, x, y)
    towers = np.zeros(count, bool)
    towers[4::13] = True
    structure = np.where(towers, "tower_20", np.where(rng.random(count) < 0.5, "mast_8", "mast_12"))
    heights = {"mast_8": 8.0, "mast_12": 12.0, "tower_20": 20.0}
    mounts = gpd.GeoDataFrame(
        {
            "mount_id": [f"M{k + 1:03d}" for k in range(count)],
            "name": [f"{'T' if tower else 'M'}{k + 1:02d}" for k, tower in enumerate(towers)],
            "structure": structure,
            "kind": np.where(towers, "tower", "mast"),
            "height_m": [heights[key] for key in structure],
            "s": s,
            "t": t,
            "ground_z": z,
            "cost": [site.catalogue.structures[k].price + 3400.0 + 31.0 * 6 for k in structure],
            "existing": [k == 9 for k in range(count)],
        },
        geometry=gpd.points_from_xy(x, y),
        crs=CRS,
    )
    rows = []
    bearings = chainage.bearing_deg(site.line, s)
    for k in range(count):
        aims = [("bullet_8mp", 0.0, 9.0), ("bullet_8mp", 180.0, 9.0)]
        if k % 3 == 0:
            aims.append(("long_4mp", 90.0 * (-1) ** k, 25.0))
        if k % 7 == 2:
            aims.append(("thermal_35", 4.0, 35.0))
        if k % 17 == 5:
            aims.append(("pano_4x8", 0.0, 4.0))
        if towers[k]:
            aims.append(("observer_7x50", 0.0, 0.0))
        for model, off, focal in aims:
            device = site.catalogue.devices[model]
            hfov, vfov = device.sensor_fov_deg(focal)
            if device.sensors > 1:
                hfov += (device.sensors - 1) * device.spacing_deg
            jitter = float(rng.uniform(-12, 12))
            rows.append(
                {
                    "device_id": f"D{len(rows) + 1:03d}",
                    "mount_id": mounts.mount_id[k],
                    "model": model,
                    "kind": device.kind,
                    "height_m": mounts.height_m[k],
                    "azimuth_deg": (bearings[k] + off + jitter) % 360,
                    "tilt_deg": round(vfov / 2 + float(rng.uniform(0.5, 4)), 1),
                    "focal_mm": focal,
                    "hfov_deg": hfov,
                    "vfov_deg": vfov,
                    "cost": device.price,
                    "geometry": mounts.geometry[k],
                }
            )
    devices = gpd.GeoDataFrame(pd.DataFrame(rows), crs=CRS)
    cost = float(mounts["cost"].sum() + devices["cost"].sum())
    bound = cost * 0.9713
    along = pd.DataFrame({"s_from": np.arange(0, 12_300, 100.0)})
    along["s_to"] = along["s_from"] + 100.0
    along["price"] = rng.gamma(2.0, 6000.0, len(along)) * (along["s_from"] >= 300)
    log = [
        (t_, cost * (1 + 0.25 * np.exp(-t_ / 9)), bound * (1 - 0.08 * np.exp(-t_ / 25)))
        for t_ in np.linspace(0.6, 88.0, 34)
    ]
    return Plan(
        name="computed",
        crs=CRS,
        mounts=mounts,
        devices=devices,
        cost=cost,
        lower_bound=bound,
        currency="EUR",
        status="feasible",
        design_claims=tuple(DesignClaim(r.name, 1.0, 1000) for r in site.requirements),
        cost_along=along,
        log=tuple(log),
        notes=("The bound holds for the 48,120 offered poses; other sites might cost less.",),
        provenance=Provenance({"visibility": "d" * 64}, 1, "0.1.0"),
    )


@dataclass(frozen=True)
class Run:
    """A plan and its proof with what they were made from."""

    plan: Plan
    proof: Proof
    site: Site
    terrain: Terrain


def make_run(cell_m: float = 5.0) -> Run:
    site, terrain = make_site(), make_terrain()
    plan = make_plan(site, terrain)
    cells = add_states(make_cells(site, terrain, cell_m), site)
    return Run(plan, make_proof(site, cells, cell_m), site, terrain)
