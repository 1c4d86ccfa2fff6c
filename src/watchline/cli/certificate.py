"""``watchline certificate``: is a plan's bound true?"""

from __future__ import annotations

from pathlib import Path

import typer

from watchline.cli.screen import JSON_OPTION, QUIET_OPTION, Screen


def certificate(
    file: Path = typer.Argument(help="A certificate.json, or the folder of a run that holds one."),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Check the certificate of a plan's bound in integers, with nothing of the optimiser.

    It shows cost, proven bound and gap, and what the certificate does not prove. Exit code 0: the
    bound is proven; 1: something is wrong with the certificate; 3: it cannot be read.
    """
    from dataclasses import asdict

    from rich.table import Table

    from watchline.chain.certificate import check_certificate_file
    from watchline.report.words import gap_percent

    with Screen(as_json=as_json, quiet=quiet) as screen:
        screen.step("certificate")
        checked, found = check_certificate_file(file)
    if as_json:
        screen.data(asdict(found) | {"currency": checked.currency, "round": checked.round_})
    else:
        table = Table(title="Certificate, checked in integers", title_justify="left")
        table.add_column("what")
        table.add_column("figure", justify="right")
        table.add_row(f"cost of the plan ({checked.currency})", f"{found.plan_cost:,.0f}")
        if found.covered is None:
            table.add_row(f"least cost, proven ({checked.currency})", f"{found.bound:,.0f}")
        else:
            table.add_row("rows covered", f"{found.covered:,.0f}")
            table.add_row("most rows within the budget, proven", f"{found.bound:,.0f}")
        table.add_row("gap", gap_percent(found.gap))
        if found.plan_bound is not None:
            table.add_row(f"bound in the report ({checked.currency})", f"{found.plan_bound:,.0f}")
        table.add_row("faults", f"{len(found.faults)}")
        screen.table(table)
        for fault in found.faults:
            screen.line(f"✗ {fault}")
        for note in found.notes:
            screen.line(f"- {note}")
        if found.holds:
            screen.line("✓ The certificate holds.")
    if not found.holds:
        raise typer.Exit(1)
