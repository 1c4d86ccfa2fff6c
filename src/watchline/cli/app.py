"""The application: every verb, and how errors leave it."""

from __future__ import annotations

import sys

import typer

from watchline.cli import (
    catalogue,
    certificate,
    check,
    diff,
    doctor,
    easi,
    export,
    init,
    light,
    paths,
    plan,
    prove,
    report,
    resilience,
    schema,
    see,
    studio,
    why,
)
from watchline.errors import WatchlineError
from watchline.version import __version__

INTERRUPTED = 130

app = typer.Typer(
    name="watchline",
    help="Design, prove and report the guard system of a long thin place.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("init")(init.init)
app.command("check")(check.check)
app.command("plan")(plan.plan)
app.command("prove")(prove.prove)
app.command("why")(why.why)
app.command("certificate")(certificate.certificate)
app.command("report")(report.report)
app.command("export")(export.export)
app.command("diff")(diff.diff)
app.command("see")(see.see)
app.command("studio")(studio.studio)
app.command("paths")(paths.paths)
app.command("resilience")(resilience.resilience)
app.command("easi")(easi.easi)
app.command("catalogue")(catalogue.catalogue)
app.command("schema")(schema.schema)
app.command("doctor")(doctor.doctor)
app.add_typer(light.light)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"watchline {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Design, prove and report the guard system of a long thin place."""


def main() -> None:
    """Run the command line; a user's mistake leaves one sentence and an exit code."""
    try:
        app()
    except WatchlineError as error:
        sys.stderr.write(f"error: {error.sentence}\n")
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        sys.stderr.write("stopped: finished steps are kept; run the same command to go on.\n")
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
