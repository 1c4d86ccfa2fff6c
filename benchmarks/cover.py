"""Least cost: the covering solver beside greedy, HiGHS, CP-SAT and pycft.

    python benchmarks/cover.py [--quick] [--json] [--keep FILE] [--seed N]... [--case NAME]...
                               [--pycft] [--orlib FOLDER] [--per-12-km SECONDS]

Cases, each a command of its own or several together: ``S-60``, ``S-300`` and ``S-1800`` (12 km, 45
thousand poses, 18 million nonzeros, in so many seconds), ``strong`` (with one of these: the
textbook relaxation), ``CP-SAT`` and ``HiGHS`` (240 s each, and watchline beside it), ``M`` (107
million) in 120 s, ``L`` (358 million) in 300 s with its memory, ``48km`` beside 12 km at equal time
per kilometre, ``orlib`` (OR-Library files in 30 s each, with ``--pycft`` beside it). ``--quick``
solves 1 km and two small files, in less than a minute. ``--keep`` appends an object for each figure
to a file, with the time and the load of the machine. Instances are made by ``_corridor.py``: the
solver was tuned on seeds 1 to 7, others judge it. Every run is a process of its own. Time limits
are wall time, so that a busy machine spoils the figures; CPU seconds and peak memory stand beside
each. ``strong LP``: x ≤ y for each pose, without row–mount cuts.
"""

from __future__ import annotations

import argparse
import heapq
import json
import multiprocessing
import os
import pickle
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numba as nb
import numpy as np

import watchline as wl
from _corridor import Instance, named
from _cover_peers import by_cpsat, by_highs, orlib_by_pycft, read_orlib, strong_bound

CASES = [
    "S-60", "S-300", "S-1800", "strong", "CP-SAT", "HiGHS", "M", "L", "48km", "orlib",
]  # fmt: skip
ORLIB = Path(__file__).parents[1] / "tests" / "data" / "cover"


@dataclass(frozen=True)
class Figure:
    """One measured figure beside its target."""

    name: str
    value: float | str
    unit: str
    target: str
    holds: bool | None
    note: str = ""


@nb.njit(cache=True)
def _greedy(costs, indptr, indices, demand, mount, fixed):
    """Repeatedly the pose with most new rows per cost, its closed mount's cost included."""
    n = len(costs)
    need = demand.copy()
    left = need.sum()
    is_open = np.zeros(len(fixed), np.uint8)
    taken = np.zeros(n, np.uint8)
    first = np.searchsorted(mount, np.arange(len(fixed) + 1))
    # Gains only fall, so that an old ratio is a limit; a mount's poses come again as it opens.
    queue = [(-(indptr[j + 1] - indptr[j]) / (costs[j] + fixed[mount[j]]), j) for j in range(n)]
    heapq.heapify(queue)
    total = 0.0
    while left > 0 and len(queue) > 0:
        _, j = heapq.heappop(queue)
        if taken[j]:
            continue
        gain = 0
        for t in range(indptr[j], indptr[j + 1]):
            gain += need[indices[t]] > 0
        price = costs[j] + (0.0 if is_open[mount[j]] else fixed[mount[j]])
        if gain == 0:
            continue
        if len(queue) > 0 and -gain / price > queue[0][0]:
            heapq.heappush(queue, (-gain / price, j))
            continue
        taken[j] = 1
        total += price
        for t in range(indptr[j], indptr[j + 1]):
            if need[indices[t]] > 0:
                need[indices[t]] -= 1
                left -= 1
        if not is_open[mount[j]]:
            is_open[mount[j]] = 1
            for i in range(first[mount[j]], first[mount[j] + 1]):
                if not taken[i]:
                    heapq.heappush(queue, (-(indptr[i + 1] - indptr[i]) / costs[i], i))
    return (total if left == 0 else np.inf), taken


def greedy_cost(instance: Instance) -> float:
    """Return the cost of the greedy choice."""
    return float(
        _greedy(
            instance.costs,
            instance.indptr,
            instance.indices,
            instance.demand,
            instance.mount,
            instance.mount_costs,
        )[0]
    )


def by_watchline(instance: Instance, seconds: float, **options: Any) -> dict[str, float]:
    """Solve with watchline, check the choice, and return cost and bound."""
    began = time.process_time()
    solution = wl.cover(*instance.arguments, seconds, group_costs=instance.mount_costs, **options)
    cpu = time.process_time() - began
    views = np.zeros(len(instance.demand), np.int64)
    for j in solution.chosen:
        views[instance.indices[instance.indptr[j] : instance.indptr[j + 1]]] += 1
    if np.any(views < instance.demand):
        raise AssertionError("the choice leaves rows uncovered")
    cost = instance.costs[solution.chosen].sum()
    cost += instance.mount_costs[np.unique(instance.mount[solution.chosen])].sum()
    return {
        "cost": float(cost),
        "bound": solution.lower_bound,
        "price_bound": solution.price_bound,
        "window_kb": _window_kb(solution),
        "cpu": cpu,
    }


def _window_kb(solution: Any) -> float:
    """Return what the proof of a window takes on average, pickled."""
    windows = solution.price_windows
    return sum(len(pickle.dumps(one)) for one in windows) / 1e3 / max(1, len(windows))


def orlib_by_watchline(path: Path, unit: bool, seconds: float) -> dict[str, float]:
    """Solve an OR-Library file with watchline."""
    costs, columns, rows = read_orlib(path)
    costs = np.ones(len(costs)) if unit else costs
    began = time.process_time()
    solution = wl.cover(costs, columns, np.ones(rows, int), time_limit=seconds)
    seen = np.unique(np.concatenate([columns[j] for j in solution.chosen]))
    if len(seen) < rows:
        raise AssertionError("the choice leaves rows uncovered")
    return {
        "cost": float(costs[solution.chosen].sum()),
        "bound": solution.lower_bound,
        "cpu": time.process_time() - began,
    }


def _peak_gb() -> float:
    """Return the peak memory of this process.

    Not by ``ru_maxrss`` where it can be helped: that of a new process counts its parent's peak.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = (line.split() for line in status.read_text().splitlines())
        return next(int(words[1]) for words in lines if words[:1] == ["VmHWM:"]) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _child(work: Callable[..., dict], source: Any, arguments: tuple, options: dict, pipe) -> None:
    # HiGHS greets on the C library's stdout, which belongs to the figures.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if isinstance(source, str):
        with np.load(source, allow_pickle=False) as held:
            source = Instance(**{name: held[name] for name in held.files})
    try:
        answer = work(source, *arguments, **options)
    except ImportError:
        answer = {"missing": 1.0}
    answer["memory_gb"] = _peak_gb()
    pipe.send(answer)


def alone(work: Callable[..., dict], source: Any, *arguments: Any, **options: Any) -> dict:
    """Run a job in a process of its own, so that memory and threads are its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=_child, args=(work, source, arguments, options, there))
    child.start()
    there.close()
    try:
        return here.recv()
    except EOFError:
        child.join()
        return {"failed": float(child.exitcode or 1)}
    finally:
        child.join()


def _spent(answer: dict) -> str:
    return f"{answer.get('cpu', 0):.0f} CPU s, {answer['memory_gb']:.1f} GB"


def _stored(case: str, seed: int, folder: Path) -> tuple[str, float, float]:
    """Make an instance, store it, and return its file, its greedy cost and its length."""
    instance = named(case, seed)
    path = folder / f"{case}{seed}.npz"
    np.savez(path, **asdict(instance))
    return str(path), greedy_cost(instance), instance.length_m


def _ratio(name: str, value: float, over: float, target: float | None, note: str) -> Figure:
    ratio = value / over
    goal = "" if target is None else f"≤ {target:g}"
    return Figure(
        name, round(ratio, 4), "×", goal, None if target is None else ratio <= target, note
    )


def _noted(got: dict) -> str:
    gap = 100 * (1 - got["bound"] / got["cost"])
    return f"cost {got['cost']:.0f}, bound {got['bound']:.0f}, gap {gap:.1f} %, {_spent(got)}"


def short_line(cases: list[str], seed: int, folder: Path) -> Iterator[Figure]:
    """Yield the figures of corridor S, those of the named cases."""
    path, greedy, _ = _stored("S", seed, folder)
    yield Figure(f"S {seed} greedy", greedy, "cost", "", None)
    strong: dict | None = None
    for case, seconds, goal, gap_goal in (
        ("S-60", 60, 0.66, None),
        ("S-300", 300, 0.64, 15.0),
        ("S-1800", 1800, None, 10.0),
    ):
        if case not in cases:
            continue
        got = alone(by_watchline, path, seconds)
        label = f"S {seed} in {seconds} s"
        yield _ratio(f"{label}: cost / greedy", got["cost"], greedy, goal, _noted(got))
        if gap_goal is not None:
            gap = 100 * (1 - got["bound"] / got["cost"])
            note = f"prices alone prove {got['price_bound']:.0f}"
            yield Figure(
                f"{label}: gap", round(gap, 1), "%", f"≤ {gap_goal:g}", gap <= gap_goal, note
            )
        if "strong" in cases:
            strong = strong or alone(strong_bound, path, 600)
            gain = got["bound"] / strong["bound"]
            note = f"strong LP {strong['bound']:.0f}, violation {strong['violation']:.3f}"
            holds = gain >= 1.45
            yield Figure(f"{label}: bound / strong LP", round(gain, 3), "×", "≥ 1.45", holds, note)
    mine: dict | None = None
    for case, work, goal in (("CP-SAT", by_cpsat, 0.45), ("HiGHS", by_highs, 0.22)):
        if case not in cases:
            continue
        other = alone(work, path, 240)
        label = f"S {seed} in 240 s: cost / {case}"
        if "missing" in other or "failed" in other:
            yield Figure(label, "peer missing", "", f"≤ {goal}", None, str(other))
            continue
        mine = mine or alone(by_watchline, path, 240)
        note = f"{case} {other['cost']:.0f}, bound {other['bound']:.0f}, {_spent(other)}"
        yield _ratio(label, mine["cost"], other["cost"], goal, f"{note}; {_noted(mine)}")


def dense_lines(cases: list[str], seed: int, folder: Path) -> Iterator[Figure]:
    """Yield the figures of corridors M and L, those of the named cases."""
    for case, seconds, goal in (("M", 120, 0.70), ("L", 300, 0.72)):
        if case not in cases:
            continue
        path, greedy, _ = _stored(case, seed, folder)
        got = alone(by_watchline, path, seconds)
        label = f"{case} {seed} in {seconds} s: cost / greedy"
        yield _ratio(label, got["cost"], greedy, goal, _noted(got))
        if case == "L":
            memory = got["memory_gb"]
            yield Figure(
                f"L {seed}: peak memory", round(memory, 2), "GB", "≤ 3", memory <= 3.0,
                "the instance included",
            )  # fmt: skip
        Path(path).unlink()


def long_line(seed: int, seconds: float, folder: Path) -> Iterator[Figure]:
    """Yield the figures of 48 km beside 12 km at equal time per kilometre."""
    path, _, length = _stored("S", seed, folder)
    short = alone(by_watchline, path, seconds)
    yield Figure(f"S {seed} in {seconds:g} s", short["cost"], "cost", "", None, _noted(short))
    path, _, far = _stored("48km", seed, folder)
    got = alone(by_watchline, path, seconds * far / length)
    part = length / far
    label = f"48 km {seed}: cost per km / that of 12 km"
    yield _ratio(label, got["cost"] * part, short["cost"], 1.02, _noted(got))
    bound = got["bound"] * part / short["bound"]
    yield Figure(
        f"48 km {seed}: bound per km / that of 12 km", round(bound, 4), "×", "≥ 0.97",
        bound >= 0.97,
    )  # fmt: skip
    ratio = got["window_kb"] / max(short["window_kb"], 1e-9)
    yield Figure(
        f"48 km {seed}: memory of a window / that of 12 km", round(ratio, 3), "×", "≤ 1.1",
        ratio <= 1.1, f"{short['window_kb']:.0f} and {got['window_kb']:.0f} kB",
    )  # fmt: skip


def corridors(cases: list[str], seeds: list[int], seconds: float) -> Iterator[Figure]:
    """Yield the figures of the corridor cases."""
    with tempfile.TemporaryDirectory() as name:
        for seed in seeds:
            if {"S-60", "S-300", "S-1800", "CP-SAT", "HiGHS"} & set(cases):
                yield from short_line(cases, seed, Path(name))
            yield from dense_lines(cases, seed, Path(name))
            if "48km" in cases:
                yield from long_line(seed, seconds, Path(name))


def orlib(folder: Path, names: list[str] | None, seconds: float, peers: bool) -> Iterator[Figure]:
    """Yield the figures of the OR-Library files of a folder with ``best_known.csv``."""
    import csv

    with (folder / "best_known.csv").open() as file:
        entries = list(csv.DictReader(file))
    hits = total = 0
    for entry in entries:
        path = folder / Path(entry["Path"]).name
        unit = "--unicost" in entry["Options"]
        if not path.exists() or (names is not None and (path.stem not in names or unit)):
            continue
        best = float(entry["Best known solution value"])
        got = alone(orlib_by_watchline, path, unit, seconds)
        total += 1
        hits += got["cost"] <= best
        note = f"bound {got['bound']:.0f}, {_spent(got)}"
        holds = got["cost"] <= best + max(1.0, 0.01 * best)
        if peers:
            other = alone(orlib_by_pycft, path, unit, seconds)
            if "cost" in other:
                note += f"; pycft {other['cost']:.0f}"
                holds = holds and got["cost"] <= other["cost"]
            else:
                note += "; peer missing"
        label = path.stem + (" unit costs" if unit else "")
        yield Figure(label, got["cost"], "cost", f"{best:g}", holds, note)
    if total:
        share = 100 * hits / total
        yield Figure("files at the best known cost", round(share, 1), "%", "≥ 95", share >= 95)


def quick(seed: int) -> Iterator[Figure]:
    """Yield figures of 1 km and of two small files."""
    with tempfile.TemporaryDirectory() as name:
        path, greedy, _ = _stored("1km", seed, Path(name))
        got = alone(by_watchline, path, 20)
        note = f"cost {got['cost']:.0f}, bound {got['bound']:.0f}, {_spent(got)}"
        yield _ratio(f"1 km {seed} in 20 s: cost / greedy", got["cost"], greedy, 0.85, note)
    yield from orlib(ORLIB, ["scp41", "scp51"], 5, False)


def main() -> int:
    """Print a row for each figure and return 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="1 km and two files, within a minute")
    parser.add_argument("--json", action="store_true", help="an object for each figure")
    parser.add_argument("--seed", type=int, action="append", help="seeds of the corridors")
    parser.add_argument("--case", action="append", choices=CASES, help="cases to run")
    parser.add_argument("--keep", type=Path, help="file to append the figures to, as JSON")
    parser.add_argument("--pycft", action="store_true", help="pycft beside the OR-Library files")
    parser.add_argument("--orlib", type=Path, default=ORLIB, help="folder of OR-Library files")
    parser.add_argument(
        "--per-12-km", type=float, default=300.0, help="seconds for 12 km in the case 48km"
    )
    options = parser.parse_args()
    if options.quick:
        figures = quick((options.seed or [8])[0])
    else:
        cases = options.case or ["S-60", "S-300", "orlib"]

        def every() -> Iterator[Figure]:
            yield from corridors(cases, options.seed or [8], options.per_12_km)
            if "orlib" in cases:
                yield from orlib(options.orlib, None, 30, options.pycft)

        figures = every()
    failed = False
    for figure in figures:
        failed |= figure.holds is False
        if options.keep is not None:
            kept = asdict(figure) | {"at": time.strftime("%F %T"), "load": os.getloadavg()[0]}
            with options.keep.open("a") as file:
                file.write(json.dumps(kept, ensure_ascii=False) + "\n")
        if options.json:
            print(json.dumps(asdict(figure), ensure_ascii=False), flush=True)
        else:
            verdict = {True: "holds", False: "MISSED", None: ""}[figure.holds]
            print(
                f"{figure.name:42} {figure.value!s:>12} {figure.unit:5} {figure.target:8} "
                f"{verdict:7} {figure.note}",
                flush=True,
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
