"""A whole made-up run on the real Rafah line: site, terrain, plan and proof for the report."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
import xarray as xr
from scipy import ndimage
from shapely.geometry import LineString, Point

from watchline.geo import chainage
from watchline.model.catalogue import Catalogue, Device, Services, Structure
from watchline.model.plan import DesignClaim, Plan
from watchline.model.proof import (
    CELL_FAILS,
    CELL_GOOD,
    CELL_NOT_JUDGED,
    CELL_UNKNOWN,
    Claim,
    Proof,
    Witness,
)
from watchline.model.provenance import Provenance
from watchline.model.site import (
    Area,
    CandidateRules,
    DesignRules,
    NoWatchArea,
    Requirement,
    Road,
    Site,
    TerrainSource,
    Zone,
)
from watchline.model.terrain import Terrain

DATA = Path(__file__).parents[1] / "data" / "report_rafah"
CRS = "EPSG:32636"
CREDIT = "Line © OpenStreetMap contributors, ODbL 1.0"
GAP_STRETCH = (7340.0, 7420.0)
UNKNOWN_STRETCH = (10110.0, 10145.0)


def line() -> LineString:
    return LineString(json.loads((DATA / "line_epsg32636.json").read_text())["coordinates"])


def catalogue() -> Catalogue:
    source = {"price": "assumption"}
    device = {"sensors": 1, "spacing_deg": 0.0, "acuity_arcmin": 0.0, "time_share": 1.0}
    cameras = [
        Device(
            "bullet_8mp",
            "Fixed camera 8 MP, 2.8–12 mm",
            "camera",
            3840,
            2160,
            5.6,
            2.8,
            12.0,
            range_m=400.0,
            price=900.0,
            power_w=12.0,
            sources=source,
            **device,
        ),
        Device(
            "long_4mp",
            "Long-range camera 4 MP, 15–50 mm",
            "camera",
            2560,
            1440,
            5.4,
            15.0,
            50.0,
            range_m=900.0,
            price=2400.0,
            power_w=16.0,
            sources=source,
            **device,
        ),
        Device(
            "thermal_35",
            "Thermal camera 640 × 512, 35 mm",
            "thermal",
            640,
            512,
            7.68,
            35.0,
            35.0,
            range_m=500.0,
            price=6200.0,
            power_w=8.0,
            sources=source,
            **device,
        ),
        Device(
            "pano_4x8",
            "Panoramic 4 × 8 MP",
            "panoramic",
            3840,
            2160,
            5.6,
            4.0,
            4.0,
            4,
            55.0,
            0.0,
            1.0,
            300.0,
            3100.0,
            40.0,
            source,
        ),
        Device(
            "observer_7x50",
            "Observer with 7×50 binoculars",
            "observer",
            0,
            0,
            0.0,
            0.0,
            0.0,
            1,
            0.0,
            1.0 / 7,
            0.2,
            2500.0,
            61000.0,
            0.0,
            source,
        ),
    ]
    structures = [
        Structure("mast_8", "Mast 8 m", "mast", 8.0, 4, 5200.0, source),
        Structure("mast_12", "Mast 12 m", "mast", 12.0, 4, 7900.0, source),
        Structure("tower_20", "Tower 20 m with cabin", "tower", 20.0, 6, 96000.0, source),
    ]
    return Catalogue(
        currency="EUR",
        devices={d.id: d for d in cameras},
        structures={s.id: s for s in structures},
        services=Services(22.0, 9.0, 3400.0, {"connection": "assumption"}),
        qualities={"overview": 20.0, "outline": 40.0, "discern": 80.0, "perceive": 125.0},
    )


def requirements() -> tuple[Requirement, ...]:
    return (
        Requirement("whole zone once", "zone", "overview", 20.0),
        Requirement("fence strip twice", "fence_strip", "outline", 40.0, views=2),
        Requirement("crossing point", "crossing", "perceive", 125.0),
        Requirement("road", "road", "overview", 20.0, share=0.98),
        Requirement(
            "zone, crouching", "zone", "overview", 20.0, target_height_m=0.5, binding=False
        ),
    )


def make_site() -> Site:
    guarded = line()
    road = chainage.part(guarded, 300.0, 12_300.0).offset_curve(-52.0)
    x, y = chainage.from_chainage(
        guarded, np.array([4200.0, 3900.0, 6000.0, 9000.0]), np.array([-55.0, -40.0, -70.0, 190.0])
    )
    crossing = Point(x[0], y[0]).buffer(90).intersection(zone_polygon(guarded))
    return Site(
        name="Rafah 2017",
        folder=Path("rafah"),
        crs=CRS,
        line=guarded,
        side="right",
        zone=Zone(0.0, 100.0, 300.0, 12_300.0, 5.0, 20.0),
        road=Road(road, 6.0),
        terrain=TerrainSource(
            Path("ground.tif"),
            clamp_below_m=0.0,
            vertical_datum="EGM96",
            credit="SRTM courtesy USGS",
            limits="90 m posts: for comparing options, never for siting",
        ),
        requirements=requirements(),
        catalogue=catalogue(),
        candidates=CandidateRules(60.0, 30.0, 3.0, tuple(catalogue().devices), ("mast_8",)),
        design=DesignRules(),
        areas=(Area("crossing", crossing),),
        exclusions=(Area("wadi", Point(x[2], y[2]).buffer(60)),),
        no_watch=(
            NoWatchArea("houses", shapely.box(x[3] - 60, y[3] - 90, x[3] + 60, y[3] + 90), 0, 40),
        ),
        line_credit=CREDIT,
        notes="A made-up plan for the report's tests.",
        provenance=Provenance({"project.toml": "a" * 64, "line.geojson": "b" * 64}, 1, "0.1.0"),
    )


def zone_polygon(guarded: LineString) -> shapely.Polygon:
    return chainage.strip_polygon(guarded, -1, 0.0, 100.0, 300.0, 12_300.0)


def make_terrain() -> Terrain:
    with rasterio.open(DATA / "ground_90m.tif") as source:
        coarse = source.read(1).astype(np.float64)
        transform = source.transform
    fine = np.maximum(ndimage.zoom(coarse, 3, order=3, grid_mode=True, mode="nearest"), 0.0)
    fine = fine.astype(np.float32)
    fine[:40, -40:] = np.nan
    x = transform.c + 15 + 30 * np.arange(fine.shape[1])
    y = transform.f - 15 - 30 * np.arange(fine.shape[0])
    data = xr.Dataset(
        {"ground": (("y", "x"), fine), "surface": (("y", "x"), fine)}, coords={"x": x, "y": y}
    )
    return Terrain(
        data,
        CRS,
        0.13,
        notes=(
            "Heights: SRTM courtesy USGS; ETOPO1 NOAA.",
            "90 m posts resampled to 30 m: for comparing options, never for siting.",
            "Cells below 0 m (sea floor) were raised to 0 m.",
        ),
        provenance=Provenance({"ground.tif": "c" * 64}, 1, "0.1.0"),
    )


def _ground(terrain: Terrain, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    x0, y0 = terrain.origin
    rows, cols = (y0 - y) / terrain.cell_m, (x - x0) / terrain.cell_m
    return ndimage.map_coordinates(np.nan_to_num(terrain.ground), [rows, cols], order=1)


def make_plan(site: Site, terrain: Terrain, count: int = 60) -> Plan:
    rng = np.random.default_rng(7)
    s = np.linspace(360, 12_240, count) + rng.uniform(-40, 40, count)
    t = np.where(rng.random(count) < 0.5, -46.0, -58.0)
    x, y = chainage.from_chainage(site.line, s, t)
    z = _ground(terrain, x, y)
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


def make_cells(site: Site, terrain: Terrain, cell_m: float) -> pd.DataFrame:
    """Proof cells on a north-up grid, with views that fall off with the distance to the mounts."""
    zone = zone_polygon(site.line)
    x0, y0, x1, y1 = zone.bounds
    gx, gy = np.meshgrid(np.arange(np.floor(x0), x1, cell_m), np.arange(np.floor(y0), y1, cell_m))
    shapely.prepare(zone)
    inside = shapely.contains_xy(zone, gx.ravel(), gy.ravel())
    x, y = gx.ravel()[inside], gy.ravel()[inside]
    s, t, _ = chainage.to_chainage(site.line, x, y)
    rng = np.random.default_rng(3)
    noise = ndimage.gaussian_filter1d(rng.normal(size=4000), 6) * 6
    wave = noise[np.clip((s / 4).astype(int), 0, 3999)] + 0.6 * np.sin(t / 17.0 + s / 90.0)
    views = np.clip(np.round(2.6 + wave), 1, 7).astype(np.int16)
    strip = np.abs(t) <= 20
    views[strip] = np.maximum(views[strip], 2)
    density = np.clip(55 * np.exp(0.45 * wave) + 3 * views, 21, 400)
    density[strip] = np.maximum(density[strip], 41)
    crossing = shapely.contains_xy(site.areas[0].polygon, x, y)
    density[crossing] = np.maximum(density[crossing], 130)
    bad = (s > GAP_STRETCH[0]) & (s < GAP_STRETCH[1]) & (np.abs(t) > 2) & (np.abs(t) < 14)
    views[bad], density[bad] = np.where(rng.random(bad.sum()) < 0.3, 0, 1), 26.0
    unknown = crossing & (rng.random(len(x)) < 0.02)
    crouched = views - (rng.random(len(x)) < 0.04).astype(np.int16)
    return pd.DataFrame(
        {
            "x": x,
            "y": y,
            "s": s,
            "t": t,
            "size_m": cell_m,
            "ground_z": _ground(terrain, x, y),
            "in:zone": True,
            "in:fence_strip": strip,
            "in:crossing": crossing,
            "in:road": np.abs(t + 52) < 3,
            "views@1.7": views,
            "px_per_m@1.7": density,
            "unknown@1.7": unknown,
            "views@0.5": np.maximum(crouched, 0),
            "px_per_m@0.5": density * 0.98,
            "unknown@0.5": unknown,
        }
    )


def add_states(cells: pd.DataFrame, site: Site) -> pd.DataFrame:
    """State of every cell under every requirement, as the proof writes it."""
    states = {}
    for requirement in site.requirements:
        height = f"{requirement.target_height_m:g}"
        good = (cells[f"views@{height}"] >= requirement.views) & (
            cells[f"px_per_m@{height}"] >= requirement.px_per_m
        )
        unknown = cells[f"unknown@{height}"]
        state = np.where(unknown, CELL_UNKNOWN, np.where(good, CELL_GOOD, CELL_FAILS))
        asked = cells[f"in:{requirement.where}"]
        states[f"state:{requirement.name}"] = np.where(asked, state, CELL_NOT_JUDGED)
    return cells.assign(**states)


def _claim(name: str, where: str, cells: int, **more: object) -> Claim:
    base = Claim(
        requirement=name,
        kind="coverage",
        where=where,
        condition="day",
        verdict="holds",
        value=1.0,
        lower=1.0,
        upper=1.0,
        target=1.0,
        binding=True,
        witness=Witness(617_000.0, 3_463_000.0, 8210.0, -99.0, 20.4, "tightest cell: 20.4 px/m"),
        cells=cells,
        failing_chainages=(),
        method="rays on the triangulated surface (Embree), full camera projection",
        detail="every cell is seen",
    )
    return replace(base, **more)


def make_proof(site: Site, cells: pd.DataFrame, cell_m: float) -> Proof:
    wx, wy = chainage.from_chainage(site.line, np.array([7382.0, 4210.0]), np.array([-8.0, -60.0]))
    claims = (
        _claim("whole zone once", "zone", len(cells)),
        _claim(
            "fence strip twice",
            "fence_strip",
            int(cells["in:fence_strip"].sum()),
            verdict="fails",
            value=0.99361,
            lower=0.99361,
            upper=0.99361,
            failing_chainages=(GAP_STRETCH,),
            witness=Witness(
                wx[0], wy[0], 7382.0, -8.0, 1.0, "a crest hides it from M36; M37 is out of range"
            ),
            detail="1 532 of 1 541 cells have 2 views at 40 px/m",
        ),
        _claim(
            "crossing point",
            "crossing",
            int(cells["in:crossing"].sum()),
            verdict="unknown",
            value=0.981,
            lower=0.981,
            upper=1.0,
            failing_chainages=(UNKNOWN_STRETCH, (4130.0, 4280.0)),
            witness=Witness(
                wx[1], wy[1], 4210.0, -60.0, float("nan"), "no terrain data on the way"
            ),
            detail="19 cells are unknown",
        ),
        _claim("road", "road", int(cells["in:road"].sum()), target=0.98, value=0.9999),
        _claim("no-watch: houses", "houses", 1200, kind="no_watch", detail="no cell is watched"),
        _claim(
            "wadi",
            "wadi",
            60,
            kind="exclusion",
            detail="no mount stands in it",
            witness=None,
            method="geometry",
        ),
        _claim(
            "devices per mount",
            "mounts",
            60,
            kind="capacity",
            detail="no mount is overloaded",
            witness=None,
            method="count",
        ),
        _claim(
            "zone, crouching",
            "zone",
            len(cells),
            binding=False,
            verdict="fails",
            value=0.982,
            lower=0.982,
            upper=0.983,
            failing_chainages=tuple((k * 97.0 + 340, k * 97.0 + 372) for k in range(120)),
            detail="a crouching person is missed here and there",
        ),
    )
    rows = []
    step = np.floor(cells["s"] / 100.0) * 100.0
    for requirement in site.requirements:
        state = cells[f"state:{requirement.name}"]
        for start, here in state[state != CELL_NOT_JUDGED].groupby(step):
            shares = float((here == CELL_GOOD).mean()), float((here == CELL_UNKNOWN).mean())
            rows.append((requirement.name, start, start + 100.0, len(here), *shares))
    names = ["requirement", "s_from", "s_to", "cells", "share", "unknown_share"]
    return Proof(
        claims,
        cells,
        pd.DataFrame(rows, columns=names),
        cell_m,
        "e" * 64,
        Provenance({"plan": "e" * 64}, 1, "0.1.0"),
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
