"""Covering what is open by packages, and giving up what is superfluous (numba kernels).

A *package* is the columns of one group that together with the group's fixed cost cover most new
rows per cost (the fixed cost is shared among them), so that a mount is judged by what its best aims
see together.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.layout import Layout
from watchline.design.cover.scratch import Scratch, pop, sift
from watchline.design.cover.state import (
    State,
    add_column,
    draw,
    first_and_second,
    package,
    remove_column,
    wake,
)
from watchline.kernels.borrows import BORROWS

CLOSE = 0.75
"""A package is taken if no other could score better than so much of its score: judgements are
random by more than that, and each spared one makes a step cheaper."""


@nb.njit(**BORROWS)
def _wake_some(layout: Layout, state: State) -> int:
    """Wake about a sixteenth of the sleeping rows that keep the choice from being feasible."""
    found = 0
    for row in range(len(state.lack)):
        if state.lack[row] > 0 and state.weight[row] == 0 and state.reserve[row] > 0:
            kind = layout.row_class[row]
            if state.open_weight[kind] <= state.allowed[kind]:
                continue
            if found == 0 or draw(state.random) < 0.0625:
                wake(layout, state, row)
            found += 1
    state.work[0] += len(state.lack) // 4
    return found


@nb.njit(**BORROWS)
def _wake_near(layout: Layout, state: State, scratch: Scratch, n_log: int) -> int:
    """Like ``_wake_some``, among the rows of the columns that the log gave up."""
    found = 0
    for t in range(n_log):
        column = -scratch.log[t] - 1
        if column < 0:
            continue
        for link in range(layout.column_start[column], layout.column_start[column + 1]):
            atom = layout.column_atom[link]
            for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
                row = layout.atom_row[p]
                if state.lack[row] <= 0 or state.weight[row] > 0 or state.reserve[row] == 0:
                    continue
                kind = layout.row_class[row]
                if state.open_weight[kind] <= state.allowed[kind]:
                    continue
                if found == 0 or draw(state.random) < 0.0625:
                    wake(layout, state, row)
                found += 1
            state.work[0] += 1
    return found


@nb.njit(**BORROWS)
def recreate(
    layout: Layout, state: State, scratch: Scratch, budget: float, noise: float, n_log: int
) -> int:
    """Add packages until the choice is feasible, nothing more can be gained or afforded.

    Parameters
    ----------
    layout, state, scratch
        The problem, the choice and working arrays.
    budget : float
        The most that the choice may cost (infinite in covering mode).
    noise : float
        Relative size of the random error of each judgement.
    n_log : int
        Entries in ``scratch.log``; additions are appended.

    Returns
    -------
    int
        The new number of entries.
    """
    if n_log > 0 and budget == np.inf:
        n_log = _fill(layout, state, scratch, budget, noise, n_log, 0)
        while state.over[0] > 0 and _wake_near(layout, state, scratch, n_log) > 0:
            n_log = _fill(layout, state, scratch, budget, noise, n_log, 0)
    again = state.over[0] > 0 or budget < np.inf
    while again:
        n_log = _fill(layout, state, scratch, budget, noise, n_log, n_log)
        again = state.over[0] > 0 and budget == np.inf and _wake_some(layout, state) > 0
    return n_log


@nb.njit(**BORROWS)
def _floor(layout: Layout, state: State, group: int) -> float:
    """Return a value that the ratio of the group's package cannot fall below."""
    total = np.int64(0)
    for atom in range(layout.atom_first[group], layout.atom_first[group + 1]):
        once, again = first_and_second(layout, state, atom)
        total += once + again
    state.work[0] += layout.atom_first[group + 1] - layout.atom_first[group]
    if total == 0:
        return 0.0
    cheapest = np.inf
    for column in range(layout.group_start[group], layout.group_start[group + 1]):
        if layout.cost[column] < cheapest:
            cheapest = layout.cost[column]
    if state.used[group] == 0:
        cheapest += layout.fixed[group]
    return cheapest / total


@nb.njit(**BORROWS)
def _push(
    layout: Layout, state: State, scratch: Scratch, group: int, noise: float, size: int
) -> int:
    """Put a group on the heap and return the new size."""
    scratch.factor[group] = 1.0 + noise * draw(state.random)
    scratch.score[group] = _floor(layout, state, group) * scratch.factor[group]
    scratch.heap[size] = group
    scratch.place[group] = size
    sift(scratch, size + 1, size)
    return size + 1


@nb.njit(**BORROWS)
def _fill(
    layout: Layout,
    state: State,
    scratch: Scratch,
    budget: float,
    noise: float,
    n_log: int,
    first: int,
) -> int:
    """Add packages while the rows that are awake ask for them (lazy greedy).

    Only the groups that see what the log gave up from ``first`` on are looked at; all groups if
    the log holds nothing from there on.
    """
    size = 0
    if first < n_log:
        # What was just given up tells where rows are open: no look over the whole problem.
        for t in range(first, n_log):
            column = -scratch.log[t] - 1
            if column < 0:
                continue
            for link in range(layout.column_start[column], layout.column_start[column + 1]):
                atom = layout.column_atom[link]
                for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
                    row = layout.atom_row[p]
                    if state.lack[row] <= 0 or state.weight[row] == 0 or scratch.met[row]:
                        continue
                    scratch.met[row] = 1
                    state.work[0] += layout.row_start[row + 1] - layout.row_start[row]
                    for q in range(layout.row_start[row], layout.row_start[row + 1]):
                        group = layout.atom_group[layout.row_atom[q]]
                        if scratch.place[group] < 0:
                            size = _push(layout, state, scratch, group, noise, size)
        for t in range(first, n_log):
            column = -scratch.log[t] - 1
            if column < 0:
                continue
            for link in range(layout.column_start[column], layout.column_start[column + 1]):
                atom = layout.column_atom[link]
                for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
                    scratch.met[layout.atom_row[p]] = 0
    else:
        for atom in range(len(layout.atom_group)):
            if state.need[atom] > 0 and state.count[atom] < layout.atom_cap[atom]:
                group = layout.atom_group[atom]
                if scratch.place[group] < 0:
                    size = _push(layout, state, scratch, group, noise, size)
        state.work[0] += len(layout.atom_group) // 8
    while size > 0 and (state.over[0] > 0 or budget < np.inf):
        group = scratch.heap[0]
        ratio, taken = package(
            layout,
            state,
            group,
            budget - state.cost[0],
            scratch.rest,
            scratch.twice,
            scratch.gain,
            scratch.out,
        )
        if taken == 0:
            size = pop(scratch, size)
            continue
        score = ratio * scratch.factor[group]
        scratch.score[group] = score
        sift(scratch, size, 0)
        if scratch.score[scratch.heap[0]] < score * CLOSE:
            continue
        for t in range(taken):
            add_column(layout, state, scratch.out[t])
            scratch.log[n_log] = scratch.out[t] + 1
            n_log += 1
    while size > 0:
        size = pop(scratch, size)
    return n_log


@nb.njit(**BORROWS)
def _loss(layout: Layout, state: State, column: int, room: NDArray) -> float:
    """Return the row weight lost without a column, infinite if a class cannot afford it."""
    lost = 0.0
    for kind in range(len(room)):
        room[kind] = state.allowed[kind] - state.open_weight[kind]
    for link in range(layout.column_start[column], layout.column_start[column + 1]):
        atom = layout.column_atom[link]
        if state.count[atom] > layout.atom_cap[atom]:
            continue
        for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
            row = layout.atom_row[p]
            if state.lack[row] == 0:
                kind = layout.row_class[row]
                lost += layout.row_weight[row]
                room[kind] -= layout.row_weight[row]
                if room[kind] < 0.0:
                    state.work[0] += p - layout.atom_start[atom] + 1
                    return np.inf
    return lost


@nb.njit(**BORROWS)
def prune(layout: Layout, state: State, scratch: Scratch, n_log: int) -> int:
    """Give up columns that no class needs, the dearest per lost weight first.

    Parameters
    ----------
    layout, state, scratch
        The problem, the choice and working arrays.
    n_log : int
        Entries in ``scratch.log``; removals are appended.

    Returns
    -------
    int
        The new number of entries.
    """
    room = scratch.room
    # What is needed now stays needed: later removals only make the others less superfluous.
    size = 0
    for group in range(len(layout.fixed)):
        if state.used[group] == 0:
            continue
        for column in range(layout.group_start[group], layout.group_start[group + 1]):
            if state.chosen[column] and _loss(layout, state, column, room) < np.inf:
                scratch.out[size] = column
                size += 1
    while size > 0:
        pick, best, kept = -1, 0.0, 0
        for t in range(size):
            column = scratch.out[t]
            lost = _loss(layout, state, column, room)
            if lost == np.inf:
                continue
            group = layout.column_group[column]
            saved = layout.cost[column] + layout.fixed[group] / state.used[group]
            value = (saved + 1e-9) * (1.0 + 0.5 * draw(state.random)) / (lost + 1e-3)
            scratch.out[kept] = column
            if value > best:
                pick, best = kept, value
            kept += 1
        size = kept
        if pick < 0:
            break
        remove_column(layout, state, scratch.out[pick])
        scratch.log[n_log] = -(scratch.out[pick] + 1)
        n_log += 1
        size -= 1
        scratch.out[pick] = scratch.out[size]
    state.work[0] += len(layout.fixed) // 4
    return n_log
