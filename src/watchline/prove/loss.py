"""Loss of a mount: whether a requirement still holds when any one mount is gone.

Recomputed from who sees what, without the design's condition: for each mount in turn, the cells
that would be left with too few views are counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchline.model.proof import Claim, Witness, loss_claim_name
from watchline.model.site import Requirement
from watchline.prove.cells import Cells
from watchline.prove.claims import SIGHT_METHOD, mounts_in_words, under
from watchline.prove.verdicts import Judgement, judge_counts, stretches
from watchline.prove.views import Judge

LOSS_METHOD = "each mount removed in turn from the views of: "


@dataclass(frozen=True)
class Loss:
    """What the loss of one mount leaves.

    Attributes
    ----------
    mount_id : str
        The mount; empty where the plan has none.
    judgement : Judgement
        The requirement without it.
    """

    mount_id: str
    judgement: Judgement


def losses(
    requirement: Requirement,
    judge: Judge,
    unknown: npt.NDArray[np.bool_],
    mount_ids: tuple[str, ...],
) -> list[Loss]:
    """Judge a requirement without each mount in turn.

    Parameters
    ----------
    requirement : Requirement
        What is asked.
    judge : Judge
        The views counted for it, with the mounts that have them.
    unknown : bool array [cells]
        Cells whose ground is unknown.
    mount_ids : tuple of str
        The mounts of the plan.

    Returns
    -------
    list of Loss
        One a mount, in their order; where there is no mount, the requirement as it stands.
    """
    assert judge.seers is not None
    asked = judge.mask
    needed = requirement.views
    good = asked & (judge.sure >= needed)
    possible = asked & ((judge.most >= needed) | unknown)
    # A cell falls if it has just enough views, and one of them comes from the lost mount.
    just_sure = good & (judge.sure == needed)
    just_most = possible & (judge.most == needed) & ~unknown
    cells, lower, upper = int(asked.sum()), int(good.sum()), int(possible.sum())
    fallen = {name: [0, 0] for name in mount_ids}
    for name, sure, most in judge.seers:
        fallen[name][0] += int(just_sure[sure].sum())
        fallen[name][1] += int(just_most[most].sum())
    return [
        Loss(name, judge_counts(lower - lost, upper - gone, cells, requirement.share))
        for name, (lost, gone) in fallen.items()
    ] or [Loss("", judge_counts(lower, upper, cells, requirement.share))]


def loss_state(
    requirement: Requirement, judge: Judge, unknown: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Cells of a requirement, and which surely, or at most, keep it whichever mount is lost."""
    at = np.flatnonzero(judge.mask)
    sure = judge.sure[at] > requirement.views
    return at, sure, sure | (judge.most[at] > requirement.views) | unknown[at]


def loss_claim(
    requirement: Requirement,
    cells: Cells,
    judge: Judge,
    unknown: npt.NDArray[np.bool_],
    mount_ids: tuple[str, ...],
) -> Claim:
    """Judge whether a requirement holds on its share whichever single mount is lost.

    Parameters
    ----------
    requirement, judge, unknown, mount_ids
        As in :func:`losses`.
    cells : Cells
        All cells.

    Returns
    -------
    Claim
        Its shares are those of the worst single loss.
    """
    found = losses(requirement, judge, unknown, mount_ids)
    worst = min(found, key=lambda loss: (loss.judgement.lower, loss.judgement.upper))
    verdicts = {loss.judgement.verdict for loss in found}
    verdict = next(v for v in ("fails", "unknown", "holds") if v in verdicts)
    left = _views_left(judge, worst.mount_id)
    asked = np.flatnonzero(judge.mask)
    short = asked[left[asked] < requirement.views]
    held = sum(loss.judgement.verdict == "holds" for loss in found)
    result = worst.judgement
    where = f"when {worst.mount_id} is lost" if worst.mount_id else "the plan has no mount"
    detail = (
        f"worst {where}: {round(result.lower * result.cells):,} of {result.cells:,} cells are then"
        f" seen at {requirement.px_per_m:g} px/m or better"
        f" by {mounts_in_words(requirement.views)}"
        f"{under(requirement)}; asked: {requirement.share:.2%};"
        f" it holds for {held} of {len(found)} losses"
    )
    if result.cells == 0:
        detail = f"no cell of {cells.cell_m:g} m has its centre in '{requirement.where}'"
    return Claim(
        requirement=loss_claim_name(requirement.name),
        kind="loss",
        where=requirement.where,
        condition=requirement.condition,
        verdict=verdict,
        value=result.lower,
        lower=result.lower,
        upper=result.upper,
        target=requirement.share,
        binding=requirement.binding,
        witness=_witness(cells, judge, left, worst.mount_id),
        cells=result.cells,
        failing_chainages=stretches(cells.s[short], cells.cell_m),
        method=LOSS_METHOD + SIGHT_METHOD.format(cell=cells.cell_m),
        detail=detail,
    )


def _views_left(judge: Judge, mount_id: str) -> npt.NDArray[np.int64]:
    """Sure views of every cell without one mount."""
    left = judge.sure.astype(np.int64)
    for name, sure, _ in judge.seers or ():
        if name == mount_id:
            left[sure] -= 1
    return left


def _witness(
    cells: Cells, judge: Judge, left: npt.NDArray[np.int64], mount_id: str
) -> Witness | None:
    """The cell with the fewest views left."""
    asked = np.flatnonzero(judge.mask)
    if not asked.size:
        return None
    k = int(asked[np.lexsort((judge.best[asked], left[asked]))[0]])
    x, y, s, t = (float(a[k]) for a in (cells.x, cells.y, cells.s, cells.t))
    why = f"without {mount_id} seen from {mounts_in_words(int(left[k]))}"
    return Witness(x, y, s, t, float(left[k]), why if mount_id else "the plan has no mount")
