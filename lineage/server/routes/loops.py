"""Loops: how far each is, and what holds it."""

from typing import Any

from fastapi import APIRouter, Request, Response

from lineage.registry import Registry
from lineage.server import models, paging
from lineage.server.cache import answer
from lineage.server.routes.asked import READER, At, Name, fails
from lineage.shapes.loops import loop_state

router = APIRouter(tags=["loops"], dependencies=READER)


@router.get("/loops", responses=fails(400, 404, 409), response_model=models.Loops)
async def loops(request: Request, at: At = None) -> Response:
    """List every loop, as `lineage loop status` does."""
    from lineage.loop.running.overview import loops as ask

    def made(registry: Registry) -> dict[str, Any]:
        return {"loops": [loop_state(one) for one in ask(paging.at(registry, at))]}

    return await answer(request, made)


@router.get(
    "/loops/{name:path}",
    responses=fails(400, 404, 409),
    response_model=models.OneLoop,
)
async def loop(
    request: Request,
    name: Name,
    at: At = None,
) -> Response:
    """Give one loop."""
    from lineage.loop.running.overview import loops as ask

    def made(registry: Registry) -> dict[str, Any]:
        return loop_state(ask(paging.at(registry, at), name)[0])

    return await answer(request, made)
