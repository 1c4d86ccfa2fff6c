"""Posts of a studied plan: the fewest on its road with which what is required holds."""

from __future__ import annotations

import numpy as np

from watchline.breach.respond import Unit, post_unit
from watchline.breach.study import Study, with_units
from watchline.design.posts import Drive, fewest_posts, needed_hazard, time_allowed
from watchline.errors import InfeasibleError
from watchline.geo.chainage import to_chainage
from watchline.model.breach import PostAnswer

ON_ROAD_S = 1.0
"""A post nearer than this to the road stands on it."""


def post_answer(study: Study, required: float) -> PostAnswer:
    """Fewest new posts on the road beside those that stand, for all adversaries together.

    The exits of every adversary ask for their own intervals of the road; all are covered at once.
    Existing posts are taken where they meet the road, if they are on it; patrols are left aside.
    The answer is then judged by the weakest paths themselves.
    """
    defence, road = study.defence, study.road
    rules = defence.response
    exit_r, cross, s = [], [], []
    allowed: dict[float, list[np.ndarray]] = {}
    for case in study.cases:
        exit_r.append(case.exits.r_m)
        cross.append(case.exits.cross_s)
        s.append(study.strip.s_m)
        for p, hazard in needed_hazard(required, defence.detection.communication).items():
            time = time_allowed(
                case.hazard, case.walker.fastest, case.walker.entry, case.walker.exit, hazard
            )
            allowed.setdefault(p, []).append(time)
    existing = [unit for unit in study.units[: len(defence.posts)] if unit.access_s < ON_ROAD_S]
    try:
        plan = fewest_posts(
            Drive(road.r_m, road.ahead_s, road.back_s),
            np.concatenate(exit_r),
            np.concatenate(cross),
            {p: np.concatenate(times) for p, times in allowed.items()},
            fixed_s=defence.detection.assessment_s + rules.call_out_s,
            fixed_sd_s=rules.call_out_sd_s,
            travel_spread=rules.travel_spread,
            required=required,
            existing_r_m=np.array([float(unit.r_m[0]) for unit in existing]),
            s_m=np.concatenate(s),
        )
    except InfeasibleError as error:
        return PostAnswer(required, False, error.sentence, 0, (), float("nan"))
    line = study.site.road.centreline
    new: list[Unit] = []
    places = []
    for k, r in enumerate(plan.r_m[plan.existing :]):
        point = line.interpolate(float(r))
        chainage, _, _ = to_chainage(study.site.line, np.array([point.x]), np.array([point.y]))
        places.append((float(chainage[0]), float(point.x), float(point.y)))
        new.append(post_unit(study.site, f"new post {k + 1}", point.x, point.y))
    achieved = min(found.worst for found in with_units(study, (*study.units, *new)))
    count = len(new)
    sentence = (
        f"P_I ≥ {required:g} holds in the normal state with {count} new "
        f"post{'s' if count != 1 else ''} on the road beside {plan.existing} that stand; no fewer "
        f"suffice when a response counts that is in time with at least {plan.in_time:g}"
    )
    return PostAnswer(required, True, sentence, plan.existing, tuple(places), achieved)
