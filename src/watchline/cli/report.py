"""``watchline report``: the report of the newest run, again or elsewhere."""

from __future__ import annotations

from pathlib import Path

import typer

from watchline.cli.screen import JSON_OPTION, QUIET_OPTION, Screen


def report(
    project: Path = typer.Argument(help="Project folder or its project.toml."),
    to: Path = typer.Option(None, "--to", help="Folder to copy report.html and report.pdf into."),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Show where the report of the project's plan is; plan first where there is none."""
    import shutil

    from watchline.chain.plan import plan_project
    from watchline.io.project import read_site

    with Screen(as_json=as_json, quiet=quiet) as screen:
        screen.step("site")
        outcome = plan_project(read_site(project), screen)
        files = [outcome.folder / "report.html", outcome.folder / "report.pdf"]
        if to is not None:
            to.mkdir(parents=True, exist_ok=True)
            files = [Path(shutil.copy2(file, to / file.name)) for file in files]
    if as_json:
        screen.data({"report": str(files[0]), "pdf": str(files[1])})
    else:
        for file in files:
            screen.line(str(file))
