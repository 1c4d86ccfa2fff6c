"""Least chance of being stopped for a walker who keeps to his way, by time left.

``F(x, τ)`` is the chance of being stopped from cell ``x`` when the way that is left takes ``τ``:
``F(x, τ) = min over moves of p·Φ(τ) + (1 − p)·F(next, τ − t)``, with the chance ``p`` that the move
is detected, its time ``t``, and the chance ``Φ(τ)`` that a response comes within ``τ``. Time is
counted in ticks. Once ``Φ`` is 1, what is left is a sum of hazards, which needs no time any more.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from watchline.kernels.moves import (
    COL_STEP,
    MOVES,
    ROW_STEP,
    Field,
    extra_cost,
    lengths_of,
    steps_of,
    to_flat,
    to_grid,
)
from watchline.kernels.spread import spread

FORWARD = np.array([0, 2, 4, 5, 8, 9, 12, 13], dtype=np.int64)
"""One of each two opposite moves: what a move costs, its opposite costs."""


def least_stop_timed(
    hazard: Field,
    time: Field,
    exits: npt.NDArray[np.bool_],
    in_time: npt.NDArray[np.float64],
    tick_s: float,
) -> npt.NDArray[np.float64]:
    """Least chance of being stopped on a way from each cell to an exit, walked to its end.

    Parameters
    ----------
    hazard, time : Field
        Hazard of detection and time of the moves; times are rounded to ticks, at least one.
    exits : bool array [rows, cols]
        Where the walker is out.
    in_time : float64 array [ticks]
        Chance that a response comes within 0, 1, 2 … ticks, rising; beyond the last it is taken
        as the last.
    tick_s : float
        Length of a tick in s.

    Returns
    -------
    float64 array [rows, cols]
        Over all durations; infinite where there is no way.
    """
    ticks, chance = _edges(hazard, time, tick_s)
    span = int(ticks.max()) + 1
    last = len(in_time) - 1
    start = np.where(exits, np.float32(0.0), np.float32(np.inf)).astype(np.float32)
    best, ring = _run(
        hazard.cols, ticks, chance, to_flat(hazard, start, np.inf), np.asarray(in_time), span
    )
    # Longer ways: before the last ticks each move is a plain hazard, discounted by the last Φ.
    sure = in_time[-1]
    if sure <= 0.0:
        return to_grid(hazard, best)
    begin = to_grid(hazard, _hand_over(hazard.cols, ticks, chance, ring, last, span, sure))
    some = np.isfinite(begin)
    begin[some] = -np.log1p(-np.minimum(begin[some] / sure, 1.0 - 1e-16))
    value, _ = spread(hazard, begin)
    longer = np.where(np.isfinite(value), sure * -np.expm1(-value), np.inf)
    return np.minimum(to_grid(hazard, best), longer)


@njit(cache=True)
def _edges(hazard, time, tick_s):
    """Ticks and chance of detection of each cell's moves of :data:`FORWARD`; 0 ticks: none."""
    step, first, second = steps_of(hazard.cols)
    length = lengths_of(hazard.row_m, hazard.col_m)
    along, across = ROW_STEP * hazard.row_m, COL_STEP * hazard.col_m
    cells = hazard.density.size
    ticks = np.zeros((MOVES // 2, cells), dtype=np.int32)
    chance = np.zeros((MOVES // 2, cells), dtype=np.float32)
    danger, slow, stretch = hazard.density, time.density, hazard.stretch
    jump, delay = hazard.jump, time.jump
    plain = hazard.is_straight and not (hazard.has_jump or time.has_jump)
    for k in range(MOVES // 2):
        m = FORWARD[k]
        for u in range(cells):
            if not slow[u] < np.inf:
                continue
            v = u + step[m]
            if m < 8:
                mean, pace = 0.5 * (danger[u] + danger[v]), 0.5 * (slow[u] + slow[v])
            else:
                a, b = u + first[m], u + second[m]
                mean = 0.25 * (danger[u] + danger[v] + (danger[a] + danger[b]))
                pace = 0.25 * (slow[u] + slow[v] + (slow[a] + slow[b]))
            if not (mean < np.inf and pace < np.inf):
                continue
            cost, seconds = mean * length[m], pace * length[m]
            if not plain:
                cost = extra_cost(jump, stretch, along[m], across[m], COL_STEP[m], u, v, mean)
                seconds = extra_cost(delay, stretch, along[m], across[m], COL_STEP[m], u, v, pace)
            ticks[k, u] = max(1, int(np.floor(seconds / tick_s + 0.5)))
            chance[k, u] = -np.expm1(-cost)
    return ticks, chance


@njit(cache=True)
def _forward_steps(cols):
    """Flat steps of the moves of :data:`FORWARD`."""
    step, _, _ = steps_of(cols)
    return step[FORWARD]


@njit(cache=True)
def _run(cols, ticks, chance, out, in_time, span):
    """Least chance over durations up to the last tick, and the last `span` layers of F."""
    steps = _forward_steps(cols)
    cells = out.size
    ring = np.full((span, cells), np.float32(np.inf))
    ring[0] = out
    best = out.astype(np.float64)
    margin = 2 * cols + 2
    for now in range(1, len(in_time)):
        phi = np.float32(in_time[now])
        layer = ring[now % span]
        layer[:] = np.float32(np.inf)
        for k in range(MOVES // 2):
            step = steps[k]
            for u in range(margin, cells - margin):
                t = ticks[k, u]
                if t == 0 or t > now:
                    continue
                v = u + step
                p = chance[k, u]
                past = ring[(now - t) % span]
                onward = past[v]
                layer[u] = min(layer[u], onward + p * (phi - onward))
                back = past[u]
                layer[v] = min(layer[v], back + p * (phi - back))
        for u in range(margin, cells - margin):
            best[u] = min(best[u], layer[u])
    return best, ring


@njit(cache=True)
def _hand_over(cols, ticks, chance, ring, last, span, sure):
    """Least F at the first cell of ways just longer than the last tick."""
    steps = _forward_steps(cols)
    cells = ring.shape[1]
    begin = np.full(cells, np.inf)
    margin = 2 * cols + 2
    for k in range(MOVES // 2):
        for u in range(margin, cells - margin):
            t = ticks[k, u]
            if t == 0:
                continue
            v = u + steps[k]
            p = chance[k, u]
            for left in range(max(0, last + 1 - t), last + 1):
                past = ring[left % span]
                begin[u] = min(begin[u], past[v] + p * (sure - past[v]))
                begin[v] = min(begin[v], past[u] + p * (sure - past[u]))
    return begin
