"""``watchline studio``: a project's plan in the browser, edited and judged at once."""

from __future__ import annotations

from pathlib import Path

import typer

from watchline.cli.screen import JSON_OPTION, QUIET_OPTION


def studio(
    project: Path = typer.Argument(help="Project folder or its project.toml."),
    host: str = typer.Option(
        "127.0.0.1", "--host", help="Address to bind to; by default this machine only."
    ),
    port: int = typer.Option(8765, "--port", min=0, max=65535, help="Port; 0 takes a free one."),
    no_browser: bool = typer.Option(False, "--no-browser", help="Do not open the browser."),
    token_file: Path = typer.Option(
        None, "--token-file", help="Read the token from this file, or write a new one into it."
    ),
    certificate: Path = typer.Option(None, "--certificate", help="TLS certificate (PEM)."),
    key: Path = typer.Option(None, "--key", help="Its private key (PEM)."),
    insecure: bool = typer.Option(
        False, "--insecure", help="Serve other machines without TLS: who listens in can edit."
    ),
    as_json: bool = JSON_OPTION,
    quiet: bool = QUIET_OPTION,
) -> None:
    """Open a project in the browser: see the plan, edit it, watch the proof answer.

    Serves this machine only. Another --host asks for a token, which is printed once, and for TLS
    (--certificate and --key), unless --insecure says that the network is trusted. Ctrl-C ends it;
    every edit is on the disk before it is answered.
    """
    from watchline.studio.serve import serve

    serve(
        project,
        host=host,
        port=port,
        browser=not no_browser,
        token_file=token_file,
        certificate=certificate,
        key=key,
        insecure=insecure,
        as_json=as_json,
        quiet=quiet,
    )
