"""What was found on breach paths, as JSON, CSV and GeoPackage."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError
from shapely.geometry import LineString, Point

from watchline.errors import ArtefactError
from watchline.io.files import atomic_write
from watchline.io.json_text import frame_from_plain, frame_to_plain, to_json
from watchline.io.proof import claim_from
from watchline.io.tables import damage
from watchline.model.breach import (
    AdversaryBreach,
    BestPosts,
    Breach,
    BreachCheck,
    DrawnPath,
    Interruption,
    InterruptionDesign,
    LossCase,
    drawn_paths,
)


def breach_data(breach: Breach) -> dict[str, Any]:
    """All that was found, as plain data; what is unknown is null."""
    return {
        "required": breach.required,
        "worst": breach.worst,
        "worst_adversary": breach.weakest.adversary,
        "holds": breach.holds,
        "cell_m": breach.cell_m,
        "adversaries": [_adversary(found) for found in breach.adversaries],
        "losses": [_loss(case) for case in breach.losses],
        "pairs": [_loss(case) for case in breach.pairs],
        "posts": {
            "required": breach.posts.required,
            "feasible": breach.posts.feasible,
            "sentence": breach.posts.sentence,
            "existing": breach.posts.existing,
            "new": [{"s_m": s, "x": x, "y": y} for s, x, y in breach.posts.places],
            "achieved": _known(breach.posts.achieved),
            "late": [list(stretch) for stretch in breach.posts.late],
        },
        "claims": [
            {
                "requirement": claim.requirement,
                "condition": claim.condition,
                "verdict": claim.verdict,
                "value": claim.value,
                "target": claim.target,
                "binding": claim.binding,
                "failing_chainages_m": [list(stretch) for stretch in claim.failing_chainages],
                "detail": claim.detail,
            }
            for claim in breach.claims
        ],
        "design": None if breach.design is None else _design(breach.design),
        "best_posts": None if breach.best_posts is None else _best_posts(breach.best_posts),
        "checks": _checks(breach.checks),
        "notes": list(breach.notes),
        "inputs": breach.provenance.inputs,
        "watchline_version": breach.provenance.watchline_version,
    }


def write_breach(breach: Breach, crs: str, folder: Path) -> tuple[Path, ...]:
    """Write ``paths.json``, ``paths.csv`` (the curves) and ``paths.gpkg`` (paths and points).

    Parameters
    ----------
    breach : Breach
        What was found.
    crs : str
        CRS of its coordinates.
    folder : Path
        Where to.

    Returns
    -------
    tuple of Path
        The files.
    """
    with atomic_write(folder / "paths.json") as temporary:
        temporary.write_text(to_json(breach_data(breach), indent=1) + "\n", encoding="utf-8")
    with atomic_write(folder / "paths.csv") as temporary:
        _curves(breach).to_csv(temporary, index=False, float_format="%.6g")
    files = [folder / "paths.json", folder / "paths.csv"]
    layers = _layers(breach, crs)
    if layers:
        with atomic_write(folder / "paths.gpkg") as temporary:
            for name, frame in layers.items():
                frame.to_file(temporary, layer=name, driver="GPKG")
        files.append(folder / "paths.gpkg")
    return tuple(files)


def write_interruption(found: Interruption, file: Path) -> None:
    """Write what a proof says of interruption, for the next run and the studio."""
    content = {
        "claims": [asdict(claim) for claim in found.claims],
        "along": frame_to_plain(found.along),
        "paths": [asdict(path) for path in found.paths],
    }
    with atomic_write(file) as temporary:
        temporary.write_text(to_json(content, indent=1) + "\n", encoding="utf-8")


def read_interruption(file: Path) -> Interruption:
    """What :func:`write_interruption` wrote.

    Raises
    ------
    ArtefactError
        It is missing or damaged.
    """
    with damage(file):
        content = json.loads(file.read_text(encoding="utf-8"))
        paths = tuple(
            DrawnPath(
                str(path["adversary"]),
                float(path["interruption"]),
                str(path["responds"]),
                tuple((float(x), float(y)) for x, y in path["xy"]),
            )
            for path in content["paths"]
        )
        claims = tuple(claim_from(values) for values in content["claims"])
        return Interruption(claims, frame_from_plain(content["along"]), paths)


def _checks(checks: tuple[BreachCheck, ...]) -> list[dict[str, Any]]:
    return [
        {"name": check.name, "holds": check.holds, "sentence": check.sentence} for check in checks
    ]


def _design(design: InterruptionDesign) -> dict[str, Any]:
    return {
        "holds": design.holds,
        "sentence": design.sentence,
        "currency": design.currency,
        "cost_before": design.cost_before,
        "cost_after": design.cost_after,
        "lower_bound_of_addition": design.lower_bound,
        "posts": [{"s_m": s, "x": x, "y": y} for s, x, y in design.posts],
        "posts_cost": design.posts_cost,
        "price": design.price,
        "mounts_added": design.mounts,
        "devices_added": design.devices,
        "worst_before": design.worst_before,
        "worst_after": design.worst_after,
        "adversaries": [_adversary(found) for found in design.adversaries],
        "response_infeasible": [list(stretch) for stretch in design.hopeless],
        "response_infeasible_entries": design.hopeless_entries,
        "entries": design.entries,
        "still_failing": [list(stretch) for stretch in design.short],
        "rounds": design.rounds,
        "cuts": design.cuts,
        "checks": _checks(design.checks),
        "choices_of_posts": [asdict(choice) for choice in design.choices],
    }


def _best_posts(best: BestPosts) -> dict[str, Any]:
    return {
        "asked": best.number,
        "posts": [{"s_m": s, "x": x, "y": y} for s, x, y in best.places],
        "served_exits": best.served,
        "exits": best.exits,
        "achieved": best.achieved,
        "failing_entries": list(best.failing),
    }


def _adversary(found: AdversaryBreach) -> dict[str, Any]:
    path = found.path
    return {
        "adversary": found.adversary,
        "direction": found.direction,
        "worst": found.worst,
        "worst_entry_by_state": found.worst_each,
        "states": [
            {"state": state.state, "probability": state.probability, "worst": state.worst}
            for state in found.states
        ],
        "path": None
        if path is None
        else {
            "entry_s_m": float(path.s[0]),
            "exit_s_m": float(path.s[-1]),
            "responds": path.post or None,
            "detected": float(path.detected[-1]),
            "critical_s_m": float(path.s[path.critical]) if path.critical >= 0 else None,
            "critical_away_m": float(path.away_m[path.critical]) if path.critical >= 0 else None,
            "x": path.x.tolist(),
            "y": path.y.tolist(),
            "detected_by_then": path.detected.tolist(),
            "stopped_if_detected": path.stopped.tolist(),
        },
    }


def _loss(case: LossCase) -> dict[str, Any]:
    return {
        "kind": case.kind,
        "name": case.name,
        "adversary": case.adversary,
        "worst": case.worst,
        "s_m": _known(case.s_m),
        "fall": case.fall,
        "fall_s_m": case.fall_s_m,
    }


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _curves(breach: Breach) -> pd.DataFrame:
    """Probability of interruption by chainage, a column a state and one over all states."""
    tables = []
    for found in breach.adversaries:
        table = pd.DataFrame({"adversary": found.adversary, "s_m": found.s_m})
        for state in found.states:
            table[f"interruption:{state.state}"] = state.interruption
        table["interruption"] = found.curve
        if found.response_s.shape[1] == found.s_m.size:
            table["response_s:median"], table["response_s:90 %"] = found.response_s
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _layers(breach: Breach, crs: str) -> dict[str, gpd.GeoDataFrame]:
    points = []
    for found in breach.adversaries:
        path = found.path
        if path is None or path.x.size < 2:
            continue
        name = {"adversary": found.adversary}
        marks = {"entry": 0, "exit": path.x.size - 1}
        if path.critical >= 0:
            marks["critical detection point"] = path.critical
        points += [
            name | {"what": what, "detected": path.detected[k], "stopped": path.stopped[k],
                    "geometry": Point(path.x[k], path.y[k])}
            for what, k in marks.items()
        ]  # fmt: skip
    new = [{"s_m": s, "geometry": Point(x, y)} for s, x, y in breach.posts.places]
    lines = path_frame(drawn_paths(breach.adversaries), crs)
    tables = {"path_points": points, "new_posts": new}
    return ({"weakest_paths": lines} if len(lines) else {}) | {
        key: gpd.GeoDataFrame(rows, geometry="geometry", crs=crs)
        for key, rows in tables.items()
        if rows
    }


def path_frame(paths: tuple[DrawnPath, ...], crs: str) -> gpd.GeoDataFrame:
    """Weakest paths as a layer: columns ``adversary, interruption, responds``."""
    table = {
        "adversary": [path.adversary for path in paths],
        "interruption": [path.interruption for path in paths],
        "responds": [path.responds for path in paths],
    }
    return gpd.GeoDataFrame(table, geometry=[LineString(path.xy) for path in paths], crs=crs)


def read_weakest_paths(folder: Path) -> tuple[gpd.GeoDataFrame, str] | None:
    """Weakest paths that were written into a folder, with the digest of the plan they belong to.

    Parameters
    ----------
    folder : Path
        Where :func:`write_breach` wrote.

    Returns
    -------
    GeoDataFrame and str, or None
        Columns ``adversary, interruption, responds``; None where there are none.

    Raises
    ------
    ArtefactError
        The files are damaged.
    """
    layers, figures = folder / "paths.gpkg", folder / "paths.json"
    if not layers.is_file() or not figures.is_file():
        return None
    with damage(figures):
        plan = str(json.loads(figures.read_text(encoding="utf-8"))["inputs"]["plan"])
    try:
        known = {str(name) for name, _ in pyogrio.list_layers(layers)}
        if "weakest_paths" not in known:
            return None
        return pyogrio.read_dataframe(layers, layer="weakest_paths"), plan
    except (DataSourceError, DataLayerError) as problem:
        raise ArtefactError(
            f"it cannot be read ({' '.join(str(problem).split())[:120]})",
            where=str(layers),
            mend="run `watchline paths` again",
        ) from problem
