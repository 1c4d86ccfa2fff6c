"""``watchline prove``: judge a plan, edited or not."""

from __future__ import annotations

from pathlib import Path

import typer

from watchline.cli.outcome import show_outcome
from watchline.cli.screen import JSON_OPTION, QUIET_OPTION, Screen


def prove(
    plan: Path = typer.Argument(help="Plan file (GeoPackage), perhaps edited in QGIS."),
    project: Path = typer.Option(
        None, "--project", help="Project folder; by default the one that the plan lies in."
    ),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Prove a plan against its project's requirements, independently of the design.

    Exit code 0: every binding claim holds; 1: a claim fails or is unknown; 3: bad input.
    """
    from watchline.chain.prove import prove_file

    with Screen(as_json=as_json, quiet=quiet) as screen:
        screen.step("site")
        outcome = prove_file(plan, project, screen)
    show_outcome(screen, outcome)
    if not outcome.proof.holds:
        raise typer.Exit(1)
