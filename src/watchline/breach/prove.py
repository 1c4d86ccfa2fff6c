"""Hand a study to the checks of :mod:`watchline.prove.paths`."""

from __future__ import annotations

import numpy as np

from watchline.breach.study import Case, Study
from watchline.breach.weakest import trace_path
from watchline.kernels.moves import to_grid
from watchline.model.breach import BreachCheck
from watchline.prove.paths import Ground, Responder, check_paths


def checks_of(study: Study) -> tuple[BreachCheck, ...]:
    """Checks of every adversary's weakest path in the normal state."""
    found: list[BreachCheck] = []
    for case in study.cases:
        row = case.weakest.worst_row
        if row < 0:
            continue
        trace = trace_path(case.walker, case.hazard, case.weakest, case.escape, row)
        communication = study.defence.detection.communication
        found += check_paths(
            case.walker.adversary.name,
            _ground(case),
            communication * case.escape.stopped,
            case.weakest.chance,
            (trace.row, trace.col),
            _responders(study, case),
            communication,
            study.site.seed,
        )
    return tuple(found)


def _ground(case: Case) -> Ground:
    hazard, fastest = case.hazard, case.walker.fastest
    return Ground(
        *(
            np.asarray(to_grid(field, values), dtype=np.float64)
            for field, values in (
                (hazard, hazard.density),
                (fastest, fastest.density),
                (hazard, hazard.jump),
                (fastest, fastest.jump),
                (hazard, hazard.stretch),
            )
        ),
        hazard.row_m,
        hazard.col_m,
        case.walker.entry,
        case.walker.exit,
    )


def _responders(study: Study, case: Case) -> tuple[Responder, ...]:
    defence = study.defence
    return tuple(
        Responder(
            study.road.drive_s(unit.r_m[:, None], case.exits.r_m)
            + unit.access_s
            + case.exits.cross_s,
            defence.detection.assessment_s + unit.call_out_s,
            unit.call_out_sd_s,
            defence.response.travel_spread,
        )
        for unit in study.units
    )
