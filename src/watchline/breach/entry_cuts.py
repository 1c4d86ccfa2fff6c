"""Cuts of entries: what the weakest paths from an entry ask of the poses that are added.

A demand on the mean over states has one cut an entry: the sum of the tangents of the weakest paths
of all its states, each weighed by its share of time. Each tangent lies above its state's least
probability, whatever is built, and so does the sum above the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchline.breach.addition import Cut
from watchline.breach.cuts import path_gains, path_hazard, path_value
from watchline.breach.demands import Demand
from watchline.breach.fronts import Fields, Front
from watchline.breach.offered_rates import Rates, hazards_along
from watchline.breach.offers import Offers
from watchline.breach.study import Study
from watchline.breach.weakest import trace_path

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Entry = tuple[list[Front], int, Demand]
"""An adversary in every state, the row of an entry, and what is asked there."""


@dataclass(frozen=True)
class EntryCuts:
    """What the weakest paths from one entry ask; any sufficient addition satisfies all of it.

    Attributes
    ----------
    beside : Cut
        Of what is added to the poses that are chosen: they count as given, whether they stay or
        not.
    anew : tuple of Cut
        The same by poses that are chosen too: each alone beside the plan as it was, and on the
        tangent, which credits what stays. Empty where no chosen pose would detect on the paths,
        because ``beside`` says it all.
    """

    beside: Cut
    anew: tuple[Cut, ...]

    @property
    def lasting(self) -> tuple[Cut, ...]:
        """The cuts that a search which starts anew keeps."""
        return (self.beside, *self.anew)


@dataclass(frozen=True)
class _Path:
    """A weakest path: what the plan as it was and as it is make of it, and what poses would add.

    Attributes
    ----------
    poses : int64 array [n]
        Offered poses that would detect on it.
    value, base : float
        Probability of interruption with what is added so far, and with nothing added.
    alone, tangent, first : float64 array [n]
        Gains of each pose: alone beside what is added, on the tangent there, and alone beside the
        plan as it was.
    """

    poses: IntArray
    value: float
    base: float
    alone: FloatArray
    tangent: FloatArray
    first: FloatArray


def entry_cuts(
    study: Study,
    plain: Fields,
    offers: Offers,
    offered: Rates,
    entries: list[Entry],
    chosen: IntArray,
) -> list[EntryCuts]:
    """The weakest paths from each entry as cuts, all of which any sufficient addition satisfies.

    Parameters
    ----------
    study : Study
        Of the plan as it was.
    plain : list of dict
        Rates of that plan in every state.
    offers, offered : Offers, Rates
        Poses, and how fast they detect.
    entries : list of Entry
        Where, against whom, and what is asked.
    chosen : int64 array
        Poses that are added already, and therefore counted in the adversaries' fields.
    """
    traced: dict[tuple[int, int], _Path] = {}
    is_chosen = np.zeros(len(offers.poses), dtype=bool)
    is_chosen[chosen] = True
    found = []
    for fronts, row, demand in entries:
        alone, tangent, first = (np.zeros(len(offers.poses)) for _ in range(3))
        value, before = 0.0, 0.0
        for front, share, was in zip(fronts, demand.weights, plain, strict=True):
            if share <= 0:
                continue
            key = id(front), row
            if key not in traced:
                traced[key] = _traced(study, offered, front, row, was)
            path = traced[key]
            value, before = value + share * path.value, before + share * path.base
            alone[path.poses] += share * path.alone
            tangent[path.poses] += share * path.tangent
            first[path.poses] += share * path.first
        s = float(study.strip.s_m[row])
        here = is_chosen & (first > 0)
        anew: tuple[Cut, ...] = ()
        if here.any():
            had = float(tangent[here].sum())
            anew = (
                _cut(s, demand.required - before, first),
                _cut(s, demand.required - value + had, tangent),
            )
        beside = _cut(s, demand.required - value, np.where(is_chosen, 0.0, alone))
        found.append(EntryCuts(beside, anew))
    return found


def _cut(s_m: float, need: float, worth: FloatArray) -> Cut:
    poses = np.flatnonzero(worth > 0)
    return Cut(s_m, need, poses, worth[poses])


def _traced(
    study: Study,
    offered: Rates,
    front: Front,
    row: int,
    plain: dict[float, FloatArray],
) -> _Path:
    """The weakest path from an entry in one state; ``plain``: rates of the plan as it was."""
    case = front.case
    trace = trace_path(case.walker, case.hazard, front.least, front.out, row)
    terms = path_hazard(study.strip, case.walker, trace, front.rate_of)
    worth = study.defence.detection.communication * trace.stopped[:-1]
    poses, more = hazards_along(offered, front.state, terms)
    now, before = terms.of_rates(front.rate_of), terms.of_rates(plain)
    alone, tangent = path_gains(np.stack([now, before]), worth, more)
    return _Path(
        poses,
        path_value(now, worth)[0],
        path_value(before, worth)[0],
        alone[0],
        tangent[0],
        alone[1],
    )
