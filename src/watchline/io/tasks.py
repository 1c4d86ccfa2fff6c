"""A list of an adversary's tasks as CSV, for EASI."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from watchline.errors import ProjectError
from watchline.io.csv_list import csv_rows, number_of
from watchline.physics.easi import USUAL_SPREAD, WEIGHT_LEFT

NEEDED = ("task", "detection", "mean_s", "detected")
HEADER = "task,detection,mean_s,sd_s,detected"


@dataclass(frozen=True)
class Task:
    """One task of an adversary.

    Attributes
    ----------
    name : str
        What is done.
    detection : float
        Probability that it is detected, 0–1.
    mean_s, sd_s : float
        Mean and standard deviation of its delay [s].
    detected : {"beginning", "middle", "end"}
        Where in the task the detection falls.
    sd_assumed : bool
        Whether ``sd_s`` is the usual share of the mean, none being given.
    """

    name: str
    detection: float
    mean_s: float
    sd_s: float
    detected: str
    sd_assumed: bool


def read_tasks(path: Path | str) -> tuple[Task, ...]:
    """Read a list of tasks in the order in which they are done.

    Parameters
    ----------
    path : Path or str
        CSV with a header: ``task``, ``detection`` (0–1), ``mean_s``, ``detected`` (beginning,
        middle or end), and perhaps ``sd_s``; without it 30 % of the mean is taken.

    Returns
    -------
    tuple of Task

    Raises
    ------
    ProjectError
        With the line and what is wrong there.
    """
    rows = csv_rows(Path(path), NEEDED, HEADER, "task")
    return tuple(_task(row, place) for row, place in rows)


def _task(row: dict[str, str | None], place: str) -> Task:
    if None in row:
        raise ProjectError("it has more columns than the header", where=place, mend="correct it")
    name = (row["task"] or "").strip()
    if not name:
        raise ProjectError("the task has no name", where=place, mend="give it one")
    detection = number_of(row["detection"], "detection", place, least=0.0)
    if detection > 1.0:
        raise ProjectError(
            f"detection is {detection:g}", where=place, mend="give a probability from 0 to 1"
        )
    mean = number_of(row["mean_s"], "mean_s", place, least=0.0)
    given = (row.get("sd_s") or "").strip()
    sd = number_of(given, "sd_s", place, least=0.0) if given else USUAL_SPREAD * mean
    detected = (row["detected"] or "").strip().lower()
    if detected not in WEIGHT_LEFT:
        raise ProjectError(
            f"detected is '{detected}'", where=place, mend="write beginning, middle or end"
        )
    return Task(name, detection, mean, sd, detected, not given)
