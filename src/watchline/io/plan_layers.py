"""The layers of a plan's GeoPackage: mounts, devices, fields of view, the site, the coverage."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import rasterio.features
import shapely
import shapely.geometry
from shapely.geometry import MultiPolygon

from watchline.geo.chainage import strip_polygon
from watchline.model.plan import PLAN_DEVICE_COLUMNS, PLAN_MOUNT_COLUMNS, Plan
from watchline.model.proof import Proof
from watchline.model.site import Requirement, Site
from watchline.physics.field import view_polygon

COVERAGE_WINDOW_M = 100.0
TEXT_COLUMNS = frozenset(
    {"mount_id", "name", "structure", "kind", "device_id", "model"},
)
VIEW_COLUMNS = ("device_id", "mount_id", "kind", "quality", "px_per_m", "reach_m")


def plan_frame(frame: gpd.GeoDataFrame, columns: Mapping[str, str], crs: str) -> gpd.GeoDataFrame:
    """The declared columns of a plan's table, in their order, with plain types.

    Parameters
    ----------
    frame : GeoDataFrame
        ``plan.mounts`` or ``plan.devices``.
    columns : dict of str to str
        The declared columns.
    crs : str
        CRS of the plan.
    """
    plain: dict[str, object] = {}
    for column in columns:
        values = frame[column]
        if column in TEXT_COLUMNS:
            plain[column] = pd.array([str(value) for value in values], dtype="str")
        elif column == "existing":
            plain[column] = values.to_numpy(dtype=bool)
        else:
            plain[column] = values.to_numpy(dtype=np.float64)
    points = shapely.force_2d(frame.geometry.to_numpy())
    return gpd.GeoDataFrame(plain, geometry=points, crs=crs)


def plan_layers(plan: Plan) -> dict[str, gpd.GeoDataFrame]:
    """The two layers that make the plan and that a person edits."""
    return {
        "mounts": plan_frame(plan.mounts, PLAN_MOUNT_COLUMNS, plan.crs),
        "devices": plan_frame(plan.devices, PLAN_DEVICE_COLUMNS, plan.crs),
    }


def asked_densities(site: Site) -> list[Requirement]:
    """The requirement with the lowest pixel density asked, then the one with the highest."""
    asked = [r for r in site.requirements if r.binding] or list(site.requirements)
    ordered = sorted(asked, key=lambda r: (r.px_per_m, r.name))
    if not ordered:
        return []
    if ordered[0].px_per_m == ordered[-1].px_per_m:
        return ordered[:1]
    return [ordered[0], ordered[-1]]


def views_layer(plan: Plan, site: Site) -> gpd.GeoDataFrame:
    """Fields of view on flat ground, out to the lowest and to the highest density asked.

    Parameters
    ----------
    plan : Plan
        Its devices; a model that the catalogue lacks is left out.
    site : Site
        Its catalogue and requirements.

    Returns
    -------
    GeoDataFrame
        Columns :data:`VIEW_COLUMNS`, multipolygons; the wide fields first, so that the narrow
        ones lie on top.
    """
    rows: list[dict[str, object]] = []
    shapes: list[MultiPolygon] = []
    xs, ys = plan.devices.geometry.x.to_numpy(), plan.devices.geometry.y.to_numpy()
    for requirement in asked_densities(site):
        for k, row in enumerate(plan.devices.itertuples()):
            device = site.catalogue.devices.get(row.model)
            if device is None:
                continue
            shape = view_polygon(
                device,
                x=xs[k],
                y=ys[k],
                height_m=row.height_m,
                azimuth_deg=row.azimuth_deg,
                tilt_deg=row.tilt_deg,
                focal_mm=row.focal_mm,
                px_per_m=requirement.px_per_m,
                target_height_m=requirement.target_height_m,
            )
            if shape.is_empty:
                continue
            reach = device.range_m
            if requirement.px_per_m > 0:
                reach = min(reach, device.focal_px(row.focal_mm) / requirement.px_per_m)
            shapes.append(shape)
            rows.append(
                {
                    "device_id": str(row.device_id),
                    "mount_id": str(row.mount_id),
                    "kind": device.kind,
                    "quality": requirement.quality or f"{requirement.px_per_m:g} px/m",
                    "px_per_m": float(requirement.px_per_m),
                    "reach_m": round(float(reach), 2),
                }
            )
    frame = pd.DataFrame(rows, columns=list(VIEW_COLUMNS))
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=plan.crs)


def site_layers(site: Site) -> dict[str, gpd.GeoDataFrame]:
    """The line, zone and road of a site, and the areas that it names, for those that exist."""
    zone = site.zone
    strip = strip_polygon(
        site.line, site.sign, zone.inner_m, zone.outer_m, zone.start_m, zone.end_m
    )
    layers = {
        "zone": _frame([strip], site.crs, inner_m=[zone.inner_m], outer_m=[zone.outer_m]),
        "line": _frame([site.line], site.crs, name=[site.name], credit=[site.line_credit]),
        "road": _frame([site.road.centreline], site.crs, width_m=[site.road.width_m]),
    }
    for layer, areas in (("areas", site.areas), ("exclusions", site.exclusions)):
        if areas:
            shapes = [area.polygon for area in areas]
            layers[layer] = _frame(shapes, site.crs, name=[area.name for area in areas])
    if site.no_watch:
        layers["no_watch"] = _frame(
            [area.polygon for area in site.no_watch],
            site.crs,
            name=[area.name for area in site.no_watch],
            allowed_share=[area.allowed_share for area in site.no_watch],
            px_per_m=[area.px_per_m for area in site.no_watch],
        )
    return layers


def coverage_layers(proof: Proof, crs: str) -> dict[str, gpd.GeoDataFrame]:
    """Cells of the proof, those with equal views joined within each 100 m of chainage.

    Parameters
    ----------
    proof : Proof
        Its table of cells, whose centres lie on one grid.
    crs : str
        CRS of the cells.

    Returns
    -------
    dict of str to GeoDataFrame
        ``coverage`` for the tallest target, ``coverage_<height>m`` for the others; columns
        ``views, unknown, cells, px_per_m_min, px_per_m_mean, s_from, s_to, target_height_m``.
    """
    layers = {}
    for number, height in enumerate(proof_heights(proof)):
        name = "coverage" if number == 0 else f"coverage_{height}m"
        layers[name] = _coverage(proof.cells, height, crs)
    return layers


def proof_heights(proof: Proof) -> list[str]:
    """Target heights of a proof's cells as its column names write them, tallest first."""
    tails = [str(c).split("@", 1)[1] for c in proof.cells.columns if str(c).startswith("views@")]
    return sorted(tails, key=float, reverse=True)


def _coverage(cells: pd.DataFrame, height: str, crs: str) -> gpd.GeoDataFrame:
    columns = ["views", "unknown", "cells", "px_per_m_min", "px_per_m_mean", "s_from", "s_to"]
    rows: list[dict[str, object]] = []
    shapes: list[MultiPolygon] = []
    if len(cells):
        x, y, s = (cells[c].to_numpy(dtype=np.float64) for c in ("x", "y", "s"))
        size = float(cells["size_m"].min())
        table = pd.DataFrame(
            {
                "window": np.floor(s / COVERAGE_WINDOW_M).astype(np.int64),
                "views": np.nan_to_num(cells[f"views@{height}"].to_numpy(float)).astype(np.int64),
                "unknown": np.nan_to_num(cells[f"unknown@{height}"].to_numpy(float)) > 0,
                "density": np.nan_to_num(cells[f"px_per_m@{height}"].to_numpy(float)),
                "column": np.rint((x - x.min()) / size).astype(np.int64),
                "row": np.rint((y.max() - y) / size).astype(np.int64),
            }
        )
        corner = float(x.min()) - size / 2, float(y.max()) + size / 2
        for start, window in table.groupby("window", sort=True):
            groups = list(window.groupby(["views", "unknown"], sort=True))
            shapes += _joined([group for _, group in groups], size, corner)
            for (views, unknown), group in groups:
                rows.append(
                    {
                        "views": int(views),
                        "unknown": bool(unknown),
                        "cells": len(group),
                        "px_per_m_min": round(float(group["density"].min()), 3),
                        "px_per_m_mean": round(float(group["density"].mean()), 3),
                        "s_from": float(start) * COVERAGE_WINDOW_M,
                        "s_to": (float(start) + 1) * COVERAGE_WINDOW_M,
                        "target_height_m": float(height),
                    }
                )
    frame = pd.DataFrame(rows, columns=[*columns, "target_height_m"])
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=crs)


def _joined(
    groups: list[pd.DataFrame], size: float, corner: tuple[float, float]
) -> list[MultiPolygon]:
    """The outline of each group of cells of one grid, by its ``row`` and ``column``."""
    top = min(int(group["row"].min()) for group in groups)
    left = min(int(group["column"].min()) for group in groups)
    height = max(int(group["row"].max()) for group in groups) - top + 1
    width = max(int(group["column"].max()) for group in groups) - left + 1
    labels = np.zeros((height, width), dtype=np.int32)
    for number, group in enumerate(groups, start=1):
        labels[group["row"].to_numpy() - top, group["column"].to_numpy() - left] = number
    place = rasterio.Affine(size, 0.0, corner[0] + left * size, 0.0, -size, corner[1] - top * size)
    parts: list[list[object]] = [[] for _ in groups]
    for outline, label in rasterio.features.shapes(labels, mask=labels > 0, transform=place):
        parts[int(label) - 1].append(shapely.geometry.shape(outline))
    return [MultiPolygon(pieces) for pieces in parts]


def _frame(shapes: list[object], crs: str, **columns: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.DataFrame(columns), geometry=shapes, crs=crs)
