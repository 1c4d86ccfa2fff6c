"""Start from a plan: what it holds is offered besides the program's own mounts and poses.

A plan that a person edited has mounts and aims that the program would not offer. Without them the
search could not start from that plan, nor give it back where nothing is better.
"""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from watchline.design.cells import ground_heights
from watchline.design.choose import Problem
from watchline.design.columns import Columns, by_mount, join_columns, make_scene, mount_columns
from watchline.design.poses import POSE_COLUMNS, Lens, lens_at
from watchline.model.candidates import Candidates
from watchline.model.plan import Plan
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.model.visibility import Visibility

NOT_TAKEN = "Not taken over from the plan that the search started from: "
"""Begins a note on what of a plan could not be offered."""
SAME_PLACE_M = 0.01
SAME_ANGLE_DEG = 1e-3
SAME_FOCAL = 1e-6
"""Relative."""
SAME_HEIGHT_M = 0.01


def offer_mounts(site: Site, terrain: Terrain, candidates: Candidates, plan: Plan) -> Candidates:
    """Candidates with the mounts of a plan that are not among them.

    Parameters
    ----------
    site, terrain, candidates
        What is asked, the ground, and what is offered already.
    plan : Plan
        The plan to start from.

    Returns
    -------
    Candidates
        The same if nothing is new; else mounts are numbered anew, site by site. A mount that may
        not stand where the plan has it is left out.
    """
    mounts = candidates.mounts
    ground_z = ground_heights(
        terrain, plan.mounts.geometry.x.to_numpy(), plan.mounts.geometry.y.to_numpy()
    )
    next_site = int(mounts["site"].max()) + 1
    rows = []
    for mount, z in zip(plan.mounts.itertuples(), ground_z, strict=True):
        x, y = mount.geometry.x, mount.geometry.y
        here = mounts[np.hypot(mounts["x"] - x, mounts["y"] - y) <= SAME_PLACE_M]
        if (here["structure"] == mount.structure).any() or not _may_stand(site, mount, float(z)):
            continue
        structure = site.catalogue.structures[mount.structure]
        number = next_site if here.empty else int(here["site"].iloc[0])
        next_site += here.empty
        rows.append(
            {
                "mount": 0,
                "site": number,
                "name": mount.name,
                "structure": mount.structure,
                "kind": structure.kind,
                "height_m": structure.height_m,
                "s": mount.s,
                "t": mount.t,
                "x": x,
                "y": y,
                "ground_z": float(z),
                "capacity": max(0, structure.capacity - site.candidates.spare_capacity),
                "cost": mount.cost,
                "existing": bool(mount.existing),
                "geometry": mount.geometry,
            }
        )
    if not rows:
        return candidates
    more = gpd.GeoDataFrame(pd.DataFrame(rows), crs=mounts.crs)
    joined = pd.concat([mounts, more], ignore_index=True).sort_values("site", kind="stable")
    joined = joined.reset_index(drop=True)
    joined["mount"] = np.arange(len(joined))
    return replace(candidates, mounts=joined)


def _may_stand(site: Site, mount, ground_z: float) -> bool:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Whether a mount may stand where a plan has it."""
    if not np.isfinite(ground_z):
        return False
    return bool(mount.existing) or not any(
        shapely.intersects(area.polygon, mount.geometry) for area in site.exclusions
    )


def offer_poses(
    site: Site, candidates: Candidates, visibility: Visibility, problem: Problem, plan: Plan
) -> tuple[Problem, npt.NDArray[np.int64], tuple[str, ...]]:
    """The problem with the poses of a plan, and their numbers.

    Parameters
    ----------
    site, candidates, visibility
        What is asked, and what is offered and seen.
    problem : Problem
        What the design offers of itself.
    plan : Plan
        The plan to start from.

    Returns
    -------
    problem : Problem
        With the plan's poses that it lacked, each among those of its mount.
    start : int64 array
        The poses of the plan.
    notes : tuple of str
        What of the plan could not be offered, and why.
    """
    poses, notes = _poses_of(site, candidates, plan)
    known = _numbers(problem.columns.poses, poses)
    missing = poses[known < 0]
    if len(missing):
        columns, watched = _with_poses(site, candidates, visibility, problem, missing)
        notes += [
            f"{NOT_TAKEN}device {name}, which would watch a no-watch area." for name in watched
        ]
        problem = replace(problem, columns=columns)
        known = _numbers(problem.columns.poses, poses)
    return problem, np.unique(known[known >= 0]), tuple(notes)


def _poses_of(site: Site, candidates: Candidates, plan: Plan) -> tuple[pd.DataFrame, list[str]]:
    """Poses of a plan's devices, with ``device_id``; and what cannot be one."""
    mounts = candidates.mounts
    place = {
        (round(m.x, 2), round(m.y, 2), m.structure): (m.mount, m.height_m)
        for m in mounts.itertuples()
    }
    number = {key: n for n, key in enumerate(site.candidates.devices)}
    homes = plan.mounts.set_index("mount_id")
    rows, notes = [], []
    for device in plan.devices.itertuples():
        home = homes.loc[device.mount_id]
        found = place.get((round(home.geometry.x, 2), round(home.geometry.y, 2), home.structure))
        if found is None:
            notes.append(
                f"{NOT_TAKEN}device {device.device_id}, whose mount {device.mount_id} may not "
                "stand there (an exclusion, or ground without terrain data)."
            )
            continue
        if device.model not in number:
            notes.append(
                f"{NOT_TAKEN}device {device.device_id}, as '{device.model}' is not among "
                "candidates.devices."
            )
            continue
        if abs(device.height_m - found[1]) > SAME_HEIGHT_M:
            notes.append(
                f"{NOT_TAKEN}the height of device {device.device_id}, {device.height_m:g} m: it "
                f"was offered at its mount's top, {found[1]:g} m."
            )
        model = site.catalogue.devices[device.model]
        turns = model.kind in ("observer", "ptz")
        rows.append(
            (
                found[0],
                number[device.model],
                model.focal_max_mm if model.is_person else device.focal_mm,
                0.0 if turns else device.azimuth_deg,
                0.0 if turns else device.tilt_deg,
                model.price,
                device.device_id,
            )
        )
    return pd.DataFrame(rows, columns=[*POSE_COLUMNS, "device_id"]), notes


def _numbers(offered: pd.DataFrame, wanted: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Number of each wanted pose among the offered ones, −1 where it is not there."""
    numbers = np.full(len(wanted), -1, dtype=np.int64)
    if offered.empty:
        return numbers
    by_mount = offered.groupby("mount").indices
    for k, pose in enumerate(wanted.itertuples()):
        places = by_mount.get(pose.mount, np.empty(0, dtype=np.int64))
        mine = offered.iloc[places]
        turn = np.abs((mine["azimuth_deg"] - pose.azimuth_deg + 180.0) % 360.0 - 180.0)
        same = (mine["device"] == pose.device) & (turn <= SAME_ANGLE_DEG)
        same &= np.abs(mine["tilt_deg"] - pose.tilt_deg) <= SAME_ANGLE_DEG
        same &= np.isclose(mine["focal_mm"], pose.focal_mm, rtol=SAME_FOCAL)
        at = np.flatnonzero(same)
        if len(at):
            numbers[k] = places[at[0]]
    return numbers


def _with_poses(
    site: Site,
    candidates: Candidates,
    visibility: Visibility,
    problem: Problem,
    poses: pd.DataFrame,
) -> tuple[Columns, list[str]]:
    """Columns with more poses, in the order of their mounts; and the devices that may not watch."""
    columns = problem.columns
    scene = make_scene(site, candidates, visibility, problem.rows)
    scene = replace(scene, lenses=lenses_of(site, poses))
    parts, watched = [columns], []
    for mount, mine in poses.groupby("mount", sort=True):
        view = scene.view(int(mount))
        mine = mine.drop_duplicates(list(POSE_COLUMNS))
        for name, pose in zip(mine["device_id"], mine.index, strict=True):
            part = mount_columns(scene, view, mine.loc[[pose], list(POSE_COLUMNS)])
            watched += [name] if part.barred else []
            parts.append(replace(part, barred=0))
    joined = join_columns(parts)
    if not joined.poses.empty:
        joined, _ = by_mount(joined, len(problem.rows), 0)
    return joined, watched


def lenses_of(site: Site, poses: pd.DataFrame) -> list[Lens]:
    """The lenses of poses, at the focal lengths that they have."""
    devices = [site.catalogue.devices[key] for key in site.candidates.devices]
    pairs = {(int(p.device), float(p.focal_mm)) for p in poses.itertuples()}
    return [lens_at(devices[number], number, focal) for number, focal in sorted(pairs)]
