"""Windows along the line: the bound, a first choice from one end to the other, and its polish.

A window's cost depends on its length only, so that of the whole grows with the line's length.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from watchline.design.light_bound import bound_windows, window_bound
from watchline.design.light_heads import Heads
from watchline.design.light_reasons import NoChoiceError
from watchline.design.light_rows import MARGIN, Problem
from watchline.design.light_solve import choice_cost, priced, priced_bound, solve_part
from watchline.errors import InfeasibleError
from watchline.model.lighting import PoleRules

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
PRICE_WINDOW_M, PRICE_AHEAD_M = 600.0, 300.0
"""Windows of the relaxation, and how far beyond them it looks: far, so that prices fit together."""
WINDOW_M, AHEAD_M = 200.0, 100.0
"""Windows of the choice, and how far beyond them it looks: short, so that each is solved well."""
BOUND_NODES = 10
"""Nodes of a tree for the bound, as a multiple of those for a choice: a bound needs many more."""
LEAST_GAIN = 1e-6


@dataclass(frozen=True)
class Cover:
    """A choice of heads with its cost and the least that any choice costs."""

    x: FloatArray
    cost: float
    lower_bound: float


def _windows(problem: Problem, length_m: float, shift_m: float = 0.0) -> list[tuple[float, float]]:
    """Windows from the first point to the last, the first of them shortened by a shift."""
    all_points = [one.points.s for one in problem.asked]
    start = min(float(s[0]) for s in all_points)
    end = max(float(s[-1]) for s in all_points)
    edges = np.arange(start + length_m - shift_m, end - length_m / 3, length_m)
    bounds = [start, *edges, end + 1.0]
    return list(pairwise(bounds))


def _touching(problem: Problem, heads: Heads, start_m: float, end_m: float) -> BoolArray:
    """Heads that give light to a point between two chainages."""
    touching = np.zeros(heads.place.size, dtype=bool)
    for one in problem.asked:
        low, high = np.searchsorted(one.points.s, [start_m, end_m])
        part = one.light[low:high]
        touching[np.unique(part.indices)] = True
    # A place is free as a whole: its poles and brackets stand for each other.
    return np.isin(heads.place, np.unique(heads.place[touching]))


def price_rows(
    problem: Problem, heads: Heads, rules: PoleRules, seed: int, progress: Callable[[float], None]
) -> dict[tuple[object, ...], float]:
    """Prices of rows from the relaxations of overlapping windows, each the middle's own.

    Raises
    ------
    NoChoiceError
        Even all lights together cannot give what is asked somewhere.
    """
    duals: dict[tuple[object, ...], float] = {}
    windows = _windows(problem, PRICE_WINDOW_M)
    for k, (start, end) in enumerate(windows):
        low, high = start - PRICE_AHEAD_M, end + PRICE_AHEAD_M
        free = _touching(problem, heads, low, high)
        found = solve_part(
            problem, heads, np.zeros(heads.place.size), free, low, high, whole=False, seed=seed
        )
        if found is None:
            raise NoChoiceError(low, high)
        inner = (key for key in found.duals if start <= problem.pool[key].s < end)
        duals |= {key: found.duals[key] for key in inner}
        progress((k + 1) / len(windows))
    return duals


def cover_lights(
    problem: Problem,
    heads: Heads,
    rules: PoleRules,
    seed: int,
    progress: Callable[[float], None] = lambda share: None,
) -> Cover:
    """Choose heads at least cost, with a bound.

    Parameters
    ----------
    problem : Problem
        What is asked.
    heads : Heads
        What is offered.
    rules : PoleRules
        Gap and work of each window.
    seed : int
        Of HiGHS.
    progress : callable
        Is told the share done, 0–1.

    Raises
    ------
    InfeasibleError
        Nothing satisfies the requirements.
    """
    duals = price_rows(problem, heads, rules, seed, lambda share: progress(0.1 * share))
    bound = priced_bound(problem, heads, duals, MARGIN)
    worth = _worth(problem, duals)
    x = np.zeros(heads.place.size)
    windows = _windows(problem, WINDOW_M)
    s = heads.s
    last = windows[-1][1]
    settled = -np.inf
    for k, (start, end) in enumerate(windows):
        reach = last if k + 1 == len(windows) else end + AHEAD_M
        found = None
        # Where what was settled before leaves no way, the windows before are opened again.
        for back in (0.0, WINDOW_M, 3 * WINDOW_M, np.inf):
            free = _touching(problem, heads, start - back - AHEAD_M, reach)
            free &= s >= settled - back
            found = solve_part(
                problem,
                heads,
                x,
                free,
                max(windows[0][0], start - back - 2 * AHEAD_M),
                reach,
                whole=True,
                seed=seed,
                gap=rules.gap,
                nodes=rules.work,
                credit=worth(reach),
            )
            if found is not None:
                break
        if found is None:
            raise InfeasibleError(
                "no choice of the offered lights was found that gives what is asked",
                where=f"s = {start:.0f}–{end:.0f} m",
                mend="raise lighting.work, offer more poles, lights or aims, or ask for less",
            )
        x = found.x
        settled = end
        progress(0.1 + 0.3 * (k + 1) / len(windows))
    x = polish(problem, heads, rules, seed, x, lambda share: progress(0.4 + 0.2 * share))
    cost = choice_cost(heads, x)
    if cost - bound > rules.gap * cost:
        whole = window_bound(
            problem,
            heads,
            duals,
            bound_windows(windows[0][0], last),
            seed=seed,
            nodes=BOUND_NODES * rules.work,
            progress=lambda share: progress(0.6 + 0.4 * share),
        )
        bound = max(bound, whole)
    return Cover(x, cost, min(bound, cost))


def _worth(
    problem: Problem, duals: dict[tuple[object, ...], float]
) -> Callable[[float], FloatArray]:
    """What columns are worth for rows beyond a chainage, by the rows' prices."""
    rows, prices, stated = priced(problem, duals, MARGIN)
    s = np.array([row.s for row in rows])
    matrix = stated.matrix

    def beyond(chainage_m: float) -> FloatArray:
        return np.asarray(matrix.T @ np.where(s > chainage_m, prices, 0.0))

    return beyond


def polish(
    problem: Problem,
    heads: Heads,
    rules: PoleRules,
    seed: int,
    x: FloatArray,
    progress: Callable[[float], None] = lambda share: None,
    only: list[tuple[float, float]] | None = None,
) -> FloatArray:
    """Choose anew in windows between the first ones, or in given stretches that miss something."""
    windows = _windows(problem, WINDOW_M, WINDOW_M / 2) if only is None else only
    s = heads.s
    for k, (start, end) in enumerate(windows):
        for wider in (0.0,) if only is None else (0.0, AHEAD_M, WINDOW_M):
            free = (s >= start - wider) & (s <= end + wider)
            free = np.isin(heads.place, np.unique(heads.place[free]))
            if not free.any():
                continue
            reach = 2 * AHEAD_M + wider
            found = solve_part(
                problem,
                heads,
                x,
                free,
                start - reach,
                end + reach,
                whole=True,
                seed=seed,
                gap=rules.gap,
                nodes=rules.work,
                begin=only is None,
                core=None if only is None else (start - wider, end + wider),
            )
            if found is None:
                continue
            better = choice_cost(heads, found.x) < choice_cost(heads, x) - LEAST_GAIN
            if better or only is not None:
                x = found.x
                break
        progress((k + 1) / len(windows))
    return x
