"""Breach paths of a project's plan: find, check, write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from watchline.breach.posts import post_answer
from watchline.breach.prove import checks_of
from watchline.breach.study import Study, losses, pair_losses, study_plan
from watchline.breach.watch import CONTRAST_LEFT, MOST_HAZARD
from watchline.chain.interruption import design_for_interruption
from watchline.chain.plan import open_run, terrain_of
from watchline.chain.progress import Progress, Silent
from watchline.errors import ProjectError
from watchline.io.breach import write_breach
from watchline.io.files import atomic_write
from watchline.io.plan import read_plan, write_plan
from watchline.io.project import read_site
from watchline.model.breach import Breach, LossCase
from watchline.model.plan import Plan, plan_digest
from watchline.model.provenance import Provenance
from watchline.model.site import Site
from watchline.report.breach_page import breach_page
from watchline.version import __version__

STRONGER_PLAN = "interrupted.gpkg"


@dataclass(frozen=True)
class FoundPaths:
    """What was found, and the files.

    Attributes
    ----------
    breach : Breach
        The figures.
    files : tuple of Path
        JSON, CSV, GeoPackage and the page, which is the last.
    """

    breach: Breach
    files: tuple[Path, ...]


def find_paths(
    project: Path,
    plan_file: Path | None = None,
    progress: Progress | None = None,
    *,
    pairs: bool = False,
    design: bool = False,
) -> FoundPaths:
    """Find the weakest paths over a project's plan, check them, and write what was found.

    Parameters
    ----------
    project : Path
        Project folder.
    plan_file : Path, optional
        A plan's GeoPackage; by default that of the project's run.
    progress : Progress, optional
        Who listens.
    pairs : bool
        Whether to lose mounts two at a time as well.
    design : bool
        Whether to seek the least addition of posts and devices with which what is required holds.

    Returns
    -------
    FoundPaths
        Files lie in ``runs/<hash>/paths/``, in a folder of the plan's own name.

    Raises
    ------
    ProjectError
        There is no plan yet.
    UsageError
        The project tells nothing of adversaries.
    """
    listener = progress or Silent()
    site = read_site(project)
    run = open_run(site, listener)
    file = plan_file or run.folder / "plan.gpkg"
    if not file.is_file():
        raise ProjectError(
            "this project has no plan yet" if plan_file is None else "it does not exist",
            where=str(site.folder if plan_file is None else file),
            mend="run `watchline plan` first, or name a plan with --plan",
        )
    listener.step("terrain")
    terrain = terrain_of(site, run)
    plan = read_plan(file, site=site)
    listener.step("paths")
    study = study_plan(site, terrain, plan, listener.share)
    listener.step("losses")
    lost = losses(study, listener.share)
    two: tuple[LossCase, ...] = ()
    if pairs:
        listener.step("pairs")
        two = pair_losses(study, listener.share)
    listener.step("posts")
    assert site.defence is not None
    posts = post_answer(study, site.defence.response.required)
    listener.step("checks")
    checks = checks_of(study)
    designed, stronger = None, None
    if design:
        designed, stronger = design_for_interruption(site, terrain, plan, study, run, listener)
    breach = Breach(
        required=site.defence.response.required,
        adversaries=study.adversaries,
        losses=lost,
        posts=posts,
        checks=checks,
        notes=_notes(site, study),
        cell_m=site.defence.cell_m,
        pairs=two,
        design=designed,
        provenance=_provenance(site, plan),
    )
    listener.step("report")
    folder = run.folder / "paths" / plan.name
    folder.mkdir(parents=True, exist_ok=True)
    files = write_breach(breach, site.crs, folder)
    if stronger is not None:
        write_plan(stronger, folder / STRONGER_PLAN, site=site)
        files = (*files, folder / STRONGER_PLAN)
    page = folder / "paths.html"
    with atomic_write(page) as temporary:
        temporary.write_text(breach_page(breach, site, terrain, plan), encoding="utf-8")
    return FoundPaths(breach, (*files, page))


def _provenance(site: Site, plan: Plan) -> Provenance:
    inputs = dict(site.provenance.inputs) | {"plan": plan_digest(plan)}
    return Provenance(inputs, site.seed, __version__)


def _notes(site: Site, study: Study) -> tuple[str, ...]:
    """What the figures assume."""
    defence = study.defence
    detection = defence.detection
    notes = [
        "Adversaries know the ground, every device and post and the state of the day, and whoever "
        "is detected knows it and takes the way out that is best for him.",
        f"Paths run over cells of {study.strip.row_m:.3g} by {study.strip.col_m:.3g} m with "
        "sixteen moves from each: up to 2.8 % longer than a straight line, and they begin and end "
        "in the middle of the edge's cells.",
        "Nobody comes in or leaves over the two ends of the zone.",
    ]
    if detection.availability < 1.0:
        notes.append(
            f"Devices work {detection.availability:.0%} of the time, each for itself and for the "
            "whole of a crossing: rates are lowered so that no path on which one device has a "
            f"hazard of at most {MOST_HAZARD:g} is credited too much. What fails together must be "
            "a state."
        )
    if any(state.visibility_m < float("inf") for state in defence.states):
        notes.append(
            f"In fog a device counts up to where {CONTRAST_LEFT:.0%} of the contrast is left "
            "(Koschmieder); thermal cameras are not credited with more."
        )
    grades = detection.grades
    silent = sorted(kind for kind in set(study.watch.kinds) if not grades.get(kind, grades.get("")))
    if silent:
        notes.append(
            f"No walk test in the project speaks of these kinds of device, which therefore detect "
            f"nothing here: {', '.join(silent)}."
        )
    if not study.units:
        notes.append("There is no post and no patrol: nobody comes, and nobody is stopped.")
    if defence.patrols:
        notes.append(
            "A patrol is anywhere on its stretch with equal chance. A round that can be foreseen "
            "is worth less."
        )
    if not site.terrain.surface and not site.terrain.buildings and not site.terrain.vegetation:
        notes.append("Nothing stands on the terrain: sight is over bare ground.")
    return tuple(notes)
