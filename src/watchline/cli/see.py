"""``watchline see``: what is seen from one place or from many, for people who want nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from watchline.cli.screen import DEVICE_OPTION, JSON_OPTION, QUIET_OPTION, Screen


def see(
    dem: Path = typer.Argument(help="Raster of the ground in a projected metric CRS."),
    at: list[str] = typer.Option(
        [], "--at", help="Observer as x,y,h: coordinates and height above ground in m."
    ),
    at_file: Path | None = typer.Option(
        None, "--at-file", help="Observers: CSV with x, y, h, or points with an attribute h."
    ),
    to: Path = typer.Option(Path("viewshed.tif"), "--to", help="GeoTIFF (COG) to write."),
    surface: Path | None = typer.Option(
        None, "--surface", help="Raster of heights that block, with buildings and trees."
    ),
    target_height: list[float] = typer.Option(
        [1.7], "--target-height", min=0.0, help="Height of the target in m; a band each."
    ),
    max_range: float = typer.Option(5000.0, "--max-range", min=1.0, help="Largest distance in m."),
    refraction: float = typer.Option(0.13, "--refraction", help="Refraction coefficient."),
    no_curvature: bool = typer.Option(
        False, "--no-curvature", help="Take the Earth as flat and sight lines as straight."
    ),
    method: str = typer.Option(
        "exact", "--method", help="exact: every ray; fan: faster, with its error measured."
    ),
    spacing: float = typer.Option(
        0.5, "--spacing", max=1.0, help="Gap between the fan's rays, in cells."
    ),
    skyline: bool = typer.Option(
        False,
        "--skyline",
        help="The reverse: from where the place is seen, and where it stands against the sky.",
    ),
    terrain_sigma: float | None = typer.Option(
        None, "--terrain-sigma", min=0.0, help="Standard deviation of the terrain's error in m."
    ),
    correlation: float | None = typer.Option(
        None, "--correlation", min=0.0, help="Distance at which that error's correlation is 1/e, m."
    ),
    sway: float | None = typer.Option(
        None, "--sway", min=0.0, help="Standard deviation of the head's sway, each way, in m."
    ),
    realisations: int = typer.Option(
        100, "--realisations", min=1, help="Terrains drawn for a probability."
    ),
    sample: int = typer.Option(
        20_000, "--sample", min=1, help="Rays on which the fan's error is measured."
    ),
    seed: int = typer.Option(0, "--seed", min=0, help="Seed of all that is drawn."),
    device: str = DEVICE_OPTION,
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Write what is seen from a place: 1 seen, 0 hidden or out of range, 255 unknown.

    From several places it is the number of observers that see a cell, with a second band for those
    of which it is unknown. With --skyline it is from where the place is seen: 1 against terrain, 2
    against the sky, 3 seen but the background is unknown. With --terrain-sigma and --correlation,
    or with --sway, it is the probability that a cell is seen. The raster holds the cells in range;
    its tags hold the settings and, where the fan was used, the measured error.
    """
    from watchline.chain.see import Wish, see_raster

    wish = Wish(
        target_heights_m=tuple(target_height),
        range_m=max_range,
        curvature=not no_curvature,
        refraction=refraction,
        method=method,
        spacing=spacing,
        skyline=skyline,
        terrain_sigma_m=terrain_sigma,
        correlation_m=correlation,
        sway_m=sway,
        realisations=realisations,
        sample=sample,
        seed=seed,
        device=device,
    )
    with Screen(as_json=as_json, quiet=quiet) as screen:
        screen.step("see")
        found = see_raster(
            dem, at, to, wish, at_file=at_file, surface=surface, progress=screen.share
        )
    if as_json:
        screen.data(found)
        return
    for band in found["bands"]:
        screen.line(_sentence(found, band))
    if found["error_sentence"] is not None:
        screen.line(found["error_sentence"])
    screen.line(found["file"])


def _sentence(found: dict[str, Any], band: dict[str, Any]) -> str:
    """What one height's bands hold."""
    area = f"{band['seen']:,} cells seen ({band['seen_m2'] / 1e6:,.2f} km²)"
    if found["kind"] == "probability":
        area = (
            f"{band['expected_m2'] / 1e6:,.2f} km² seen on average, {band['seen']:,} cells with a "
            "probability of half or more"
        )
    elif found["kind"] == "skyline":
        area = (
            f"seen from {band['seen']:,} cells ({band['seen_m2'] / 1e6:,.2f} km²), against the sky "
            f"from {band['against_sky']:,}, with unknown background from "
            f"{band['background_unknown']:,}"
        )
    elif found["observers"] > 1:
        area += f", by up to {band['most_observers']} of {found['observers']} observers"
    who = "eye" if found["kind"] == "skyline" else "target"
    return f"{who} {band['target_height_m']:g} m: {area}, {band['unknown']:,} unknown"
