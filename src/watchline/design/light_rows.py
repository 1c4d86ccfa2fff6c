"""Rows of the choice of lights: what is asked and what is limited, made as they are needed.

Light adds up, so all that is asked is linear in the heads chosen: the minimum at a point, the mean
of a stretch, and uniformity as ``E_i − U · mean ≥ 0``, which needs no approximation. Only rows
that some choice violates are ever made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from watchline.design.light_columns import Columns
from watchline.design.light_matrix import LIMIT_REACH_M
from watchline.design.light_points import Points
from watchline.model.lighting import LightLimit, LightRequirement

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
SLACK_LX = 1e-6
MARGIN = 1.0001
"""The design asks for so much more, so that roundings do not decide in the proof. The bound does
not: it is that of what was asked."""
BIN_M = 10.0
"""Of the points that miss something, the worst of each such stretch becomes a row at a time."""


@dataclass(frozen=True)
class Row:
    """``lower ≤ Σ value · x + Σ top_value · y ≤ upper`` at a chainage, y for poles that stand.

    Where the margin lies in the values and not in the bounds, `asked` holds those without it.
    """

    key: tuple[object, ...]
    s: float
    heads: IntArray
    values: FloatArray
    lower: float
    upper: float
    tops: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    top_values: FloatArray = field(default_factory=lambda: np.zeros(0))
    asked: FloatArray | None = None


@dataclass(frozen=True)
class Asked:
    """One requirement with its points and what every head gives to them.

    Attributes
    ----------
    requirement : LightRequirement
        What is asked.
    points : Points
        In order of chainage.
    light : csr_matrix [points, heads]
        Illuminance [lx].
    stretch : int64 array [points]
        Stretch of each point; −1 at added points, which no mean counts.
    means : csr_matrix [stretches, heads]
        Mean illuminance of each stretch.
    middle : float64 array [stretches]
        Chainage of each stretch's middle.
    more_lx, more_mean_lx : float64 array [points], [stretches]
        What is asked besides, where the proof found less light than the design.
    """

    requirement: LightRequirement
    points: Points
    light: csr_matrix
    stretch: IntArray
    means: csr_matrix
    middle: FloatArray
    more_lx: FloatArray
    more_mean_lx: FloatArray

    @property
    def least_lx(self) -> FloatArray:
        """Minimum of each point that the design aims at [lx]."""
        return (self.requirement.minimum_lx + self.more_lx) * MARGIN

    @property
    def least_mean_lx(self) -> FloatArray:
        """Mean of each stretch that the design aims at [lx]."""
        return (self.requirement.average_lx + self.more_mean_lx) * MARGIN


@dataclass(frozen=True)
class Limited:
    """One limit with its places and what every head adds there; `most` may be tightened."""

    limit: LightLimit
    points: Points
    light: csr_matrix
    most: float


@dataclass(frozen=True)
class Problem:
    """All that is asked of a choice of heads.

    Attributes
    ----------
    asked : tuple of Asked
        Requirements.
    limited : tuple of Limited
        Limits that add up.
    place_of, feeder_of, top_of, bracket_of : int64 array [heads]
        Place, feeder, top and bracket of each head.
    columns : Columns
        What is chosen among.
    pool : dict of Row
        Rows that some choice has violated, by their keys.
    """

    asked: tuple[Asked, ...]
    limited: tuple[Limited, ...]
    place_of: IntArray
    feeder_of: IntArray
    top_of: IntArray
    bracket_of: IntArray
    columns: Columns
    pool: dict[tuple[object, ...], Row] = field(default_factory=dict)


def stretches_of(
    requirement: LightRequirement, points: Points, light: csr_matrix, start_m: float, whole: bool
) -> tuple[IntArray, csr_matrix, FloatArray]:
    """Stretch of each point, the mean light of each, and the chainage of its middle.

    Named areas are one stretch each (`whole`); the last stretch of a line takes in what would be
    shorter than half a stretch.
    """
    inner = np.flatnonzero(~points.edge)
    number = np.full(len(points), -1, dtype=np.int64)
    if whole:
        number[inner] = 0
    elif inner.size:
        s = points.s[inner]
        count = max(1, round((float(s.max()) - start_m) / requirement.stretch_m))
        of = np.minimum((s - start_m) // requirement.stretch_m, count - 1)
        number[inner] = np.unique(of, return_inverse=True)[1]
    counts = np.bincount(number[inner])
    weights = csr_matrix(
        (1.0 / counts[number[inner]], (number[inner], inner)), (counts.size, len(points))
    )
    middle = np.bincount(number[inner], weights=points.s[inner]) / counts
    return number, (weights @ light).tocsr(), middle


def _row(matrix: csr_matrix, i: int) -> tuple[IntArray, FloatArray]:
    part = slice(matrix.indptr[i], matrix.indptr[i + 1])
    return matrix.indices[part].astype(np.int64), matrix.data[part].astype(np.float64)


def _place_key(points: Points, i: int) -> tuple[float, float]:
    """What tells a point from all others, whatever is added before it."""
    return float(points.x[i]), float(points.y[i])


def _minimum_rows(
    problem: Problem, r: int, i: int, group: tuple[str, int] | None
) -> tuple[Row, ...]:
    """The minimum at a point, and where poles and lights are apart, what follows for poles alone.

    A light that gives more than is asked counts as if it gave just that: in whole choices it is
    the same, and the relaxation cannot take a tenth of a bright light. Likewise for a pole, whose
    lights together give at most the sum of the best on each of its brackets.
    """
    one = problem.asked[r]
    heads, values = _row(one.light, i)
    if group is not None:
        groups = problem.place_of if group[0] == "pole" else problem.feeder_of
        keep = groups[heads] != group[1]
        heads, values = heads[keep], values[keep]
    key = ("minimum", r, *_place_key(one.points, i), group)
    lower = float(one.least_lx[i])
    s = float(one.points.s[i])
    row = Row(key, s, heads, np.minimum(values, lower), lower, np.inf)
    if problem.columns.listed.all():
        return (row,)
    order = np.lexsort((values, problem.bracket_of[heads], problem.top_of[heads]))
    top, bracket = problem.top_of[heads][order], problem.bracket_of[heads][order]
    last = np.ones(order.size, dtype=bool)
    last[:-1] = (np.diff(top) != 0) | (np.diff(bracket) != 0)
    best = order[last]
    tops, which = np.unique(problem.top_of[heads[best]], return_inverse=True)
    given = np.minimum(np.bincount(which, weights=values[best], minlength=tops.size), lower)
    nothing = np.zeros(0, dtype=np.int64)
    return (
        row,
        Row(("poles", *key), s, nothing, np.zeros(0), lower, np.inf, tops, given),
    )


def _average_row(problem: Problem, r: int, k: int) -> Row:
    one = problem.asked[r]
    heads, values = _row(one.means, k)
    lower = float(one.least_mean_lx[k])
    return Row(("average", r, k), float(one.middle[k]), heads, values, lower, np.inf)


def _uniform_row(problem: Problem, r: int, i: int) -> Row:
    one = problem.asked[r]
    heads, values = _row(one.light, i)
    others, means = _row(one.means, int(one.stretch[i]))
    together = np.union1d(heads, others)
    given, mean = np.zeros(together.size), np.zeros(together.size)
    given[np.searchsorted(together, heads)] = values
    mean[np.searchsorted(together, others)] = one.requirement.uniformity * means
    key = ("uniform", r, *_place_key(one.points, i))
    strict = given - MARGIN * mean
    s = float(one.points.s[i])
    return Row(key, s, together, strict, 0.0, np.inf, asked=given - mean)


def _limit_row(problem: Problem, r: int, i: int) -> Row:
    one = problem.limited[r]
    heads, values = _row(one.light, i)
    key = ("limit", r, *_place_key(one.points, i), one.most)
    return Row(key, float(one.points.s[i]), heads, values, -np.inf, one.most)


def _worst(s: FloatArray, missing: FloatArray, at: IntArray) -> Iterable[int]:
    """Of the points that miss something, the worst of each bin of chainage."""
    bad = at[missing[at] > SLACK_LX]
    if not bad.size:
        return ()
    order = bad[np.lexsort((bad, -missing[bad], np.floor(s[bad] / BIN_M)))]
    bins = np.floor(s[order] / BIN_M)
    return [int(i) for i in order[np.concatenate([[True], np.diff(bins) > 0])]]


def violated(problem: Problem, x: FloatArray, start_m: float, end_m: float) -> list[Row]:
    """Rows between two chainages that a choice violates, fractional or not.

    Parameters
    ----------
    problem : Problem
        What is asked.
    x : float64 array [heads]
        The choice.
    start_m, end_m : float
        Rows with ``start_m ≤ s ≤ end_m`` are looked at.
    """
    found: list[Row] = []
    for r, one in enumerate(problem.asked):
        asked = one.requirement
        low, high = np.searchsorted(one.points.s, [start_m, np.nextafter(end_m, np.inf)])
        if low == high:
            continue
        some = one.light[low:high]
        lux, s = some @ x, one.points.s[low:high]
        every = np.arange(high - low)
        if asked.minimum_lx:
            least = one.least_lx[low:high]
            groups: list[tuple[str, IntArray]] = []
            if asked.survive == "pole":
                groups = [("pole", problem.place_of)]
            elif asked.survive == "feeder":
                groups = [("feeder", problem.feeder_of)]
            if not groups:
                for i in _worst(s, least - lux, every):
                    found += _minimum_rows(problem, r, low + i, None)
            for name, group_of in groups:
                most, which = largest_group(some, x, group_of)
                for i in _worst(s, least - (lux - most), every):
                    found += _minimum_rows(problem, r, low + i, (name, int(which[i])))
        if asked.average_lx:
            inside = (one.middle >= start_m) & (one.middle <= end_m)
            missing = one.least_mean_lx - one.means @ x
            for k in np.flatnonzero(inside & (missing > SLACK_LX)):
                found.append(_average_row(problem, r, int(k)))
        if asked.uniformity:
            stretch = one.stretch[low:high]
            missing = asked.uniformity * MARGIN * (one.means @ x)[stretch] - lux
            for i in _worst(s, missing, np.flatnonzero(stretch >= 0)):
                found.append(_uniform_row(problem, r, low + i))
    for r, limited in enumerate(problem.limited):
        # A light shines into what is limited from far away.
        bounds = [start_m - LIMIT_REACH_M, end_m + LIMIT_REACH_M]
        low, high = np.searchsorted(limited.points.s, bounds)
        if low < high:
            over = limited.light[low:high] @ x - limited.most
            for i in _worst(limited.points.s[low:high], over, np.arange(high - low)):
                found.append(_limit_row(problem, r, low + i))
    return [row for row in found if row.key not in problem.pool]


def largest_group(
    light: csr_matrix, x: FloatArray, group_of: IntArray
) -> tuple[FloatArray, IntArray]:
    """Of each point the group that gives most, and how much."""
    count = int(group_of.max()) + 1
    heads = np.arange(group_of.size)
    gather = csr_matrix((x, (heads, group_of)), shape=(group_of.size, count))
    by_group = (light @ gather).tocsr()
    most = np.zeros(light.shape[0])
    which = np.zeros(light.shape[0], dtype=np.int64)
    for i in range(light.shape[0]):
        part = slice(by_group.indptr[i], by_group.indptr[i + 1])
        if part.stop > part.start:
            k = int(np.argmax(by_group.data[part]))
            most[i], which[i] = by_group.data[part][k], by_group.indices[part][k]
    return most, which
