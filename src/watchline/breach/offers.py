"""Offers: the poses that could be added to a plan, and how fast each would detect at cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from watchline.breach.cuts import PathHazard
from watchline.breach.demands import states_of
from watchline.breach.ground import Strip
from watchline.breach.watch import WINDOW_ROWS_M, Sight, column_of, strike, views_of
from watchline.design.columns import Scene, mount_columns
from watchline.design.plan import placed_devices, placed_mounts
from watchline.design.poses import Lens, mount_poses
from watchline.model.condition import Condition
from watchline.model.defence import Defence, DefenceState
from watchline.model.plan import Plan
from watchline.prove.devices import Perch, PlacedDevice
from watchline.prove.heights import Relief

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


@dataclass(frozen=True)
class Rates:
    """How fast every offered pose would detect at every cell: traced once, used by every cut.

    Attributes
    ----------
    kinds : tuple of (int, float)
        Column of the rates (:func:`watchline.breach.watch.column_of`) and distance beyond which
        nothing counts, each pair of the states once.
    rate : tuple of tuple of csr_array [cells, poses]
        By kind and target height [1/s], float32.
    """

    kinds: tuple[tuple[int, float], ...]
    rate: tuple[tuple[sparse.csr_array, ...], ...]


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


def rates_of(
    scene: Scene,
    relief: Relief,
    strip: Strip,
    offers: Offers,
    sight: Sight,
    progress: Callable[[float], None] | None = None,
) -> Rates:
    """How fast every offered pose would detect at every cell within :data:`OFFER_REACH_M`.

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
    sight : Sight
        Of all cells of the strip.
    progress : callable, optional
        Is told the share done, 0–1.
    """
    defence = scene.site.defence
    assert defence is not None
    kinds = tuple(dict.fromkeys(_kind(offers, defence, sight.conditions, state)
                                for state in states_of(defence)))  # fmt: skip
    perches = _perches(scene, relief, offers)
    rows, cols = strip.shape
    tall = max(1, round(WINDOW_ROWS_M / strip.row_m))
    found: list[list[list[sparse.csr_array]]] = [[[] for _ in sight.heights_m] for _ in kinds]
    for first in range(0, rows, tall):
        part = slice(first * cols, min(rows, first + tall) * cols)
        x, y, z = (array.ravel()[part] for array in (strip.x, strip.y, strip.z))
        near = [
            perch for perch in perches if np.hypot(x - perch.x, y - perch.y).min() <= OFFER_REACH_M
        ]
        views: list[list[tuple[npt.NDArray, ...]]] = [[] for _ in sight.heights_m]
        for h, pose, index, rate, distance in views_of(
            defence, relief, near, x, y, z, sight.part(part)
        ):
            close = distance <= OFFER_REACH_M
            index = index[close]
            views[h].append(
                (
                    np.full(index.size, int(pose), np.int32),
                    index.astype(np.int32),
                    rate[close].astype(np.float32),
                    distance[close].astype(np.float32),
                )
            )
        for h, mine in enumerate(views):
            for k, (column, reach) in enumerate(kinds):
                shape = x.size, len(offers.poses)
                if not mine:
                    found[k][h].append(sparse.csr_array(shape, dtype=np.float32))
                    continue
                pose, at, rate, distance = (np.concatenate(a) for a in zip(*mine, strict=True))
                kept = (rate[:, column] > 0) & (distance <= reach)
                value = rate[kept, column]
                found[k][h].append(sparse.csr_array((value, (at[kept], pose[kept])), shape=shape))
        if progress is not None:
            progress(min(rows, first + tall) / rows)
    return Rates(
        kinds,
        tuple(tuple(sparse.vstack(parts, format="csr") for parts in by) for by in found),
    )


def _kind(
    offers: Offers, defence: Defence, conditions: tuple[Condition, ...], state: DefenceState | None
) -> tuple[int, float]:
    _, reach = strike(defence, state, offers.kinds, offers.mount_s_m)
    return column_of(conditions, state), float(reach)


def hazards_along(
    rates: Rates,
    offers: Offers,
    defence: Defence,
    sight: Sight,
    state: DefenceState | None,
    terms: PathHazard,
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Hazard that every offered pose would give up to the end of each move of a path.

    Parameters
    ----------
    rates : Rates
        Of the poses.
    offers : Offers
        The poses.
    defence : Defence
        States and availability.
    sight : Sight
        Target heights and conditions.
    state : DefenceState or None
        State in which the path is walked.
    terms : PathHazard
        The path.

    Returns
    -------
    poses : int64 array [n]
        Those that would detect on it, rising.
    hazard : float64 array [moves, n]
        Never falling along the moves.
    """
    factor, _ = strike(defence, state, offers.kinds, offers.mount_s_m)
    kind = rates.kinds.index(_kind(offers, defence, sight.conditions, state))
    moves = terms.fixed.size
    total = sparse.csr_array((moves, len(offers.poses)))
    for h, height in enumerate(sight.heights_m):
        at = terms.height_m == height
        cells, place = np.unique(terms.cell[at], return_inverse=True)
        if cells.size:
            seconds = sparse.csr_array(
                (terms.seconds[at], (terms.move[at], place)), shape=(moves, cells.size)
            )
            total = total + seconds @ rates.rate[kind][h][cells]
    poses = np.unique(total.indices[total.data > 0]).astype(np.int64)
    poses = poses[factor[poses] > 0]
    dense = total[:, poses].toarray() * factor[poses]
    return poses, np.cumsum(dense, axis=0)


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
