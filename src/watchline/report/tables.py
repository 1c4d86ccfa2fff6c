"""The report's tables, as plain text by rows and columns: page and PDF write the same ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from watchline.model.catalogue import Catalogue
from watchline.model.plan import DesignClaim, Plan
from watchline.model.proof import Claim, Proof, loss_claim_name
from watchline.model.site import Requirement, Site
from watchline.model.terrain import Terrain
from watchline.report import words
from watchline.report.features import Features, Field, label_of

MOST_STRETCHES = 4
SUN_NOTE = (
    " Sun in lens: hours a year in which the sun's disk stands in the picture, over the terrain's "
    "horizon within 5 km and without clouds; hoods, and sun beside the picture, are not in it."
)


@dataclass(frozen=True)
class Column:
    """A column: its head, whether it holds numbers, and its share of a page's width."""

    label: str
    numeric: bool = False
    width: float = 1.0


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes
    ----------
    cells : tuple of str
        One text per column; lines are parted by a line feed.
    key : str
        Anchor of the row.
    kind : str
        ``holds``, ``fails``, ``unknown`` (its first cell is a verdict), ``group`` (two cells, name
        and rest, over all columns), ``total`` or nothing.
    stretch : tuple of (float, float) or None
        Stretch of the line that the row speaks of, in m.
    """

    cells: tuple[str, ...]
    key: str = ""
    kind: str = ""
    stretch: tuple[float, float] | None = None


@dataclass(frozen=True)
class Table:
    """A table with its caption and a note below it."""

    key: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""


def claims_table(
    proof: Proof, site: Site | None, design_claims: Sequence[DesignClaim] = ()
) -> Table:
    """Every claim: binding ones first, then those that are only reported.

    What the design said of a requirement stands below what the proof found, so that a reader sees
    where the two disagree.
    """
    said = {claim.requirement: claim.share for claim in design_claims}
    requirements = {r.name: r for r in site.requirements} if site else {}
    requirements |= {loss_claim_name(name): r for name, r in requirements.items()}
    methods = list(dict.fromkeys(claim.method for claim in proof.claims if claim.method))
    ordered = sorted(proof.claims, key=lambda claim: not claim.binding)
    rows = tuple(
        _claim_row(claim, requirements.get(claim.requirement), methods, said.get(claim.requirement))
        for claim in ordered
    )
    notes = [f"Method {number}: {method}." for number, method in enumerate(methods, start=1)]
    return Table(
        "claims",
        "Claims, judged by the proof",
        (
            Column("Verdict", width=1.1),
            Column("Claim", width=2.1),
            Column("Asked", width=2.1),
            Column("Found", numeric=True, width=1.35),
            Column("Judged on", numeric=True, width=1.2),
            Column("Witness", width=3.2),
            Column("Missed at", width=1.75),
            Column("Method", numeric=True, width=0.85),
        ),
        rows,
        " ".join(notes),
    )


def _claim_row(
    claim: Claim,
    requirement: Requirement | None,
    methods: Sequence[str],
    said: float | None,
) -> Row:
    found = words.claim_figure(claim.value, claim.unit)
    if claim.lower != claim.upper:
        low, high = (words.claim_figure(v, claim.unit) for v in (claim.lower, claim.upper))
        found += f"\n({low} to {high})"
    if said is not None:
        found += f"\ndesign: {words.percent(said)}"
    name = claim.requirement if claim.binding else f"{claim.requirement}\nreported, not asked for"
    verdict = words.verdict_word(claim.verdict)
    stretch = claim.failing_chainages[0] if claim.failing_chainages else None
    if stretch is None and claim.witness is not None and math.isfinite(claim.witness.s):
        stretch = (claim.witness.s, claim.witness.s)
    return Row(
        (
            verdict,
            f"{name}\n{claim.detail}" if claim.detail else name,
            asked_sentence(claim, requirement),
            found,
            words.plural(claim.cells, *claim.judged_on),
            _witness(claim),
            words.stretches(claim.failing_chainages, MOST_STRETCHES) or words.EMPTY,
            str(methods.index(claim.method) + 1) if claim.method else words.EMPTY,
        ),
        kind=claim.verdict,
        stretch=stretch,
    )


def asked_sentence(claim: Claim, requirement: Requirement | None) -> str:
    """What a claim asks, in words."""
    place = claim.where.replace("_", " ")
    if claim.unit != "share":
        sign = "≤" if claim.kind == "light_limit" else "≥"
        target = words.claim_figure(claim.target, claim.unit)
        return f"{sign}\u00a0{target}; {place}; {claim.condition}"
    share = f"on {words.percent(claim.target)} of {place}"
    if claim.kind not in ("coverage", "loss"):
        return f"{KIND_WORDS[claim.kind]} {share}"
    lost = "; whichever one mount is lost" if claim.kind == "loss" else ""
    if requirement is None:
        return f"{share}; {claim.condition}{lost}"
    views = (
        "1 view" if requirement.views == 1 else f"{requirement.views} views from different mounts"
    )
    quality = f" ({requirement.quality})" if requirement.quality else ""
    times = (
        "" if requirement.time_share >= 1 else f", {words.percent(requirement.time_share)} of time"
    )
    return (
        f"{views} at ≥\u00a0{requirement.px_per_m:g}\u00a0px/m{quality} {share}; "
        f"target {requirement.target_height_m:g}\u00a0m; {claim.condition}{times}{lost}"
    )


KIND_WORDS = {
    "no_watch": "not watched",
    "exclusion": "nothing stands",
    "capacity": "no structure overloaded",
}


def _witness(claim: Claim) -> str:
    if claim.witness is None:
        return words.EMPTY
    # A claim on a share may hold although some cell misses it: that one is its witness then.
    tightest = claim.verdict == "holds" and not claim.failing_chainages
    head = "tightest: " if tightest else ""
    return f"{head}{words.place(claim.witness.s, claim.witness.t)}\n{claim.witness.why}".rstrip()


def aiming_table(
    plan: Plan,
    features: Features,
    catalogue: Catalogue | None,
    sun: Mapping[str, float] | None = None,
) -> Table:
    """Every mount and its devices with aim, field and reach at each density asked.

    ``sun``: hours a year of sun in the lens by device; without it there is no such column.
    """
    fields = {field.device_id: field for field in features.fields}
    columns = (
        Column("Device", width=0.85),
        Column("Model", width=3.3),
        Column("Bearing", numeric=True),
        Column("Tilt down", numeric=True),
        Column("Focal length", numeric=True, width=1.15),
        Column("Field h\u00a0×\u00a0v", numeric=True, width=1.35),
        Column("Blind ground", numeric=True, width=1.1),
        *(
            Column(f"Reach at {px:g}\u00a0px/\u2060m", numeric=True, width=1.15)
            for px in features.asked_px_per_m
        ),
        *([] if sun is None else [Column("Sun in lens, h/\u2060year", numeric=True, width=1.05)]),
        Column(f"Cost, {plan.currency}", numeric=True, width=1.05),
    )
    groups = dict(iter(plan.devices.groupby("mount_id", sort=True)))
    mounts = plan.mounts.sort_values(["s", "mount_id"])
    rows: list[Row] = []
    for mount in mounts.itertuples(name="Mount"):
        rows.append(_mount_row(mount, plan, catalogue))
        devices = groups.get(mount.mount_id)
        if devices is not None:
            rows += [
                _device_row(device, fields[str(device.device_id)], features, catalogue, sun)
                for device in devices.sort_values("device_id").itertuples(name="Device")
            ]
    return Table(
        "mounts",
        "Mounts and devices: aiming table",
        columns,
        tuple(rows),
        "Bearings run clockwise from grid north. The blind ground is the distance on level ground "
        "within which a standing person is not wholly in the picture. Reach is the distance at "
        "which the density is met on the optical axis, or the device's own limit."
        + ("" if sun is None else SUN_NOTE),
    )


def _mount_row(mount: tuple, plan: Plan, catalogue: Catalogue | None) -> Row:
    structure = str(mount.structure)
    if catalogue is not None and structure in catalogue.structures:
        structure = catalogue.structures[structure].name
    parts = [
        structure,
        f"devices {mount.height_m:g}\u00a0m above ground",
        words.place(float(mount.s), float(mount.t)),
        f"E\u00a0{mount.geometry.x:.1f}, N\u00a0{mount.geometry.y:.1f}",
        f"ground {words.metres(float(mount.ground_z), 1)}",
        words.money(float(mount.cost), plan.currency),
    ]
    if mount.existing:
        parts.append("stands already")
    return Row(
        (label_of(str(mount.mount_id), str(mount.name)), " · ".join(parts)),
        key=f"mount-{mount.mount_id}",
        kind="group",
        stretch=(float(mount.s), float(mount.s)) if math.isfinite(float(mount.s)) else None,
    )


def _device_row(
    device: tuple,
    field: Field,
    features: Features,
    catalogue: Catalogue | None,
    sun: Mapping[str, float] | None,
) -> Row:
    model = str(device.model)
    person = device.kind == "observer"
    all_round = device.kind in ("observer", "ptz")
    if catalogue is not None and model in catalogue.devices:
        model = catalogue.devices[model].name
    reaches = [words.metres(reach) for reach in field.reaches_m]
    reaches = reaches or [words.EMPTY] * len(features.asked_px_per_m)
    width = f"{words.number(field.hfov_deg)}° × {words.number(float(device.vfov_deg))}°"
    return Row(
        (
            str(device.device_id),
            model,
            "all round" if all_round else words.bearing(float(device.azimuth_deg)),
            words.EMPTY if all_round else words.degrees(float(device.tilt_deg), 1),
            words.EMPTY if person else words.quantity(float(device.focal_mm), "mm", 1),
            width,
            words.EMPTY if all_round else words.metres(field.near_m),
            *reaches,
            *([] if sun is None else [words.number(sun.get(str(device.device_id)))]),
            words.number(float(device.cost)),
        )
    )


def quantities_table(plan: Plan, catalogue: Catalogue | None) -> Table:
    """Bill of quantities: structures, connections, devices, and the total."""
    rows = [*_structure_rows(plan, catalogue), *_device_rows(plan, catalogue)]
    total = float(plan.mounts["cost"].sum() + plan.devices["cost"].sum())
    lines = [
        Row((item, words.number(count), _unit_price(amount, count), words.number(amount)))
        for item, count, amount in rows
    ]
    lines.append(Row(("Total", "", "", words.number(total)), kind="total"))
    power = None
    if catalogue is not None:
        known = [
            catalogue.devices[m].power_w for m in plan.devices["model"] if m in catalogue.devices
        ]
        power = float(sum(known))
    note = (
        "" if power is None else f"Electrical power of all devices: {words.quantity(power, 'W')}."
    )
    return Table(
        "quantities",
        "Bill of quantities",
        (
            Column("Item", width=4.0),
            Column("Count", numeric=True),
            Column(f"Unit price, {plan.currency}", numeric=True, width=1.6),
            Column(f"Amount, {plan.currency}", numeric=True, width=1.6),
        ),
        tuple(lines),
        note,
    )


def _unit_price(amount: float, count: int) -> str:
    return words.number(amount / count) if count else words.EMPTY


def _structure_rows(plan: Plan, catalogue: Catalogue | None) -> list[tuple[str, int, float]]:
    """Structures at their price; what mounts cost besides is connections and trenches."""
    rows: list[tuple[str, int, float]] = []
    connected, rest = 0, 0.0
    old = plan.mounts["existing"].astype(bool)
    for key, group in plan.mounts[~old].groupby("structure", sort=True):
        known = catalogue.structures.get(str(key)) if catalogue is not None else None
        amount, count = float(group["cost"].sum()), len(group)
        if known is not None and known.price * count <= amount + 0.5:
            rows.append((known.name, count, known.price * count))
            connected += count
            rest += amount - known.price * count
        else:
            rows.append((f"{key} with connection", count, amount))
    if rest > 0.5:
        rows.append(("Connections and trenches of new mounts", connected, rest))
    if old.any():
        amount = float(plan.mounts.loc[old, "cost"].sum())
        rows.append(("Mounts that stand already, reused", int(old.sum()), amount))
    return rows


def _device_rows(plan: Plan, catalogue: Catalogue | None) -> list[tuple[str, int, float]]:
    rows = []
    for key, group in plan.devices.groupby("model", sort=True):
        known = catalogue.devices.get(str(key)) if catalogue is not None else None
        name = known.name if known is not None else str(key)
        rows.append((name, len(group), float(group["cost"].sum())))
    return rows


def inputs_table(plan: Plan, proof: Proof, site: Site | None, terrain: Terrain | None) -> Table:
    """Hashes of everything that the report was made from."""
    artefacts = {"site": site, "terrain": terrain, "plan": plan, "proof": proof}
    users: dict[tuple[str, str], list[str]] = {}
    for name, artefact in artefacts.items():
        if artefact is not None:
            for thing, digest in sorted(artefact.provenance.inputs.items()):
                users.setdefault((thing, digest), []).append(name)
    users.setdefault(("plan", proof.plan_sha256), []).append("proof")
    rows = [
        Row((thing, ", ".join(dict.fromkeys(names)), digest))
        for (thing, digest), names in users.items()
    ]
    return Table(
        "inputs",
        "Inputs by their SHA-256",
        (Column("Input", width=1.5), Column("Used by", width=1.4), Column("SHA-256", width=3.5)),
        tuple(rows),
    )


def log_points(plan: Plan) -> pd.DataFrame:
    """The search's log as columns ``seconds, cost, bound``, without points that are not finite."""
    points = np.array(plan.log, dtype=np.float64).reshape(-1, 3)
    points = points[np.isfinite(points[:, 0])]
    return pd.DataFrame(points, columns=["seconds", "cost", "bound"])
