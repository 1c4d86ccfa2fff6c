"""Compile every kernel once, on a small job that runs the whole design.

Numba compiles a kernel at its first call and keeps the machine code beside the source. Doing so
before a search keeps compilation out of the search's clock.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import xarray as xr
from shapely.geometry import LineString, Point

from watchline.design.plan import design_plan
from watchline.design.propose import propose_candidates
from watchline.design.see import compute_visibility
from watchline.io.catalogue import load_catalogue
from watchline.model.site import (
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
from watchline.prove.proof import prove_plan
from watchline.tools import sight_error, skyline, visibility_probability

EXTENT_M = 400.0


def warm_up() -> float:
    """Design and prove a small made-up line; seconds that it took.

    Returns
    -------
    float
        Wall time: seconds when all kernels are compiled, minutes when none is.
    """
    start = time.perf_counter()
    site, terrain = _small_job()
    candidates = propose_candidates(site, terrain)
    compute_visibility(terrain, candidates, method="fan")
    plan = design_plan(site, candidates, compute_visibility(terrain, candidates))
    if plan.status == "interrupted":
        raise KeyboardInterrupt  # it was meant for whoever warms up, not for the small search
    prove_plan(site, terrain, plan)
    _look_round(terrain)
    return time.perf_counter() - start


def _look_round(terrain: Terrain) -> None:
    """Use the tools on plain arrays once, on heights as rasters hold them."""
    cell, (west, north) = terrain.cell_m, terrain.origin
    surface = terrain.surface.astype(np.float32)
    transform = (cell, 0.0, west - cell / 2, 0.0, -cell, north + cell / 2)
    place = (EXTENT_M / 2, EXTENT_M / 2, 4.0)
    sight_error(surface, transform, place, 1.7, EXTENT_M / 4, sample=100)
    skyline(surface, transform, place, 1.7, EXTENT_M / 4)
    visibility_probability(
        surface, transform, place, 1.7, EXTENT_M / 4,
        terrain_sigma=1.0, correlation_length=50.0, realisations=2,
    )  # fmt: skip


def _small_job() -> tuple[Site, Terrain]:
    catalogue = load_catalogue()
    line = LineString([(50.0, 200.0), (350.0, 200.0)])
    site = Site(
        name="warm-up",
        folder=Path(),
        crs="EPSG:32636",
        line=line,
        side="left",
        zone=Zone(0.0, 60.0, 0.0, line.length, 4.0, 20.0),
        road=Road(line.offset_curve(40.0), 4.0),
        terrain=TerrainSource(ground=Path("none")),
        requirements=(
            Requirement("overview", "zone", "overview", 20.0, share=0.98),
            Requirement("twice", "fence_strip", "overview", 20.0, views=2, share=0.9),
        ),
        catalogue=catalogue,
        candidates=CandidateRules(
            90.0, 90.0, 2.0, ("fixed-8mp-12mm", "pano-180-8mp"), ("mast-8", "mast-12")
        ),
        # Enough work that the search, the bound and the exact solver all have their turn.
        design=DesignRules(work_limit=60.0, time_limit_s=600.0),
        no_watch=(NoWatchArea("house", Point(200.0, 120.0).buffer(10.0), 0.0, 12.5),),
    )
    steps = np.arange(0.0, EXTENT_M + 1.0, 10.0)
    x, y = np.meshgrid(steps, steps[::-1])
    heights = (2.0 * np.sin(x / 60.0) + np.cos(y / 45.0)).astype(np.float32)
    data = xr.Dataset(
        {"ground": (("y", "x"), heights), "surface": (("y", "x"), heights.copy())},
        coords={"x": steps, "y": steps[::-1]},
    )
    return site, Terrain(data=data, crs=site.crs, refraction=0.13)
