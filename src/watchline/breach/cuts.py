"""Cuts: what a weakest path asks of the devices that would be added.

The probability of interruption on one path is ``P = Σ (Q_i − Q_{i+1})·(1 − e^(−H_i))`` with the
hazard ``H_i`` up to the end of move i and what a detection on it is worth, ``Q_i``, as far as that
does not rise along the path. Hazards are sums over devices, so P is concave in what is built, and
its tangent lies above it: ``P(x̄) + ∇P(x̄)·(x − x̄) ≥ required`` cuts off the plan x̄ that the path
evades and no plan on which the path is interrupted often enough (Kelley, J. SIAM 8(4), 1960,
doi:10.1137/0108053). Where Q rises, the larger later value is taken: the cut asks less, never more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchline.breach.ground import Strip
from watchline.breach.weakest import PathTrace, Walker

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PathHazard:
    """Hazard of the moves of a path as sums of the rates at cells, gaits as they are taken now.

    Attributes
    ----------
    fixed : float64 array [moves]
        Hazard that barriers' sensors give.
    move : int64 array [terms]
        Move of each term.
    cell : int64 array [terms]
        Flat cell whose rate counts.
    height_m : float64 array [terms]
        Target height at which the rate is taken.
    seconds : float64 array [terms]
        Time that the rate acts.
    """

    fixed: FloatArray
    move: npt.NDArray[np.int64]
    cell: npt.NDArray[np.int64]
    height_m: FloatArray
    seconds: FloatArray

    def of_rates(self, rate_of: dict[float, FloatArray]) -> FloatArray:
        """Hazard of every move under rates by target height, float64 [moves]."""
        rate = np.zeros(self.cell.size)
        for height, rates in rate_of.items():
            here = self.height_m == height
            rate[here] = rates[self.cell[here]]
        return self.fixed + np.bincount(self.move, rate * self.seconds, self.fixed.size)


def path_hazard(
    strip: Strip, walker: Walker, trace: PathTrace, rate_of: dict[float, FloatArray]
) -> PathHazard:
    """Hazard of a path's moves, term by term.

    Parameters
    ----------
    strip : Strip
        The cells.
    walker : Walker
        Gaits and barriers.
    trace : PathTrace
        The path.
    rate_of : dict of float to float64 array [cells]
        Rates of detection by target height, by which the walker chooses his gaits.
    """
    i, j = trace.row[:-1], trace.col[:-1]
    down, aside = np.diff(trace.row), np.diff(trace.col)
    stretch = strip.stretch
    along = 0.5 * (stretch[i, j] + stretch[trace.row[1:], trace.col[1:]]) * down
    length = np.hypot(along * strip.row_m, aside * strip.col_m)
    # A knight's move touches the two cells between its ends too.
    half_row, half_col = (down / 2).astype(np.int64), (aside / 2).astype(np.int64)
    knight = np.flatnonzero(np.abs(down) + np.abs(aside) == 3)
    every = np.arange(down.size)
    move = np.concatenate([every, every, knight, knight])
    row = np.concatenate(
        [i, trace.row[1:], (i + half_row)[knight], (trace.row[1:] - half_row)[knight]]
    )
    col = np.concatenate(
        [j, trace.col[1:], (j + half_col)[knight], (trace.col[1:] - half_col)[knight]]
    )
    share = length / np.where(np.isin(every, knight), 4.0, 2.0)
    height, pace = _gaits(strip, walker, rate_of, row, col)
    fixed = np.zeros(down.size)
    parts = [(move, row * strip.shape[1] + col, height, share[move] * pace)]
    for wall, rows, seconds, detection in walker.walls:
        over = (np.minimum(j, trace.col[1:]) < wall) & (wall <= np.maximum(j, trace.col[1:]))
        # Half of what the barrier costs is that of the row before the move, half of that after.
        for beyond in (i, trace.row[1:]):
            here = np.flatnonzero(over & rows[beyond])
            np.add.at(fixed, here, -0.5 * float(np.log1p(-detection)))
            for beside in (wall - 1, wall):
                cell = beyond[here] * strip.shape[1] + beside
                lowest = _lowest(walker, rate_of, cell)
                parts.append((here, cell, lowest, np.full(here.size, 0.25 * seconds)))
    moves, cells, heights, times = (np.concatenate(part) for part in zip(*parts, strict=True))
    return PathHazard(fixed, moves, cells, heights, times)


def path_value(hazard: FloatArray, worth: FloatArray) -> tuple[float, FloatArray]:
    """Probability of interruption on a path, and its gradient by the hazards of its moves.

    Parameters
    ----------
    hazard : float64 array [moves]
        Hazard of each move.
    worth : float64 array [moves]
        Chance that a detection on each move leads to a stop: what it is where the move begins.

    Returns
    -------
    value : float
        With what a later detection is worth where that is more: never below the true one.
    gradient : float64 array [moves]
        At least 0.
    """
    falling = np.maximum.accumulate(worth[::-1])[::-1]
    step = falling - np.append(falling[1:], 0.0)
    missed = np.exp(-np.cumsum(hazard))
    value = float((step * (1.0 - missed)).sum())
    return value, np.cumsum((step * missed)[::-1])[::-1]


def path_gains(
    hazard: FloatArray, worth: FloatArray, more: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """What poses would add to the probability of interruption on a path, alone and on the tangent.

    Gains fall with what is there already, as misses multiply: the probability with any set of
    poses is at most that without them and the sum of what each adds alone (Nemhauser, Wolsey and
    Fisher, Math. Programming 14, 1978, doi:10.1007/BF01588971).

    Parameters
    ----------
    hazard : float64 array [..., moves]
        Hazard of each move as it is, or as each of several plans has it.
    worth : float64 array [moves]
        As in :func:`path_value`.
    more : float64 array [moves, poses]
        Hazard that each pose gives up to the end of each move.

    Returns
    -------
    alone, tangent : float64 array [..., poses]
        The gain of each pose when it alone is added, and its slope, which is never less.
    """
    falling = np.maximum.accumulate(worth[::-1])[::-1]
    step = falling - np.append(falling[1:], 0.0)
    counts = np.flatnonzero(step > 0)
    weight = (step * np.exp(-np.cumsum(hazard, axis=-1)))[..., counts]
    return -(weight @ np.expm1(-more[counts])), weight @ more[counts]


def _gaits(
    strip: Strip,
    walker: Walker,
    rate_of: dict[float, FloatArray],
    row: npt.NDArray[np.int64],
    col: npt.NDArray[np.int64],
) -> tuple[FloatArray, FloatArray]:
    """Target height and seconds a metre of the gait with the least hazard at cells."""
    cell = row * strip.shape[1] + col
    best = np.full(cell.size, np.inf)
    height, seconds = np.zeros(cell.size), np.zeros(cell.size)
    for gait, pace in zip(walker.adversary.gaits, walker.paces, strict=True):
        own = pace[row, col]
        walks = np.isfinite(own)
        danger = np.where(walks, rate_of[gait.target_height_m][cell] * own, np.inf)
        less = danger < best
        best[less], height[less], seconds[less] = danger[less], gait.target_height_m, own[less]
    return height, seconds


def _lowest(
    walker: Walker, rate_of: dict[float, FloatArray], cell: npt.NDArray[np.int64]
) -> FloatArray:
    """Target height at which least is detected at cells, the first of equal ones."""
    heights = np.array([gait.target_height_m for gait in walker.adversary.gaits])
    found = np.array([rate_of[height][cell] for height in heights])
    return heights[found.argmin(axis=0)] if cell.size else np.zeros(0)
