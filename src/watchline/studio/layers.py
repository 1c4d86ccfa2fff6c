"""Layers of the map: what the site has, what a plan adds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio.features
import shapely
import shapely.geometry
from rasterio import Affine

from watchline.breach.study import with_posts
from watchline.geo.chainage import part, strip_polygon, to_chainage
from watchline.io.breach import path_frame, read_weakest_paths
from watchline.io.candidates import read_candidates
from watchline.io.plan_layers import site_layers
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.studio.answers import FeatureCollection, LayerInfo
from watchline.studio.faults import NotThere
from watchline.studio.opened import OpenPlan
from watchline.studio.project import Project

STANDS_M = 0.5
"""Higher above the ground, and it is drawn as something that stands on it; as the proof says it."""
MOST_OBSTACLES = 20_000
SIMPLIFY_M = 0.2
Kind = Literal["point", "line", "polygon"]
SITE: dict[str, tuple[str, Kind]] = {
    "line": ("Guarded line", "line"),
    "zone": ("Zone", "polygon"),
    "fence_strip": ("Fence strip", "polygon"),
    "road": ("Patrol road", "line"),
    "areas": ("Areas", "polygon"),
    "exclusions": ("No mount here", "polygon"),
    "no_watch": ("Not to be watched", "polygon"),
    "obstacles": ("Buildings and trees", "polygon"),
    "candidates": ("Places for mounts", "point"),
    "existing_mounts": ("Masts that stand already", "point"),
    "posts": ("Posts", "point"),
    "patrols": ("Patrols", "line"),
}
PLAN: dict[str, tuple[str, Kind]] = {
    "failing": ("Stretches that fail", "line"),
    "lights": ("Lights", "point"),
    "weakest_path": ("Weakest path", "line"),
}


@dataclass(frozen=True)
class Layers:
    """Layers of one project.

    Attributes
    ----------
    project : Project
        The project.
    plan : callable
        Gives a plan by its name; None is the computed one, where there is one.
    """

    project: Project
    plan: Callable[[str | None], OpenPlan | None]

    def listed(self) -> list[LayerInfo]:
        """Layers that the project has."""
        found = []
        for name, (title, kind) in SITE.items():
            frame = self._site_frame(name)
            # A plan may bring posts of its own.
            planned = name == "posts" and self.project.artefact("plan").file is not None
            if frame is not None and (len(frame) or planned):
                found.append(
                    LayerInfo(
                        name=name, title=title, geometry=kind, features=len(frame), plan=planned
                    )
                )
        for name, (title, kind) in PLAN.items():
            if name == "lights" and self.project.site.lighting is None:
                continue
            if name == "weakest_path" and self.project.site.defence is None:
                continue
            found.append(LayerInfo(name=name, title=title, geometry=kind, features=0, plan=True))
        return found

    def layer(self, name: str, plan: str | None) -> FeatureCollection:
        """One layer.

        Raises
        ------
        NotThere
            The project has no such layer.
        """
        frame = None
        if name == "posts" and (opened := self.plan(plan)) is not None:
            frame = _posts(with_posts(self.project.site, opened.plan))
        elif name in SITE:
            frame = self._site_frame(name)
        elif name in PLAN:
            frame = self._plan_frame(name, self.plan(plan))
        if frame is None:
            raise NotThere(
                f"there is no layer '{name}'",
                where=self.project.site.name,
                mend="take one of: " + ", ".join(one.name for one in self.listed()),
            )
        return self.project.globe.features(frame)

    def _site_frame(self, name: str) -> gpd.GeoDataFrame | None:
        project, site = self.project, self.project.site
        if name == "candidates":
            file = project.artefact("candidates").file
            if file is None:
                return None
            return project.once(file, "sites", lambda: _places(read_candidates(file.parent).mounts))
        if name == "obstacles":
            file = project.artefact("terrain").file
            if file is None:
                return None
            return project.once(file, name, lambda: obstacles(project.terrain))
        return project.once(project.file, name, lambda: _of_site(name, site))

    def _plan_frame(self, name: str, plan: OpenPlan | None) -> gpd.GeoDataFrame | None:
        if plan is None:
            return None
        site = self.project.site
        if name == "failing":
            return _failing(site, plan)
        if name == "lights":
            lighting = plan.plan.lighting
            if lighting is None:
                return _frame(site, [])
            return lighting.lights[["light_id", "pole_id", "luminaire", "height_m", "geometry"]]
        return self._weakest(plan)

    def _weakest(self, plan: OpenPlan) -> gpd.GeoDataFrame:
        """Paths over this plan: those of its claims on interruption, or wherever a run has them."""
        site, digest = self.project.site, plan.digest
        judged = plan.interruption.paths
        if judged:
            return path_frame(judged, site.crs)
        for folder in sorted(site.folder.glob("runs/*/paths/*")):
            found = read_weakest_paths(folder)
            if found is not None and found[1] == digest:
                return found[0]
        return _frame(site, [])


def _of_site(name: str, site: Site) -> gpd.GeoDataFrame | None:
    zone = site.zone
    if name == "fence_strip":
        outer = zone.inner_m + zone.fence_strip_m
        if not 0 < zone.fence_strip_m < zone.outer_m - zone.inner_m:
            return None
        strip = strip_polygon(site.line, site.sign, zone.inner_m, outer, zone.start_m, zone.end_m)
        return _frame(site, [strip.simplify(SIMPLIFY_M)], width_m=[zone.fence_strip_m])
    if name == "existing_mounts":
        mounts = site.existing_mounts
        points = [shapely.Point(m.x, m.y) for m in mounts]
        return _frame(
            site, points, name=[m.name for m in mounts], structure=[m.structure for m in mounts]
        )
    if name in ("posts", "patrols"):
        if site.defence is None:
            return None
        if name == "posts":
            return _posts(site)
        patrols = site.defence.patrols
        return _frame(
            site,
            [part(site.line, p.start_m, p.end_m) for p in patrols],
            name=[p.name for p in patrols],
        )
    layers = site_layers(site)
    found = layers.get(name)
    if found is not None and name == "zone":
        return found.set_geometry(found.geometry.simplify(SIMPLIFY_M))
    return found


def _posts(site: Site) -> gpd.GeoDataFrame | None:
    """Posts of a site, or of one with a plan's own."""
    if site.defence is None:
        return None
    posts = site.defence.posts
    points = [shapely.Point(p.x, p.y) for p in posts]
    s = to_chainage(site.line, shapely.get_x(points), shapely.get_y(points))[0]
    return _frame(site, points, name=[p.name for p in posts], s=s.tolist())


def _places(mounts: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Mounts of candidates by their place, with the structures that may stand there."""
    groups = mounts.groupby("site", sort=True)
    first = groups.first()
    columns = {
        "site": first.index.to_numpy(),
        "name": first["name"].to_numpy(),
        "s": first["s"].to_numpy(),
        "t": first["t"].to_numpy(),
        "ground_z": first["ground_z"].to_numpy(),
        "existing": first["existing"].to_numpy(),
        "structures": [", ".join(dict.fromkeys(g["structure"])) for _, g in groups],
    }
    points = shapely.points(first["x"].to_numpy(), first["y"].to_numpy())
    return gpd.GeoDataFrame(columns, geometry=points, crs=mounts.crs)


def obstacles(terrain: Terrain) -> gpd.GeoDataFrame:
    """What stands on the ground: outlines on the terrain's cells, with the greatest height.

    Of more than :data:`MOST_OBSTACLES`, those of the largest ground.
    """
    above = np.nan_to_num(terrain.surface - terrain.ground)
    stands = above > STANDS_M
    cell, (west, north) = terrain.cell_m, terrain.origin
    transform = Affine(cell, 0.0, west - cell / 2, 0.0, -cell, north + cell / 2)
    shapes, heights = [], []
    if stands.any():
        outlines = rasterio.features.shapes(
            stands.astype(np.uint8), mask=stands, connectivity=4, transform=transform
        )
        shapes = [shapely.geometry.shape(outline) for outline, _ in outlines]
        shapes = sorted(shapes, key=lambda shape: -shape.area)[:MOST_OBSTACLES]
        for shape in shapes:
            left, low, right, top = shape.bounds
            rows = slice(
                round((north + cell / 2 - top) / cell), round((north + cell / 2 - low) / cell)
            )
            cols = slice(
                round((left - west + cell / 2) / cell), round((right - west + cell / 2) / cell)
            )
            inside = rasterio.features.geometry_mask(
                [shape],
                (rows.stop - rows.start, cols.stop - cols.start),
                Affine(cell, 0.0, left, 0.0, -cell, top),
                invert=True,
            )
            heights.append(round(float(above[rows, cols][inside].max()), 2))
    return gpd.GeoDataFrame({"height_m": heights}, geometry=shapes, crs=terrain.crs)


def _failing(site: Site, plan: OpenPlan) -> gpd.GeoDataFrame:
    """Stretches of the line on which binding claims do not hold."""
    rows, shapes = [], []
    for claim in plan.stands().claims:
        if claim.verdict == "holds" or not claim.binding:
            continue
        for start, end in claim.failing_chainages:
            end = min(end, site.line.length)
            if end <= start:
                continue
            shapes.append(part(site.line, start, end))
            rows.append(
                {
                    "requirement": claim.requirement,
                    "condition": claim.condition,
                    "verdict": claim.verdict,
                    "s_from": start,
                    "s_to": end,
                }
            )
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs=site.crs)


def _frame(site: Site, shapes: list[object], **columns: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.DataFrame(columns), geometry=shapes, crs=site.crs)
