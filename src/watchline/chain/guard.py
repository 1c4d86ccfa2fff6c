"""Claims on interruption in a plan's proof: what its devices, posts and patrols do together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from watchline.breach.claims import interruption_claims
from watchline.breach.prove import checks_of
from watchline.breach.study import study_plan
from watchline.chain.keys import digest
from watchline.chain.progress import Progress
from watchline.io.breach import read_interruption, write_interruption
from watchline.io.run import Run
from watchline.model.plan import Plan, plan_digest
from watchline.model.proof import Claim, Proof
from watchline.model.site import Site
from watchline.model.terrain import Terrain

FILE = "interruption.json"


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

    def judged() -> tuple[tuple[Claim, ...], pd.DataFrame]:
        study = study_plan(site, terrain, plan, listener.share)
        return interruption_claims(study, checks_of(study))

    listener.step("interruption")
    if run is None:
        claims, along = judged()
    else:
        claims, along = run.step(
            "interruption",
            (FILE,),
            judged,
            lambda made, folder: write_interruption(*made, Path(folder) / FILE),
            lambda folder: read_interruption(Path(folder) / FILE),
            key=digest(
                "interruption", run.keys["terrain"], site.defence, site.areas, plan_digest(plan)
            ),
        )
    return replace(
        proof,
        claims=(*proof.claims, *claims),
        chainage=pd.concat([proof.chainage, along], ignore_index=True),
    )
