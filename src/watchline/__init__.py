"""watchline: design, prove and report the guard system of a long thin place.

The public names below are all there is to import; each is loaded when it is first used, so that
``import watchline`` stays fast.

    import watchline as wl

    site = wl.read_site("examples/rafah")
    terrain = wl.build_terrain(site)
    candidates = wl.propose_candidates(site, terrain)
    visibility = wl.compute_visibility(terrain, candidates)
    plan = wl.design_plan(site, candidates, visibility)
    proof = wl.prove_plan(site, terrain, plan)
    report = wl.build_report(plan, proof)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from watchline.version import __version__

if TYPE_CHECKING:
    from watchline.chain.outcome import Outcome
    from watchline.chain.plan import plan_project
    from watchline.design.cover import cover
    from watchline.design.plan import design_plan
    from watchline.design.propose import propose_candidates
    from watchline.design.see import compute_visibility
    from watchline.errors import InfeasibleError, WatchlineError
    from watchline.io.plan import read_plan, write_plan
    from watchline.io.project import read_site
    from watchline.io.proof import read_proof, write_proof
    from watchline.io.report import write_report
    from watchline.io.terrain import build_terrain
    from watchline.prove.explain import explain_cell
    from watchline.prove.proof import prove_plan
    from watchline.report.page import build_report
    from watchline.see import intervisibility, viewshed
    from watchline.tools import cumulative_viewshed, horizon, visibility_probability

_HOME = {
    "Outcome": "watchline.chain.outcome",
    "InfeasibleError": "watchline.errors",
    "WatchlineError": "watchline.errors",
    "build_report": "watchline.report.page",
    "build_terrain": "watchline.io.terrain",
    "compute_visibility": "watchline.design.see",
    "cover": "watchline.design.cover",
    "cumulative_viewshed": "watchline.tools",
    "design_plan": "watchline.design.plan",
    "explain_cell": "watchline.prove.explain",
    "horizon": "watchline.tools",
    "intervisibility": "watchline.see",
    "plan_project": "watchline.chain.plan",
    "propose_candidates": "watchline.design.propose",
    "prove_plan": "watchline.prove.proof",
    "read_plan": "watchline.io.plan",
    "read_proof": "watchline.io.proof",
    "read_site": "watchline.io.project",
    "viewshed": "watchline.see",
    "visibility_probability": "watchline.tools",
    "write_plan": "watchline.io.plan",
    "write_proof": "watchline.io.proof",
    "write_report": "watchline.io.report",
}

__all__ = [  # noqa: RUF022 - in the order in which people use them
    "read_site",
    "build_terrain",
    "propose_candidates",
    "compute_visibility",
    "design_plan",
    "prove_plan",
    "build_report",
    "plan_project",
    "Outcome",
    "explain_cell",
    "read_plan",
    "write_plan",
    "read_proof",
    "write_proof",
    "write_report",
    "viewshed",
    "intervisibility",
    "cumulative_viewshed",
    "visibility_probability",
    "horizon",
    "cover",
    "WatchlineError",
    "InfeasibleError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _HOME:
        raise AttributeError(f"module 'watchline' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names."""
    return sorted(__all__)
