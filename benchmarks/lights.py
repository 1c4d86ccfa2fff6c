"""Layout of lights on the Rafah line: cost, bound, gap, CPU time, and how it grows with the line.

    python benchmarks/lights.py [--quick] [--json]

The job is that of `examples/rafah/lights.toml`: 2 lx on a person at the line and in the mean over
a zone of 100 m, on poles every 25 m, with what may fall on houses and upwards limited. CPU seconds,
kernels compiled before. The line is doubled by asking for half of it first: 6.3 and 12.6 km.
`--quick` takes 0.5 and 1 km, under 60 s.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(Path(__file__).parent))

from _table import Table, argument_parser  # noqa: E402
from watchline.design.lights import design_lights  # noqa: E402
from watchline.io.project import read_site  # noqa: E402
from watchline.io.terrain import build_terrain  # noqa: E402
from watchline.model.site import Site  # noqa: E402
from watchline.model.terrain import Terrain  # noqa: E402
from watchline.prove.light_claims import prove_lights  # noqa: E402


def shortened(site: Site, length_m: float) -> Site:
    """The site with its zone cut to a length."""
    end = min(site.zone.end_m, length_m)
    return replace(site, zone=replace(site.zone, end_m=end))


def measure(table: Table, site: Site, terrain: Terrain) -> float:
    """Design and proof of one length; gives the design's CPU seconds a kilometre."""
    length_km = (site.zone.end_m - site.zone.start_m) / 1000.0
    name = f"{length_km:.1f} km"
    begin = time.process_time()
    lighting = design_lights(site, terrain)
    design_s = time.process_time() - begin
    found = prove_lights(site, terrain, lighting)
    proof_s = time.process_time() - begin - design_s
    table.add(f"{name}: poles", len(lighting.poles), "")
    table.add(f"{name}: lights", len(lighting.lights), "")
    table.add(f"{name}: cost", lighting.cost, site.catalogue.currency)
    table.add(f"{name}: lower bound", lighting.lower_bound or 0.0, site.catalogue.currency)
    table.add(f"{name}: gap", 100 * (lighting.gap or 0.0), "%")
    table.add(f"{name}: design", design_s, "CPU-s")
    table.add(f"{name}: proof, {len(found.points):,} points", proof_s, "CPU-s")
    good = [claim.verdict == "holds" for claim in found.claims if claim.binding]
    table.at_least(f"{name}: binding claims that hold", 100 * sum(good) / len(good), "%", 100)
    return design_s / length_km


def main() -> None:
    """Run what the command line asks for."""
    options = argument_parser(__doc__, quick="shorter lines; under 60 s").parse_args()
    table = Table(options.json)
    site = read_site(ROOT / "examples" / "rafah" / "lights.toml")
    terrain = build_terrain(site)
    lengths = (500.0, 1000.0) if options.quick else (6300.0, 12_600.0)
    warm = shortened(site, 300.0)
    prove_lights(warm, terrain, design_lights(warm, terrain))  # compiles
    short, long = (measure(table, shortened(site, length), terrain) for length in lengths)
    table.at_most("cost of a km, twice the length over once", long / short, "×", 1.25)
    table.end()


if __name__ == "__main__":
    main()
