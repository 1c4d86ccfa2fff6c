"""EASI of a list of tasks: P_I, the critical detection point, and what would change most."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from watchline.errors import UsageError
from watchline.io.tasks import read_tasks
from watchline.physics.easi import USUAL_SPREAD, WEIGHT_LEFT, easi, easi_sensitivity, margin_s


def run_easi(
    file: Path, response_s: float, response_sd_s: float | None, communication: float
) -> dict[str, Any]:
    """Probability of interruption of the tasks of a file, as plain data.

    Parameters
    ----------
    file : Path
        CSV of tasks, see :func:`watchline.io.tasks.read_tasks`.
    response_s : float
        Mean response time [s].
    response_sd_s : float or None
        Its standard deviation [s]; None takes 30 % of the mean.
    communication : float
        Probability that a detection reaches the response.

    Returns
    -------
    dict
        ``interruption``, the inputs, ``tasks`` and ``notes`` (what was assumed).

    Raises
    ------
    ProjectError
        With the file and line of what is wrong.
    UsageError
        An argument is out of range.
    """
    if not 0.0 <= communication <= 1.0:
        raise UsageError(
            f"--communication is {communication:g}", mend="give a probability from 0 to 1"
        )
    tasks = read_tasks(file)
    sd = USUAL_SPREAD * response_s if response_sd_s is None else response_sd_s
    if not (0.0 <= response_s < float("inf") and 0.0 <= sd < float("inf")):
        raise UsageError(
            f"--response is {response_s:g} s and --response-sd {sd:g} s",
            mend="give times of at least 0",
        )
    inputs = (
        [task.detection for task in tasks],
        [task.mean_s for task in tasks],
        [task.sd_s for task in tasks],
        [WEIGHT_LEFT[task.detected] for task in tasks],
        communication,
        response_s,
        sd,
    )
    found, slopes = easi(*inputs), easi_sensitivity(*inputs)
    critical = int(found.critical)
    notes = []
    assumed = [task.name for task in tasks if task.sd_assumed]
    if assumed:
        notes.append(f"no sd_s given for {', '.join(assumed)}: 30 % of the mean assumed")
    if response_sd_s is None:
        notes.append("no --response-sd given: 30 % of the mean response assumed")
    return {
        "interruption": float(found.interruption),
        "communication": communication,
        "response_s": response_s,
        "response_sd_s": sd,
        "delay_s": float(sum(task.mean_s for task in tasks)),
        "critical_detection_point": tasks[critical].name if critical >= 0 else None,
        "per_communication": float(slopes.communication),
        "per_response_s": float(slopes.response),
        "per_response_sd_s": float(slopes.response_sd),
        "tasks": [
            {
                "task": task.name,
                "detection": task.detection,
                "mean_s": task.mean_s,
                "sd_s": task.sd_s,
                "detected": task.detected,
                "first_detection": float(found.first_detection[i]),
                "left_s": float(found.left_s[i]),
                "margin_s": margin_s(inputs[1], i, inputs[3][i], 0.0, response_s),
                "in_time": float(found.in_time[i]),
                "share": float(found.share[i]),
                "per_detection": float(slopes.detection[i]),
                "per_mean_s": float(slopes.mean[i]),
                "per_sd_s": float(slopes.sd[i]),
            }
            for i, task in enumerate(tasks)
        ],
        "notes": notes,
    }
