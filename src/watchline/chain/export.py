"""Export an outcome in the formats of GIS, office and globe."""

from __future__ import annotations

from pathlib import Path

from watchline.chain.outcome import Outcome
from watchline.io.dxf import write_dxf
from watchline.io.gltf import write_glb
from watchline.io.kmz import write_kmz
from watchline.io.plan import write_plan
from watchline.io.proof import write_coverage, write_proof
from watchline.io.quantities import write_quantities

EXPORT_FILES = ("plan.gpkg", "quantities.xlsx", "plan.kmz", "proof.json")
CAD_FILES = ("plan.dxf", "site.glb")
"""Written when they are asked for: they are large, and a report does not need them."""


def export_outcome(outcome: Outcome, folder: Path) -> list[Path]:
    """Write every export format.

    Parameters
    ----------
    outcome : Outcome
        A proven plan.
    folder : Path
        Folder to write into; made where it is missing.

    Returns
    -------
    list of Path
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    site, plan, proof = outcome.site, outcome.plan, outcome.proof
    files = [folder / name for name in EXPORT_FILES]
    write_plan(plan, files[0], site=site, proof=proof)
    write_quantities(plan, files[1], site=site, proof=proof)
    write_kmz(plan, files[2], site=site, proof=proof)
    write_proof(proof, files[3])
    return [*files, *write_coverage(proof, folder, site.crs)]


def export_drawings(outcome: Outcome, folder: Path) -> list[Path]:
    """Write the plan for CAD (DXF) and the site for three dimensions (glTF).

    Parameters
    ----------
    outcome : Outcome
        A plan.
    folder : Path
        Folder to write into; made where it is missing.

    Returns
    -------
    list of Path
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    site, plan = outcome.site, outcome.plan
    return [
        write_dxf(plan, folder / CAD_FILES[0], site=site, terrain=outcome.terrain),
        write_glb(plan, folder / CAD_FILES[1], site=site, terrain=outcome.terrain),
    ]
