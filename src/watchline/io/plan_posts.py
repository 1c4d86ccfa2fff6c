"""Posts of a plan on disk: the layer ``posts`` of its GeoPackage."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from watchline.geo.chainage import to_chainage
from watchline.io.plan_tables import Faults, read_plan_layer
from watchline.model.plan import PLAN_POST_COLUMNS
from watchline.model.site import Site

LAYER = "posts"


def posts_layer(posts: gpd.GeoDataFrame, crs: str) -> gpd.GeoDataFrame:
    """The layer ``posts``, with plain types."""
    plain: dict[str, object] = {"name": pd.array([str(n) for n in posts["name"]], dtype="str")}
    for column in list(PLAN_POST_COLUMNS)[1:]:
        plain[column] = posts[column].to_numpy(dtype=np.float64)
    return gpd.GeoDataFrame(plain, geometry=posts.geometry.to_numpy(), crs=crs)


def read_posts(
    file: Path, present: list[str], crs: str, site: Site | None, faults: Faults
) -> gpd.GeoDataFrame | None:
    """The posts of a plan file, perhaps edited; None where it has none or a fault spoils them.

    Parameters
    ----------
    file : Path
        The GeoPackage.
    present : list of str
        Names of its layers.
    crs : str
        CRS of the plan.
    site : Site or None
        Tells where a post that was moved lies along the line, and what a new one costs.
    faults : Faults
        Takes what is wrong.
    """
    if LAYER not in present:
        return None
    frame = read_plan_layer(file, LAYER, ("name",), crs, faults)
    if frame is None or not len(frame):
        return None
    spoilt = frame.geometry.isna() | (frame.geometry.geom_type != "Point")
    if spoilt.any():
        number = int(frame.index[spoilt.to_numpy()][0])
        faults.add("it has no point", "draw it, or delete the row", layer=LAYER, row=number)
        return None
    names = [str(name) if name is not None else "" for name in frame["name"]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or "" in names:
        what = f"the name '{twice[0]}' stands twice" if twice else "a post has no name"
        faults.add(what, "give each post a name of its own", layer=LAYER)
        return None
    price = 0.0
    if site is not None and site.defence is not None:
        price = site.defence.response.post_cost or 0.0
    found: dict[str, object] = {"name": names}
    x, y = frame.geometry.x.to_numpy(), frame.geometry.y.to_numpy()
    if site is not None:
        found["s"], found["t"], _ = to_chainage(site.line, x, y)
    for column in list(PLAN_POST_COLUMNS)[1:]:
        if column not in found:
            told = frame[column] if column in frame.columns else np.full(len(x), np.nan)
            numbers = pd.to_numeric(pd.Series(np.asarray(told)), errors="coerce")
            found[column] = numbers.fillna(price if column == "cost" else np.nan).to_numpy()
    return posts_layer(gpd.GeoDataFrame(found, geometry=gpd.points_from_xy(x, y), crs=crs), crs)
