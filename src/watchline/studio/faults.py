"""Errors as the studio answers them: one table from exception to HTTP status, one JSON shape."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from watchline.errors import (
    ArtefactError,
    InfeasibleError,
    ManyFaults,
    PlanError,
    ProjectError,
    UsageError,
    WatchlineError,
)
from watchline.studio.answers import Fault
from watchline.studio.edit_answers import Conflict


class NotThere(WatchlineError):
    """What is asked for does not exist."""


class NotAllowed(WatchlineError):
    """The request comes from where it may not, or without the token."""


class NotKnown(NotAllowed):
    """The request carries no valid token."""


class TooLarge(WatchlineError):
    """What was sent is larger than is taken."""


class WrongKind(WatchlineError):
    """What was sent is of another kind than is taken."""


class Busy(WatchlineError):
    """One run at a time."""


class NothingToUndo(WatchlineError):
    """There is no edit to take back, or to make again."""


class RevisionConflict(WatchlineError):
    """The plan was edited meanwhile; carries what stands."""

    def __init__(self, conflict: Conflict) -> None:
        self.conflict = conflict
        super().__init__(conflict.what, where=conflict.where, mend=conflict.mend)


STATUS: tuple[tuple[type[WatchlineError], int], ...] = (
    (NotKnown, 401),
    (NotAllowed, 403),
    (NotThere, 404),
    (RevisionConflict, 409),
    (Busy, 409),
    (NothingToUndo, 409),
    (TooLarge, 413),
    (WrongKind, 415),
    (PlanError, 422),
    (UsageError, 422),
    (InfeasibleError, 422),
    (ProjectError, 422),
    (ArtefactError, 507),
)
"""The first class that fits says the status; any other error of the program is a 500."""
WORDS = {
    404: ("there is nothing at this address", "look at the addresses in /api/openapi.json"),
    405: ("this address does not take that method", "look at the methods in /api/openapi.json"),
}


def status_of(error: WatchlineError) -> int:
    """HTTP status of an error."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def fault_of(error: WatchlineError) -> Fault:
    """An error in the one shape that all answers share."""
    several = error.faults if isinstance(error, ManyFaults) else ()
    return Fault(
        what=error.what,
        where=error.where,
        mend=error.mend,
        faults=[fault_of(one) for one in several] if len(several) > 1 else [],
    )


def fault_response(error: WatchlineError) -> JSONResponse:
    """The answer to an error."""
    body: Fault = error.conflict if isinstance(error, RevisionConflict) else fault_of(error)
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, NotKnown) else None
    return JSONResponse(body.model_dump(mode="json"), status_of(error), headers)


def answer_faults(app: FastAPI) -> None:
    """Let an application answer every error in the one shape."""

    async def known(_: Request, error: Exception) -> Response:
        assert isinstance(error, WatchlineError)
        return fault_response(error)

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = [
            Fault(
                what=str(one["msg"]),
                where=".".join(str(part) for part in one["loc"]),
                mend="send what /api/openapi.json describes",
            )
            for one in error.errors()
        ]
        body = Fault(
            what="the request is not as described",
            where=faults[0].where if faults else "",
            mend=faults[0].what if faults else "",
            faults=faults,
        )
        return JSONResponse(body.model_dump(mode="json"), 422)

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        what, mend = WORDS.get(error.status_code, (str(error.detail), ""))
        return JSONResponse(
            Fault(what=what, mend=mend).model_dump(mode="json"), error.status_code, error.headers
        )

    app.add_exception_handler(WatchlineError, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
