"""Make a project folder from a line and a height raster."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import geopandas as gpd
import pyogrio

from watchline.chain.check import accept_inputs
from watchline.errors import ProjectError, UsageError
from watchline.io.files import atomic_write
from watchline.io.project import PROJECT_FILE
from watchline.io.vector import read_layer, read_line

TEMPLATE = """\
# A watchline project. Lengths carry a unit ("100 m"), shares are "99 %" or 0.99.
# All keys: `watchline schema`. Check it: `watchline check {folder}`.
# Plan it: `watchline plan {folder}`.
schema_version = 1
name = "{name}"
crs = "{crs}" # every coordinate; projected, in metres
vertical_datum = "" # of the heights, e.g. "EGM96"; shown in the report
seed = 1

[line] # {length:,.0f} m long
file = "inputs/{line}"
side = "{side}" # side of the zone, seen along the line's direction
credit = "" # shown beside every map

[zone] # the strip that is to be seen
inner = "0 m" # from the line ...
outer = "100 m" # ... to here
cell = "5 m" # the design judges it cell by cell; the proof at half of it
fence_strip = "20 m"

[road] # mounts stand along it; give file = "..." for a road of your own
offset = "80 m"
width = "6 m"

[terrain]
ground = "inputs/{dem}"
# surface = "inputs/dsm.tif"          # with what stands on it, or:
# buildings = "inputs/buildings.tif"  # heights above the ground
# vegetation = "inputs/trees.tif"
credit = ""

# A place of its own, for requirements:
# [[areas]]
# name = "gate"
# circle = {{ chainage = "1200 m", radius = "60 m" }} # or file = "inputs/gate.geojson"

# No mount may stand here:
# [[exclusions]]
# name = "wetland"
# file = "inputs/wetland.geojson"

# Nobody here may be watched (at 12.5 px/m or better; px_per_m = 0 for no sight at all):
# [[no_watch]]
# name = "houses"
# file = "inputs/houses.geojson"
# allowed_share = "0 %"

# A mast or tower that stands already:
# [[existing_mounts]]
# name = "old tower"
# chainage = "900 m"
# offset = "{sign}70 m"
# structure = "tower-15"
# reuse_cost = 4000

[candidates] # devices and structures: `watchline catalogue` lists them
structures = ["mast-8", "mast-12", "tower-20"]
devices = ["fixed-8mp-12mm", "fixed-8mp-25mm", "fixed-8mp-50mm", "long-4mp-150mm"]

[[requirements]]
name = "zone in overview"
where = "zone" # zone, fence_strip, road, or an area
quality = "overview" # 20 px/m; or px_per_m = 20
views = 1 # from different mounts
share = "100 %" # of the cells
target_height = "1.7 m"

[[requirements]]
name = "fence strip in outline, twice"
where = "fence_strip"
quality = "outline"
views = 2

[[requirements]]
name = "zone in overview, crouching"
where = "zone"
quality = "overview"
target_height = "0.5 m"
binding = false # reported, not designed for

[design]
work = 40000 # search effort; more finds cheaper plans and better bounds
"""


def init_project(line: Path, dem: Path, folder: Path | None, side: str) -> Path:
    """Write a project folder: commented ``project.toml``, copies of the inputs, and their lock.

    Parameters
    ----------
    line, dem : Path
        The line's GIS file and the raster of the ground.
    folder : Path or None
        Folder to make; None names it after the line's file.
    side : str
        ``left`` or ``right``.

    Returns
    -------
    Path
        The project file.

    Raises
    ------
    UsageError
        The side is neither, or the folder holds a project already.
    ProjectError
        The line or the raster cannot be used.
    """
    if side not in ("left", "right"):
        raise UsageError(f"'{side}' is no side", where="--side", mend="write left or right")
    for path, what in ((line, "line"), (dem, "height raster")):
        if not path.is_file():
            raise ProjectError(f"the {what} {path} does not exist", mend="correct the path")
    place = Path(line.stem) if folder is None else folder
    file = place / PROJECT_FILE
    if file.exists():
        raise UsageError(
            f"{file} exists already", where="--folder", mend="name another folder, or remove it"
        )
    crs = metric_crs(line)
    frame = read_layer(line, layer=None, crs=None, to_crs=crs, where=str(line))
    length = read_line(frame, line, str(line)).length
    inputs = place / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    for path in (line, dem):
        for part in _family(path):
            shutil.copy2(part, inputs / part.name)
    with atomic_write(file) as temporary:
        temporary.write_text(
            TEMPLATE.format(
                folder=place,
                name=re.sub(r'["\\\\]', " ", place.resolve().name),
                crs=crs,
                length=length,
                line=line.name,
                dem=dem.name,
                side=side,
                sign="-" if side == "right" else "",
            ),
            encoding="utf-8",
        )
    accept_inputs(place)
    return file


def metric_crs(line: Path) -> str:
    """The line's own CRS where it is projected and metric, else the UTM zone of the line."""
    try:
        frame = gpd.read_file(line)
    except (pyogrio.errors.DataSourceError, ValueError) as error:
        raise ProjectError(
            f"{line.name} cannot be read as a GIS file",
            where=str(line),
            mend="export it again as GeoJSON or GeoPackage",
        ) from error
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None:
        raise ProjectError(
            f"{line.name} declares no CRS", where=str(line), mend="export it with its CRS"
        )
    if frame.crs.is_projected and {a.unit_name for a in frame.crs.axis_info[:2]} == {"metre"}:
        authority = frame.crs.to_authority()
        if authority is not None and frame.crs.to_epsg() != 3857:
            return ":".join(authority)
    utm = frame.to_crs(4326).estimate_utm_crs()
    return ":".join(utm.to_authority())


def _family(path: Path) -> list[Path]:
    """A file with the companions that belong to it (the parts of a Shapefile, a .prj, a .tfw)."""
    companions = {".shp": (".shx", ".dbf", ".prj", ".cpg"), ".asc": (".prj",), ".tif": (".tfw",)}
    found = [path]
    for suffix in companions.get(path.suffix.lower(), ()):
        other = path.with_suffix(suffix)
        if other.is_file():
            found.append(other)
    return found
