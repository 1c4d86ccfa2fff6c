"""``watchline doctor``: is this installation fit to work?"""

from __future__ import annotations

import typer

from watchline.cli.screen import JSON_OPTION, QUIET_OPTION, Screen


def doctor(as_json: bool = JSON_OPTION, quiet: bool = QUIET_OPTION) -> None:
    """Check the installation: libraries, compiled kernels, ray caster, solver, PDF, disk.

    Exit code 0: all is well; 1: something does not work.
    """
    from watchline.chain.doctor import examine

    with Screen(as_json=as_json, quiet=quiet) as screen:
        screen.step("doctor")
        findings = examine()
    if as_json:
        screen.data([{"part": f.part, "well": f.well, "detail": f.detail} for f in findings])
    else:
        for finding in findings:
            screen.line(f"{'✓' if finding.well else '✗'} {finding.part}: {finding.detail}")
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)
