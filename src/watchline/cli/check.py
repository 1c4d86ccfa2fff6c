"""``watchline check``: everything that is wrong with a project, at once."""

from __future__ import annotations

from pathlib import Path

import typer

from watchline.cli.screen import JSON_OPTION, QUIET_OPTION, Screen


def check(
    project: Path = typer.Argument(help="Project folder or its project.toml."),
    lock: bool = typer.Option(
        False, "--lock", help="Write inputs.lock with the hashes of the inputs as they are now."
    ),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Check the project file, its inputs and the terrain; say all faults together.

    Exit code 0: nothing is wrong; 3: something is.
    """
    from watchline.chain.check import accept_inputs, check_project

    with Screen(as_json=as_json, quiet=quiet) as screen:
        if lock:
            written = accept_inputs(project)
            screen.say(f"Wrote {written}.")
        screen.step("check")
        found = check_project(project)
    if as_json:
        screen.data(found)
        return
    screen.line(
        f"{found['project']}: line {found['line_m']:,.0f} m, "
        f"zone {found['zone_m2'] / 1e4:,.1f} ha, "
        f"road {found['road_m']:,.0f} m, {found['requirements']} requirements, terrain "
        f"{found['terrain_cells']:,} cells of {found['terrain_cell_m']:g} m. Nothing is wrong."
    )
    for note in found["notes"]:
        screen.line(f"- {note}")
