"""The covering problem as checked plain arrays, and the rows that nothing can cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from watchline.errors import UsageError

UNLIMITED = np.int32(2**30)
"""Capacity of a group that may carry any number of chosen columns."""


@dataclass(frozen=True, eq=False)
class CoverProblem:
    """A covering problem in checked arrays.

    Attributes
    ----------
    costs : ndarray of float64, shape (n_columns,)
        Cost of choosing each column.
    indptr : ndarray of int64, shape (n_columns + 1,)
        Start of each column's rows in ``indices``.
    indices : ndarray of int32
        Rows of each column, in any order, unique within a column.
    group : ndarray of int32, shape (n_columns,)
        Group of each column.
    group_costs : ndarray of float64, shape (n_groups,)
        Cost paid once if any column of the group is chosen.
    site : ndarray of int32, shape (n_groups,)
        Site of each group, -1 for none; at most one group of a site may be used.
    capacity : ndarray of int32, shape (n_groups,)
        The most columns that may be chosen in a group.
    demand : ndarray of int32, shape (n_rows,)
        Views that each row needs.
    row_cap : ndarray of int32, shape (n_rows,)
        The most that one group contributes to a row, at most the row's demand.
    row_weight : ndarray of float64, shape (n_rows,)
        Weight of each row in the shares and in the budget mode.
    row_class : ndarray of int32, shape (n_rows,)
        Class of each row.
    allowed : ndarray of float64, shape (n_classes,)
        Total weight of each class's rows that may stay uncovered.
    budget : float or None
        The most that may be spent (budget mode), or None.
    """

    costs: NDArray[np.float64]
    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    group: NDArray[np.int32]
    group_costs: NDArray[np.float64]
    site: NDArray[np.int32]
    capacity: NDArray[np.int32]
    demand: NDArray[np.int32]
    row_cap: NDArray[np.int32]
    row_weight: NDArray[np.float64]
    row_class: NDArray[np.int32]
    allowed: NDArray[np.float64]
    budget: float | None

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.demand)

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return len(self.costs)

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.group_costs)

    def with_columns(self, keep: NDArray[np.bool_]) -> CoverProblem:
        """Return the problem with only some of its columns.

        Parameters
        ----------
        keep : ndarray of bool, shape (n_columns,)
            The columns to keep.

        Returns
        -------
        CoverProblem
        """
        size = np.diff(self.indptr)
        return replace(
            self,
            costs=self.costs[keep],
            group=self.group[keep],
            indptr=np.concatenate([[0], np.cumsum(size[keep])]),
            indices=_taken(self.indptr, self.indices, keep),
        )

    def cost_of(self, chosen: NDArray[np.integer]) -> float:
        """Return the cost of a set of columns with their groups, summed exactly.

        Parameters
        ----------
        chosen : ndarray of int, shape (n,)
            Column numbers.

        Returns
        -------
        float
            Column costs plus the fixed costs of the groups in use.
        """
        import math

        groups = np.unique(self.group[chosen])
        return math.fsum([*self.costs[chosen].tolist(), *self.group_costs[groups].tolist()])

    def views(self, chosen: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the counted views of every row, one group adding at most ``row_cap``.

        Parameters
        ----------
        chosen : ndarray of int, shape (n,)
            Column numbers, without repetition.

        Returns
        -------
        ndarray of int64, shape (n_rows,)
        """
        views = np.zeros(self.n_rows, np.int64)
        chosen = np.asarray(chosen, np.int64)
        for group in np.unique(self.group[chosen]):
            members = chosen[self.group[chosen] == group]
            rows = np.concatenate(
                [self.indices[self.indptr[j] : self.indptr[j + 1]] for j in members]
            )
            touched, count = np.unique(rows, return_counts=True)
            views[touched] += np.minimum(count, self.row_cap[touched])
        return views

    def allowance(self) -> NDArray[np.float64]:
        """Return the allowed uncovered weight per class with room for rounding only.

        Returns
        -------
        ndarray of float64, shape (n_classes,)
            0 stays 0: a class without allowance has no uncovered row.
        """
        total = np.bincount(self.row_class, self.row_weight, minlength=len(self.allowed))
        return np.where(self.allowed > 0, self.allowed + 1e-12 * total, 0.0)


def _fault(what: str, mend: str) -> UsageError:
    return UsageError(what, where="cover", mend=mend)


def _vector(
    name: str, values: ArrayLike, length: int, dtype: Any, *, least: float = 0.0
) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim == 0:
        array = np.full(length, array)
    if array.shape != (length,):
        raise _fault(f"{name} has shape {array.shape}", f"give {length} values")
    if array.dtype.kind not in "biuf" or not np.all(np.isfinite(array.astype(np.float64))):
        raise _fault(f"{name} holds something that is not a finite number", f"check {name}")
    if length and float(array.min()) < least:
        raise _fault(f"{name} holds {array.min()}", f"give values of at least {least:g}")
    if np.issubdtype(dtype, np.integer) and not np.array_equal(array, np.floor(array)):
        raise _fault(f"{name} holds fractions", "give whole numbers")
    return np.ascontiguousarray(array, dtype)


@nb.njit(cache=True)
def _unique(indptr: NDArray, indices: NDArray, n_rows: int) -> bool:
    """Return whether no column names a row twice (without a copy of the matrix)."""
    last = np.full(n_rows, -1, np.int64)
    for column in range(len(indptr) - 1):
        for t in range(indptr[column], indptr[column + 1]):
            if last[indices[t]] == column:
                return False
            last[indices[t]] = column
    return True


@nb.njit(cache=True)
def _taken(indptr: NDArray, indices: NDArray, keep: NDArray) -> NDArray:
    """Return the rows of the columns that are kept, one column after the other."""
    total = 0
    for column in range(len(keep)):
        if keep[column]:
            total += indptr[column + 1] - indptr[column]
    out = np.empty(total, np.int32)
    total = 0
    for column in range(len(keep)):
        if keep[column]:
            for t in range(indptr[column], indptr[column + 1]):
                out[total] = indices[t]
                total += 1
    return out


def _csc(columns: Any, n_rows: int, n_columns: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return ``indptr, indices`` of the columns with unique rows."""
    if sparse.issparse(columns):
        if columns.shape != (n_rows, n_columns):
            raise _fault(
                f"columns has shape {columns.shape}, costs and demand ask for {n_rows, n_columns}",
                "give a matrix of rows × columns",
            )
        matrix = sparse.csc_array(columns)
        if np.count_nonzero(matrix.data) < len(matrix.data):
            matrix = matrix.copy()
            matrix.eliminate_zeros()
        indptr, indices = matrix.indptr, matrix.indices
    elif (
        isinstance(columns, tuple)
        and len(columns) == 2
        and np.ndim(columns[0]) == 1
        and len(columns[0]) == n_columns + 1
    ):
        indptr, indices = np.asarray(columns[0]), np.asarray(columns[1])
    elif isinstance(columns, Sequence):
        if len(columns) != n_columns:
            raise _fault(f"columns has {len(columns)} entries", f"give {n_columns}, one a cost")
        arrays = [np.asarray(rows, np.int64).ravel() for rows in columns]
        indptr = np.concatenate([[0], np.cumsum([len(a) for a in arrays])])
        indices = np.concatenate(arrays) if arrays else np.zeros(0, np.int64)
    else:
        raise _fault(
            f"columns is a {type(columns).__name__}",
            "give a scipy sparse matrix, a list of row arrays or (indptr, indices)",
        )
    if len(indptr) != n_columns + 1 or indptr[0] != 0 or indptr[-1] != len(indices):
        raise _fault("indptr does not fit indices and costs", "give a valid CSC structure")
    if np.any(np.diff(indptr) < 0):
        raise _fault("indptr falls somewhere", "give a valid CSC structure")
    if len(indices) and (indices.min() < 0 or indices.max() >= n_rows):
        wrong = int(indices.min()) if indices.min() < 0 else int(indices.max())
        raise _fault(f"columns name the row {wrong} of {n_rows}", "number rows from 0")
    indptr = np.ascontiguousarray(indptr, np.int64)
    indices = np.ascontiguousarray(indices, np.int32)
    if not _unique(indptr, indices, n_rows):
        data = np.ones(len(indices), np.int8)
        matrix = sparse.csc_array((data, indices, indptr), shape=(n_rows, n_columns))
        matrix.sum_duplicates()
        indptr, indices = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)
    return indptr, indices


def make_problem(
    costs: ArrayLike,
    columns: Any,
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
) -> CoverProblem:
    """Check the arguments of :func:`watchline.design.cover.cover` and put them in order.

    Parameters
    ----------
    costs, columns, demand, groups, group_costs, sites, row_cap, row_weight, row_class, \
allowed_uncovered, capacity, budget
        As in :func:`watchline.design.cover.cover`.

    Returns
    -------
    CoverProblem

    Raises
    ------
    UsageError
        An argument has the wrong shape, sign or type.
    """
    n_columns, n_rows = len(np.atleast_1d(costs)), len(np.atleast_1d(demand))
    cost = _vector("costs", np.atleast_1d(costs), n_columns, np.float64)
    need = _vector("demand", np.atleast_1d(demand), n_rows, np.int32)
    indptr, indices = _csc(columns, n_rows, n_columns)
    if groups is None:
        extra = group_costs is not None or sites is not None or capacity is not None
        if extra and n_columns:
            raise _fault("group_costs, sites or capacity without groups", "give groups too")
        group = np.arange(n_columns, dtype=np.int32)
    else:
        group = _vector("groups", groups, n_columns, np.int32)
    least = int(group.max()) + 1 if n_columns else 0
    n_groups = least if group_costs is None else len(np.atleast_1d(group_costs))
    if n_groups < least:
        raise _fault(f"groups name {least - 1}, group_costs has {n_groups}", "give one a group")
    fixed = np.zeros(n_groups)
    if group_costs is not None:
        fixed = _vector("group_costs", np.atleast_1d(group_costs), n_groups, np.float64)
    site = np.full(n_groups, -1, np.int32)
    if sites is not None:
        site = np.maximum(_vector("sites", sites, n_groups, np.int32, least=-(2**30)), -1)
    cap = need if row_cap is None else _vector("row_cap", row_cap, n_rows, np.int32, least=1)
    weight = np.ones(n_rows)
    if row_weight is not None:
        weight = _vector("row_weight", row_weight, n_rows, np.float64)
        # A row without weight may always stay uncovered: it asks for nothing.
        need = np.where(weight > 0, need, 0).astype(np.int32)
    kind = np.zeros(n_rows, np.int32)
    if row_class is not None:
        kind = _vector("row_class", row_class, n_rows, np.int32)
    n_classes = int(kind.max()) + 1 if n_rows else 1
    allowed = np.zeros(n_classes)
    if allowed_uncovered is not None:
        given = np.atleast_1d(np.asarray(allowed_uncovered, np.float64))
        allowed = _vector("allowed_uncovered", given, len(given), np.float64)
        if len(allowed) < n_classes:
            raise _fault(
                f"allowed_uncovered has {len(allowed)} values, row_class names {n_classes - 1}",
                "give one a class",
            )
    most = np.full(n_groups, UNLIMITED, np.int32)
    if capacity is not None:
        most = np.minimum(_vector("capacity", capacity, n_groups, np.int64), UNLIMITED)
    if budget is not None:
        if not np.isfinite(budget) or budget < 0:
            raise _fault(f"budget is {budget}", "give a finite budget of at least 0")
        budget = float(budget)
    return CoverProblem(
        costs=cost,
        indptr=indptr,
        indices=indices,
        group=group,
        group_costs=fixed,
        site=site.astype(np.int32),
        capacity=most.astype(np.int32),
        demand=need,
        row_cap=np.minimum(cap, need),
        row_weight=weight,
        row_class=kind,
        allowed=allowed,
        budget=budget,
    )


def out_of_reach(
    problem: CoverProblem, supply: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Split the rows whose reachable supply is below their demand by what is allowed.

    Parameters
    ----------
    problem : CoverProblem
        The problem.
    supply : ndarray of int64, shape (n_rows,)
        The most views that each row can get (:func:`watchline.design.cover.layout.reach`).

    Returns
    -------
    short : ndarray of int
        All rows that nothing can cover, in rising order.
    breaking : ndarray of int
        Those of them whose class cannot afford to leave them; empty if the shares allow them.
    """
    short = np.flatnonzero(supply < problem.demand)
    if problem.budget is not None:
        return short, short[:0]
    weight = np.bincount(
        problem.row_class[short], problem.row_weight[short], minlength=len(problem.allowed)
    )
    over = weight > problem.allowance()
    return short, short[over[problem.row_class[short]]]
