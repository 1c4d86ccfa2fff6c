"""The weakest path: the least probability of interruption that an adversary can have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from watchline.breach.ground import Strip, barrier_columns, slowness
from watchline.breach.respond import Arrival
from watchline.kernels.moves import COL_STEP, NO_MOVE, ROW_STEP, Field, make_field, one_move
from watchline.kernels.spread import least_stop, spread
from watchline.model.defence import Adversary, Defence
from watchline.model.site import Site
from watchline.physics.detection import detection_probability

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Walker:
    """An adversary on the zone's cells.

    Attributes
    ----------
    adversary : Adversary
        Who.
    paces : tuple of float64 array [rows, cols]
        Seconds a metre of each gait.
    fastest : Field
        Time of his moves when he hurries.
    entry, exit : int
        Columns at which he comes in and is out.
    walls : tuple of (int, bool array [rows], float, float)
        Of each barrier: first column beyond it, rows, delay, probability of detection.
    """

    adversary: Adversary
    paces: tuple[FloatArray, ...]
    fastest: Field
    entry: int
    exit: int
    walls: tuple[tuple[int, BoolArray, float, float], ...]


@dataclass(frozen=True)
class Escape:
    """What a detection is worth at every cell.

    Attributes
    ----------
    stopped : float64 array [rows, cols]
        Chance that a response comes before the adversary is out, whatever way he then takes.
    move : int8 array [rows, cols]
        First move of the way out against the median response.
    """

    stopped: FloatArray
    move: npt.NDArray[np.int8]


@dataclass(frozen=True)
class Weakest:
    """Least probability of interruption from every cell.

    Attributes
    ----------
    chance : float64 array [rows, cols]
        From the cell to any exit; infinite where there is no way.
    move : int8 array [rows, cols]
        First move of a weakest path.
    curve : float64 array [rows]
        Probability of interruption by the row of the entry; NaN where nobody can come in.
    """

    chance: FloatArray
    move: npt.NDArray[np.int8]
    curve: FloatArray

    @property
    def worst(self) -> float:
        """Least over all entries; 1 where nobody can come in anywhere."""
        return float(np.nanmin(self.curve)) if np.isfinite(self.curve).any() else 1.0

    @property
    def worst_row(self) -> int:
        """Row of the entry that has it; −1 where there is none."""
        return int(np.nanargmin(self.curve)) if np.isfinite(self.curve).any() else -1


@dataclass(frozen=True)
class PathTrace:
    """One path, cell by cell.

    Attributes
    ----------
    row, col : int64 array [n]
        The cells.
    detected : float64 array [n]
        Probability of having been detected when he gets there.
    stopped : float64 array [n]
        Chance that a detection there leads to a stop.
    critical : int
        Place in the path of the critical detection point: the last cell at which the response
        comes in time more often than not; −1 where it never does.
    """

    row: npt.NDArray[np.int64]
    col: npt.NDArray[np.int64]
    detected: FloatArray
    stopped: FloatArray
    critical: int


def make_walker(site: Site, defence: Defence, strip: Strip, adversary: Adversary) -> Walker:
    """Put an adversary on the zone's cells."""
    paces = slowness(strip, site, adversary, adversary.gaits)
    columns = barrier_columns(strip, defence)
    walls = tuple(
        (col, rows, barrier.delay_of(adversary), barrier.detection)
        for (col, rows), barrier in zip(columns, defence.barriers, strict=True)
    )
    delay = np.zeros(strip.shape)
    for col, rows, seconds, _ in walls:
        delay[rows, col:] += seconds
    fastest = make_field(
        np.minimum.reduce(paces), strip.row_m, strip.col_m, jump=delay, stretch=strip.stretch
    )
    return Walker(
        adversary,
        tuple(paces),
        fastest,
        strip.entry_col(adversary),
        strip.exit_col(adversary),
        walls,
    )


def hazard_field(strip: Strip, walker: Walker, rate_of: dict[float, FloatArray]) -> Field:
    """Hazard of detection of the walker's moves, each cell by the gait that has least.

    Time does not count before a detection, so that he takes at every cell the gait with the least
    hazard a metre: crawling may be slower and yet safer.

    Parameters
    ----------
    strip : Strip
        The cells.
    walker : Walker
        Gaits and barriers.
    rate_of : dict of float to float64 array [cells]
        Rate of detection by target height [1/s].
    """
    danger = np.full(strip.shape, np.inf)
    rate = np.full(strip.shape, np.inf)
    for gait, pace in zip(walker.adversary.gaits, walker.paces, strict=True):
        own = rate_of[gait.target_height_m].reshape(strip.shape)
        walks = np.isfinite(pace)
        danger = np.where(walks, np.minimum(danger, own * np.where(walks, pace, 0.0)), danger)
        rate = np.minimum(rate, own)
    jump = np.zeros(strip.shape)
    for col, rows, seconds, detection in walker.walls:
        beside = 0.5 * (rate[:, col - 1] + rate[:, col])
        jump[rows, col:] += (beside * seconds - np.log1p(-detection))[rows, None]
    return make_field(danger, strip.row_m, strip.col_m, jump=jump, stretch=strip.stretch)


def escape(walker: Walker, shape: tuple[int, int], arrival: Arrival) -> Escape:
    """Chance of being stopped after a detection at every cell.

    Who is detected takes the way and the exit that are best for him. For each probability of the
    response, the time-Dijkstra from the exits with starts at minus the response time says where a
    detection still leaves more time than the response takes; between the probabilities the chance
    is interpolated on the normal scale, which is exact where all exits' times have one spread.
    """
    stopped = np.zeros(shape)
    half = int(np.argmin(np.abs(arrival.level - 0.5)))
    start = np.full(shape, np.inf)
    if not np.isfinite(arrival.time_s).all():
        start[:, walker.exit] = 0.0
        return Escape(stopped, spread(walker.fastest, start)[1])
    if np.ptp(arrival.time_s, axis=0).max() <= 0.0:
        start[:, walker.exit] = -arrival.time_s[0]
        left, move = spread(walker.fastest, start)
        return Escape((left > 0).astype(np.float64) * np.isfinite(left), move)
    z = ndtri(arrival.level)
    before = np.zeros(shape)
    move = np.zeros(shape, np.int8)
    for k in range(arrival.level.size):
        start[:, walker.exit] = -arrival.time_s[k]
        left, step = spread(walker.fastest, start)
        if k == half:
            move = step
        in_time = left > 0
        if k > 0:
            falls = (before > 0) & ~in_time
            share = before[falls] / (before[falls] - left[falls])
            stopped[falls] = ndtr(z[k - 1] + share * (z[k] - z[k - 1]))
        before = np.where(np.isfinite(left), left, 0.0)
    stopped[before > 0] = arrival.level[-1]
    return Escape(stopped, move)


def weakest(walker: Walker, hazard: Field, found: Escape, communication: float) -> Weakest:
    """Least probability of interruption over all paths.

    Parameters
    ----------
    walker : Walker
        Where he comes in and is out.
    hazard : Field
        Hazard of his moves.
    found : Escape
        What a detection is worth.
    communication : float
        Probability that a detection gets through; a lost one is not followed by another.
    """
    exits = np.zeros(found.stopped.shape, dtype=bool)
    exits[:, walker.exit] = True
    chance, move = least_stop(hazard, communication * found.stopped, exits)
    return as_weakest(walker, chance, move)


def as_weakest(walker: Walker, chance: FloatArray, move: npt.NDArray[np.int8]) -> Weakest:
    """With the curve along the entries."""
    curve = chance[:, walker.entry]
    return Weakest(chance, move, np.where(np.isfinite(curve), curve, np.nan))


def trace_path(walker: Walker, hazard: Field, found: Weakest, out: Escape, row: int) -> PathTrace:
    """The weakest path from an entry, and his way out where he need not hide any more.

    Parameters
    ----------
    walker : Walker
        Who walks.
    hazard : Field
        Hazard of his moves.
    found, out
        The weakest paths, and what a detection is worth.
    row : int
        Row of the entry.
    """
    i, j = row, walker.entry
    rows, cols, hazards = [i], [j], [0.0]
    for moves in (found.move, out.move):
        while moves[i, j] != NO_MOVE and j != walker.exit:
            m = moves[i, j]
            hazards.append(one_move(hazard, i, j, m))
            i, j = i + int(ROW_STEP[m]), j + int(COL_STEP[m])
            rows.append(i)
            cols.append(j)
    detected = detection_probability(np.cumsum(hazards))
    r, c = np.array(rows), np.array(cols)
    stopped = out.stopped[r, c]
    good = np.flatnonzero(stopped >= 0.5)
    return PathTrace(r, c, detected, stopped, int(good[-1]) if good.size else -1)
