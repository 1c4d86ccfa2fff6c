"""A plan as a GeoPackage: written styled for QGIS, and read back as a person left it.

The layers ``mounts``, ``devices``, ``poles``, ``lights`` and ``posts`` and the table ``plan`` are
the plan; all other layers are
pictures of it and are ignored when it is read.
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from pyogrio.errors import DataSourceError

from watchline.errors import ArtefactError, PlanError
from watchline.io.files import atomic_write, sha256_file
from watchline.io.json_text import frame_from_plain, frame_to_plain, to_json
from watchline.io.lights import lighting_layers, lighting_metadata, read_lighting_layers
from watchline.io.plan_check import Edit
from watchline.io.plan_edit import settle
from watchline.io.plan_layers import (
    coverage_layers,
    plan_frame,
    plan_layers,
    site_layers,
    views_layer,
)
from watchline.io.plan_posts import posts_layer, read_posts
from watchline.io.plan_tables import (
    DEVICE_DECISIONS,
    MOUNT_DECISIONS,
    DeviceRow,
    Faults,
    MountRow,
    layer_names,
    open_plan_file,
    read_metadata,
    read_plan_layer,
    read_rows,
)
from watchline.io.qgis import STYLE_TIME, write_styles
from watchline.model.lighting import Lighting
from watchline.model.plan import (
    PLAN_DEVICE_COLUMNS,
    PLAN_MOUNT_COLUMNS,
    DesignClaim,
    Plan,
    plan_digest,
)
from watchline.model.proof import Proof
from watchline.model.provenance import SCHEMA_VERSION, Provenance
from watchline.model.site import Site
from watchline.version import __version__

COMPUTED = "computed"
NEEDED_LAYERS = ("mounts", "devices")
POINT_LAYERS = (*NEEDED_LAYERS, "poles", "lights", "posts")
"""They carry no spatial index: its triggers need functions that plain SQLite lacks, and without
them a script can edit the plan with SQL alone."""
GPKG_OPTIONS = {"VERSION": "1.2"}
"""Older GIS programs warn of newer versions of GeoPackage, whose features are not needed here."""
SQLITE_COUNTERS = (24, 92)
"""Places in the header of the change counter and of its copy (SQLite file format, 1.3)."""


def write_plan(
    plan: Plan, path: Path | str, *, site: Site | None = None, proof: Proof | None = None
) -> Path:
    """Write a plan as a GeoPackage that opens styled in QGIS.

    Equal plans make equal bytes. The file is written aside and renamed.

    Parameters
    ----------
    plan : Plan
        What to write.
    path : Path or str
        A file name that ends in ``.gpkg``.
    site : Site, optional
        Adds the layers ``views`` (fields of view on flat ground), ``line``, ``zone``, ``road``,
        ``areas``, ``exclusions`` and ``no_watch``, and lists of the catalogue's keys in forms.
    proof : Proof, optional
        Adds ``coverage`` (joined cells by number of views), and one layer more for each further
        target height.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ArtefactError
        It cannot be written, or another program has the old file open.
    """
    target = Path(path)
    if target.suffix.lower() != ".gpkg":
        raise ArtefactError(
            f"'{target.suffix}' is not the ending of a GeoPackage",
            where=str(target),
            mend="end the file's name in .gpkg",
        )
    refuse_if_open(target)
    layers: dict[str, gpd.GeoDataFrame] = {}
    if site is not None:
        layers |= site_layers(site)
    if proof is not None:
        layers |= coverage_layers(proof, plan.crs)
    if site is not None:
        layers["views"] = views_layer(plan, site)
    layers |= plan_layers(plan)
    if plan.lighting is not None:
        layers |= lighting_layers(plan.lighting)
    if plan.posts is not None and len(plan.posts):
        layers["posts"] = posts_layer(plan.posts, plan.crs)
    with atomic_write(target) as temporary, _unsynced():
        try:
            for name, frame in layers.items():
                pyogrio.write_dataframe(
                    frame,
                    temporary,
                    layer=name,
                    driver="GPKG",
                    geometry_type=_geometry_type(name),
                    promote_to_multi=_geometry_type(name) == "MultiPolygon",
                    dataset_options=GPKG_OPTIONS,
                    layer_options=None if name not in POINT_LAYERS else {"SPATIAL_INDEX": "NO"},
                )
            metadata = _metadata(plan)
            pyogrio.write_dataframe(
                metadata, temporary, layer="plan", driver="GPKG", dataset_options=GPKG_OPTIONS
            )
            _finish(temporary, list(layers), site)
        except (DataSourceError, sqlite3.Error) as problem:
            # GDAL and SQLite report a full disk or a folder without rights in their own words.
            raise ArtefactError(
                f"it cannot be written ({' '.join(str(problem).split())[:120]})",
                where=str(target),
                mend="check the free space and the permissions of the folder",
            ) from problem
    return target


def refuse_if_open(file: Path) -> None:
    """Raise where another program has edits of a plan that it has not saved.

    Raises
    ------
    ArtefactError
        It has.
    """
    log = file.with_name(file.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise ArtefactError(
            "another program has it open, with edits that it has not saved",
            where=str(file),
            mend="close it there, or write to another file",
        )


@contextlib.contextmanager
def _unsynced() -> Iterator[None]:
    """Let SQLite write without waiting for the disk: the whole file is synced before its rename."""
    key = "OGR_SQLITE_SYNCHRONOUS"
    before = pyogrio.get_gdal_config_option(key)
    pyogrio.set_gdal_config_options({key: "OFF"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({key: before})


def _geometry_type(layer: str) -> str:
    if layer in POINT_LAYERS:
        return "Point"
    return "LineString" if layer in ("line", "road") else "MultiPolygon"


def _finish(file: Path, layers: list[str], site: Site | None) -> None:
    """Styles, and the time of day replaced, so that equal plans make equal files."""
    choices: dict[str, dict[str, dict[str, str]]] = {}
    if site is not None:
        structures, devices = site.catalogue.structures, site.catalogue.devices
        choices["mounts"] = {
            "structure": {key: f"{key}: {item.name}" for key, item in structures.items()}
        }
        choices["devices"] = {
            "model": {key: f"{key}: {item.name}" for key, item in devices.items()}
        }
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        write_styles(connection, layers, choices)
        connection.execute("UPDATE gpkg_contents SET last_change = ?", (STYLE_TIME,))
        connection.commit()
    # SQLite counts its transactions in the header, and how many GDAL needs depends on the clock.
    with file.open("r+b") as bytes_:
        for place in SQLITE_COUNTERS:
            bytes_.seek(place)
            bytes_.write((1).to_bytes(4, "big"))


def _metadata(plan: Plan) -> pd.DataFrame:
    """The table ``plan``: one JSON value per key."""
    written = {}
    for layer, columns in (("mounts", PLAN_MOUNT_COLUMNS), ("devices", PLAN_DEVICE_COLUMNS)):
        frame = getattr(plan, layer)
        key = next(iter(columns))
        flat = plan_frame(frame, columns, plan.crs)
        rows = flat[list(columns)].to_dict("records")
        for row, shape in zip(rows, flat.geometry, strict=True):
            row |= {"x": shape.x, "y": shape.y}
        written[layer] = {row[key]: row for row in rows}
    values = {
        "schema_version": SCHEMA_VERSION,
        "name": plan.name,
        "crs": plan.crs,
        "cost": float(plan.cost),
        "lower_bound": None if plan.lower_bound is None else float(plan.lower_bound),
        "all_aims_bound": plan.all_aims_bound,
        "gap": plan.gap,
        "currency": plan.currency,
        "status": plan.status,
        "notes": list(plan.notes),
        "design_claims": [asdict(claim) for claim in plan.design_claims],
        "cost_along": None if plan.cost_along is None else frame_to_plain(plan.cost_along),
        "log": [list(entry) for entry in plan.log],
        "provenance": plan.provenance.as_dict(),
        "plan_sha256": plan_digest(plan),
        "written": written,
    }
    if plan.lighting is not None:
        values["lighting"] = lighting_metadata(plan.lighting)
    return pd.DataFrame({"key": list(values), "value": [to_json(v) for v in values.values()]})


def read_plan(path: Path | str, *, site: Site | None = None) -> Plan:
    """Read a plan, perhaps edited in QGIS.

    The points of the layer ``devices`` are the truth about where devices stand; see
    :mod:`watchline.io.plan_edit` for what follows from an edit. Further columns and layers are
    ignored, and layers in another CRS are brought into the plan's.

    Parameters
    ----------
    path : Path or str
        The GeoPackage.
    site : Site, optional
        Its project: checks models, lenses and structures against the catalogue, prices the plan,
        and is needed where rows were added without all their columns.

    Returns
    -------
    Plan
        As it was written if nothing that counts was changed; else with status ``edited``, without
        bound, search log and claims of the design, and with notes on what was settled.

    Raises
    ------
    PlanError
        The file is missing, locked, damaged or no GeoPackage, or has one fault.
    ManyFaults
        It has several faults.
    """
    file = Path(path)
    faults = Faults(file.name)
    with open_plan_file(file) as connection:
        metadata = read_metadata(connection)
        present = layer_names(connection)
        for layer in NEEDED_LAYERS:
            if layer not in present:
                faults.add(
                    f"the layer {layer} is missing",
                    "copy it from the plan that was exported",
                )
        faults.raise_if_any()
        crs = site.crs if site is not None else str(metadata.get("crs", ""))
        mounts = read_plan_layer(file, "mounts", MOUNT_DECISIONS, crs, faults)
        devices = read_plan_layer(file, "devices", DEVICE_DECISIONS, crs, faults)
        lighting = read_lighting_layers(file, present, metadata, crs)
        posts = read_posts(file, present, crs, site, faults)
    if mounts is None or devices is None:
        faults.raise_if_any()
    assert mounts is not None and devices is not None
    if site is None and "currency" not in metadata:
        raise PlanError(
            "its table 'plan' is missing or empty, so its currency is not known",
            where=str(file),
            mend="name the project that it belongs to",
        )
    written = metadata.get("written", {})
    edit = Edit(
        mounts=read_rows(mounts, MountRow, "mounts", faults),
        devices=read_rows(devices, DeviceRow, "devices", faults),
        written_mounts=_written(written, "mounts"),
        written_devices=_written(written, "devices"),
        site=site,
        faults=faults,
    )
    settle(edit)
    faults.raise_if_any()
    return _plan(edit, metadata, crs or mounts.crs.to_string(), file, lighting, posts)


def _written(written: object, layer: str) -> dict[str, dict[str, Any]]:
    """Rows as the program wrote them; empty where a person spoilt them."""
    rows = written.get(layer, {}) if isinstance(written, Mapping) else {}
    needed = {"x", "y", "height_m", *(("mount_id", "model") if layer == "devices" else ())}
    if not isinstance(rows, Mapping):
        return {}
    return {k: row for k, row in rows.items() if isinstance(row, dict) and needed <= set(row)}


def _plan(
    edit: Edit,
    metadata: Mapping[str, Any],
    crs: str,
    file: Path,
    lighting: Lighting | None,
    posts: gpd.GeoDataFrame | None,
) -> Plan:
    mounts = rows_frame(edit.mounts, PLAN_MOUNT_COLUMNS, crs)
    devices = rows_frame(edit.devices, PLAN_DEVICE_COLUMNS, crs)
    cost = math.fsum([*mounts["cost"], *devices["cost"]])
    currency = edit.site.catalogue.currency if edit.site else str(metadata["currency"])
    plan = Plan(
        file.stem,
        crs,
        mounts,
        devices,
        round(cost, 6),
        None,
        currency,
        "edited",
        lighting=lighting,
        posts=posts,
    )
    if metadata.get("plan_sha256") == plan_digest(plan):
        return _as_written(plan, metadata)
    inputs = {"plan": sha256_file(file)}
    old = metadata.get("provenance", {})
    if isinstance(metadata.get("plan_sha256"), str):
        inputs["edited_from"] = metadata["plan_sha256"]
    # The notes of a design speak of its bound and its search; those of earlier edits stay true.
    kept = (metadata.get("notes") or ()) if metadata.get("status") == "edited" else ()
    notes = (*(str(note) for note in kept), *edit.notes)
    seed = old.get("seed", 0) if isinstance(old, Mapping) else 0
    return Plan(
        **{**_fields(plan), "notes": notes},
        provenance=Provenance(inputs, int(seed), __version__),
    )


def _fields(plan: Plan) -> dict[str, Any]:
    names = ("name", "crs", "mounts", "devices", "cost", "lower_bound", "currency", "status")
    names = (*names, "lighting", "posts")
    return {name: getattr(plan, name) for name in names}


def _as_written(plan: Plan, metadata: Mapping[str, Any]) -> Plan:
    """The plan with all that the program said of it, as nothing that counts was changed."""
    try:
        along, bound = metadata["cost_along"], metadata["lower_bound"]
        widest = metadata.get("all_aims_bound")
        provenance = metadata["provenance"]
        fields = {
            **_fields(plan),
            "name": COMPUTED if metadata["name"] == COMPUTED else plan.name,
            "cost": float(metadata["cost"]),
            "lower_bound": None if bound is None else float(bound),
            "status": str(metadata["status"]),
        }
        return Plan(
            **fields,
            design_claims=tuple(DesignClaim(**claim) for claim in metadata["design_claims"]),
            cost_along=None if along is None else frame_from_plain(along),
            log=tuple((float(a), float(b), float(c)) for a, b, c in metadata["log"]),
            all_aims_bound=None if widest is None else float(widest),
            notes=tuple(metadata["notes"]),
            provenance=Provenance(**provenance),
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise PlanError(
            f"its table 'plan' is spoilt ({type(problem).__name__}: {problem})",
            where=plan.name,
            mend="export the plan again",
        ) from problem


def rows_frame(rows: list[Any], columns: Mapping[str, str], crs: str) -> gpd.GeoDataFrame:
    """Rows of a plan's layer as its table."""
    plain = pd.DataFrame({c: [getattr(row, c) for row in rows] for c in columns})
    points = gpd.points_from_xy([row.x for row in rows], [row.y for row in rows])
    if not rows:
        points = np.empty(0, dtype=object)
    return plan_frame(gpd.GeoDataFrame(plain, geometry=points, crs=crs), columns, crs)
