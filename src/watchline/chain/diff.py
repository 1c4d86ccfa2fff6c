"""Compare two plan files, with their proofs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from watchline.chain.plan import open_run, terrain_of
from watchline.chain.progress import Progress
from watchline.chain.prove import project_of, prove_whole
from watchline.io.plan import read_plan
from watchline.io.project import read_site
from watchline.report.difference import PlanDifference, compare_plans


def compare_files(
    before: Path, after: Path, project: Path | None, progress: Progress
) -> PlanDifference:
    """Read and prove two plans of one project with all claims, and compare them."""
    progress.step("site")
    site = read_site(project or project_of(after))
    run = open_run(site, progress)
    progress.step("terrain")
    terrain = terrain_of(site, run)
    plans = [read_plan(file, site=site) for file in (before, after)]
    proofs = [prove_whole(site, terrain, plan, progress)[1] for plan in plans]
    return compare_plans(*plans, *proofs)


def difference_data(difference: PlanDifference) -> dict[str, Any]:
    """The difference as plain data."""
    return asdict(difference)
