"""The demo, measured: time and memory of the whole chain on an example, from nothing.

Usage: python benchmarks/demo.py [--json] [--quick]

Runs ``watchline plan`` on a copy of each example without any earlier run, in a process of its own,
and prints the rows of an example as soon as it is done. ``--quick`` takes the first 400 m of
Bilbao's quay with little work: within a minute where the kernels are compiled (``make demo``
compiles them).
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
QUICK = {'outer = "50 m"': 'outer = "50 m"\nend = "400 m"', "work = 7500": "work = 1000"}
"""What ``--quick`` changes in Bilbao's project file."""


def measure(name: str, changes: dict[str, str]) -> list[dict]:
    """Plan a fresh copy of an example with some text of its project changed; figures of it."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / name
        shutil.copytree(EXAMPLES / name, project, ignore=shutil.ignore_patterns("runs"))
        file = project / "project.toml"
        text = file.read_text(encoding="utf-8")
        for old, new in changes.items():
            if old not in text:
                raise SystemExit(f"{name}/project.toml has no {old!r} any more: change QUICK")
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")
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
            name, "bound over all aims", data["all_aims_bound"] or 0.0, data["currency"], "", None
        ),
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
    runs = [("slovenia", {}), ("bilbao", {}), ("rafah", {})]
    if "--quick" in sys.argv:
        runs = [("bilbao", QUICK)]
    figures = []
    for name, changes in runs:
        found = measure(name, changes)
        figures += found
        if "--json" in sys.argv:
            continue
        for row in found:
            mark = {True: "✓", False: "✗", None: " "}[row["holds"]]
            value = f"{row['value']:>14,.2f} {row['unit']:8}"
            print(f"{mark} {row['name']:44} {value} {row['target']}", flush=True)
    if "--json" in sys.argv:
        print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
