"""Poses that are added to those on offer: aims for rows that no pose holds, and given ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.design.all_aims import offered, pose_table
from watchline.design.columns import Columns, Scene, by_mount, join_columns, mount_columns
from watchline.design.poses import POSE_COLUMNS
from watchline.design.pricing import PricedAim, best_aim, make_field, sighting

BESIDES = 1e-3
"""Worth of a row that is held already, where aims are sought for rows that no pose holds."""


def aims_for(scene: Scene, rows: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Aims that hold given rows: from every mount that sees one, with every lens that reaches it.

    Parameters
    ----------
    rows : int64 array
        Rows that no pose on offer holds.

    Returns
    -------
    DataFrame
        Columns :data:`watchline.design.poses.POSE_COLUMNS`.
    """
    wanted = np.zeros(len(scene.rows), dtype=bool)
    wanted[rows] = True
    found: list[tuple[int, PricedAim]] = []
    for mount in range(len(scene.candidates.mounts)):
        sight = sighting(scene.view(mount), scene.rows)
        asked = wanted[sight.row]
        if not asked.any():
            continue
        for lens, near in offered(scene, mount, sight):
            left = asked & near
            field = make_field(sight, lens, near) if left.any() else None
            while field is not None and left.any():
                aim, held = best_aim(field, np.where(left, 1.0, BESIDES * near))
                if not (held & left).any():
                    break
                found.append((mount, aim))
                left &= ~held
    return pose_table(found)


def add_poses(
    scene: Scene, columns: Columns, poses: pd.DataFrame
) -> tuple[Columns, npt.NDArray[np.int64]]:
    """Columns with more poses; those that are there already, or see nothing, are not added.

    Parameters
    ----------
    poses : DataFrame
        Columns :data:`watchline.design.poses.POSE_COLUMNS`.

    Returns
    -------
    columns : Columns
        In order of mount.
    place : int64 array [columns]
        Where each of the given columns is now.
    """
    known = set()  # where nothing was offered, not even the table's columns are there
    if len(columns.poses):
        known = set(columns.poses[list(POSE_COLUMNS)].itertuples(index=False, name=None))
    fresh = [tuple(pose) not in known for pose in poses.itertuples(index=False, name=None)]
    poses = poses[np.array(fresh, dtype=bool)]
    parts = [
        mount_columns(scene, scene.view(int(mount)), group.reset_index(drop=True))
        for mount, group in poses.groupby("mount")
    ]
    if not parts:
        return columns, np.arange(len(columns.poses))
    return by_mount(join_columns([columns, *parts]), len(scene.rows), len(columns.poses))


def numbers_of(columns: Columns, poses: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Numbers of poses among the columns; those that are not there are left out."""
    wanted = set(poses[list(POSE_COLUMNS)].itertuples(index=False, name=None))
    mine = columns.poses[list(POSE_COLUMNS)].itertuples(index=False, name=None)
    return np.array([k for k, pose in enumerate(mine) if pose in wanted], dtype=np.int64)
