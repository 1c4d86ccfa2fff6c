"""Tiles of the map: terrain, its shading, and views of the cells (Web Mercator, 256 pixels)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import Response

from watchline.studio.needs import FAULTS, PNG, PlanPath, TheStudio, Tile, Zoom

router = APIRouter(prefix="/api", tags=["tiles"], responses=FAULTS)
Known = Annotated[str | None, Header(alias="If-None-Match", max_length=400)]
DAY_S = 86_400


def _tile(etag: str, known: str | None, make: object, cache: str) -> Response:
    """A tile, or 304 where the client has it."""
    headers = {"ETag": etag, "Cache-Control": cache}
    if known is not None and etag in known:
        return Response(status_code=304, headers=headers)
    return Response(make(), media_type="image/png", headers=headers)  # type: ignore[operator]


@router.get("/tiles/terrain/{z}/{x}/{y}.png", response_class=Response, responses=PNG)
def terrain_tile(studio: TheStudio, z: Zoom, x: Tile, y: Tile, known: Known = None) -> Response:
    """Heights of the surface, terrarium-encoded: R * 256 + G + B / 256 - 32768 m."""
    tiles = studio.terrain_tiles()
    return _tile(
        tiles.etag("terrain"), known, lambda: tiles.terrain(z, x, y), f"private, max-age={DAY_S}"
    )


@router.get("/tiles/hillshade/{z}/{x}/{y}.png", response_class=Response, responses=PNG)
def hillshade_tile(
    studio: TheStudio,
    z: Zoom,
    x: Tile,
    y: Tile,
    known: Known = None,
    dark: Annotated[bool, Query(description="For a dark page.")] = False,
) -> Response:
    """Shaded relief, transparent outside the terrain."""
    tiles = studio.terrain_tiles()
    return _tile(
        tiles.etag(f"hillshade-{int(dark)}"),
        known,
        lambda: tiles.hillshade(z, x, y, dark=dark),
        f"private, max-age={DAY_S}",
    )


@router.get(
    "/plans/{plan}/tiles/views/{condition}/{z}/{x}/{y}.png",
    response_class=Response,
    responses=PNG,
)
def views_tile(
    studio: TheStudio,
    plan: PlanPath,
    condition: Annotated[str, Path(max_length=120)],
    z: Zoom,
    x: Tile,
    y: Tile,
    known: Known = None,
    v: Annotated[str, Query(max_length=120, description="Version, to pass caches.")] = "",
) -> Response:
    """Views of the cells that are asked for under a condition, as colours."""
    tiles = studio.views_tiles(plan, condition)
    cache = f"private, max-age={DAY_S}, immutable" if v == tiles.version else "no-cache"
    return _tile(tiles.etag, known, lambda: tiles.tile(z, x, y), cache)


@router.get(
    "/plans/{plan}/devices/{device}/tiles/seen/{condition}/{z}/{x}/{y}.png",
    response_class=Response,
    responses=PNG,
)
def seen_tile(
    studio: TheStudio,
    plan: PlanPath,
    device: Annotated[str, Path(max_length=120)],
    condition: Annotated[str, Path(max_length=120)],
    z: Zoom,
    x: Tile,
    y: Tile,
    known: Known = None,
    v: Annotated[str, Query(max_length=120, description="Version, to pass caches.")] = "",
) -> Response:
    """Ground that one device sees under a condition."""
    tiles = studio.seen_tiles(plan, device, condition)
    cache = f"private, max-age={DAY_S}, immutable" if v == tiles.version else "no-cache"
    return _tile(tiles.etag, known, lambda: tiles.tile(z, x, y), cache)


@router.get("/views-legend")
def get_legend() -> list[dict[str, str]]:
    """Colours of the views tiles, in order: fails, one view, two, three and more, unknown."""
    from watchline.studio.colours import LEGEND

    return [{"name": name, "colour": colour} for name, colour in LEGEND]
