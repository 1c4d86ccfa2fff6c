"""Repair: what the proof found failing becomes part of what the design must cover."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.design.cells import describe_cells
from watchline.model.candidates import Candidates
from watchline.model.proof import CELL_FAILS, Proof, loss_claim_name
from watchline.model.site import Site
from watchline.model.terrain import Terrain

TIGHTEN = 1.25
"""A missing share is asked for with this surcharge."""

LESS_WATCHED = 0.6
"""The design tests each pose alone; what several may watch together shrinks by this each round."""


@dataclass(frozen=True)
class Repaired:
    """A harder problem: the site with tightened shares, the candidates with more cells.

    Attributes
    ----------
    site : Site
        The site to design for; requirements with a share below 1 ask for more, no-watch areas
        that allow a share allow less.
    candidates : Candidates
        The candidates with the failing proof cells added to the cells.
    added : int
        Number of cells that were added.
    changed : bool
        False where nothing could be tightened: designing again would give the same plan.
    """

    site: Site
    candidates: Candidates
    added: int
    changed: bool


def tighten(site: Site, terrain: Terrain, candidates: Candidates, proof: Proof) -> Repaired:
    """Turn the failing claims of a proof into a harder design problem.

    Parameters
    ----------
    site, terrain, candidates
        What the failing plan was designed for.
    proof : Proof
        The proof that found it wanting.

    Returns
    -------
    Repaired
    """
    failing = {c.requirement: c for c in proof.claims if c.binding and c.verdict == "fails"}
    wanted = np.zeros(len(proof.cells), dtype=bool)
    requirements = []
    changed = False
    for requirement in site.requirements:
        names = (requirement.name, loss_claim_name(requirement.name))
        claims = [failing[name] for name in names if name in failing]
        if not claims:
            requirements.append(requirement)
        elif requirement.share >= 1.0:
            for claim in claims:
                wanted |= _failing(proof, claim.requirement)
            requirements.append(requirement)
        else:
            short = TIGHTEN * max(claim.target - claim.value for claim in claims)
            share = min(1.0, requirement.share + short)
            changed |= share > requirement.share
            requirements.append(replace(requirement, share=share))
    areas = []
    for area in site.no_watch:
        claim = failing.get(f"no-watch: {area.name}")
        if claim is not None and area.allowed_share > 0:
            area = replace(area, allowed_share=area.allowed_share * LESS_WATCHED)
            changed = True
        elif claim is not None:
            wanted |= _failing(proof, claim.requirement)
        areas.append(area)
    cells = proof.cells[wanted]
    known = set(_places(candidates.cells))
    new = [place not in known for place in _places(cells)]
    cells = cells[np.array(new, dtype=bool)]
    return Repaired(
        site=replace(site, requirements=tuple(requirements), no_watch=tuple(areas)),
        candidates=add_cells(site, terrain, candidates, cells) if len(cells) else candidates,
        added=len(cells),
        changed=changed or len(cells) > 0,
    )


def _places(cells: pd.DataFrame) -> list[tuple[float, float]]:
    """Places of cells to the centimetre, for comparing."""
    return list(zip(cells["x"].round(2), cells["y"].round(2), strict=True))


def _failing(proof: Proof, claim: str) -> npt.NDArray[np.bool_]:
    """Cells on which a claim fails."""
    return proof.cells[f"state:{claim}"].to_numpy() == CELL_FAILS


def add_cells(
    site: Site, terrain: Terrain, candidates: Candidates, cells: pd.DataFrame
) -> Candidates:
    """Candidates with more cells to cover, described as the others are.

    Parameters
    ----------
    cells : DataFrame
        Columns ``x``, ``y``, ``size_m``.
    """
    described = describe_cells(
        site,
        terrain,
        cells["x"].to_numpy(float),
        cells["y"].to_numpy(float),
        cells["size_m"].to_numpy(float),
    )
    table = pd.concat([candidates.cells, described], ignore_index=True)
    table = table.sort_values(["s", "t"], kind="stable").reset_index(drop=True)
    return replace(candidates, cells=table)
