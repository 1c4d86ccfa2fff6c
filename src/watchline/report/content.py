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
from watchline.report.conditions import conditions_table
from watchline.report.features import Features
from watchline.report.limits import limits
from watchline.report.tables import Table
from watchline.tools.sun_hours import sun_hours

STATUS_WORDS = {
    "optimal": "no plan of the offered candidates is cheaper",
    "feasible": "best plan found with the work allowed",
    "budget": "most coverage found within the budget",
    "interrupted": "best plan found until the search was stopped",
    "edited": "edited by hand: no bound is known",
}
NOUNS = {
    "thermal": ("thermal camera",),
    "ptz": ("pan-tilt-zoom",),
    "panoramic": ("panoramic camera",),
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
    conditions: Table | None
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
    name = site.name if site is not None else plan.name
    subtitle = "Plan of the watch and its proof"
    if plan.name != "computed":
        subtitle += f"; plan \u2018{plan.name}\u2019"
    return Content(
        title=name,
        subtitle=subtitle,
        verdict=words.overall_verdict(proof),
        verdict_line=words.verdict_line(proof),
        reported_line=words.reported_line(proof),
        figures=_figures(plan, site, candidates, features),
        map_keys=_map_keys(features, terrain, site),
        claims=tables.claims_table(proof, site, plan.design_claims),
        mounts=tables.aiming_table(
            plan, features, catalogue, None if site is None else sun_hours(plan, site, terrain)
        ),
        quantities=tables.quantities_table(plan, catalogue),
        inputs=tables.inputs_table(plan, proof, site, terrain),
        conditions=None if site is None else conditions_table(site, plan),
        plan_notes=tuple(dict.fromkeys(plan.notes)),
        limits=limits(plan, proof, site, terrain),
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
    if plan.lighting is not None:
        lit = words.money(plan.lighting.cost, plan.currency)
        count = words.plural(len(plan.lighting.lights), "light")
        places = words.plural(len(plan.lighting.poles), "pole")
        bound = words.money(plan.lighting.lower_bound, plan.currency)
        note = f"{count} on {places}, besides the cost above; bound {bound}; see lights.html"
        figures.append(Figure("Lights", lit, note))
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
    return ", ".join(words.plural(count, *NOUNS.get(kind, (kind,))) for kind, count in counted)


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
