"""Limits and method, in words: what a reader must know before trusting a figure."""

from __future__ import annotations

from watchline.model.plan import Plan
from watchline.model.proof import Proof
from watchline.model.site import Site
from watchline.model.terrain import Terrain

SEEN = """
A cell is seen by a device if the straight line from the device to the target's top is free of
ground, buildings and vegetation as the terrain model knows them, over a round Earth with refraction
coefficient {refraction:g}; if the whole target lies inside the device's picture; and if it is
imaged with the pixels per metre that are asked, counted across the line of sight (IEC 62676-4).
Under its condition the target must also be made out: enough contrast must be left through the air,
and a detail of the asked density must stand out of the sensor's noise.
"""
CONDITIONS = """
Visible cameras are judged by Koschmieder's contrast through the air and by the electrons that the
light on the target frees in a pixel, thermal cameras by a temperature difference over their noise
through the air. Left out: glare of sun and lamps, lamp light that fog scatters, rain, snow and wet
windows, noise reduction, heat shimmer, a target of the tone or the warmth of what lies behind it,
and light that differs within a cell. Sensors, lenses and targets are those of the catalogue and of
the table of conditions, many of them assumptions.
"""
PROVEN = """
The proof recomputes everything from the plan alone, at cells of {cell:g}\u00a0m, by another method
than the design used. A cell for which terrain data is missing is unknown, and never counts as seen.
A claim holds only if its surely satisfied share reaches what is asked.
"""
MAPS = """
Fields of view are drawn for level ground without obstacles in clear daylight, from the end of the
blind ground to where the lowest density asked is reached; arcs inside them mark the higher
densities, and short strokes at a mount show where its devices look. What is really seen is what the
coloured cells show. They are coloured by the views at the lowest density asked and by the best
density of any one view, in any light and air; where more than the day is asked for, a colouring for
each condition shows where all that is asked under it is seen. The share of a claim counts every
view.
"""
COST = """
The lower bound is proven for plans made of the same offered places, heights, devices and aims;
other places or aims might cost less. {prices} {notes}
"""
ALONG = """
The chart's row of that name shows what the bound pays for watching each 100\u00a0m (the dual prices
of the covering problem): high bars are metres at which a relaxed requirement or another device
would save most.
"""


def limits(
    plan: Plan, proof: Proof, site: Site | None, terrain: Terrain | None
) -> tuple[tuple[str, str], ...]:
    """Headed paragraphs on limits and method."""
    refraction = terrain.refraction if terrain is not None else 0.13
    notes = " ".join(_sentence(note) for note in dict.fromkeys(plan.notes))
    paragraphs = [
        ("What \u2018seen\u2019 means", _flowed(SEEN, refraction=refraction)),
        ("Light and air", _flowed(CONDITIONS)),
        ("How it was proven", _flowed(PROVEN, cell=proof.cell_m)),
        ("What the maps show", _flowed(MAPS)),
        ("Cost and bound", _flowed(COST, prices=_price_sentence(plan, site), notes=notes)),
    ]
    if plan.cost_along is not None and len(plan.cost_along):
        paragraphs.append(("Where the cost is", _flowed(ALONG)))
    said = _terrain_notes(site, terrain)
    if said:
        paragraphs.append(("Terrain", " ".join(_sentence(note) for note in said)))
    if site is not None and site.notes:
        paragraphs.append(("Of this project", site.notes))
    return tuple(paragraphs)


def _flowed(text: str, **values: object) -> str:
    """A text of several source lines as one paragraph, with its values put in."""
    return text.strip().replace("\n", " ").format(**values).strip()


def _terrain_notes(site: Site | None, terrain: Terrain | None) -> list[str]:
    notes = list(terrain.notes) if terrain is not None else []
    if site is not None:
        source, said = site.terrain, " ".join(notes)
        if source.vertical_datum and source.vertical_datum not in said:
            notes.append(f"Vertical datum: {source.vertical_datum}")
        if source.height_error_m > 0:
            notes.append(f"Standard error of the heights: {source.height_error_m:g}\u00a0m")
        if source.limits and source.limits not in said:
            notes.append(source.limits)
    if terrain is not None:
        notes.append(f"Cells of the terrain grid: {terrain.cell_m:g}\u00a0m; CRS {terrain.crs}")
    return notes


def _sentence(text: str) -> str:
    stripped = text.strip()
    return stripped if stripped.endswith((".", "!", "?")) else f"{stripped}."


def _price_sentence(plan: Plan, site: Site | None) -> str:
    if site is None:
        return "Prices are those of the plan's file."
    used = [
        site.catalogue.devices[m]
        for m in sorted(set(plan.devices["model"]))
        if m in site.catalogue.devices
    ]
    built = [
        site.catalogue.structures[s]
        for s in sorted(set(plan.mounts["structure"]))
        if s in site.catalogue.structures
    ]
    sources = [thing.sources.get("price", "assumption") for thing in (*used, *built)]
    assumed = sum("assum" in source.lower() or "example" in source.lower() for source in sources)
    if not assumed:
        return "Every price has a source in the catalogue."
    return (
        f"The prices of {assumed} of the {len(sources)} kinds of device and structure used are "
        "examples, assumed for want of an offer: replace them with your own."
    )
