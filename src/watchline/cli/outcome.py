"""The end of ``plan`` and ``prove``: a short table for people, an object for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from watchline.cli.screen import Screen

if TYPE_CHECKING:
    from watchline.chain.outcome import Outcome
    from watchline.model.lighting import Lighting
    from watchline.model.proof import Claim
    from watchline.model.ways import Way

MARKS = {"holds": "✓ holds", "fails": "✗ FAILS", "unknown": "? unknown"}


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """The outcome as plain data."""
    from watchline.io.certificate import CERTIFICATE_FILE

    plan, proof = outcome.plan, outcome.proof
    certificate = outcome.folder / CERTIFICATE_FILE
    return {
        "project": outcome.site.name,
        "plan": str(outcome.folder / "plan.gpkg"),
        "cost": plan.cost,
        "currency": plan.currency,
        "lower_bound": plan.lower_bound,
        "all_aims_bound": plan.all_aims_bound,
        "gap": plan.gap,
        "status": plan.status,
        "mounts": len(plan.mounts),
        "devices": len(plan.devices),
        "holds": proof.holds,
        "conditions": condition_data(outcome),
        "claims": [claim_data(claim) for claim in proof.claims],
        "folder": str(outcome.folder),
        "report": str(outcome.report),
        "certificate": str(certificate) if certificate.is_file() else None,
        "lights": None if plan.lighting is None else lights_data(plan.lighting),
        "ways": [way_data(way) for way in outcome.ways],
        "notes": list(plan.notes),
    }


def lights_data(lighting: Lighting) -> dict[str, Any]:
    """Lights as plain data; their cost is not in the plan's."""
    return {
        "poles": len(lighting.poles),
        "lights": len(lighting.lights),
        "power_w": float(lighting.lights["power_w"].sum()),
        "cost": lighting.cost,
        "lower_bound": lighting.lower_bound,
        "gap": lighting.gap,
        "status": lighting.status,
        "notes": list(lighting.notes),
    }


def way_data(way: Way) -> dict[str, Any]:
    """One way to plan cameras and lights as plain data."""
    return {
        "name": way.name,
        "cost": way.cost,
        "lower_bound": way.lower_bound,
        "cameras": way.cameras,
        "cameras_lower_bound": way.cameras_bound,
        "lights": way.lights,
        "lights_lower_bound": way.lights_bound,
        "holds": way.holds,
        "taken": way.taken,
    }


def condition_data(outcome: Outcome) -> list[dict[str, Any]]:
    """The conditions that are asked for, with what the bound's prices pay for each."""
    from watchline.report.conditions import priced_conditions

    return [
        {
            "name": condition.name,
            "ambient_lx": condition.ambient_lx,
            "visibility_m": condition.visibility_m if condition.visibility_m < 1e9 else None,
            "lamps": condition.lamps,
            "air": condition.air,
            "priced": price,
        }
        for condition, price in priced_conditions(outcome.site, outcome.plan)
    ]


def claim_data(claim: Claim) -> dict[str, Any]:
    """One claim as plain data."""
    return {
        "requirement": claim.requirement,
        "kind": claim.kind,
        "where": claim.where,
        "condition": claim.condition,
        "verdict": claim.verdict,
        "value": claim.value,
        "lower": claim.lower,
        "upper": claim.upper,
        "target": claim.target,
        "binding": claim.binding,
        "cells": claim.cells,
        "failing_chainages_m": [list(stretch) for stretch in claim.failing_chainages],
        "unit": claim.unit,
        "detail": claim.detail,
    }


def show_outcome(screen: Screen, outcome: Outcome) -> None:
    """Draw what was placed, cost, bound, gap, the claims, and where the report is."""
    if screen.as_json:
        screen.data(outcome_data(outcome))
        return
    # Loaded late: the report's libraries are heavy, and `watchline --version` is not.
    from watchline.report.conditions import price_sentence
    from watchline.report.words import gap_percent

    plan = outcome.plan
    screen.table(_placed(outcome))
    screen.table(claims_table(outcome.proof.claims))
    if plan.status == "budget":
        screen.line(f"Cost {plan.cost:,.0f} {plan.currency}, within the budget.")
        for note in plan.notes:
            screen.line(note)
    elif plan.lower_bound is not None:
        screen.line(
            f"Cost {plan.cost:,.0f} {plan.currency}; no plan of the same candidates costs less "
            f"than {plan.lower_bound:,.0f} (gap {gap_percent(plan.gap)})."
        )
        if plan.all_aims_bound is not None:
            screen.line(f"With any other aims of these devices: {plan.all_aims_bound:,.0f}.")
    else:
        screen.line(f"Cost {plan.cost:,.0f} {plan.currency}; an edited plan has no bound.")
    if plan.lighting is not None:
        screen.line(lights_line(plan.lighting, plan.currency))
    if outcome.ways:
        from watchline.chain.together import ways_sentence

        screen.line(ways_sentence(outcome.ways, plan.currency))
    if plan.status == "interrupted":
        screen.line(plan.notes[0])
    if len(outcome.site.conditions) > 1:
        screen.line(price_sentence(outcome.site, plan))
    held = sum(c.verdict == "holds" for c in outcome.proof.claims if c.binding)
    total = sum(c.binding for c in outcome.proof.claims)
    screen.line(f"{held} of {total} binding claims hold in the independent proof.")
    screen.line(f"Report: {outcome.report}")


def lights_line(lighting: Lighting, currency: str) -> str:
    """What the lights are and cost, in a sentence."""
    from watchline.report.words import gap_percent

    power = float(lighting.lights["power_w"].sum()) / 1000.0
    said = (
        f"Lights: {len(lighting.lights):,} on {len(lighting.poles):,} poles and masts, "
        f"{power:,.1f} kW; {lighting.cost:,.0f} {currency} besides, with their energy"
    )
    if lighting.lower_bound is None:
        return said + "; edited lights have no bound."
    return (
        f"{said}; no choice of the same places, lights and aims costs less than "
        f"{lighting.lower_bound:,.0f} (gap {gap_percent(lighting.gap)})."
    )


def _placed(outcome: Outcome) -> Table:
    plan, catalogue = outcome.plan, outcome.site.catalogue
    table = Table(title=f"{outcome.site.name}: what is placed", title_justify="left")
    table.add_column("what")
    table.add_column("number", justify="right")
    table.add_column(f"cost ({plan.currency})", justify="right")
    for key, group in plan.mounts.groupby("structure", sort=True):
        structure = catalogue.structures.get(str(key))
        table.add_row(
            structure.name if structure else str(key),
            f"{len(group)}",
            f"{group['cost'].sum():,.0f}",
        )
    table.add_section()
    for key, group in plan.devices.groupby("model", sort=True):
        device = catalogue.devices.get(str(key))
        table.add_row(
            device.name if device else str(key), f"{len(group)}", f"{group['cost'].sum():,.0f}"
        )
    table.add_section()
    table.add_row("all", f"{len(plan.mounts) + len(plan.devices)}", f"{plan.cost:,.0f}")
    return table


def claims_table(claims: tuple[Claim, ...]) -> Table:
    """Claims as a table for the screen."""
    from watchline.report.words import claim_figure

    table = Table(title="Claims, judged by the independent proof", title_justify="left")
    table.add_column("claim")
    table.add_column("verdict")
    table.add_column("reached", justify="right")
    table.add_column("asked", justify="right")
    table.add_column("where it fails")
    for claim in claims:
        places = ", ".join(f"{a:.0f}–{b:.0f} m" for a, b in claim.failing_chainages[:3])
        if len(claim.failing_chainages) > 3:
            places += f" and {len(claim.failing_chainages) - 3} more"
        verdict = MARKS[claim.verdict] if claim.binding else "· reported"
        asked = claim_figure(claim.target, claim.unit) if claim.binding else "–"
        table.add_row(
            claim.requirement, verdict, claim_figure(claim.value, claim.unit), asked, places
        )
    return table
