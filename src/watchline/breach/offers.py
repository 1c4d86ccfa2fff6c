"""Offers: the poses that could be added to a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.design.columns import Scene, mount_columns
from watchline.design.plan import placed_devices, placed_mounts
from watchline.design.poses import Lens, mount_poses
from watchline.model.plan import Plan

FloatArray = npt.NDArray[np.float64]
SAME_PLACE_M = 0.01
APART = 0.75
"""Share of its field by which two aims of one lens must differ to be offered both."""
OFFER_REACH_M = 1000.0
"""Mounts farther than this from a path are not offered against it."""


@dataclass(frozen=True)
class Offers:
    """Poses on offer beside a plan.

    Attributes
    ----------
    poses : DataFrame
        Columns :data:`watchline.design.poses.POSE_COLUMNS`.
    mounts : DataFrame
        Rows of the candidates' mounts that carry them, by number; ``room`` is how many devices
        more a mount can carry and ``fixed`` what it costs to have it: 0 where the plan has it.
    kinds : tuple of str
        Kind of device of each pose.
    mount_s_m : float64 array [poses]
        Chainage of its mount.
    """

    poses: pd.DataFrame
    mounts: pd.DataFrame
    kinds: tuple[str, ...]
    mount_s_m: FloatArray


def offers_beside(
    scene: Scene, plan: Plan, progress: Callable[[float], None] | None = None
) -> Offers:
    """Poses that could be added to a plan: on its own mounts as far as they have room, and on new.

    Sites of the plan's mounts take no other structure. Poses that may not watch are left out.

    Parameters
    ----------
    scene : Scene
        Candidates, visibility and lenses.
    plan : Plan
        What stands.
    progress : callable, optional
        Is told the share done, 0–1.
    """
    mounts = scene.candidates.mounts.copy()
    carried = plan.devices.groupby("mount_id").size()
    mounts["room"], mounts["fixed"] = mounts["capacity"], mounts["cost"]
    taken: set[int] = set()
    for mount in plan.mounts.itertuples():
        off = np.hypot(mounts["x"] - mount.geometry.x, mounts["y"] - mount.geometry.y)
        here = mounts[off <= SAME_PLACE_M]
        taken |= set(here["site"])
        own = here.index[here["structure"] == mount.structure]
        mounts.loc[own, "fixed"] = 0.0
        mounts.loc[own, "room"] -= int(carried.get(mount.mount_id, 0))
    kept = (mounts["room"] > 0) & (~mounts["site"].isin(taken) | (mounts["fixed"] == 0.0))
    parts = []
    for k, number in enumerate(np.flatnonzero(kept.to_numpy())):
        view = scene.view(int(number))
        if len(view.cell):
            cabin = mounts["kind"].iloc[number] == "tower"
            poses = apart(mount_poses(view, scene.rows, scene.lenses, cabin=cabin), scene.lenses)
            parts.append(mount_columns(scene, view, poses).poses)
        if progress is not None:
            progress((k + 1) / int(kept.sum()))
    poses = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    used = mounts[kept]
    devices = [scene.site.catalogue.devices[key] for key in scene.site.candidates.devices]
    return Offers(
        poses,
        pd.DataFrame(used.drop(columns="geometry")),
        tuple(devices[number].kind for number in poses["device"]),
        used["s"].loc[poses["mount"]].to_numpy(dtype=np.float64),
    )


def apart(poses: pd.DataFrame, lenses: list[Lens]) -> pd.DataFrame:
    """Poses of one mount of which no two with one lens look nearly the same way.

    Poses come a half field apart for every density that is asked; against a path a view is a view.
    Of two whose azimuths differ by less than :data:`APART` of the field, and their tilts too, the
    first is kept.
    """
    fields = {(lens.number, lens.focal_mm): (2 * lens.half_h, 2 * lens.half_v) for lens in lenses}
    kept: list[int] = []
    for key, mine in poses.groupby(["device", "focal_mm"], sort=False):
        wide, high = (APART * np.degrees(field) for field in fields[key])
        azimuth, tilt = mine["azimuth_deg"].to_numpy(), mine["tilt_deg"].to_numpy()
        own: list[int] = []
        for k in range(len(mine)):
            off = np.abs((azimuth[own] - azimuth[k] + 180.0) % 360.0 - 180.0)
            if not ((off < wide) & (np.abs(tilt[own] - tilt[k]) < high)).any():
                own.append(k)
        kept += mine.index[own].tolist()
    return poses.loc[sorted(kept)].reset_index(drop=True)


def with_poses(scene: Scene, plan: Plan, offers: Offers, chosen: npt.NDArray[np.int64]) -> Plan:
    """A plan with some of the offered poses added.

    Parameters
    ----------
    scene : Scene
        Site and candidates.
    plan : Plan
        What stands.
    offers : Offers
        Of :func:`offers_beside`.
    chosen : int64 array
        Numbers of poses.
    """
    poses = offers.poses.iloc[chosen]
    have = {
        (round(m.geometry.x, 2), round(m.geometry.y, 2), m.structure): m.mount_id
        for m in plan.mounts.itertuples()
    }
    names: dict[int, str] = {}
    new: list[int] = []
    for number in sorted(set(poses["mount"])):
        mount = scene.candidates.mounts.iloc[number]
        key = (round(mount["x"], 2), round(mount["y"], 2), mount["structure"])
        if key in have:
            names[number] = have[key]
        else:
            names[number] = f"P{len(new) + 1:03d}"
            new.append(number)
    mounts, devices = plan.mounts, plan.devices
    if new:
        more = placed_mounts(scene.candidates, new, [names[number] for number in new])
        mounts = gpd.GeoDataFrame(pd.concat([mounts, more], ignore_index=True), crs=plan.crs)
    if len(poses):
        more = placed_devices(scene.site, scene.candidates, poses, names, "P")
        devices = gpd.GeoDataFrame(pd.concat([devices, more], ignore_index=True), crs=plan.crs)
    return replace(
        plan,
        name="interrupted",
        mounts=mounts,
        devices=devices,
        cost=float(mounts["cost"].sum() + devices["cost"].sum()),
        lower_bound=None,
        all_aims_bound=None,
        status="edited",
        design_claims=(),
        log=(),
    )


def cost_of(offers: Offers, chosen: npt.NDArray[np.int64]) -> float:
    """What some of the poses cost, with the mounts that they need."""
    poses = offers.poses.iloc[chosen]
    mounts = offers.mounts["fixed"].loc[poses["mount"].unique()]
    return float(poses["cost"].sum() + mounts.sum())
