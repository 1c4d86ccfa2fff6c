"""The demo, measured: time and memory of the whole chain on an example, from nothing.

Usage: python benchmarks/demo.py [--json] [--quick]

Runs ``watchline plan`` on a copy of each example without any earlier run, in a process of its own,
and prints one row a figure. ``--quick`` takes the two small examples only.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
MOST_SECONDS = 300.0
MOST_GB = 6.0


def measure(name: str) -> list[dict]:
    """Plan a fresh copy of an example; figures of the run."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / name
        shutil.copytree(EXAMPLES / name, project, ignore=shutil.ignore_patterns("runs"))
        start = time.perf_counter()
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        done = subprocess.run(
            [sys.executable, "-m", "watchline", "plan", str(project), "--json", "--quiet"],
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - start
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr)
        data = json.loads(done.stdout)
        log = (Path(data["folder"]) / "run.jsonl").read_text().splitlines()
    binding = [claim for claim in data["claims"] if claim["binding"]]
    held = sum(claim["verdict"] == "holds" for claim in binding)
    figures = [
        figure(name, "wall time", seconds, "s", f"≤ {MOST_SECONDS:g}", seconds <= MOST_SECONDS),
        figure(name, "CPU time", usage.ru_utime - before, "s", "", None),
        figure(
            name,
            "peak memory so far",
            usage.ru_maxrss / 1e6,
            "GB",
            f"≤ {MOST_GB:g}",
            usage.ru_maxrss / 1e6 <= MOST_GB,
        ),
        figure(name, "cost", data["cost"], data["currency"], "", None),
        figure(name, "lower bound", data["lower_bound"] or 0.0, data["currency"], "", None),
        figure(name, "gap", 100 * (data["gap"] or 0.0), "%", "", None),
        figure(
            name,
            "binding claims that hold",
            held,
            f"of {len(binding)}",
            f"{len(binding)}",
            held == len(binding),
        ),
    ]
    for line in log:
        event = json.loads(line)
        if "seconds" in event:
            figures.append(figure(name, f"step {event['step']}", event["seconds"], "s", "", None))
    return figures


def figure(name: str, what: str, value: float, unit: str, target: str, holds: bool | None) -> dict:
    """One row."""
    return {
        "name": f"{name}: {what}",
        "value": round(float(value), 3),
        "unit": unit,
        "target": target,
        "holds": holds,
    }


def main() -> None:
    """Run and print."""
    names = ["slovenia", "bilbao"] if "--quick" in sys.argv else ["slovenia", "bilbao", "rafah"]
    figures = [row for name in names for row in measure(name)]
    if "--json" in sys.argv:
        print(json.dumps(figures, indent=2))
        return
    for row in figures:
        mark = {True: "✓", False: "✗", None: " "}[row["holds"]]
        print(f"{mark} {row['name']:44} {row['value']:>14,.2f} {row['unit']:8} {row['target']}")


if __name__ == "__main__":
    main()
