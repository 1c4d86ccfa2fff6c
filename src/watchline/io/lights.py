"""The lights of a plan on disk: layers of its GeoPackage, and the proof of light beside it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from watchline.errors import ArtefactError, PlanError
from watchline.io.files import atomic_write
from watchline.io.json_text import plain, to_json
from watchline.io.proof import claim_from
from watchline.io.tables import damage, read_table, write_table
from watchline.model.lighting import (
    LIGHT_COLUMNS,
    POLE_COLUMNS,
    LightClaim,
    Lighting,
)
from watchline.prove.light_claims import LightProof

TEXTS = frozenset({"pole_id", "mount_id", "light_id", "luminaire", "sha256"})
LAYERS = {"poles": POLE_COLUMNS, "lights": LIGHT_COLUMNS}
LIGHTS_FILE = "lights.json"
PROOF_FILE = "light_proof.json"
POINTS_FILE = "light_proof.points.parquet"


def lighting_layers(lighting: Lighting) -> dict[str, gpd.GeoDataFrame]:
    """The layers ``poles`` and ``lights``, with plain types."""
    return {
        "poles": _plain_frame(lighting.poles, POLE_COLUMNS),
        "lights": _plain_frame(lighting.lights, LIGHT_COLUMNS),
    }


def _plain_frame(frame: gpd.GeoDataFrame, columns: Mapping[str, str]) -> gpd.GeoDataFrame:
    values: dict[str, object] = {}
    for column in columns:
        if column in TEXTS:
            values[column] = pd.array([str(value) for value in frame[column]], dtype="str")
        elif column == "feeder":
            values[column] = frame[column].to_numpy(dtype=np.int64)
        else:
            values[column] = frame[column].to_numpy(dtype=np.float64)
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    return gpd.GeoDataFrame(values, geometry=shapes, crs=frame.crs)


def lighting_metadata(lighting: Lighting) -> dict[str, Any]:
    """What the layers do not say, as plain values."""
    return {
        "cost": float(lighting.cost),
        "lower_bound": lighting.lower_bound,
        "status": lighting.status,
        "design_claims": [asdict(claim) for claim in lighting.design_claims],
        "notes": list(lighting.notes),
        "written": lighting_rows(lighting),
    }


def lighting_rows(lighting: Lighting) -> dict[str, list[list[Any]]]:
    """Rows of the layers as plain values, their place at the end."""
    found = {}
    for layer, frame in lighting_layers(lighting).items():
        rows = frame[list(LAYERS[layer])].to_numpy(dtype=object).tolist()
        places = zip(frame.geometry.x, frame.geometry.y, strict=True)
        found[layer] = [plain([*row, *place]) for row, place in zip(rows, places, strict=True)]
    return found


def read_lighting_layers(
    path: Path, present: list[str], metadata: Mapping[str, Any], crs: str
) -> Lighting | None:
    """The lights of a plan's GeoPackage, perhaps edited; None where it has none.

    Raises
    ------
    PlanError
        A layer lacks a column, or holds what is no number.
    """
    if "lights" not in present or "poles" not in present:
        return None
    frames = {layer: _read_layer(path, layer, crs) for layer in LAYERS}
    prices = [*frames["poles"]["cost"], *frames["lights"]["cost"]]
    edited = Lighting(
        frames["poles"], frames["lights"], round(float(np.sum(prices)), 2), None, "edited"
    )
    known = metadata.get("lighting")
    if not isinstance(known, Mapping) or known.get("written") != lighting_rows(edited):
        return edited
    return _from_plain(known, frames["poles"], frames["lights"])


def _read_layer(path: Path, layer: str, crs: str) -> gpd.GeoDataFrame:
    where = f"{path.name}: layer {layer}"
    try:
        frame = pyogrio.read_dataframe(path, layer=layer)
    except (DataSourceError, DataLayerError, ValueError) as problem:
        raise PlanError(
            f"it cannot be read ({' '.join(str(problem).split())[:120]})",
            where=where,
            mend="export the plan again",
        ) from problem
    _numbers_only(path, layer, where)
    missing = [column for column in LAYERS[layer] if column not in frame.columns]
    if missing:
        raise PlanError(
            "the column " + ", ".join(missing) + " is missing",
            where=where,
            mend="add it, or copy the layer from the plan that was exported",
        )
    if len(frame) and (frame.geometry.isna().any() or (frame.geometry.geom_type != "Point").any()):
        raise PlanError("a row has no point", where=where, mend="draw it, or delete the row")
    if frame.crs is not None and crs and len(frame):
        frame = frame.to_crs(crs)
    for column in LAYERS[layer]:
        if column not in TEXTS:
            numbers = pd.to_numeric(frame[column], errors="coerce")
            if numbers.isna().any():
                raise PlanError(
                    f"{column} holds what is no number", where=where, mend="write a number"
                )
            frame[column] = numbers
        else:
            frame[column] = frame[column].fillna("")
    return _plain_frame(frame, LAYERS[layer])


def _numbers_only(path: Path, layer: str, where: str) -> None:
    """Refuse text in columns of numbers, which GDAL would read as 0.

    Raises
    ------
    PlanError
        A value is neither number nor empty.
    """
    with contextlib.closing(sqlite3.connect(path)) as connection:
        present = {str(row[1]) for row in connection.execute(f"PRAGMA table_info({layer})")}
        for column in sorted((set(LAYERS[layer]) - TEXTS) & present):
            query = f"SELECT {column} FROM {layer} WHERE typeof({column}) IN ('text', 'blob')"
            found = connection.execute(query).fetchone()
            if found is not None:
                raise PlanError(
                    f"{column} holds '{found[0]}', which is no number",
                    where=where,
                    mend="write a number",
                )


def _from_plain(values: Mapping[str, Any], poles: Any, lights: Any) -> Lighting:
    bound = values["lower_bound"]
    return Lighting(
        poles,
        lights,
        float(values["cost"]),
        None if bound is None else float(bound),
        str(values["status"]),
        tuple(LightClaim(**claim) for claim in values["design_claims"]),
        tuple(str(note) for note in values["notes"]),
    )


def write_light_layers(lighting: Lighting, path: Path) -> Path:
    """Write the layers ``poles`` and ``lights`` as a GeoPackage of their own.

    Raises
    ------
    ArtefactError
        It cannot be written.
    """
    with atomic_write(path) as temporary:
        for layer, frame in lighting_layers(lighting).items():
            try:
                pyogrio.write_dataframe(
                    frame, temporary, layer=layer, driver="GPKG", geometry_type="Point"
                )
            except DataSourceError as problem:
                raise ArtefactError(
                    f"it cannot be written ({' '.join(str(problem).split())[:120]})",
                    where=str(path),
                    mend="check the free space and the permissions of the folder",
                ) from problem
    return path


def write_lighting(lighting: Lighting, folder: Path) -> None:
    """Write lights as ``lights.json`` of a run."""
    with atomic_write(folder / LIGHTS_FILE) as temporary:
        content = lighting_metadata(lighting) | {"crs": lighting.lights.crs.to_string()}
        temporary.write_text(to_json(content, indent=1) + "\n", encoding="utf-8")


def read_lighting_file(folder: Path) -> Lighting:
    """The lights that :func:`write_lighting` wrote.

    Raises
    ------
    ArtefactError
        The file is missing or damaged.
    """
    file = folder / LIGHTS_FILE
    with damage(file):
        values = json.loads(file.read_text(encoding="utf-8"))
        frames = []
        for layer, columns in LAYERS.items():
            rows = values["written"][layer]
            frame = pd.DataFrame(rows, columns=[*columns, "x", "y"])
            points = gpd.points_from_xy(frame.pop("x"), frame.pop("y"))
            frames.append(gpd.GeoDataFrame(frame, geometry=points, crs=values["crs"]))
        poles, lights = (
            _plain_frame(frame, columns)
            for frame, columns in zip(frames, LAYERS.values(), strict=True)
        )
        return _from_plain(values, poles, lights)


def write_light_proof(proof: LightProof, folder: Path) -> None:
    """Write claims on light and their points."""
    write_table(proof.points, folder / POINTS_FILE)
    content = {
        "claims": [asdict(claim) for claim in proof.claims],
        "cell_m": float(proof.cell_m),
    }
    with atomic_write(folder / PROOF_FILE) as temporary:
        temporary.write_text(to_json(content, indent=1) + "\n", encoding="utf-8")


def read_light_proof(folder: Path) -> LightProof:
    """The proof of light that was written.

    Raises
    ------
    ArtefactError
        A file is missing or damaged.
    """
    file = folder / PROOF_FILE
    points, _ = read_table(folder / POINTS_FILE)
    with damage(file):
        content = json.loads(file.read_text(encoding="utf-8"))
        claims = tuple(claim_from(values) for values in content["claims"])
        return LightProof(claims, points, float(content["cell_m"]))
