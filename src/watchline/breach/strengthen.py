"""Design for interruption: the least addition to a plan with which no path is stopped too rarely.

Posts are given (:mod:`watchline.breach.garrison` offers several choices). Entries that would not
hold even if every cell were watched by the best devices are response-infeasible
(:mod:`watchline.breach.ideal`): no sensor helps there, and they are told and left out. So are
entries that would not hold with all offered poses together. Then devices:

- *Repair*: the weakest paths of the plan become cuts (:mod:`watchline.breach.entry_cuts`), the
  least poses beside those that are chosen satisfy them (:mod:`watchline.breach.addition`), and so
  on until every entry holds. Nothing chosen is dropped, so that every round comes nearer.
- *Prune*: what can go without any entry failing, goes (:mod:`watchline.breach.prune`).
- *Improve*: stretch by stretch of the line the poses are chosen anew, beside all others, by all
  cuts found so far and those that each such choice evades; what is cheaper and holds, stays.

Prices of the cuts tell how far the plan may be from the least.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from watchline.breach.addition import Cut, least_addition, least_cost, most_worth
from watchline.breach.demands import Demand, demands_of
from watchline.breach.entry_cuts import Entry, entry_cuts
from watchline.breach.fronts import Fields, Standing, fields_of, standing
from watchline.breach.ground import Strip
from watchline.breach.ideal import escapes, hopeless_entries
from watchline.breach.offered_rates import Rates
from watchline.breach.offers import OFFER_REACH_M, Offers, cost_of, with_poses
from watchline.breach.posts import Garrison
from watchline.breach.prune import pruned
from watchline.breach.study import Study
from watchline.breach.weakest import Escape
from watchline.design.columns import Scene
from watchline.model.plan import Plan

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
MOST_ROUNDS = 40
"""Repairs of one start."""
STRETCH_M = 1500.0
"""Length along the line of which poses are chosen anew at once."""
MOST_TRIES = 12
"""Least choices of a stretch that are tried, each with the cuts that the one before evades."""
CUT_SPACING_M = 40.0
"""Entries whose paths become cuts in one round lie at least so far apart."""
SLACK = 1e-6
SURE = 1e-6
"""Above what is required that an entry must have in the search, whose rates are rounded."""
MARGIN = 1e-4
"""More than what is missing that a repair asks for, so that rounding does not leave it short."""


@dataclass(frozen=True)
class Strengthened:
    """A plan designed for interruption beside the one that it was made from.

    Attributes
    ----------
    plan : Plan
        With what was added.
    garrison : Garrison
        The posts that were added.
    cost, lower_bound : float
        Of the added devices and mounts: what they cost, and the least that any addition of the
        offered poses costs with these posts.
    hopeless : bool array [entries]
        By the chainage of ``study.strip``: entries that no detection makes hold.
    short : bool array [entries]
        Entries that still fail at the end.
    rounds, cuts : int
        Of the search.
    ended : str
        Why the search ended where entries are left; empty where none is.
    """

    plan: Plan
    garrison: Garrison
    cost: float
    lower_bound: float
    hopeless: BoolArray
    short: BoolArray
    rounds: int
    cuts: int
    ended: str


@dataclass(frozen=True)
class _Task:
    """What a search is about."""

    study: Study
    offers: Offers
    offered: Callable[[], Rates]
    outs: list[Escape]
    plain: Fields
    demands: tuple[Demand, ...]
    hopeless: BoolArray

    def standing(self, chosen: IntArray) -> Standing:
        """The weakest paths with some poses."""
        rates = self.offered() if chosen.size else None
        return standing(self.study, self.outs, self.plain, rates, chosen)

    def failing(self, chosen: IntArray) -> BoolArray:
        """Entries that fail a demand with some poses and are not hopeless."""
        return _failing(self.standing(chosen).margin(self.demands), self.hopeless)


@dataclass
class _Found:
    """What a search has found out so far.

    ``given_up`` are entries for which no poses were left to add; of those in ``unreachable`` it is
    proven that no choice of the offered poses reaches them.
    """

    cuts: list[Cut]
    given_up: BoolArray
    unreachable: BoolArray
    rounds: int = 0


def strengthen(
    study: Study,
    scene: Scene,
    plan: Plan,
    offers: Offers,
    offered: Callable[[], Rates],
    garrison: Garrison,
    progress: Callable[[float], None] | None = None,
) -> Strengthened:
    """Add mounts and devices until every demand holds at every entry that is not hopeless.

    Parameters
    ----------
    study : Study
        Of the plan as it is.
    scene : Scene
        Candidates, visibility and lenses.
    plan : Plan
        What stands.
    offers : Offers
        What could be added.
    offered : callable
        Gives how fast each of them would detect where; asked for if a device is needed.
    garrison : Garrison
        Posts that stand besides those of the study.
    progress : callable, optional
        Is told the share of failing entries that hold by now.
    """
    outs = escapes(study, garrison.units)
    demands = demands_of(study.defence)
    task = _Task(
        study, offers, offered, outs, fields_of(study), demands, hopeless_entries(study, outs)
    )
    nobody = np.zeros(study.strip.shape[0], dtype=bool)
    found = _Found([], nobody.copy(), nobody.copy())
    chosen = _repaired(task, np.zeros(0, np.int64), found, found.given_up, progress)
    chosen = pruned(offers, found.cuts, chosen, study.strip.s_m, task.failing)
    chosen = _improved(task, chosen, found, progress)
    short = task.failing(chosen)
    held = [cut for cut in found.cuts if not _at(study.strip, found.given_up, cut)]
    bound = least_cost(offers, held)
    added = with_poses(scene, plan, offers, chosen)
    return Strengthened(
        added,
        garrison,
        added.cost - plan.cost,
        bound,
        task.hopeless,
        short,
        found.rounds,
        len(found.cuts),
        _ended(short, found.unreachable),
    )


def _improved(
    task: _Task, chosen: IntArray, found: _Found, progress: Callable[[float], None] | None
) -> IntArray:
    """An addition of which no stretch, chosen anew beside the others, was found cheaper."""
    before = task.failing(chosen)
    stretches = _stretches(task.offers, chosen)
    for k, (low, high) in enumerate(stretches):
        s = task.offers.mount_s_m[chosen]
        kept = chosen[(s < low) | (s > high)]
        if kept.size < chosen.size:
            chosen = _chosen_anew(task, chosen, kept, found, before)
        if progress is not None:
            progress((k + 1) / len(stretches))
    return chosen


def _chosen_anew(
    task: _Task, chosen: IntArray, kept: IntArray, found: _Found, before: BoolArray
) -> IntArray:
    """The least poses beside those that are kept, where they cost less than those chosen now."""
    offers, cost = task.offers, cost_of(task.offers, chosen)
    s = offers.mount_s_m[np.setdiff1d(chosen, kept)]
    low, high = s.min() - STRETCH_M / 2 - OFFER_REACH_M, s.max() + STRETCH_M / 2 + OFFER_REACH_M
    for _ in range(MOST_TRIES):
        near = [
            replace(cut, need=cut.need + MARGIN)
            for cut in found.cuts
            if low <= cut.s_m <= high and not _at(task.study.strip, before, cut)
        ]
        if not near:
            break
        trial = least_addition(offers, near, kept).poses
        if cost_of(offers, trial) >= cost:
            break
        _, left = _ask(task, trial, found, before)
        if not left:
            return trial
    return chosen


def _stretches(offers: Offers, chosen: IntArray) -> list[tuple[float, float]]:
    """Stretches of the line, end to end, that hold the mounts of poses [m]."""
    s = offers.mount_s_m[chosen]
    if not s.size:
        return []
    starts = np.arange(float(s.min()), float(s.max()) + 1e-9, STRETCH_M).tolist()
    return [(a, a + STRETCH_M) for a in starts]


def _ended(short: BoolArray, unreachable: BoolArray) -> str:
    """Why entries are left; empty where none is."""
    if not short.any():
        return ""
    if (unreachable | ~short).all():
        return "no choice of the offered poses reaches it"
    return "the search found no choice of the offered poses that reaches it"


def _repaired(
    task: _Task,
    chosen: IntArray,
    found: _Found,
    given_up: BoolArray,
    progress: Callable[[float], None] | None = None,
) -> IntArray:
    """Poses added to those that are chosen until no entry is left that more poses would mend.

    Entries that no poses beside the chosen ones would mend are marked in ``given_up``.
    """
    first = 0
    for _ in range(MOST_ROUNDS):
        asked, left = _ask(task, chosen, found, given_up)
        first = max(first, left)
        if progress is not None and first:
            progress(1.0 - left / first)
        if not left:
            break
        answer = least_addition(task.offers, asked, chosen)
        new = np.setdiff1d(answer.poses, chosen)
        for cut, slack in zip(asked, answer.slack, strict=True):
            if slack > SLACK and not np.isin(cut.poses, new).any():
                off = np.abs(task.study.strip.s_m - cut.s_m)
                given_up |= off <= CUT_SPACING_M / 2
                if not chosen.size and most_worth(task.offers, cut) < cut.need - MARGIN:
                    found.unreachable[off.argmin()] = True
        chosen = answer.poses
    return chosen


def _ask(task: _Task, chosen: IntArray, found: _Found, but: BoolArray) -> tuple[list[Cut], int]:
    """What failing entries, but some, ask beside the chosen poses, and how many entries fail.

    All cuts that are found on the way are kept.
    """
    strip = task.study.strip
    stands = task.standing(chosen)
    margins = stands.margin(task.demands)
    done = task.hopeless | but
    left = int(_failing(margins, done).sum())
    if not left:
        return [], 0
    found.rounds += 1
    entries = _entries(stands, margins, done, task.demands, strip)
    fresh = entry_cuts(task.study, task.plain, task.offers, task.offered(), entries, chosen)
    found.cuts += [cut for one in fresh for cut in one.lasting]
    return [replace(one.beside, need=one.beside.need + MARGIN) for one in fresh], left


def _failing(margins: list[list[FloatArray]], done: BoolArray) -> BoolArray:
    """Entries that fail some demand and are not done with."""
    fails = np.zeros_like(done)
    for mine in margins:
        for margin in mine:
            fails |= margin < SURE
    return fails & ~done


def _entries(
    stands: Standing,
    margins: list[list[FloatArray]],
    done: BoolArray,
    demands: tuple[Demand, ...],
    strip: Strip,
) -> list[Entry]:
    """Failing entries, the worst first, at a distance from each other."""
    return [
        (fronts, row, demand)
        for fronts, mine in zip(stands.fronts, margins, strict=True)
        for demand, margin in zip(demands, mine, strict=True)
        for row in _spread_out(margin, (margin < SURE) & ~done, strip)
    ]


def _spread_out(margin: FloatArray, fails: BoolArray, strip: Strip) -> list[int]:
    apart = max(1, round(CUT_SPACING_M / strip.row_m))
    left = fails.copy()
    found = []
    for row in np.argsort(np.where(fails, margin, np.inf), kind="stable")[: int(fails.sum())]:
        if left[row]:
            found.append(int(row))
            left[max(0, row - apart) : row + apart + 1] = False
    return found


def _at(strip: Strip, rows: BoolArray, cut: Cut) -> bool:
    """Whether the entry of a cut is one of some rows."""
    return bool(rows[np.argmin(np.abs(strip.s_m - cut.s_m))])
