"""Hand a study to the checks of :mod:`watchline.prove.paths`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from watchline.breach.study import Case, Study, in_state
from watchline.breach.weakest import trace_path
from watchline.kernels.moves import to_grid
from watchline.model.breach import BreachCheck
from watchline.prove.paths import Ground, Responder, check_least, check_path


def checks_of(study: Study) -> tuple[BreachCheck, ...]:
    """Checks of every adversary: all cells in every state, and paths of the normal one.

    These paths are those of the weakest entry, and of the one whose probability of interruption is
    nearest to a half, where walkers would show a wrong figure best.
    """
    found: list[BreachCheck] = []
    communication = study.defence.detection.communication
    for case in study.cases:
        if case.weakest.worst_row < 0:
            continue
        name, ground = case.walker.adversary.name, _ground(case)
        stopped = communication * case.escape.stopped
        found.append(check_least(name, ground, stopped, case.weakest.chance))
        for state in study.defence.states:
            hazard, least = in_state(study.defence, study.strip, study.watch, case, state)
            struck = replace(case, hazard=hazard)
            title = f"{name}, in '{state.name}'"
            found.append(check_least(title, _ground(struck), stopped, least.chance))
        curve = case.weakest.curve
        for row in sorted({case.weakest.worst_row, int(np.nanargmin(np.abs(curve - 0.5)))}):
            trace = trace_path(case.walker, case.hazard, case.weakest, case.escape, row)
            found += check_path(
                f"{name}, in at s = {study.strip.s_m[row]:.0f} m",
                ground,
                stopped,
                float(curve[row]),
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
