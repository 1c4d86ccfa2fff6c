"""Who may ask the studio: hosts, origins, the token, sizes; and the headers of every answer.

A page in a browser of this machine could otherwise be made to read or change a project by any
site that the person visits: by a name that resolves to this machine (Host), or by a form (Origin).
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchline.errors import WatchlineError
from watchline.studio.faults import NotAllowed, NotKnown, TooLarge, fault_response

COOKIE = "watchline_token"
READS = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'self'; connect-src 'self'; worker-src 'self' blob:; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
UPLOAD_BYTES = 64 * 2**20
"""Largest plan that is taken; one of 10,000 devices has 5 MB."""
BODY_BYTES = 2**20
"""Largest body of any other request."""


@dataclass(frozen=True)
class Rules:
    """Who may ask.

    Attributes
    ----------
    host : str
        Name or address that the server is bound to.
    port : int
        Its port.
    token : str or None
        What a request must carry as cookie or bearer; None asks for none.
    secure : bool
        Whether the server speaks TLS itself.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = None
    secure: bool = False

    def allows_host(self, host: str) -> bool:
        """Whether a Host header names this machine: an address, or a name that is its own.

        Names that resolve to an address of this machine are what an attacker makes; an address
        cannot be made to resolve elsewhere.
        """
        name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
        if not port.isdigit():
            name = host
        name = name.strip("[]").lower().rstrip(".")
        if not name:
            return False
        if name in {"localhost", self.host.lower(), socket.gethostname().lower()}:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not is_loopback(self.host)

    def allows_origin(self, origin: str, host: str) -> bool:
        """Whether a page of this origin may write: only the studio's own."""
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()

    def knows(self, headers: Headers) -> bool:
        """Whether a request carries the token."""
        if self.token is None:
            return True
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        given = [bearer.strip()] if scheme.lower() == "bearer" else []
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            cookie = None
        if cookie is not None:
            given.append(cookie.value)
        return any(hmac.compare_digest(one.encode(), self.token.encode()) for one in given)


def is_loopback(host: str) -> bool:
    """Whether a host to bind to is reached from this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Guard:
    """Middleware that refuses what may not ask, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app = app
        self.rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                mutable = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    mutable.setdefault(name, value)
                if scope["path"].startswith("/api"):
                    mutable.setdefault("Cache-Control", "no-store")
            await send(message)

        refused = self._refusal(scope, headers)
        if refused is not None:
            await refused(scope, receive, answer)
            return
        most = UPLOAD_BYTES if headers.get("content-type", "").startswith("multipart/") else 0
        limited = _Limited(receive, most or BODY_BYTES)
        try:
            await self.app(scope, limited, answer)
        except TooLarge as error:
            await fault_response(error)(scope, receive, answer)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """Why a request is not taken; None where it is."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self.rules.allows_host(hosts[0]):
            return fault_response(
                NotAllowed(
                    "this server does not go by that name",
                    where=f"Host: {hosts[0] if hosts else ''}",
                    mend="open the address that the command printed",
                )
            )
        if scope["method"] not in READS and (error := self._foreign(headers, hosts[0])):
            return fault_response(error)
        if self.rules.token is not None:
            entered = self._enter(scope)
            if entered is not None:
                return entered
            if not self.rules.knows(headers):
                return self._unknown(scope)
        try:
            length = int(headers.get("content-length", "0"))
        except ValueError:
            length = 0
        if length > UPLOAD_BYTES:
            return fault_response(_too_large(UPLOAD_BYTES))
        return None

    def _foreign(self, headers: Headers, host: str) -> WatchlineError | None:
        """Whether another site's page makes the browser write here."""
        origin = headers.get("origin")
        site = headers.get("sec-fetch-site", "none")
        if origin is None and site in ("none", "same-origin"):
            return None
        if origin is not None and self.rules.allows_origin(origin, host):
            return None
        return NotAllowed(
            "a page of another site may not write here",
            where=f"Origin: {origin or site}",
            mend="use the studio's own page",
        )

    def _enter(self, scope: Scope) -> Response | None:
        """Take the token out of the address that was printed, into a cookie."""
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        given = [value for key, value in query if key == "token"]
        if scope["method"] != "GET" or not given or scope["path"].startswith("/api"):
            return None
        assert self.rules.token is not None
        if not hmac.compare_digest(given[0].encode(), self.rules.token.encode()):
            return None
        rest = urlencode([(key, value) for key, value in query if key != "token"])
        # Only the path of this very request: never an address that begins with two slashes.
        path = "/" + scope["path"].lstrip("/\\")
        answer = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
        answer.set_cookie(
            COOKIE, self.rules.token, httponly=True, samesite="strict", secure=self.rules.secure
        )
        return answer

    def _unknown(self, scope: Scope) -> Response:
        error = NotKnown(
            "this server asks for its token", mend="open the address that the command printed"
        )
        if scope["path"].startswith("/api"):
            return fault_response(error)
        return PlainTextResponse(error.sentence + "\n", 401, {"WWW-Authenticate": "Bearer"})


class _Limited:
    """Receives a body up to a size."""

    def __init__(self, receive: Receive, most: int) -> None:
        self.receive = receive
        self.most = most
        self.got = 0

    async def __call__(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.request":
            self.got += len(message.get("body", b""))
            if self.got > self.most:
                raise _too_large(self.most)
        return message


def _too_large(most: int) -> TooLarge:
    return TooLarge(
        f"what was sent is larger than {most / 2**20:.0f} MiB",
        mend="send a plan, without the layers of the coverage",
    )
