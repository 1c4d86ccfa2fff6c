"""``watchline init``: a commented project from a line and a height raster."""

from __future__ import annotations

from pathlib import Path

import typer

from watchline.cli.screen import JSON_OPTION, QUIET_OPTION, Screen


def init(
    line: Path = typer.Argument(help="GIS file with the line that is to be guarded."),
    dem: Path = typer.Argument(help="Raster of the bare ground's heights."),
    folder: Path = typer.Option(
        None, "--folder", help="Folder to make; by default named after the line's file."
    ),
    side: str = typer.Option("right", "--side", help="Side of the line: left or right."),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Write a project folder with a commented project.toml, copies of the inputs and a lock."""
    from watchline.chain.init import init_project

    with Screen(as_json=as_json, quiet=quiet) as screen:
        screen.step("init")
        file = init_project(line, dem, folder, side)
    if as_json:
        screen.data({"project": str(file)})
    else:
        screen.line(f"Wrote {file}.")
        screen.line(f"Next: edit it, then `watchline check {file.parent}`.")
