"""``watchline why``: what makes a plan cost what it costs."""

from __future__ import annotations

from pathlib import Path

import typer

from watchline.cli.screen import JSON_OPTION, QUIET_OPTION, Screen


def why(
    project: Path = typer.Argument(help="Project folder or its project.toml."),
    effort: float = typer.Option(
        0.05,
        "--effort",
        min=0.001,
        max=1.0,
        help="Share of the project's search effort (design.work) for each changed search.",
    ),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Search again with a little less asked each time: what each requirement and its parts cost.

    Plans first where there is no plan. It shows the three cheapest relaxations, what each
    requirement costs, what it would cost to survive the loss of any one mount, and cost against
    the share covered; all of it goes into why.json and into the report. Exit code 0: done; 2: the
    project is planned within a budget; 3: bad input; 4: no plan can satisfy the requirements.
    """
    from watchline.chain.why import why_project
    from watchline.io.project import read_site
    from watchline.io.why import why_data

    with Screen(as_json=as_json, quiet=quiet) as screen:
        screen.step("site")
        outcome, found = why_project(read_site(project), effort, screen)
    if as_json:
        screen.data(why_data(found) | {"report": str(outcome.report)})
        return
    from rich.table import Table

    from watchline.report.reasons import gather_reasons
    from watchline.report.words import number, percent

    reasons = gather_reasons(found)
    for paragraph in reasons.lead:
        screen.line(paragraph)
    for part in reasons.tables:
        table = Table(title=part.caption, title_justify="left")
        for column in part.columns:
            table.add_column(column.label, justify="right" if column.numeric else "left")
        for row in part.rows:
            table.add_row(*row.cells)
        screen.table(table)
    table = Table(title="Cost against cover", title_justify="left")
    for title in ("covered", f"cost ({found.currency})", f"bound ({found.currency})"):
        table.add_column(title, justify="right")
    for point in found.curve:
        table.add_row(percent(point.covered), number(point.cost), number(point.lower_bound))
    screen.table(table)
    for note in reasons.notes:
        screen.line(f"- {note}")
    screen.line(f"Report: {outcome.report}")
