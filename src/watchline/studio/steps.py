"""The seven nouns as steps: what each has on the disk, its figures, its limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from watchline.errors import WatchlineError
from watchline.io.candidates import read_candidates
from watchline.io.proof import read_proof
from watchline.model.proof import Proof
from watchline.report import words
from watchline.report.limits import limits
from watchline.studio.answers import Figure, Noun, Step
from watchline.studio.globe import known
from watchline.studio.project import FILES, Artefact, Project

LIMITS: dict[str, Noun] = {
    "Of this project": "site",
    "Terrain": "terrain",
    "What ‘seen’ means": "visibility",
    "Light and air": "visibility",
    "Cost and bound": "plan",
    "Where the cost is": "plan",
    "How it was proven": "proof",
    "What the maps show": "report",
}
"""Headings of the report's limits, and the step that each speaks of."""


def steps_of(project: Project) -> list[Step]:
    """All steps, in order."""
    told = _limits(project)
    found = []
    for noun in FILES:
        artefact = project.artefact(noun)
        figures: list[Figure] = []
        limit = told.get(noun, [])
        if artefact.file is not None:
            try:
                figures = FIGURES[noun](project, artefact)
            except WatchlineError as error:
                limit = [error.sentence, *limit]
            seconds = None if noun == "site" else project.seconds(noun, artefact.file.parent)
            if seconds is not None:
                figures.append(_figure("Time taken", seconds, "s", 1))
        found.append(
            Step(
                noun=noun,
                state=artefact.state,
                file=_relative(project, artefact.file),
                made=made_at(artefact.file),
                figures=figures,
                limits=limit,
            )
        )
    return found


def _relative(project: Project, file: Path | None) -> str | None:
    return None if file is None else file.relative_to(project.folder).as_posix()


def made_at(file: Path | None) -> str | None:
    """When a file was written, ISO 8601 in UTC; None where there is none."""
    if file is None:
        return None
    try:
        seconds = file.stat().st_mtime
    except OSError:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _figure(name: str, value: float, unit: str, decimals: int = 0) -> Figure:
    return Figure(
        name=name, value=known(value), unit=unit, text=words.quantity(value, unit, decimals)
    )


def _count(name: str, value: int) -> Figure:
    return Figure(name=name, value=value, unit="", text=words.number(value))


def _share(name: str, value: float) -> Figure:
    return Figure(name=name, value=known(value), unit="share", text=words.percent(value))


def _site(project: Project, _: Artefact) -> list[Figure]:
    site = project.site
    zone = site.zone
    return [
        _figure("Line", site.line.length, "m"),
        _figure("Zone's width", zone.outer_m - zone.inner_m, "m"),
        _count("Requirements", len(site.requirements)),
        _count("Binding", sum(r.binding for r in site.requirements)),
        _count("Conditions", len(site.conditions)),
        _count("Devices offered", len(site.candidates.devices)),
        _count("Structures offered", len(site.candidates.structures)),
    ]


def _terrain(project: Project, _: Artefact) -> list[Figure]:
    terrain = project.terrain
    surface = terrain.surface
    rows, cols = surface.shape
    above = surface - terrain.ground
    return [
        _figure("Cell", terrain.cell_m, "m", 2),
        _figure("Ground", rows * cols * terrain.cell_m**2 / 1e6, "km²", 1),
        _figure("Lowest", float(np.nanmin(surface)), "m", 1),
        _figure("Highest", float(np.nanmax(surface)), "m", 1),
        _share("Unknown", float(np.isnan(surface).mean())),
        _share("With something on the ground", float((np.nan_to_num(above) > 0.5).mean())),
    ]


def _candidates(project: Project, artefact: Artefact) -> list[Figure]:
    assert artefact.file is not None
    found = read_candidates(artefact.file.parent)
    return [
        _count("Places", int(found.mounts["site"].nunique())),
        _count("Mounts offered", len(found.mounts)),
        _count("Cells of the design", len(found.cells)),
        _figure("Farthest sight that counts", found.range_m, "m"),
    ]


def _visibility(project: Project, artefact: Artefact) -> list[Figure]:
    assert artefact.file is not None
    size = sum(f.stat().st_size for f in artefact.file.rglob("*") if f.is_file())
    return [_figure("On the disk", size / 1e6, "MB", 2)]


def _plan(project: Project, _: Artefact) -> list[Figure]:
    plan = project.computed_plan()
    figures = [
        Figure(
            name="Cost",
            value=plan.cost,
            unit=plan.currency,
            text=words.money(plan.cost, plan.currency),
        )
    ]
    if plan.lower_bound is not None and plan.gap is not None:
        bound = words.money(plan.lower_bound, plan.currency)
        figures += [
            Figure(name="Lower bound", value=plan.lower_bound, unit=plan.currency, text=bound),
            Figure(name="Gap", value=plan.gap, unit="share", text=words.gap_percent(plan.gap)),
        ]
    figures += [_count("Mounts", len(plan.mounts)), _count("Devices", len(plan.devices))]
    if plan.lighting is not None:
        figures.append(_count("Lights", len(plan.lighting.lights)))
    return figures


def _proof(project: Project, artefact: Artefact) -> list[Figure]:
    proof = _read_proof(project, artefact)
    binding = [claim for claim in proof.claims if claim.binding]
    verdicts = [claim.verdict for claim in binding]
    return [
        _count("Binding claims", len(binding)),
        _count("Hold", verdicts.count("holds")),
        _count("Fail", verdicts.count("fails")),
        _count("Unknown", verdicts.count("unknown")),
        _count("Cells", len(proof.cells)),
        _figure("Cell", proof.cell_m, "m", 2),
    ]


def _report(project: Project, artefact: Artefact) -> list[Figure]:
    assert artefact.file is not None
    figures = [_figure("Page", artefact.file.stat().st_size / 1e6, "MB", 2)]
    pdf = artefact.file.with_suffix(".pdf")
    if pdf.is_file():
        figures.append(_figure("PDF", pdf.stat().st_size / 1e6, "MB", 2))
    return figures


FIGURES: dict[Noun, Callable[[Project, Artefact], list[Figure]]] = {
    "site": _site,
    "terrain": _terrain,
    "candidates": _candidates,
    "visibility": _visibility,
    "plan": _plan,
    "proof": _proof,
    "report": _report,
}


def _read_proof(project: Project, artefact: Artefact) -> Proof:
    file = artefact.file
    assert file is not None
    proof: Proof = project.once(file, "proof", lambda: read_proof(file))
    return proof


def _limits(project: Project) -> dict[Noun, list[str]]:
    """What the report says of limits, by the step that it speaks of."""
    site = project.site
    found: dict[Noun, list[str]] = {}
    proof = project.artefact("proof")
    try:
        terrain = project.terrain
        if proof.file is None:
            raise WatchlineError("no proof yet")
        told = limits(project.computed_plan(), _read_proof(project, proof), site, terrain)
    except WatchlineError:
        if site.notes:
            found["site"] = [site.notes]
        if site.terrain.limits:
            found["terrain"] = [site.terrain.limits]
        return found
    for heading, text in told:
        if heading in LIMITS:
            found.setdefault(LIMITS[heading], []).append(text)
    return found
