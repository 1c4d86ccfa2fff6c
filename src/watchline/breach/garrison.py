"""Garrisons: choices of new posts, from the fewest that could do, that devices are weighed against.

Fewer posts come later, so that an adversary must be detected earlier: with more devices. A choice
is the least set of posts for one quality of detection, from as good as can be down to that of the
plan as it is; a post more than that saves no device for certain.
"""

from __future__ import annotations

import numpy as np

from watchline.breach.demands import demands_of, states_of
from watchline.breach.ideal import IDEAL_VIEWS, escapes, hopeless_entries, ideal_rates
from watchline.breach.posts import Garrison, needed_posts
from watchline.breach.study import Study
from watchline.physics.detection import with_remainder

VIEWS = (IDEAL_VIEWS, 2.0, 1.0, 0.5)
"""Views of the best devices at every cell that choices of posts reckon with."""
SUREST = 0.999
"""Arrival in time beyond which no post is planned for."""


def garrisons(study: Study) -> list[tuple[Garrison, int]]:
    """Choices of new posts that save as many entries as any, with the entries that they do not.

    Parameters
    ----------
    study : Study
        Of the plan as it is.

    Returns
    -------
    list of (Garrison, int)
        Fewest posts first; the number of hopeless entries is that of
        :func:`watchline.breach.ideal.hopeless_entries`, the least of all choices.
    """
    found = {0: Garrison()}
    for level in _levels(study):
        for views in VIEWS:
            _add(found, needed_posts(study, level, ideal_rates(study, None, views)))
        _add(found, needed_posts(study, level))
    lost = {
        number: int(hopeless_entries(study, escapes(study, choice.units)).sum())
        for number, choice in found.items()
    }
    least = min(lost.values())
    return [(found[number], least) for number in sorted(found) if lost[number] == least]


def _add(found: dict[int, Garrison], choice: Garrison) -> None:
    found.setdefault(len(choice.units), choice)


def _levels(study: Study) -> list[float]:
    """What the normal state must give: what is required, or what the other states leave to it."""
    defence = study.defence
    communication = defence.detection.communication
    required = defence.response.required
    usual = with_remainder([state.probability for state in defence.states])
    mean = demands_of(defence)[0]
    levels = [max(demand.required for demand in demands_of(defence))]
    for case_curves in _state_curves(study):
        others = sum(
            weight * np.nan_to_num(curve)
            for weight, curve in zip(mean.weights[1:], case_curves[1:], strict=True)
        )
        levels.append(float(np.max((required - others) / max(usual, 1e-12))))
    return sorted({level for level in levels if level < SUREST * communication})


def _state_curves(study: Study) -> list[list[np.ndarray]]:
    """Curves of every adversary by state, the normal one first."""
    assert all(len(found.states) == len(states_of(study.defence)) for found in study.adversaries)
    return [[state.interruption for state in found.states] for found in study.adversaries]
