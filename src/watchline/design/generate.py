"""Columns generated when the prices want them, and the bound over all aims.

The enumeration of :mod:`watchline.design.poses` is a start. The prices of a solved problem say what
each row costs; every mount is then asked for its best package over all aims of its lenses
(:mod:`watchline.design.packages`). A package that is worth more than the mount costs shows aims that
the enumeration lacks; they are added, and the problem is solved again from the plan at hand.

The same question gives a bound that holds for all aims. With prices λ ≥ 0 of the rows and μ ≥ 0 of the
misses, and V_m the most that a mount's devices can be worth, every plan costs at least

    Σ_i min(k_i λ_i, μ_r(i)) − Σ_r μ_r A_r + Σ_sites min(0, min_m (F_m − V_m)).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse

from watchline.design.columns import Columns, Scene, join_columns, mount_columns
from watchline.design.packages import ROUNDING, best_package
from watchline.design.poses import POSE_COLUMNS, Lens
from watchline.design.pricing import PricedAim, Sighting, served, sighting
from watchline.design.rows import allowed_misses

FloatArray = npt.NDArray[np.float64]
NEAR_MISS = 0.02
"""A package within this share of its mount's cost of paying for itself is offered too."""
LOWERED_ABOVE = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, np.inf)
"""Limits tried for lowering prices instead of paying, in mean costs of a mount."""


@dataclass(frozen=True)
class Priced:
    """What all mounts are worth at given prices.

    Attributes
    ----------
    bound : float
        No plan costs less, whatever the aims of the offered lenses.
    poses : DataFrame
        Aims of packages that pay for their mount, or nearly: columns
        :data:`watchline.design.poses.POSE_COLUMNS`.
    """

    bound: float
    poses: pd.DataFrame


def price_mounts(
    scene: Scene,
    row_price: FloatArray,
    miss_price: FloatArray,
    progress: Callable[[float], None] | None = None,
) -> Priced:
    """Ask every mount for its best package over all aims.

    Parameters
    ----------
    scene : Scene
        Mounts, cells and lenses.
    row_price : float64 array [rows]
        λ, the price of one view of each row.
    miss_price : float64 array [requirements]
        μ, the price of a missed cell of each requirement.
    progress : callable, optional
        Called with the share of mounts that is done.

    Returns
    -------
    Priced
    """
    mounts = scene.candidates.mounts
    fixed = mounts["cost"].to_numpy(float)
    value = fixed.copy()
    found: list[tuple[int, PricedAim]] = []
    reached: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)] * len(mounts)
    for number in range(len(mounts)):
        sight = sighting(scene.view(number), scene.rows)
        if len(sight):
            package = best_package(
                sight,
                offered(scene, number, sight),
                np.maximum(row_price[sight.row], 0.0),
                int(mounts["capacity"].iloc[number]),
                float(fixed[number]),
            )
            value[number] = fixed[number] - package.most
            reached[number] = sight.row[row_price[sight.row] > 0]
            if package.least > (1.0 - NEAR_MISS) * fixed[number]:
                found += [(number, aim) for aim in package.aims]
        if progress is not None:
            progress((number + 1) / len(mounts))
    bound = _bound(scene, row_price, miss_price, value, reached)
    return Priced(bound, pose_table(found))


def offered(
    scene: Scene, mount: int, sight: Sighting
) -> list[tuple[Lens, npt.NDArray[np.bool_]]]:
    """Lenses on offer on a mount, with the rows in sight that each can serve."""
    cabin = scene.candidates.mounts["kind"].iloc[mount] == "tower"
    return [
        (lens, served(sight, lens, scene.rows))
        for lens in scene.lenses
        if cabin or not lens.device.is_person
    ]


def pose_table(aims: list[tuple[int, PricedAim]]) -> pd.DataFrame:
    """Aims on mounts as poses, each once."""
    table = pd.DataFrame(
        [
            (
                mount,
                aim.lens.number,
                aim.lens.focal_mm,
                round(float(np.degrees(aim.azimuth)) % 360.0, 3),
                round(float(np.degrees(aim.tilt)), 3),
                aim.lens.device.price,
            )
            for mount, aim in aims
        ],
        columns=list(POSE_COLUMNS),
    )
    return table.drop_duplicates(ignore_index=True)


def _bound(
    scene: Scene,
    row_price: FloatArray,
    miss_price: FloatArray,
    value: FloatArray,
    reached: list[npt.NDArray[np.int64]],
) -> float:
    """The bound of the module's head, rounded downwards.

    Where a package is worth more than its mount costs, F/V, the prices of the rows that the mount
    sees can be lowered by that factor instead of paying for the difference: lowered prices make no
    package worth more, and make this one worth F at most. Whether that is better depends on how
    much is missing, so several limits are tried.
    """
    fixed = scene.candidates.mounts["cost"].to_numpy(float)
    place = scene.candidates.mounts["site"].to_numpy(np.int64)
    best = 0.0
    for limit in LOWERED_ABOVE:
        over = np.flatnonzero(value < -limit * fixed.mean())
        scale = np.ones(len(row_price))
        for mount in over:
            factor = fixed[mount] / (fixed[mount] - value[mount])
            scale[reached[mount]] = np.minimum(scale[reached[mount]], factor * (1.0 - ROUNDING))
        left = value.copy()
        left[over] = 0.0
        lowest = np.zeros(int(place.max(initial=-1)) + 1)
        np.minimum.at(lowest, place, left)
        worth, spared = _asked(scene, np.maximum(row_price, 0.0) * scale, miss_price)
        size = worth + spared - float(lowest.sum())
        best = max(best, worth - spared + float(lowest.sum()) - ROUNDING * size)
    return best


def _asked(scene: Scene, row_price: FloatArray, miss_price: FloatArray) -> tuple[float, float]:
    """What the rows pay, Σ min(k λ, μ), and what the allowed misses give back, Σ μ A."""
    rows = scene.rows
    demand = np.array([r.views for r in rows.requirements])[rows.requirement]
    allowed = allowed_misses(rows, scene.candidates.cells)
    miss = np.where(allowed > 0, np.maximum(miss_price, 0.0), 0.0)
    worth = demand * row_price
    soft = allowed[rows.requirement] > 0
    worth[soft] = np.minimum(worth[soft], miss[rows.requirement[soft]])
    return float(worth.sum()), float((miss * allowed).sum())


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
    known = set(columns.poses[list(POSE_COLUMNS)].itertuples(index=False, name=None))
    fresh = [tuple(pose) not in known for pose in poses.itertuples(index=False, name=None)]
    poses = poses[np.array(fresh, dtype=bool)]
    parts = [
        mount_columns(scene, scene.view(int(mount)), group.reset_index(drop=True))
        for mount, group in poses.groupby("mount")
    ]
    joined = join_columns([columns, *parts])
    order = np.argsort(joined.poses["mount"].to_numpy(), kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    matrix = scipy.sparse.csc_array(
        (np.ones(len(joined.indices), dtype=np.int8), joined.indices, joined.indptr),
        shape=(len(scene.rows), len(order)),
    )[:, order]
    return (
        Columns(
            joined.poses.iloc[order].reset_index(drop=True),
            matrix.indptr.astype(np.int64),
            matrix.indices.astype(np.int32),
            joined.barred,
        ),
        place[: len(columns.poses)],
    )
