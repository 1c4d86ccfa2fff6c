"""Offers: the poses that could be added to a plan, and how fast each would detect at cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from watchline.breach.ground import Strip
from watchline.breach.watch import Sight, column_of, strike, views_of
from watchline.design.columns import Scene, mount_columns
from watchline.design.plan import placed_devices, placed_mounts
from watchline.design.poses import mount_poses
from watchline.model.defence import DefenceState
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
class Wish:
    """Where along a path of a cut more detection would tell.

    Attributes
    ----------
    cut : int
        Number of the cut.
    state : DefenceState or None
        State in which the path is walked; None is the normal one.
    cell : int64 array [terms]
        Flat cells.
    height : int64 array [terms]
        Number of the target height at each.
    seconds : float64 array [terms]
        Probability that a rate of 1/s there adds to the cut [s], above 0.
    """

    cut: int
    state: DefenceState | None
    cell: npt.NDArray[np.int64]
    height: npt.NDArray[np.int64]
    seconds: FloatArray


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


def worth_of_poses(
    scene: Scene,
    relief: Relief,
    strip: Strip,
    offers: Offers,
    wishes: Sequence[Wish],
    sight: Sight,
    window_m: float,
) -> sparse.csr_array:
    """What every offered pose within :data:`OFFER_REACH_M` would add to cuts.

    Views are traced window by window of the line and summed at once, so that memory follows the
    window and not the line.

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
    wishes : sequence of Wish
        At least one.
    sight : Sight
        Of all cells of the strip.
    window_m : float
        Length of the line that is looked at in one go.

    Returns
    -------
    csr_array [cuts, poses]
        Probability that each pose would add, on the tangent.
    """
    defence = scene.site.defence
    assert defence is not None
    perches = _perches(scene, relief, offers)
    cells = np.unique(np.concatenate([wish.cell for wish in wishes]))
    asked = _wished(wishes, cells, len(sight.heights_m))
    cuts = 1 + max(wish.cut for wish in wishes)
    total = sparse.csr_array((cuts, len(offers.poses)))
    s = strip.s_m[cells // strip.shape[1]]
    for window in np.unique(s // window_m):
        part = np.flatnonzero(s // window_m == window)
        flat = cells[part]
        x, y, z = (array.ravel()[flat] for array in (strip.x, strip.y, strip.z))
        near = [
            perch for perch in perches if np.hypot(x - perch.x, y - perch.y).min() <= OFFER_REACH_M
        ]
        found: list[list[tuple[npt.NDArray, ...]]] = [[] for _ in sight.heights_m]
        for h, pose, index, rate, distance in views_of(
            defence, relief, near, x, y, z, sight.part(flat)
        ):
            close = distance <= OFFER_REACH_M
            index, rate, distance = index[close], rate[close], distance[close]
            found[h].append((np.full(index.size, int(pose)), index, rate, distance))
        for h, views in enumerate(found):
            if not views:
                continue
            pose, index, rate, distance = (np.concatenate(k) for k in zip(*views, strict=True))
            for state, at_height in asked:
                factor, reach = strike(defence, state, offers.kinds, offers.mount_s_m)
                column = column_of(sight.conditions, state)
                value = rate[:, column] * factor[pose] * (distance <= reach)
                kept = value > 0
                rates = sparse.csr_array(
                    (value[kept], (index[kept], pose[kept])), shape=(flat.size, len(offers.poses))
                )
                total = total + at_height[h][:, part] @ rates
    return sparse.csr_array(total)


def _wished(
    wishes: Sequence[Wish], cells: npt.NDArray[np.int64], heights: int
) -> list[tuple[DefenceState | None, list[sparse.csc_array]]]:
    """By state and target height: worth of a rate, one row a cut and one column a cell."""
    cuts = 1 + max(wish.cut for wish in wishes)
    found = []
    names = {_name(wish.state): wish.state for wish in wishes}
    for name, state in names.items():
        mine = [wish for wish in wishes if _name(wish.state) == name]
        row = np.concatenate([np.full(wish.cell.size, wish.cut) for wish in mine])
        at = np.searchsorted(cells, np.concatenate([wish.cell for wish in mine]))
        height = np.concatenate([wish.height for wish in mine])
        seconds = np.concatenate([wish.seconds for wish in mine])
        matrices = [
            sparse.csc_array(
                (seconds[height == h], (row[height == h], at[height == h])),
                shape=(cuts, cells.size),
            )
            for h in range(heights)
        ]
        found.append((state, matrices))
    return found


def _name(state: DefenceState | None) -> str:
    return "" if state is None else state.name


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
