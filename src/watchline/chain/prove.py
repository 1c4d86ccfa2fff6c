"""Prove a plan that a person may have edited."""

from __future__ import annotations

from pathlib import Path

from watchline.chain.guard import with_interruption
from watchline.chain.lights import no_lighting, with_lights
from watchline.chain.outcome import Outcome
from watchline.chain.plan import open_run, terrain_of, write_outputs
from watchline.chain.progress import Progress, Silent
from watchline.design.propose import propose_candidates
from watchline.errors import ProjectError
from watchline.io.plan import read_plan
from watchline.io.project import PROJECT_FILE, read_site
from watchline.model.plan import Plan
from watchline.model.proof import Proof
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.prove.light_claims import LightProof, prove_lights
from watchline.prove.proof import prove_plan
from watchline.report.page import build_report


def project_of(plan_file: Path) -> Path:
    """Folder of the project that a plan file lies in.

    Raises
    ------
    ProjectError
        No folder above the file holds a project.
    """
    for folder in plan_file.resolve().parents:
        if (folder / PROJECT_FILE).is_file():
            return folder
    raise ProjectError(
        f"{plan_file} lies in no project folder",
        mend="say which with --project, or move it into the project's plans/",
    )


def prove_whole(
    site: Site, terrain: Terrain, plan: Plan, listener: Progress
) -> tuple[Plan, Proof, LightProof | None]:
    """A plan's proof with all claims: coverage, lights, interruption.

    Parameters
    ----------
    site, terrain, plan
        What is asked, the ground, and what stands.
    listener : Progress
        Who listens.

    Returns
    -------
    plan : Plan
        The plan, with no lights said where the project asks for light and it has none.
    proof : Proof
        All claims.
    light_proof : LightProof or None
        What the lights give; None where the project says nothing of light.
    """
    listener.step("proof", plan.name)
    proof = prove_plan(site, terrain, plan, progress=listener.share)
    light_proof = None
    if site.lighting is not None:
        lighting = plan.lighting or no_lighting(site.crs)
        listener.step("light proof", plan.name)
        light_proof = prove_lights(site, terrain, lighting, progress=listener.share)
        plan, proof = with_lights(plan, proof, lighting, light_proof)
    proof = with_interruption(site, terrain, plan, proof, listener)
    return plan, proof, light_proof


def prove_file(
    plan_file: Path, project: Path | None = None, progress: Progress | None = None
) -> Outcome:
    """Read a plan, prove it against its project, and write proof and report beside it.

    Parameters
    ----------
    plan_file : Path
        A plan's GeoPackage, perhaps edited in QGIS.
    project : Path, optional
        Project folder; None looks in the folders above the file.
    progress : Progress, optional
        Who listens.

    Returns
    -------
    Outcome
        Its files lie in ``runs/<hash>/`` of the site, under ``proven/<name of the plan>/``.
    """
    listener = progress or Silent()
    site = read_site(project or project_of(plan_file))
    run = open_run(site, listener)
    listener.step("terrain")
    terrain = terrain_of(site, run)
    plan = read_plan(plan_file, site=site)
    for note in plan.notes:
        listener.say(note)
    plan, proof, light_proof = prove_whole(site, terrain, plan, listener)
    listener.step("report")
    folder = run.folder / "proven" / plan.name
    folder.mkdir(parents=True, exist_ok=True)
    candidates = propose_candidates(site, terrain)
    page = folder / "report.html"
    outcome = Outcome(site, terrain, candidates, plan, proof, folder, page, light_proof)
    report = build_report(plan, proof, site=site, terrain=terrain, candidates=candidates)
    write_outputs(outcome, report, folder)
    return outcome
