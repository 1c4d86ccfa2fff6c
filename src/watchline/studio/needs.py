"""What routes need: the studio that they ask, names of plans, the revision that a client knows."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import Depends, Header, Path, Query, Request

from watchline.studio.answers import Fault
from watchline.studio.edit_answers import Conflict
from watchline.studio.studio import Studio

FAULTS: dict[int | str, dict[str, Any]] = {
    status: {"model": Fault, "description": words}
    for status, words in (
        (401, "No valid token"),
        (403, "Not allowed from there"),
        (404, "Not there"),
        (422, "Not as described, or refused"),
        (507, "It could not be written"),
    )
}
CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"model": Conflict | Fault, "description": "Edited meanwhile, or nothing to undo"}
}
BUSY: dict[int | str, dict[str, Any]] = {409: {"model": Fault, "description": "A run is going on"}}
UPLOAD: dict[int | str, dict[str, Any]] = {
    413: {"model": Fault, "description": "Too large"},
    415: {"model": Fault, "description": "No GeoPackage"},
}
PNG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {}}},
    304: {"description": "As the client has it"},
}


def the_studio(request: Request) -> Studio:
    """The studio of the application."""
    return cast(Studio, request.app.state.studio)


TheStudio = Annotated[Studio, Depends(the_studio)]
PlanName = Annotated[str, Query(max_length=120, description="Name of a plan.")]
PlanPath = Annotated[str, Path(max_length=120, description="Name of a plan.")]
Revision = Annotated[
    str,
    Header(alias="If-Match", max_length=120, description="Revision of the plan that was edited."),
]
Condition = Annotated[
    str | None, Query(max_length=120, description="A condition; by default the first.")
]
Tile = Annotated[int, Path(ge=0, le=2**24)]
Zoom = Annotated[int, Path(ge=0, le=24)]
