"""Made-up corridors as covering problems: fractal ground, obstacles, mounts, aims, cells.

The line runs along x; cells lie within 50 m of it. Every mount sees cells by a ray over the ground
and its obstacles, and carries poses of three lenses (60° to 150 m, 25° to 500 m, 8° to 1500 m).
A row is a cell that must be seen; near the line it needs two views, and one at a shorter range.
The same seed gives the same instance, whatever the number of threads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba as nb
import numpy as np

WIDTH_M, GRID_M, TARGET_M = 100.0, 2.5, 0.6
HILLS = ((3000, 12), (1300, 6), (700, 4), (330, 2), (150, 1.0), (60, 0.5))
HEIGHTS_M = {1: (12.0,), 2: (8.0, 18.0), 3: (6.0, 12.0, 20.0)}
HEIGHT_COST = {6.0: 30, 8.0: 40, 12.0: 80, 18.0: 150, 20.0: 180}
# Half angle [rad], range [m], range of recognition [m], cost.
LENSES = (
    (math.radians(60) / 2, 150.0, 60.0, 20),
    (math.radians(25) / 2, 500.0, 200.0, 40),
    (math.radians(8) / 2, 1500.0, 600.0, 120),
)
REACH_M = 1500.0


@dataclass(frozen=True)
class Instance:
    """A covering problem with its positions along the line.

    Attributes
    ----------
    costs, indptr, indices, demand, mount, mount_costs
        As the arguments of ``wl.cover``.
    mount_m, row_m : ndarray
        Chainage of mounts and rows [m].
    length_m : float
        Length of the line.
    """

    costs: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray
    demand: np.ndarray
    mount: np.ndarray
    mount_costs: np.ndarray
    mount_m: np.ndarray
    row_m: np.ndarray
    length_m: float

    @property
    def arguments(self) -> tuple:
        """The positional arguments of ``wl.cover``."""
        return self.costs, (self.indptr, self.indices), self.demand, self.mount


@nb.njit(cache=True)
def _sees(x0, y0, z0, x1, y1, z1, surface):
    """Whether nothing stands between an eye and a target, sampled every 5 m or a little more."""
    distance = np.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2)
    samples = int(min(distance / (2 * GRID_M), 60.0 + distance * 0.02))
    for sample in range(1, samples):
        share = sample / samples
        x, y, z = x0 + share * (x1 - x0), y0 + share * (y1 - y0), z0 + share * (z1 - z0)
        i = min(max(int(x / GRID_M), 0), surface.shape[0] - 1)
        j = min(max(int((y + WIDTH_M / 2) / GRID_M), 0), surface.shape[1] - 1)
        if surface[i, j] > z and share < 0.995:
            return False
    return True


@nb.njit(parallel=True, cache=True)
def _rows_of_poses(mount, cell, low, high, surface, bearing, lens, lenses, fence, indptr, out):
    """Count the rows of every pose, or write them if ``out`` has room."""
    poses = len(bearing)
    count = np.zeros(len(mount) * poses, np.int64)
    for m in nb.prange(len(mount)):
        room = high[m] - low[m]
        seen, angle, away = np.empty(room, np.int32), np.empty(room), np.empty(room)
        size = 0
        for c in range(low[m], high[m]):
            dx, dy = cell[c, 0] - mount[m, 0], cell[c, 1] - mount[m, 1]
            distance = np.sqrt(dx * dx + dy * dy)
            if distance > REACH_M or distance < 3.0:
                continue
            if _sees(
                mount[m, 0], mount[m, 1], mount[m, 2], cell[c, 0], cell[c, 1], cell[c, 2], surface
            ):
                seen[size], away[size] = c, distance
                angle[size] = np.arctan2(dy, dx) % (2 * np.pi)
                size += 1
        for p in range(poses):
            half, reach, fine = lenses[lens[p], 0], lenses[lens[p], 1], lenses[lens[p], 2]
            begin = indptr[m * poses + p] if len(out) else 0
            rows = 0
            for t in range(size):
                if away[t] > reach:
                    continue
                turn = abs(angle[t] - bearing[p])
                if min(turn, 2 * np.pi - turn) <= half:
                    c = seen[t]
                    if len(out):
                        out[begin + rows] = c
                    rows += 1
                    if fence[c] >= 0 and away[t] <= fine:
                        if len(out):
                            out[begin + rows] = len(cell) + fence[c]
                        rows += 1
            count[m * poses + p] = rows
    return count


@nb.njit(cache=True)
def _views_of_rows(indices, rows):
    views = np.zeros(rows, np.int64)
    for row in indices:
        views[row] += 1
    return views


@nb.njit(cache=True)
def _sorted_columns(indptr, indices, keep, start):
    out = np.empty(start[-1], np.int32)
    for t in range(len(keep)):
        part = indices[indptr[keep[t]] : indptr[keep[t] + 1]]
        out[start[t] : start[t + 1]] = np.sort(part)
    return out


def _ground(rng: np.random.Generator, length_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the ground and the obstacles on it."""
    n, width = int(length_m / GRID_M), int(WIDTH_M / GRID_M)
    x = (np.arange(n) + 0.5) * GRID_M
    y = (np.arange(width) + 0.5) * GRID_M - WIDTH_M / 2
    ground = np.zeros((n, width))
    for length, height in HILLS:
        for _ in range(3):
            turn, phase = rng.normal(0, 0.35), rng.uniform(0, 2 * math.pi)
            wave = length * rng.uniform(0.8, 1.2)
            along = x[:, None] * math.cos(turn) + y[None, :] * math.sin(turn)
            ground += height / 1.7 * np.sin(2 * math.pi * along / wave + phase)
    obstacles = np.zeros((n, width))
    for _ in range(int(length_m / 40)):
        at_x, at_y = rng.uniform(0, length_m), rng.uniform(-WIDTH_M / 2, WIDTH_M / 2)
        if abs(at_y) < 6:
            continue
        radius, height = rng.uniform(1.5, 7), rng.uniform(2.5, 10)
        i0, i1 = max(0, int((at_x - radius) / GRID_M)), int((at_x + radius) / GRID_M) + 1
        j0 = max(0, int((at_y - radius + WIDTH_M / 2) / GRID_M))
        j1 = int((at_y + radius + WIDTH_M / 2) / GRID_M) + 1
        inside = (x[i0:i1, None] - at_x) ** 2 + (y[None, j0:j1] - at_y) ** 2 <= radius**2
        part = obstacles[i0:i1, j0:j1]
        part[inside] = np.maximum(part[inside], height)
    return ground, obstacles


def corridor(
    sites: int,
    heights: int,
    aims: float,
    cell_x_m: float,
    cell_y_m: float,
    seed: int,
    length_m: float = 12000.0,
) -> Instance:
    """Make an instance.

    Parameters
    ----------
    sites : int
        Number of sites along the line.
    heights : int
        Heights a site, 1 to 3; each is a mount of its own.
    aims : float
        Factor on the 48 poses of a mount.
    cell_x_m, cell_y_m : float
        Size of a cell.
    seed : int
        Seed of everything random.
    length_m : float
        Length of the line.

    Returns
    -------
    Instance
    """
    rng = np.random.default_rng(seed)
    ground, obstacles = _ground(rng, length_m)
    along = (np.arange(int(length_m / cell_x_m)) + 0.5) * cell_x_m
    across = (np.arange(int(WIDTH_M / cell_y_m)) + 0.5) * cell_y_m - WIDTH_M / 2
    x, y = (a.ravel() for a in np.meshgrid(along, across, indexing="ij"))
    i = np.minimum((x / GRID_M).astype(int), ground.shape[0] - 1)
    j = np.minimum(((y + WIDTH_M / 2) / GRID_M).astype(int), ground.shape[1] - 1)
    free = obstacles[i, j] == 0
    x, y, i, j = x[free], y[free], i[free], j[free]
    cell = np.stack([x, y, ground[i, j] + TARGET_M], axis=1)

    site_x = np.sort(rng.uniform(0, length_m, sites))
    site_y, site_cost = rng.uniform(-45, 45, sites), np.round(rng.uniform(150, 400, sites))
    height = np.tile(HEIGHTS_M[heights], sites)
    mount_x, mount_y = np.repeat(site_x, heights), np.repeat(site_y, heights)
    fixed = np.repeat(site_cost, heights) + np.array([HEIGHT_COST[h] for h in height])
    i = np.minimum((mount_x / GRID_M).astype(int), ground.shape[0] - 1)
    j = np.minimum(((mount_y + WIDTH_M / 2) / GRID_M).astype(int), ground.shape[1] - 1)
    mount = np.stack([mount_x, mount_y, ground[i, j] + height], axis=1)

    wide, middle, narrow = (round(aims * n) for n in (8, 16, 24))
    turns = np.radians(-16 + 32 * (np.arange(narrow // 2) + 0.5) / (narrow // 2))
    bearing = np.concatenate(
        [
            2 * math.pi * np.arange(wide) / wide,
            2 * math.pi * np.arange(middle) / middle,
            np.stack([turns % (2 * math.pi), (math.pi + turns) % (2 * math.pi)], axis=1).ravel(),
        ]
    )
    lens = np.repeat([0, 1, 2], [wide, middle, 2 * (narrow // 2)])
    near = np.abs(y) <= 5.0
    fence = np.where(near, np.cumsum(near) - 1, -1)
    low, high = np.searchsorted(x, mount_x - REACH_M), np.searchsorted(x, mount_x + REACH_M)
    surface, lenses = ground + obstacles, np.array(LENSES)
    common = (mount, cell, low, high, surface, bearing, lens, lenses, fence)
    nothing = np.zeros(0, np.int32)
    count = _rows_of_poses(*common, np.zeros(0, np.int64), nothing)
    indptr = np.concatenate([[0], np.cumsum(count)])
    indices = np.empty(indptr[-1], np.int32)
    _rows_of_poses(*common, indptr, indices)

    # A pose that sees next to nothing is not offered.
    keep = np.flatnonzero(count >= 5)
    start = np.concatenate([[0], np.cumsum(count[keep])])
    indices = _sorted_columns(indptr, indices, keep, start)
    rows = len(cell) + int(near.sum())
    need = np.ones(rows, np.int64)
    need[: len(cell)][near] = 2
    demand = np.minimum(need, _views_of_rows(indices, rows))
    return Instance(
        costs=np.array([c for *_, c in LENSES], float)[np.tile(lens, len(mount))][keep],
        indptr=start,
        indices=indices,
        demand=demand.astype(np.int32),
        mount=np.repeat(np.arange(len(mount)), len(bearing))[keep].astype(np.int32),
        mount_costs=fixed.astype(float),
        mount_m=mount_x,
        row_m=np.concatenate([x, x[near]]),
        length_m=length_m,
    )


CASES = {
    "1km": (42, 2, 1, 5, 5, 1000.0),
    "S": (500, 2, 1, 5, 5, 12000.0),
    "M": (1000, 2, 3, 5, 5, 12000.0),
    "L": (2000, 2, 5, 5, 5, 12000.0),
    "48km": (2000, 2, 1, 5, 5, 48000.0),
}
"""Arguments of ``corridor`` but for the seed."""


def named(case: str, seed: int) -> Instance:
    """Return an instance by the name of its size.

    Parameters
    ----------
    case : str
        A key of ``CASES``.
    seed : int
        Seed of everything random.

    Returns
    -------
    Instance
    """
    *sizes, length_m = CASES[case]
    return corridor(*sizes, seed, length_m)
