"""``watchline see``: the viewshed of one place, for people who want nothing else."""

from __future__ import annotations

from pathlib import Path

import typer

from watchline.cli.screen import DEVICE_OPTION, JSON_OPTION, QUIET_OPTION, Screen


def see(
    dem: Path = typer.Argument(help="Raster of heights in a projected metric CRS."),
    at: str = typer.Option(help="Observer as x,y,h: coordinates and height above ground in m."),
    to: Path = typer.Option(Path("viewshed.tif"), "--to", help="GeoTIFF (COG) to write."),
    target_height: float = typer.Option(
        1.7, "--target-height", min=0.0, help="Height of the target in m."
    ),
    max_range: float = typer.Option(5000.0, "--max-range", min=1.0, help="Largest distance in m."),
    refraction: float = typer.Option(0.13, "--refraction", help="Refraction coefficient."),
    device: str = DEVICE_OPTION,
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Write what is seen from a place: 1 seen, 0 hidden or out of range, 255 unknown."""
    from watchline.chain.see import see_raster

    with Screen(as_json=as_json, quiet=quiet) as screen:
        screen.step("see")
        found = see_raster(
            dem,
            at,
            to,
            target_height_m=target_height,
            range_m=max_range,
            refraction=refraction,
            device=device,
        )
    if as_json:
        screen.data(found)
    else:
        screen.line(
            f"{found['seen']:,} cells seen ({found['seen_m2'] / 1e6:,.2f} km²), "
            f"{found['unknown']:,} unknown: {found['file']}"
        )
