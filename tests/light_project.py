"""The small real project with lights."""

from __future__ import annotations

import shutil
from pathlib import Path

from small_project import PROJECT, make_project

ROAD = Path(__file__).parent / "data" / "photometry" / "road_luminaire.ldt"

LIGHTS = """
[lighting]
spacing = "25 m"
offsets = ["20 m"]
energy_price = 0.15

[[lighting.poles]]
height = "10 m"
price = 2000

[[luminaires]]
name = "road"
file = "inputs/road.ldt"
price = 500
front = "190 deg"
azimuths = ["-50 deg", "0 deg", "50 deg"]

[[light_requirements]]
name = "person at the line"
where = "line"
plane = "vertical"
minimum = "1 lx"

[[light_requirements]]
name = "zone lit"
where = "zone"
average = "0.2 fc"

[[light_limits]]
name = "across"
across = "60 m"
maximum = "20 lx"
"""


def make_light_project(folder: Path, text: str = PROJECT + LIGHTS) -> Path:
    """Write the project with its photometric file into a folder."""
    make_project(folder, text)
    shutil.copy(ROAD, folder / "inputs" / "road.ldt")
    return folder
