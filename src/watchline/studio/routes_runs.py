"""Routes on runs of the chain: one at a time, in a process of its own."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from watchline.studio.events import event_stream, stream_of
from watchline.studio.needs import BUSY, FAULTS, TheStudio
from watchline.studio.run_answers import RunInfo, RunRequest

router = APIRouter(prefix="/api", tags=["runs"], responses=FAULTS)
STREAM = stream_of("RunInfo")


@router.post("/runs", status_code=202, responses=BUSY)
def start_run(studio: TheStudio, request: RunRequest) -> RunInfo:
    """Run the chain from a noun on; what came before is taken from the cache."""
    return studio.runs.start(request)


@router.get("/runs")
def list_runs(studio: TheStudio) -> list[RunInfo]:
    """The run that goes on, or the last one; an empty list before the first."""
    return studio.runs.listed()


@router.get("/runs/current")
def get_run(studio: TheStudio) -> RunInfo:
    """The run that goes on, or the last one."""
    return studio.runs.current()


@router.delete("/runs/current")
def stop_run(studio: TheStudio) -> RunInfo:
    """Cancel the run: the best plan found so far is kept, and finished steps."""
    return studio.runs.stop()


@router.get("/runs/current/events", response_class=StreamingResponse, responses=STREAM)
async def run_events(studio: TheStudio) -> StreamingResponse:
    """Progress as server-sent events, until the run ends."""
    runs = studio.runs
    runs.current()  # a fault now, and not in the stream, where there is none
    return event_stream("run", runs.follow())
