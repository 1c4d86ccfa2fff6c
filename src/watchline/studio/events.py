"""Server-sent events: answers that come one after another on one request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from fastapi.responses import StreamingResponse

from watchline.studio.answers import Model


def event_stream(name: str, answers: AsyncIterator[Model]) -> StreamingResponse:
    """A stream of events of one name, as long as there are answers."""

    async def events() -> AsyncIterator[str]:
        async for answer in answers:
            yield f"event: {name}\ndata: {answer.model_dump_json()}\n\n"

    return StreamingResponse(
        events(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def stream_of(model: str) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of a stream of one model."""
    return {
        200: {"content": {"text/event-stream": {}}, "description": f"``data:`` lines with {model}"}
    }
