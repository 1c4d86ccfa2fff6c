"""Routes on plans: versions, edits, undo, views, cells, pictures, differences and exports."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, Path, Query, UploadFile
from fastapi.responses import FileResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from watchline.studio.answers import FeatureCollection, PlanEntry
from watchline.studio.edit_answers import EditAnswer, EditRequest
from watchline.studio.events import event_stream, stream_of
from watchline.studio.look_answers import CellAnswer, Difference, PictureInfo, SeenAnswer, Strip
from watchline.studio.needs import (
    CONFLICT,
    FAULTS,
    PNG,
    UPLOAD,
    Condition,
    PlanPath,
    Revision,
    TheStudio,
)
from watchline.studio.plan_answers import ClaimNews, NewVersion, PlanDetail, Saved

router = APIRouter(prefix="/api", tags=["plans"], responses=FAULTS)
ExportKind = Literal["gpkg", "kmz", "dxf", "glb", "xlsx", "pdf"]
STREAM = stream_of("ClaimNews")
DeviceId = Annotated[str, Path(max_length=120)]


@router.get("/plans")
def list_plans(studio: TheStudio) -> list[PlanEntry]:
    """All plans: the computed one first, then the versions beside it."""
    return studio.plans()


@router.post("/plans", status_code=201, responses=UPLOAD)
def import_plan(
    studio: TheStudio,
    file: Annotated[UploadFile, File(description="A GeoPackage, perhaps edited in QGIS.")],
    name: Annotated[str, Form(max_length=60, description="By default that of the file.")] = "",
) -> PlanDetail:
    """Import an edited GeoPackage as a new version."""
    return studio.import_plan(file.file, file.filename or "", name)


@router.get("/plans/{plan}")
def get_plan(studio: TheStudio, plan: PlanPath) -> PlanDetail:
    """A plan with mounts, devices, claims and history."""
    return studio.detail(plan)


@router.get("/plans/{plan}/claims")
def get_claims(studio: TheStudio, plan: PlanPath) -> ClaimNews:
    """The claims on a plan as they stand; those on interruption may still be judged."""
    return studio.news(plan)


@router.get("/plans/{plan}/claims/events", response_class=StreamingResponse, responses=STREAM)
async def claim_events(studio: TheStudio, plan: PlanPath) -> StreamingResponse:
    """Claims as server-sent events while some are judged in the background, until all are."""
    first = await run_in_threadpool(studio.news, plan)  # a fault now, and not in the stream
    return event_stream("claims", studio.follow_claims(first.plan))


@router.post("/plans/{plan}/copies", status_code=201, responses=CONFLICT)
def copy_plan(studio: TheStudio, plan: PlanPath, version: NewVersion) -> PlanDetail:
    """Begin a version from a plan as it stands."""
    return studio.copy(plan, version.name)


@router.post("/plans/{plan}/edits", responses=CONFLICT)
def edit_plan(
    studio: TheStudio, plan: PlanPath, request: EditRequest, revision: Revision
) -> EditAnswer:
    """Edit a plan and judge it again; an edit of the computed plan begins a version beside it."""
    return studio.edit(plan, revision, request, time.perf_counter())


@router.post("/plans/{plan}/undo", responses=CONFLICT)
def undo_edit(
    studio: TheStudio, plan: PlanPath, revision: Revision, condition: Condition = None
) -> EditAnswer:
    """Take the last edit back."""
    return studio.step(plan, revision, -1, condition, time.perf_counter())


@router.post("/plans/{plan}/redo", responses=CONFLICT)
def redo_edit(
    studio: TheStudio, plan: PlanPath, revision: Revision, condition: Condition = None
) -> EditAnswer:
    """Make an edit again that was taken back."""
    return studio.step(plan, revision, +1, condition, time.perf_counter())


@router.post("/plans/{plan}/save")
def save_plan(studio: TheStudio, plan: PlanPath) -> Saved:
    """Write a version as ``plans/<name>.gpkg``, which `watchline prove` reads."""
    return studio.save(plan)


@router.get("/plans/{plan}/cones")
def get_cones(studio: TheStudio, plan: PlanPath) -> FeatureCollection:
    """Fields of view of all devices on flat ground, as in the plan's GeoPackage."""
    return studio.cones(plan)


@router.get("/plans/{plan}/mounts")
def get_mounts(studio: TheStudio, plan: PlanPath) -> FeatureCollection:
    """Mounts and devices as points."""
    return studio.points(plan)


@router.get("/plans/{plan}/strip")
def get_strip(
    studio: TheStudio,
    plan: PlanPath,
    condition: Condition = None,
    bin_m: Annotated[float, Query(ge=5, le=5000)] = 100.0,
) -> Strip:
    """Views and shares by chainage under one condition."""
    return studio.strip(plan, condition, bin_m)


@router.get("/plans/{plan}/cell")
def get_cell(
    studio: TheStudio,
    plan: PlanPath,
    lon: Annotated[float, Query(ge=-180, le=180)],
    lat: Annotated[float, Query(ge=-90, le=90)],
    condition: Condition = None,
    device: Annotated[
        str | None, Query(max_length=120, description="Whose sight line is drawn.")
    ] = None,
    requirement: Annotated[
        str | None,
        Query(max_length=200, description="Whose demands; by default the hardest for the cell."),
    ] = None,
) -> CellAnswer:
    """Who sees a cell, and who does not and why, with a sight line's profile."""
    return studio.cell(plan, lon, lat, condition, device, requirement)


@router.get("/plans/{plan}/devices/{device}/seen")
def get_seen(
    studio: TheStudio, plan: PlanPath, device: DeviceId, condition: Condition = None
) -> SeenAnswer:
    """Ground that a device sees under a condition."""
    return studio.seen(plan, device, condition)


@router.get("/plans/{plan}/devices/{device}/picture")
def get_picture_info(
    studio: TheStudio, plan: PlanPath, device: DeviceId, condition: Condition = None
) -> PictureInfo:
    """What a device's picture shows: its size and its rings of pixel density."""
    return studio.picture_info(plan, device, condition)


@router.get("/plans/{plan}/devices/{device}/picture.png", response_class=Response, responses=PNG)
def get_picture(
    studio: TheStudio,
    plan: PlanPath,
    device: DeviceId,
    condition: Condition = None,
    rings: bool = True,
    width: Annotated[int, Query(ge=160, le=1920)] = 960,
) -> Response:
    """The terrain as a device sees it, with line, zone and rings of pixel density."""
    content = studio.picture(plan, device, condition, rings, width)
    return Response(content, media_type="image/png", headers={"Cache-Control": "no-cache"})


@router.get("/plans/{plan}/diff/{other}")
def get_difference(studio: TheStudio, plan: PlanPath, other: PlanPath) -> Difference:
    """What changed from one plan to another, as `watchline diff` says it."""
    return studio.difference(plan, other)


@router.get(
    "/plans/{plan}/export/{kind}",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def export_plan(studio: TheStudio, plan: PlanPath, kind: ExportKind) -> Response:
    """The plan as a file: GeoPackage, KMZ, DXF, glTF of the site, XLSX or PDF."""
    name, media, content = studio.export(plan, kind)
    return Response(
        content,
        media_type=media,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
