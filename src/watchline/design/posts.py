"""Where posts must stand so that a response comes in time, and how few suffice.

The least chance over all paths is the least over all exits, and what one exit asks of the response
does not depend on the others: it is the time-distance from the cells that can be reached with too
little chance of detection. A post serves an exit from an interval of the road, and the fewest
points that hit all intervals are found from one end to the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.special import ndtri

from watchline.kernels.moves import Field
from watchline.kernels.spread import spread

FloatArray = npt.NDArray[np.float64]
SLACK = 1e-9
IN_TIME = np.array([0.55, 0.65, 0.75, 0.85, 0.9, 0.94, 0.97, 0.98, 0.99, 0.995, 0.999])
"""Probabilities of arriving in time that are tried against the probability of detection."""


@dataclass(frozen=True)
class Drive:
    """Driving times along a road that is one line.

    Attributes
    ----------
    r_m : float64 array [stations]
        Distance along it, rising.
    ahead_s, back_s : float64 array [stations]
        Time from the first station to each, and from each back to it.
    """

    r_m: FloatArray
    ahead_s: FloatArray
    back_s: FloatArray

    def interval(self, r_m: FloatArray, within_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """From where along the road a place is reached within a time; ends are clamped."""
        ahead = np.interp(r_m, self.r_m, self.ahead_s) - within_s
        back = np.interp(r_m, self.r_m, self.back_s) + within_s
        return np.interp(ahead, self.ahead_s, self.r_m), np.interp(back, self.back_s, self.r_m)


@dataclass(frozen=True)
class PostPlan:
    """Posts along the road.

    Attributes
    ----------
    r_m : float64 array [posts]
        Where, along the road; the existing ones that are used come first.
    existing : int
        How many of them stand already.
    in_time : float
        Probability of arriving in time that was planned with.
    short_s : float64 array [exits]
        By how much even a post at the exit's own place on the road would be late; 0 where the
        requirement holds.
    """

    r_m: FloatArray
    existing: int
    in_time: float
    short_s: FloatArray

    @property
    def late(self) -> npt.NDArray[np.bool_]:
        """Exits that are response-infeasible: no post is in time there, whatever is built."""
        return self.short_s > 0


def time_allowed(
    hazard: Field, fastest: Field, entry: int, exit_col: int, most_hazard: float
) -> FloatArray:
    """Response time below which every path to an exit has more than a hazard before it is too late.

    Parameters
    ----------
    hazard, fastest : Field
        Hazard and time of the moves.
    entry, exit_col : int
        Columns of entries and exits.
    most_hazard : float
        Hazard of detection that must be reached, ``−ln(1 − P)``.

    Returns
    -------
    float64 array [rows]
        Per exit, the least time from any cell that can be reached with less hazard. A response
        that takes as long is late. Infinite where no such cell leads to the exit.
    """
    rows = hazard.density.size // hazard.cols - 4
    shape = (rows, hazard.cols - 4)
    start = np.full(shape, np.inf)
    start[:, entry] = 0.0
    reached, _ = spread(hazard, start)
    careless = np.where(reached < most_hazard, 0.0, np.inf)
    left, _ = spread(fastest, careless)
    return left[:, exit_col]


def fewest_points(
    low: FloatArray, high: FloatArray, existing: FloatArray | None = None
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Fewest points that hit every interval, and which existing ones do some of it.

    Parameters
    ----------
    low, high : float64 array [intervals]
        Closed intervals, ``low <= high``.
    existing : float64 array [n], optional
        Points that are there already and cost nothing.

    Returns
    -------
    points : float64 array
        The new ones, rising: each the right end of the first interval not yet hit.
    used : int64 array
        Places in ``existing`` of those that hit any interval.
    """
    left = np.ones(low.size, dtype=bool)
    used = []
    for k, place in enumerate([] if existing is None else existing):
        hit = (low <= place) & (place <= high)
        if hit.any():
            used.append(k)
        left &= ~hit
    points: list[float] = []
    for at in np.flatnonzero(left)[np.argsort(high[left], kind="stable")]:
        if not points or points[-1] < low[at]:
            points.append(float(high[at]))
    return np.array(points), np.array(used, dtype=np.int64)


def most_covering_points(low: FloatArray, high: FloatArray, number: int) -> tuple[FloatArray, int]:
    """So many points that hit the most intervals, exactly.

    Some best choice has all points at right ends of intervals. From left to right, a point at the
    end e behind one at d hits those intervals that begin in (d, e] and do not end before e; the
    best sum for k points is found from that for k − 1.

    Parameters
    ----------
    low, high : float64 array [intervals]
        Closed intervals, ``low <= high``.
    number : int
        How many points at most.

    Returns
    -------
    points : float64 array
        Rising.
    hit : int
        How many intervals they hit.
    """
    ends = np.unique(high)
    if not ends.size or number < 1:
        return np.zeros(0), 0
    begins = np.concatenate([[-np.inf], ends])
    gain = np.zeros((ends.size + 1, ends.size), dtype=np.int32)
    for j, end in enumerate(ends):
        begun = np.sort(low[(low <= end) & (high >= end)])
        gain[: j + 1, j] = begun.size - np.searchsorted(begun, begins[: j + 1], side="right")
    best, before = gain[0].astype(np.int64), []
    for _ in range(min(number, ends.size) - 1):
        total = best[:, None] + gain[1:]
        total[np.tril_indices(ends.size)] = -1  # the next point lies behind
        step = total.argmax(axis=0)
        more = total[step, np.arange(ends.size)]
        before.append(np.where(more > best, step, -1))
        best = np.maximum(best, more)
    at = int(best.argmax())
    found, hit = [float(ends[at])], int(best[at])
    for steps in reversed(before):
        if steps[at] >= 0:
            at = int(steps[at])
            found.append(float(ends[at]))
    return np.array(found[::-1]), hit


def best_posts_for(
    drive: Drive,
    exit_r_m: FloatArray,
    exit_cross_s: FloatArray,
    allowed_s: dict[float, FloatArray],
    number: int,
    *,
    fixed_s: float,
    fixed_sd_s: float,
    travel_spread: float,
    existing_r_m: FloatArray,
) -> tuple[FloatArray, int]:
    """Places of so many new posts with which most exits' requirements hold.

    Parameters
    ----------
    number : int
        New posts at most; all else as in :func:`fewest_posts`.

    Returns
    -------
    r_m : float64 array
        Of the new posts.
    served : int
        Exits that these or the existing posts serve in time: the most of all places and all
        probabilities of arriving in time that are tried.
    """
    best: tuple[FloatArray, int] = (np.zeros(0), -1)
    for in_time, allowed in allowed_s.items():
        travel = travel_allowed_s(allowed, fixed_s, fixed_sd_s, travel_spread, in_time)
        spare = travel - exit_cross_s
        can = spare >= 0
        low, high = drive.interval(exit_r_m[can], spare[can])
        hit = np.zeros(low.size, dtype=bool)
        for place in existing_r_m:
            hit |= (low <= place) & (place <= high)
        points, more = most_covering_points(low[~hit], high[~hit], number)
        if int(hit.sum()) + more > best[1]:
            best = points, int(hit.sum()) + more
    return best


def travel_allowed_s(
    allowed_s: FloatArray, fixed_s: float, fixed_sd_s: float, travel_spread: float, in_time: float
) -> FloatArray:
    """Mean travel with which a response is in time with a probability; negative: none is.

    ``fixed + travel + z·√(fixed_sd² + (spread·travel)²)`` must stay below what is allowed. It
    rises with the travel, as ``z >= 0``, and is solved by bisection.
    """
    z = float(ndtri(in_time))
    left = allowed_s - fixed_s
    low, high = np.full(left.size, 0.0), np.maximum(np.where(np.isfinite(left), left, 1e6), 0.0)
    for _ in range(60):
        middle = (low + high) / 2
        late = middle + z * np.hypot(fixed_sd_s, travel_spread * middle) >= left
        low, high = np.where(late, low, middle), np.where(late, middle, high)
    never = z * fixed_sd_s >= left
    return np.where(never, left - z * fixed_sd_s - SLACK, low)


def fewest_posts(
    drive: Drive,
    exit_r_m: FloatArray,
    exit_cross_s: FloatArray,
    allowed_s: dict[float, FloatArray],
    *,
    fixed_s: float,
    fixed_sd_s: float,
    travel_spread: float,
    existing_r_m: FloatArray,
) -> PostPlan:
    """Fewest posts on the road with which every exit's requirement holds, where it can.

    Parameters
    ----------
    drive : Drive
        The road.
    exit_r_m, exit_cross_s : float64 array [exits]
        Where on the road each exit is nearest to, and the time from there.
    allowed_s : dict of float to float64 array [exits]
        By the probability of arriving in time that is planned with: the response time allowed,
        of :func:`time_allowed`; at least one.
    fixed_s, fixed_sd_s : float
        Assessment and call-out: mean and standard deviation.
    travel_spread : float
        Standard deviation of the travel as a share of it.
    existing_r_m : float64 array
        Posts that stand already.

    Returns
    -------
    PostPlan
        Of the probability with the fewest exits that are response-infeasible, and of these with the
        fewest new posts. Those exits are left out.
    """
    best: PostPlan | None = None
    for in_time, allowed in allowed_s.items():
        travel = travel_allowed_s(allowed, fixed_s, fixed_sd_s, travel_spread, in_time)
        spare = travel - exit_cross_s
        # A post just in time is late: the least that is short is told as above zero.
        short = np.where(spare < 0, np.maximum(-spare, SLACK), 0.0)
        served = short == 0
        low, high = drive.interval(exit_r_m[served], spare[served])
        points, used = fewest_points(low, high, existing_r_m)
        plan = PostPlan(np.concatenate([existing_r_m[used], points]), used.size, in_time, short)
        if best is None or _rank(plan) < _rank(best):
            best = plan
    assert best is not None
    return best


def _rank(plan: PostPlan) -> tuple[int, int]:
    return int(plan.late.sum()), plan.r_m.size - plan.existing


def needed_hazard(required: float, communication: float) -> dict[float, float]:
    """Hazard of detection in time that gives P_I, by the probability of arriving in time.

    ``P_I ≥ C·Φ·(1 − e^(−H))`` when only detections count after which the response is in time with
    at least Φ.
    """
    return {
        float(p): float(-np.log1p(-required / (communication * p)))
        for p in IN_TIME
        if required < communication * p
    }


def line_center(drive: Drive, place_r_m: FloatArray, posts: int) -> tuple[FloatArray, float]:
    """Posts on a road such that the longest drive to any place is least (p-center).

    Parameters
    ----------
    drive : Drive
        The road.
    place_r_m : float64 array [places]
        What must be reached.
    posts : int
        How many, at least 1.

    Returns
    -------
    r_m : float64 array [at most posts]
        Where they stand.
    time_s : float
        The longest drive, within 1 ns of the least.
    """
    low, high = 0.0, float(drive.ahead_s[-1] + drive.back_s[-1])
    points = np.zeros(0)
    while high - low > SLACK:
        middle = (low + high) / 2
        found, _ = fewest_points(*drive.interval(place_r_m, np.full(place_r_m.size, middle)))
        if found.size <= posts:
            high, points = middle, found
        else:
            low = middle
            if middle in (low, high) and high - low <= np.spacing(high):
                break
    return points, high


def network_center(time_s: FloatArray, posts: int) -> tuple[npt.NDArray[np.int64], float]:
    """Posts among the places of a road network such that the longest way is least (p-center).

    Parameters
    ----------
    time_s : float64 array [places, places]
        Time from a post at the first to the second.
    posts : int
        How many.

    Returns
    -------
    places : int64 array
        Where they stand.
    time_s : float
        The longest way: the least possible, by set covering at each candidate value (HiGHS).
    """
    values = np.unique(time_s)
    low, high = 0, values.size - 1
    best = np.zeros(0, np.int64)
    while low <= high:
        middle = (low + high) // 2
        found = _cover(time_s <= values[middle], posts)
        if found is None:
            low = middle + 1
        else:
            best, high = found, middle - 1
    return best, float(time_s[best].min(axis=0).max())


def _cover(reaches: npt.NDArray[np.bool_], posts: int) -> npt.NDArray[np.int64] | None:
    """At most so many rows that together reach every column, or None."""
    places = reaches.shape[0]
    answer = milp(
        np.ones(places),
        constraints=[
            LinearConstraint(reaches.T.astype(float), 1.0, np.inf),
            LinearConstraint(np.ones((1, places)), 0.0, posts),
        ],
        integrality=np.ones(places),
        bounds=Bounds(0, 1),
    )
    if answer.status == 2:
        return None
    if answer.x is None:
        raise RuntimeError(f"HiGHS: {answer.message}")
    return np.flatnonzero(answer.x > 0.5)
