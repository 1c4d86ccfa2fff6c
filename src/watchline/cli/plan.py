"""``watchline plan``: the whole chain."""

from __future__ import annotations

from pathlib import Path

import typer

from watchline.cli.outcome import show_outcome
from watchline.cli.screen import DEVICE_OPTION, JSON_OPTION, QUIET_OPTION, Screen


def plan(
    project: Path = typer.Argument(help="Project folder or its project.toml."),
    time: float = typer.Option(
        None, "--time", min=1.0, help="Longest search for the least cost, in seconds."
    ),
    work: float = typer.Option(
        None, "--work", min=1.0, help="Search effort in million elementary steps."
    ),
    gap: float = typer.Option(
        None, "--gap", min=0.0, max=1.0, help="Stop when (cost - bound) / cost is at most this."
    ),
    start: Path = typer.Option(
        None,
        "--start",
        help="Plan file to start the search from, perhaps edited: what it holds is offered too.",
    ),
    device: str = DEVICE_OPTION,
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Design the least-cost plan, prove it, and write the report.

    Exit code 0: every binding claim holds; 1: a claim fails or is unknown; 3: bad input;
    4: no plan can satisfy the requirements, or no lights can; then the plan of cameras is kept.
    """
    from dataclasses import replace

    from watchline.chain.plan import plan_project
    from watchline.errors import InfeasibleError
    from watchline.io.plan import read_plan
    from watchline.io.project import read_site

    with Screen(as_json=as_json, quiet=quiet) as screen:
        screen.step("site")
        site = read_site(project)
        rules = site.design
        if time is not None:
            rules = replace(rules, time_limit_s=time)
        if work is not None:
            rules = replace(rules, work_limit=work)
        if gap is not None:
            rules = replace(rules, gap=gap)
        first = None
        if start is not None:
            first = read_plan(start, site=site)
            for note in first.notes if first.status == "edited" else ():
                screen.say(note)
        outcome = plan_project(replace(site, design=rules), screen, start=first, device=device)
    show_outcome(screen, outcome)
    if outcome.unlit:
        typer.echo(outcome.unlit, err=True)
        raise typer.Exit(InfeasibleError.exit_code)
    if not outcome.proof.holds:
        raise typer.Exit(1)
