"""Least-cost covering with fixed charges: a choice, and a bound that proves how good it is."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchline.design.cover.interruption import noted
from watchline.design.cover.judge import cost_step
from watchline.design.cover.problem import make_problem, out_of_reach
from watchline.design.cover.raising import (
    branch,
    divide,
    divide_beside,
    finish_exactly,
    price_exactly,
    relax,
)
from watchline.design.cover.run import Progress, Run
from watchline.design.cover.seeking import (
    TIGHT,
    concentrate,
    first,
    search,
    search_in_rounds,
    weigh_rows,
)
from watchline.design.cover.solution import CoverSolution, PriceSet, PriceWindow, Status
from watchline.design.cover.stated import StatedWindows, price_set, price_tree
from watchline.design.cover.weights import is_plain
from watchline.errors import UsageError

TINY, SMALL, MIDDLE = 5_000, 60_000, 1_500_000
"""Row–atom pairs up to which HiGHS gets the problem at once, or after some search, or only if
prices exclude most of its columns."""
FIRST_SEARCH, LAST_SEARCH = 0.15, 0.85
"""Shares of the time of a long problem after its first prices: before windows are cut, and until
the search ends."""
FAR = 0.6
"""Share of the cost below which a bound is too far off for windows to matter much: then the search
gets the time to the end."""
COOLED = 0.3, 0.35
"""How far the two searches of a long problem are cooled down when they start: from the prices' own
choice, heat only makes the core of rows larger."""
NARROW = 150_000
"""Matrix entries of the columns that the search and HiGHS keep of such a middle problem."""


def cover(
    costs: ArrayLike,
    columns: Any,
    demand: ArrayLike,
    groups: ArrayLike | None = None,
    time_limit: float = 60.0,
    *,
    group_costs: ArrayLike | None = None,
    sites: ArrayLike | None = None,
    row_cap: ArrayLike | None = None,
    row_weight: ArrayLike | None = None,
    row_class: ArrayLike | None = None,
    allowed_uncovered: ArrayLike | None = None,
    capacity: ArrayLike | None = None,
    budget: float | None = None,
    seed: int = 0,
    gap: float = 0.0,
    work_limit: float | None = None,
    start: ArrayLike | None = None,
    progress: Progress | None = None,
) -> CoverSolution:
    """Choose columns that cover every row at least cost, with a lower bound on that cost.

    Parameters
    ----------
    costs : array_like, shape (n_columns,)
        Cost of each column, at least 0.
    columns : sparse matrix of shape (n_rows, n_columns), list of int arrays, or tuple
        Which rows each column covers: a scipy sparse matrix (its pattern counts), a list of row
        numbers per column, or ``(indptr, indices)`` by column.
    demand : array_like of int, shape (n_rows,)
        Views that each row needs; 0 asks for nothing.
    groups : array_like of int, shape (n_columns,), optional
        Group of each column, numbered from 0 (a mount). By default every column is its own.
    time_limit : float
        Time limit in s.
    group_costs : array_like, shape (n_groups,), optional
        Cost paid once if any column of the group is chosen, at least 0. Default 0.
    sites : array_like of int, shape (n_groups,), optional
        Site of each group, negative for none; at most one group of a site may be used.
    row_cap : array_like of int, shape (n_rows,), optional
        The most views of a row that count from one group (1 = views from different mounts).
        By default there is no restriction.
    row_weight : array_like, shape (n_rows,), optional
        Weight of each row. Default 1.
    row_class : array_like of int, shape (n_rows,), optional
        Class of each row, numbered from 0. By default there is one class.
    allowed_uncovered : array_like, shape (n_classes,), optional
        Total weight of the rows of each class that may stay uncovered. Default 0. Not read in
        budget mode.
    capacity : array_like of int, shape (n_groups,), optional
        The most columns that may be chosen in each group. By default there is no limit.
    budget : float, optional
        With a budget, the weight of the covered rows is made as large as the budget allows, and
        rows may stay uncovered without limit.
    seed : int
        Seed of everything random.
    gap : float
        Relative gap at which the run may stop.
    work_limit : float, optional
        Work limit in million elementary steps (about 100 a second on one core). With it a run is
        repeatable: same arguments, same result, unless the time limit stops it earlier.
    start : array_like of int, optional
        Columns to start from; they need not be feasible.
    progress : callable, optional
        Called with ``(seconds, cost, lower_bound)`` when either gets better; in budget mode with
        the covered weight and its upper bound.

    Returns
    -------
    CoverSolution
        The choice, its cost, its bound and its certificate. ``infeasible`` with the list of rows
        if rows cannot be covered. Ctrl-C ends a run early with the best choice.

    Raises
    ------
    UsageError
        An argument has the wrong shape, sign or type.
    """
    _compile()
    started = time.perf_counter()
    if budget is not None:
        # The budget alone limits what stays uncovered: all rows are one class.
        row_class = allowed_uncovered = None
    problem = make_problem(
        costs,
        columns,
        demand,
        groups,
        group_costs=group_costs,
        sites=sites,
        row_cap=row_cap,
        row_weight=row_weight,
        row_class=row_class,
        allowed_uncovered=allowed_uncovered,
        capacity=capacity,
        budget=budget,
    )
    if start is not None:
        start = np.asarray(start, np.int64).ravel()
        if len(start) and (start.min() < 0 or start.max() >= problem.n_columns):
            raise UsageError(
                f"start names a column outside 0 … {problem.n_columns - 1}",
                where="cover",
                mend="give column numbers",
            )
    run = Run.begun(problem, work_limit)
    run.seed, run.time_limit, run.target, run.progress = seed, time_limit, gap, progress
    run.started, run.step = started, cost_step(problem)
    run.other_work = len(problem.indices) / 1e6
    short, breaking = out_of_reach(problem, run.supply)
    if len(breaking):
        return _infeasible(run, short, run.supply[short])
    # Interrupted, the best choice so far is the answer; the caller sees its true gap.
    with noted(run):
        try:
            _stages(run, start)
        except KeyboardInterrupt:
            run.interrupted = True
        return replace(_solution(run), interrupted=run.interrupted)


@functools.cache
def _compile() -> None:
    """Run all kernels once on a tiny problem, so that no run's clock pays for compiling them."""
    problem = make_problem([1.0, 1.0], [[0, 1], [1]], [1, 1], [0, 1], sites=[0, -1])
    run = Run.begun(problem, 1.0)
    first(run, np.array([1]))
    search(run, 0.0005)
    relax(run, 0.001)
    concentrate(run)
    run.bounder.rows = np.array([0])
    run.bounder.add_rows(1)


def _stages(run: Run, start: NDArray[np.int64] | None) -> None:
    """Run the stages one after the other."""
    first(run, start)
    pairs, plain = len(run.layout.atom_row), is_plain(run.problem)
    if pairs <= TINY:
        search(run, 0.02 if plain else 0.05)
        relax(run, 0.1)
        weigh_rows(run, 0.8 if run.alike else 0.2)
        branch(run, 0.3)
        finish_exactly(run, MIDDLE)
    elif pairs <= SMALL:
        search(run, 0.02 if plain else 0.2)
        relax(run, 0.12 if plain else 0.35)
        weigh_rows(run, 0.9 if run.alike else 0.3)
        branch(run, 0.7)
        finish_exactly(run, MIDDLE)
    elif run.work_limit is None and len(run.problem.indices) <= MIDDLE and not run.few:
        # Only without a work limit: how long HiGHS needs for such a problem's first relaxation
        # is told by the clock alone, and a run with a work limit must not depend on it.
        search(run, 0.02 if plain else 0.1)
        if plain:
            price_exactly(run, 0.22)
        else:
            relax(run, 0.3)
        weigh_rows(run, 0.6)
        if plain and run.alike and run.bound < TIGHT * run.value:
            weigh_rows(run, 0.97)
            return
        concentrate(run, NARROW)
        search(run, 0.4)
        weigh_rows(run, 0.9)
        # The few best columns are settled quickly, and give the next ones a good start.
        for part in (16, 8, 4, 2, 1):
            finish_exactly(run, NARROW // part)
    if pairs > SMALL and run.share() < 0.97:
        begin = run.share()
        search(run, begin + 0.02 * (1 - begin))
        relax(run, begin + 0.22 * (1 - begin), to_the_end=not run.long)
        concentrate(run)
        weigh_rows(run, begin + 0.8 * (1 - begin))
        if run.few:
            search(run, begin + 0.5 * (1 - begin))
            branch(run, begin + 0.97 * (1 - begin))
            # A tree may end early, with nothing left to ask.
            search(run, begin + 0.97 * (1 - begin))
        elif run.long and run.work_limit is None:
            # What the first choices leave open tells the windows which rows count.
            begin, end = run.share(), begin + 0.97 * (1 - begin)
            run.cooled = max(run.cooled, COOLED[0])
            search(run, begin + FIRST_SEARCH * (end - begin))
            run.cooled = max(run.cooled, COOLED[1])
            last = LAST_SEARCH if run.bound > FAR * run.value else 1.0
            divide_beside(run, end, lambda: search_in_rounds(run, begin + last * (end - begin)))
        elif run.long:
            run.cooled = max(run.cooled, COOLED[0])
            # Not in rounds: they gain nothing where time is short (ADR 51).
            search(run, begin + 0.6 * (1 - begin))
            divide(run, begin + 0.97 * (1 - begin))
        else:
            search(run, begin + 0.8 * (1 - begin))
            relax(run, begin + 0.97 * (1 - begin))


def _infeasible(run: Run, rows: NDArray, supply: NDArray[np.int64]) -> CoverSolution:
    """Return the solution of a problem that has none."""
    empty = np.zeros(0, np.int64)
    return CoverSolution(
        status="infeasible",
        cost=math.inf,
        lower_bound=math.inf,
        gap=0.0,
        chosen=empty,
        groups=empty,
        uncovered=rows.astype(np.int64),
        supply=supply.astype(np.int64),
        covered_weight=0.0,
        weight_bound=run.total,
        price_bound=0.0,
        cost_step=run.step,
        row_duals=np.zeros(run.problem.n_rows),
        cut_duals={},
        class_duals=np.zeros(len(run.problem.allowed)),
        log=tuple(run.log),
        work=run.work,
        seconds=run.seconds,
    )


def _solution(run: Run) -> CoverSolution:
    """Put the outcome of a run together."""
    problem = run.problem
    if run.infeasible:
        views = problem.views(run.order[run.back[np.flatnonzero(run.state.chosen)]])
        rows = np.flatnonzero(views < problem.demand)
        return _infeasible(run, rows, run.supply[rows])
    found = run.chosen is not None
    layout_choice = run.chosen
    if not found and run.state is not None:
        layout_choice = run.back[np.flatnonzero(run.state.chosen)]
    chosen = np.zeros(0, np.int64)
    if layout_choice is not None:
        chosen = np.sort(run.order[layout_choice])
    groups = np.unique(problem.group[chosen]).astype(np.int64)
    uncovered = np.flatnonzero(problem.views(chosen) < problem.demand).astype(np.int64)
    cost = problem.cost_of(chosen) if found else math.inf
    total = run.total
    covered = total - math.fsum(problem.row_weight[uncovered].tolist())
    price_bound = 0.0 if run.bounder is None else run.bounder.bound
    lower, weight_bound = run.bound, total
    if problem.budget is not None:
        lower, weight_bound = 0.0, total - run.bound
        price_bound = total - max(price_bound, 0.0)
        size, excess = weight_bound, weight_bound - covered
    else:
        size, excess = cost, cost - lower
    gap = (excess / size if math.isfinite(size) else 1.0) if size > 0 else 0.0
    status: Status = "unknown"
    if found:
        status = "optimal" if gap <= 1e-9 else "feasible"
    bounder, tree, root = run.bounder, None, run.root
    if root is None and bounder is not None and bounder.prices is not None:
        root = price_set(bounder.price_layout, bounder.price_rows, bounder.prices, run.order)
        if run.tree is not None and run.tree.bound > bounder.bound:
            tree = price_tree(run.layout, run.order, run.tree.root)
            price_bound = run.tree.bound
    windows: Sequence[PriceWindow] = ()
    if run.windows is not None and run.windows.bound > max(price_bound, 0.0):
        windows = StatedWindows(run.order, run.windows, len(problem.allowed))
        price_bound = run.windows.bound
    if root is None:
        none = np.zeros(0)
        root = PriceSet(none.astype(np.int64), none, {}, np.zeros(len(problem.allowed)))
    return CoverSolution(
        status=status,
        cost=cost,
        lower_bound=lower,
        gap=max(0.0, gap),
        chosen=chosen,
        groups=groups,
        uncovered=uncovered,
        supply=np.zeros(0, np.int64),
        covered_weight=covered,
        weight_bound=weight_bound,
        price_bound=price_bound,
        cost_step=run.step,
        row_duals=root.of_every_row(problem.n_rows),
        cut_duals=root.cuts,
        class_duals=root.classes,
        log=tuple(run.log),
        work=run.work,
        seconds=run.seconds,
        price_tree=tree,
        price_windows=windows,
    )
