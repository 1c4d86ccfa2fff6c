"""``watchline resilience``: what a plan leaves when things fail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from watchline.cli.screen import JSON_OPTION, QUIET_OPTION, Screen

if TYPE_CHECKING:
    from watchline.model.resilience import ElementLoss, Resilience

WORST_LOSSES = 10
MOST_CAUSES = 6


def resilience(
    project: Path = typer.Argument(help="Project folder with a plan."),
    plan: Path = typer.Option(
        None, "--plan", help="Plan file (GeoPackage); by default that of the project's run."
    ),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Judge every single loss, every pair of losses, and how often stretches are not seen.

    Reads [resilience], [[feeders]], [[trunks]] and [[patrols]] in project.toml; writes a schedule
    for a day of every patrol. Exit code 0: done, whatever
    was found; 3: bad input.
    """
    from watchline.chain.resilience import judge_resilience
    from watchline.io.resilience import resilience_data

    with Screen(as_json=as_json, quiet=quiet) as screen:
        screen.step("site")
        found = judge_resilience(project, plan, screen)
    if as_json:
        screen.data(
            resilience_data(found.resilience) | {"files": [str(file) for file in found.files]}
        )
    else:
        _show(screen, found.resilience)
        screen.line(f"Report: {found.files[-1]}")


def _show(screen: Screen, found: Resilience) -> None:
    table = Table(title=f"Worst of {found.elements} single losses", title_justify="left")
    table.add_column("lost", no_wrap=True)
    for name in ("devices", "m² lost", "least share", "fail"):
        table.add_column(name, justify="right")
    for loss in found.losses[:WORST_LOSSES]:
        _row(table, loss)
    screen.table(table)
    if found.worst_pair is not None and found.worst is not None:
        pair = found.worst_pair
        names = " and ".join(element.label for element in pair.elements)
        screen.line(
            f"Worst of all {found.pairs:,} pairs: {names}: {pair.lost_m2:,.0f} m² lost, "
            f"{found.worst.lost_m2:,.0f} by the worst single loss."
        )
    holding = sum(all(kept.holds for kept in loss.kept) for loss in found.losses)
    screen.line(
        f"Every binding requirement still holds after {holding} of {found.elements} single losses."
    )
    for mend in found.mends:
        screen.line(
            f"Mend of {mend.element}: {mend.what} for {mend.cost:,.0f} {found.currency} "
            f"({mend.how}): its loss then costs {mend.lost_m2:,.0f} m², "
            f"not {mend.before_m2:,.0f}."
        )
    weakest = found.weakest
    if weakest is not None and weakest.unseen > 0:
        screen.line(
            f"Least sure: s = {weakest.start_m:.0f}–{weakest.end_m:.0f} m, '{weakest.requirement}':"
            f" not seen whole {weakest.unseen:.2%} of the time; {len(weakest.single)} events do it "
            f"alone, {weakest.pair_count} pairs."
        )
        causes = ", ".join(f"{name} {share:.0%}" for name, share in found.causes[:MOST_CAUSES])
        screen.line(f"It would be less by: {causes}.")
    for patrol in found.patrols:
        screen.line(
            f"{patrol.name}: the quickest crossing beside it takes {patrol.attack_s:.0f} s, "
            f"a round {2 * (patrol.places - 1) * patrol.tick_s:.0f} s. The schedule catches "
            f"{patrol.caught:.3f} ± {patrol.error:.3f} at its worst place; the game's yardstick is "
            f"{patrol.value:.3f}, and no patrol catches more than {patrol.bound:.3f} there."
        )
        screen.line(
            f"Who sees it pass and waits for the best moment is caught with {patrol.watched:.3f}; "
            f"the commonest time of return comes with {patrol.guess:.0%} "
            f"({patrol.entropy_bits:.1f} bits)."
        )
    for note in found.notes:
        screen.line(f"Note: {note}")


def _row(table: Table, loss: ElementLoss) -> None:
    failing = sum(not kept.holds for kept in loss.kept)
    table.add_row(
        loss.elements[0].label,
        str(loss.devices),
        f"{loss.lost_m2:,.0f}",
        f"{min((kept.share for kept in loss.kept), default=1.0):.2%}",
        f"{failing} of {len(loss.kept)}",
    )
