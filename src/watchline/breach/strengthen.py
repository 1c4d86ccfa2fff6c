"""Design for interruption: the least addition to a plan with which no path is stopped too rarely.

Posts are given (:mod:`watchline.breach.garrison` offers several choices). Entries that would not
hold even if every cell were watched by the best devices are response-infeasible
(:mod:`watchline.breach.ideal`): no sensor helps there, and they are told and left out. So are
entries that would not hold with all offered poses together. Then devices:

- *Repair*: the weakest paths of the plan become cuts (:mod:`watchline.breach.entry_cuts`), the
  least poses beside those that are chosen satisfy them (:mod:`watchline.breach.addition`), and so
  on until every entry holds. Nothing chosen is dropped, so that every round comes nearer.
- *Prune*: what can go without any entry failing, goes (:mod:`watchline.breach.prune`).
- *Relax*: the least addition that satisfies all cuts found so far, whatever was chosen, is where
  the next repair begins. Its cost, and that by prices of the cuts, tell how far the best plan may
  be from the least.
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
from watchline.breach.offers import Offers, cost_of, with_poses
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
MOST_STARTS = 3
"""Plans that are repaired: from nothing, then from the least addition of the cuts."""
CUT_SPACING_M = 40.0
"""Entries whose paths become cuts in one round lie at least so far apart."""
SLACK = 1e-6
MARGIN = 1e-4
"""More than what is missing that a repair asks for, so that rounding does not leave it short."""
GOOD_ENOUGH = 0.02
"""Share above the bound at which a plan is not sought further."""


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
        return standing(self.study, self.outs, self.plain, self.offers, rates, chosen)

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
    best: tuple[int, float, IntArray, BoolArray] | None = None
    chosen, bound = np.zeros(0, np.int64), 0.0
    for start in range(MOST_STARTS):
        chosen = _repaired(task, chosen, found, progress)
        if chosen.size:
            chosen = pruned(offers, found.cuts, chosen, study.strip.s_m, task.failing)
        short = task.failing(chosen)
        rank = int(short.sum()), cost_of(offers, chosen), chosen, short
        best = rank if best is None or rank[:2] < best[:2] else best
        held = [cut for cut in found.cuts if not _at(study.strip, found.given_up, cut)]
        bound = max(bound, least_cost(offers, held))
        if not held or best[1] <= bound * (1.0 + GOOD_ENOUGH) or start == MOST_STARTS - 1:
            break
        chosen = least_addition(offers, held).poses
        if cost_of(offers, chosen) >= best[1]:
            break
    assert best is not None
    _, _, chosen, short = best
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


def _ended(short: BoolArray, unreachable: BoolArray) -> str:
    """Why entries are left; empty where none is."""
    if not short.any():
        return ""
    if (unreachable | ~short).all():
        return "no choice of the offered poses reaches it"
    return "the search found no choice of the offered poses that reaches it"


def _repaired(
    task: _Task, chosen: IntArray, found: _Found, progress: Callable[[float], None] | None
) -> IntArray:
    """Poses added to those that are chosen until no entry is left that more poses would mend."""
    strip, first = task.study.strip, 0
    for _ in range(MOST_ROUNDS):
        stands = task.standing(chosen)
        margins = stands.margin(task.demands)
        done = task.hopeless | found.given_up
        left = int(_failing(margins, done).sum())
        first = max(first, left)
        if progress is not None and first:
            progress(1.0 - left / first)
        if not left:
            break
        found.rounds += 1
        entries = _entries(stands, margins, done, task.demands, strip)
        fresh = entry_cuts(task.study, task.plain, task.offers, task.offered(), entries, chosen)
        found.cuts += [cut for one in fresh for cut in one.lasting]
        asked = [replace(one.beside, need=one.beside.need + MARGIN) for one in fresh]
        answer = least_addition(task.offers, asked, chosen)
        new = np.setdiff1d(answer.poses, chosen)
        for (_, row, _), cut, slack in zip(entries, asked, answer.slack, strict=True):
            if slack > SLACK and not np.isin(cut.poses, new).any():
                near = np.abs(strip.s_m - strip.s_m[row]) <= CUT_SPACING_M / 2
                found.given_up |= near
                if not chosen.size and most_worth(task.offers, cut) < cut.need - MARGIN:
                    found.unreachable[row] = True
        chosen = answer.poses
    return chosen


def _failing(margins: list[list[FloatArray]], done: BoolArray) -> BoolArray:
    """Entries that fail some demand and are not done with."""
    fails = np.zeros_like(done)
    for mine in margins:
        for margin in mine:
            fails |= margin < -SLACK
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
        for row in _spread_out(margin, (margin < -SLACK) & ~done, strip)
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
