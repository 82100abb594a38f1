"""The ASGI application of one registry."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.server import problems
from lineage.server.pool import Pool
from lineage.server.tokens import Tokens

if TYPE_CHECKING:
    from fastapi import FastAPI

API = "/api/v1"
_ROUTES = (  # of the API, each a module with a `router`
    "commits",
    "events_in",
    "files",
    "health",
)
_GITS = 8  # at once that answer git's own protocol; others wait


def create_app(root: Path) -> "FastAPI":
    """Make the application of the registry at `root`.

    Raises:
        NotFound: when there is none.
    """
    from fastapi import FastAPI

    pool = Pool(root)
    with pool.lease() as registry:
        tokens = Tokens(registry.home)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        pool.close()

    app = FastAPI(
        title="lineage",
        version="1",
        lifespan=lifespan,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,  # both pages are made of other people's scripts
        redoc_url=None,
    )
    app.state.pool, app.state.tokens = pool, tokens
    app.state.gits = asyncio.Semaphore(_GITS)
    problems.install(app)
    pages = import_module("lineage.server.pages.routes")
    app.include_router(pages.public)
    app.include_router(pages.router)
    for name in _ROUTES:
        module = import_module(f"lineage.server.routes.{name}")
        app.include_router(module.router, prefix=API)
    app.include_router(import_module("lineage.server.routes.git").router)
    return app
