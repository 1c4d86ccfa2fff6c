"""Check the certificate of a least-cost covering: the choice is feasible, the bound is true.

The checker shares no code with the optimiser and trusts none of its numbers. It reads the prices,
rounds them to whole multiples of 2⁻²⁰, rounds the costs down to such multiples, and works out the
bound in integers, without any rounding error. Any prices prove *some* bound; a certificate is
accepted if its prices prove the bound that it states. The formula is in
:mod:`watchline.prove.price_bound`.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from watchline.prove.price_bound import SCALE, CoverData, proven_bound


@dataclass(frozen=True)
class CertificateVerdict:
    """What the checker found.

    Attributes
    ----------
    holds : bool
        Whether the choice is feasible, costs what is stated, and the stated bound is proven.
    cost : float
        Cost of the choice, recomputed.
    bound : float
        The bound that the prices prove, recomputed (in budget mode the most covered weight).
    faults : tuple of str
        What is wrong, one sentence each; empty if it holds.
    """

    holds: bool
    cost: float
    bound: float
    faults: tuple[str, ...]


def check_certificate(
    certificate: Mapping[str, Any],
    costs: ArrayLike,
    columns: sparse.sparray,
    demand: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    group_costs: ArrayLike | None = None,
    sites: ArrayLike | None = None,
    row_cap: ArrayLike | None = None,
    row_weight: ArrayLike | None = None,
    row_class: ArrayLike | None = None,
    allowed_uncovered: ArrayLike | None = None,
    capacity: ArrayLike | None = None,
    budget: float | None = None,
    tolerance: float = 1e-6,
) -> CertificateVerdict:
    """Check a certificate against the problem that it is about.

    Parameters
    ----------
    certificate : mapping
        With ``problem``, ``chosen``, ``cost``, ``bound``, ``rows``, ``classes``, ``cuts`` and
        perhaps ``tree`` and ``tree_cuts``.
    costs, demand, groups, group_costs, sites, row_cap, row_weight, row_class, \
allowed_uncovered, capacity, budget
        The problem, as given to ``watchline.cover``.
    columns : scipy sparse array of shape (n_rows, n_columns)
        Which rows each column covers.
    tolerance : float
        Relative slack of the stated bound and cost.

    Returns
    -------
    CertificateVerdict
    """
    data = _filled(
        np.asarray(costs, np.float64),
        sparse.csc_array(columns),
        np.asarray(demand, np.int64),
        groups,
        group_costs,
        sites,
        row_cap,
        row_weight,
        row_class,
        allowed_uncovered,
        capacity,
        budget,
    )
    faults: list[str] = []
    if certificate.get("problem") != _digest(data):
        faults.append("The certificate belongs to another problem (the digests differ).")
    cost, missed = _judged(data, certificate.get("chosen", []), faults)
    stated = float(certificate.get("cost", math.nan))
    if not abs(cost - stated) <= tolerance * max(1.0, abs(cost)):
        faults.append(f"The choice costs {cost:.6g}, not {stated:.6g}.")
    bound, claimed = (
        proven_bound(data, certificate, faults),
        float(certificate.get("bound", math.nan)),
    )
    slack = tolerance * max(1.0, abs(bound)) + 4 * len(data.demand) / SCALE
    if data.budget is None:
        if not claimed <= bound + slack:
            faults.append(f"The prices prove a cost of at least {bound:.6g}, not {claimed:.6g}.")
        if bound > cost + slack:
            faults.append(f"The bound {bound:.6g} is above the cost {cost:.6g}.")
    else:
        if not claimed >= bound - slack:
            faults.append(f"The prices prove a weight of at most {bound:.6g}, not {claimed:.6g}.")
        total = float(data.weight[data.demand > 0].sum())
        if total - missed > bound + slack:
            faults.append(f"The choice covers more than the bound {bound:.6g}.")
    return CertificateVerdict(not faults, cost, bound, tuple(faults))


def _filled(
    costs: NDArray[np.float64],
    matrix: sparse.csc_array,
    demand: NDArray[np.int64],
    groups: ArrayLike | None,
    group_costs: ArrayLike | None,
    sites: ArrayLike | None,
    row_cap: ArrayLike | None,
    row_weight: ArrayLike | None,
    row_class: ArrayLike | None,
    allowed: ArrayLike | None,
    capacity: ArrayLike | None,
    budget: float | None,
) -> CoverData:
    n, m = len(costs), len(demand)
    group = np.arange(n) if groups is None else np.asarray(groups, np.int64)
    count = int(group.max(initial=-1)) + 1
    if group_costs is not None:
        count = len(np.asarray(group_costs))
    weight = np.ones(m) if row_weight is None else np.asarray(row_weight, np.float64)
    need = np.where(weight > 0, demand, 0)
    # A cap above the demand changes nothing: no row counts more views than it needs.
    full = demand if row_cap is None else np.asarray(row_cap, np.int64)
    kind = np.zeros(m, np.int64) if row_class is None else np.asarray(row_class, np.int64)
    classes = int(kind.max(initial=0)) + 1 if m else 1
    spare = np.zeros(classes)
    if allowed is not None:
        spare = np.atleast_1d(np.asarray(allowed, np.float64))
    site = np.full(count, -1) if sites is None else np.maximum(np.asarray(sites, np.int64), -1)
    most = np.full(count, 2**30)
    if capacity is not None:
        most = np.minimum(np.asarray(capacity, np.int64), 2**30)
    matrix = matrix.copy()
    matrix.data = np.ones(len(matrix.data), np.int8)
    matrix.sum_duplicates()
    fixed = np.zeros(count) if group_costs is None else np.asarray(group_costs, np.float64)
    return CoverData(
        costs, matrix, need, group, fixed, site, np.minimum(full, need), weight, kind, spare,
        most, budget,
    )  # fmt: skip


def _digest(data: CoverData) -> str:
    """Return the SHA-256 of the problem (the certificate's ``problem``)."""
    digest = hashlib.sha256()
    for array, kind in (
        (data.costs, "<f8"),
        (data.matrix.indptr, "<i8"),
        (data.matrix.indices, "<i4"),
        (data.demand, "<i4"),
        (data.groups, "<i4"),
        (data.group_costs, "<f8"),
        (data.sites, "<i4"),
        (data.capacity, "<i4"),
        (data.cap, "<i4"),
        (data.weight, "<f8"),
        (data.kind, "<i4"),
        (data.allowed, "<f8"),
        (np.array([math.nan if data.budget is None else data.budget]), "<f8"),
    ):
        digest.update(np.asarray(array).astype(kind).tobytes())
    return digest.hexdigest()


def _judged(data: CoverData, chosen: Sequence[int], faults: list[str]) -> tuple[float, float]:
    """Return the cost of a choice and the weight that it misses; name broken rules."""
    taken = sorted({int(j) for j in chosen})
    if taken and (taken[0] < 0 or taken[-1] >= len(data.costs)):
        faults.append("The choice names a column that does not exist.")
        return math.inf, math.inf
    by_group: dict[int, list[int]] = defaultdict(list)
    for column in taken:
        by_group[int(data.groups[column])].append(column)
    cost = sum((Fraction(float(data.costs[j])) for j in taken), Fraction())
    cost += sum((Fraction(float(data.group_costs[g])) for g in by_group), Fraction())
    at_site: dict[int, int] = defaultdict(int)
    views = np.zeros(len(data.demand), np.int64)
    for group, members in by_group.items():
        if len(members) > data.capacity[group]:
            faults.append(f"Group {group} carries {len(members)} columns, above its capacity.")
        if data.sites[group] >= 0:
            at_site[int(data.sites[group])] += 1
        seen = np.asarray(data.matrix[:, members].sum(axis=1)).ravel().astype(np.int64)
        views += np.minimum(seen, data.cap)
    faults.extend(f"Site {s} holds {count} groups." for s, count in at_site.items() if count > 1)
    short = views < data.demand
    missed = float(data.weight[short].sum())
    if data.budget is None:
        for kind, allowed in enumerate(data.allowed):
            lost = float(data.weight[short & (data.kind == kind)].sum())
            if lost > allowed * (1 + 1e-9):
                faults.append(f"Class {kind} misses the weight {lost:.6g}, above {allowed:.6g}.")
    elif float(cost) > data.budget * (1 + 1e-9):
        faults.append(f"The choice costs {float(cost):.6g}, above the budget {data.budget:.6g}.")
    return float(cost), missed
