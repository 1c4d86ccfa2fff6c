"""``watchline catalogue``: the devices, masts and prices that a plan may use."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.table import Table

from watchline.cli.screen import JSON_OPTION, QUIET_OPTION, Screen
from watchline.model.catalogue import Catalogue


def catalogue(
    files: list[Path] = typer.Argument(
        None, help="Own catalogue files to lay over the shipped one."
    ),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """List devices with their reach at each quality, masts and towers, and prices."""
    from dataclasses import asdict

    from watchline.io.catalogue import load_catalogue

    found = load_catalogue(files or None)
    screen = Screen(as_json=as_json, quiet=quiet)
    if as_json:
        screen.data(asdict(found))
        return
    screen.table(device_table(found))
    structures = Table(title="Masts and towers", title_justify="left")
    for title in ("key", "height m", "devices", f"price ({found.currency})"):
        structures.add_column(title, justify="left" if title == "key" else "right")
    for structure in found.structures.values():
        structures.add_row(
            structure.id,
            f"{structure.height_m:g}",
            f"{structure.capacity}",
            f"{structure.price:,.0f}",
        )
    screen.table(structures)


def device_table(found: Catalogue) -> Table:
    """Devices with the distances to which they meet three classes of quality."""
    table = Table(title="Devices", title_justify="left", padding=(0, 0))
    # Keys are what a project names: they stand whole, however narrow the screen.
    table.add_column("key", no_wrap=True, min_width=max(map(len, found.devices), default=0))
    table.add_column("kind")
    for title in ("focal mm", "overview m", "outline m", "perceive m"):
        table.add_column(title, justify="right", no_wrap=title == "focal mm")
    table.add_column(f"price ({found.currency})", justify="right")
    for device in found.devices.values():
        far = device.focal_px(device.focal_max_mm)
        reach = [
            f"{min(device.range_m, far / found.qualities[name]):,.0f}"
            for name in ("overview", "outline", "perceive")
        ]
        focal = f"{device.focal_min_mm:g}–{device.focal_max_mm:g}"
        if device.focal_min_mm == device.focal_max_mm:
            focal = "" if device.is_person else f"{device.focal_max_mm:g}"
        table.add_row(device.id, device.kind, focal, *reach, f"{device.price:,.0f}")
    return table
