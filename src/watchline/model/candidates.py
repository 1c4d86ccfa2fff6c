"""Candidates: where things could stand, which aims they could take, and what is to be seen."""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd
import pandas as pd

from watchline.model.provenance import Provenance

MOUNT_COLUMNS = {
    "mount": "number of the mount: one site with one structure",
    "site": "number of the spot on the ground; at most one mount of a site may stand",
    "name": "name for people",
    "structure": "key of the structure in the catalogue",
    "kind": "mast or tower",
    "height_m": "height of its devices above the ground",
    "s": "chainage in m",
    "t": "offset in m",
    "x": "easting in m",
    "y": "northing in m",
    "ground_z": "height of the ground in m",
    "capacity": "most devices that the plan may hang on it",
    "cost": "fixed cost: structure, foundation, connection, trench",
    "existing": "whether it stands already",
}

CELL_COLUMNS = {
    "x": "easting of the cell's centre in m",
    "y": "northing of the cell's centre in m",
    "s": "chainage in m",
    "t": "offset in m",
    "ground_z": "height of the ground in m, NaN = unknown",
    "size_m": "side of the cell in m",
}


@dataclass(frozen=True)
class Candidates:
    """What the design chooses among.

    Attributes
    ----------
    mounts : GeoDataFrame
        Columns :data:`MOUNT_COLUMNS`, one row per site and structure.
    cells : DataFrame
        Columns :data:`CELL_COLUMNS`, then one bool column per place named ``in:<where>`` (what
        requirements call ``where``) and one per no-watch area named ``no_watch:<name>``.
    range_m : float
        Distance beyond which nothing can count.
    target_heights_m : tuple of float
        Heights of the targets that requirements name, ascending.
    """

    mounts: gpd.GeoDataFrame
    cells: pd.DataFrame
    range_m: float
    target_heights_m: tuple[float, ...] = (1.7,)
    provenance: Provenance = field(default_factory=Provenance)
