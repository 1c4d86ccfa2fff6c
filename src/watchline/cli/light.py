"""``watchline light``: photometric files of luminaires."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from watchline.cli.screen import JSON_OPTION, QUIET_OPTION, Screen

if TYPE_CHECKING:
    from watchline.chain.light import ShownLight

light = typer.Typer(
    name="light", help="Read photometric files of luminaires.", no_args_is_help=True
)


@light.command("show")
def show(
    file: Path = typer.Argument(help="Photometric file: IES (LM-63) or EULUMDAT (.ldt)."),
    to: Path = typer.Option(
        None, "--to", help="Polar diagram to write: a name that ends in .svg or .png."
    ),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Print flux, peak, beam and field angles of a luminaire, and draw its polar diagram.

    Warnings are printed with the figures: planes too far apart, a flux that is not the declared
    one, factors that depend on the tilt.
    """
    from watchline.chain.light import light_data, show_light

    screen = Screen(as_json=as_json, quiet=quiet)
    shown = show_light(file, to)
    if as_json:
        screen.data(light_data(shown))
        return
    screen.table(_figures(shown))
    for warning in shown.warnings:
        screen.line(f"Warning: {warning}.")
    if shown.picture is not None:
        screen.line(f"Polar diagram: {shown.picture}")


def _figures(shown: ShownLight) -> Table:
    photometry, numbers = shown.photometry, shown.numbers
    name = " ".join(part for part in (photometry.maker, photometry.name) if part)
    table = Table(title=name or None, title_justify="left", show_header=False)
    table.add_column("what")
    table.add_column("value", justify="right")
    planes = len(photometry.azimuth_deg) - int(photometry.closed)
    rows = [
        ("format", f"{photometry.format}, type {photometry.type}"),
        ("angles", f"{planes} planes × {len(photometry.polar_deg)}"),
        ("flux of the luminaire", f"{numbers.flux_lm:,.0f} lm"),
        ("flux of the lamps", _or_unknown(numbers.lamp_flux_lm, "{:,.0f} lm")),
        ("efficiency", _or_unknown(100 * numbers.efficiency, "{:.1f} %")),
        ("power", _or_unknown(numbers.power_w, "{:,.1f} W")),
        ("efficacy", _or_unknown(numbers.efficacy_lm_per_w, "{:.1f} lm/W")),
        ("peak intensity", f"{numbers.peak_cd:,.0f} cd"),
        ("peak at", f"C {numbers.peak_c_deg:.1f}°, γ {numbers.peak_gamma_deg:.1f}°"),
        ("beam, to 50 %", _both(numbers.beam_deg)),
        ("field, to 10 %", _both(numbers.field_deg)),
        ("share upwards", f"{100 * numbers.upward_share:.1f} %"),
    ]
    for what, value in rows:
        table.add_row(what, value)
    return table


def _or_unknown(value: float, form: str) -> str:
    return form.format(value) if value == value else "–"


def _both(angles: tuple[float, float]) -> str:
    return " × ".join(_or_unknown(angle, "{:.1f}°") for angle in angles)
