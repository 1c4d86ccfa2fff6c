"""``watchline export``: the plan in the formats of GIS, office and globe."""

from __future__ import annotations

from pathlib import Path

import typer

from watchline.cli.screen import JSON_OPTION, QUIET_OPTION, Screen


def export(
    project: Path = typer.Argument(help="Project folder or its project.toml."),
    to: Path = typer.Option(Path("export"), "--to", help="Folder to write into."),
    plan: Path = typer.Option(
        None, "--plan", help="An edited plan file instead of the computed one."
    ),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Write the plan as GeoPackage, KMZ, XLSX, DXF and glTF, with proof and coverage rasters."""
    from watchline.chain.export import export_drawings, export_outcome
    from watchline.chain.plan import plan_project
    from watchline.chain.prove import prove_file
    from watchline.io.project import project_path, read_site

    with Screen(as_json=as_json, quiet=quiet) as screen:
        screen.step("site")
        if plan is None:
            outcome = plan_project(read_site(project), screen)
        else:
            outcome = prove_file(plan, project_path(project), screen)
        screen.step("export")
        files = [*export_outcome(outcome, to), *export_drawings(outcome, to)]
    if as_json:
        screen.data({"files": [str(file) for file in files]})
    else:
        for file in files:
            screen.line(str(file))
