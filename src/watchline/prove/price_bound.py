"""The bound that prices prove, in integers: what the checker of certificates works out.

With λ_i the price of a view of row i, μ_r the price of missed weight of class r, and σ_C the price
of a view of the rows that a group sees through exactly the columns C, every choice costs at least

    Σ_i min(k_i λ_i, μ_r(i) w_i) − Σ_r μ_r A_r + Σ_sites min(0, least v_m at the site),
    v_m = F_m − Σ_C e_C max(0, Λ_C − σ_C) − Σ_j max(0, Σ_{C∋j} σ_C − c_j),

Λ_C the sum of λ over these rows and e_C the most views that they can get from the group.

A certificate may go through cases besides: a ``tree`` asks whether a group, or a column, is in use,
and goes on below each answer; its leaves have prices of their own. Whatever a choice is, it falls
under one leaf, so that the least value of a leaf is a bound. There, a group in use counts with its
v_m whatever its sign, and no other group of its site counts; a group that is not in use counts
nothing. A column in use counts c_j − Σ_{C∋j} σ_C, one that is not counts nothing. A tree may also
ask whether *any* of some groups is in use. If none is, none of them counts; if one is, a price
π ≥ 0 may be put on that: π is added, and taken from v_m of each of these groups.

A certificate may also cut a long line into ``windows``, each with shares of the groups' and the
columns' costs and a tree that proves what every choice costs at least at these shares. The shares
of a cost add up to no more than it, which is checked, so that the sum of these least costs is a
bound for the whole.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

SCALE = 2**20
"""Prices are whole multiples of 1 / SCALE."""
Key = tuple[int, int, tuple[int, ...]]
"""A group, a cap, and columns of the group that see some rows."""


@dataclass(frozen=True)
class CoverData:
    """The problem with every default filled in."""

    costs: NDArray[np.float64]
    matrix: sparse.csc_array
    demand: NDArray[np.int64]
    groups: NDArray[np.int64]
    group_costs: NDArray[np.float64]
    sites: NDArray[np.int64]
    cap: NDArray[np.int64]
    weight: NDArray[np.float64]
    kind: NDArray[np.int64]
    allowed: NDArray[np.float64]
    capacity: NDArray[np.int64]
    budget: float | None


def _price(value: Any, faults: list[str]) -> int:
    """Return a price in whole multiples of 1 / SCALE."""
    number = float(value)
    if not math.isfinite(number) or number < 0 or number > 2**40:
        faults.append(f"A price is {number}.")
        return 0
    return math.floor(number * SCALE)


def proven_bound(data: CoverData, certificate: Mapping[str, Any], faults: list[str]) -> float:
    """Return the bound that a certificate's prices prove, worked out in integers.

    Parameters
    ----------
    data : CoverData
        The problem.
    certificate : mapping
        With ``rows``, ``classes``, ``cuts`` and perhaps ``tree`` and ``tree_cuts``.
    faults : list of str
        Receives a sentence for each price or question that makes no sense.

    Returns
    -------
    float
        In budget mode the most weight that can be covered, else the least cost.
    """
    seen = _Seen(data)
    bound = _value(seen, certificate, _Case(), faults)
    tree = certificate.get("tree")
    if data.budget is None:
        if tree is not None:
            bound = max(bound, _least_leaf(seen, tree, certificate, faults))
        if certificate.get("windows"):
            bound = max(bound, _sum_of_windows(seen, certificate, faults))
        return max(0.0, float(bound / SCALE))
    # cost + μ · missed ≥ bound and cost ≤ budget: missed ≥ (bound − budget) / μ.
    miss = _prices_of_classes(data, certificate, faults)
    total = math.fsum(data.weight[data.demand > 0].tolist())
    if miss[0] == 0:
        return total
    lost = (bound - Fraction(float(data.budget or 0.0)) * SCALE) / miss[0]
    return total - max(0.0, float(lost))


@dataclass(frozen=True)
class _Case:
    """What is taken for granted below some answers of a tree."""

    groups: Mapping[int, bool] = field(default_factory=dict)
    columns: Mapping[int, bool] = field(default_factory=dict)
    sets: Mapping[int, bool] = field(default_factory=dict)


def _sum_of_windows(seen: _Seen, certificate: Mapping[str, Any], faults: list[str]) -> Fraction:
    """Return the sum of what the windows prove; name shares that add up to too much."""
    data, total = seen.data, Fraction(0)
    left = {
        "groups": [math.floor(Fraction(float(f)) * SCALE) for f in data.group_costs],
        "columns": [math.floor(Fraction(float(c)) * SCALE) for c in data.costs],
    }
    for window in certificate["windows"]:
        shares = {}
        for kind, rest in left.items():
            shares[kind] = np.zeros(len(rest))
            for number, value in window[kind]:
                place, share = int(number), _price(value, faults)
                if not 0 <= place < len(rest):
                    faults.append(f"A window has a share of {kind} {place}, which do not exist.")
                    return Fraction(0)
                rest[place] -= share
                shares[kind][place] += share / SCALE
        priced = seen.at(shares["groups"], shares["columns"])
        # No choice costs less than nothing.
        total += max(Fraction(0), _least_leaf(priced, window["tree"], certificate, faults))
    for kind, rest in left.items():
        over = [place for place, value in enumerate(rest) if value < 0]
        if over:
            faults.append(f"The windows' shares of {kind} {over[0]} add up to more than its cost.")
            return Fraction(0)
    return total


def _least_leaf(
    seen: _Seen, tree: Mapping[str, Any], certificate: Mapping[str, Any], faults: list[str]
) -> Fraction:
    """Return the least value of the leaves of a tree (without recursion: trees may be deep)."""
    least: Fraction | None = None
    cuts, told_sets = certificate.get("tree_cuts", []), certificate.get("tree_sets", [])
    named = [(int(g), int(cap), [int(j) for j in columns]) for g, cap, columns in cuts]
    sets = [sorted({int(g) for g in groups}) for groups in told_sets]
    count = {
        "group": len(seen.data.group_costs),
        "column": len(seen.data.costs),
        "any": len(sets),
    }
    waiting: list[tuple[Mapping[str, Any], _Case]] = [(tree, _Case())]
    while waiting:
        node, case = waiting.pop()
        kind = next((name for name in count if name in node and "rows" not in node), None)
        if kind is None:
            places = [int(place) for place, _ in node.get("cuts", [])]
            if any(not 0 <= place < len(named) for place in places):
                faults.append("A leaf of the tree names a cut that is not listed.")
                return Fraction(0)
            prices = [price for _, price in node.get("cuts", [])]
            told = [(*named[place], price) for place, price in zip(places, prices, strict=True)]
            asked = {int(place): price for place, price in node.get("any", [])}
            if any(case.sets.get(place) is not True for place in asked):
                faults.append("A leaf of the tree prices groups of which none need be in use.")
                return Fraction(0)
            some = [(sets[place], price) for place, price in asked.items()]
            value = _value(seen, {**node, "cuts": told, "some": some}, case, faults)
            least = value if least is None else min(least, value)
            continue
        item = int(node[kind])
        held = {"group": case.groups, "column": case.columns, "any": case.sets}[kind]
        if not 0 <= item < count[kind] or item in held:
            faults.append(f"The tree asks for the {kind} {item}, which is unknown or was asked.")
            return Fraction(0)
        if "used" not in node or "unused" not in node:
            faults.append(f"The tree forgets what follows if the {kind} {item} is (not) in use.")
            return Fraction(0)
        for answer in (True, False):
            more = {**held, item: answer}
            if kind == "group":
                below = replace(case, groups=more)
            elif kind == "column":
                below = replace(case, columns=more)
            else:
                # One known to be in use stays so: such a case is empty, and any value holds.
                none = {g: case.groups.get(g, False) for g in sets[item]}
                groups = case.groups if answer else {**case.groups, **none}
                below = replace(case, sets=more, groups=groups)
            waiting.append((node["used" if answer else "unused"], below))
    return least if least is not None else Fraction(0)


def _prices_of_classes(data: CoverData, prices: Mapping[str, Any], faults: list[str]) -> list[int]:
    miss = [_price(value, faults) for value in prices.get("classes", [])]
    return miss + [0] * (len(data.allowed) - len(miss))


def _value(seen: _Seen, prices: Mapping[str, Any], case: _Case, faults: list[str]) -> Fraction:
    """Return SCALE times the cost that prices prove in a case."""
    data = seen.data
    row_price: dict[int, int] = {}
    for row, value in prices.get("rows", []):
        if not 0 <= int(row) < len(data.demand):
            faults.append(f"A price names the row {row}, which does not exist.")
            continue
        row_price[int(row)] = _price(value, faults)
    cut_price: dict[Key, int] = {}
    paid: dict[int, int] = defaultdict(int)
    for group, cap, members, value in prices.get("cuts", []):
        price = _price(value, faults)
        cut_price[int(group), int(cap), tuple(sorted(int(j) for j in members))] = price
        for column in members:
            paid[int(column)] += price
    miss = _prices_of_classes(data, prices, faults)

    value = [int(f) for f in np.floor(data.group_costs * SCALE).astype(object)]
    for group, spent in seen.spent(row_price, cut_price).items():
        value[group] -= spent
    some_worth = 0
    for members, told in prices.get("some", []):
        price = _price(told, faults)
        some_worth += price
        for group in members:
            if not 0 <= group < len(value):
                faults.append(f"A set names the group {group}, which does not exist.")
                return Fraction(0)
            value[group] -= price
    over: dict[int, list[int]] = defaultdict(list)
    room = data.capacity.tolist()
    for column in {*paid, *(j for j, used in case.columns.items() if used)}:
        if not 0 <= column < len(data.costs) or case.columns.get(column) is False:
            continue
        group, extra = int(data.groups[column]), paid[column]
        extra -= math.floor(data.costs[column] * SCALE)
        if case.columns.get(column):
            value[group] -= extra
            room[group] -= 1
        else:
            over[group].append(max(0, extra))
    for group, extras in over.items():
        value[group] -= sum(sorted(extras, reverse=True)[: max(0, room[group])])
    return _at_sites(data, value, case) + _of_rows(data, row_price, miss) + some_worth


def _at_sites(data: CoverData, value: Sequence[int], case: _Case) -> int:
    """Return what the groups add: those in use all, of the others the best of each site."""
    in_use = {group for group, used in case.groups.items() if used}
    # A column in use has its group in use, whether or not the tree asked for it.
    in_use |= {int(data.groups[column]) for column, used in case.columns.items() if used}
    taken = {int(data.sites[group]) for group in in_use} - {-1}
    worst: dict[int, int] = defaultdict(int)
    for group, amount in enumerate(value):
        place = int(data.sites[group])
        if group in in_use or place in taken or case.groups.get(group) is False:
            continue
        key = place if place >= 0 else -1 - group
        worst[key] = min(worst[key], amount)
    return sum(worst.values()) + sum(value[group] for group in in_use)


def _of_rows(data: CoverData, row_price: Mapping[int, int], miss: Sequence[int]) -> Fraction:
    """Return what the rows are worth, less what may stay uncovered."""
    worth_of_all = Fraction(0)
    soft = data.budget is not None
    for row, price in row_price.items():
        worth = Fraction(int(data.demand[row]) * price)
        kind = int(data.kind[row])
        if soft or data.allowed[kind] > 0:
            worth = min(worth, miss[0 if soft else kind] * Fraction(float(data.weight[row])))
        worth_of_all += worth
    if not soft:
        for kind, allowed in enumerate(data.allowed):
            worth_of_all -= miss[kind] * Fraction(float(allowed)) if allowed > 0 else 0
    return worth_of_all


class _Seen:
    """Which columns of each group see a row, looked up once a row."""

    def __init__(self, data: CoverData) -> None:
        self.data = data
        self._rows = sparse.csr_array(data.matrix)
        self._rows.sort_indices()
        self._keys: dict[int, list[Key]] = {}

    def at(self, group_costs: NDArray[np.float64], costs: NDArray[np.float64]) -> _Seen:
        """Return the same at other costs."""
        other = copy(self)
        other.data = replace(self.data, group_costs=group_costs, costs=costs)
        return other

    def keys(self, row: int) -> list[Key]:
        """Return group, cap and columns of every group that sees a row."""
        if row not in self._keys:
            start, end = self._rows.indptr[row], self._rows.indptr[row + 1]
            columns = self._rows.indices[start:end]
            owner = self.data.groups[columns]
            rank = np.argsort(owner, kind="stable")
            edges = np.flatnonzero(np.diff(owner[rank])) + 1
            cap = int(self.data.cap[row])
            self._keys[row] = [
                (int(self.data.groups[members[0]]), cap, tuple(members.tolist()))
                for members in np.split(columns[rank], edges)
                if len(members)
            ]
        return self._keys[row]

    def spent(self, row_price: Mapping[int, int], cut_price: Mapping[Key, int]) -> dict[int, int]:
        """Return Σ_C e_C max(0, Λ_C − σ_C) of every group that sees a priced row."""
        sums: dict[Key, int] = defaultdict(int)
        for row, price in row_price.items():
            if price > 0:
                for key in self.keys(row):
                    sums[key] += price
        spent: dict[int, int] = defaultdict(int)
        for key, total in sums.items():
            group, cap, members = key
            most = min(cap, len(members), int(self.data.capacity[group]))
            spent[group] += most * max(0, total - cut_price.get(key, 0))
        return spent
