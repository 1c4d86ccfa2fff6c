"""Ruin and recreate on the state (numba kernels).

After Schrimpf et al., J. Comput. Phys. 159 (2000), with the acceptance of simulated annealing.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.layout import Layout
from watchline.design.cover.recreate import prune, recreate
from watchline.design.cover.scratch import Scratch
from watchline.design.cover.state import State, add_column, draw, remove_column
from watchline.kernels.borrows import BORROWS


@nb.njit(**BORROWS)
def _close(layout: Layout, state: State, scratch: Scratch, group: int, n_log: int) -> int:
    for column in range(layout.group_start[group], layout.group_start[group + 1]):
        if state.chosen[column]:
            remove_column(layout, state, column)
            scratch.log[n_log] = -(column + 1)
            n_log += 1
    return n_log


@nb.njit(**BORROWS)
def _force(layout: Layout, state: State, scratch: Scratch, n_log: int) -> int:
    """Choose a column for some uncovered row, closing what its site or capacity forbids."""
    start = int(draw(state.random) * len(state.lack))
    state.work[0] += len(state.lack)
    for t in range(len(state.lack)):
        row = (start + t) % len(state.lack)
        span = layout.row_start[row + 1] - layout.row_start[row]
        if state.lack[row] <= 0 or state.reserve[row] == 0 or span == 0:
            continue
        atom = layout.row_atom[layout.row_start[row] + int(draw(state.random) * span)]
        group = layout.atom_group[atom]
        members = layout.member_start[atom + 1] - layout.member_start[atom]
        pick = layout.member_start[atom] + int(draw(state.random) * members)
        column = layout.member_column[pick]
        if state.chosen[column] or layout.capacity[group] == 0:
            return n_log
        if state.used[group] == 0 and layout.site[group] >= 0:
            for other in range(len(layout.fixed)):
                if layout.site[other] == layout.site[group] and state.used[other] > 0:
                    n_log = _close(layout, state, scratch, other, n_log)
        if state.used[group] >= layout.capacity[group]:
            n_log = _close(layout, state, scratch, group, n_log)
        add_column(layout, state, column)
        scratch.log[n_log] = column + 1
        return n_log + 1
    return n_log


@nb.njit(**BORROWS)
def ruin(layout: Layout, state: State, scratch: Scratch, largest: int) -> int:
    """Close some groups that share rows, and some columns of their neighbours.

    Parameters
    ----------
    layout, state, scratch
        The problem, the choice and working arrays.
    largest : int
        The most groups to close.

    Returns
    -------
    int
        Number of entries in ``scratch.log``.
    """
    n_log = 0
    open_groups = 0
    for group in range(len(layout.fixed)):
        if state.used[group] > 0:
            scratch.heap[open_groups] = group
            scratch.affinity[group] = 0.0
            open_groups += 1
    if open_groups == 0:
        return 0
    centre = scratch.heap[int(draw(state.random) * open_groups)]
    samples = 60
    begin, end = layout.atom_first[centre], layout.atom_first[centre + 1]
    for _ in range(samples):
        atom = begin + int(draw(state.random) * (end - begin))
        span = layout.atom_start[atom + 1] - layout.atom_start[atom]
        row = layout.atom_row[layout.atom_start[atom] + int(draw(state.random) * span)]
        for q in range(layout.row_start[row], layout.row_start[row + 1]):
            other = layout.row_atom[q]
            if state.count[other] > 0:
                scratch.affinity[layout.atom_group[other]] += 1.0
    state.work[0] += samples * 50 + open_groups
    wanted = 1 + int(draw(state.random) * largest)
    n_log = _close(layout, state, scratch, centre, n_log)
    for step in range(wanted + 1):
        pick, best = -1, 0.0
        for t in range(open_groups):
            group = scratch.heap[t]
            if state.used[group] == 0 or scratch.affinity[group] <= 0.0:
                continue
            value = (scratch.affinity[group] + 1.0) * draw(state.random)
            if value > best:
                pick, best = group, value
        if pick < 0:
            break
        if step < wanted - 1:
            n_log = _close(layout, state, scratch, pick, n_log)
        else:
            scratch.affinity[pick] = 0.0
            for column in range(layout.group_start[pick], layout.group_start[pick + 1]):
                if state.chosen[column] and draw(state.random) < 0.5:
                    remove_column(layout, state, column)
                    scratch.log[n_log] = -(column + 1)
                    n_log += 1
    return n_log


@nb.njit(**BORROWS)
def undo(layout: Layout, state: State, scratch: Scratch, n_log: int) -> None:
    """Take back the logged changes, the last first."""
    for t in range(n_log - 1, -1, -1):
        if scratch.log[t] > 0:
            remove_column(layout, state, scratch.log[t] - 1)
        else:
            add_column(layout, state, -scratch.log[t] - 1)


@nb.njit(**BORROWS)
def objective(state: State, budget: float, penalty: float) -> float:
    """Return what the search makes small.

    Parameters
    ----------
    state : State
        The choice.
    budget : float
        Infinite in covering mode: then the cost, plus ``penalty`` for each unit of row weight
        above what may stay uncovered. Finite: the uncovered row weight.
    penalty : float
        Cost of a unit of weight.

    Returns
    -------
    float
    """
    if budget < np.inf:
        missed = 0.0
        for kind in range(len(state.open_weight)):
            missed += state.open_weight[kind]
        return missed
    value = state.cost[0]
    if state.over[0] > 0:
        for kind in range(len(state.open_weight)):
            value += penalty * max(0.0, state.open_weight[kind] - state.allowed[kind])
    return value


@nb.njit(**BORROWS, nogil=True)
def improve(
    layout: Layout,
    state: State,
    scratch: Scratch,
    budget: float,
    penalty: float,
    steps: int,
    warm: float,
    cold: float,
    largest: int,
    noise: float,
    best: NDArray,
    best_value: float,
) -> float:
    """Ruin and recreate a number of times, cooling from ``warm`` to ``cold``.

    Parameters
    ----------
    layout, state, scratch
        The problem, a choice and working arrays.
    budget, penalty : float
        As in :func:`objective`.
    steps : int
        Number of ruins.
    warm, cold : float
        First and last temperature, in units of the objective.
    largest : int
        The most groups closed at once.
    noise : float
        Relative size of the random error of the recreate step's judgements.
    best : ndarray of uint8, shape (n_columns,)
        The best choice so far; overwritten when a better one is found.
    best_value : float
        Its objective.

    Returns
    -------
    float
        The objective of ``best``.
    """
    value = objective(state, budget, penalty)
    for step in range(steps):
        # Every step counts, or a tiny problem would never use up its work.
        state.work[0] += 500 + len(layout.fixed)
        heat = warm * (cold / warm) ** (step / steps)
        n_log = 0
        if state.over[0] > 0 and budget == np.inf:
            n_log = _force(layout, state, scratch, n_log)
        else:
            n_log = ruin(layout, state, scratch, largest)
        n_log = recreate(layout, state, scratch, budget, noise * draw(state.random), n_log)
        n_log = prune(layout, state, scratch, n_log)
        if budget < np.inf:
            n_log = recreate(layout, state, scratch, budget, 0.0, n_log)
        new = objective(state, budget, penalty)
        if new < value - heat * np.log(draw(state.random) + 1e-12):
            value = new
            if new < best_value - 1e-9 * abs(best_value):
                best_value = new
                for column in range(len(best)):
                    best[column] = state.chosen[column]
        else:
            undo(layout, state, scratch, n_log)
    return best_value
