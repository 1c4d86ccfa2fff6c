"""Claims on interruption in a plan's proof: what its devices, posts and patrols do together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from watchline.breach.claims import interruption_claims
from watchline.breach.prove import checks_of
from watchline.breach.study import study_plan
from watchline.chain.keys import digest, lighting_key
from watchline.chain.progress import Progress
from watchline.io.breach import read_interruption, write_interruption
from watchline.io.run import Run, marked_key
from watchline.model.breach import Interruption, drawn_paths
from watchline.model.plan import Plan, plan_digest
from watchline.model.proof import Claim, Proof
from watchline.model.site import Site
from watchline.model.terrain import Terrain

STEP = "interruption"
FILE = "interruption.json"
LAYOUT = 2
"""Of the file; a run that has an older one finds it anew."""


def interruption_of(
    site: Site, terrain: Terrain, plan: Plan, share: Callable[[float], None] | None = None
) -> Interruption:
    """Claims on interruption of a plan, with their shares along the line and the weakest paths.

    Parameters
    ----------
    site, terrain, plan
        What is asked, the ground, and what stands.
    share : callable, optional
        Is told the share done of the sight lines, 0–1; what it raises ends the study.

    Raises
    ------
    UsageError
        The project tells nothing of adversaries.
    PlanError
        The plan does not belong to the site.
    """
    study = study_plan(site, terrain, plan, share)
    claims, along = interruption_claims(study, checks_of(study))
    return Interruption(claims, along, drawn_paths(study.adversaries))


def kept_interruption(
    site: Site, plan: Plan, folder: Path, terrain_key: str
) -> Interruption | None:
    """What a run's folder has on interruption of just this plan and site; None without.

    Raises
    ------
    ArtefactError
        The file is damaged.
    """
    if marked_key(folder, STEP) != _key(site, plan, terrain_key):
        return None
    return read_interruption(folder / FILE)


def with_interruption(
    site: Site,
    terrain: Terrain,
    plan: Plan,
    proof: Proof,
    listener: Progress,
    run: Run | None = None,
) -> Proof:
    """A proof with the claims on interruption, where the project tells of adversaries.

    Parameters
    ----------
    site, terrain, plan
        What is asked, the ground, and what stands.
    proof : Proof
        Of the plan.
    listener : Progress
        Who listens.
    run : Run, optional
        Keeps the claims, or has them.
    """
    if site.defence is None:
        return proof
    listener.step("interruption")
    if run is None:
        found = interruption_of(site, terrain, plan, listener.share)
    else:
        found = run.step(
            STEP,
            (FILE,),
            lambda: interruption_of(site, terrain, plan, listener.share),
            lambda made, folder: write_interruption(made, Path(folder) / FILE),
            lambda folder: read_interruption(Path(folder) / FILE),
            key=_key(site, plan, run.keys["terrain"]),
        )
    return joined(proof, found.claims, found.along)


def joined(proof: Proof, claims: tuple[Claim, ...], along: pd.DataFrame) -> Proof:
    """A proof with more claims, and their shares along the line."""
    return replace(
        proof,
        claims=(*proof.claims, *claims),
        chainage=pd.concat([proof.chainage, along], ignore_index=True),
    )


def _key(site: Site, plan: Plan, terrain_key: str) -> str:
    """Key of all that the claims depend on, the plan's devices as the catalogue has them now."""
    devices = [site.catalogue.devices[key] for key in sorted(set(plan.devices["model"]))]
    lights = [] if site.lighting is None else lighting_key(site.lighting)
    return digest(
        STEP,
        LAYOUT,
        terrain_key,
        site.defence,
        site.areas,
        site.seed,
        devices,
        lights,
        plan_digest(plan),
    )
