"""Lights of a plan changed one by one; what they cost follows from what is left of them."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np

from watchline.errors import PlanError
from watchline.model.lighting import Lighting


def edited_lighting(
    lighting: Lighting, poles: gpd.GeoDataFrame, lights: gpd.GeoDataFrame
) -> Lighting:
    """Lights with other rows: what their design said of them is no longer said."""
    cost = round(float(np.sum([*poles["cost"], *lights["cost"]])), 2)
    return replace(
        lighting, poles=poles, lights=lights, cost=cost, lower_bound=None, status="edited",
        design_claims=(), notes=(),
    )  # fmt: skip


def aim_light(
    lighting: Lighting | None,
    light_id: str,
    *,
    azimuth_deg: float | None = None,
    tilt_deg: float | None = None,
) -> Lighting:
    """A light turned or tilted; what is left out stays as it is.

    Parameters
    ----------
    lighting : Lighting or None
        The lights of the plan.
    light_id : str
        Which.
    azimuth_deg : float, optional
        Bearing of its photometric axis, clockwise from grid north.
    tilt_deg : float, optional
        Depression of that axis below the horizontal, −90 to 90.

    Raises
    ------
    PlanError
        The plan has no such light.
    """
    lighting, at = _found(lighting, light_id)
    lights = lighting.lights.copy()
    if azimuth_deg is not None:
        lights.loc[at, "azimuth_deg"] = azimuth_deg % 360.0
    if tilt_deg is not None:
        lights.loc[at, "tilt_deg"] = tilt_deg
    return edited_lighting(lighting, lighting.poles, lights)


def remove_light(lighting: Lighting | None, light_id: str) -> Lighting:
    """A light taken down, and with its last light a pole.

    Raises
    ------
    PlanError
        The plan has no such light.
    """
    lighting, at = _found(lighting, light_id)
    lights = lighting.lights.drop(index=at).reset_index(drop=True)
    left = lighting.poles["pole_id"].isin(lights["pole_id"])
    return edited_lighting(lighting, lighting.poles[left].reset_index(drop=True), lights)


def _found(lighting: Lighting | None, light_id: str) -> tuple[Lighting, object]:
    """The lights, and the index of one of them."""
    if lighting is not None:
        at = lighting.lights.index[lighting.lights["light_id"] == light_id]
        if len(at):
            return lighting, at[0]
    raise PlanError(f"it has no light '{light_id}'", mend="load the plan again: it was edited")
