"""What no device can mend: entries that fail though every cell is watched as well as can be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from watchline.breach.demands import demands_of, states_of
from watchline.breach.fronts import front_of
from watchline.breach.offers import OFFER_REACH_M
from watchline.breach.respond import Unit, soonest, unit_times_s
from watchline.breach.study import Study
from watchline.breach.watch import rates
from watchline.breach.weakest import Escape, escape
from watchline.model.defence import DefenceState
from watchline.physics.detection import rate_per_s

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IDEAL_VIEWS = 4
"""Views by the best grade of the walk tests with which an entry must hold to be worth a device."""


def escapes(study: Study, units: tuple[Unit, ...]) -> list[Escape]:
    """What a detection of each adversary is worth with more posts."""
    found = []
    for case in study.cases:
        more = tuple(
            unit_times_s(study.defence, study.road, unit, case.exits.r_m, case.exits.cross_s)
            for unit in units
        )
        come = soonest((*case.times_s, *more), case.exits.r_m.size)
        found.append(escape(case.walker, study.strip.shape, come))
    return found


def hopeless_entries(study: Study, outs: list[Escape]) -> BoolArray:
    """Entries at which some demand fails even if every cell is watched as well as can be.

    In a state that takes power or data from a stretch of mounts, cells farther than
    :data:`~watchline.breach.offers.OFFER_REACH_M` from every other mount have what they have.

    Parameters
    ----------
    study : Study
        Of the plan as it is.
    outs : list of Escape
        What a detection is worth, one an adversary.
    """
    demands, states = demands_of(study.defence), states_of(study.defence)
    lost = np.zeros(study.strip.shape[0], dtype=bool)
    for case, out in zip(study.cases, outs, strict=True):
        curves = []
        for state in states:
            rate_of = ideal_rates(study, state, IDEAL_VIEWS)
            curves.append(front_of(study, case, out, state, rate_of).least.curve)
        for demand in demands:
            lost |= demand.mean(curves) < demand.required
    return lost


def ideal_rate_per_s(study: Study) -> float:
    """Rate of the best grade of the walk tests of any device on offer [1/s]."""
    grades = study.defence.detection.grades.values()
    found = [float(rate_per_s(g.probability, g.within_s)) for many in grades for g in many]
    return max(found, default=0.0)


def ideal_rates(study: Study, state: DefenceState | None, views: float) -> dict[float, FloatArray]:
    """Rates by target height if every cell were watched by so many of the best devices [1/s]."""
    rate = np.full(study.strip.shape, ideal_rate_per_s(study) * views)
    here: list[FloatArray] = rates(study.watch, study.defence, state)
    if state is not None:
        known = dict(study.defence.detection.grades)
        rate *= max((state.factors.get(kind, 1.0) for kind in known), default=1.0)
        s = study.strip.s_m
        far = (s > state.lost_from_m + OFFER_REACH_M) & (s < state.lost_to_m - OFFER_REACH_M)
        rate[far] = 0.0
    return {
        height: np.maximum(rate.ravel(), own)
        for height, own in zip(study.watch.heights_m, here, strict=True)
    }
