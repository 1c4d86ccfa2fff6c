"""What lights are chosen among: whole equipments of a place, as far as they can be listed.

A pole with one or two of eight lights can be equipped in a few dozen ways. Where all ways are
listed, a row of a minimum counts each by the light that it gives as a whole, at most what is asked,
and the relaxation is much tighter than with lights and poles apart. Places with too many ways keep
lights and poles apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from watchline.design.light_heads import Heads

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Structure = tuple[float, float, IntArray, FloatArray]
MOST_WAYS = 400
"""Ways to equip one place that are listed."""


@dataclass(frozen=True)
class Columns:
    """Columns of the choice, place by place.

    Attributes
    ----------
    place : int64 array [n]
        Place of each column.
    cost : float64 array [n]
        What it costs.
    heads : csr_matrix [n, heads]
        Heads that a column puts up.
    tops : csr_matrix [n, tops]
        Poles that a column puts up.
    listed : bool array [places]
        True: a column is a whole equipment, and a place takes one at most. False: its columns are
        its heads, then its poles.
    number : dict
        Column of each set of heads.
    number_of_top : dict
        Column of each pole that has one of its own.
    """

    place: IntArray
    cost: FloatArray
    heads: csr_matrix
    tops: csr_matrix
    listed: BoolArray
    number: dict[tuple[int, ...], int]
    number_of_top: dict[int, int]

    def taken(self, heads: Heads, x: FloatArray) -> IntArray:
        """Columns that a whole choice of heads is made of."""
        chosen = np.flatnonzero(x > 0.5)
        found: list[int] = []
        for place in np.unique(heads.place[chosen]):
            own = tuple(int(k) for k in chosen[heads.place[chosen] == place])
            if self.listed[place]:
                found.append(self.number[own])
            else:
                found += [self.number[k,] for k in own]
                found += [self.number_of_top[int(top)] for top in np.unique(heads.top[list(own)])]
        return np.array(found, dtype=np.int64)


def make_columns(heads: Heads, most_ways: int = MOST_WAYS) -> Columns:
    """All columns of the heads that are offered."""
    count = len(heads.places)
    listed = np.zeros(count, dtype=bool)
    place: list[int] = []
    cost: list[float] = []
    put_heads: list[tuple[int, ...]] = []
    put_tops: list[tuple[int, ...]] = []
    first = np.searchsorted(heads.place, np.arange(count + 1))
    for at in range(count):
        own = range(int(first[at]), int(first[at + 1]))
        listed[at] = _ways(heads, own) <= most_ways
        for some in _listed(heads, own) if listed[at] else ((k,) for k in own):
            top = int(heads.top[some[0]])
            price = float(heads.cost[list(some)].sum())
            place.append(at)
            put_heads.append(some)
            put_tops.append((top,) if listed[at] else ())
            cost.append(price + (float(heads.top_cost[top]) if listed[at] else 0.0))
        if not listed[at]:
            for top in np.unique(heads.top[first[at] : first[at + 1]]):
                place.append(at)
                put_heads.append(())
                put_tops.append((int(top),))
                cost.append(float(heads.top_cost[top]))
    return Columns(
        np.array(place, dtype=np.int64),
        np.array(cost),
        _sets(put_heads, heads.place.size),
        _sets(put_tops, heads.top_cost.size),
        listed,
        {some: k for k, some in enumerate(put_heads) if some},
        {put_tops[k][0]: k for k, some in enumerate(put_heads) if not some},
    )


def _by_bracket(heads: Heads, own: range) -> dict[int, list[list[int]]]:
    """Heads of each top of a place, bracket by bracket."""
    found: dict[int, dict[int, list[int]]] = {}
    for k in own:
        found.setdefault(int(heads.top[k]), {}).setdefault(int(heads.bracket[k]), []).append(k)
    return {top: list(brackets.values()) for top, brackets in found.items()}


def _ways(heads: Heads, own: range) -> int:
    """In how many ways a place can be equipped."""
    total = 0
    for top, brackets in _by_bracket(heads, own).items():
        room = int(heads.top_room[top])
        ways = [1] + [0] * room
        for one in brackets:
            for size in range(room, 0, -1):
                ways[size] += len(one) * ways[size - 1]
        total += sum(ways) - 1
    return total


def _listed(heads: Heads, own: range) -> list[tuple[int, ...]]:
    """All equipments of a place."""
    return [
        tuple(sorted(some))
        for top, brackets in _by_bracket(heads, own).items()
        for size in range(1, int(heads.top_room[top]) + 1)
        for taken in combinations(brackets, size)
        for some in product(*taken)
    ]


def _sets(members: list[tuple[int, ...]], width: int) -> csr_matrix:
    sizes = [len(some) for some in members]
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    indices = np.array([k for some in members for k in some], dtype=np.int64)
    return csr_matrix((np.ones(indices.size), indices, indptr), shape=(len(members), width))


def structure(heads: Heads, columns: Columns, at: IntArray) -> list[Structure]:
    """Rows that hold whatever is asked, over some columns: lower, upper, index, value.

    A listed place takes one equipment; elsewhere a head needs its pole, a bracket carries one
    head, a pole as many as it has room for, and a place has one height.
    """
    rows: list[Structure] = []
    place = columns.place[at]
    starts = np.flatnonzero(np.concatenate([[True], np.diff(place) != 0])) if place.size else []
    for begin, end in zip(starts, [*starts[1:], place.size], strict=True):
        index = np.arange(begin, end)
        if columns.listed[place[begin]]:
            rows.append((-np.inf, 1.0, index, np.ones(index.size)))
            continue
        poles = index[np.diff(columns.heads.indptr)[at[begin:end]] == 0]
        lights = index[: index.size - poles.size]
        if poles.size > 1:
            rows.append((-np.inf, 1.0, poles, np.ones(poles.size)))
        head = columns.heads[at[lights]].indices
        for pole in poles:
            top = int(columns.tops[at[pole]].indices[0])
            own = lights[heads.top[head] == top]
            brackets = heads.bracket[head[heads.top[head] == top]]
            for bracket in np.unique(brackets):
                members = np.append(own[brackets == bracket], pole)
                rows.append((-np.inf, 0.0, members, np.append(np.ones(members.size - 1), -1.0)))
            room = int(heads.top_room[top])
            if np.unique(brackets).size > room:
                members = np.append(own, pole)
                rows.append((-np.inf, 0.0, members, np.append(np.ones(own.size), -float(room))))
    return rows


def cheapest_places(heads: Heads, columns: Columns, cost: FloatArray) -> FloatArray:
    """Least cost of an equipment of each place at given costs of columns, at most 0, exactly."""
    least = np.zeros(len(heads.places))
    by_equipment = columns.listed[columns.place]
    np.minimum.at(least, columns.place[by_equipment], cost[by_equipment])
    if columns.listed.all():
        return least
    apart = np.flatnonzero(~by_equipment)
    is_top = np.diff(columns.heads.indptr)[apart] == 0
    pole_columns, head_columns = apart[is_top], apart[~is_top]
    top_cost = np.full(heads.top_cost.size, np.inf)
    top_cost[columns.tops[pole_columns].indices] = cost[pole_columns]
    head, price = columns.heads[head_columns].indices, cost[head_columns]
    order = np.lexsort((price, heads.bracket[head], heads.top[head]))
    head, price = head[order], price[order]
    first = np.ones(head.size, dtype=bool)
    first[1:] = (np.diff(heads.top[head]) != 0) | (np.diff(heads.bracket[head]) != 0)
    used: dict[int, int] = {}
    head, price = head[first], price[first]
    for k in np.argsort(price, kind="stable"):
        top = int(heads.top[head[k]])
        if price[k] < 0 and used.get(top, 0) < heads.top_room[top]:
            top_cost[top] += price[k]
            used[top] = used.get(top, 0) + 1
    finite = np.isfinite(top_cost)
    np.minimum.at(least, heads.top_place[finite], top_cost[finite])
    return least
