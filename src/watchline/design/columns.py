"""Columns of the covering problem: for each pose, the rows that it covers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse

from watchline.design.poses import Lens, lenses, mount_poses
from watchline.design.rows import Rows
from watchline.design.sightlines import Ground, MountView, make_ground, mount_view
from watchline.kernels.frames import frame_cells
from watchline.model.candidates import Candidates
from watchline.model.site import Site
from watchline.model.visibility import Visibility

MOST_NONZEROS = 400_000_000


@dataclass(frozen=True)
class Columns:
    """Poses and the rows that each covers, in compressed columns.

    Attributes
    ----------
    poses : DataFrame
        One row a pose, columns :data:`watchline.design.poses.POSE_COLUMNS`.
    indptr : int64 array [poses + 1]
        Start of each pose's rows.
    indices : int32 array [nonzeros]
        Rows, ascending within a pose.
    barred : int
        Number of poses left out because they would watch a no-watch area.
    """

    poses: pd.DataFrame
    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int32]
    barred: int


@dataclass(frozen=True)
class Scene:
    """What columns are made from: mounts, cells, who sees what, and the lenses on offer."""

    site: Site
    candidates: Candidates
    visibility: Visibility
    rows: Rows
    ground: Ground
    lenses: list[Lens]

    def view(self, mount: int) -> MountView:
        """What a mount sees of the cells with rows."""
        return mount_view(mount, self.ground, self.visibility)


def make_scene(site: Site, candidates: Candidates, visibility: Visibility, rows: Rows) -> Scene:
    """Gather what columns are made from."""
    ground = make_ground(candidates, rows, site.terrain.refraction)
    return Scene(site, candidates, visibility, rows, ground, lenses(site))


def make_columns(
    site: Site,
    candidates: Candidates,
    visibility: Visibility,
    rows: Rows,
    progress: Callable[[float], None] | None = None,
) -> Columns:
    """Poses of every mount with the rows that they cover; poses that may not watch are left out.

    Parameters
    ----------
    progress : callable, optional
        Called with the share of mounts that is done.
    """
    scene = make_scene(site, candidates, visibility, rows)
    parts, barred = [], 0
    mounts = candidates.mounts
    for number, kind in enumerate(mounts["kind"]):
        view = scene.view(number)
        if len(view.cell):
            poses = mount_poses(view, rows, scene.lenses, cabin=kind == "tower")
            part = mount_columns(scene, view, poses)
            barred += part.barred
            parts.append(part)
        if progress is not None:
            progress((number + 1) / len(mounts))
    return join_columns(parts)


def mount_columns(scene: Scene, view: MountView, poses: pd.DataFrame) -> Columns:
    """Poses of one mount with the rows that they cover; those that may not watch are left out."""
    allowed = _may_watch(scene, view.mount, poses)
    barred = int((~allowed).sum())
    poses = poses[allowed]
    starts, found = _pose_rows(view, scene.rows, poses, scene.lenses)
    kept = np.diff(starts) > 0
    indptr = np.concatenate([[0], np.cumsum(np.diff(starts)[kept])])
    return Columns(poses[kept].reset_index(drop=True), indptr, found, barred)


def pose_views(scene: Scene, poses: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Number of different mounts from which poses cover each row, int64 [rows].

    Parameters
    ----------
    scene : Scene
        With the rows, and the lenses of the poses.
    poses : DataFrame
        Columns :data:`watchline.design.poses.POSE_COLUMNS`.
    """
    views = np.zeros(len(scene.rows), dtype=np.int64)
    for mount, mine in poses.groupby("mount"):
        _, found = _pose_rows(scene.view(int(mount)), scene.rows, mine, scene.lenses)
        views[np.unique(found)] += 1
    return views


def join_columns(parts: Sequence[Columns]) -> Columns:
    """Columns of several parts in one, in the order given.

    Returns
    -------
    Columns
    """
    parts = [part for part in parts if len(part.poses) or part.barred]
    full = [part for part in parts if len(part.poses)]
    return Columns(
        poses=pd.concat([part.poses for part in full], ignore_index=True)
        if full
        else pd.DataFrame(),
        indptr=np.cumsum(np.concatenate([[0], *(np.diff(part.indptr) for part in full)])).astype(
            np.int64
        ),
        indices=np.concatenate([np.empty(0, np.int32), *(part.indices for part in full)]),
        barred=sum(part.barred for part in parts),
    )


def take_columns(columns: Columns, keep: npt.NDArray[np.bool_], rows: int) -> Columns:
    """Some of the columns, in their order.

    Parameters
    ----------
    keep : bool array [columns]
        Which.
    rows : int
        Number of rows of the problem.

    Returns
    -------
    Columns
    """
    matrix = scipy.sparse.csc_array(
        (np.ones(len(columns.indices), dtype=np.int8), columns.indices, columns.indptr),
        shape=(rows, len(columns.poses)),
    )[:, np.flatnonzero(keep)]
    return Columns(
        poses=columns.poses[keep].reset_index(drop=True),
        indptr=matrix.indptr.astype(np.int64),
        indices=matrix.indices.astype(np.int32),
        barred=columns.barred,
    )


def by_mount(columns: Columns, rows: int, first: int) -> tuple[Columns, npt.NDArray[np.int64]]:
    """The same columns in the order of their mounts.

    Parameters
    ----------
    columns : Columns
        Columns in any order.
    rows : int
        Number of rows of the problem.
    first : int
        How many of the columns to find again.

    Returns
    -------
    columns : Columns
        In order of mount; of one mount in the order given.
    place : int64 array [first]
        Where the first columns are now.
    """
    order = np.argsort(columns.poses["mount"].to_numpy(), kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    matrix = scipy.sparse.csc_array(
        (np.ones(len(columns.indices), dtype=np.int8), columns.indices, columns.indptr),
        shape=(rows, len(order)),
    )[:, order]
    moved = Columns(
        poses=columns.poses.iloc[order].reset_index(drop=True),
        indptr=matrix.indptr.astype(np.int64),
        indices=matrix.indices.astype(np.int32),
        barred=columns.barred,
    )
    return moved, place[:first]


def _pose_rows(
    view: MountView, rows: Rows, poses: pd.DataFrame, all_lenses: list[Lens]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Rows covered by each pose of one mount: (indptr, indices)."""
    starts, found = [0], []
    first, last = rows.start[view.cell], rows.start[view.cell + 1]
    reach, last_lens = np.empty((len(rows.requirements), len(view.cell))), None
    asked = np.unique(rows.target)
    held = np.empty((len(view.top), len(view.cell)), dtype=np.bool_)
    for pose, lens in _with_lens(poses, all_lenses):
        if lens is not last_lens:
            last_lens = lens
            reach = rows.reach_m(lens.device, lens.focal_mm, view.cell, view.bearing, view.spread)
        azimuths = lens.sensor_azimuths(np.radians(pose.azimuth_deg))
        for target in asked:
            near = view.seen[target] & (view.far_m <= reach[rows.target == target].max(axis=0))
            frame_cells(
                view.bearing,
                view.spread,
                view.top[target],
                view.feet,
                near,
                azimuths,
                np.radians(pose.tilt_deg),
                lens.tan_h,
                lens.tan_v,
                lens.full_circle,
                lens.most_height,
                held[target],
            )
        covered = _covered_rows(first, last, rows.requirement, rows.target, reach, view.far_m, held)
        found.append(covered)
        starts.append(starts[-1] + len(covered))
    indices = np.concatenate(found) if found else np.empty(0, dtype=np.int32)
    return np.array(starts, dtype=np.int64), indices


@numba.njit(cache=True)
def _covered_rows(first, last, requirement, target, reach, far, held):  # noqa: ANN001, ANN202
    """Rows of the cells that a pose holds, in sight and within reach."""
    found = np.empty(np.sum(last - first), dtype=np.int32)
    count = 0
    for i in range(len(far)):
        for row in range(first[i], last[i]):
            number = requirement[row]
            if held[target[number], i] and far[i] <= reach[number, i]:
                found[count] = row
                count += 1
    return found[:count].copy()


def _may_watch(scene: Scene, mount: int, poses: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether each pose keeps within the allowed share of every no-watch area.

    Any part of a cell that may be watched counts as watched: the mistakes of this test are on the
    safe side.
    """
    allowed = np.ones(len(poses), dtype=bool)
    site, visibility = scene.site, scene.visibility
    if not site.no_watch or poses.empty:
        return allowed
    view = mount_view(mount, scene.ground, visibility, no_watch=True)
    held = np.empty(len(view.cell), dtype=np.bool_)
    standing = visibility.target_heights_m.index(1.7)
    for area in site.no_watch:
        members = scene.candidates.cells[f"no_watch:{area.name}"].to_numpy()
        total = members.sum()
        inside = members[view.cell] & view.seen[standing]
        if not inside.any():
            continue
        for number, (pose, lens) in enumerate(_with_lens(poses, scene.lenses)):
            # Off the axis a pinhole's density is larger by up to the square of the secant.
            corner = 1.0 + lens.tan_h**2 + lens.tan_v**2
            if lens.full_circle:
                corner = 1.0
            reach = lens.device.range_m
            if area.px_per_m > 0:
                reach = min(reach, lens.focal_px * corner / area.px_per_m)
            frame_cells(
                view.bearing,
                -view.spread,
                view.top[standing],
                view.feet,
                inside & (view.near_m <= reach),
                lens.sensor_azimuths(np.radians(pose.azimuth_deg)),
                np.radians(pose.tilt_deg),
                lens.tan_h,
                lens.tan_v,
                lens.full_circle,
                lens.most_height,
                held,
            )
            watched = np.count_nonzero(held)
            if watched > area.allowed_share * total:
                allowed[number] = False
    return allowed


def _with_lens(poses: pd.DataFrame, all_lenses: list[Lens]):  # noqa: ANN202
    by_key = {(lens.number, lens.focal_mm): lens for lens in all_lenses}
    for pose in poses.itertuples():
        yield pose, by_key[pose.device, pose.focal_mm]
