"""Stages of a run that make its choice cheaper."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.core import Core
from watchline.design.cover.dominated import dominated
from watchline.design.cover.narrow import LEAST_PRICE, narrowed, nearest, promising, weight_of
from watchline.design.cover.raising import least_of
from watchline.design.cover.recreate import prune, recreate
from watchline.design.cover.run import Run
from watchline.design.cover.scratch import make_scratch
from watchline.design.cover.search import improve, objective
from watchline.design.cover.settling import merge
from watchline.design.cover.state import add_column, make_state, put
from watchline.design.cover.weighting import reweigh
from watchline.design.cover.weights import Weights, is_plain, make_beside, make_weights

CHUNK = 30.0
"""Work between two looks at the clock, in million steps (about a quarter of a second)."""
MANY_ROWS = 2000
"""Rows up to which the search looks at all of them from the start."""
STARTED = 0.6
"""How far a search is cooled down from the start if it was given one."""
HOT, COLD = 0.2, 0.05
"""First temperature as a share of an open group's mean cost; the last as a share of the first."""
WIDE, NEAR_ONLY = 0.15, 0.85
"""Shares of the time of a search by row weights: before it moves on the nearest columns alone, and
until it moves on all again."""
TIGHT = 0.9
"""Share of the cost above which a bound says that the prices tell good columns from bad."""
REHEATED = 0.5
"""How far a round's search is cooled down when it starts, but for the first one's."""
ROUND, ROUND_STEPS = 0.1, 125
"""A round's share of the time of all, and its steps for each open group, at the most."""
LONG_STEPS = 1000
"""Steps for each open group of the first round at the most: where time is short one long annealing
is better than short ones."""
MERGED = 0.04
"""Share of the time of all rounds that is left for merging the last one."""
COLD_END = 0.7
"""Share of a round's search after which its choices count."""
UNMATCHED = 1e300
"""An objective that every choice is better than."""
PASSED = 1, 3
"""Sixteenths of the chosen columns that each of the searches by row weights beside each other
passes over: which is better depends on the problem."""
MEND = 8
"""Growths of the core after which a choice is mended for all rows and offered."""


def first(run: Run, start: NDArray[np.int64] | None) -> None:
    """Make a first choice: the given start mended, or the greedy one.

    Parameters
    ----------
    run : Run
        The run.
    start : ndarray of int64, optional
        Columns of the problem to start from.
    """
    problem, layout = run.problem, run.layout
    rng = np.random.default_rng(run.seed)
    reachable = (run.supply >= problem.demand) & (problem.demand > 0)
    scale = problem.row_weight / max(run.total / max(1, problem.n_rows), 1e-300)
    soft = (problem.allowed > 0)[problem.row_class] | (problem.budget is not None)
    weight = np.where(soft, np.clip(np.rint(64 * scale), 0, 2**24), 64).astype(np.int64)
    few = problem.n_rows <= MANY_ROWS or problem.budget is not None
    awake = np.ones(problem.n_rows, bool) if few else rng.random(problem.n_rows) < 0.1
    # Sums that move up and down drift: half the least weight tells 0 from one open row.
    least = np.full(len(problem.allowed), np.inf)
    np.minimum.at(
        least, problem.row_class, np.where(problem.demand > 0, problem.row_weight, np.inf)
    )
    allowed = np.where(np.isfinite(least), 0.5 * least, 1.0)
    if problem.budget is None:
        allowed = np.maximum(allowed, problem.allowance())
    weight = np.where(reachable, weight, 0)
    run.state = make_state(layout, weight, awake, allowed, run.seed)
    run.scratch = make_scratch(layout)
    run.ground, run.back = layout, np.arange(len(run.order))
    if start is not None and len(start):
        # A start that was given is near its goal: it is improved, not remade.
        run.cooled = STARTED
        place = np.empty(len(run.order), np.int64)
        place[run.order] = np.arange(len(run.order))
        put(layout, run.state, place[np.unique(start)], run.budget)
    n_log = recreate(layout, run.state, run.scratch, run.budget, 0.0, 0)
    prune(layout, run.state, run.scratch, n_log)
    run.offer(np.flatnonzero(run.state.chosen))


def concentrate(run: Run, entries: int | None = None) -> None:
    """Search on by the prices of the bound: the promising columns, the priced rows.

    Parameters
    ----------
    run : Run
        The run.
    entries : int, optional
        Matrix entries of the columns to keep; see
        :func:`watchline.design.cover.narrow.promising`.
    """
    least, bounder, problem = least_of(run), run.bounder, run.problem
    if least is None or run.chosen is None:
        return
    price = np.zeros(problem.n_rows)
    price[bounder.price_rows] = bounder.prices.row
    if not np.any(price > LEAST_PRICE):
        return
    keep = promising(problem, least, run.order[run.chosen], run.value, entries)
    narrow, back = narrowed(run.layout, keep[run.order], run.supply)
    run.other_work += len(problem.indices) / 1e6
    old = run.state
    weight = weight_of(price, old.reserve)
    run.ground, run.back = narrow, back
    chosen = np.isin(run.back, run.chosen)
    run.core = None
    if problem.n_rows <= MANY_ROWS or np.any(problem.allowed > 0):
        # Rows that may be missed belong to no core: which are is for the whole to say.
        awake = (price > LEAST_PRICE) | (problem.n_rows <= MANY_ROWS)
        run.state = make_state(narrow, weight, awake, old.allowed, run.seed)
        for column in np.flatnonzero(chosen):
            add_column(narrow, run.state, column)
    else:
        # Rows without a price are covered along with others, nearly always.
        rows = np.flatnonzero((price > LEAST_PRICE) & (weight > 0))
        run.core = Core(narrow, weight, old.allowed, rows)
        run.state = run.core.state_of(chosen, old)
    run.state.work[:], run.state.random[:] = old.work, old.random
    run.scratch = make_scratch(run.arena)


def search(run: Run, until: float, *, most: float | None = None) -> NDArray[np.bool_]:
    """Ruin and recreate until a share of the limits is used up.

    Parameters
    ----------
    run : Run
        The run.
    until : float
        The share, 0 to 1.
    most : float, optional
        Steps within which it cools down at the latest. With it the best choice of the search's cold
        end is asked for, better than where it began or not.

    Returns
    -------
    ndarray of bool, shape (n_columns,)
        That choice, of the ground's columns; on a core it may leave other rows open.
    """
    layout, state, scratch = run.arena, run.state, run.scratch
    begin = run.share()
    budget = run.budget
    penalty = 1e3 * (1.0 + float(np.sum(layout.cost[state.chosen > 0])) + state.cost[0])
    best = state.chosen.copy()
    value = objective(state, budget, penalty)
    steps, taken, growths = 4, 0, 0
    while True:
        now = run.share()
        part = (now - begin) / max(until - begin, 1e-9)
        if most is not None:
            part = max(part, taken / most)
        if now >= until or part >= 1.0 or run.done() or not (state.chosen.any() or state.over[0]):
            break
        n_open = max(1, int(np.count_nonzero(state.used)))
        mean = state.cost[0] / n_open
        if budget < math.inf:
            mean = run.total / n_open
        cooled = run.cooled + (1.0 - run.cooled) * part
        heat = max(HOT * mean * COLD**cooled, 1e-9)
        # Mounts with several columns each: fewer are closed at once, and judged more at random.
        mounts = mean > 2.5 * float(np.mean(layout.cost))
        largest, noise = (6, 0.6) if mounts else (max(4, min(30, n_open // 8)), 0.3)
        if most is not None and part < COLD_END:
            value = UNMATCHED
        before = state.work[0]
        value = improve(
            layout,
            state,
            scratch,
            budget,
            penalty,
            steps,
            heat,
            heat,
            largest,
            noise,
            best,
            value,
        )
        done = max(float(state.work[0] - before) / 1e6, 1e-6)
        taken += steps
        steps = int(np.clip(round(steps * CHUNK / done), 1, 4 * steps))
        if run.core is None:
            if value < run.value - 1e-12 * abs(value):
                run.offer(run.back[np.flatnonzero(best)])
        elif value < run.value - 1e-12 * abs(value) and _grow_core(run, best > 0):
            growths += 1
            if growths % MEND == 0:
                _mend(run, best > 0)
            layout, state, scratch = run.arena, run.state, run.scratch
            best[:] = state.chosen
            value = objective(state, budget, penalty)
        if run.windows is not None:
            run.raise_bound(run.windows.bound)
    if run.core is not None and most is None:
        _mend(run, best > 0)
    return best > 0


def search_in_rounds(run: Run, until: float) -> None:
    """Ruin and recreate again and again, each time merging what was found into the best choice.

    Parameters
    ----------
    run : Run
        The run.
    until : float
        The share of the limits, 0 to 1.
    """
    if run.core is None:
        search(run, until)
        return
    begin = run.share()
    merge(run, np.isin(run.back, run.chosen), until)
    # What the last round finds is merged too.
    last = until - MERGED * (until - begin)
    steps, part = LONG_STEPS, 1.0
    while run.share() < last and not run.done():
        run.stand_at(np.isin(run.back, run.chosen))
        most = steps * max(1, np.count_nonzero(run.state.used))
        end = min(last, run.share() + part * (until - begin))
        merge(run, search(run, end, most=most), until)
        run.cooled = max(run.cooled, REHEATED)
        steps, part = ROUND_STEPS, ROUND


def _grow_core(run: Run, best: NDArray[np.bool_]) -> bool:
    """Take rows that a choice of the core leaves open into it; offer the choice if there are none.

    Returns
    -------
    bool
        Whether the core has grown, so that the search stands in a new state.
    """
    core, old = run.core, run.state
    views = run.problem.views(run.order[run.back[np.flatnonzero(best)]])
    open_rows = np.flatnonzero((views < run.problem.demand) & (core.weight > 0))
    if not len(open_rows):
        run.offer(run.back[np.flatnonzero(best)])
        return False
    core.take(open_rows, old.random)
    run.other_work += core.step_work
    run.stand_at(old.chosen > 0)
    n_log = recreate(core.layout, run.state, run.scratch, run.budget, 0.0, 0)
    prune(core.layout, run.state, run.scratch, n_log)
    return True


def _mend(run: Run, chosen: NDArray[np.bool_]) -> None:
    """Cover all rows of the ground from a choice of the core, and offer that."""
    whole, scratch = run.core.whole_state(chosen, run.state), make_scratch(run.ground)
    n_log = recreate(run.ground, whole, scratch, run.budget, 0.0, 0)
    prune(run.ground, whole, scratch, n_log)
    run.other_work += float(whole.work[0]) / 1e6 + run.core.step_work
    if whole.over[0] == 0:
        run.offer(run.back[np.flatnonzero(whole.chosen)])


def weigh_rows(run: Run, until: float) -> None:
    """Search by row weights, where the problem is plain set covering.

    Several searches with different random numbers go on beside each other, each in a thread of its
    own. Where the prices tell much, most of the time goes to the columns nearest to their prices:
    a step among these costs a fraction, and few others are in good choices.

    Parameters
    ----------
    run : Run
        The run.
    until : float
        The share of the limits, 0 to 1.
    """
    if run.chosen is None or not is_plain(run.problem):
        return
    begin = run.share()
    if run.weights is None:
        run.weights = _weights_on(run, ~dominated(run.problem))
    _weigh(run, run.weights, begin + WIDE * (until - begin))
    least = least_of(run)
    if least is not None and run.bound >= TIGHT * run.value:
        if run.near_weights is None:
            keep = nearest(run.problem, least, run.weights[0].columns)
            run.near_weights = _weights_on(run, keep)
        _weigh(run, run.near_weights, begin + NEAR_ONLY * (until - begin))
    _weigh(run, run.weights, until)


def _weights_on(run: Run, keep: NDArray[np.bool_]) -> list[Weights]:
    """Return the starts of searches by row weights among some columns, from the best choice."""
    chosen = run.order[run.chosen]
    keep = keep.copy()
    keep[chosen] = True
    run.other_work += len(run.problem.indices) / 1e6
    one = make_weights(run.problem, chosen, run.state.random.copy(), PASSED[0], keep)
    seeds = np.random.default_rng(run.seed).integers(1, 2**63, (len(PASSED), 1)).astype(np.uint64)
    others = zip(seeds[1:], PASSED[1:], strict=True)
    return [one, *(make_beside(one, run.state.random ^ seed, passed) for seed, passed in others)]


def _weigh(run: Run, searches: list[Weights], until: float) -> None:
    """Search on by row weights until a share of the limits is used up.

    Whatever the number of cores, each search takes as many steps as the others before they tell
    each other their costs: so a run with a work limit is repeatable.
    """
    place = np.empty(len(run.order), np.int64)
    place[run.order] = np.arange(len(run.order))
    best = [np.zeros(len(one.columns), np.bool_) for one in searches]
    steps = CHUNK * 1e6 / len(searches)
    with ThreadPoolExecutor(len(searches)) as pool:
        while run.share() < until and not run.done():
            # Another search may have found a better choice in the meantime.
            for one in searches:
                one.best[0] = min(one.best[0], run.value)
            before = run.value
            run.other_work += sum(pool.map(reweigh, searches, repeat(steps), best)) / 1e6
            for one, found in zip(searches, best, strict=True):
                if one.best[0] < before:
                    run.offer(np.sort(place[one.columns[found]]))
