"""Build the terrain of a site: its rasters on one grid, in metres, with notes for the reader."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pyproj import CRS
from pyproj.transformer import TransformerGroup

from watchline.errors import ManyFaults, TerrainError, WatchlineError
from watchline.geo.grid import Grid
from watchline.io.extent import choose_grid, node_spacing_m
from watchline.io.files import sha256_file
from watchline.io.heights import GroundReader, StandingReader, agreed_unit
from watchline.io.raster import Raster, crs_words, open_raster, same_crs
from watchline.io.resample import resample
from watchline.io.terrain_file import heights_dataset, read_terrain, write_terrain
from watchline.io.unknown import unknown_in_zone
from watchline.model.provenance import Provenance
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.version import __version__

__all__ = ["build_terrain", "check_rasters", "read_terrain", "write_terrain"]

KEYS = ("ground", "surface", "buildings", "vegetation")
COARSER = 1.5
"""A grid coarser than a raster's nodes by this factor skips nodes: the reader must know."""

HeightArray = npt.NDArray[np.float32]


def build_terrain(site: Site) -> Terrain:
    """Ground and surface round a site, on one square grid in its CRS.

    The ground, and a whole surface, are bilinear between their nodes; heights of buildings and
    vegetation are those of the raster cell in which a centre lies (a bilinear wall would be a
    ramp, and a roof's edge half as high). ``surface = ground + max(buildings, vegetation)``, never
    below the ground; where any of them is unknown it is unknown.

    Parameters
    ----------
    site : Site
        What is asked; ``site.terrain`` names the rasters.

    Returns
    -------
    Terrain
        Heights in metres, NaN = unknown, read-only; with notes in sentences.

    Raises
    ------
    TerrainError
        If a raster is unreadable, contradicts the project, or leaves all of the zone unknown.
    ManyFaults
        If several rasters cannot be opened.
    """
    crs = CRS.from_user_input(site.crs)
    with _opened(site) as rasters:
        grid = choose_grid(site, list(rasters.values()))
        ground, notes = _ground(site, rasters["ground"], grid, crs)
        surface, more = _surface(site, rasters, ground, grid, crs)
        notes += more
        notes += _unknown(site, grid, ground, surface, rasters["ground"])
        notes = _about(site, rasters, grid, crs) + notes
        provenance = Provenance(_inputs(site, rasters), site.seed, __version__)
    return Terrain(
        data=heights_dataset(grid, ground, surface),
        crs=site.crs,
        refraction=site.terrain.refraction,
        notes=tuple(dict.fromkeys(notes)),
        provenance=provenance,
    )


def check_rasters(site: Site) -> Grid:
    """Open every raster of a site and choose the grid, without reading a single height.

    Returns
    -------
    Grid
        The grid that :func:`build_terrain` will use.

    Raises
    ------
    TerrainError, ManyFaults
        As :func:`build_terrain`, for all that can be seen so far.
    """
    with _opened(site) as rasters:
        return choose_grid(site, list(rasters.values()))


@contextlib.contextmanager
def _opened(site: Site) -> Iterator[dict[str, Raster]]:
    """The site's rasters by key, opened and checked; all their faults together."""
    source = site.terrain
    rasters: dict[str, Raster] = {}
    faults: list[WatchlineError] = []
    with contextlib.ExitStack() as stack:
        for key in KEYS:
            path: Path | None = getattr(source, key)
            if path is None:
                continue
            where = f"project.toml: terrain.{key} ({path.name})"
            try:
                raster = stack.enter_context(open_raster(path, where, source.crs))
                agreed_unit(raster, source.vertical_unit)
                rasters[key] = raster
            except WatchlineError as fault:
                faults.append(fault)
        if len(faults) > 1:
            raise ManyFaults(faults)
        if faults:
            raise faults[0]
        _check_datums(rasters)
        yield rasters


def _check_datums(rasters: dict[str, Raster]) -> None:
    """Ground and surface must not declare different vertical datums: they lie tens of m apart."""
    if "surface" not in rasters:
        return
    ground, surface = rasters["ground"].vertical_datum, rasters["surface"].vertical_datum
    if ground and surface and ground != surface:
        raise TerrainError(
            f"its vertical datum is {surface}, and the ground's is {ground}",
            where=rasters["surface"].where,
            mend="bring both to one vertical datum",
        )


def _ground(site: Site, raster: Raster, grid: Grid, crs: CRS) -> tuple[HeightArray, list[str]]:
    source = site.terrain
    reader = GroundReader(source.vertical_unit, source.nodata, source.clamp_below_m)
    heights = resample(raster, grid, crs, "bilinear", reader)
    return heights, reader.notes(raster)


def _surface(
    site: Site, rasters: dict[str, Raster], ground: HeightArray, grid: Grid, crs: CRS
) -> tuple[HeightArray, list[str]]:
    """What blocks sight, and notes."""
    if "surface" in rasters:
        surface, notes = _ground(site, rasters["surface"], grid, crs)
        with np.errstate(invalid="ignore"):
            below = ground - surface
        deepest = float(np.nanmax(below, initial=0.0))
        if deepest > 0:
            cells = int(np.count_nonzero(below > 0))
            notes.append(
                f"The surface lay below the ground in {cells:,} cells (at most {deepest:.2f} m) "
                "and was raised to it there."
            )
        # maximum, not fmax: where the ground is unknown, so is the surface.
        return np.maximum(surface, ground), notes
    standing: HeightArray | None = None
    notes = []
    for key in ("buildings", "vegetation"):
        if key not in rasters:
            continue
        raster = rasters[key]
        reader = StandingReader(site.terrain.vertical_unit, raster.where, raster.nodata == 0)
        heights = resample(raster, grid, crs, "nearest", reader)
        notes += reader.notes(raster)
        # maximum, not fmax: where one of the two is unknown, what stands there is unknown.
        standing = heights if standing is None else np.maximum(standing, heights)
    if standing is None:
        return ground.copy(), notes
    return ground + standing, notes


def _unknown(
    site: Site, grid: Grid, ground: HeightArray, surface: HeightArray, raster: Raster
) -> list[str]:
    """Notes on what is unknown in the zone.

    Raises
    ------
    TerrainError
        If all of it is.
    """
    bare = unknown_in_zone(site, grid, ground)
    if bare.share == 1.0:
        zone = site.zone
        raise TerrainError(
            f"it holds no height in the zone, s = {zone.start_m:,.0f} to {zone.end_m:,.0f} m",
            where=raster.where,
            mend="give a raster that covers the zone, and check terrain.nodata and the line's side",
        )
    whole = unknown_in_zone(site, grid, surface)
    notes = [bare.sentence("ground")]
    if whole.share > bare.share:
        notes.append(whole.sentence("surface"))
    return [note for note in notes if note]


def _about(site: Site, rasters: dict[str, Raster], grid: Grid, crs: CRS) -> list[str]:
    """Notes on where the terrain comes from, its datum, and how fine it is."""
    source = site.terrain
    x, y = (grid.x[0] + grid.x[-1]) / 2, (grid.y[0] + grid.y[-1]) / 2
    notes: list[str] = []
    for key, raster in rasters.items():
        across, down = node_spacing_m(raster, crs, x, y)
        notes.append(
            f"{key.capitalize()}: {raster.path.name}, one height every {across:.3g} × {down:.3g} m "
            f"in {crs_words(raster.crs)}, {_how(key, raster, grid, crs, across, down)}."
        )
        if grid.cell > COARSER * max(across, down):
            notes.append(
                f"The grid skips heights of {raster.path.name}: crests and things between its "
                f"{grid.cell:g} m cells may be missed; a smaller terrain.cell keeps them."
            )
        notes += _datum_shift(raster, crs)
        notes += raster.notes
    if "surface" in rasters:
        notes.append("What blocks sight is the surface raster.")
    elif len(rasters) > 1:
        names = " and ".join(key for key in rasters if key != "ground")
        higher = "the higher of " if len(rasters) > 2 else ""
        notes.append(f"What blocks sight is the ground plus {higher}{names}.")
    else:
        notes.append("Nothing is known to stand on the ground: the ground alone blocks sight.")
    datum = source.vertical_datum or rasters["ground"].vertical_datum
    notes.append(
        f"Heights are metres above {datum}." if datum else "The vertical datum is not stated."
    )
    declared = rasters["ground"].vertical_datum
    if source.vertical_datum and declared and declared != source.vertical_datum:
        notes.append(
            f"The ground raster declares its vertical datum as {declared}; the project says "
            f"{source.vertical_datum}, and no height was shifted."
        )
    if source.height_error_m > 0:
        notes.append(
            f"The heights' standard error is {source.height_error_m:g} m; claims do not include it."
        )
    notes += [text for text in (source.credit, source.limits) if text]
    return notes


def _how(key: str, raster: Raster, grid: Grid, crs: CRS, across: float, down: float) -> str:
    """How a raster came onto the grid, in words."""
    onto = f"a grid of {grid.cell:g} m in {crs_words(crs)}"
    if key in ("buildings", "vegetation"):
        return f"the nearest taken for {onto}, so that walls stay upright"
    exact = same_crs(raster.crs, crs) and across == down == grid.cell
    off = ((grid.x0 - raster.nodes.c) / grid.cell, (grid.y0 - raster.nodes.f) / grid.cell)
    if exact and all(abs(shift - round(shift)) < 1e-6 for shift in off):
        return f"taken unchanged as {onto}"
    finer = (
        "; the grid is finer and adds no information" if grid.cell * COARSER < min(across, down)
        else ""
    )  # fmt: skip
    return f"interpolated bilinearly to {onto}{finer}"


def _datum_shift(raster: Raster, crs: CRS) -> list[str]:
    """How far the change between two geodetic datums can be trusted, where it matters."""
    if same_crs(raster.crs, crs):
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        group = TransformerGroup(raster.crs, crs, always_xy=True)
    accuracy = group.transformers[0].accuracy if group.transformers else -1.0
    if 0 <= accuracy < 1:
        return []
    about = f"about {accuracy:g} m" if accuracy > 0 else "an unknown amount"
    better = (
        "" if group.best_available else "; a better one needs a shift grid that PROJ lacks here"
    )
    return [
        f"{raster.path.name} has another geodetic datum than the project: places may be off by "
        f"{about}{better}."
    ]


def _inputs(site: Site, rasters: dict[str, Raster]) -> dict[str, str]:
    """SHA-256 of all that the terrain was made from."""
    hashed = {
        (site.folder / name).resolve(): digest for name, digest in site.provenance.inputs.items()
    }
    inputs = dict(site.provenance.inputs)
    for key, raster in rasters.items():
        known = hashed.get(raster.path.resolve())
        inputs[f"terrain.{key}"] = known or sha256_file(raster.path)
    return inputs
