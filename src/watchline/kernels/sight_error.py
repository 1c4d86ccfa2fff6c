"""How often the fan errs on a given terrain: measured against the exact method on a sample.

The error of a fan depends on the terrain, so a table of another terrain's errors says little. Here
a random sample of rays is judged by both methods. The sampling is self-weighting: every ray in
range is as likely as every other to be drawn. Few observers are all looked at and the rays are
drawn among all of theirs; of many observers some are drawn first, because a fan must be swept
whole for each of them.

Outcomes that share a ray (several heights) or a drawn observer are alike, so the intervals are
those of Clopper and Pearson (1934) with the sample size divided by the design effect, after Korn
and Graubard (1998), "Confidence intervals for proportions with small expected number of positive
counts estimated from survey data", Survey Methodology 24(2), 193-201. The design effect compares
the variance between clusters with that of as many independent outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from watchline.errors import UsageError
from watchline.kernels.bits import unpack_bits
from watchline.kernels.fan import fan_bits
from watchline.kernels.grid import Grid, Points
from watchline.kernels.sight import RANGE_SLACK, finite_heights, sight_bits

OBSERVERS = 96
"""Of more observers than this, so many are drawn; each costs one sweep of the fan."""

LEVEL = 0.95
"""Confidence of the intervals."""

_TOGETHER = 4.0  # observers share a call while their window is at most so many times one's own


class ErrorRate(NamedTuple):
    """How many of some pairs are wrong, and between which bounds the true share lies.

    Parameters
    ----------
    wrong, of : int
        Pairs that are wrong, and pairs judged.
    rate : float
        Their share; NaN where none was judged.
    low, high : float
        Ends of the 95 % confidence interval; 0 and 1 where none was judged.
    """

    wrong: int
    of: int
    rate: float
    low: float
    high: float

    def __str__(self) -> str:
        """The rate with its interval, in per cent."""
        if not self.of:
            return "none judged"
        return f"{_percent(self.rate)} % ({_percent(self.low)}–{_percent(self.high)} %)"


@dataclass(frozen=True)
class SightError:
    """How often the fan errs, measured against the exact method on a sample.

    Parameters
    ----------
    false_visible : ErrorRate
        Of the pairs that the fan calls visible, those that are hidden.
    false_hidden : ErrorRate
        Of the pairs that the fan calls hidden, those that are visible.
    differs : ErrorRate
        Of all pairs, those of either kind.
    unknown_differs : int
        Pairs that one method calls unknown and the other does not; not judged otherwise.
    rays, observers : int
        Rays drawn, and observers whose rays they are.
    spacing : float
        The fan's largest gap between rays, in cells.
    seed : int
        Seed of the sample.
    """

    false_visible: ErrorRate
    false_hidden: ErrorRate
    differs: ErrorRate
    unknown_differs: int
    rays: int
    observers: int
    spacing: float
    seed: int

    @property
    def sentence(self) -> str:
        """The rates in one sentence."""
        return (
            f"fan against exact on {self.rays:,} rays of this terrain, with 95 % intervals: "
            f"{self.false_visible} of what is shown as seen is hidden, "
            f"{self.false_hidden} of what is shown as hidden is seen"
        )

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        rates = {
            name: dict(getattr(self, name)._asdict())
            for name in ("false_visible", "false_hidden", "differs")
        }
        for rate in rates.values():
            rate["rate"] = None if np.isnan(rate["rate"]) else rate["rate"]
        return {
            **rates,
            "unknown_differs": self.unknown_differs,
            "rays": self.rays,
            "observers": self.observers,
            "spacing": self.spacing,
            "seed": self.seed,
            "confidence": LEVEL,
        }


def measure_sight_error(
    grid: Grid,
    observers: Points,
    mount_heights_m: ArrayLike,
    targets: Points,
    target_heights_m: ArrayLike,
    max_range_m: float = np.inf,
    *,
    spacing: float = 0.5,
    sample: int = 20_000,
    seed: int = 0,
) -> SightError:
    """Judge a random sample of rays by the fan and by the exact method.

    Parameters
    ----------
    grid : Grid
        The surface that blocks, curvature folded in.
    observers, targets : Points
        Ends of the rays with the (folded) ground there; n observers, m targets.
    mount_heights_m, target_heights_m : array_like, shapes (h,) and (k,)
        Heights above the ground [m]; each ray is judged for all h·k of them.
    max_range_m : float
        Largest horizontal distance [m].
    spacing : float
        The fan's largest gap between rays, in cells.
    sample : int
        Rays to draw; all are taken where there are fewer.
    seed : int
        Seed of the sample.

    Returns
    -------
    SightError
        Counts, rates and their 95 % confidence intervals.

    Raises
    ------
    UsageError
        If shapes do not go together, or a number is out of bounds.
    """
    if sample < 1:
        raise UsageError(f"sample = {sample}", mend="draw at least one ray")
    mounts = finite_heights(mount_heights_m, "mount_heights_m")
    heads = finite_heights(target_heights_m, "target_heights_m")
    drawn, rays = _draw(observers, targets, float(max_range_m), sample, np.random.default_rng(seed))
    many = observers.x_m.size > OBSERVERS
    tallies = [np.zeros((0, 5), dtype=np.int64)]
    for group in _groups(grid, observers, targets, drawn, rays):
        tally = _judge(
            grid,
            _some(observers, drawn[group]),
            mounts,
            targets,
            [rays[i] for i in group],
            heads,
            float(max_range_m),
            spacing,
        )
        tallies += tally if not many else [part.sum(axis=0, keepdims=True) for part in tally]
    # Columns: shown visible, shown hidden, false visible, false hidden, unknown differs.
    clusters = np.concatenate(tallies)
    alike = mounts.size * heads.size
    shown, wrong = clusters[:, :2], clusters[:, 2:4]
    return SightError(
        false_visible=clustered_rate(wrong[:, 0], shown[:, 0], alike),
        false_hidden=clustered_rate(wrong[:, 1], shown[:, 1], alike),
        differs=clustered_rate(wrong.sum(axis=1), shown.sum(axis=1), alike),
        unknown_differs=int(clusters[:, 4].sum()),
        rays=sum(ray.size for ray in rays),
        observers=sum(ray.size > 0 for ray in rays),
        spacing=float(spacing),
        seed=int(seed),
    )


def _draw(
    observers: Points, targets: Points, reach: float, sample: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """Draw observers, and for each the targets in range, every ray with the same chance."""
    count = observers.x_m.size
    drawn = np.arange(count)
    if count > OBSERVERS:
        drawn = np.sort(rng.choice(count, OBSERVERS, replace=False))
    order = np.argsort(targets.x_m, kind="stable")
    x_m, y_m = targets.x_m[order], targets.y_m[order]
    near = []
    for x, y in zip(observers.x_m[drawn], observers.y_m[drawn], strict=True):
        low, high = np.searchsorted(x_m, (x - reach * RANGE_SLACK, x + reach * RANGE_SLACK))
        part = slice(max(int(low) - 1, 0), int(high) + 1)
        aside, away = x_m[part] - x, y_m[part] - y
        within = aside * aside + away * away <= reach * reach * RANGE_SLACK
        near.append(order[part][within])
    ends = np.cumsum([0, *(found.size for found in near)])
    chosen = np.sort(rng.choice(ends[-1], min(sample, ends[-1]), replace=False))
    cut = np.searchsorted(chosen, ends)
    return drawn, [found[chosen[cut[k] : cut[k + 1]] - ends[k]] for k, found in enumerate(near)]


def _some(points: Points, chosen: NDArray[np.int64]) -> Points:
    return Points(*(np.ascontiguousarray(field[chosen]) for field in points))


def _groups(
    grid: Grid,
    observers: Points,
    targets: Points,
    drawn: NDArray[np.int64],
    rays: list[NDArray[np.int64]],
) -> list[list[int]]:
    """Bring together neighbouring observers whose rays lie within one window of the surface."""

    def area(box: NDArray[np.float64]) -> float:
        return float(np.prod(box[1] - box[0] + 2 * grid.cell_m))

    groups: list[list[int]] = []
    whole, least = np.empty((2, 2)), 0.0
    for k, found in enumerate(rays):
        if found.size == 0:
            continue
        x = np.append(targets.x_m[found], observers.x_m[drawn[k]])
        y = np.append(targets.y_m[found], observers.y_m[drawn[k]])
        box = np.array([[x.min(), y.min()], [x.max(), y.max()]])
        if groups:
            both = np.array([np.minimum(whole[0], box[0]), np.maximum(whole[1], box[1])])
            if area(both) <= _TOGETHER * max(least, area(box)):
                groups[-1].append(k)
                whole, least = both, max(least, area(box))
                continue
        groups.append([k])
        whole, least = box, area(box)
    return groups


def _judge(
    grid: Grid,
    observers: Points,
    mounts: NDArray[np.float64],
    targets: Points,
    rays: list[NDArray[np.int64]],
    heads: NDArray[np.float64],
    reach: float,
    spacing: float,
) -> list[NDArray[np.int64]]:
    """Judge the rays of some observers by both methods; five counts a ray, observer by observer."""
    ends = np.cumsum([0, *(found.size for found in rays)])
    ends_of = {"first_target": ends[:-1], "last_target": ends[1:]}
    chosen = _some(targets, np.concatenate(rays))
    work = (_crop(grid, observers, chosen), observers, mounts, chosen, heads, reach)
    seen, unknown = sight_bits(*work, **ends_of)
    fan_seen, fan_unknown = fan_bits(*work, spacing=spacing, **ends_of)
    tallies = []
    for i, (begin, end) in enumerate(pairwise(ends)):
        some = slice(begin, end)
        exact, fan = (unpack_bits(bits[i], int(ends[-1]))[..., some] for bits in (seen, fan_seen))
        lost, fan_lost = (
            unpack_bits(bits[i], int(ends[-1]))[..., some] for bits in (unknown, fan_unknown)
        )
        known = ~(lost | fan_lost)
        planes = (
            fan & known,
            ~fan & known,
            fan & ~exact & known,
            ~fan & exact & known,
            np.broadcast_to(lost ^ fan_lost, fan.shape),
        )
        tallies.append(np.stack([plane.sum(axis=(0, 1)) for plane in planes], axis=1))
    return tallies


def _crop(grid: Grid, *ends: Points) -> Grid:
    """The part of the surface between some points, two nodes to spare."""
    rows, cols = grid.surface_m.shape
    x = np.concatenate([points.x_m for points in ends])
    y = np.concatenate([points.y_m for points in ends])

    def span(low: float, high: float, size: int) -> slice:
        begin = min(max(int(np.floor(low)) - 2, 0), size - 2)
        return slice(begin, max(min(int(np.ceil(high)) + 3, size), begin + 2))

    across = span((x.min() - grid.x0_m) / grid.cell_m, (x.max() - grid.x0_m) / grid.cell_m, cols)
    down = span((grid.y0_m - y.max()) / grid.cell_m, (grid.y0_m - y.min()) / grid.cell_m, rows)
    return Grid(
        np.ascontiguousarray(grid.surface_m[down, across]),
        grid.cell_m,
        grid.x0_m + across.start * grid.cell_m,
        grid.y0_m - down.start * grid.cell_m,
    )


def clustered_rate(wrong: NDArray[np.int64], of: NDArray[np.int64], alike: int) -> ErrorRate:
    """Give a share and its interval from the counts of each cluster.

    Parameters
    ----------
    wrong, of : ndarray of int64, shape (n,)
        How many of how many outcomes of each cluster are wrong.
    alike : int
        Outcomes that share a ray.

    Returns
    -------
    ErrorRate
        Of all clusters together.
    """
    count, judged = int(wrong.sum()), int(of.sum())
    if judged == 0:
        return ErrorRate(0, 0, np.nan, 0.0, 1.0)
    share = count / judged
    effective = judged / alike
    clusters = int((of > 0).sum())
    if 0 < count < judged and clusters > 1:
        # Variance between clusters of a ratio, linearised.
        between = clusters / (clusters - 1) * float(((wrong - share * of) ** 2).sum()) / judged**2
        design = max(between / (share * (1 - share) / judged), 1.0)
        effective = judged / design
        if judged > 2:
            tail = 0.5 + LEVEL / 2
            few = stats.t.ppf(tail, judged - 1) / stats.t.ppf(tail, clusters - 1)
            effective *= float(few) ** 2
    return ErrorRate(count, judged, share, *clopper_pearson(share * effective, effective))


def clopper_pearson(wrong: float, of: float, level: float = LEVEL) -> tuple[float, float]:
    """Interval of Clopper and Pearson (1934) for a share; counts need not be whole.

    Parameters
    ----------
    wrong, of : float
        How many of how many.
    level : float
        Confidence.

    Returns
    -------
    tuple of float
        Lower and upper end.
    """
    tail = (1 - level) / 2
    low = 0.0 if wrong <= 0 else float(stats.beta.ppf(tail, wrong, of - wrong + 1))
    high = 1.0 if wrong >= of else float(stats.beta.ppf(1 - tail, wrong + 1, of - wrong))
    return low, high


def _percent(share: float) -> str:
    """A share in per cent with two digits that count; a share that is not zero never reads 0."""
    value = 100 * share
    return f"{value:.2g}" if value < 10 else f"{value:.1f}"
