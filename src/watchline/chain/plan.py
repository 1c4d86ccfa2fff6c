"""Plan a project: the whole chain with cache, repair and report."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from watchline.chain.export import EXPORT_FILES, export_outcome
from watchline.chain.keys import digest, step_keys
from watchline.chain.lights import LIGHT_PAGE, write_light_page
from watchline.chain.outcome import Outcome
from watchline.chain.progress import Progress, Silent
from watchline.chain.rounds import round_poses
from watchline.chain.together import Task, plan_by_light
from watchline.chain.visibility import visibility_of
from watchline.design.hard_cells import add_hard_cells
from watchline.design.propose import propose_candidates
from watchline.design.start import offer_mounts
from watchline.errors import WatchlineError
from watchline.io.candidates import read_candidates, write_candidates
from watchline.io.certificate import (
    CERTIFICATE_FILE,
    certificate_files,
    restate_certificate,
)
from watchline.io.files import sha256_file
from watchline.io.report import write_report
from watchline.io.run import Run
from watchline.io.tables import read_table
from watchline.io.terrain import build_terrain, read_terrain, write_terrain
from watchline.io.why import WHY_FILE, read_why
from watchline.kernels.device import choose_device
from watchline.model.candidates import Candidates
from watchline.model.plan import Plan, plan_digest
from watchline.model.report import Report
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.report.page import build_report

REPORT_FILES = ("report.html", "report.pdf")


def open_run(site: Site, progress: Progress, start: Plan | None = None) -> Run:
    """The run folder of a site, or of a search on it that starts from a plan."""
    keys = step_keys(site, None if start is None else plan_digest(start))
    return Run(site.folder / "runs" / keys["plan"][:12], keys, progress.say)


def terrain_of(site: Site, run: Run) -> Terrain:
    """Terrain step."""
    return run.step(
        "terrain",
        ("terrain.tif",),
        lambda: build_terrain(site),
        lambda terrain, folder: write_terrain(terrain, folder / "terrain.tif"),
        lambda folder: read_terrain(folder / "terrain.tif"),
    )


def candidates_of(
    site: Site, terrain: Terrain, run: Run, listener: Progress, start: Plan | None = None
) -> Candidates:
    """Candidates step: what is offered, with the cells that are hard to see and a plan's mounts."""
    listener.step("candidates")

    def offered() -> Candidates:
        candidates = propose_candidates(site, terrain)
        candidates = add_hard_cells(site, terrain, candidates, listener.share)
        return candidates if start is None else offer_mounts(site, terrain, candidates, start)

    return run.step(
        "candidates",
        ("candidates.parquet", "cells.parquet"),
        offered,
        write_candidates,
        read_candidates,
    )


def plan_project(
    site: Site,
    progress: Progress | None = None,
    *,
    start: Plan | None = None,
    device: str = "cpu",
) -> Outcome:
    """Run the whole chain on a site; finished steps of earlier runs are taken over.

    Parameters
    ----------
    site : Site
        What is asked.
    progress : Progress, optional
        Who listens.
    start : Plan, optional
        A plan to start the search from, perhaps edited: its mounts and poses are offered besides.
    device : {"cpu", "gpu", "auto"}
        Where lines of sight are computed; it is no part of a run's key, as results are the same.

    Returns
    -------
    Outcome

    Raises
    ------
    WatchlineError
        Bad input, or no plan can satisfy the requirements.
    """
    device = choose_device(device)
    listener = progress or Silent()
    run = open_run(site, listener, start)
    listener.step("terrain")
    terrain = terrain_of(site, run)
    candidates = candidates_of(site, terrain, run, listener, start)
    visibility = visibility_of(site, terrain, candidates, run, listener, device)
    found = plan_by_light(Task(site, terrain, candidates, visibility, run, listener, device), start)
    _certificate(run, found.plan, found.certificate)
    outcome = Outcome(
        site,
        terrain,
        found.candidates,
        found.plan,
        found.proof,
        run.folder,
        run.folder / "report.html",
        found.light_proof,
        found.ways,
    )
    listener.step("report")
    write_report_files(outcome, run)
    return outcome


def write_report_files(outcome: Outcome, run: Run) -> None:
    """Report step: report and exports; what ``watchline why`` found of this plan is in it."""
    plan, proof, known = outcome.plan, outcome.proof, plan_digest(outcome.plan)
    why, key = None, [run.keys["report"], known]
    file = run.folder / WHY_FILE
    if file.exists():
        try:
            found = read_why(file)
        except WatchlineError as error:
            run.say(error.sentence)
        else:
            if found.plan_sha256 == known:
                why = found
                key.append(sha256_file(file))
    pages = REPORT_FILES if outcome.light_proof is None else (*REPORT_FILES, LIGHT_PAGE)
    run.step(
        "report",
        (*pages, *EXPORT_FILES),
        lambda: build_report(
            plan,
            proof,
            site=outcome.site,
            terrain=outcome.terrain,
            candidates=outcome.candidates,
            why=why,
        ),
        lambda report, folder: write_outputs(outcome, report, folder),
        lambda folder: None,
        key=digest(*key),
    )


def _certificate(run: Run, plan: Plan, certificate: str) -> None:
    """The certificate of the round whose bound is reported, as that of the reported plan."""
    digest_ = plan_digest(plan)

    def restate(_: None, folder: Path) -> None:
        restate_certificate(
            folder / certificate,
            folder / CERTIFICATE_FILE,
            plan_sha256=digest_,
            plan_cost=plan.cost,
            plan_bound=plan.lower_bound,
        )

    run.step(
        "certificate",
        tuple(file.name for file in certificate_files(CERTIFICATE_FILE)),
        lambda: None,
        restate,
        lambda _: None,
        key=digest(run.keys["plan"], certificate, digest_, plan.cost, plan.lower_bound),
    )


def write_outputs(outcome: Outcome, report: Report, folder: Path) -> None:
    """Everything that people take away."""
    export_outcome(outcome, folder)
    for name in REPORT_FILES:
        write_report(report, folder / name)
    if outcome.light_proof is not None and outcome.plan.lighting is not None:
        write_light_page(outcome.site, outcome.plan.lighting, outcome.light_proof, folder)


def generated_poses(run: Run) -> pd.DataFrame:
    """Poses that were generated for the plan of a run, up to its first round."""
    files = [run.folder / round_poses(0, name) for name in ("", "first-", "lit-")]
    found = [read_table(file)[0] for file in files if file.exists()]
    return pd.concat(found, ignore_index=True).drop_duplicates(ignore_index=True)
