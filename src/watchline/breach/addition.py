"""The least addition: poses and mounts of least cost that satisfy cuts, with a bound on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from watchline.breach.offers import Offers

FloatArray = npt.NDArray[np.float64]
MIP_GAP = 0.002
MIP_SECONDS = 20.0
BEST_OF_MOUNT = 4
"""Poses of a mount that the integer program gets for each cut; the bound counts all."""
BOUND_STEPS = 600
MISS_PRICE = 1e4
"""Price of a whole missing probability, in median poses: a thousandth of it is worth ten."""
SLACK = 1e-6


@dataclass(frozen=True)
class Cut:
    """What one path asks: ``Σ worth_j ≥ need`` over the added poses.

    Attributes
    ----------
    s_m : float
        Chainage of its entry.
    need : float
        Probability that is missing without any of the offered poses, on the path's tangent.
    poses : int64 array [n]
        Offered poses that would detect on it.
    worth : float64 array [n]
        What each adds, above 0.
    """

    s_m: float
    need: float
    poses: npt.NDArray[np.int64]
    worth: FloatArray


@dataclass(frozen=True)
class Addition:
    """Poses that satisfy cuts at least cost, as far as they can be satisfied.

    Attributes
    ----------
    poses : int64 array
        Numbers of poses.
    slack : float64 array [cuts]
        What is missing of each cut's need; 0 where it is satisfied.
    """

    poses: npt.NDArray[np.int64]
    slack: FloatArray


def least_addition(
    offers: Offers, cuts: list[Cut], kept: npt.NDArray[np.int64] | None = None
) -> Addition:
    """Poses of least cost that satisfy all cuts (HiGHS), of the promising ones.

    What no choice reaches is missed as little as can be: a missing probability costs
    :data:`MISS_PRICE` median poses.

    Parameters
    ----------
    offers : Offers
        Poses and the mounts that carry them.
    cuts : list of Cut
        At least one.
    kept : int64 array, optional
        Poses that stay.
    """
    worth, need = worths(offers, cuts), np.array([max(0.0, cut.need) for cut in cuts])
    stays = np.zeros(0, np.int64) if kept is None else kept
    used = np.union1d(_promising(offers, cuts), stays)
    if not used.size:
        return Addition(used, need)
    poses = offers.poses.iloc[used]
    numbers, of_pose = np.unique(poses["mount"].to_numpy(), return_inverse=True)
    mine = offers.mounts.loc[numbers]
    n, m, c = used.size, numbers.size, need.size
    at, mount, ones = np.arange(n), np.arange(m), np.ones(n)

    def matrix(values: FloatArray, rows: npt.NDArray, cols: npt.NDArray, height: int):  # noqa: ANN202
        return scipy.sparse.csr_array((values, (rows, cols)), shape=(height, n + m + c))

    # No more of a worth than what is missing counts: whole poses need no more.
    held = scipy.sparse.coo_array(worth[:, used])
    asks = matrix(np.minimum(held.data, need[held.row]), held.row, held.col, c)
    misses = matrix(np.ones(c), np.arange(c), n + m + np.arange(c), c)
    own, carrier = matrix(ones, at, at, n), matrix(ones, at, n + of_pose, n)
    room = matrix(mine["room"].to_numpy(float), mount, n + mount, m)
    _, of_site = np.unique(mine["site"].to_numpy(), return_inverse=True)
    price = np.concatenate([poses["cost"].to_numpy(float), mine["fixed"].to_numpy(float)])
    unit = max(float(np.median(poses["cost"])), 1e-9)
    answer = milp(
        np.concatenate([price / unit, np.full(c, MISS_PRICE)]),
        constraints=[
            LinearConstraint(asks + misses, need, np.inf),
            LinearConstraint(own - carrier, -np.inf, 0.0),
            LinearConstraint(matrix(ones, of_pose, at, m) - room, -np.inf, 0.0),
            LinearConstraint(
                matrix(np.ones(m), of_site, n + mount, int(of_site.max()) + 1), -np.inf, 1.0
            ),
        ],
        integrality=np.concatenate([np.ones(n + m), np.zeros(c)]),
        bounds=Bounds(
            np.concatenate([np.isin(used, stays).astype(float), np.zeros(m + c)]),
            np.concatenate([np.ones(n + m), need]),
        ),
        options={"mip_rel_gap": MIP_GAP, "time_limit": MIP_SECONDS},
    )
    if answer.x is None:  # stopped before it had any: nothing is added
        had = np.asarray(worth[:, stays].sum(axis=1)).ravel()
        return Addition(stays, np.maximum(0.0, need - had))
    chosen = used[np.flatnonzero(answer.x[:n] > 0.5)]
    had = np.asarray(asks[:, :n] @ (answer.x[:n] > 0.5).astype(float)).ravel()
    slack = np.where(had >= need - SLACK, 0.0, need - had)
    return Addition(chosen, slack)


def worths(offers: Offers, cuts: list[Cut]) -> scipy.sparse.csc_array:
    """What each offered pose adds to each cut [cuts, poses]."""
    rows = np.repeat(np.arange(len(cuts)), [cut.poses.size for cut in cuts])
    columns = np.concatenate([cut.poses for cut in cuts])
    worth = np.concatenate([cut.worth for cut in cuts])
    shape = (len(cuts), len(offers.poses))
    return scipy.sparse.csc_array((worth, (rows, columns)), shape=shape)


def _promising(offers: Offers, cuts: list[Cut]) -> npt.NDArray[np.int64]:
    """Poses of each mount that are worth most to a cut, by themselves and for their price."""
    mount = offers.poses["mount"].to_numpy()
    price = np.maximum(offers.poses["cost"].to_numpy(float), 1.0)
    kept = []
    for cut in cuts:
        for value in (cut.worth, cut.worth / price[cut.poses]):
            order = np.lexsort((-value, mount[cut.poses]))
            own = mount[cut.poses][order]
            place = np.arange(own.size) - np.searchsorted(own, own)
            kept.append(cut.poses[order[place < BEST_OF_MOUNT]])
    return np.unique(np.concatenate(kept))


def most_worth(offers: Offers, cut: Cut) -> float:
    """Most that any choice of poses is worth to a cut: mounts have room, and sites one mount."""
    poses = offers.poses.iloc[cut.poses]
    own = pd.DataFrame({"mount": poses["mount"].to_numpy(), "worth": cut.worth})
    own = own.sort_values("worth", ascending=False, kind="stable")
    room = own["mount"].map(offers.mounts["room"])
    taken = own[own.groupby("mount").cumcount() < room]
    of_mount = taken.groupby("mount")["worth"].sum()
    return float(of_mount.groupby(of_mount.index.map(offers.mounts["site"])).max().sum())


def least_cost(offers: Offers, cuts: list[Cut]) -> float:
    """Cost below which no choice of offered poses satisfies the cuts, by prices of the cuts.

    With a price π for what a cut asks, an addition costs at least ``π·need`` plus, mount by mount,
    what its poses save: the best ones that it has room for, and the mount itself, if together they
    save anything. Worths above the need count as the need. Any prices bound; they are raised along
    supergradients with Polyak's steps toward twice the best value so far.
    """
    if not cuts:
        return 0.0
    worth, need = worths(offers, cuts), np.array([max(0.0, cut.need) for cut in cuts])
    active = np.flatnonzero(np.diff(worth.indptr))
    held = scipy.sparse.coo_array(worth[:, active])
    part = scipy.sparse.csr_array(
        (np.minimum(held.data, need[held.row]), (held.row, held.col)), shape=held.shape
    )
    cost = offers.poses["cost"].to_numpy(float)[active]
    mount = np.searchsorted(offers.mounts.index.to_numpy(), offers.poses["mount"].to_numpy())
    mount = mount[active]
    room = offers.mounts["room"].to_numpy(np.int64)
    fixed = offers.mounts["fixed"].to_numpy(float)
    price, best, reach = np.zeros(need.size), 0.0, float(np.median(cost))
    stuck = 0
    for _ in range(BOUND_STEPS):
        saved = cost - part.T @ price
        order = np.lexsort((saved, mount))
        own = mount[order]
        taken = (np.arange(own.size) - np.searchsorted(own, own) < room[own]) & (saved[order] < 0)
        total = np.bincount(own[taken], saved[order][taken], room.size) + fixed
        builds = total < 0
        value = float(price @ need + total[builds].sum())
        stuck = 0 if value > best + 1e-9 else stuck + 1
        best = max(best, value)
        if stuck >= 15:
            reach, stuck = reach / 2.0, 0
        built = np.zeros(cost.size)
        built[order[taken & builds[own]]] = 1.0
        short = need - part @ built
        length = float(short @ short)
        if length <= 1e-18:
            break
        price = np.maximum(0.0, price + (best + reach - value) / length * short)
    return best
