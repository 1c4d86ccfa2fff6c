"""Good choices merged: what two choices open, settled anew by HiGHS, stretch by stretch.

Annealing finds good groups, but seldom the best columns of them, and on a long line it is never
good everywhere at once. Given a dozen groups, their best columns are a small mixed-integer model.
So the groups of two choices that lie together are freed and settled, the rest staying as it is:
each stretch of the line keeps the better of both, or what is better than either (optimized
crossover; Aggarwal, Orlin, Tai, Operations Research 45, 1997).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from watchline.design.cover.exact import make_model, solve_model
from watchline.design.cover.freed import give_back
from watchline.design.cover.layout import Layout
from watchline.design.cover.part import part_of, with_columns
from watchline.design.cover.run import Run

FREED = 13
"""Groups that are settled together: HiGHS needs a tenth of a second for twelve that the choice
has, and half a minute for thirty."""
SECONDS, NODES = 1.0, 300
"""Most time and nodes of HiGHS for a stretch."""
ROUNDS = 12
"""Most times that rows which an answer leaves open are added, and the stretch is settled again."""
ROOT_WORK, NODE_WORK = 4000.0, 40.0
"""Elementary steps for each row–atom pair of a model: its root's, and each node's."""


def merge(run: Run, other: NDArray[np.bool_], until: float) -> None:
    """Merge another choice into the best one where that makes it cheaper.

    Parameters
    ----------
    run : Run
        The run, with a core. Its state is made anew if the core has grown.
    other : ndarray of bool, shape (n_columns,)
        Columns of the ground; they need not cover every row. The best choice itself settles the
        columns of all its groups.
    until : float
        The share of the limits, 0 to 1, after which no further stretch is settled.
    """
    ground, n_rows = run.ground, len(run.core.rows)
    best = np.isin(run.back, run.chosen)
    groups = np.unique(ground.column_group[best | other])
    affinity = _affinity(run.core.layout, groups)
    differing = np.unique(ground.column_group[best ^ other])
    waiting = np.isin(groups, differing) if len(differing) else np.ones(len(groups), bool)
    for place in range(len(groups)):
        if not waiting[place] or run.share() >= until or run.done():
            continue
        span = slice(*affinity.indptr[place : place + 2])
        near = affinity.indices[span][np.argsort(-affinity.data[span], kind="stable")][:FREED]
        # Those at the border have only half of their neighbours here.
        waiting[near[: FREED // 2]] = waiting[place] = False
        free = np.zeros(len(ground.fixed), bool)
        free[groups[near]] = free[groups[place]] = True
        best = settle(run, best, free)
    if len(run.core.rows) > n_rows:
        run.stand_at(run.state.chosen > 0)


def _affinity(layout: Layout, groups: NDArray[np.int32]) -> sparse.csr_array:
    """Return how many rows each two of some groups both see, where there are any."""
    n_rows, place = len(layout.demand), np.full(len(layout.fixed), -1)
    place[groups] = np.arange(len(groups))
    row = np.repeat(np.arange(n_rows), np.diff(layout.row_start))
    at = place[layout.atom_group[layout.row_atom]]
    sees = sparse.csr_array(
        (np.ones(int((at >= 0).sum())), (at[at >= 0], row[at >= 0])), shape=(len(groups), n_rows)
    )
    affinity = (sees @ sees.T).tocsr()
    affinity.sort_indices()
    return affinity


def settle(run: Run, chosen: NDArray[np.bool_], free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Choose anew, as cheaply as HiGHS can tell, among the columns of some groups.

    Parameters
    ----------
    run : Run
        The run; a better choice is offered to it, and rows that answers left open go into its
        core.
    chosen : ndarray of bool, shape (n_columns,)
        A choice of the ground's columns that covers every row.
    free : ndarray of bool, shape (n_groups,)
        The groups.

    Returns
    -------
    ndarray of bool, shape (n_columns,)
        The choice, or a cheaper one.
    """
    ground, core, problem = run.ground, run.core, run.problem
    keep = free[ground.column_group]
    kept = chosen & ~keep
    site = np.unique(ground.site[ground.column_group[kept]])
    keep &= ~np.isin(ground.site, site[site >= 0])[ground.column_group]
    columns, start = np.flatnonzero(keep), np.flatnonzero(chosen[keep])
    views = problem.views(run.order[run.back[np.flatnonzero(kept)]])
    demand = np.where(core.weight > 0, np.maximum(problem.demand - views, 0), 0)
    local, _ = with_columns(ground._replace(demand=demand.astype(np.int32)), keep)
    rows = core.rows[demand[core.rows] > 0]
    # With a work limit nodes alone end HiGHS, or a slow machine would answer otherwise.
    seconds = run.time_limit - run.seconds
    if run.work_limit is None:
        seconds = min(SECONDS, seconds)
    for _ in range(ROUNDS):
        if seconds <= 0:
            break
        part = part_of(local, rows)
        outcome = solve_model(
            part,
            make_model(part, np.zeros(len(problem.allowed))),
            seconds=seconds,
            start=start,
            nodes=NODES,
            seed=run.seed,
            step=run.step,
        )
        # HiGHS takes some 35 MB, and leaves them behind as holes.
        give_back()
        run.other_work += len(part.atom_row) * (ROOT_WORK + NODE_WORK * outcome.nodes) / 1e6
        if outcome.chosen is None or _cost(local, outcome.chosen) >= _cost(local, start) - 1e-9:
            break
        found = kept.copy()
        found[columns[outcome.chosen]] = True
        views = problem.views(run.order[run.back[np.flatnonzero(found)]])
        open_rows = np.flatnonzero((views < problem.demand) & (core.weight > 0))
        if not len(open_rows):
            run.offer(run.back[np.flatnonzero(found)])
            return found
        before = core.rows
        core.take(open_rows, run.state.random)
        rows = np.union1d(rows, np.setdiff1d(core.rows, before))
    return chosen


def _cost(layout: Layout, columns: NDArray[np.intp]) -> float:
    """Return the cost of columns with that of their groups."""
    groups = np.unique(layout.column_group[columns])
    return float(layout.cost[columns].sum() + layout.fixed[groups].sum())
