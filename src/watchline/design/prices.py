"""Prices of the rows, found anew each time that columns are added.

The relaxation of :mod:`watchline.design.cover` is solved for its prices alone, from those known
before: a few hundred steps are enough where it was solved with nearly the same columns.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from watchline.design.cover.bounding import Bounder
from watchline.design.cover.dual import least_cost_with
from watchline.design.cover.layout import make_layout, reach
from watchline.design.cover.problem import CoverProblem, make_problem
from watchline.design.cover.solution import CutKey
from watchline.design.cover.stated import price_set

FloatArray = npt.NDArray[np.float64]

FEWEST_ROWS = 2000
"""Rows to begin with, or a sixteenth of all if that is more; all of them where there are few."""
STEPS_AT_ONCE = 400
"""Steps after which rows are added that the relaxed choice leaves open."""
WORK_AT_ONCE = 30.0
"""Work between two looks at the limits, in million steps."""


@dataclass(frozen=True)
class RowPrices:
    """Prices, and what they prove of the columns that they were found for.

    Attributes
    ----------
    row : float64 array [rows]
        λ, the price of one view of each row.
    miss : float64 array [requirements]
        μ, the price of a missed cell of each requirement.
    cuts : mapping
        σ, the prices of the atoms, as :class:`watchline.design.cover.CoverSolution` has them.
    bound : float
        No choice among the columns costs less.
    least : float64 array [columns]
        No choice with the column costs less.
    work : float
        Work done, in million steps.
    """

    row: FloatArray
    miss: FloatArray
    cuts: Mapping[CutKey, float]
    bound: float
    least: FloatArray
    work: float


def find_prices(
    arguments: dict[str, Any],
    work: float,
    seed: int,
    before: FloatArray | None = None,
    seconds: float = np.inf,
) -> RowPrices:
    """Prices of a covering problem without a budget.

    Parameters
    ----------
    arguments : dict
        Arguments of :func:`watchline.design.cover.cover` that describe the problem.
    work : float
        Work limit in million steps.
    seed : int
        Seed of the rows that are taken first.
    before : float64 array [rows], optional
        Prices to begin with.
    seconds : float
        Time limit in s.

    Returns
    -------
    RowPrices
    """
    started = time.perf_counter()
    problem = problem_of(arguments)
    layout, order = make_layout(problem)
    bounder = Bounder(
        problem, layout, problem.allowance(), _first_rows(problem, before, seed), seed
    )
    if before is not None:
        for iterate in (bounder.iterates[0], bounder.iterates[2]):
            iterate.row[:] = before[bounder.rows]
    done = 0
    while True:
        steps = int(np.clip(WORK_AT_ONCE / max(bounder.step_work, 1e-9), 1, STEPS_AT_ONCE))
        bounder.advance(steps)
        done += steps
        if bounder.settled or bounder.work >= work or time.perf_counter() - started >= seconds:
            break
        if done >= STEPS_AT_ONCE:
            done = 0
            bounder.add_rows(max(200, len(bounder.rows) // 4))
    duals = price_set(bounder.price_layout, bounder.price_rows, bounder.prices, order)
    least = np.empty(problem.n_columns)
    least[order] = least_cost_with(bounder.price_layout, bounder.prices, problem.allowance())
    return RowPrices(
        duals.of_every_row(problem.n_rows),
        duals.classes,
        duals.cuts,
        float(bounder.bound),
        least,
        bounder.work,
    )


def problem_of(arguments: dict[str, Any]) -> CoverProblem:
    """The covering problem of some arguments of :func:`watchline.design.cover.cover`."""
    named = dict(arguments)
    first = [named.pop(name) for name in ("costs", "columns", "demand", "groups")]
    return make_problem(*first, **named)


def _first_rows(
    problem: CoverProblem, before: FloatArray | None, seed: int
) -> npt.NDArray[np.int64]:
    """Rows that have a price already, and some others."""
    asked = np.flatnonzero(problem.demand > 0)
    known = asked[:0] if before is None else asked[before[asked] > 0]
    others = np.setdiff1d(asked, known)
    wanted = max(FEWEST_ROWS, len(asked) // 16) - len(known)
    some = np.random.default_rng(seed).permutation(others)[: max(0, wanted)]
    return np.sort(np.concatenate([known, some]))


def promising_columns(
    arguments: dict[str, Any], least: FloatArray, chosen: npt.NDArray[np.int64], near: float
) -> npt.NDArray[np.bool_]:
    """Columns that a good choice may hold, and those that rows need besides, bool [columns].

    Parameters
    ----------
    arguments : dict
        Arguments of :func:`watchline.design.cover.cover` that describe the problem.
    least : float64 array [columns]
        No choice with the column costs less.
    chosen : int64 array
        Columns that stay.
    near : float
        How much dearer than the cheapest a choice with the column may be.
    """
    problem = problem_of(arguments)
    keep = least <= least.min() + near
    keep[chosen] = True
    narrow = reach(make_layout(problem.with_columns(keep))[0])
    lacking = narrow < problem.demand
    if lacking.any():
        count = np.add.reduceat(np.append(lacking[problem.indices], 0), problem.indptr[:-1])
        keep |= (count > 0) & (np.diff(problem.indptr) > 0)
    return keep
