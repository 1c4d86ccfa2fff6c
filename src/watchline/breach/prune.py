"""Pruning: what of an addition can go again without any entry failing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from watchline.breach.addition import Cut, worths
from watchline.breach.offers import OFFER_REACH_M, Offers

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
APART_M = 2.5 * OFFER_REACH_M
"""Parts that are taken away in one trial lie so far apart: no path is seen by two of them."""
SLACK = 1e-9


@dataclass(frozen=True)
class _Part:
    """Poses that go together: all of a new mount, or one."""

    poses: IntArray
    s_m: float
    saves: float


def pruned(
    offers: Offers,
    cuts: list[Cut],
    chosen: IntArray,
    s_m: FloatArray,
    failing: Callable[[IntArray], BoolArray],
) -> IntArray:
    """An addition without what it does not need: whole new mounts first, the dearest first.

    Parts that lie far apart are taken away in one trial; where entries fail, the nearest part
    comes back. What a cut forbids is not tried.

    Parameters
    ----------
    offers : Offers
        The poses.
    cuts : list of Cut
        What every sufficient addition satisfies.
    chosen : int64 array
        Poses of an addition.
    s_m : float64 array [entries]
        Chainage of the entries.
    failing : callable
        Of some poses, which entries that must hold do not, bool [entries].

    Returns
    -------
    int64 array
        Poses with which no entry fails that does not fail with ``chosen``.
    """
    worth = sparse.csc_array(worths(offers, cuts)) if cuts else None
    need = np.array([cut.need for cut in cuts])
    before = failing(chosen)
    waiting = _parts(offers, chosen)
    while waiting:
        has = np.full(need.size, np.inf) if worth is None else _sum(worth, chosen)
        trial: list[_Part] = []
        later: list[_Part] = []
        for part in waiting:
            part_poses = np.intersect1d(part.poses, chosen)
            if not part_poses.size or (worth is not None and _breaks(worth, need, has, part_poses)):
                continue
            near = any(abs(part.s_m - other.s_m) < APART_M for other in trial)
            (later if near else trial).append(part)
        if not trial:
            break
        chosen = _without(chosen, trial, s_m, before, failing)
        waiting = later
    return chosen


def _without(
    chosen: IntArray,
    trial: list[_Part],
    s_m: FloatArray,
    before: BoolArray,
    failing: Callable[[IntArray], BoolArray],
) -> IntArray:
    """The poses without those parts of a trial that can go."""
    gone = list(trial)
    while gone:
        rest = np.setdiff1d(chosen, np.concatenate([part.poses for part in gone]))
        new = failing(rest) & ~before
        if not new.any():
            return rest
        off = np.abs(s_m[new][:, None] - np.array([part.s_m for part in gone]))
        blamed = set(off.argmin(axis=1).tolist())
        gone = [part for k, part in enumerate(gone) if k not in blamed]
    return chosen


def _parts(offers: Offers, chosen: IntArray) -> list[_Part]:
    """New mounts with their poses, then single poses; of each the dearest first."""
    mount = offers.poses["mount"].to_numpy()[chosen]
    price = offers.poses["cost"].to_numpy(float)[chosen]
    whole, single = [], []
    for number in np.unique(mount).tolist():
        own = chosen[mount == number]
        fixed = float(offers.mounts["fixed"].loc[number])
        s = float(offers.mount_s_m[own[0]])
        if fixed > 0 or own.size > 1:
            whole.append(_Part(own, s, fixed + float(price[mount == number].sum())))
        if own.size > 1 or fixed == 0:
            single += [
                _Part(np.array([pose]), s, float(cost))
                for pose, cost in zip(own, price[mount == number], strict=True)
            ]
    return sorted(whole, key=lambda part: -part.saves) + sorted(
        single, key=lambda part: -part.saves
    )


def _sum(worth: sparse.csc_array, chosen: IntArray) -> FloatArray:
    return np.asarray(worth[:, chosen].sum(axis=1)).ravel()


def _breaks(worth: sparse.csc_array, need: FloatArray, has: FloatArray, poses: IntArray) -> bool:
    """Whether some cut is satisfied with these poses and not without."""
    left = has - _sum(worth, poses)
    return bool(((has >= need - SLACK) & (left < need - SLACK)).any())
