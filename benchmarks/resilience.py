"""Resilience: all single and double losses of the Rafah plan, its fault trees, and patrols.

    python benchmarks/resilience.py [--quick] [--json]

CPU seconds of one core, compilation excluded. The plan is the newest in the Rafah example's `runs`;
without one its rows say so. "Counted anew" is a count for each pair, on a sample of 300 pairs,
carried over to all; both must agree on the sample. `--quick` leaves the fault trees of all but the
first requirement out.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(Path(__file__).parent)]

from _table import Table, argument_parser  # noqa: E402
from watchline.design.patrols import best_mix, draw_walk  # noqa: E402
from watchline.prove.patrols import judge_walk  # noqa: E402

SAMPLE = 300


def cpu(run):
    """Result and CPU seconds of a run."""
    begin = time.process_time()
    found = run()
    return found, time.process_time() - begin


def rafah(table: Table, quick: bool) -> None:
    """Losses and fault trees of a plan of the example, if there is one."""
    from watchline.io.plan import read_plan
    from watchline.io.project import read_site
    from watchline.io.terrain import build_terrain
    from watchline.prove.network import network_of
    from watchline.prove.outages import lost_m2, outages
    from watchline.prove.sightings import sightings_of
    from watchline.prove.unseen import stretches_unseen

    folder = ROOT / "examples" / "rafah"
    plans = sorted(folder.glob("runs/*/plan.gpkg"), key=lambda file: file.stat().st_mtime)
    if not plans:
        table.add("resilience of the Rafah plan", "no plan: make demo", "")
        return
    site = read_site(folder)
    plan = read_plan(plans[-1], site=site)
    terrain = build_terrain(site)
    network = network_of(plan, site.resilience)
    sight, sight_s = cpu(lambda: sightings_of(site, terrain, plan, network, site.zone.cell_m / 2))
    table.add("Rafah plan: sight of every device, cells of half the design's", sight_s, "CPU s")
    outages(sight, network)
    found, pairs_s = cpu(lambda: outages(sight, network))
    count = len(network.elements)
    pairs = count * (count - 1) // 2
    table.add(f"Rafah plan: {count} single losses and all {pairs:,} pairs", pairs_s, "CPU s")
    rng = np.random.default_rng(1)
    some = [tuple(sorted(rng.choice(count, 2, replace=False).tolist())) for _ in range(SAMPLE)]
    anew, anew_s = cpu(
        lambda: [float(lost_m2(sight, network.devices_out(set(pair))).sum()) for pair in some]
    )
    apart = max(abs(found.double_m2[pair] - m2) for pair, m2 in zip(some, anew, strict=True))
    table.at_most("pairs: from those counted anew, at most", apart, "m²", 1e-6)
    ratio = anew_s / SAMPLE * pairs / pairs_s
    table.at_least("pairs: each counted anew over inclusion", ratio, "×", 10.0)
    if quick:
        sight = replace(sight, requirements=sight.requirements[:1])
    trees, trees_s = cpu(lambda: stretches_unseen(sight, network, site.resilience.stretch_m))
    table.add(f"Rafah plan: {len(trees[0])} fault trees", trees_s, "CPU s")
    table.at_most("Rafah plan: all of it", sight_s + pairs_s + trees_s, "CPU s", 60.0)


def patrols(table: Table) -> None:
    """The patrolling game at the size that is used, and one day of a schedule, judged."""
    mix, seconds = cpu(lambda: best_mix(41, 30))
    table.add("patrols: 861 beats over 41 places", seconds, "CPU s")
    exact = abs(best_mix(41, 60, 0.0).value - 60 / 80)
    table.at_most("patrols: from the published value, 41 places, 60 ticks", exact, "", 1e-9)
    ticks = 600_000
    walk, seconds = cpu(lambda: draw_walk(mix, ticks, 80, 1))
    table.add(f"patrols: a walk of {ticks:,} ticks", seconds, "CPU s")
    _, seconds = cpu(lambda: judge_walk(walk, 41, 30))
    table.add("patrols: the walk judged", seconds, "CPU s")


def main() -> None:
    """Run what the command line asks for."""
    options = argument_parser(__doc__, quick="fewer fault trees; under 60 s").parse_args()
    table = Table(options.json)
    rafah(table, options.quick)
    patrols(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table.add("peak memory", peak, "MiB")
    table.end()


if __name__ == "__main__":
    main()
