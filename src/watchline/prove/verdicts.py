"""Verdict arithmetic: exact counts, bounds from unknown cells, stretches, shares per 100 m."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.model.proof import Verdict

BoolArray = npt.NDArray[np.bool_]
COUNT_SLACK = 1e-9
"""So that (1 - 0.9) · 10 cells allow one miss, as meant, and not none, as floats have it."""
JOIN_M = 10.0
"""Failing stretches nearer than this to each other are reported as one."""
BIN_M = 100.0


@dataclass(frozen=True)
class Judgement:
    """Verdict on a share of cells.

    Attributes
    ----------
    verdict : {"holds", "fails", "unknown"}
        Unknown where the unknown cells decide, and where there is no cell to judge.
    lower, upper : float
        Share that surely satisfies, and at most.
    cells : int
        Cells judged.
    """

    verdict: Verdict
    lower: float
    upper: float
    cells: int


def judge_share(sure: BoolArray, most: BoolArray, target: float) -> Judgement:
    """Judge the share of good cells by exact counts.

    Parameters
    ----------
    sure, most : bool array [n]
        Cells that are surely good, and those that are good or unknown.
    target : float
        Share asked for, 0–1.

    Returns
    -------
    Judgement
    """
    return judge_counts(int(sure.sum()), int(most.sum()), int(sure.size), target)


def judge_counts(good: int, possible: int, count: int, target: float) -> Judgement:
    """Judge a number of good cells.

    Parameters
    ----------
    good, possible : int
        Cells that are surely good, and those that are good or unknown.
    count : int
        Cells judged.
    target : float
        Share asked for, 0–1.

    Returns
    -------
    Judgement
    """
    if count == 0:
        return Judgement("unknown", 0.0, 1.0, 0)
    allowed = math.floor((1.0 - target) * count + COUNT_SLACK)
    verdict: Verdict = "unknown"
    if count - good <= allowed:
        verdict = "holds"
    elif count - possible > allowed:
        verdict = "fails"
    return Judgement(verdict, good / count, possible / count, count)


def stretches(s: npt.NDArray[np.float64], cell_m: float) -> tuple[tuple[float, float], ...]:
    """Stretches of the line that hold some cells.

    Parameters
    ----------
    s : float64 array [n]
        Chainages of the cells' centres in m.
    cell_m : float
        Side of the cells in m.

    Returns
    -------
    tuple of (float, float)
        From–to in m, in order; gaps of less than :data:`JOIN_M` are bridged.
    """
    if s.size == 0:
        return ()
    ordered = np.sort(s)
    gap = max(JOIN_M, 2.0 * cell_m)
    breaks = np.flatnonzero(np.diff(ordered) > gap)
    first = ordered[np.concatenate([[0], breaks + 1])]
    last = ordered[np.concatenate([breaks, [s.size - 1]])]
    half = cell_m / 2.0
    return tuple(
        (max(0.0, float(a - half)), float(b + half)) for a, b in zip(first, last, strict=True)
    )


def shares_along(
    requirement: str, s: npt.NDArray[np.float64], sure: BoolArray, most: BoolArray
) -> pd.DataFrame:
    """Share of good cells for each 100 m of chainage that holds cells.

    Parameters
    ----------
    requirement : str
        Name of the claim.
    s : float64 array [n]
        Chainages of the cells in m.
    sure, most : bool array [n]
        As in :func:`judge_share`.

    Returns
    -------
    DataFrame
        Columns ``requirement, s_from, s_to, cells, share, unknown_share``.
    """
    number = np.floor(s / BIN_M).astype(np.int64)
    size = int(number.max()) + 1 if number.size else 0
    cells = np.bincount(number, minlength=size)
    used = np.flatnonzero(cells)
    count = cells[used]
    good = np.bincount(number, weights=sure, minlength=size)[used]
    open_ = np.bincount(number, weights=most & ~sure, minlength=size)[used]
    return pd.DataFrame(
        {
            "requirement": np.full(used.size, requirement, dtype=object),
            "s_from": used * BIN_M,
            "s_to": (used + 1) * BIN_M,
            "cells": count,
            "share": good / count,
            "unknown_share": open_ / count,
        }
    )
