"""The strip chart: views and shares by chainage under one condition."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from watchline.breach.study import with_posts
from watchline.geo.chainage import to_chainage
from watchline.model.site import Requirement
from watchline.prove.claims import requirement_state
from watchline.prove.views import Judge
from watchline.studio.look_answers import Strip, StripBin, StripMark, StripRequirement
from watchline.studio.opened import OpenPlan


def strip_of(plan: OpenPlan, name: str, condition: str, bin_m: float) -> Strip:
    """Views and shares along the line.

    Parameters
    ----------
    plan : OpenPlan
        The plan.
    name : str
        Its name.
    condition : str
        The condition.
    bin_m : float
        Length of a bin.
    """
    site = plan.place.site
    return Strip(
        plan=name,
        revision=plan.revision,
        condition=condition,
        line_m=site.line.length,
        bin_m=bin_m,
        requirements=[_requirement(plan, k, bin_m) for k in plan.numbers(condition)],
        marks=_marks(plan),
    )


def _requirement(plan: OpenPlan, number: int, bin_m: float) -> StripRequirement:
    asked = plan.proof.asked
    requirement, judge = asked.site.requirements[number], asked.wanted[number]
    claim = next(
        c for c in plan.proof.claims if c.kind == "coverage" and c.requirement == requirement.name
    )
    return StripRequirement(
        requirement=requirement.name,
        where=requirement.where,
        views=requirement.views,
        target=requirement.share,
        target_height_m=requirement.target_height_m,
        binding=requirement.binding,
        verdict=claim.verdict,
        value=claim.value,
        bins=_bins(requirement, judge, asked.unknown, asked.cells.s, bin_m),
        failing=list(claim.failing_chainages),
    )


def _bins(
    requirement: Requirement,
    judge: Judge,
    unknown: npt.NDArray[np.bool_],
    chainage: npt.NDArray[np.float64],
    bin_m: float,
) -> list[StripBin]:
    at, sure, most = requirement_state(requirement, judge, unknown)
    if not at.size:
        return []
    # Cells stand in order of chainage: the cells of a bin follow each other.
    number = np.floor(chainage[at] / bin_m).astype(np.int64)
    first = np.concatenate([[0], np.flatnonzero(np.diff(number)) + 1])
    count = np.diff(np.append(first, at.size))
    views = judge.sure[at].astype(np.int64)
    rows = zip(
        (number[first] * bin_m).tolist(),
        count.tolist(),
        (np.add.reduceat(sure.astype(np.int64), first) / count).tolist(),
        (np.add.reduceat((most & ~sure).astype(np.int64), first) / count).tolist(),
        np.minimum.reduceat(views, first).tolist(),
        (np.add.reduceat(views, first) / count).tolist(),
        np.maximum.reduceat(views, first).tolist(),
        strict=True,
    )
    return [
        StripBin(
            s_from=start,
            s_to=start + bin_m,
            cells=cells,
            share=share,
            unknown_share=open_,
            views_least=least,
            views_mean=mean,
            views_most=best,
        )
        for start, cells, share, open_, least, mean, best in rows
    ]


def _marks(plan: OpenPlan) -> list[StripMark]:
    site, cells = plan.place.site, plan.proof.asked.cells
    marks = [
        StripMark(kind="mount", name=str(m.mount_id), s_from=m.s, s_to=m.s, t=m.t)
        for m in plan.plan.mounts.itertuples()
    ]
    defence = with_posts(site, plan.plan).defence
    if defence is not None and defence.posts:
        posts = defence.posts
        x, y = np.array([p.x for p in posts]), np.array([p.y for p in posts])
        s, t, _ = to_chainage(site.line, x, y)
        marks += [
            StripMark(kind="post", name=p.name, s_from=s[k], s_to=s[k], t=t[k])
            for k, p in enumerate(posts)
        ]
    for kind, names, flags in (
        ("area", [a.name for a in site.areas], cells.places),
        ("no_watch", [a.name for a in site.no_watch], cells.no_watch),
    ):
        for name in names:
            inside = flags[name]
            if inside.any():
                s = cells.s[inside]
                middle = float(np.median(cells.t[inside]))
                marks.append(
                    StripMark(
                        kind=kind,  # type: ignore[arg-type]
                        name=name,
                        s_from=float(s.min()),
                        s_to=float(s.max()),
                        t=middle,
                    )
                )
    return marks
