"""Keys: the hash of all that a step depends on, so that nothing is computed twice.

A step's key is the SHA-256 of the version, of the step before it, and of those parts of the site
that it reads. Two runs with equal keys would give equal artefacts.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from watchline.io.visibility import LAYOUT_VERSION
from watchline.model.lighting import LightingRules
from watchline.model.site import Site
from watchline.physics.reach import site_reach_m
from watchline.version import __version__


def digest(*parts: Any) -> str:
    """SHA-256 of plain values, dataclasses, paths (by name) and geometries, as 64 hex digits."""
    text = json.dumps([_plain(part) for part in parts], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, BaseGeometry):
        return shapely.to_wkb(shapely.normalize(value) if value.area else value, hex=True)
    if isinstance(value, Path):
        return value.name
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    return repr(float(value))


def lighting_key(rules: LightingRules) -> list[Any]:
    """What the lights of a project depend on, as plain values: files by their hashes."""
    offers = [
        [
            offer.name,
            offer.photometry.sha256,
            offer.price,
            offer.power_w,
            offer.maintenance_factor,
            offer.front_c_deg,
            offer.azimuths_deg,
            offer.tilts_deg,
        ]
        for offer in rules.luminaires
    ]
    return [offers, rules.poles, rules.requirements, rules.limits]


def step_keys(site: Site, start_sha256: str | None = None) -> dict[str, str]:
    """Key of every step of the chain, by its name.

    Parameters
    ----------
    site : Site
        What is asked.
    start_sha256 : str, optional
        Digest of the plan that the search starts from, whose mounts are offered besides.

    Returns
    -------
    dict of str to str
        ``terrain``, ``candidates``, ``visibility``, ``cameras`` (searches that see without
        lamps, or by lights told besides), ``plan``, ``proof``, ``report``.
    """
    rasters = (site.terrain.ground, site.terrain.surface)
    rasters += (site.terrain.buildings, site.terrain.vegetation)
    files = {
        name: sha256
        for name, sha256 in site.provenance.inputs.items()
        if any(path is not None and (site.folder / name).resolve() == path for path in rasters)
    }
    geometry = (site.crs, site.line, site.side, site.zone, site.road)
    terrain = digest(
        __version__,
        geometry,
        dataclasses.replace(site.terrain, credit="", limits=""),
        files,
        [area.polygon for area in site.no_watch],
        [area.polygon for area in site.areas],
        [(mount.x, mount.y) for mount in site.existing_mounts],
        site_reach_m(site),
    )
    places = sorted({(r.where, r.target_height_m) for r in site.requirements})
    candidates = digest(
        terrain,
        site.candidates,
        [site.catalogue.structures[key] for key in site.candidates.structures],
        site.catalogue.services,
        site.exclusions,
        site.areas,
        site.no_watch,
        site.existing_mounts,
        places,
        # What fine cells are designed for depends on who reaches them, and on how they are seen.
        [r for r in site.requirements if r.binding and r.share >= 1.0],
        [site.catalogue.devices[key] for key in site.candidates.devices],
        site.visibility,
        *([] if start_sha256 is None else ["start", start_sha256]),
    )
    visibility = digest("visibility", LAYOUT_VERSION, candidates, site.visibility)
    cameras = digest(
        "plan",
        visibility,
        site.requirements,
        site.catalogue.currency,
        [site.catalogue.devices[key] for key in site.candidates.devices],
        site.conditions,
        site.design,
        site.seed,
    )
    texts = (site.name, site.notes, site.line_credit, site.terrain.credit, site.terrain.limits)
    lights = [] if site.lighting is None else lighting_key(site.lighting)
    plan = cameras
    if lights and site.counts_on_lamps:
        plan = digest("plan by lights", cameras, *lights)
    return {
        "terrain": terrain,
        "candidates": candidates,
        "visibility": visibility,
        "cameras": cameras,
        "plan": plan,
        "proof": digest("proof", plan),
        "report": digest("report", plan, texts, *lights),
    }
