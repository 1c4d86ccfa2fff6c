"""The certificate of a solution: everything another program needs to check cost and bound."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.problem import CoverProblem
from watchline.design.cover.solution import CoverSolution, PriceSet, PriceTree, PriceWindow

DIGITS = 7
"""Decimals of the prices in a tree."""


def _rising_rows(problem: CoverProblem) -> Iterator[NDArray[np.int32]]:
    """Yield the rows of the columns in rising order, a million entries at a time."""
    start = problem.indptr
    first = 0
    while first < problem.n_columns:
        last = int(np.searchsorted(start, start[first] + 1_000_000, side="right")) - 1
        last = min(max(last, first + 1), problem.n_columns)
        rows = problem.indices[start[first] : start[last]]
        column = np.repeat(np.arange(last - first), np.diff(start[first : last + 1]))
        yield np.ascontiguousarray(rows[np.lexsort((rows, column))], "<i4")
        first = last


def problem_digest(problem: CoverProblem) -> str:
    """Return the SHA-256 of a problem's arrays, in little-endian bytes one after the other.

    Parameters
    ----------
    problem : CoverProblem
        The problem.

    Returns
    -------
    str
        Hexadecimal digest of: costs (float64), start of each column (int64), rows of the columns
        in rising order (int32), demand (int32), group of each column (int32), group costs
        (float64), site, capacity, row caps (int32), row weights (float64), row classes (int32),
        allowed uncovered weight (float64), budget (float64, NaN for none).
    """
    digest = hashlib.sha256()
    budget = np.nan if problem.budget is None else problem.budget
    for array, kind in (
        (problem.costs, "<f8"),
        (problem.indptr, "<i8"),
        (problem.indices, "<i4"),
        (problem.demand, "<i4"),
        (problem.group, "<i4"),
        (problem.group_costs, "<f8"),
        (problem.site, "<i4"),
        (problem.capacity, "<i4"),
        (problem.row_cap, "<i4"),
        (problem.row_weight, "<f8"),
        (problem.row_class, "<i4"),
        (problem.allowed, "<f8"),
        (np.array([budget]), "<f8"),
    ):
        if array is problem.indices:
            for part in _rising_rows(problem):
                digest.update(part.data)
        else:
            digest.update(np.ascontiguousarray(array, kind).data)
    return digest.hexdigest()


def make_certificate(problem: CoverProblem, solution: CoverSolution) -> dict[str, Any]:
    """Write what proves a solution's cost and bound as plain values (JSON).

    Parameters
    ----------
    problem : CoverProblem
        The problem (:func:`watchline.design.cover.make_problem`).
    solution : CoverSolution
        Its solution.

    Returns
    -------
    dict
        ``chosen`` and ``cost``; ``bound``: what the prices prove (in budget mode the most weight
        that can be covered); ``rows``: ``[row, price]`` pairs; ``classes``: the price of missed
        weight; ``cuts``: ``[group, cap, [columns…], price]``; ``tree``, where it proves more than
        these prices: a leaf with ``rows``, ``classes`` and ``cuts`` of its own, ``[place in
        tree_cuts, price]``, or a ``group`` or ``column`` with the trees that follow if it is
        ``used`` and if it is ``unused``; ``tree_cuts``: ``[group, cap, [columns…]]``; ``windows``,
        where they prove more than these: for each its ``groups`` and ``columns`` as ``[number,
        share of the cost]`` and its ``tree``, which may ask for ``any`` groups of a set, by its
        place in ``tree_sets``, and whose leaves may price one in ``any``;
        ``problem``: the digest of the problem that it belongs to; ``claimed_bound``: the bound of
        the solution, which HiGHS may have raised above ``bound`` and which the certificate does
        not prove.
    """
    priced = np.flatnonzero(solution.row_duals)
    root = PriceSet(priced, solution.row_duals[priced], solution.cut_duals, solution.class_duals)
    tree = solution.price_tree
    in_budget = problem.budget is not None
    return {
        "schema_version": 1,
        "problem": problem_digest(problem),
        "chosen": solution.chosen.tolist(),
        "cost": solution.cost,
        "bound": solution.price_bound,
        "claimed_bound": solution.weight_bound if in_budget else solution.lower_bound,
        "rows": _stated_rows(root),
        "classes": root.classes.tolist(),
        "cuts": [
            [group, cap, list(columns), price]
            for (group, columns, cap), price in sorted(root.cuts.items())
        ],
        **_stated_trees(tree, solution.price_windows),
    }


def _stated_rows(prices: PriceSet) -> list[list[float]]:
    return [list(one) for one in zip(prices.numbers.tolist(), prices.rows.tolist(), strict=True)]


def _stated_trees(tree: PriceTree | None, windows: Sequence[PriceWindow]) -> dict[str, Any]:
    """Return trees as plain values: leaves name cuts and sets by their places in two lists."""
    if tree is None and not windows:
        return {}
    cut_place: dict[tuple[int, tuple[int, ...], int], int] = {}
    set_place: dict[tuple[int, ...], int] = {}

    def stated(node: PriceTree) -> dict[str, Any]:
        if node.prices is None:
            asked = {"group": node.group} if node.column is None else {"column": node.column}
            if node.any_of is not None:
                asked = {"any": set_place.setdefault(node.any_of, len(set_place))}
            return {**asked, "used": stated(node.used), "unused": stated(node.unused)}
        prices = node.prices
        # The checker rounds prices to 2⁻²⁰: more digits would be written for nothing.
        cuts = [
            [cut_place.setdefault(key, len(cut_place)), round(price, DIGITS)]
            for key, price in sorted(prices.cuts.items())
            if round(price, DIGITS) > 0
        ]
        rows = [[row, round(price, DIGITS)] for row, price in _stated_rows(prices)]
        told = {"rows": rows, "classes": prices.classes.tolist(), "cuts": cuts}
        if prices.any_of:
            told["any"] = [
                [set_place.setdefault(groups, len(set_place)), round(price, DIGITS)]
                for groups, price in prices.any_of.items()
            ]
        return told

    out: dict[str, Any] = {}
    if tree is not None:
        out["tree"] = stated(tree)
    if windows:
        out["windows"] = [
            {
                "groups": _stated_shares(window.groups, window.group_shares),
                "columns": _stated_shares(window.columns, window.column_shares),
                "tree": stated(window.tree),
            }
            for window in windows
        ]
        out["tree_sets"] = [list(groups) for groups in set_place]
    out["tree_cuts"] = [[g, cap, list(columns)] for g, columns, cap in cut_place]
    return out


def _stated_shares(numbers: NDArray[np.int64], shares: NDArray[np.float64]) -> list[list[float]]:
    return [[int(n), float(share)] for n, share in zip(numbers, shares, strict=True) if share > 0]
