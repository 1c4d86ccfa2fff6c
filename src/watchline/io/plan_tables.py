"""The tables of a plan file as a person may have left them: opened, checked, row by row.

Nothing is guessed here: a row says what the file says, with ``""`` and NaN for what is missing.
:mod:`watchline.io.plan_edit` makes a plan of it.
"""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import geopandas as gpd
import numpy as np
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FieldError
from pyproj import CRS
from pyproj.exceptions import ProjError
from shapely.geometry import Point

from watchline.errors import ManyFaults, PlanError, WatchlineError

SQLITE_MAGIC = b"SQLite format 3\x00"
LOCK_WAIT_S = 2.0
PLAUSIBLE_M = 1e8
MOUNT_DECISIONS = ("mount_id", "structure")
DEVICE_DECISIONS = ("mount_id", "model", "azimuth_deg", "tilt_deg", "focal_mm")
"""Columns that carry a person's decision; the others can be derived and may be missing."""


@dataclass(frozen=True)
class MountRow:
    """One row of the layer ``mounts``; ``row`` is its number (fid) in the file."""

    row: int
    x: float
    y: float
    mount_id: str = ""
    name: str = ""
    structure: str = ""
    kind: str = ""
    height_m: float = math.nan
    s: float = math.nan
    t: float = math.nan
    ground_z: float = math.nan
    cost: float = math.nan
    existing: bool = False


@dataclass(frozen=True)
class DeviceRow:
    """One row of the layer ``devices``; ``row`` is its number (fid) in the file."""

    row: int
    x: float
    y: float
    device_id: str = ""
    mount_id: str = ""
    model: str = ""
    kind: str = ""
    height_m: float = math.nan
    azimuth_deg: float = math.nan
    tilt_deg: float = math.nan
    focal_mm: float = math.nan
    hfov_deg: float = math.nan
    vfov_deg: float = math.nan
    cost: float = math.nan


@dataclass
class Faults:
    """The faults of one file as they are found.

    Attributes
    ----------
    file : str
        Name of the file, for messages.
    found : list of WatchlineError
        In the order in which they were found.
    """

    file: str
    found: list[WatchlineError] = field(default_factory=list)

    def add(self, what: str, mend: str, *, layer: str = "", row: MountRow | DeviceRow | int = -1):  # noqa: ANN201 - returns nothing
        """Keep one fault.

        Parameters
        ----------
        what, mend : str
            As in :class:`watchline.errors.WatchlineError`.
        layer : str, optional
            Layer in which it lies.
        row : row or int, optional
            Row, or its number; −1 speaks of the whole layer.
        """
        number = row if isinstance(row, int) else row.row
        where = self.file + (f": layer {layer}" if layer else "")
        if number >= 0:
            where += f", row {number}"
            name = ""
            if isinstance(row, DeviceRow):
                name = row.device_id
            elif isinstance(row, MountRow):
                name = row.mount_id
            where += f" ({name})" if name else ""
        self.found.append(PlanError(what, where=where, mend=mend))

    def raise_if_any(self) -> None:
        """Raise what was found: alone as it is, several as :class:`ManyFaults`."""
        if len(self.found) == 1:
            raise self.found[0]
        if self.found:
            raise ManyFaults(self.found)


@contextlib.contextmanager
def open_plan_file(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a GeoPackage for reading, with words for all that can be wrong with the file.

    Raises
    ------
    PlanError
        It is missing, unreadable, no GeoPackage, locked or damaged.
    """
    where = str(path)
    try:
        with path.open("rb") as file:
            magic = file.read(len(SQLITE_MAGIC))
    except OSError as problem:
        reason = "it does not exist" if not path.exists() else f"it cannot be read ({problem})"
        raise PlanError(reason, where=where, mend="check the path and its permissions") from problem
    if magic != SQLITE_MAGIC:
        raise PlanError(
            "it is not a GeoPackage",
            where=where,
            mend="export the plan again, as GeoPackage (.gpkg), with its layers mounts and devices",
        )
    address = f"file:{quote(str(path.resolve()))}?mode=ro"
    try:
        with contextlib.closing(
            sqlite3.connect(address, uri=True, timeout=LOCK_WAIT_S)
        ) as connection:
            connection.execute("SELECT table_name FROM gpkg_contents").fetchall()
            state = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if state != "ok":
                raise sqlite3.DatabaseError(state)
            yield connection
    except sqlite3.DatabaseError as problem:
        raise _file_error(problem, where) from problem


def _file_error(problem: sqlite3.DatabaseError, where: str) -> PlanError:
    text = " ".join(str(problem).split())
    if "locked" in text or "busy" in text:
        return PlanError(
            "another program is writing to it",
            where=where,
            mend="save the edits there and close the file, then try again",
        )
    if "no such table" in text:
        return PlanError(
            f"it is not a GeoPackage ({text})",
            where=where,
            mend="export the plan again, as GeoPackage (.gpkg)",
        )
    return PlanError(
        f"it is damaged ({text[:120]})",
        where=where,
        mend="restore it from a backup, or export the plan again",
    )


def read_metadata(connection: sqlite3.Connection) -> dict[str, Any]:
    """The table ``plan`` of a file as a dict; empty where the file has none.

    Values that are no JSON (a person typed over them) are left out.
    """
    names = {row[0] for row in connection.execute("SELECT table_name FROM gpkg_contents")}
    if "plan" not in names:
        return {}
    columns = {row[1] for row in connection.execute('PRAGMA table_info("plan")')}
    if not {"key", "value"} <= columns:
        return {}
    found = {}
    for key, value in connection.execute('SELECT "key", "value" FROM "plan"'):
        with contextlib.suppress(TypeError, ValueError):
            found[str(key)] = json.loads(value)
    return found


def layer_names(connection: sqlite3.Connection) -> list[str]:
    """Names of the layers of a GeoPackage that hold features."""
    query = "SELECT table_name FROM gpkg_contents WHERE data_type = 'features'"
    return [str(row[0]) for row in connection.execute(query)]


def read_plan_layer(
    path: Path, layer: str, decisions: tuple[str, ...], crs: str, faults: Faults
) -> gpd.GeoDataFrame | None:
    """One layer in the wanted CRS, or None where a fault was found that spoils it.

    Parameters
    ----------
    path : Path
        The file.
    layer : str
        ``mounts`` or ``devices``.
    decisions : tuple of str
        Columns that it must have.
    crs : str
        CRS to bring it into; ``""`` keeps its own.
    faults : Faults
        Takes what is wrong.

    Returns
    -------
    GeoDataFrame or None
        Indexed by row number (fid); geometries may still be missing.
    """
    try:
        frame = pyogrio.read_dataframe(path, layer=layer, fid_as_index=True)
    except (DataSourceError, DataLayerError, FieldError, ValueError) as problem:
        text = " ".join(str(problem).split())[:120]
        faults.add(f"it cannot be read ({text})", "export the plan again", layer=layer)
        return None
    missing = [column for column in decisions if column not in frame.columns]
    if missing:
        faults.add(
            "the column " + ", ".join(missing) + " is missing",
            "add it, or copy the layer from the plan that was exported",
            layer=layer,
        )
        return None
    if not isinstance(frame, gpd.GeoDataFrame):
        faults.add("it has no geometry", "save it as a point layer", layer=layer)
        return None
    if frame.crs is None or not (frame.crs.is_projected or frame.crs.is_geographic):
        faults.add("it has no CRS", "set the layer's CRS in QGIS and save it again", layer=layer)
        return None
    if crs and frame.crs != CRS.from_user_input(crs):
        return _reprojected(frame, crs, layer, faults)
    return frame


def _reprojected(
    frame: gpd.GeoDataFrame, crs: str, layer: str, faults: Faults
) -> gpd.GeoDataFrame | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            moved = frame.to_crs(crs)
    except ProjError as problem:
        faults.add(
            f"its CRS {frame.crs.name} cannot be turned into {crs} ({problem})",
            f"save the layer in {crs}",
            layer=layer,
        )
        return None
    bounds = moved.total_bounds
    if len(moved) and (not np.isfinite(bounds).all() or np.abs(bounds).max() > PLAUSIBLE_M):
        faults.add(
            f"its coordinates lie outside {crs}",
            "correct the layer's CRS and save it again",
            layer=layer,
        )
        return None
    return moved


def place_of(shape: object) -> tuple[float, float] | None:
    """Coordinates of a point, also of a multipoint with one part; None where there is none."""
    parts = getattr(shape, "geoms", None)
    if parts is not None and len(parts) == 1:
        shape = parts[0]
    if not isinstance(shape, Point) or shape.is_empty:
        return None
    x, y = float(shape.x), float(shape.y)
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None


def is_missing(value: object) -> bool:
    """Whether a cell of a table is empty: NULL, NaN, or nothing but blanks."""
    if value is None or value != value:  # NaN alone differs from itself
        return True
    return isinstance(value, str) and not value.strip()


class RowReader:
    """Takes the cells of one row as text, number or truth, and keeps what is wrong."""

    def __init__(self, values: dict[str, Any], layer: str, row: int, faults: Faults) -> None:
        self.values = values
        self.layer = layer
        self.row = row
        self.faults = faults

    def text(self, column: str) -> str:
        """A cell as text, ``""`` where it is empty."""
        value = self.values.get(column)
        return "" if is_missing(value) else str(value)

    def number(self, column: str) -> float:
        """A cell as a number: NaN where it is empty, inf where a fault was kept."""
        value = self.values.get(column)
        if is_missing(value):
            return math.nan
        try:
            figure = float(value)  # type: ignore[arg-type] # what is no number raises
        except (TypeError, ValueError):
            figure = math.inf
        if math.isinf(figure):
            self.faults.add(
                f"{column} '{value}' is not a number",
                "write a number with a decimal point",
                layer=self.layer,
                row=self.row,
            )
        return figure

    def truth(self, column: str) -> bool:
        """A cell as yes or no; empty means no."""
        value = self.values.get(column)
        if is_missing(value):
            return False
        if isinstance(value, str):
            return value.strip().lower() in ("1", "true", "yes", "t")
        return bool(value)


def read_rows(
    frame: gpd.GeoDataFrame, kind: type[MountRow] | type[DeviceRow], layer: str, faults: Faults
) -> list[Any]:
    """The rows of a layer as :class:`MountRow` or :class:`DeviceRow`.

    Rows without a usable place are kept out, with a fault.
    """
    rows = []
    columns = [c for c in frame.columns if c != frame.geometry.name]
    for fid, values, shape in zip(
        frame.index, frame[columns].to_dict("records"), frame.geometry, strict=True
    ):
        place = place_of(shape)
        if place is None:
            what = "its geometry is empty"
            if shape is not None and not shape.is_empty:
                what = f"its geometry is no point but a {shape.geom_type}"
            faults.add(what, "draw its point, or delete the row", layer=layer, row=int(fid))
            continue
        reader = RowReader(values, layer, int(fid), faults)
        cells: dict[str, Any] = {}
        for name, column in kind.__dataclass_fields__.items():
            if name in ("row", "x", "y"):
                continue
            take = {"str": reader.text, "float": reader.number, "bool": reader.truth}
            cells[name] = take[str(column.type)](name)
        rows.append(kind(row=int(fid), x=place[0], y=place[1], **cells))
    return rows
