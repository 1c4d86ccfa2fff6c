"""Least cost from every cell of a grid to the nearest of some starts, by a queue of buckets.

Cells wait in buckets of equal width by their cost so far. The bucket that is served is emptied
until nothing in it changes any more, so that the result is exact whatever the width; a narrow one
only saves work. Every cell stands in at most one bucket, in a list that it can leave at once: no
heap, no entry twice. The ring of buckets is longer than the dearest move.

The same queue finds the least chance of being stopped. Before a cell is left it holds the chance
``F``; a move to it from a cell ``v`` farther away is detected with ``p = 1 − e^(−cost)``, and a
detection at ``v`` leads to a stop with a chance ``q(v)`` that falls toward the exits, so that
``F(v) = min over moves of p·q(v) + (1 − p)·F(next)``. A walker who is detected may take the way
that ``q`` stands for, hence ``F ≤ q`` and ``F`` falls along every best way: cells can be served in
its order.

The grid is served in stretches of rows that fit the processor's cache. A cell that is lowered from
the stretch beside it waits until its own is served; stretches are served up and down the line
until no cell waits, so that the result is that of one queue for all.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from watchline.kernels.moves import (
    BACK,
    COL_STEP,
    MOVES,
    NO_MOVE,
    ROW_STEP,
    Field,
    extra_cost,
    greatest_cost,
    lengths_of,
    steps_of,
    to_flat,
    to_grid,
)

RING: Final = 1 << 14
LAST: Final = RING - 1
STRETCH_CELLS: Final = 1 << 14
NONE: Final = -1
AWAY: Final = -2
ALWAYS = np.zeros(0)
"""No chance of being stopped: costs are summed."""


def spread(
    field: Field, start: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int8]]:
    """Least cost of a way from each cell to a start, the start's own value included.

    Parameters
    ----------
    field : Field
        What moves cost.
    start : float64 array [rows, cols]
        Value of a cell as a start; infinite where it is none.

    Returns
    -------
    value : float64 array [rows, cols]
        ``min over starts of (start + cost of the way)``; infinite where there is no way.
    move : int8 array [rows, cols]
        The first move of a cheapest way, in :data:`watchline.kernels.moves.ROW_STEP`; −1 at the
        starts and where there is none.
    """
    value = to_flat(field, np.asarray(start, dtype=np.float64), np.inf)
    move = np.full(value.size, NO_MOVE, dtype=np.int8)
    _spread(field, value, move, value < np.inf, ALWAYS, greatest_cost(field))
    return to_grid(field, value), to_grid(field, move)


def least_stop(
    field: Field, stopped: npt.NDArray[np.float64], exits: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int8]]:
    """Least chance of being stopped on a way from each cell to an exit.

    Parameters
    ----------
    field : Field
        Hazard of detection of the moves: the chance of none is ``e^(−hazard)``.
    stopped : float64 array [rows, cols]
        Chance ``q`` that a walker who is detected at the cell is stopped before he is out,
        whatever way he then takes.
    exits : bool array [rows, cols]
        Where the walker is out.

    Returns
    -------
    chance : float64 array [rows, cols]
        ``F``; infinite where there is no way.
    move : int8 array [rows, cols]
        The first move of a best way; −1 where he need not care any more (``F = 0``: out, or sure
        to get out) and where there is none.
    """
    start = np.where(exits | (stopped <= 0.0), 0.0, np.inf)
    # Nobody starts where nobody can walk.
    start[~np.isfinite(to_grid(field, field.density))] = np.inf
    value = to_flat(field, start, np.inf)
    move = np.full(value.size, NO_MOVE, dtype=np.int8)
    _spread(field, value, move, value < np.inf, to_flat(field, stopped, 0.0), 1.0)
    return to_grid(field, value), to_grid(field, move)


def respread(
    field: Field,
    value: npt.NDArray[np.float64],
    move: npt.NDArray[np.int8],
    changed: npt.NDArray[np.bool_],
    stopped: npt.NDArray[np.float64] | None = None,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int8]]:
    """What :func:`spread` or :func:`least_stop` would give after some densities fell.

    Its work is that of the cells whose value changes, not that of the grid.

    Parameters
    ----------
    field : Field
        The new costs: nowhere above the old ones.
    value, move : arrays [rows, cols]
        What it gave for the old costs.
    changed : bool array [rows, cols]
        The cells whose density, jump or stretch is another.
    stopped : float64 array [rows, cols], optional
        For :func:`least_stop`, as before.
    """
    near = changed.copy()
    # A move changes with any of the cells that it touches, at most two rows or columns away.
    for axis in (0, 1):
        wide = near.copy()
        for shift in (1, 2):
            ahead = [slice(None), slice(None)]
            behind = [slice(None), slice(None)]
            ahead[axis], behind[axis] = slice(shift, None), slice(None, -shift)
            wide[tuple(ahead)] |= near[tuple(behind)]
            wide[tuple(behind)] |= near[tuple(ahead)]
        near = wide
    flat = to_flat(field, value, np.inf)
    moves = to_flat(field, move, NO_MOVE)
    waits = to_flat(field, near, False) & (flat < np.inf)
    if stopped is None:
        _spread(field, flat, moves, waits, ALWAYS, greatest_cost(field))
    else:
        _spread(field, flat, moves, waits, to_flat(field, stopped, 0.0), 1.0)
    return to_grid(field, flat), to_grid(field, moves)


@njit(cache=True)
def _spread(field, value, move, waits, stopped, greatest):
    """Lower `value` to what the cells that wait reach, stretch by stretch, up and down the line."""
    rows = value.size // field.cols
    tall = min(rows, max(64, STRETCH_CELLS // field.cols))
    count = (rows + tall - 1) // tall
    per_cost = (RING - 3) / greatest if greatest > 0.0 else 1.0
    head = np.full(RING, NONE, dtype=np.int32)
    after = np.full(value.size, AWAY, dtype=np.int32)
    before = np.full(value.size, AWAY, dtype=np.int32)
    busy = np.zeros(count, dtype=np.bool_)
    for u in range(value.size):
        if waits[u]:
            busy[u // field.cols // tall] = True
    up = True
    while busy.any():
        for k in range(count):
            at = k if up else count - 1 - k
            if not busy[at]:
                continue
            low = at * tall * field.cols
            high = min(value.size, low + tall * field.cols)
            busy[at] = False
            below, above = _serve(
                field, value, move, waits, stopped, low, high, per_cost, head, after, before
            )
            if below:
                busy[at - 1] = True
            if above:
                busy[at + 1] = True
        up = not up


@njit(cache=True)
def _serve(field, value, move, waits, stopped, low, high, per_cost, head, after, before):
    """Serve the cells from `low` to `high`; whether any below or above them was lowered."""
    step, first, second = steps_of(field.cols)
    length = lengths_of(field.row_m, field.col_m)
    # Arrays are taken out of the tuple here: inside the loop each access would be counted.
    density, jump, stretch = field.density, field.jump, field.stretch
    along, across = ROW_STEP * field.row_m, COL_STEP * field.col_m
    plain = field.is_straight and not field.has_jump
    by_chance = stopped.size > 0
    seeds = low + np.flatnonzero(waits[low:high])
    if seeds.size == 0:
        return False, False
    waits[low:high] = False
    least, most = np.inf, -np.inf
    for u in seeds:
        least, most = min(least, value[u]), max(most, value[u])
    if most > least:
        seeds = seeds[np.argsort(value[seeds])]
    base = least
    below = above = False
    waiting = 0
    taken = 0
    bucket = np.int64(0)
    while waiting > 0 or taken < seeds.size:
        if waiting == 0:
            bucket = max(bucket, np.int64((value[seeds[taken]] - base) * per_cost))
        # Starts come in when their bucket is the next: the ring need not hold them all.
        while taken < seeds.size:
            u = seeds[taken]
            own = np.int64((value[u] - base) * per_cost)
            if own > bucket:
                break
            taken += 1
            # One that was lowered to a bucket before has been served there.
            if own == bucket and after[u] == AWAY:
                _put(head, after, before, u, bucket & LAST)
                waiting += 1
        slot = bucket & LAST
        while head[slot] != NONE:
            u = head[slot]
            _take(head, after, before, u, slot)
            waiting -= 1
            cost = value[u]
            own_density = density[u]
            for m in range(MOVES):
                v = u + step[m]
                old = value[v]
                if old <= cost:
                    continue
                if m < 8:
                    mean = 0.5 * (own_density + density[v])
                else:
                    beside = density[u + first[m]] + density[u + second[m]]
                    mean = 0.25 * (own_density + density[v] + beside)
                new = mean * length[m]
                if not plain:
                    new = extra_cost(jump, stretch, along[m], across[m], COL_STEP[m], u, v, mean)
                if by_chance:
                    if new == np.inf:
                        continue
                    # q is below F by rounding alone, where both are as high as they can be.
                    new = (1.0 - np.exp(-new)) * max(stopped[v] - cost, 0.0)
                new += cost
                if new < old:
                    value[v] = new
                    move[v] = BACK[m]
                    if v < low:
                        waits[v] = below = True
                    elif v >= high:
                        waits[v] = above = True
                    else:
                        if after[v] != AWAY:
                            _take(head, after, before, v, np.int64((old - base) * per_cost) & LAST)
                            waiting -= 1
                        _put(head, after, before, v, np.int64((new - base) * per_cost) & LAST)
                        waiting += 1
        bucket += 1
    return below, above


@njit(cache=True, inline="always")
def _put(head, after, before, u, slot):
    """Put a cell at the head of a bucket's list."""
    follower = head[slot]
    after[u] = follower
    before[u] = NONE
    if follower != NONE:
        before[follower] = u
    head[slot] = u


@njit(cache=True, inline="always")
def _take(head, after, before, u, slot):
    """Take a cell out of its bucket's list."""
    if before[u] == NONE:
        head[slot] = after[u]
    else:
        after[before[u]] = after[u]
    if after[u] != NONE:
        before[after[u]] = before[u]
    after[u] = AWAY
