"""Weakest paths checked by other means than those that found them.

Three checks, from plain arrays and with their own costs of moves:

- No path has less: the chances told for the cells fulfil ``F(u) ≤ p·q(u) + (1 − p)·F(v)`` for every
  move and are 0 at the exits. By induction from the exit no path from an entry has less than told.
- The path has it: its moves, added up one by one.
- Walkers: simulated along the path, detected at random, who then take the exit that is best for
  them by their own Dijkstra (SciPy's), against responses drawn unit by unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.special import ndtr

from watchline.model.breach import BreachCheck

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
EQUAL = 1e-5
WALKERS = 20_000
WINDOW_ROWS = 300
"""Rows on either side of a walker within which he looks for an exit."""
OFFSETS = tuple(
    (down, right)
    for down in (-2, -1, 0, 1, 2)
    for right in (-2, -1, 0, 1, 2)
    if abs(down) + abs(right) == 1 or abs(down * right) in (1, 2)
)


@dataclass(frozen=True)
class Ground:
    """The cells as the proof takes them, all arrays [rows, cols].

    Attributes
    ----------
    danger, pace : float array
        Hazard and seconds a metre; infinite where nobody walks.
    danger_jump, pace_jump : float array
        Running sums over the columns of what barriers cost.
    stretch : float array
        Metres of ground for a metre of chainage.
    row_m, col_m : float
        Distances of rows and columns.
    entry, exit : int
        Columns of entries and exits.
    """

    danger: FloatArray
    pace: FloatArray
    danger_jump: FloatArray
    pace_jump: FloatArray
    stretch: FloatArray
    row_m: float
    col_m: float
    entry: int
    exit: int


@dataclass(frozen=True)
class Responder:
    """One unit: travel to every exit from each of its places, and its call-out.

    Attributes
    ----------
    travel_s : float64 array [places, exits]
        Mean travel.
    fixed_s, fixed_sd_s, travel_spread : float
        Assessment and call-out, their spread, and that of the travel as a share.
    """

    travel_s: FloatArray
    fixed_s: float
    fixed_sd_s: float
    travel_spread: float

    def in_time(self, left_s: FloatArray, exits: slice) -> FloatArray:
        """Probability of arriving at some exits within a time for each."""
        travel = self.travel_s[:, exits]
        spread = np.hypot(self.fixed_sd_s, self.travel_spread * travel)
        gap = left_s - self.fixed_s - travel
        safe = np.where(spread > 0, spread, 1.0)
        return np.where(spread > 0, ndtr(gap / safe), gap > 0).mean(axis=0)


def check_least(name: str, ground: Ground, stopped: FloatArray, chance: FloatArray) -> BreachCheck:
    """Check that no path over the cells has less than told.

    Parameters
    ----------
    name : str
        The adversary.
    ground : Ground
        The cells.
    stopped : float64 array [rows, cols]
        Chance of a stop after a detection, communication included.
    chance : float64 array [rows, cols]
        Least chance of being stopped, as told.
    """
    short = shortfall(ground, stopped, chance)
    return BreachCheck(
        f"{name}: no path has less",
        short <= EQUAL,
        f"the chances of all cells fulfil every move's inequality to {short:.1e}, so that no path "
        "from any entry has less than told",
    )


def check_path(
    name: str,
    ground: Ground,
    stopped: FloatArray,
    told: float,
    path: tuple[IntArray, IntArray],
    responders: tuple[Responder, ...],
    communication: float,
    seed: int,
) -> tuple[BreachCheck, BreachCheck]:
    """Check that a path has what was told, by its sum and by walkers.

    Parameters
    ----------
    name : str
        The adversary and his entry.
    ground, stopped
        As in :func:`check_least`.
    told : float
        Chance of being stopped on the path.
    path : tuple of int64 array [n]
        Its rows and columns.
    responders : tuple of Responder
        Who comes.
    communication : float
        Probability that a detection gets through.
    seed : int
        Of the walkers.
    """
    added = along(ground, stopped, path)
    share, sigma = walk(ground, path, responders, communication, seed)
    inside = abs(share - told) <= 3.0 * sigma
    return (
        BreachCheck(
            f"{name}: the path has it",
            abs(added - told) <= EQUAL,
            f"its moves add up to {added:.4f}, told {told:.4f}",
        ),
        BreachCheck(
            f"{name}: simulated walkers",
            inside,
            f"{WALKERS:,} walkers on the path were stopped in {share:.4f} ± {sigma:.4f} of cases, "
            f"told {told:.4f}: {'within' if inside else 'NOT within'} three standard deviations",
        ),
    )


def shortfall(ground: Ground, stopped: FloatArray, chance: FloatArray) -> float:
    """By how much any cell's chance exceeds what a move from it allows, at most; 0 is perfect."""
    worst = float(
        np.max(chance[np.isfinite(ground.pace[:, ground.exit]), ground.exit], initial=0.0)
    )
    for move in OFFSETS:
        here, there, hazard = _costs(ground, ground.danger, ground.danger_jump, move)
        known = np.isfinite(hazard) & np.isfinite(chance[there])
        missed = np.exp(-np.where(known, hazard, 0.0))
        onward = np.where(known, chance[there], 0.0)
        allowed = (1.0 - missed) * stopped[here] + missed * onward
        excess = np.where(known, chance[here] - allowed, 0.0)
        # Who is out needs no move.
        excess[:, _columns(here, ground) == ground.exit] = 0.0
        worst = max(worst, float(excess.max(initial=0.0)))
    return worst


def along(ground: Ground, stopped: FloatArray, path: tuple[IntArray, IntArray]) -> float:
    """Chance of being stopped on a path, move by move."""
    hazard = _hazards(ground, path)
    unseen = np.exp(-np.concatenate([[0.0], np.cumsum(hazard)]))
    first = unseen[:-1] - unseen[1:]
    return float((first * stopped[path[0][:-1], path[1][:-1]]).sum())


def walk(
    ground: Ground,
    path: tuple[IntArray, IntArray],
    responders: tuple[Responder, ...],
    communication: float,
    seed: int,
) -> tuple[float, float]:
    """Share of simulated walkers who are stopped, and its standard deviation."""
    rng = np.random.default_rng(seed)
    reached = np.cumsum(_hazards(ground, path))
    at = np.searchsorted(reached, rng.exponential(1.0, WALKERS))
    heard = rng.random(WALKERS) < communication
    stops = 0
    for k in np.unique(at[at < reached.size]) if responders else ():
        count = int((heard & (at == k)).sum())
        stops += _stops(ground, int(path[0][k]), int(path[1][k]), responders, count, rng)
    share = stops / WALKERS
    # Never below that of one in all: a share of 0 has an error too.
    return share, float(np.sqrt(max(share * (1 - share), 1.0 / WALKERS) / WALKERS))


def _stops(
    ground: Ground,
    row: int,
    col: int,
    responders: tuple[Responder, ...],
    count: int,
    rng: np.random.Generator,
) -> int:
    """How many of some walkers who are detected at a cell are stopped."""
    low = max(0, row - WINDOW_ROWS)
    exits = slice(low, min(ground.pace.shape[0], row + WINDOW_ROWS + 1))
    left = _escape_times(ground, row, col, exits)
    known = np.isfinite(left)
    if not known.any():
        return count
    safe_left = np.where(known, left, 0.0)
    chances = np.array([unit.in_time(safe_left, exits) for unit in responders])
    best = np.where(known, chances.max(axis=0), np.inf)
    exit_ = int(np.argmin(best))
    unit = responders[int(np.argmax(chances[:, exit_]))]
    place = rng.integers(0, unit.travel_s.shape[0], count)
    travel = unit.travel_s[place, low + exit_]
    spread = np.hypot(unit.fixed_sd_s, unit.travel_spread * travel)
    time = unit.fixed_s + travel + spread * rng.standard_normal(count)
    return int((time < left[exit_]).sum())


def _escape_times(ground: Ground, row: int, col: int, rows: slice) -> FloatArray:
    """Least time from a cell to every exit of some rows, by SciPy's Dijkstra."""
    part = Ground(
        *(
            array[rows]
            for array in (
                ground.danger,
                ground.pace,
                ground.danger_jump,
                ground.pace_jump,
                ground.stretch,
            )
        ),
        ground.row_m,
        ground.col_m,
        ground.entry,
        ground.exit,
    )
    shape = part.pace.shape
    number = np.arange(part.pace.size).reshape(shape)
    ends, seconds = [], []
    for move in OFFSETS:
        here, there, cost = _costs(part, part.pace, part.pace_jump, move)
        known = np.isfinite(cost)
        ends.append(np.stack([number[here][known], number[there][known]]))
        seconds.append(cost[known])
    a, b = np.concatenate(ends, axis=1)
    graph = coo_matrix((np.concatenate(seconds), (a, b)), shape=(part.pace.size,) * 2).tocsr()
    found = dijkstra(graph, indices=int(number[row - rows.start, col]))
    return np.asarray(found).reshape(shape)[:, ground.exit]


def _hazards(ground: Ground, path: tuple[IntArray, IntArray]) -> FloatArray:
    """Hazard of each move of a path."""
    rows, cols = path
    found = np.zeros(rows.size - 1)
    down, right = np.diff(rows), np.diff(cols)
    for move in set(zip(down.tolist(), right.tolist(), strict=True)):
        here, _, cost = _costs(ground, ground.danger, ground.danger_jump, move)
        mine = (down == move[0]) & (right == move[1])
        top, left = here[0].start or 0, here[1].start or 0
        found[mine] = cost[rows[:-1][mine] - top, cols[:-1][mine] - left]
    return found


def _columns(here: tuple[slice, slice], ground: Ground) -> IntArray:
    return np.arange(ground.pace.shape[1])[here[1]]


def _costs(
    ground: Ground, density: FloatArray, jump: FloatArray, move: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice], FloatArray]:
    """Cells from which a move stays on the grid, those that it leads to, and its cost there."""
    down, right = move
    rows, cols = density.shape
    low_row, low_col = max(0, -down), max(0, -right)
    tall, wide = rows - abs(down), cols - abs(right)

    def shifted(a: int, b: int) -> tuple[slice, slice]:
        return (
            slice(low_row + a, low_row + a + tall),
            slice(low_col + b, low_col + b + wide),
        )

    here, there = shifted(0, 0), shifted(down, right)
    touched = [density[here], density[there]]
    if abs(down) == 2:
        touched += [density[shifted(down // 2, 0)], density[shifted(down // 2, right)]]
    elif abs(right) == 2:
        touched += [density[shifted(0, right // 2)], density[shifted(down, right // 2)]]
    mean = np.mean(np.array(touched, dtype=np.float64), axis=0)
    even = 0.5 * (ground.stretch[here] + ground.stretch[there])
    cost = mean * np.hypot(down * ground.row_m * even, right * ground.col_m)
    walls = np.abs(jump[shifted(0, right)] - jump[here])
    walls = walls + np.abs(jump[there] - jump[shifted(down, 0)])
    return here, there, cost + 0.5 * walls
