"""A patrol's walk judged by who attacks it: from the walk alone, without the game's formulas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
LEAST_MOMENTS = 30
"""A moment that a watcher waits for must come so often in the walk that its share means much."""


@dataclass(frozen=True)
class WalkJudged:
    """What attackers reach against a walk.

    Attributes
    ----------
    caught : float64 array [nodes]
        Share of attacks caught at each node that begin at any tick.
    worst : int
        The node with the least.
    error : float
        Standard error of that share over pieces of the walk.
    watched : float
        Least share against one who sees the patrol pass at his node, waits for the best time after
        it and then strikes.
    watched_node, watched_wait : int
        Where, and how many ticks after it passed.
    guess : float
        Probability with which the commonest time of return to the worst node is the next one.
    entropy_bits : float
        Entropy of the times of return there.
    """

    caught: FloatArray
    worst: int
    error: float
    watched: float
    watched_node: int
    watched_wait: int
    guess: float
    entropy_bits: float


def judge_walk(walk: IntArray, nodes: int, length: int, pieces: int = 20) -> WalkJudged:
    """Judge a walk against every attack that fits into it.

    Parameters
    ----------
    walk : int64 array [ticks]
        Node at each tick.
    nodes, length : int
        Nodes; ticks that an attack takes.
    pieces : int
        Pieces of the walk whose shares tell the standard error.
    """
    starts = walk.size - length + 1
    watched = (2.0, 0, 0)
    caught = np.zeros((nodes, starts), dtype=bool)
    for node in range(nodes):
        there = walk == node
        # Passes in any window of `length` ticks, by running sums.
        running = np.concatenate([[0], np.cumsum(there)])
        caught[node] = running[length:] > running[:-length]
        passes = np.flatnonzero(there)
        if not passes.size:
            watched = min(watched, (0.0, node, 0))
            continue
        last = np.searchsorted(passes, np.arange(starts), side="right") - 1
        seen = last >= 0
        wait = np.arange(starts)[seen] - passes[last[seen]]
        count = np.bincount(wait)
        hits = np.bincount(wait, weights=caught[node][seen])
        # At 0 the patrol stands before him.
        often = np.flatnonzero(count >= LEAST_MOMENTS)
        often = often[often > 0]
        if often.size:
            share = hits[often] / count[often]
            k = int(share.argmin())
            watched = min(watched, (float(share[k]), node, int(often[k])))
    share = caught.mean(axis=1)
    worst = int(share.argmin())
    parts = np.array([piece.mean() for piece in np.array_split(caught[worst], pieces)])
    gaps = np.diff(np.flatnonzero(walk == worst))
    chance = np.bincount(gaps) / max(1, gaps.size) if gaps.size else np.ones(1)
    chance = chance[chance > 0]
    return WalkJudged(
        share,
        worst,
        float(parts.std(ddof=1) / np.sqrt(pieces)),
        watched[0],
        watched[1],
        watched[2],
        float(chance.max()),
        float(-(chance * np.log2(chance)).sum()) + 0.0,
    )
