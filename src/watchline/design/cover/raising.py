"""Stages of a run that raise its bound."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.bounding import Bounder
from watchline.design.cover.cutting import LEAST_PRICE, make_stretches, with_rows
from watchline.design.cover.dual import least_cost_with
from watchline.design.cover.exact import make_model, solve_model
from watchline.design.cover.freed import give_back
from watchline.design.cover.linear import ExactPrices
from watchline.design.cover.part import part_of, with_columns
from watchline.design.cover.run import Run
from watchline.design.cover.stated import price_set
from watchline.design.cover.tree import MOST_LEAVES, Tree
from watchline.design.cover.window import Window
from watchline.design.cover.windows import Windows, fit_shares

STEPS = 100
"""Steps of the relaxation in a round of a leaf of a tree over groups."""
FEWEST_NODES = 10
"""Nodes for which HiGHS is called at all: its root alone takes the time of hundreds."""
NEAR_WINDOW = 0.05
"""Share of an open group's mean cost by which a near column of a window may fall short."""
GROUPS_IN_WINDOW = 3
"""Groups of the best choice for a window: its tree doubles with each, its borders cost bound."""
MORE_ROWS = 0.3
"""Rows that good choices leave open, for each row with a price: the relaxation covers them along
with others, but the leaves of a window do not."""
CHUNK = 30.0
"""Work between two looks at the clock, in million steps (about a quarter of a second)."""
STALLED = 3e-4
"""Share of the bound that the relaxation gains between growths of its rows while it is far off."""


def relax(
    run: Run,
    until: float,
    *,
    to_the_end: bool = True,
    enough: Callable[[], bool] = lambda: False,
) -> None:
    """Raise the bound by the relaxation until a share of the limits is used up.

    Parameters
    ----------
    run : Run
        The run.
    until : float
        The share, 0 to 1.
    to_the_end : bool
        Whether to go on where the bound hardly rises.
    enough : callable
        Asked again and again whether to stop.
    """
    if run.bounder is None:
        demanded = np.flatnonzero(run.problem.demand > 0)
        rows = demanded
        if len(rows) > 3000:
            rows = rows[run.state.weight[rows] > 0]
            rng = np.random.default_rng(run.seed)
            rows = np.sort(rng.permutation(rows)[: max(2000, len(demanded) // 16)])
        allowed = run.problem.allowance()
        if run.problem.budget is not None:
            allowed = np.array([max(run.value, 1e-6 * run.total)])
        run.bounder = Bounder(run.problem, run.layout, allowed, rows, run.seed)
    bounder = run.bounder
    since_rows, before = 0, [-math.inf] * 3
    begun = False
    while not begun or (run.share() < until and not run.done() and not enough()):
        begun = True
        left = max(1.0, CHUNK / max(bounder.step_work, 1e-9))
        steps = int(np.clip(left, 1, 400))
        bounder.advance(steps)
        since_rows += steps
        run.raise_bound(bounder.bound)
        if run.problem.budget is not None and since_rows >= 400:
            bounder.guess_miss()
        if since_rows >= 400:
            since_rows = 0
            if not to_the_end and bounder.bound < before[0] + STALLED * abs(before[0]):
                break
            before = [*before[1:], bounder.bound]
            if len(bounder.rows) < int(np.count_nonzero(run.problem.demand)):
                bounder.add_rows(max(200, len(bounder.rows) // 4))
        if bounder.settled:
            break


def price_exactly(run: Run, until: float) -> None:
    """Raise the bound of a plain problem by its linear program beside the relaxation.

    By the clock only. Where HiGHS is not done in time the relaxation's prices stand.

    Parameters
    ----------
    run : Run
        The run.
    until : float
        The share of the time limit, 0 to 1, that may be used up.
    """
    linear = ExactPrices(run.problem)
    try:
        relax(run, until, enough=linear.over)
    finally:
        row = linear.stop()
    if row is not None:
        run.bounder.offer(row)
        run.raise_bound(run.bounder.bound)


def branch(run: Run, until: float) -> None:
    """Raise the bound by a tree until a share of the limits is used up.

    Parameters
    ----------
    run : Run
        The run.
    until : float
        The share, 0 to 1.
    """
    bounder = run.bounder
    if bounder is None or bounder.prices is None or not run.few:
        return
    if run.tree is None:
        run.tree = Tree.of(bounder)
    tree = run.tree
    while run.share() < until and not run.done() and tree.leaves < MOST_LEAVES:
        goal = min(run.value - 0.999 * run.step, run.value * (1 - run.target))
        if not tree.grow(goal * (1 - 1e-9), STEPS):
            break
        run.raise_bound(tree.bound)
    run.raise_bound(tree.bound)


def divide(run: Run, until: float) -> None:
    """Raise the bound by windows with shared costs until a share of the limits is used up.

    Parameters
    ----------
    run : Run
        The run.
    until : float
        The share, 0 to 1.
    """
    if not run.long:
        return
    if run.windows is None:
        run.windows = cut(run)
    limit = until * run.time_limit if run.work_limit is None else run.time_limit
    for bound in run.windows.steps(lambda: run.interrupted or run.seconds >= limit):
        run.raise_bound(bound)
        if run.share() >= until or run.done():
            break


def divide_beside(run: Run, until: float, work: Callable[[], None]) -> None:
    """Raise the bound by windows in threads beside other work (by the clock only).

    Parameters
    ----------
    run : Run
        The run.
    until : float
        The share of the time limit, 0 to 1, at which the windows stop.
    work : callable
        The other work, in this thread; the windows go on when it ends.
    """
    if run.windows is None:
        run.windows = cut(run)
    windows, over = run.windows, threading.Event()
    limit = until * run.time_limit
    # One core is the other work's until that ends.
    cores = _cores()
    gate = threading.Semaphore(cores - 1)

    def raise_windows() -> None:
        for _ in windows.steps(lambda: over.is_set() or run.seconds >= limit, cores, gate):
            pass

    beside = threading.Thread(target=raise_windows, daemon=True)
    beside.start()
    try:
        work()
        gate.release()
        while beside.is_alive() and not run.done():
            beside.join(0.5)
            run.raise_bound(windows.bound)
    finally:
        over.set()
        beside.join()
        run.raise_bound(windows.bound)


def _cores() -> int:
    """Return the number of cores that this process may use, at least 2."""
    if hasattr(os, "sched_getaffinity"):
        return max(2, len(os.sched_getaffinity(0)))
    return max(2, os.cpu_count() or 2)


def cut(run: Run) -> Windows:
    """Return the problem cut into windows, with its costs shared by the best prices."""
    bounder = run.bounder
    least = least_cost_with(bounder.price_layout, bounder.prices, bounder.allowed)
    mean, count = run.value / max(1, run.paid()), max(2, round(run.paid() / GROUPS_IN_WINDOW))
    more, first = np.zeros(0, np.intp), np.zeros(0, np.intp)
    if run.core is not None:
        more = run.core.rows
        first = run.core.latest(int(MORE_ROWS * np.count_nonzero(bounder.prices.row)))
    # The relaxation is left where it is: it says what it has proven, and makes room for the
    # windows.
    near = least - bounder.bound <= NEAR_WINDOW * mean
    priced, rows, prices = bounder.price_layout, bounder.price_rows, bounder.prices
    run.root = price_set(priced, rows, prices, run.order)
    bounder.conclude()
    rows, part, prices = with_rows(run.layout, priced, rows, prices, more)
    run.layout = part_of(run.layout, np.zeros(0, np.intp))
    del priced
    stretches = make_stretches(
        part,
        rows,
        prices,
        near,
        count,
        fit_shares,
        (prices.row > LEAST_PRICE) | np.isin(rows, first),
    )
    run.other_work += len(run.problem.indices) / 1e6
    windows = [Window(stretch) for stretch in stretches]
    del part, prices
    give_back()
    return Windows(windows, run.layout.fixed, run.layout.cost)


def least_of(run: Run) -> NDArray[np.float64] | None:
    """Return the least cost of a choice with each column of the problem, by the best prices."""
    bounder = run.bounder
    if run.problem.budget is not None or bounder is None or bounder.prices is None:
        return None
    least = np.empty(run.problem.n_columns)
    least[run.order] = least_cost_with(
        bounder.price_layout, bounder.prices, run.problem.allowance()
    )
    return least


def finish_exactly(run: Run, largest: int) -> None:
    """Hand what prices cannot exclude to HiGHS for the rest of the limits.

    If too much is left, only its most promising columns: HiGHS may then find a better choice
    but proves nothing.

    Parameters
    ----------
    run : Run
        The run.
    largest : int
        Matrix entries that HiGHS may get.
    """
    seconds = run.time_limit - run.seconds
    if seconds <= 0 or run.done():
        return
    keep, proof = np.ones(run.problem.n_columns, bool), True
    least = least_of(run)
    if least is not None and run.chosen is not None:
        keep = least <= run.value - run.step + 1e-9 * abs(run.value)
        size = np.diff(run.problem.indptr)
        if size[keep].sum() > largest:
            rank = np.argsort(least, kind="stable")
            keep[rank[np.cumsum(size[rank]) > largest]] = False
            proof = False
        # The known choice stays, so that HiGHS has a start.
        keep[run.order[run.chosen]] = True
    elif len(run.problem.indices) > largest:
        return
    # A choice with an excluded column costs at least the present best.
    ceiling = run.value
    problem, kept = run.problem, np.flatnonzero(keep[run.order])
    layout, _ = with_columns(run.layout, keep[run.order])
    pairs = len(layout.atom_row)
    run.other_work += float(np.diff(problem.indptr)[keep].sum()) / 1e6
    nodes = None
    if run.work_limit is not None:
        left = max(0.0, run.work_limit - run.work)
        nodes = max(1, int(left / max(1e-6 * 40 * pairs, 1e-3)))
        if nodes < FEWEST_NODES and run.chosen is not None:
            return
        run.other_work += left
    start = None
    if run.chosen is not None:
        start = np.flatnonzero(np.isin(kept, run.chosen))
    outcome = solve_model(
        layout,
        make_model(layout, problem.allowance(), budget=problem.budget),
        seconds=seconds,
        start=start,
        nodes=nodes,
        seed=run.seed,
        gap=run.target,
        step=run.step if problem.budget is None else 0.0,
        enough=lambda: run.interrupted,
    )
    if outcome.chosen is not None:
        run.offer(kept[outcome.chosen])
    if outcome.interrupted:
        raise KeyboardInterrupt
    if not proof:
        return
    if outcome.infeasible and run.chosen is None:
        run.infeasible = True
    if math.isfinite(outcome.bound):
        # Branch and bound in floating point: take off its tolerances.
        bound = outcome.bound - 1e-6 * max(1.0, abs(outcome.bound))
        run.raise_bound(min(bound, ceiling))
    if outcome.optimal and run.chosen is not None:
        slack = 1e-6 * max(1.0, abs(run.value)) + run.target * abs(run.value)
        if run.value - min(outcome.bound, ceiling) <= max(slack, run.step * 0.999):
            if run.target == 0.0:
                run.raise_bound(run.value)
            run.closed = True
