"""Serve a project: what is bound to, who may come in, and how it ends."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
import webbrowser
from pathlib import Path

import uvicorn

from watchline.errors import UsageError
from watchline.io.secret import new_token, token_from
from watchline.studio.app import create_app
from watchline.studio.guard import Rules, is_loopback
from watchline.studio.studio import Studio

PATIENCE_S = 3
"""Streams of events that are still open are cut after this, when it ends."""


def serve(
    project: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    browser: bool = True,
    token_file: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    insecure: bool = False,
    as_json: bool = False,
    quiet: bool = False,
) -> None:
    """Serve a project until it is interrupted.

    Parameters
    ----------
    project : Path
        The project's folder.
    host, port : str, int
        What to bind to; port 0 takes a free one.
    browser : bool
        Whether to open the browser.
    token_file : Path, optional
        File with the token; a new token is written where it is missing.
    certificate, key : Path, optional
        TLS files.
    insecure : bool
        Whether other machines may be served without TLS.
    as_json, quiet : bool
        Whether the address is told as JSON, and how it ends not at all.

    Raises
    ------
    UsageError
        What is asked for is not safe, or the address cannot be had.
    WatchlineError
        The project is not right, or open elsewhere.
    """
    local = is_loopback(host)
    secure = _tls(certificate, key)
    if not local and not secure and not insecure:
        raise UsageError(
            f"--host {host} serves other machines, and without TLS whoever listens in can edit",
            mend="give --certificate and --key, or --insecure where the network is trusted",
        )
    token = None if token_file is None else token_from(token_file)
    if not local and token is None:
        token = new_token()
    bound = _bind(host, port)
    with bound:
        port = bound.getsockname()[1]
        studio = Studio(project)
        try:
            rules = Rules(host=host, port=port, token=token, secure=secure)
            _tell(host, port, rules, token_file, as_json=as_json, quiet=quiet)
            studio.warm()
            config = uvicorn.Config(
                create_app(studio, rules),
                log_level="warning",
                access_log=False,
                server_header=False,
                ssl_certfile=certificate,
                ssl_keyfile=key,
                timeout_graceful_shutdown=PATIENCE_S,
            )
            server = uvicorn.Server(config)
            if browser:
                webbrowser.open(address(host, port, rules, with_token=True))
            asyncio.run(server.serve(sockets=[bound]))
        except KeyboardInterrupt:
            pass  # how it is ended
        finally:
            studio.close()


def _tls(certificate: Path | None, key: Path | None) -> bool:
    """Whether TLS is spoken; both files are tried first."""
    if (certificate is None) != (key is None):
        raise UsageError("TLS needs --certificate and --key", mend="give both")
    if certificate is None or key is None:
        return False
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as problem:
        raise UsageError(
            f"they are no certificate with its key ({problem})",
            where=f"{certificate}, {key}",
            mend="give PEM files that belong together",
        ) from problem
    return True


def _bind(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        bound = socket.socket(found[0], socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(found[4])
        bound.listen(socket.SOMAXCONN)
    except OSError as problem:
        raise UsageError(
            f"{host}:{port} cannot be had ({problem.strerror or problem})",
            mend="give another --port, or --host",
        ) from problem
    return bound


def address(host: str, port: int, rules: Rules, *, with_token: bool) -> str:
    """The address to open."""
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host
    name = f"[{name}]" if ":" in name else name
    tail = f"?token={rules.token}" if with_token and rules.token else ""
    return f"{'https' if rules.secure else 'http'}://{name}:{port}/{tail}"


def _tell(
    host: str, port: int, rules: Rules, token_file: Path | None, *, as_json: bool, quiet: bool
) -> None:
    """Say where to look; the token once, unless a file has it."""
    told = token_file is None
    where = address(host, port, rules, with_token=told)
    sys.stdout.write(f"{json.dumps({'address': where}) if as_json else f'Studio: {where}'}\n")
    sys.stdout.flush()
    if quiet:
        return
    if rules.token and not told:
        sys.stderr.write(f"The token is in {token_file}: open the address with ?token=…\n")
    sys.stderr.write("Ctrl-C ends it.\n")
