"""What every mount is worth over all aims, and the bound that follows for every plan.

With prices λ ≥ 0 of the rows and μ ≥ 0 of the misses, and V_m the most that the devices of a mount
can be worth over all aims of the offered lenses (:mod:`watchline.design.packages`), every plan
costs at least

    Σ_i min(k_i λ_i, μ_r(i)) − Σ_r μ_r A_r + Σ_sites min(0, min_m (F_m − V_m)).

It is the bound of the covering problem without its list of poses. No-watch areas are left aside:
they only forbid aims, so a bound without them holds with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.design.columns import Scene
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
    demand: npt.NDArray[np.int64],
    row_price: FloatArray,
    miss_price: FloatArray,
    progress: Callable[[float], None] | None = None,
) -> Priced:
    """Ask every mount for its best package over all aims.

    Parameters
    ----------
    scene : Scene
        Mounts, cells and lenses.
    demand : int64 array [rows]
        k, the views that each row needs.
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
    bound = _bound(scene, demand, row_price, miss_price, value, reached)
    return Priced(bound, pose_table(found))


def offered(scene: Scene, mount: int, sight: Sighting) -> list[tuple[Lens, npt.NDArray[np.bool_]]]:
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
    demand: npt.NDArray[np.int64],
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
        worth, spared = _asked(scene, demand, np.maximum(row_price, 0.0) * scale, miss_price)
        size = worth + spared - float(lowest.sum())
        best = max(best, worth - spared + float(lowest.sum()) - ROUNDING * size)
    return best


def _asked(
    scene: Scene,
    demand: npt.NDArray[np.int64],
    row_price: FloatArray,
    miss_price: FloatArray,
) -> tuple[float, float]:
    """What the rows pay, Σ min(k λ, μ), and what the allowed misses give back, Σ μ A."""
    rows = scene.rows
    allowed = allowed_misses(rows, scene.candidates.cells)
    miss = np.where(allowed > 0, np.maximum(miss_price, 0.0), 0.0)
    worth = demand * row_price
    soft = allowed[rows.requirement] > 0
    worth[soft] = np.minimum(worth[soft], miss[rows.requirement[soft]])
    return float(worth.sum()), float((miss * allowed).sum())
