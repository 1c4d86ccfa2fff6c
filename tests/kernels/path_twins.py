"""Naive twins of the path kernels: the graph written out, and every simple path tried."""

import itertools
from dataclasses import dataclass

import numpy as np
from numba import njit


@dataclass(frozen=True)
class SmallGrid:
    """A random small grid with everything that moves may meet."""

    shape: tuple[int, int]
    row_m: float
    col_m: float
    hazard: np.ndarray
    slow: np.ndarray
    hazard_jump: np.ndarray
    slow_jump: np.ndarray
    stretch: np.ndarray
    response: np.ndarray


def small_grid(seed, shape=(3, 4), *, plain=False):
    rng = np.random.default_rng(seed)
    rows, cols = shape
    hazard = rng.exponential(0.05, shape) * (rng.random(shape) < 0.8)
    slow = rng.uniform(0.5, 3.0, shape)
    stretch = np.ones(shape)
    jumps = [np.zeros(shape), np.zeros(shape)]
    if not plain:
        wall = (rng.random(shape) < 0.1) & (np.arange(cols) > 0) & (np.arange(cols) < cols - 1)
        slow[wall] = hazard[wall] = np.inf
        stretch = rng.uniform(0.7, 1.4, shape)
        for jump, size in zip(jumps, (0.3, 8.0), strict=True):
            jump[:, rng.integers(1, cols) :] = rng.uniform(0, size)
            jump[: rows // 2] = 0.0
    f = np.float32
    return SmallGrid(
        shape, float(rng.uniform(1, 3)), float(rng.uniform(1, 3)), hazard.astype(f),
        slow.astype(f), jumps[0].astype(f), jumps[1].astype(f), stretch.astype(f),
        rng.uniform(0.0, 14.0, rows),
    )  # fmt: skip


def edges(grid, density, jump):
    """Cost of every move as a dense matrix over flat cells, infinite where there is none."""
    rows, cols = grid.shape
    cost = np.full((rows * cols, rows * cols), np.inf)
    cells = list(itertools.product(range(rows), range(cols)))
    for (i, j), (k, l) in itertools.product(cells, cells):
        down, right = abs(k - i), abs(l - j)
        if sorted((down, right)) not in ([0, 1], [1, 1], [1, 2]):
            continue
        touched = [(i, j), (k, l)]
        if down == 2:
            touched += [((i + k) // 2, j), ((i + k) // 2, l)]
        elif right == 2:
            touched += [(i, (j + l) // 2), (k, (j + l) // 2)]
        mean = np.mean([float(density[c]) for c in touched])
        stretch = (float(grid.stretch[i, j]) + float(grid.stretch[k, l])) / 2
        metres = np.hypot(down * grid.row_m * stretch, right * grid.col_m)
        first, last = sorted((j, l))
        walls = sum(
            0.5 * abs(float(jump[row, c + 1]) - float(jump[row, c]))
            for row in (i, k)
            for c in range(first, last)
        )
        cost[i * cols + j, k * cols + l] = mean * metres + walls
    return cost


@njit
def cheapest(cost, source, target):
    """Least cost over all simple paths from one cell to another."""
    best = np.array([np.inf])
    _cheapest(cost, source, target, 0.0, np.zeros(len(cost), np.bool_), best)
    return best[0]


@njit
def _cheapest(cost, at, target, spent, used, best):
    if spent >= best[0]:
        return
    if at == target:
        best[0] = spent
        return
    used[at] = True
    for v in range(len(cost)):
        if not used[v] and cost[at, v] < np.inf:
            _cheapest(cost, v, target, spent + cost[at, v], used, best)
    used[at] = False


@njit
def least_stop_by_paths(hazard, stopped, exits, source):
    """Least sum over a simple path of (first detected there) x (stopped if detected there)."""
    best = np.array([np.inf])
    _least_stop(hazard, stopped, exits, source, 0.0, 1.0, np.zeros(len(hazard), np.bool_), best)
    return best[0]


@njit
def _least_stop(hazard, stopped, exits, at, chance, unseen, used, best):
    if chance >= best[0]:
        return
    if exits[at]:
        best[0] = chance
        return
    used[at] = True
    for v in range(len(hazard)):
        if not used[v] and hazard[at, v] < np.inf:
            p = 1.0 - np.exp(-hazard[at, v])
            _least_stop(
                hazard, stopped, exits, v, chance + unseen * p * stopped[at], unseen * (1.0 - p),
                used, best,
            )  # fmt: skip
    used[at] = False


@njit
def least_stop_timed_by_paths(hazard, ticks, exits, in_time, source):
    """The same for a walker who keeps to his way, each path weighed when it is whole."""
    best = np.array([np.inf])
    path = np.zeros(len(hazard), np.int64)
    path[0] = source
    _timed(hazard, ticks, exits, in_time, path, 0, np.zeros(len(hazard), np.bool_), best)
    return best[0]


@njit
def _timed(hazard, ticks, exits, in_time, path, depth, used, best):
    at = path[depth]
    if exits[at]:
        left, chance = 0, 0.0
        for k in range(depth - 1, -1, -1):
            u, v = path[k], path[k + 1]
            left += ticks[u, v]
            p = 1.0 - np.exp(-hazard[u, v])
            chance = p * in_time[min(left, len(in_time) - 1)] + (1.0 - p) * chance
        best[0] = min(best[0], chance)
        return
    used[at] = True
    for v in range(len(hazard)):
        if not used[v] and hazard[at, v] < np.inf:
            path[depth + 1] = v
            _timed(hazard, ticks, exits, in_time, path, depth + 1, used, best)
    used[at] = False
