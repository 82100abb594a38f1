"""The ASGI application of one registry."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

from fastapi import FastAPI
from starlette.types import Lifespan

from lineage.protocol import API
from lineage.server import boundary, openapi
from lineage.server.access_log import AccessLog
from lineage.server.answers import Answers
from lineage.server.cache import Cache
from lineage.server.compression import Compression
from lineage.server.delivery import Delivery
from lineage.server.guard import Guard
from lineage.server.heads import Heads
from lineage.server.limiting import Limiting
from lineage.server.peers import Peers
from lineage.server.pool import Pool
from lineage.server.session import Sessions
from lineage.server.settings import Settings
from lineage.server.tokens import Tokens

_ROUTES = (  # of the API, each a module with a `router`; the first that fits answers
    "checks",
    "descent",
    "commits",  # after what is below a commit
    "stream",
    "events",  # after the stream
    "files",
    "health",
    "loops",
    "measures",
    "openlineage",
    "refs",
    "reports",
    "reviews",
    "taints",
    "whoami",
    "write_commits",
    "write_events",
    "write_refs",
    "write_statements",
)
_PAGES = ("reviewing", "sign_in")  # with addresses of their own
_GITS = 8  # at once that answer git's own protocol; others wait


def create_app(root: Path, settings: Settings | None = None) -> FastAPI:
    """Make the application of the registry at `root`.

    Raises:
        NotFound: when there is none.
        UsageError: for settings that cannot be.
    """
    settings = settings or Settings()
    peers, pool = Peers(settings.proxies), Pool(root)
    with pool.lease() as registry:
        log = AccessLog(registry.home)
        app = FastAPI(
            title="lineage",
            version="1",
            lifespan=_lifespan(pool, log),
            openapi_url=f"{API}/openapi.json",
            docs_url=None,  # both pages are made of other people's scripts
            redoc_url=None,
        )
        app.state.tokens = Tokens(registry.home)
        app.state.sessions = Sessions(registry.home, app.state.tokens)
        app.state.cache = Cache(registry)
        app.state.owner = registry.actor()  # git is asked once
    app.state.pool, app.state.peers, app.state.settings = pool, peers, settings
    app.state.live = True  # pages that are written as files are not
    app.state.gits = asyncio.Semaphore(_GITS)
    boundary.install(app)
    _route(app)
    _surround(app, log)
    return app


def _lifespan(pool: Pool, log: AccessLog) -> Lifespan[FastAPI]:
    """What goes on beside the answers, and what is let go of in the end."""
    delivery = Delivery(pool)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        delivery.start()
        yield
        delivery.stop()
        pool.close()
        log.close()

    return living


def _surround(app: FastAPI, log: AccessLog) -> None:
    """Put layers around the routes: each wraps those before it."""
    state, limits = app.state, app.state.settings.limits
    app.add_middleware(Heads)
    app.add_middleware(Compression)
    app.add_middleware(Limiting, limits=limits)
    app.add_middleware(Guard, tokens=state.tokens, peers=state.peers, limits=limits)
    app.add_middleware(Answers, log=log)


def _route(app: FastAPI) -> None:
    """Give `app` all that it answers."""
    pages = import_module("lineage.server.pages.routes")
    app.include_router(pages.public)
    app.include_router(pages.router)
    for name in _PAGES:
        module = import_module(f"lineage.server.pages.{name}")
        app.include_router(module.router)
    for name in _ROUTES:
        module = import_module(f"lineage.server.routes.{name}")
        app.include_router(module.router, prefix=API)
    app.include_router(import_module("lineage.server.routes.git").router)
    openapi.install(app)
