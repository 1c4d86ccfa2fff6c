"""Weakest paths: speed beside a plain Dijkstra, SciPy and networkx, on the same grid, in one run.

    python benchmarks/paths.py [--quick] [--json]

The job: a zone of 12 km × 100 m at 1 m, 1.2 M cells, sixteen moves from each, hazards of cameras
in patches, a response that is soonest near eight posts. CPU seconds of one core, compilation
excluded. "Two phases" is the time from the exits and the hazard to where a detection is too late;
the plain Dijkstra and SciPy do the same two passes, SciPy with and without the assembly of its
graphs, which belong to one plan. networkx gets 12,000 cells, and so does the kernel beside it.
"Random response" is over the whole line: for a walker who reacts (21 probabilities of the
response, a pass each, and the chance), and for one who keeps to his way (time-expanded).

`--quick` takes 2 km, under 60 s: its grids fit the cache of the processor, so that SciPy's lag
without its assembly is told and not judged, and leaves the losses out. Without networkx its row
says "peer missing". The losses are those of a plan of the Rafah example, if one is found in its
`runs`.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr, ndtri

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(Path(__file__).parent)]

from _path_peers import networkx_spread, plain_dijkstra, scipy_spread  # noqa: E402
from _table import Table, argument_parser  # noqa: E402
from watchline.breach.respond import LEVELS  # noqa: E402
from watchline.kernels.moves import make_field  # noqa: E402
from watchline.kernels.spread import least_stop, spread  # noqa: E402
from watchline.kernels.timed import least_stop_timed  # noqa: E402

CELL_M = 1.0
WIDTH = 100
POSTS = 8
SPEED_M_S = 3.0
CROSSING_S = 45.0
DELAY_S = 60.0
SPREAD_S = 12.0


class Job:
    """Hazards, paces and responses on a zone."""

    def __init__(self, length_m: float) -> None:
        rng = np.random.default_rng(1)
        rows = int(length_m)
        patches = gaussian_filter(rng.normal(size=(rows, WIDTH)), 12)
        self.danger = (0.01 * np.exp(0.6 * patches / patches.std())).astype(np.float32)
        hills = gaussian_filter(rng.normal(size=(rows, WIDTH)), 6)
        self.pace = (np.exp(0.1 * hills / hills.std()) / SPEED_M_S).astype(np.float32)
        r = (np.arange(rows) + 0.5) * CELL_M
        posts = (np.arange(POSTS) + 0.5) * length_m / POSTS
        drive = np.abs(r[:, None] - posts).min(axis=1) / 14.0 * 12_000.0 / length_m
        self.response = 10.0 + 0.35 * drive
        self.exits = np.zeros((rows, WIDTH), dtype=bool)
        self.exits[:, -1] = True

    def starts(self, response: np.ndarray) -> np.ndarray:
        """Starts of the time pass."""
        start = np.full(self.exits.shape, np.inf)
        start[:, -1] = -response
        return start

    def two_phases(self) -> np.ndarray:
        """Least hazard before a detection is too late, by this project's kernels."""
        pace = make_field(self.pace, CELL_M, CELL_M)
        left, _ = spread(pace, self.starts(self.response))
        hazard = make_field(self.danger, CELL_M, CELL_M)
        return spread(hazard, np.where(left <= 0, 0.0, np.inf))[0][:, 0]

    def with_barriers(self) -> np.ndarray:
        """The same with a barrier's delay and a bent line, which the peers do not have."""
        delay = np.zeros(self.exits.shape)
        delay[:, 60:] = DELAY_S
        bend = 1.0 + 0.05 * np.sin(np.arange(self.exits.shape[0]) / 300.0)[:, None]
        stretch = np.broadcast_to(bend, self.exits.shape)
        pace = make_field(self.pace, CELL_M, CELL_M, jump=delay, stretch=stretch)
        left, _ = spread(pace, self.starts(self.response + DELAY_S))
        hazard = make_field(self.danger, CELL_M, CELL_M, jump=delay * 1e-3, stretch=stretch)
        return spread(hazard, np.where(left <= 0, 0.0, np.inf))[0][:, 0]

    def plain(self) -> np.ndarray:
        """Two passes of the plain Dijkstra."""
        left = plain_dijkstra(self.pace, self.starts(self.response), CELL_M)
        return plain_dijkstra(self.danger, np.where(left <= 0, 0.0, np.inf), CELL_M)[:, 0]

    def scipy(self) -> tuple[np.ndarray, float, float]:
        """Two passes of SciPy: values, CPU seconds with and without assembly."""
        left, one, one_run = scipy_spread(self.pace, self._ends(-self.response), CELL_M)
        late = [(int(k), 0.0) for k in np.flatnonzero(left.ravel() <= 0)]
        value, two, two_run = scipy_spread(self.danger, late, CELL_M)
        return value[:, 0], one + two, one_run + two_run

    def networkx(self) -> tuple[np.ndarray | None, float]:
        """Two passes of networkx, assembly aside."""
        left, one = networkx_spread(self.pace, self._ends(-self.response), CELL_M)
        if left is None:
            return None, 0.0
        late = [(int(k), 0.0) for k in np.flatnonzero(left.ravel() <= 0)]
        value, two = networkx_spread(self.danger, late, CELL_M)
        return value[:, 0], one + two

    def reacting(self) -> np.ndarray:
        """Random response against a walker who reacts."""
        pace = make_field(self.pace, CELL_M, CELL_M)
        stopped = np.zeros(self.exits.shape)
        for level in LEVELS:
            left, _ = spread(pace, self.starts(self.response + float(ndtri(level)) * SPREAD_S))
            stopped = np.where(left > 0, level, stopped)
        hazard = make_field(self.danger, CELL_M, CELL_M)
        return least_stop(hazard, stopped, self.exits)[0][:, 0]

    def keeping(self) -> np.ndarray:
        """Random response of one mean against a walker who keeps to his way, at 1 s."""
        hazard = make_field(self.danger, CELL_M, CELL_M)
        slow = make_field(self.pace * SPEED_M_S, CELL_M, CELL_M)
        in_time = ndtr((np.arange(0.0, 300.0) - 200.0) / 20.0)
        return least_stop_timed(hazard, slow, self.exits, in_time, 1.0)[:, 0]

    def _ends(self, offsets: np.ndarray) -> list[tuple[int, float]]:
        nodes = np.arange(self.exits.shape[0]) * WIDTH + WIDTH - 1
        return list(zip(nodes.tolist(), offsets.tolist(), strict=True))


def cpu(run, times: int = 3):
    """Result and least CPU seconds of some runs."""
    best = np.inf
    for _ in range(times):
        begin = time.process_time()
        found = run()
        best = min(best, time.process_time() - begin)
    return found, best


def losses_of_rafah(table: Table) -> None:
    """All single losses of a plan of the example, if there is one."""
    from watchline.breach.study import losses, study_plan
    from watchline.io.plan import read_plan
    from watchline.io.project import read_site
    from watchline.io.terrain import build_terrain

    folder = ROOT / "examples" / "rafah"
    plans = sorted(folder.glob("runs/*/plan.gpkg"), key=lambda file: file.stat().st_mtime)
    if not plans:
        table.add("losses of the Rafah plan", "no plan: make demo", "")
        return
    site = read_site(folder)
    plan = read_plan(plans[-1], site=site)
    begin = time.process_time()
    study = study_plan(site, build_terrain(site), plan)
    table.add("Rafah plan: sight, rates and weakest paths", time.process_time() - begin, "CPU s")
    losses(study)
    begin = time.process_time()
    found = losses(study)
    seconds = time.process_time() - begin
    table.at_most(f"Rafah plan: all {len(found)} single losses", seconds, "CPU s", 60.0)


def main() -> None:
    """Run what the command line asks for."""
    options = argument_parser(__doc__, quick="a shorter line; under 60 s").parse_args()
    table = Table(options.json)
    warm, small = Job(200.0), Job(120.0)
    for run in (warm.two_phases, warm.with_barriers, warm.plain, warm.reacting, warm.keeping):
        run()
    length = 2000.0 if options.quick else 12_000.0
    job = Job(length)
    label = f"{length / 1000:g} km × {WIDTH} m at 1 m"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ours, seconds = cpu(job.two_phases)
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    table.add(f"{label}: two phases", seconds, "CPU s")
    table.add(f"{label}: two phases, memory above the job's", more / 1024, "MiB")
    _, with_walls = cpu(job.with_barriers)
    table.add(f"{label}: two phases, barrier and bent line", with_walls, "CPU s")
    plain, plain_s = cpu(job.plain, 2)
    table.add(f"{label}: plain numba Dijkstra, twice", plain_s, "CPU s")
    table.at_most("two phases over the plain pair", seconds / plain_s, "×", 2.0)
    others, scipy_s, scipy_run_s = job.scipy()
    table.add(f"{label}: SciPy, twice, with assembly", scipy_s, "CPU s")
    table.add(f"{label}: SciPy, twice, without assembly", scipy_run_s, "CPU s")
    table.at_least("SciPy, with assembly, over two phases", scipy_s / seconds, "×", 3.0)
    ratio = scipy_run_s / seconds
    if options.quick:
        table.add("SciPy, without assembly, over two phases", ratio, "×")
    else:
        table.at_least("SciPy, without assembly, over two phases", ratio, "×", 3.0)
    # The peers weigh a knight's step by its ends alone.
    apart = float(np.abs(np.exp(-others) - np.exp(-plain)).max())
    table.at_most("P_I: SciPy from the plain pair, at most", apart, "", 1e-6)
    apart = float(np.abs(np.exp(-ours) - np.exp(-plain)).max())
    table.at_most("P_I: two phases from the plain pair, at most", apart, "", 0.02)
    value, networkx_s = small.networkx()
    if value is None:
        table.add("networkx", "peer missing", "")
    else:
        _, small_s = cpu(small.two_phases, 5)
        table.add("120 × 100 cells: networkx, twice", networkx_s, "CPU s")
        table.at_least("networkx over two phases", networkx_s / small_s, "×", 30.0)
    _, seconds = cpu(job.reacting, 1)
    table.at_most(f"{label}: random response, reacts", seconds, "CPU s", 60.0)
    _, seconds = cpu(job.keeping, 1)
    table.at_most(f"{label}: random response, keeps to his way", seconds, "CPU s", 60.0)
    half = Job(length / 2)
    _, short_s = cpu(half.two_phases)
    _, long_s = cpu(job.two_phases)
    table.at_most("twice the length over once", long_s / short_s, "×", 2.5)
    if not options.quick:
        losses_of_rafah(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table.add("peak memory of the whole run, peers included", peak, "MiB")
    table.end()


if __name__ == "__main__":
    main()
