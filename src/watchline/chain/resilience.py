"""Resilience of a project's plan: judge, write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from watchline.breach.patrols import patrols_of
from watchline.chain.plan import open_run, terrain_of
from watchline.chain.progress import Progress, Silent
from watchline.errors import ProjectError
from watchline.io.files import atomic_write
from watchline.io.plan import read_plan
from watchline.io.project import read_site
from watchline.io.resilience import write_resilience
from watchline.model.resilience import Resilience
from watchline.prove.resilience import resilience_of
from watchline.report.resilience_page import resilience_page


@dataclass(frozen=True)
class FoundResilience:
    """What was found, and the files; the page is the last."""

    resilience: Resilience
    files: tuple[Path, ...]


def judge_resilience(
    project: Path, plan_file: Path | None = None, progress: Progress | None = None
) -> FoundResilience:
    """Judge what a project's plan leaves when things fail, and write what was found.

    Parameters
    ----------
    project : Path
        Project folder.
    plan_file : Path, optional
        A plan's GeoPackage; by default that of the project's run.
    progress : Progress, optional
        Who listens.

    Returns
    -------
    FoundResilience
        Files lie in ``runs/<hash>/resilience/``, in a folder of the plan's own name.

    Raises
    ------
    ProjectError
        There is no plan yet.
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
    listener.step("losses")
    found = resilience_of(site, terrain, plan, progress=listener.share)
    if site.defence is not None and site.defence.patrols:
        listener.step("patrols")
        found = replace(found, patrols=patrols_of(site, terrain))
    listener.step("report")
    folder = run.folder / "resilience" / plan.name
    folder.mkdir(parents=True, exist_ok=True)
    files = write_resilience(found, folder)
    page = folder / "resilience.html"
    with atomic_write(page) as temporary:
        temporary.write_text(resilience_page(found, site, plan), encoding="utf-8")
    return FoundResilience(found, (*files, page))
