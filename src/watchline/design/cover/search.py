"""Greedy choice and ruin-and-recreate search on the state (numba kernels).

The recreate step opens groups by *packages*: the columns of one group that together with the
group's fixed cost cover most new rows per cost (the fixed cost is shared among them), so that a
mount is judged by what its best aims see together. Ruin-and-recreate after Schrimpf et al.,
J. Comput. Phys. 159 (2000), with the acceptance of simulated annealing.
"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.layout import Layout
from watchline.design.cover.state import State, add_column, draw, package, remove_column, wake


class Scratch(NamedTuple):
    """Working arrays of the search, so that kernels allocate nothing.

    Attributes
    ----------
    rest, twice : ndarray of int64, shape (n_atoms,)
    score : ndarray of float64, shape (n_groups,)
        Heap keys of the groups.
    heap : ndarray of int32, shape (n_groups,)
    factor : ndarray of float64, shape (n_groups,)
        Random error of the judgement of each group.
    place : ndarray of int32, shape (n_groups,)
        Position in the heap, -1 if absent.
    out : ndarray of int64, shape (n_columns,)
    log : ndarray of int64, shape (variable,)
        Changes since the last accepted state: column + 1 added, -(column + 1) removed.
    affinity : ndarray of int64, shape (n_groups,)
    met : ndarray of uint8, shape (n_rows,)
        Marks; all 0 between calls.
    """

    rest: NDArray[np.int64]
    twice: NDArray[np.int64]
    score: NDArray[np.float64]
    factor: NDArray[np.float64]
    heap: NDArray[np.int32]
    place: NDArray[np.int32]
    out: NDArray[np.int64]
    log: NDArray[np.int64]
    affinity: NDArray[np.float64]
    met: NDArray[np.uint8]


def make_scratch(layout: Layout) -> Scratch:
    """Return working arrays for a layout.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.

    Returns
    -------
    Scratch
    """
    n_atoms, n_groups, n_columns = len(layout.atom_group), len(layout.fixed), len(layout.cost)
    return Scratch(
        rest=np.zeros(n_atoms, np.int64),
        twice=np.zeros(n_atoms, np.int64),
        score=np.full(n_groups, np.inf),
        factor=np.ones(n_groups),
        heap=np.zeros(n_groups, np.int32),
        place=np.full(n_groups, -1, np.int32),
        out=np.zeros(n_columns + 1, np.int64),
        log=np.zeros(16 * n_columns + 16, np.int64),
        affinity=np.zeros(n_groups),
        met=np.zeros(len(layout.demand), np.uint8),
    )


@nb.njit(cache=True)
def _sift(scratch: Scratch, size: int, position: int) -> None:
    """Restore the heap order around one position."""
    heap, place, score = scratch.heap, scratch.place, scratch.score
    item = heap[position]
    while position > 0:
        parent = (position - 1) // 2
        if score[heap[parent]] <= score[item]:
            break
        heap[position] = heap[parent]
        place[heap[position]] = position
        position = parent
    while True:
        child = 2 * position + 1
        if child >= size:
            break
        if child + 1 < size and score[heap[child + 1]] < score[heap[child]]:
            child += 1
        if score[heap[child]] >= score[item]:
            break
        heap[position] = heap[child]
        place[heap[position]] = position
        position = child
    heap[position] = item
    place[item] = position


@nb.njit(cache=True)
def _pop(scratch: Scratch, size: int) -> int:
    """Take the first item off the heap and return the new size."""
    scratch.place[scratch.heap[0]] = -1
    size -= 1
    if size > 0:
        scratch.heap[0] = scratch.heap[size]
        scratch.place[scratch.heap[0]] = 0
        _sift(scratch, size, 0)
    return size


@nb.njit(cache=True)
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


@nb.njit(cache=True)
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


@nb.njit(cache=True)
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


@nb.njit(cache=True)
def _floor(layout: Layout, state: State, group: int) -> float:
    """Return a value that the ratio of the group's package cannot fall below."""
    total = np.int64(0)
    for atom in range(layout.atom_first[group], layout.atom_first[group + 1]):
        total += state.need[atom] + state.need2[atom]
    state.work[0] += layout.atom_first[group + 1] - layout.atom_first[group]
    if total == 0 or state.used[group] > 0:
        return 0.0
    return layout.fixed[group] / total


@nb.njit(cache=True)
def _push(
    layout: Layout, state: State, scratch: Scratch, group: int, noise: float, size: int
) -> int:
    """Put a group on the heap and return the new size."""
    scratch.factor[group] = 1.0 + noise * draw(state.random)
    scratch.score[group] = _floor(layout, state, group) * scratch.factor[group]
    scratch.heap[size] = group
    scratch.place[group] = size
    _sift(scratch, size + 1, size)
    return size + 1


@nb.njit(cache=True)
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
            if state.need[atom] > 0:
                group = layout.atom_group[atom]
                if scratch.place[group] < 0:
                    size = _push(layout, state, scratch, group, noise, size)
        state.work[0] += len(layout.atom_group) // 8
    while size > 0 and (state.over[0] > 0 or budget < np.inf):
        group = scratch.heap[0]
        ratio, taken = package(
            layout, state, group, budget - state.cost[0], scratch.rest, scratch.twice, scratch.out
        )
        if taken == 0:
            size = _pop(scratch, size)
            continue
        scratch.score[group] = ratio * scratch.factor[group]
        _sift(scratch, size, 0)
        if scratch.heap[0] != group:
            continue
        for t in range(taken):
            add_column(layout, state, scratch.out[t])
            scratch.log[n_log] = scratch.out[t] + 1
            n_log += 1
    while size > 0:
        size = _pop(scratch, size)
    return n_log


@nb.njit(cache=True)
def _loss(layout: Layout, state: State, column: int, room: NDArray) -> float:
    """Return the row weight lost without a column, infinite if a class cannot afford it."""
    lost = 0.0
    room[:] = state.allowed - state.open_weight
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


@nb.njit(cache=True)
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
    room = np.empty(len(state.allowed))
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


@nb.njit(cache=True)
def _close(layout: Layout, state: State, scratch: Scratch, group: int, n_log: int) -> int:
    for column in range(layout.group_start[group], layout.group_start[group + 1]):
        if state.chosen[column]:
            remove_column(layout, state, column)
            scratch.log[n_log] = -(column + 1)
            n_log += 1
    return n_log


@nb.njit(cache=True)
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


@nb.njit(cache=True)
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


@nb.njit(cache=True)
def undo(layout: Layout, state: State, scratch: Scratch, n_log: int) -> None:
    """Take back the logged changes, the last first."""
    for t in range(n_log - 1, -1, -1):
        if scratch.log[t] > 0:
            remove_column(layout, state, scratch.log[t] - 1)
        else:
            add_column(layout, state, -scratch.log[t] - 1)


@nb.njit(cache=True)
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
        return state.open_weight.sum()
    value = state.cost[0]
    if state.over[0] > 0:
        value += penalty * np.maximum(0.0, state.open_weight - state.allowed).sum()
    return value


@nb.njit(cache=True)
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
                best[:] = state.chosen
        else:
            undo(layout, state, scratch, n_log)
    return best_value
