"""The moving state of a choice of columns and its elementary changes (numba kernels)."""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.layout import Layout


class State(NamedTuple):
    """A choice of columns with everything that the search reads, kept up to date.

    Attributes
    ----------
    chosen : ndarray of uint8, shape (n_columns,)
        1 where a column (layout order) is chosen.
    used : ndarray of int32, shape (n_groups,)
        Chosen columns of each group.
    site_used : ndarray of int32, shape (n_sites,)
        Groups in use at each site.
    count : ndarray of int32, shape (n_atoms,)
        Chosen columns that cover each atom.
    lack : ndarray of int32, shape (n_rows,)
        Demand minus counted views; above 0 = not covered.
    need : ndarray of int64, shape (n_atoms,)
        Search weight of the rows to which one more view of the atom's group counts.
    need2 : ndarray of int64, shape (n_atoms,)
        Search weight of the rows to which a second further view would count as well.
    weight : ndarray of int64, shape (n_rows,)
        Search weight of each row (not the row weight of the shares); 0 while it sleeps.
    reserve : ndarray of int64, shape (n_rows,)
        Search weight that a sleeping row gets when it wakes; 0 if it is not worth covering.
    open_weight : ndarray of float64, shape (n_classes,)
        Row weight that is not covered, per class.
    allowed : ndarray of float64, shape (n_classes,)
        Row weight that may stay uncovered, per class.
    over : ndarray of int64, shape (1,)
        Number of classes above their allowance: 0 = the choice is feasible.
    cost : ndarray of float64, shape (1,)
        Cost of the choice.
    work : ndarray of int64, shape (1,)
        Elementary steps done.
    random : ndarray of uint64, shape (1,)
        State of the random numbers.
    """

    chosen: NDArray[np.uint8]
    used: NDArray[np.int32]
    site_used: NDArray[np.int32]
    count: NDArray[np.int32]
    lack: NDArray[np.int32]
    need: NDArray[np.int64]
    need2: NDArray[np.int64]
    weight: NDArray[np.int64]
    reserve: NDArray[np.int64]
    open_weight: NDArray[np.float64]
    allowed: NDArray[np.float64]
    over: NDArray[np.int64]
    cost: NDArray[np.float64]
    work: NDArray[np.int64]
    random: NDArray[np.uint64]


@nb.njit(cache=True)
def _needs(layout: Layout, weight: NDArray) -> tuple:
    """Return the needs of every atom while nothing is chosen."""
    need = np.zeros(len(layout.atom_group), np.int64)
    need2 = np.zeros(len(layout.atom_group), np.int64)
    for atom in range(len(need)):
        for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
            row = layout.atom_row[p]
            need[atom] += weight[row]
            if layout.demand[row] > 1 and layout.atom_cap[atom] >= 2:
                need2[atom] += weight[row]
    return need, need2


def make_state(
    layout: Layout,
    weight: NDArray[np.int64],
    awake: NDArray[np.bool_],
    allowed: NDArray[np.float64],
    seed: int,
) -> State:
    """Return the state of the empty choice.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.
    weight : ndarray of int64, shape (n_rows,)
        Search weight of each row; 0 for rows that are not worth covering.
    awake : ndarray of bool, shape (n_rows,)
        Rows that guide the search from the start. The others sleep: they count for feasibility
        but not for gains, until the search leaves one of them uncovered and wakes it. Most rows
        are covered along with others, and never wake.
    allowed : ndarray of float64, shape (n_classes,)
        Row weight that may stay uncovered, per class.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    State
    """
    n_atoms = len(layout.atom_group)
    open_rows = layout.demand > 0
    open_weight = np.bincount(
        layout.row_class[open_rows], layout.row_weight[open_rows], minlength=len(allowed)
    )
    reserve = np.where(open_rows, weight, 0).astype(np.int64)
    useful = np.where(awake, reserve, 0)
    need, need2 = _needs(layout, useful)
    return State(
        chosen=np.zeros(len(layout.cost), np.uint8),
        used=np.zeros(len(layout.fixed), np.int32),
        site_used=np.zeros(int(layout.site.max(initial=-1)) + 1, np.int32),
        count=np.zeros(n_atoms, np.int32),
        lack=layout.demand.copy(),
        need=need,
        need2=need2,
        weight=useful,
        reserve=reserve,
        open_weight=open_weight.astype(np.float64),
        allowed=allowed.astype(np.float64),
        over=np.array([int(np.sum(open_weight > allowed))], np.int64),
        cost=np.zeros(1),
        work=np.zeros(1, np.int64),
        random=np.array([(seed * 2 + 1) * 0x9E3779B97F4A7C15 % 2**64], np.uint64),
    )


@nb.njit(cache=True)
def draw(random: NDArray) -> float:
    """Return a uniform random number in [0, 1) (xorshift64*, Vigna 2016)."""
    x = random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    random[0] = x
    return ((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@nb.njit(cache=True)
def _shift_open(state: State, kind: int, change: float) -> None:
    before = state.open_weight[kind] > state.allowed[kind]
    state.open_weight[kind] += change
    after = state.open_weight[kind] > state.allowed[kind]
    state.over[0] += int(after) - int(before)


@nb.njit(cache=True)
def add_column(layout: Layout, state: State, column: int) -> None:
    """Choose a column (layout order) that is not chosen."""
    group = layout.column_group[column]
    state.chosen[column] = 1
    state.cost[0] += layout.cost[column]
    if state.used[group] == 0:
        state.cost[0] += layout.fixed[group]
        if layout.site[group] >= 0:
            state.site_used[layout.site[group]] += 1
    state.used[group] += 1
    for link in range(layout.column_start[column], layout.column_start[column + 1]):
        atom = layout.column_atom[link]
        before = state.count[atom]
        if before < layout.atom_cap[atom]:
            for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
                row = layout.atom_row[p]
                lack = state.lack[row]
                state.lack[row] = lack - 1
                weight = state.weight[row]
                if lack == 1:
                    _shift_open(state, layout.row_class[row], -layout.row_weight[row])
                    if weight > 0:
                        state.work[0] += layout.row_start[row + 1] - layout.row_start[row]
                        for q in range(layout.row_start[row], layout.row_start[row + 1]):
                            other = layout.row_atom[q]
                            if state.count[other] < layout.atom_cap[other]:
                                state.need[other] -= weight
                elif lack == 2 and weight > 0 and layout.row_cap[row] > 1:
                    for q in range(layout.row_start[row], layout.row_start[row + 1]):
                        other = layout.row_atom[q]
                        if state.count[other] + 2 <= layout.atom_cap[other]:
                            state.need2[other] -= weight
            if before + 1 >= layout.atom_cap[atom]:
                state.need[atom] = 0
            if before + 3 > layout.atom_cap[atom]:
                state.need2[atom] = 0
        state.count[atom] = before + 1


@nb.njit(cache=True)
def remove_column(layout: Layout, state: State, column: int) -> None:
    """Give up a chosen column (layout order)."""
    group = layout.column_group[column]
    state.chosen[column] = 0
    state.cost[0] -= layout.cost[column]
    state.used[group] -= 1
    if state.used[group] == 0:
        state.cost[0] -= layout.fixed[group]
        if layout.site[group] >= 0:
            state.site_used[layout.site[group]] -= 1
    for link in range(layout.column_start[column], layout.column_start[column + 1]):
        atom = layout.column_atom[link]
        after = state.count[atom] - 1
        state.count[atom] = after
        if after >= layout.atom_cap[atom]:
            continue
        once, twice = np.int64(0), np.int64(0)
        for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
            lack = state.lack[layout.atom_row[p]]
            if lack >= 1:
                once += state.weight[layout.atom_row[p]]
            if lack >= 2:
                twice += state.weight[layout.atom_row[p]]
        state.need[atom] = once
        state.need2[atom] = twice if after + 2 <= layout.atom_cap[atom] else 0
        for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
            row = layout.atom_row[p]
            lack = state.lack[row] + 1
            state.lack[row] = lack
            weight = state.weight[row]
            if lack == 1:
                _shift_open(state, layout.row_class[row], layout.row_weight[row])
                if weight > 0:
                    state.work[0] += layout.row_start[row + 1] - layout.row_start[row]
                    for q in range(layout.row_start[row], layout.row_start[row + 1]):
                        other = layout.row_atom[q]
                        if state.count[other] < layout.atom_cap[other]:
                            state.need[other] += weight
            elif lack == 2 and weight > 0 and layout.row_cap[row] > 1:
                for q in range(layout.row_start[row], layout.row_start[row + 1]):
                    other = layout.row_atom[q]
                    if state.count[other] + 2 <= layout.atom_cap[other]:
                        state.need2[other] += weight


@nb.njit(cache=True)
def wake(layout: Layout, state: State, row: int) -> None:
    """Give a sleeping row its search weight."""
    weight = state.reserve[row]
    state.weight[row] = weight
    if state.lack[row] <= 0:
        return
    for q in range(layout.row_start[row], layout.row_start[row + 1]):
        atom = layout.row_atom[q]
        if state.count[atom] < layout.atom_cap[atom]:
            state.need[atom] += weight
        if state.lack[row] > 1 and state.count[atom] + 2 <= layout.atom_cap[atom]:
            state.need2[atom] += weight


def put(layout: Layout, state: State, columns: NDArray[np.int64], budget: float) -> None:
    """Choose columns one after the other, skipping what site, capacity or budget forbid.

    Parameters
    ----------
    layout, state
        The problem and the choice.
    columns : ndarray of int64
        Columns (layout order).
    budget : float
        The most that the choice may cost.
    """
    for column in columns:
        group = layout.column_group[column]
        fresh = state.used[group] == 0
        taken = layout.site[group] >= 0 and state.site_used[layout.site[group]] > 0
        extra = layout.cost[column] + (layout.fixed[group] if fresh else 0.0)
        if (fresh and taken) or state.used[group] >= layout.capacity[group]:
            continue
        if state.cost[0] + extra <= budget:
            add_column(layout, state, column)


@nb.njit(cache=True)
def package(
    layout: Layout,
    state: State,
    group: int,
    budget: float,
    rest: NDArray,
    twice: NDArray,
    out: NDArray,
) -> tuple:
    """Find the columns of a group that cover most per cost, its fixed cost shared among them.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.
    state : State
        The present choice.
    group : int
        The group.
    budget : float
        The most that the columns and the group's fixed cost may cost.
    rest, twice : ndarray of int64, shape (n_atoms,)
        Scratch for the needs left inside the group.
    out : ndarray of int64
        Receives the columns.

    Returns
    -------
    ratio : float
        Cost per unit of search weight; infinite if nothing can be gained.
    n : int
        Number of columns in ``out``.
    """
    first, last = layout.group_start[group], layout.group_start[group + 1]
    begin, end = layout.atom_first[group], layout.atom_first[group + 1]
    room = layout.capacity[group] - state.used[group]
    cost = 0.0
    if state.used[group] == 0:
        cost = layout.fixed[group]
        if layout.site[group] >= 0 and state.site_used[layout.site[group]] > 0:
            return np.inf, 0
    for atom in range(begin, end):
        rest[atom] = state.need[atom]
        twice[atom] = state.need2[atom]
    gain = np.int64(0)
    best = np.inf
    taken = 0
    while taken < room:
        pick, pick_ratio, pick_gain = -1, np.inf, np.int64(0)
        for column in range(first, last):
            if state.chosen[column]:
                continue
            more = np.int64(0)
            for link in range(layout.column_start[column], layout.column_start[column + 1]):
                more += rest[layout.column_atom[link]]
            if more <= 0 or cost + layout.cost[column] > budget:
                continue
            ratio = layout.cost[column] / more
            if ratio < pick_ratio:
                pick, pick_ratio, pick_gain = column, ratio, more
        if pick < 0:
            break
        ratio = (cost + layout.cost[pick]) / (gain + pick_gain)
        if ratio >= best:
            break
        best = ratio
        cost += layout.cost[pick]
        gain += pick_gain
        out[taken] = pick
        state.chosen[pick] = 2
        taken += 1
        for link in range(layout.column_start[pick], layout.column_start[pick + 1]):
            atom = layout.column_atom[link]
            rest[atom] = twice[atom]
            twice[atom] = 0
    for t in range(taken):
        state.chosen[out[t]] = 0
    links = layout.column_start[last] - layout.column_start[first]
    state.work[0] += links * (taken + 1)
    return best, taken
