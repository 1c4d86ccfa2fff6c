"""What a choice is worth, checked afresh on the problem itself."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.problem import CoverProblem


def cost_step(problem: CoverProblem) -> float:
    """Return a step of which every choice's cost is a whole multiple, 0 if there is none.

    Parameters
    ----------
    problem : CoverProblem
        The problem.

    Returns
    -------
    float
        The greatest common divisor of all costs if they are whole numbers.
    """
    values = np.concatenate([problem.costs, problem.group_costs])
    if np.any(values != np.floor(values)) or np.any(values > 2**40):
        return 0.0
    return float(np.gcd.reduce(values.astype(np.int64))) if len(values) else 0.0


def value_of(problem: CoverProblem, columns: NDArray[np.int64]) -> float | None:
    """Return what a choice makes small, or None if it breaks a rule.

    Parameters
    ----------
    problem : CoverProblem
        The problem.
    columns : ndarray of int64
        Chosen columns, without repetition.

    Returns
    -------
    float or None
        Cost of the choice; in budget mode the row weight that it leaves uncovered.
    """
    groups, used = np.unique(problem.group[columns], return_counts=True)
    site = problem.site[groups]
    site = site[site >= 0]
    if len(np.unique(site)) < len(site) or np.any(used > problem.capacity[groups]):
        return None
    open_rows = np.flatnonzero(problem.views(columns) < problem.demand)
    weight = problem.row_weight[open_rows]
    cost = problem.cost_of(columns)
    if problem.budget is None:
        missed = np.bincount(problem.row_class[open_rows], weight, minlength=len(problem.allowed))
        return None if np.any(missed > problem.allowance()) else cost
    return None if cost > problem.budget * (1 + 1e-12) else math.fsum(weight.tolist())
