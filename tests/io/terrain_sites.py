"""Sites for the terrain's tests: a line, a zone and one device, on given rasters."""

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin
from shapely.geometry import LineString

from watchline.model.catalogue import Catalogue, Device, Services
from watchline.model.site import (
    CandidateRules,
    DesignRules,
    Requirement,
    Road,
    Site,
    TerrainSource,
    Zone,
)

DATA = Path(__file__).parents[1] / "data"
TERRAIN = DATA / "terrain"


def make_site(
    line, crs, /, *, range_m=300.0, zone=(0.0, 60.0), side="left", zone_cell_m=5.0, **terrain
):
    """A site whose terrain table holds the given keys."""
    line = line if isinstance(line, LineString) else LineString(line)
    device = Device(
        "cam", "camera", "camera", 1920, 1080, 5.0, 8.0, 8.0, 1, 0.0, 0.0, 1.0, range_m, 1.0, 1.0
    )
    catalogue = Catalogue("EUR", {"cam": device}, {}, Services(1.0, 1.0, 1.0), {"overview": 20.0})
    extra = {
        key: terrain.pop(key)
        for key in ("areas", "no_watch", "existing_mounts", "folder", "provenance")
        if key in terrain
    }
    return Site(
        name="test",
        folder=extra.pop("folder", Path()),
        crs=crs,
        line=line,
        side=side,
        zone=Zone(zone[0], zone[1], 0.0, line.length, zone_cell_m, 20.0),
        road=Road(line, 4.0),
        terrain=TerrainSource(**terrain),
        requirements=(Requirement("all", "zone", "overview", 1.0),),
        catalogue=catalogue,
        candidates=CandidateRules(100.0, 50.0, 2.0, ("cam",), ()),
        design=DesignRules(),
        seed=7,
        **extra,
    )


def write_raster(
    path, values, *, crs="EPSG:32636", west=610_000.0, north=3_460_000.0, cell=10.0, **profile
):
    """A small GeoTIFF with given nodes; ``profile`` goes to rasterio."""
    values = np.asarray(values)
    bands = values if values.ndim == 3 else values[None]
    settings = {
        "driver": "GTiff",
        "width": bands.shape[2],
        "height": bands.shape[1],
        "count": bands.shape[0],
        "dtype": bands.dtype,
        "crs": crs,
        "transform": from_origin(west, north, cell, cell),
    } | profile
    unit = settings.pop("unit", None)
    with rasterio.open(path, "w", **settings) as raster:
        raster.write(bands)
        if unit:
            raster.set_band_unit(1, unit)
    return path


def flat_site(ground, **more):
    """A site of 400 m in the middle of a raster of 100 × 100 nodes of 10 m from write_raster."""
    return make_site(
        [(610_300.0, 3_459_500.0), (610_700.0, 3_459_500.0)],
        "EPSG:32636",
        **({"range_m": 100.0} | more),
        ground=ground,
    )


def copy_with(source, target, *, change=None, **profile):
    """A copy of a real raster with other metadata, and values changed by a function."""
    with rasterio.open(source) as raster:
        settings = raster.profile | profile
        values = raster.read(1)
    for key in ("blockxsize", "blockysize", "tiled", "interleave"):
        settings.pop(key, None)
    if change is not None:
        values = change(values)
    settings["dtype"] = values.dtype
    with rasterio.open(target, "w", **settings) as raster:
        raster.write(values, 1)
    return target
