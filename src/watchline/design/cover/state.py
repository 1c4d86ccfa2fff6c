"""The moving state of a choice of columns and its elementary changes (numba kernels)."""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.layout import Layout
from watchline.kernels.borrows import BORROWS


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
        Search weight of the rows that are open: to them one more view of the atom's group counts,
        if the atom has room for it.
    need2 : ndarray of int64, shape (n_atoms,)
        Search weight of those to which a second further view would count as well.
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
            if layout.demand[row] > 1 and layout.row_cap[row] > 1:
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


@nb.njit(**BORROWS)
def draw(random: NDArray) -> float:
    """Return a uniform random number in [0, 1) (xorshift64*, Vigna 2016)."""
    x = random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    random[0] = x
    return ((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@nb.njit(**BORROWS)
def _shift_open(state: State, kind: int, change: float) -> None:
    before = state.open_weight[kind] > state.allowed[kind]
    state.open_weight[kind] += change
    after = state.open_weight[kind] > state.allowed[kind]
    state.over[0] += int(after) - int(before)


@nb.njit(**BORROWS)
def _shift_needs(layout: Layout, state: State, row: int, lack: int, sign: int) -> None:
    """Tell a row's atoms that it gains a view (``sign`` -1) or loses one (1).

    ``lack`` is what it lacks with the view fewer.
    """
    weight = sign * state.weight[row]
    if lack == 1:
        _shift_open(state, layout.row_class[row], sign * layout.row_weight[row])
        if weight != 0:
            state.work[0] += layout.row_start[row + 1] - layout.row_start[row]
            for q in range(layout.row_start[row], layout.row_start[row + 1]):
                state.need[layout.row_atom[q]] += weight
    elif lack == 2 and weight != 0 and layout.row_cap[row] > 1:
        for q in range(layout.row_start[row], layout.row_start[row + 1]):
            state.need2[layout.row_atom[q]] += weight


@nb.njit(**BORROWS)
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
                _shift_needs(layout, state, row, lack, -1)
        state.count[atom] = before + 1


@nb.njit(**BORROWS)
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
        for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
            row = layout.atom_row[p]
            lack = state.lack[row] + 1
            state.lack[row] = lack
            _shift_needs(layout, state, row, lack, 1)


@nb.njit(**BORROWS)
def wake(layout: Layout, state: State, row: int) -> None:
    """Give a sleeping row its search weight."""
    weight = state.reserve[row]
    state.weight[row] = weight
    if state.lack[row] <= 0:
        return
    for q in range(layout.row_start[row], layout.row_start[row + 1]):
        state.need[layout.row_atom[q]] += weight
        if state.lack[row] > 1 and layout.row_cap[row] > 1:
            state.need2[layout.row_atom[q]] += weight


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


@nb.njit(**BORROWS)
def first_and_second(layout: Layout, state: State, atom: int) -> tuple:
    """Return the search weight that one more view of an atom covers, and that a second adds.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.
    state : State
        The present choice.
    atom : int
        The atom.

    Returns
    -------
    first, second : int64
        0 where the atom has no room for a view.
    """
    room = layout.atom_cap[atom] - state.count[atom]
    if room <= 0:
        return np.int64(0), np.int64(0)
    return state.need[atom], state.need2[atom] if room > 1 else np.int64(0)


@nb.njit(**BORROWS)
def package(
    layout: Layout,
    state: State,
    group: int,
    budget: float,
    rest: NDArray,
    twice: NDArray,
    gain: NDArray,
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
    gain : ndarray of int64, shape (n_columns,)
        Scratch for what each column covers; all 0 between calls.
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
    steps = end - begin
    for atom in range(begin, end):
        once, again = first_and_second(layout, state, atom)
        rest[atom], twice[atom] = once, again
        if once > 0:
            steps += layout.member_start[atom + 1] - layout.member_start[atom]
            for t in range(layout.member_start[atom], layout.member_start[atom + 1]):
                gain[layout.member_column[t]] += once
    total = np.int64(0)
    best = np.inf
    taken = 0
    while taken < room:
        pick, pick_ratio = -1, np.inf
        for column in range(first, last):
            more = gain[column]
            if more <= 0 or state.chosen[column] or cost + layout.cost[column] > budget:
                continue
            ratio = layout.cost[column] / more
            if ratio < pick_ratio:
                pick, pick_ratio = column, ratio
        steps += last - first
        if pick < 0:
            break
        ratio = (cost + layout.cost[pick]) / (total + gain[pick])
        if ratio >= best:
            break
        best = ratio
        cost += layout.cost[pick]
        total += gain[pick]
        out[taken] = pick
        state.chosen[pick] = 2
        taken += 1
        for link in range(layout.column_start[pick], layout.column_start[pick + 1]):
            atom = layout.column_atom[link]
            less = rest[atom] - twice[atom]
            if less != 0:
                steps += layout.member_start[atom + 1] - layout.member_start[atom]
                for t in range(layout.member_start[atom], layout.member_start[atom + 1]):
                    gain[layout.member_column[t]] -= less
            rest[atom] = twice[atom]
            twice[atom] = 0
    for t in range(taken):
        state.chosen[out[t]] = 0
    gain[first:last] = 0
    state.work[0] += steps
    return best, taken
