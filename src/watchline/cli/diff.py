"""``watchline diff``: what changed between two plans."""

from __future__ import annotations

from pathlib import Path

import typer

from watchline.cli.screen import JSON_OPTION, QUIET_OPTION, Screen


def diff(
    before: Path = typer.Argument(help="Plan file."),
    after: Path = typer.Argument(help="Plan file to compare with it."),
    project: Path = typer.Option(
        None, "--project", help="Project folder; by default the one that the plans lie in."
    ),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Compare two plans: what was added, removed, moved or re-aimed, cost and claims."""
    from watchline.chain.diff import compare_files, difference_data
    from watchline.report.difference_words import difference_lines

    with Screen(as_json=as_json, quiet=quiet) as screen:
        found = compare_files(before, after, project, screen)
    if as_json:
        screen.data(difference_data(found))
        return
    for line in difference_lines(found):
        screen.line(line)
