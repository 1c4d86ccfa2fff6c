"""Plan a project: the whole chain with cache, repair and report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from watchline.chain.export import EXPORT_FILES, export_outcome
from watchline.chain.keys import digest, step_keys
from watchline.chain.lights import LIGHT_PAGE, light_step, with_lights, write_light_page
from watchline.chain.outcome import Outcome
from watchline.chain.progress import Progress, Silent
from watchline.chain.visibility import round_visibility, visibility_of
from watchline.chain.warm import warm_up
from watchline.design.hard_cells import add_hard_cells
from watchline.design.plan import design_with_certificate
from watchline.design.propose import propose_candidates
from watchline.design.repair import tighten
from watchline.design.start import NOT_TAKEN, offer_mounts
from watchline.errors import InfeasibleError, WatchlineError
from watchline.io.candidates import read_candidates, write_candidates
from watchline.io.certificate import (
    CERTIFICATE_FILE,
    certificate_files,
    restate_certificate,
    write_certificate,
)
from watchline.io.files import sha256_file
from watchline.io.plan import read_plan, write_plan
from watchline.io.proof import proof_files, read_proof, write_proof
from watchline.io.report import write_report
from watchline.io.run import Run
from watchline.io.tables import read_table, write_table
from watchline.io.terrain import build_terrain, read_terrain, write_terrain
from watchline.io.why import WHY_FILE, read_why
from watchline.kernels.device import choose_device
from watchline.model.candidates import Candidates
from watchline.model.certificate import Certificate
from watchline.model.plan import Plan, plan_digest
from watchline.model.proof import Proof
from watchline.model.report import Report
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.model.visibility import Visibility
from watchline.prove.proof import prove_plan
from watchline.report.page import build_report

REPORT_FILES = ("report.html", "report.pdf")

MOST_STRETCHES = 5
"""Stretches that a sentence names."""

COMPILED_S = 8.0
"""A warm-up longer than this had something to compile."""

REPAIR_SHARE = 0.5
"""Share of the search effort that each repair round gets: it starts from the plan before."""


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
    listener.step("candidates")

    def offered() -> Candidates:
        candidates = propose_candidates(site, terrain)
        candidates = add_hard_cells(site, terrain, candidates, listener.share)
        return candidates if start is None else offer_mounts(site, terrain, candidates, start)

    candidates = run.step(
        "candidates",
        ("candidates.parquet", "cells.parquet"),
        offered,
        write_candidates,
        read_candidates,
    )
    visibility = visibility_of(site, terrain, candidates, run, listener, device)
    plan, proof, bound_round = _plan_that_holds(
        site, terrain, candidates, visibility, run, listener, start, device
    )
    light_proof = None
    if site.lighting is not None and plan.status != "interrupted":
        lighting, light_proof = light_step(site, terrain, plan.mounts, run, listener)
        plan, proof = with_lights(plan, proof, lighting, light_proof)
    _certificate(run, plan, bound_round)
    outcome = Outcome(
        site,
        terrain,
        candidates,
        plan,
        proof,
        run.folder,
        run.folder / "report.html",
        light_proof,
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


def _certificate(run: Run, plan: Plan, bound_round: int) -> None:
    """The certificate of the round whose bound is reported, as that of the reported plan."""
    digest_ = plan_digest(plan)

    def restate(_: None, folder: Path) -> None:
        restate_certificate(
            folder / _round_certificate(bound_round),
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
        key=digest(run.keys["plan"], bound_round, digest_, plan.cost, plan.lower_bound),
    )


def _round_certificate(round_: int) -> str:
    return f"rounds/certificate-{round_}.json"


def write_outputs(outcome: Outcome, report: Report, folder: Path) -> None:
    """Everything that people take away."""
    export_outcome(outcome, folder)
    for name in REPORT_FILES:
        write_report(report, folder / name)
    if outcome.light_proof is not None and outcome.plan.lighting is not None:
        write_light_page(outcome.site, outcome.plan.lighting, outcome.light_proof, folder)


def _plan_that_holds(
    site: Site,
    terrain: Terrain,
    candidates: Candidates,
    visibility: Visibility,
    run: Run,
    listener: Progress,
    start: Plan | None,
    device: str = "cpu",
) -> tuple[Plan, Proof, int]:
    """Design, prove, and design again with what the proof found failing, until it holds.

    Each round is a step of its own, so that a killed run goes on from its last finished round.
    Also says which round's bound is stated.
    """
    asked, rounds = site, site.design.repair_rounds
    plan, poses = start, None
    failed: list[str] = []
    bound, any_aims, bound_round, tightened = None, None, 0, False
    left_out: list[str] = []
    for round_ in range(rounds + 1):
        try:
            plan, poses = _round_plan(
                asked, candidates, visibility, run, listener, round_, start=plan, more=poses
            )
        except InfeasibleError as error:
            if round_ == 0:
                raise
            # The plan before stands, with the claims that it fails and why no other was found.
            failed.append(f"No plan mends that: {error.sentence}")
            listener.say(failed[-1])
            break
        # More cells only say better what is asked; a raised share asks for more than was asked,
        # and its bound would be too high for the asked problem.
        if round_ == 0:
            left_out = [note for note in plan.notes if note.startswith(NOT_TAKEN)]
        if not tightened:
            bound, bound_round = plan.lower_bound, round_
            # Poses do not matter to this one, so the best round's holds for all that ask more.
            any_aims = max(any_aims or 0.0, plan.all_aims_bound or 0.0) or None
        proof = _round_proof(site, terrain, plan, run, listener, round_)
        if proof.holds or round_ == rounds or plan.status in ("budget", "interrupted"):
            break
        repaired = tighten(asked, terrain, candidates, proof)
        if not repaired.changed:
            break
        failed.append(f"Round {round_ + 1}: the proof found {_failing(proof)}.")
        listener.say(f"{failed[-1]} Designing again with these cells.")
        tightened |= repaired.site != asked
        asked, candidates = repaired.site, repaired.candidates
        visibility = round_visibility(site, terrain, candidates, run, listener, device)
    if failed:
        note = (
            "The proof found earlier designs failing on cells finer than the design's, and they "
            "were designed again with those cells; the bound is that of the last round that asked "
            "for no more than the project does."
        )
        notes = (*plan.notes, *left_out, note, *failed)
        plan = replace(plan, lower_bound=bound, all_aims_bound=any_aims, notes=notes)
    return plan, proof, bound_round


def generated_poses(run: Run) -> pd.DataFrame:
    """Poses that were generated for the plan of a run, up to its first round."""
    return read_table(run.folder / _round_poses(0))[0]


def _round_poses(round_: int) -> str:
    return f"rounds/poses-{round_}.parquet"


def _failing(proof: Proof) -> str:
    """Which claims fail and where, in words."""
    parts = []
    for claim in proof.claims:
        if claim.binding and claim.verdict != "holds":
            places = [f"{a:.0f}–{b:.0f} m" for a, b in claim.failing_chainages]
            if len(places) > MOST_STRETCHES:
                places[MOST_STRETCHES:] = [f"{len(places) - MOST_STRETCHES} more"]
            parts.append(
                f"'{claim.requirement}' missing on {round((1 - claim.value) * claim.cells):,} of "
                f"{claim.cells:,} cells (s = {', '.join(places)})"
            )
    return "; ".join(parts)


def _round_plan(
    site: Site,
    candidates: Candidates,
    visibility: Visibility,
    run: Run,
    listener: Progress,
    round_: int,
    start: Plan | None,
    more: pd.DataFrame | None,
) -> tuple[Plan, pd.DataFrame]:
    """The plan of a round and the poses that were generated up to it, for the next one."""
    effort = 1.0 if round_ == 0 else REPAIR_SHARE

    made: list[Certificate] = []

    def make() -> tuple[Plan, pd.DataFrame]:
        if round_ == 0:
            listener.step("kernels")
            seconds = warm_up()
            if seconds > COMPILED_S:
                listener.say(f"Compiled the kernels in {seconds:.0f} s; this is done once.")
        listener.step("plan", f"round {round_ + 1}" if round_ else "")
        designed = design_with_certificate(
            site, candidates, visibility, effort=effort, start=start, more=more, progress=hear
        )
        made.append(replace(designed.certificate, round_=round_))
        return designed.plan, designed.poses

    def hear(step: str, at: float, cost: float | None, bound: float | None) -> None:
        if step == "aims":
            listener.share(at)
        else:
            listener.search(at, effort * site.design.time_limit_s, cost, bound)

    file, certificate = f"rounds/plan-{round_}.gpkg", _round_certificate(round_)
    table = _round_poses(round_)
    key = digest(run.keys["plan"], round_, len(candidates.cells), site.requirements, site.no_watch)

    def write(found: tuple[Plan, pd.DataFrame], folder: Path) -> None:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        write_plan(found[0], folder / file)
        write_table(found[1], folder / table)
        write_certificate(made[0], folder / certificate)

    proven = tuple(path.as_posix() for path in certificate_files(certificate))
    return run.step(
        f"plan-{round_}",
        (file, table, *proven),
        make,
        write,
        lambda folder: (read_plan(folder / file), read_table(folder / table)[0]),
        key=key,
        finished=lambda found: found[0].status != "interrupted",
    )


def _round_proof(
    site: Site, terrain: Terrain, plan: Plan, run: Run, listener: Progress, round_: int
) -> Proof:
    listener.step("proof", f"round {round_ + 1}" if round_ else "")
    file = f"rounds/proof-{round_}.json"
    files = tuple(f"rounds/{path.name}" for path in proof_files(file))
    return run.step(
        f"proof-{round_}",
        files,
        lambda: prove_plan(site, terrain, plan, progress=listener.share),
        _into(lambda proof, path: write_proof(proof, path), file),
        lambda folder: read_proof(folder / file),
        key=digest(run.keys["proof"], plan_digest(plan)),
    )


def _into(write: Callable[[object, Path], None], file: str) -> Callable[[object, Path], None]:
    """A writer that makes the folder of its file first."""

    def put(artefact: object, folder: Path) -> None:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        write(artefact, folder / file)

    return put
