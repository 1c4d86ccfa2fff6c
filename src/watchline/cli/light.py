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
    name="light", help="Luminaires: their files, and their light on terrain.", no_args_is_help=True
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


@light.command("map")
def light_map(
    dem: Path = typer.Argument(help="Raster of heights in a projected metric CRS."),
    luminaires: Path = typer.Argument(
        help="CSV: file, x, y, height_m, azimuth_deg, tilt_deg [, front_c_deg, factor]."
    ),
    to: Path = typer.Option(Path("light.tif"), "--to", help="GeoTIFF (COG) to write."),
    height: float = typer.Option(
        0.0, "--height", min=0.0, help="Height of the receivers above the ground in m."
    ),
    toward: float = typer.Option(
        None, "--toward", help="Vertical illuminance toward this bearing; else horizontal."
    ),
    reach: float = typer.Option(
        100.0, "--reach", min=1.0, help="Cells farther than this from every luminaire are left out."
    ),
    maintenance: float = typer.Option(
        0.8, "--maintenance", min=0.01, max=1.0, help="Maintenance factor."
    ),
    visibility: float = typer.Option(
        None, "--visibility", min=1.0, help="Visibility in m (contrast 2 %); else clear air."
    ),
    skip: float = typer.Option(
        0.001, "--skip", min=0.0, help="Most lux that far luminaires may be left out for."
    ),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Write the illuminance of given luminaires on a terrain, in lux, with its shadows.

    Band 1 holds what rays that are known to be clear give, band 2 what rays over ground without
    data would add. The figures are those of the cells within reach.
    """
    from watchline.chain.light import map_light

    with Screen(as_json=as_json, quiet=quiet) as screen:
        screen.step("light")
        found = map_light(
            dem,
            luminaires,
            to,
            height_m=height,
            toward_deg=toward,
            reach_m=reach,
            maintenance=maintenance,
            visibility_m=visibility,
            skip_lx=skip,
        )
    if as_json:
        screen.data(found)
        return
    screen.line(
        f"{found['luminaires']} luminaires on {found['cells']:,} cells: mean "
        f"{found['mean_lx']:.2f} lx, least {found['min_lx']:.2f} lx, most "
        f"{found['max_lx']:.2f} lx, uniformity {found['uniformity']:.2f} "
        f"(maintenance factor {found['maintenance_factor']:g})."
    )
    screen.line(
        f"{found['dark_cells']:,} cells get no light, {found['unknown_cells']:,} depend on ground "
        f"without data; at most {found['left_out_lx']:.3g} lx left out: {found['file']}"
    )


@light.command("plan")
def light_plan(
    project: Path = typer.Argument(help="Project folder or its project.toml."),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Design the lights of a project alone, on poles of their own, and prove them.

    `watchline plan` does the same after its masts are chosen, and lets lights hang on them.
    Exit code 0: every binding claim holds; 1: a claim fails or is unknown; 3: bad input;
    4: no choice of the offered lights gives what is asked.
    """
    from watchline.chain.lights import plan_lights
    from watchline.cli.outcome import claim_data, claims_table, lights_data, lights_line
    from watchline.io.project import read_site

    with Screen(as_json=as_json, quiet=quiet) as screen:
        screen.step("site")
        outcome = plan_lights(read_site(project), screen)
    claims = outcome.proof.claims
    holds = all(claim.verdict == "holds" for claim in claims if claim.binding)
    if as_json:
        files = {"page": str(outcome.page), "layers": str(outcome.layers)}
        data = lights_data(outcome.lighting) | {"currency": outcome.site.catalogue.currency}
        claimed = [claim_data(claim) for claim in claims]
        screen.data(data | {"holds": holds, "claims": claimed} | files)
    else:
        screen.table(claims_table(claims))
        screen.line(lights_line(outcome.lighting, outcome.site.catalogue.currency))
        screen.line(f"Page: {outcome.page}")
    if not holds:
        raise typer.Exit(1)


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
