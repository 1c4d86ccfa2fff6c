"""What is asked of every cell, made ready to be counted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from watchline.model.site import Requirement, Site
from watchline.physics.lamp_light import LampLight, lamp_table
from watchline.prove.cells import Cells
from watchline.prove.views import Judge, make_judge


def requirement_judges(
    site: Site,
    cells: Cells,
    requirements: tuple[Requirement, ...],
    lamps: LampLight | None,
    *,
    by_mount: bool = False,
) -> tuple[Judge, ...]:
    """One judge a requirement, under its condition and by the light of the lamps that burn in it.

    With ``by_mount`` all keep which mount has which view; without, those that must survive a loss.
    """
    lamp_lx: dict[tuple[str, float], npt.NDArray[np.float64]] = {}
    for r in requirements:
        condition = site.condition(r.condition)
        if lamps is not None and condition.by_lamps:
            case = condition.name, r.target_height_m
            if case not in lamp_lx:
                lamp_lx[case] = lamp_table(lamps, condition, case[1], cells.x, cells.y)
    return tuple(
        make_judge(
            cells.place(r.where),
            r.target_height_m,
            r.px_per_m,
            r.time_share,
            by_mount=by_mount or r.survive_loss == "mount",
            condition=site.condition(r.condition),
            lamp_lx=lamp_lx.get((r.condition, r.target_height_m)),
        )
        for r in requirements
    )
