"""Fronts: every adversary in every state against a plan with some of the offered poses added."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from watchline.breach.demands import Demand, demands_of, states_of
from watchline.breach.offered_rates import Rates, added_rates
from watchline.breach.study import Case, Study, by_height
from watchline.breach.watch import rates
from watchline.breach.weakest import Escape, Weakest, hazard_field, weakest
from watchline.model.defence import DefenceState

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Fields = list[dict[float, FloatArray]]
"""Rates by target height in every state [1/s]."""


@dataclass(frozen=True)
class Front:
    """One adversary in one state against the plan as it has become."""

    case: Case
    out: Escape
    state: DefenceState | None
    rate_of: dict[float, FloatArray]
    least: Weakest


@dataclass(frozen=True)
class Standing:
    """How a plan with some poses added stands.

    Attributes
    ----------
    fronts : list of list of Front
        By adversary and state.
    curves : list of list of float64 array [entries]
        By adversary and demand: the mean over states that the demand speaks of.
    """

    fronts: list[list[Front]]
    curves: list[list[FloatArray]]

    def margin(self, demands: tuple[Demand, ...]) -> list[list[FloatArray]]:
        """What each entry has above what is asked, by adversary and demand."""
        return [
            [curve - demand.required for demand, curve in zip(demands, mine, strict=True)]
            for mine in self.curves
        ]


def fields_of(study: Study) -> Fields:
    """Rates of the plan as it is."""
    return [
        by_height(study.watch, rates(study.watch, study.defence, state))
        for state in states_of(study.defence)
    ]


def standing(
    study: Study,
    outs: list[Escape],
    plain: Fields,
    offered: Rates | None,
    chosen: IntArray,
) -> Standing:
    """Weakest paths against a plan with some poses.

    Poses count within :data:`~watchline.breach.offers.OFFER_REACH_M` alone, so that a plan is never
    credited with more than it has.

    Parameters
    ----------
    study : Study
        Of the plan as it was.
    outs : list of Escape
        What a detection is worth, one an adversary.
    plain : list of dict
        Of :func:`fields_of`.
    offered : Rates or None
        How fast poses detect; not asked for while none is chosen.
    chosen : int64 array
        Numbers of the poses.
    """
    fields = plain
    if chosen.size:
        assert offered is not None
        fields = [
            {
                height: plain_of[height] + more
                for height, more in zip(
                    study.sight.heights_m,
                    added_rates(offered, state, chosen),
                    strict=True,
                )
            }
            for state, plain_of in zip(states_of(study.defence), plain, strict=True)
        ]
    fronts = [
        [
            front_of(study, case, out, state, rate_of)
            for state, rate_of in zip(states_of(study.defence), fields, strict=True)
        ]
        for case, out in zip(study.cases, outs, strict=True)
    ]
    demands = demands_of(study.defence)
    curves = [
        [demand.mean([front.least.curve for front in mine]) for demand in demands]
        for mine in fronts
    ]
    return Standing(fronts, curves)


def front_of(
    study: Study,
    case: Case,
    out: Escape,
    state: DefenceState | None,
    rate_of: dict[float, FloatArray],
) -> Front:
    """One adversary in one state under given rates."""
    hazard = hazard_field(study.strip, case.walker, rate_of)
    least = weakest(case.walker, hazard, out, study.defence.detection.communication)
    return Front(replace(case, hazard=hazard), out, state, rate_of, least)
