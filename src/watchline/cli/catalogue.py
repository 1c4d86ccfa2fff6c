"""``watchline catalogue``: the devices, masts and prices that a plan may use."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.table import Table

from watchline.cli.screen import JSON_OPTION, QUIET_OPTION, Screen


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
    devices = Table(title="Devices", title_justify="left")
    for title in ("key", "kind", "focal mm", "overview m", "outline m", "perceive m"):
        devices.add_column(title, justify="left" if title in ("key", "kind") else "right")
    devices.add_column(f"price ({found.currency})", justify="right")
    for device in found.devices.values():
        far = device.focal_px(device.focal_max_mm)
        reach = [
            f"{min(device.range_m, far / found.qualities[name]):,.0f}"
            for name in ("overview", "outline", "perceive")
        ]
        focal = f"{device.focal_min_mm:g}–{device.focal_max_mm:g}"
        if device.focal_min_mm == device.focal_max_mm:
            focal = "" if device.is_person else f"{device.focal_max_mm:g}"
        devices.add_row(device.id, device.kind, focal, *reach, f"{device.price:,.0f}")
    screen.table(devices)
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
