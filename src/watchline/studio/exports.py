"""A plan as a file to take away."""

from __future__ import annotations

import tempfile
from pathlib import Path

from watchline.io.candidates import read_candidates
from watchline.io.dxf import write_dxf
from watchline.io.gltf import write_glb
from watchline.io.kmz import write_kmz
from watchline.io.plan import write_plan
from watchline.io.quantities import write_quantities
from watchline.io.report import write_report
from watchline.model.plan import Plan
from watchline.model.proof import Proof
from watchline.report.page import build_report
from watchline.studio.project import Project
from watchline.studio.versions import FOLDER

MEDIA = {
    "gpkg": "application/geopackage+sqlite3",
    "kmz": "application/vnd.google-earth.kmz",
    "dxf": "image/vnd.dxf",
    "glb": "model/gltf-binary",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


def export_plan(
    project: Project, name: str, plan: Plan, proof: Proof, kind: str
) -> tuple[str, str, bytes]:
    """A plan as a file.

    Parameters
    ----------
    project : Project
        Its project.
    name : str
        Its name.
    plan, proof : Plan, Proof
        What is placed, and what holds.
    kind : str
        A key of :data:`MEDIA`.

    Returns
    -------
    tuple of str, str, bytes
        The file's name, its media type and its content.
    """
    site = project.site
    with tempfile.TemporaryDirectory(
        prefix="export-", dir=project.folder / "plans" / FOLDER
    ) as folder:
        file = Path(folder) / f"{project.folder.name}-{name}.{kind}"
        if kind == "gpkg":
            write_plan(plan, file, site=site, proof=proof)
        elif kind == "kmz":
            write_kmz(plan, file, site=site, proof=proof)
        elif kind == "dxf":
            write_dxf(plan, file, site=site, terrain=project.terrain)
        elif kind == "glb":
            write_glb(plan, file, site=site, terrain=project.terrain)
        elif kind == "xlsx":
            write_quantities(plan, file, site=site, proof=proof)
        else:
            found = project.artefact("candidates").file
            candidates = None if found is None else read_candidates(found.parent)
            terrain = project.terrain
            report = build_report(plan, proof, site=site, terrain=terrain, candidates=candidates)
            write_report(report, file)
        return file.name, MEDIA[kind], file.read_bytes()
