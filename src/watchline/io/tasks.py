"""A list of an adversary's tasks as CSV, for EASI."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from watchline.errors import ProjectError
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
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise ProjectError(
            f"it cannot be read ({reason})", where=str(file), mend="give a CSV file in UTF-8"
        ) from problem
    rows = csv.DictReader(text.splitlines(), skipinitialspace=True)
    missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
    if missing:
        raise ProjectError(
            f"the header lacks {', '.join(missing)}",
            where=str(file),
            mend=f"begin with the line {HEADER}",
        )
    try:
        found = [_task(row, f"{file}, line {rows.line_num}") for row in rows]
    except csv.Error as problem:
        raise ProjectError(
            f"it is no CSV ({problem})",
            where=f"{file}, line {rows.line_num}",
            mend="write one task a line",
        ) from problem
    if not found:
        raise ProjectError("it lists no task", where=str(file), mend="write one a line")
    return tuple(found)


def _task(row: dict[str, str | None], place: str) -> Task:
    if None in row:
        raise ProjectError("it has more columns than the header", where=place, mend="correct it")
    name = (row["task"] or "").strip()
    if not name:
        raise ProjectError("the task has no name", where=place, mend="give it one")
    detection = _number(row["detection"], "detection", place)
    if detection > 1.0:
        raise ProjectError(
            f"detection is {detection:g}", where=place, mend="give a probability from 0 to 1"
        )
    mean = _number(row["mean_s"], "mean_s", place)
    given = (row.get("sd_s") or "").strip()
    sd = _number(given, "sd_s", place) if given else USUAL_SPREAD * mean
    detected = (row["detected"] or "").strip().lower()
    if detected not in WEIGHT_LEFT:
        raise ProjectError(
            f"detected is '{detected}'", where=place, mend="write beginning, middle or end"
        )
    return Task(name, detection, mean, sd, detected, not given)


def _number(text: str | None, key: str, place: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise ProjectError(
            f"{key} is '{(text or '').strip()}'", where=place, mend="write a number of at least 0"
        )
    return value
