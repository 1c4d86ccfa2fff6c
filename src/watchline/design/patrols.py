"""Patrols: the zero-sum game of a roving patrol against one who crosses, and a drawn schedule.

The patrolling game (Alpern, Morton and Papadaki, Operations Research 2011; on a line: Papadaki,
Alpern, Lidbetter and Morton 2016): a patrol walks over nodes, one a tick; an attacker chooses a
node and a start, and needs `length` ticks there; he is caught if the patrol is at the node in any
of them. On the line the patrol mixes *beats*: to and fro between two nodes, at a random phase. A
beat catches an attack at a node with the share of starts that its returns leave no room for,
``Σ min(gap, length) / period``. The linear programme over all beats gives the mix that does best at
the worst node; for a line with ``n − 1 ≤ length`` or ``length`` a divisor of ``n − 1`` that is the
value of the game, and otherwise the value lies between it and :func:`line_bound`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from watchline.errors import InfeasibleError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
GIVEN_UP = 0.05
"""Share of the value that is given up so that no beat is driven more often than it must be."""
LEAST_SHARE = 1e-9


@dataclass(frozen=True)
class PatrolMix:
    """A mix of beats.

    Attributes
    ----------
    nodes, length : int
        Nodes of the line, and ticks that an attack takes.
    low, high : int64 array [beats]
        The nodes between which each beat goes; equal ones: it stands there.
    share : float64 array [beats]
        Share of time of each beat; sums to 1.
    caught : float
        Probability that an attack at the worst node is caught, when it begins at any moment.
    value : float
        The most that any mix of beats reaches at its worst node.
    bound : float
        No patrol whatever does better.
    attacked : float64 array [nodes]
        The attacker's mix of nodes against which no beat does better than `value`.
    """

    nodes: int
    length: int
    low: IntArray
    high: IntArray
    share: FloatArray
    caught: float
    value: float
    bound: float
    attacked: FloatArray


def beat_catches(nodes: int, length: int, low: IntArray, high: IntArray) -> FloatArray:
    """Probability that each beat catches an attack at each node [beats, nodes].

    Parameters
    ----------
    nodes, length : int
        Nodes of the line; ticks of an attack.
    low, high : int64 array [beats]
        Where the beats turn.
    """
    at = np.arange(nodes)
    down, up = 2 * (at - low[:, None]), 2 * (high[:, None] - at)
    period = np.maximum(2 * (high - low), 1)[:, None]
    share = (np.minimum(down, length) + np.minimum(up, length)) / period
    share = np.where((low == high)[:, None], 1.0, share)
    return np.where((down >= 0) & (up >= 0), share, 0.0)


def line_bound(nodes: int, length: int) -> float:
    """Upper bound of the patrolling game on a line.

    Attacks at the same moment at nodes `length` apart cannot be caught two at a time: at most one
    of ``⌈nodes / length⌉``. Attacks at the two ends at random moments: the patrol stays at one, or
    goes to and fro (the diametrical attacker): at most ``max(1/2, length / (2 (nodes − 1)))``.
    """
    if nodes == 1:
        return 1.0
    apart = 1.0 / np.ceil(nodes / length)
    ends = max(0.5, length / (2.0 * (nodes - 1)))
    return float(min(1.0, apart, ends))


def best_mix(nodes: int, length: int, given_up: float = GIVEN_UP) -> PatrolMix:
    """Solve the game over beats, then spread the shares as far as `given_up` allows.

    Parameters
    ----------
    nodes, length : int
        Nodes of the line and ticks of an attack, both at least 1.
    given_up : float
        Share of the value, 0–1, that the spread mix may lack.

    Raises
    ------
    InfeasibleError
        The solver fails.
    """
    low, high = np.triu_indices(nodes)
    low, high = low.astype(np.int64), high.astype(np.int64)
    catches = beat_catches(nodes, length, low, high)
    # At its worst node a beat that misses nodes is no worse mixed than alone: LP over all of them.
    game = _solve(
        np.append(np.zeros(low.size), -1.0),
        np.column_stack([-catches.T, np.ones(nodes)]),
        np.zeros(nodes),
        low.size,
    )
    value = -float(game.fun)
    attacked = np.maximum(-game.ineqlin.marginals, 0.0)
    # The smallest largest share among mixes that reach enough.
    spread = _solve(
        np.append(np.zeros(low.size), 1.0),
        np.block(
            [
                [-catches.T, np.zeros((nodes, 1))],
                [np.eye(low.size), -np.ones((low.size, 1))],
            ]
        ),
        np.concatenate([np.full(nodes, -(1.0 - given_up) * value), np.zeros(low.size)]),
        low.size,
    )
    share = spread.x[:-1]
    kept = share > LEAST_SHARE
    share = share[kept] / share[kept].sum()
    return PatrolMix(
        nodes,
        length,
        low[kept],
        high[kept],
        share,
        float((share @ catches[kept]).min()),
        value,
        line_bound(nodes, length),
        attacked / attacked.sum(),
    )


def draw_walk(mix: PatrolMix, ticks: int, hold: int, seed: int) -> IntArray:
    """A walk drawn from a mix: node at each tick.

    Beats follow each other, each drawn by its share and driven for a random time (geometric, of
    mean `hold`); the way to a new beat is the straight one, and there its first direction is
    drawn.

    Parameters
    ----------
    mix : PatrolMix
        The shares.
    ticks : int
        Length of the walk.
    hold : int
        Mean time on a beat.
    seed : int
        Of the draws.
    """
    rng = np.random.default_rng(seed)
    walk = np.empty(ticks, dtype=np.int64)
    beat = int(rng.choice(mix.share.size, p=mix.share))
    at = int(rng.integers(mix.low[beat], mix.high[beat] + 1))
    step = int(rng.choice([-1, 1]))
    left = int(rng.geometric(1.0 / hold))
    for t in range(ticks):
        walk[t] = at
        low, high = int(mix.low[beat]), int(mix.high[beat])
        if at < low or at > high:
            at += 1 if at < low else -1  # on the way to a new beat
            continue
        left -= 1
        if left <= 0:
            beat = int(rng.choice(mix.share.size, p=mix.share))
            left, step = int(rng.geometric(1.0 / hold)), int(rng.choice([-1, 1]))
            low, high = int(mix.low[beat]), int(mix.high[beat])
            if at < low or at > high:
                at += 1 if at < low else -1
                continue
        if low == high:
            continue
        if not low <= at + step <= high:
            step = -step
        at += step
    return walk


def _solve(cost: FloatArray, upper: FloatArray, most: FloatArray, beats: int):  # noqa: ANN202
    """Shares that sum to 1, and one more variable."""
    found = linprog(
        cost,
        A_ub=upper,
        b_ub=most,
        A_eq=np.append(np.ones(beats), 0.0)[None, :],
        b_eq=[1.0],
        bounds=(0, None),
        method="highs",
    )
    if not found.success:
        raise InfeasibleError(
            f"the patrolling game was not solved: {found.message}", mend="take fewer nodes"
        )
    return found
