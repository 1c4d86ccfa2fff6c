"""The report's content, gathered once: figures, sentences, keys and tables for page and PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchline.model.candidates import Candidates
from watchline.model.plan import Plan
from watchline.model.proof import Proof
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.report import judged, tables, words
from watchline.report.charts import Key
from watchline.report.features import Features
from watchline.report.tables import Table

STATUS_WORDS = {
    "optimal": "no plan of the offered candidates is cheaper",
    "feasible": "best plan found in the time allowed",
    "budget": "most coverage found within the budget",
    "edited": "edited by hand: no bound is known",
}
KIND_NAMES = {
    "camera": "Camera's field",
    "thermal": "Thermal camera's field",
    "ptz": "Pan-tilt-zoom: turns all round",
    "panoramic": "Panoramic camera's field",
    "observer": "Observer: looks all round",
}


@dataclass(frozen=True)
class Figure:
    """A large figure of the head: what it is, the figure, and a line below."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Content:
    """All words and tables of the report.

    Attributes
    ----------
    verdict : str
        ``holds``, ``fails`` or ``unknown``.
    verdict_line : str
        The proof in one line.
    reported_line : str
        What is said of claims that were not asked for; may be empty.
    limits : tuple of (str, str)
        Headed paragraphs: limits and method.
    credits : tuple of str
        Credit lines of the data.
    """

    title: str
    subtitle: str
    verdict: str
    verdict_line: str
    reported_line: str
    figures: tuple[Figure, ...]
    map_keys: tuple[Key, ...]
    claims: Table
    mounts: Table
    quantities: Table
    inputs: Table
    plan_notes: tuple[str, ...]
    limits: tuple[tuple[str, str], ...]
    credits: tuple[str, ...]
    version: str


def gather_content(
    plan: Plan,
    proof: Proof,
    site: Site | None,
    terrain: Terrain | None,
    candidates: Candidates | None,
    features: Features,
) -> Content:
    """Gather all words and tables of the report."""
    catalogue = site.catalogue if site is not None else None
    reported = [claim for claim in proof.claims if not claim.binding]
    held = sum(claim.verdict == "holds" for claim in reported)
    name = site.name if site is not None else plan.name
    subtitle = "Plan of the watch and its proof"
    if plan.name != "computed":
        subtitle += f"; plan \u2018{plan.name}\u2019"
    return Content(
        title=name,
        subtitle=subtitle,
        verdict=words.overall_verdict(proof),
        verdict_line=words.verdict_line(proof),
        reported_line=(
            f"{words.plural(len(reported), 'claim is', 'claims are')} reported beside them, "
            f"{held} of which {'holds' if held == 1 else 'hold'}."
            if reported
            else ""
        ),
        figures=_figures(plan, site, candidates, features),
        map_keys=_map_keys(features, terrain, site),
        claims=tables.claims_table(proof, site),
        mounts=tables.aiming_table(plan, features, catalogue),
        quantities=tables.quantities_table(plan, catalogue),
        inputs=tables.inputs_table(plan, proof, site, terrain),
        plan_notes=tuple(dict.fromkeys(plan.notes)),
        limits=_limits(plan, proof, site, terrain, features),
        credits=_credits(site),
        version=proof.provenance.watchline_version or plan.provenance.watchline_version,
    )


def _figures(
    plan: Plan, site: Site | None, candidates: Candidates | None, features: Features
) -> tuple[Figure, ...]:
    figures = [
        Figure("Cost", words.money(plan.cost, plan.currency), STATUS_WORDS.get(plan.status, "")),
        Figure(
            "Lower bound",
            words.money(plan.lower_bound, plan.currency),
            "no plan of these candidates can cost less"
            if plan.lower_bound is not None
            else "none was computed for this plan",
        ),
        Figure("Gap", words.gap_percent(plan.gap), "(cost − bound) / cost"),
        Figure("Mounts", words.number(len(plan.mounts)), _mount_note(plan, candidates)),
        Figure("Devices", words.number(len(plan.devices)), _kinds(list(plan.devices["kind"]))),
    ]
    length = features.end_m - features.start_m
    if site is not None:
        width = site.zone.outer_m - site.zone.inner_m
        per_km = words.money(plan.cost / max(length / 1000, 1e-9), plan.currency)
        note = f"zone {words.metres(width)} wide; {per_km} per km"
        figures.append(Figure("Line watched", words.quantity(length / 1000, "km", 2), note))
    return tuple(figures)


def _mount_note(plan: Plan, candidates: Candidates | None) -> str:
    kinds = _kinds(list(plan.mounts["kind"]))
    if candidates is None:
        return kinds
    sites = words.number(candidates.mounts["site"].nunique())
    return f"{kinds}; chosen among {sites} places"


def _kinds(kinds: Sequence[str]) -> str:
    counted = sorted(
        {kind: kinds.count(kind) for kind in kinds}.items(), key=lambda k: (-k[1], k[0])
    )
    return ", ".join(f"{number} {kind}" for kind, number in counted)


def _map_keys(features: Features, terrain: Terrain | None, site: Site | None) -> tuple[Key, ...]:
    keys = [Key("line", "Guarded line, chainage from its start")] if features.line else []
    if features.zone is not None:
        keys.append(Key("zone", "Zone"))
    if features.strip is not None:
        keys.append(Key("strip", "Fence strip"))
    if features.road is not None:
        keys.append(Key("road", "Patrol road"))
    kinds = {mount.kind for mount in features.mounts}
    keys += [Key(kind, kind.capitalize()) for kind in ("mast", "tower") if kind in kinds]
    if any(mount.existing for mount in features.mounts):
        keys.append(Key("existing", "Stands already (hollow)"))
    shown = {field.kind for field in features.fields}
    keys += [Key(f"field-{kind}", name) for kind, name in KIND_NAMES.items() if kind in shown]
    if features.areas:
        keys.append(Key("area", "Named area"))
    if features.no_watch:
        keys.append(Key("no-watch", "No-watch area (crossed)"))
    if features.exclusions:
        keys.append(Key("exclusion", "No mount here (hatched)"))
    verdicts = {stretch.verdict for stretch in features.stretches}
    verdicts |= {spot.verdict for spot in features.spots}
    if "fails" in verdicts:
        keys.append(Key("fails", "Witness of a claim that fails"))
        keys.append(Key("fail-line", "Stretch that fails"))
    if "unknown" in verdicts:
        keys.append(Key("unknown", "Witness of a claim that is unknown"))
        keys.append(Key("unknown-line", "Stretch that is unknown"))
    if terrain is not None and site is not None and site.terrain.clamp_below_m is not None:
        level = words.metres(site.terrain.clamp_below_m)
        keys.append(Key("colour", f"Raised to {level}: sea", "#cddde6"))
    return tuple(keys)


def _limits(
    plan: Plan, proof: Proof, site: Site | None, terrain: Terrain | None, features: Features
) -> tuple[tuple[str, str], ...]:
    refraction = terrain.refraction if terrain is not None else 0.13
    cell = f"{proof.cell_m:g}\u00a0m"
    paragraphs = [
        (
            "What \u2018seen\u2019 means",
            "A cell is seen by a device if the straight line from the device to the target's top is "
            "free of ground, buildings and vegetation as the terrain model knows them, over a round "
            f"Earth with refraction coefficient {refraction:g}; if the whole target lies inside the "
            "device's picture; and if it is imaged with the pixels per metre that are asked, counted "
            "across the line of sight (IEC 62676-4). Moving things, weather and night are counted "
            "only where a claim names them as its condition.",
        ),
        (
            "How it was proven",
            f"The proof recomputes everything from the plan alone, at cells of {cell}, by another "
            "method than the design used. A cell for which terrain data is missing is unknown, and "
            "never counts as seen. A claim holds only if its surely satisfied share reaches what "
            "is asked.",
        ),
        (
            "What the maps show",
            "Fields of view are drawn for level ground without obstacles, from the end of the blind "
            "ground to where the lowest density asked is reached; arcs inside them mark the higher "
            "densities. What is really seen is what the coloured cells show. Cells are coloured by "
            "views at the lowest density asked and by the best density of any one view; the share "
            "of a claim counts every view.",
        ),
        (
            "Cost and bound",
            "The lower bound is proven for plans made of the same offered places, heights, devices "
            "and aims; other places or aims might cost less. "
            + _price_sentence(plan, site)
            + (f" {' '.join(plan.notes)}" if plan.notes else ""),
        ),
    ]
    notes = list(terrain.notes) if terrain is not None else []
    if site is not None:
        source = site.terrain
        said = " ".join(notes)
        if source.vertical_datum and source.vertical_datum not in said:
            notes.append(f"Vertical datum: {source.vertical_datum}.")
        if source.height_error_m > 0:
            notes.append(f"Standard error of the heights: {source.height_error_m:g}\u00a0m.")
        if source.limits and source.limits not in said:
            notes.append(f"{source.limits.rstrip('.')}.")
    if terrain is not None:
        notes.append(f"Cells of the terrain grid: {terrain.cell_m:g}\u00a0m; CRS {terrain.crs}.")
    if notes:
        paragraphs.append(("Terrain", " ".join(_sentence(note) for note in notes)))
    if site is not None and site.notes:
        paragraphs.append(("Of this project", site.notes))
    return tuple(paragraphs)


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


def _credits(site: Site | None) -> tuple[str, ...]:
    if site is None:
        return ()
    return tuple(dict.fromkeys(c for c in (site.line_credit, site.terrain.credit) if c))


def heat_keys(layer: judged.Layer) -> tuple[Key, ...]:
    """Legend of a layer of cells: the classes that occur."""
    occurring = set(layer.classes.tolist())
    return tuple(
        Key("colour", label, colour)
        for number, (label, colour) in enumerate(
            zip(layer.labels, layer.colours, strict=True), start=1
        )
        if number in occurring
    )
