"""What the chain gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from watchline.model.candidates import Candidates
from watchline.model.plan import Plan
from watchline.model.proof import Proof
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.model.ways import Way
from watchline.prove.light_claims import LightProof


@dataclass(frozen=True)
class Outcome:
    """What planning or proving a project gave.

    Attributes
    ----------
    site, terrain, candidates, plan, proof
        The artefacts.
    folder : Path
        The folder with the files.
    report : Path
        The page that a person opens.
    light_proof : LightProof or None
        Claims on the plan's lights with their points; None where there are none.
    ways : tuple of Way
        What cameras and lights cost in each way to plan them; empty where there was no choice.
    unlit : str
        Why no lights give what is asked; the plan then has cameras only.
    """

    site: Site
    terrain: Terrain
    candidates: Candidates
    plan: Plan
    proof: Proof
    folder: Path
    report: Path
    light_proof: LightProof | None = None
    ways: tuple[Way, ...] = ()
    unlit: str = ""
