"""``watchline easi``: probability that a response interrupts a list of tasks."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.table import Table

from watchline.cli.screen import JSON_OPTION, QUIET_OPTION, Screen


def easi(
    tasks: Path = typer.Argument(
        help="CSV: task, detection, mean_s, sd_s, detected (beginning, middle or end)."
    ),
    response: float = typer.Option(
        ..., "--response", min=0.0, help="Mean response time in s, from alarm to arrival."
    ),
    response_sd: float = typer.Option(
        None, "--response-sd", min=0.0, help="Its standard deviation in s; else 30 % of the mean."
    ),
    communication: float = typer.Option(
        1.0, "--communication", help="Probability that a detection reaches the response."
    ),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Print the probability of interruption of a sequence of tasks by EASI.

    With the critical detection point, the last task whose detection still helps on average, and
    what one unit more of each input would change. Exit code 3: the file is wrong.
    """
    from watchline.chain.easi import run_easi

    screen = Screen(as_json=as_json, quiet=quiet)
    found = run_easi(tasks, response, response_sd, communication)
    if as_json:
        screen.data(found)
        return
    table = Table(title="EASI", title_justify="left")
    table.add_column("task")
    for name in ("D", "delay s", "at", "left s", "in time", "adds"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in found["tasks"]:
        mark = " *" if row["task"] == found["critical_detection_point"] else ""
        table.add_row(
            row["task"] + mark,
            f"{row['detection']:g}",
            f"{row['mean_s']:g} ± {row['sd_s']:g}",
            row["detected"],
            f"{row['left_s']:.0f}",
            f"{row['in_time']:.3f}",
            f"{row['share']:.4f}",
        )
    screen.table(table)
    point = found["critical_detection_point"]
    screen.line(
        f"Probability of interruption {found['interruption']:.4f}: response "
        f"{found['response_s']:g} ± {found['response_sd_s']:g} s, communication "
        f"{found['communication']:g}, all tasks {found['delay_s']:g} s."
    )
    screen.line(
        f"Critical detection point (*): {point}."
        if point
        else "Critical detection point: none, the mean response is later than every task's end."
    )
    seen = max(found["tasks"], key=lambda row: row["per_detection"])
    slow = max(found["tasks"], key=lambda row: row["per_mean_s"])
    screen.line(
        f"What would change most: 0.1 more detection of '{seen['task']}' "
        f"{0.1 * seen['per_detection']:+.4f}, 10 s more delay of '{slow['task']}' "
        f"{10 * slow['per_mean_s']:+.4f}, 10 s less response {-10 * found['per_response_s']:+.4f}."
    )
    for note in found["notes"]:
        screen.line(f"Note: {note}.")
