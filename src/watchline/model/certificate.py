"""Certificate: what proves a plan's bound to somebody who trusts nothing of the optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class CoverArrays:
    """The covering problem as plain arrays: what was asked, what was offered, what it costs.

    Attributes
    ----------
    costs : float64 array [poses]
        Price of each pose's device.
    indptr : int64 array [poses + 1]
        Start of each pose's rows in ``indices``.
    indices : int32 array
        Rows that each pose covers, ascending within a pose.
    demand : int32 array [rows]
        Views that each row needs.
    groups : int32 array [poses]
        Mount of each pose.
    group_costs : float64 array [mounts]
        Fixed cost of each mount.
    sites : int32 array [mounts]
        Site of each mount; at most one mount of a site may stand.
    row_cap : int32 array [rows]
        The most views of a row that count from one mount.
    row_weight : float64 array [rows]
        What a missed row counts.
    row_class : int32 array [rows]
        Requirement of each row.
    allowed_uncovered : float64 array [requirements]
        Weight of the rows of each requirement that may stay uncovered.
    capacity : int32 array [mounts]
        The most devices that each mount may carry.
    budget : float or None
        The most that may be spent, in budget mode.
    """

    costs: npt.NDArray[np.float64]
    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int32]
    demand: npt.NDArray[np.int32]
    groups: npt.NDArray[np.int32]
    group_costs: npt.NDArray[np.float64]
    sites: npt.NDArray[np.int32]
    row_cap: npt.NDArray[np.int32]
    row_weight: npt.NDArray[np.float64]
    row_class: npt.NDArray[np.int32]
    allowed_uncovered: npt.NDArray[np.float64]
    capacity: npt.NDArray[np.int32]
    budget: float | None

    @classmethod
    def array_names(cls) -> tuple[str, ...]:
        """Names of all arrays, in order."""
        return tuple(field.name for field in fields(cls) if field.name != "budget")


@dataclass(frozen=True, eq=False)
class Certificate:
    """A covering problem, a choice, and the prices that prove a bound on every choice's cost.

    Attributes
    ----------
    arrays : CoverArrays
        The problem.
    content : mapping
        Choice, cost, bound and prices, as :func:`watchline.design.cover.make_certificate` writes
        them: plain values.
    requirements : tuple of str
        Name of each class of rows.
    currency : str
        Currency of every cost.
    cell_m : float
        Side of the cells at which the design judged, in m.
    round_ : int
        Round of repair that the problem belongs to, from 0.
    plan_sha256 : str
        Digest of the plan that was reported with this bound.
    plan_cost : float
        Its cost: above the choice's where later rounds had to add something.
    plan_bound : float or None
        The bound that was reported with it; None in budget mode.
    """

    arrays: CoverArrays
    content: Mapping[str, Any]
    requirements: tuple[str, ...]
    currency: str
    cell_m: float
    round_: int
    plan_sha256: str
    plan_cost: float
    plan_bound: float | None
