"""Check a project: all faults of its file, inputs and terrain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from watchline.geo.chainage import strip_polygon
from watchline.io.files import sha256_file
from watchline.io.lock import write_lock
from watchline.io.project import input_names, project_path, read_project_file, read_site
from watchline.io.terrain import build_terrain


def check_project(project: Path) -> dict[str, Any]:
    """Read a project with its terrain.

    Parameters
    ----------
    project : Path
        Project folder or file.

    Returns
    -------
    dict
        What was found, as plain data.

    Raises
    ------
    ManyFaults
        Everything that is wrong.
    """
    site = read_site(project)
    terrain = build_terrain(site)
    zone = site.zone
    polygon = strip_polygon(
        site.line, site.sign, zone.inner_m, zone.outer_m, zone.start_m, zone.end_m
    )
    return {
        "project": site.name,
        "crs": site.crs,
        "line_m": site.line.length,
        "zone_m2": polygon.area,
        "road_m": site.road.centreline.length,
        "requirements": len(site.requirements),
        "devices": len(site.candidates.devices),
        "structures": len(site.candidates.structures),
        "terrain_cells": int(terrain.ground.size),
        "terrain_cell_m": terrain.cell_m,
        "notes": list(terrain.notes),
    }


def accept_inputs(project: Path) -> Path:
    """Write ``inputs.lock`` for the inputs as they are now."""
    file = project_path(project)
    names = input_names(read_project_file(file))
    hashes = {name: sha256_file(file.parent / name) for name in names}
    return write_lock(file.parent, hashes)
