"""The page of the lights: isolux maps, sections, tables by chainage and of aims, limits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from watchline.model.lighting import Lighting, LightRequirement
from watchline.model.proof import Proof
from watchline.model.site import Site
from watchline.prove.light_claims import LightProof
from watchline.report import palette, style, symbols, tables, words
from watchline.report.content import Figure
from watchline.report.light_pictures import along_line, isolux_sheets, level_names, section
from watchline.report.tables import Column, Row, Table
from watchline.report.templating import page_template
from watchline.version import __version__

HASH_DIGITS = 12
BIN_M = 100.0
LIMITS = (
    (
        "What is counted",
        "Maintained illuminance: the intensities of the photometric files times the maintenance "
        "factor, point by point, with the shadows of the surface that the terrain model knows. "
        "Light that ground and walls throw back is not counted. Limits take every light new and "
        "clean, and vertical illuminance with each light head-on.",
    ),
    (
        "Cost and bound",
        "The cost holds poles, trenches to the road, lights and their energy. The bound is proven "
        "for the same places, heights, lights and aims: no choice among them that gives what is "
        "asked at the design's points costs less. It adds up what whole lights cost in windows of "
        "300 m at least, each with its share of lights near its ends, and stays below what is "
        "possible by what windows save at their ends.",
    ),
    (
        "Outage",
        "Claims on a pole or a feeder out say what is left of the minimum when the lights of any "
        "one are dark. Neighbouring places hang on the feeders in turn.",
    ),
)


def light_page(site: Site, lighting: Lighting, found: LightProof, templates: dict[str, str]) -> str:
    """Build the page.

    Parameters
    ----------
    site : Site
        What was asked.
    lighting : Lighting
        The lights.
    found : LightProof
        Their proof.
    templates : dict of str to str
        From :func:`watchline.io.report.report_templates`.

    Returns
    -------
    str
        A self-contained page; equal input gives an equal page.
    """
    assert site.lighting is not None
    proof = Proof(found.claims, pd.DataFrame(), pd.DataFrame(), found.cell_m, "")
    requirements = site.lighting.requirements
    maps = []
    for requirement in requirements:
        points = found.points[found.points["requirement"] == requirement.name]
        if not len(points):
            continue
        sheets = isolux_sheets(points, lighting, found.cell_m) if _is_wide(points) else []
        cuts = _sections(requirement, points, found)
        maps.append((requirement, _plane(requirement), sheets, cuts))
    return page_template(templates, "lights.html.j2").render(
        title=f"{site.name}: lights",
        version=__version__,
        verdict=words.overall_verdict(proof),
        verdict_line=words.verdict_line(proof),
        reported_line=words.reported_line(proof),
        figures=_figures(site, lighting),
        claims=tables.claims_table(proof, None),
        maps=maps,
        levels=level_names(),
        along=_chainage_table(requirements, found.points),
        aims=_aiming_table(site, lighting),
        limits=(*LIMITS, ("Notes", " ".join(lighting.notes))) if lighting.notes else LIMITS,
        credits=[credit for credit in (site.line_credit, site.terrain.credit) if credit],
        shapes={verdict: symbols.verdict_symbol(verdict) for verdict in words.VERDICT_SHAPES},
        light=style.variables(palette.LIGHT, palette.DEVICE_COLOURS),
        dark=style.variables(palette.DARK, palette.DARK_DEVICE_COLOURS),
        css=templates["report.css"],
        pictures_css=templates["pictures.css"],
    )


def _is_wide(points: pd.DataFrame) -> bool:
    """Whether points fill a strip; those of a line are drawn as a section along it."""
    return float(np.ptp(points["t"].to_numpy())) > 1.0


def _plane(requirement: LightRequirement) -> str:
    where = requirement.where.replace("_", " ")
    height = f"{requirement.height_m:g}\u00a0m above the ground"
    if requirement.plane == "horizontal":
        return f"Horizontal illuminance of the {where}, {height}"
    side = "the zone" if requirement.facing == "zone" else "the line"
    return f"Vertical illuminance of the {where}, {height}, on the side that faces {side}"


def _sections(requirement: LightRequirement, points: pd.DataFrame, found: LightProof) -> list:  # type: ignore[type-arg]
    """Across the zone where least and where most light falls; along the line for its points."""
    if not _is_wide(points):
        return [along_line(points, requirement.minimum_lx)]
    cell = found.cell_m
    bins = np.floor(points["s"].to_numpy() / (2 * cell))
    means = pd.Series(points["lux"].to_numpy()).groupby(bins).mean()
    pictures = []
    for name, at in (("darkest", means.idxmin()), ("brightest", means.idxmax())):
        chainage = (float(at) + 0.5) * 2 * cell
        title = f"Where it is {name}: s = {words.metres(chainage)}"
        pictures.append(section(points, chainage, cell, requirement.minimum_lx, title))
    return pictures


def _figures(site: Site, lighting: Lighting) -> tuple[Figure, ...]:
    assert site.lighting is not None
    rules, currency = site.lighting.poles, site.catalogue.currency
    power = float(lighting.lights["power_w"].sum())
    energy = power / 1000.0 * rules.hours_per_year
    length = (site.zone.end_m - site.zone.start_m) / 1000.0
    own = int((lighting.poles["mount_id"] == "").sum())
    yearly = f"{words.number(energy)} kWh a year at {words.number(rules.hours_per_year)} h"
    per_km = f"{words.money(lighting.cost / max(length, 1e-9), currency)} per km"
    return (
        Figure("Cost", words.money(lighting.cost, currency), per_km),
        Figure(
            "Lower bound",
            words.money(lighting.lower_bound, currency),
            "no choice of the same places, lights and aims costs less"
            if lighting.lower_bound is not None
            else "none is known for edited lights",
        ),
        Figure("Gap", words.gap_percent(lighting.gap), "(cost − bound) / cost"),
        Figure(
            "Poles",
            words.number(len(lighting.poles)),
            f"{words.number(own)} of their own, {len(lighting.poles) - own} on masts",
        ),
        Figure("Lights", words.number(len(lighting.lights)), ""),
        Figure("Power", words.quantity(power / 1000.0, "kW", 1), yearly),
    )


def _chainage_table(requirements: tuple[LightRequirement, ...], points: pd.DataFrame) -> Table:
    rows = []
    for requirement in requirements:
        own = points[points["requirement"] == requirement.name]
        if not len(own):
            continue
        rows.append(Row((requirement.name, _plane(requirement)), f"a-{requirement.name}", "group"))
        for number, part in own.groupby(np.floor(own["s"] / BIN_M)):
            lux = part["lux"].to_numpy()
            start = float(number) * BIN_M
            mean = float(lux.mean())
            rows.append(
                Row(
                    (
                        words.stretch(start, start + BIN_M),
                        words.claim_figure(float(lux.min()), "lx"),
                        words.claim_figure(mean, "lx"),
                        words.claim_figure(float(lux.max()), "lx"),
                        words.claim_figure(float(lux.min()) / mean if mean > 0 else 0.0, "ratio"),
                        words.number(len(lux)),
                    )
                )
            )
    return Table(
        "along",
        "By chainage",
        (
            Column("Stretch", width=1.4),
            Column("Least", numeric=True),
            Column("Mean", numeric=True),
            Column("Largest", numeric=True),
            Column("Least / mean", numeric=True),
            Column("Points", numeric=True),
        ),
        tuple(rows),
    )


def _aiming_table(site: Site, lighting: Lighting) -> Table:
    assert site.lighting is not None
    files = {offer.name: offer.file for offer in site.lighting.luminaires}
    rows = []
    for pole in lighting.poles.itertuples():
        own = lighting.lights[lighting.lights["pole_id"] == pole.pole_id]
        kind = f"on {pole.mount_id}" if pole.mount_id else "pole"
        cost = words.money(pole.cost, site.catalogue.currency)
        said = (
            f"{kind}, {words.metres(pole.height_m)}, {words.place(pole.s, pole.t)}, "
            f"feeder {pole.feeder}, {cost}"
        )
        rows.append(Row((str(pole.pole_id), said), f"pole-{pole.pole_id}", "group"))
        rows += [
            Row(
                (
                    str(row.light_id),
                    str(row.luminaire),
                    f"{files.get(str(row.luminaire), '')}\n{str(row.sha256)[:HASH_DIGITS]}…",
                    words.degrees(row.azimuth_deg, 1),
                    words.degrees(row.tilt_deg, 1),
                    words.degrees(row.roll_deg, 1),
                    words.quantity(row.power_w, "W"),
                    words.money(row.cost, site.catalogue.currency),
                )
            )
            for row in own.itertuples()
        ]
    return Table(
        "aims",
        "Aims",
        (
            Column("Light"),
            Column("Luminaire", width=1.6),
            Column("File and SHA-256", width=2.0),
            Column("Azimuth", numeric=True),
            Column("Tilt", numeric=True),
            Column("Front C", numeric=True),
            Column("Power", numeric=True),
            Column("Cost", numeric=True),
        ),
        tuple(rows),
        "Azimuth clockwise from grid north and tilt down from the horizon are those of the "
        "photometric axis; front is the C half-plane that is turned up and toward the azimuth.",
    )
