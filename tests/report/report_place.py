"""The place of the report's sample: the real Rafah line, its site, catalogue and terrain."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import rasterio
import shapely
import xarray as xr
from scipy import ndimage
from shapely.geometry import LineString, Point

from watchline.geo import chainage
from watchline.model.catalogue import Catalogue, Device, Services, Structure
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


def ground_at(terrain: Terrain, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    x0, y0 = terrain.origin
    rows, cols = (y0 - y) / terrain.cell_m, (x - x0) / terrain.cell_m
    return ndimage.map_coordinates(np.nan_to_num(terrain.ground), [rows, cols], order=1)
