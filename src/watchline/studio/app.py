"""The studio's application: routes, page, guard and errors put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from watchline.studio import routes_plans, routes_project, routes_runs, routes_tiles
from watchline.studio.faults import answer_faults
from watchline.studio.guard import Guard, Rules
from watchline.studio.studio import Studio
from watchline.version import __version__

PAGE = Path(__file__).parent / "page"
"""The page as it was built; ``npm run build`` in ``web/`` writes it."""
NO_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>watchline studio</title>
<h1>The studio's page is not built</h1>
<p>The server runs, and answers under <a href="/api/project">/api</a>. Its page is built once, from
the folder <code>web/</code> of the source, with Node 20 or newer:</p>
<pre>cd web
npm ci
npm run build</pre>
<p>Then load this page again. Packages from a release hold the page already.</p></html>
"""


class _Page(StaticFiles):
    """The built page; files whose name holds a hash of their content never change."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        hashed = path.replace("\\", "/").startswith("assets/")
        age = "public, max-age=31536000, immutable" if hashed else "no-cache"
        response.headers["Cache-Control"] = age
        return response


def create_app(studio: Studio | None, rules: Rules | None = None, page: Path = PAGE) -> FastAPI:
    """The application.

    Parameters
    ----------
    studio : Studio or None
        The project that it serves; None only describes the routes.
    rules : Rules, optional
        Who may ask.
    page : Path
        Folder of the built page.
    """

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            if studio is not None:
                studio.close()

    app = FastAPI(
        title="watchline studio",
        version=__version__,
        description="A project's plan on a map, edited and judged at once.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=life,
        generate_unique_id_function=_operation,
    )
    app.state.studio = studio
    for part in (routes_project, routes_plans, routes_tiles, routes_runs):
        app.include_router(part.router)

    @app.get("/api/{path:path}", include_in_schema=False)
    def nothing(path: str) -> Response:
        raise HTTPException(404)

    if (page / "index.html").is_file():
        # Compressed on its way: a third of the bytes; tiles are PNG and would only cost time.
        files = _Page(directory=page, html=True)
        app.mount("/", GZipMiddleware(files, minimum_size=1000, compresslevel=6), name="page")
    else:

        @app.get("/", include_in_schema=False)
        def no_page() -> HTMLResponse:
            return HTMLResponse(NO_PAGE)

    answer_faults(app)
    app.add_middleware(Guard, rules=rules or Rules())
    return app


def _operation(route: APIRoute) -> str:
    """Operations go by the names of their functions."""
    return route.name
