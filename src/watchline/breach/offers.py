"""Offers: the poses that could be added to a plan, and how fast each would detect at cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.breach.ground import Strip
from watchline.breach.watch import strike, views_of
from watchline.design.columns import Scene, mount_columns
from watchline.design.plan import placed_devices, placed_mounts
from watchline.design.poses import mount_poses
from watchline.model.defence import Defence, DefenceState
from watchline.model.plan import Plan
from watchline.prove.devices import Perch, PlacedDevice
from watchline.prove.heights import Relief

FloatArray = npt.NDArray[np.float64]
SAME_PLACE_M = 0.01
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


@dataclass(frozen=True)
class Rates:
    """How fast offered poses would detect at some cells: one entry a pose, cell and height.

    Attributes
    ----------
    pose : int64 array [entries]
        The pose.
    at : int64 array [entries]
        Place in the list of cells.
    height : int64 array [entries]
        Number of the target height.
    rate : float64 array [entries]
        Rate in clear air [1/s].
    distance_m : float64 array [entries]
        Slant distance.
    """

    pose: npt.NDArray[np.int64]
    at: npt.NDArray[np.int64]
    height: npt.NDArray[np.int64]
    rate: FloatArray
    distance_m: FloatArray

    def in_state(self, offers: Offers, defence: Defence, state: DefenceState | None) -> FloatArray:
        """Rates that outages and a state leave, float64 [entries]."""
        factor, reach = strike(defence, state, offers.kinds, offers.mount_s_m)
        return self.rate * factor[self.pose] * (self.distance_m <= reach)


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
            poses = mount_poses(view, scene.rows, scene.lenses, cabin=cabin)
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


def rates_at(
    scene: Scene,
    relief: Relief,
    strip: Strip,
    offers: Offers,
    cells: npt.NDArray[np.int64],
    heights_m: tuple[float, ...],
    window_m: float,
) -> Rates:
    """How fast every offered pose would detect at some cells within :data:`OFFER_REACH_M`.

    Parameters
    ----------
    scene : Scene
        The devices' catalogue.
    relief : Relief
        The terrain.
    strip : Strip
        The cells.
    offers : Offers
        The poses.
    cells : int64 array
        Flat numbers of cells, rising.
    heights_m : tuple of float
        Target heights.
    window_m : float
        Length of the line that is looked at in one go.
    """
    defence = scene.site.defence
    assert defence is not None
    perches = _perches(scene, relief, offers)
    s = strip.s_m[cells // strip.shape[1]]
    found: list[tuple[npt.NDArray, ...]] = []
    for window in np.unique(s // window_m):
        part = np.flatnonzero(s // window_m == window)
        flat = cells[part]
        x, y, z = (array.ravel()[flat] for array in (strip.x, strip.y, strip.z))
        near = [
            perch for perch in perches if np.hypot(x - perch.x, y - perch.y).min() <= OFFER_REACH_M
        ]
        for h, pose, index, rate, distance in views_of(defence, relief, near, x, y, z, heights_m):
            close = distance <= OFFER_REACH_M
            index, rate, distance = index[close], rate[close], distance[close]
            found.append(
                (
                    np.full(index.size, int(pose)),
                    part[index],
                    np.full(index.size, h),
                    rate,
                    distance,
                )
            )
    if not found:
        none = np.zeros(0, np.int64)
        return Rates(none, none, none, np.zeros(0), np.zeros(0))
    pose, at, height, rate, distance = (np.concatenate(part) for part in zip(*found, strict=True))
    return Rates(pose, at, height, rate, distance)


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


def _perches(scene: Scene, relief: Relief, offers: Offers) -> list[Perch]:
    """Offered poses as devices, mount by mount; a device's key is its number among the poses."""
    devices = [scene.site.catalogue.devices[key] for key in scene.site.candidates.devices]
    mounts = offers.mounts
    ground = relief.ground_at(list(mounts["x"]), list(mounts["y"]))
    eye = dict(zip(mounts.index, ground + mounts["height_m"].to_numpy(), strict=True))
    perches = []
    for number, mine in offers.poses.groupby("mount"):
        mount = mounts.loc[number]
        placed = tuple(
            PlacedDevice(
                str(pose.Index),
                str(number),
                devices[pose.device],
                float(pose.azimuth_deg),
                float(pose.tilt_deg),
                float(pose.focal_mm),
            )
            for pose in mine.itertuples()
        )
        perches.append(
            Perch(str(number), float(mount["x"]), float(mount["y"]), float(eye[number]), placed)
        )
    return perches
