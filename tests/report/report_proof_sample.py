"""The made-up proof of the report's sample: cells, states, claims, shares along the line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import shapely
from report_place import ground_at, zone_polygon
from scipy import ndimage

from watchline.geo import chainage
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
from watchline.model.site import Site
from watchline.model.terrain import Terrain

GAP_STRETCH = (7340.0, 7420.0)
UNKNOWN_STRETCH = (10110.0, 10145.0)


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
            "ground_z": ground_at(terrain, x, y),
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
