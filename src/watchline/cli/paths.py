"""``watchline paths``: how someone would cross a plan's zone, and how often he is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from watchline.cli.screen import JSON_OPTION, QUIET_OPTION, Screen

if TYPE_CHECKING:
    from watchline.model.breach import BestPosts, Breach, FloatArray, InterruptionDesign, LossCase

WORST_LOSSES = 8


def paths(
    project: Path = typer.Argument(help="Project folder with a plan."),
    plan: Path = typer.Option(
        None, "--plan", help="Plan file (GeoPackage); by default that of the project's run."
    ),
    pairs: bool = typer.Option(
        False, "--pairs", help="Lose mounts two at a time as well: those that watch common rows."
    ),
    design: bool = typer.Option(
        False, "--design", help="Add posts and devices at least cost until what is required holds."
    ),
    posts: int = typer.Option(
        None, "--posts", min=1, help="Find the best places for so many new posts."
    ),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Find the weakest paths across a plan's zone, what each loss leaves, and where posts must be.

    Needs [[adversaries]], [detection] and [response] in project.toml. Exit code 0: the required
    probability of interruption holds and every check agrees; 1: it does not; 3: bad input.
    """
    from watchline.chain.paths import find_paths
    from watchline.io.breach import breach_data

    with Screen(as_json=as_json, quiet=quiet) as screen:
        screen.step("site")
        found = find_paths(project, plan, screen, pairs=pairs, design=design, number=posts)
    if as_json:
        screen.data(breach_data(found.breach) | {"files": [str(file) for file in found.files]})
    else:
        _show(screen, found.breach)
        screen.line(f"Report: {found.files[-1]}")
    if not found.breach.holds:
        raise typer.Exit(1)


def _show(screen: Screen, breach: Breach) -> None:
    table = Table(title="Least probability of interruption", title_justify="left")
    table.add_column("adversary")
    table.add_column("state")
    for name in ("share", "P_I", "entry km"):
        table.add_column(name, justify="right", no_wrap=True)
    for found in breach.adversaries:
        for state in found.states:
            table.add_row(
                found.adversary if state is found.states[0] else "",
                state.state,
                f"{state.probability:.1%}",
                f"{state.worst:.4f}",
                _entry(state.interruption, found.s_m),
            )
        table.add_row("", "all states", "", f"{found.worst:.4f}", _entry(found.curve, found.s_m))
        table.add_row(
            "", "each at its own entry", "", f"{found.worst_each:.4f}", "", end_section=True
        )
    screen.table(table)
    verdict = "holds" if breach.worst >= breach.required else "fails"
    screen.line(
        f"Required {breach.required:g}: {verdict} ({breach.worst:.4f} over all states, adversary "
        f"'{breach.weakest.adversary}')."
    )
    for found in breach.adversaries:
        path = found.path
        if path is None:
            continue
        point = "no detection helps"
        if path.critical >= 0:
            point = (
                f"critical detection point at s = {path.s[path.critical]:.0f} m, "
                f"{path.away_m[path.critical]:.0f} m from the line"
            )
        screen.line(
            f"{found.adversary}: in at s = {path.s[0]:.0f} m, out at s = {path.s[-1]:.0f} m, "
            f"{point}; {path.post or 'nobody'} responds."
        )
    screen.line(f"Posts: {breach.posts.sentence}.")
    if breach.best_posts is not None:
        _best_posts(screen, breach.best_posts, breach.required)
    if breach.design is not None:
        _design(screen, breach.design)
    _losses(screen, "Worst losses (normal state)", breach.losses)
    _losses(screen, "Worst losses of two mounts (normal state)", breach.pairs)
    for check in breach.checks:
        screen.line(f"{'holds' if check.holds else 'FAILS'}: {check.name}: {check.sentence}.")


def _entry(curve: FloatArray, s_m: FloatArray) -> str:
    """Kilometre of the weakest entry."""
    known = [k for k, value in enumerate(curve) if value == value]
    if not known:
        return "nowhere"
    return f"{s_m[min(known, key=lambda k: curve[k])] / 1000:.3f}"


def _best_posts(screen: Screen, best: BestPosts, required: float) -> None:
    places = ", ".join(f"{s:.0f}" for s, _, _ in best.places) or "nowhere"
    failing = " and ".join(f"{count:,}" for count in best.failing)
    posts = f"{best.number} new post{'' if best.number == 1 else 's'}"
    screen.line(
        f"Best places for {posts}: s = {places} m; in time for P_I ≥ {required:g} at "
        f"{best.served:,} of {best.exits:,} exits; entries that stay below it: "
        f"{failing}, the weakest at {best.achieved:.4f}."
    )


def _design(screen: Screen, design: InterruptionDesign) -> None:
    table = Table(title="Designed for interruption", title_justify="left")
    for name in ("", "plan", "designed"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    money = design.currency
    table.add_row(
        "mounts and devices",
        f"{design.cost_before:,.0f} {money}",
        f"{design.cost_after:,.0f} {money}",
    )
    posts = "no price" if design.posts_cost is None else f"{design.posts_cost:,.0f} {money}"
    table.add_row("new posts", "0", f"{len(design.posts)} ({posts})")
    table.add_row("least P_I", f"{design.worst_before:.4f}", f"{design.worst_after:.4f}")
    screen.table(table)
    if len(design.choices) > 1:
        screen.table(_choices(design))
    screen.line(f"{design.sentence}.")
    for check in design.checks:
        if not check.holds:
            screen.line(f"FAILS on the designed plan: {check.name}: {check.sentence}.")


def _choices(design: InterruptionDesign) -> Table:
    """Choices of posts beside what devices cost with each."""
    table = Table(title="Posts weighed against devices", title_justify="left")
    for name in ("new posts", "cost", "devices", "at least", "entries that fail"):
        table.add_column(name, justify="right")
    for choice in design.choices:
        figures = (choice.posts_cost, choice.devices_cost, choice.lower_bound)
        failing = "not designed: posts alone cost more"
        if choice.short is not None:
            failing = f"{choice.short + choice.hopeless:,}"
        table.add_row(
            f"{choice.posts}{' (taken)' if choice.taken else ''}",
            *("–" if figure is None else f"{figure:,.0f}" for figure in figures),
            failing,
        )
    return table


def _losses(screen: Screen, title: str, cases: tuple[LossCase, ...]) -> None:
    if not cases:
        return
    table = Table(title=title, title_justify="left")
    table.add_column("lost")
    table.add_column("adversary")
    for name in ("P_I left", "at km", "falls by", "at km"):
        table.add_column(name, justify="right", no_wrap=True)
    for case in cases[:WORST_LOSSES]:
        table.add_row(
            case.label,
            case.adversary,
            f"{case.worst:.4f}",
            f"{case.s_m / 1000:.2f}",
            f"{case.fall:.4f}",
            f"{case.fall_s_m / 1000:.2f}",
        )
    screen.table(table)
