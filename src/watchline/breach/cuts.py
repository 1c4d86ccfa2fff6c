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
from watchline.kernels.moves import COL_STEP, MOVES, ROW_STEP

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

    def seconds_at(self, gradient: FloatArray) -> FloatArray:
        """Terms weighed by a gradient of the moves, float64 [terms]: worth of a rate there."""
        return gradient[self.move] * self.seconds


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
    terms: list[tuple[int, int, float, float]] = []
    count = max(0, trace.row.size - 1)
    fixed = np.zeros(count)
    number = {(int(a), int(b)): m for m, (a, b) in enumerate(zip(ROW_STEP, COL_STEP, strict=True))}
    assert len(number) == MOVES
    for k in range(count):
        i, j = int(trace.row[k]), int(trace.col[k])
        down, aside = int(trace.row[k + 1]) - i, int(trace.col[k + 1]) - j
        m = number[down, aside]
        along = 0.5 * (strip.stretch[i, j] + strip.stretch[i + down, j + aside]) * down
        length = float(np.hypot(along * strip.row_m, aside * strip.col_m))
        touched = [(i, j), (i + down, j + aside)]
        if m >= 8:
            half_row, half_col = int(down / 2), int(aside / 2)
            touched += [(i + half_row, j + half_col), (i + down - half_row, j + aside - half_col)]
        for row, col in touched:
            height, pace = _gait(strip, walker, rate_of, row, col)
            terms.append((k, row * strip.shape[1] + col, height, length * pace / len(touched)))
        if aside:
            for row in (i, i + down):
                fixed[k] += _barriers(strip, walker, rate_of, row, j, j + aside, k, terms)
    move, cell, height_m, seconds = (np.array(part) for part in zip(*terms, strict=True))
    return PathHazard(fixed, move.astype(np.int64), cell.astype(np.int64), height_m, seconds)


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


def _gait(
    strip: Strip, walker: Walker, rate_of: dict[float, FloatArray], row: int, col: int
) -> tuple[float, float]:
    """Target height and seconds a metre of the gait with the least hazard at a cell."""
    cell = row * strip.shape[1] + col
    best, found = np.inf, (0.0, 0.0)
    for gait, pace in zip(walker.adversary.gaits, walker.paces, strict=True):
        danger = float(rate_of[gait.target_height_m][cell]) * float(pace[row, col])
        if np.isfinite(pace[row, col]) and danger < best:
            best, found = danger, (gait.target_height_m, float(pace[row, col]))
    return found


def _barriers(
    strip: Strip,
    walker: Walker,
    rate_of: dict[float, FloatArray],
    row: int,
    col: int,
    to: int,
    move: int,
    terms: list[tuple[int, int, float, float]],
) -> float:
    """Half of what the barriers between two columns cost in a row: terms, and the fixed part."""
    fixed = 0.0
    for wall, rows, seconds, detection in walker.walls:
        if not min(col, to) < wall <= max(col, to) or not rows[row]:
            continue
        fixed -= 0.5 * float(np.log1p(-detection))
        for beside in (wall - 1, wall):
            cell = row * strip.shape[1] + beside
            height = min(
                (gait.target_height_m for gait in walker.adversary.gaits),
                key=lambda height: float(rate_of[height][cell]),
            )
            terms.append((move, cell, height, 0.25 * seconds))
    return fixed
