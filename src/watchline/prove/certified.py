"""What a certificate proves of a plan's bound, in integers, and what it does not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from watchline.model.certificate import Certificate, CoverArrays
from watchline.prove.certificate import check_certificate

TOLERANCE = 1e-6
"""Relative: bounds are stated in float64, and prices are rounded down to multiples of 2⁻²⁰."""


@dataclass(frozen=True)
class Certified:
    """What a certificate proves.

    Attributes
    ----------
    holds : bool
        Whether nothing is wrong with it.
    plan_cost : float
        Cost of the plan that was reported with the bound.
    plan_bound : float or None
        The bound that was reported; None in budget mode.
    choice_cost : float
        Cost of the certificate's own choice, recomputed.
    bound : float
        What the prices prove, worked out in integers: the least cost of any choice; in budget
        mode the most weight that any choice covers.
    covered : float or None
        In budget mode the weight that the choice covers, recomputed; else None.
    gap : float
        (cost − bound) / cost of the plan; in budget mode (bound − covered) / bound.
    faults : tuple of str
        What is wrong, one sentence each.
    notes : tuple of str
        What is not wrong, but not proven either.
    """

    holds: bool
    plan_cost: float
    plan_bound: float | None
    choice_cost: float
    bound: float
    covered: float | None
    gap: float
    faults: tuple[str, ...]
    notes: tuple[str, ...]


def judge_certificate(certificate: Certificate, found: tuple[str, ...] = ()) -> Certified:
    """Check a certificate against its own problem and the plan that it was reported with.

    Parameters
    ----------
    certificate : Certificate
        As it was read.
    found : tuple of str
        Faults found before, in reading.

    Returns
    -------
    Certified
    """
    arrays, faults, notes = certificate.arrays, list(found), []
    cost = bound = math.nan
    try:
        verdict = check_certificate(
            certificate.content,
            arrays.costs,
            _columns(arrays),
            arrays.demand,
            arrays.groups,
            group_costs=arrays.group_costs,
            sites=arrays.sites,
            row_cap=arrays.row_cap,
            row_weight=arrays.row_weight,
            row_class=arrays.row_class,
            allowed_uncovered=arrays.allowed_uncovered,
            capacity=arrays.capacity,
            budget=arrays.budget,
        )
        cost, bound = verdict.cost, verdict.bound
        faults += verdict.faults
        claimed = float(certificate.content.get("claimed_bound", math.nan))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        faults.append(f"Its prices cannot be read ({type(error).__name__}: {error}).")
        claimed = math.nan
    covered, gap = None, math.nan
    if arrays.budget is not None:
        covered = _covered(arrays, certificate.content.get("chosen", ()))
        gap = (bound - covered) / bound if bound > 0 else 0.0
    elif certificate.plan_cost > 0:
        bound = _rounded_up(arrays, bound)
        gap = (certificate.plan_cost - bound) / certificate.plan_cost
        faults += _plan_faults(certificate, claimed, cost, bound)
        notes += _plan_notes(certificate, cost, bound)
    return Certified(
        holds=not faults,
        plan_cost=certificate.plan_cost,
        plan_bound=certificate.plan_bound,
        choice_cost=cost,
        bound=bound,
        covered=covered,
        gap=max(0.0, gap) if math.isfinite(gap) else gap,
        faults=tuple(faults),
        notes=tuple(notes),
    )


def _columns(arrays: CoverArrays) -> sparse.csc_array:
    shape = (len(arrays.demand), len(arrays.costs))
    ones = np.ones(len(arrays.indices), dtype=np.int8)
    return sparse.csc_array((ones, arrays.indices, arrays.indptr), shape=shape)


def _rounded_up(arrays: CoverArrays, bound: float) -> float:
    """The bound rounded up to the next cost that whole prices can sum to."""
    prices = np.concatenate([arrays.costs, arrays.group_costs])
    if not math.isfinite(bound) or not len(prices) or np.any(prices != np.floor(prices)):
        return bound
    step = math.gcd(*(int(price) for price in np.unique(prices)))
    # A bound a hair above a multiple may owe that to its own rounding.
    return bound if step == 0 else max(bound, step * math.ceil(bound / step - 1e-9))


def _plan_faults(certificate: Certificate, claimed: float, cost: float, bound: float) -> list[str]:
    """What does not fit between the certificate and the figures reported with it."""
    stated, spent = certificate.plan_bound, certificate.plan_cost
    slack = TOLERANCE * max(1.0, spent)
    faults = []
    if stated is None or abs(stated - claimed) > slack:
        faults.append(f"The plan was reported with the bound {stated}, not with {claimed:.6g}.")
    if bound > spent + slack:
        faults.append(f"The bound {bound:,.0f} is above the plan's cost {spent:,.0f}.")
    if math.isfinite(cost) and certificate.round_ == 0 and spent < cost - slack and stated:
        faults.append(f"The plan cannot cost {spent:,.0f}: the choice here costs {cost:,.0f}.")
    return faults


def _plan_notes(certificate: Certificate, cost: float, bound: float) -> list[str]:
    """What the reported figures hold that the prices do not prove."""
    stated, notes = certificate.plan_bound, []
    slack = TOLERANCE * max(1.0, certificate.plan_cost)
    if stated is not None and stated > bound + slack:
        notes.append(
            f"The reported bound {stated:,.0f} is above the {bound:,.0f} that the prices prove: "
            "branch and bound raised it, and that is not proven here."
        )
    if certificate.plan_cost > cost + slack:
        notes.append(
            f"The plan costs {certificate.plan_cost:,.0f}, the choice here {cost:,.0f}: the bound "
            f"is that of round {certificate.round_ + 1}, and a later round had to cover more."
        )
    notes.append(
        f"Proven for the {len(certificate.arrays.costs):,} offered poses on "
        f"{len(certificate.arrays.group_costs):,} mounts and the {len(certificate.arrays.demand):,}"
        f" rows of cells of {certificate.cell_m:g} m and finer; other sites or aims might cost "
        "less."
    )
    return notes


def _covered(arrays: CoverArrays, chosen: object) -> float:
    """Weight of the rows that a choice covers."""
    views = np.zeros(len(arrays.demand), dtype=np.int64)
    taken = np.unique(np.asarray(chosen, dtype=np.int64))
    taken = taken[(taken >= 0) & (taken < len(arrays.costs))]
    for group in np.unique(arrays.groups[taken]):
        members = taken[arrays.groups[taken] == group]
        spans = [arrays.indices[arrays.indptr[j] : arrays.indptr[j + 1]] for j in members]
        rows, count = np.unique(np.concatenate(spans), return_counts=True)
        views[rows] += np.minimum(count, arrays.row_cap[rows])
    met = (views >= arrays.demand) & (arrays.demand > 0)
    return math.fsum(arrays.row_weight[met].tolist())
