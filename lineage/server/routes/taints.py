"""Taints: what is bad, since when, why, and how far it went."""

from typing import Any

from fastapi import APIRouter, Request, Response

from lineage.registry import Registry
from lineage.server import models, paging
from lineage.server.cache import answer
from lineage.server.routes.asked import READER, At, fails
from lineage.shapes.taints import tainted

router = APIRouter(tags=["taints"], dependencies=READER)


@router.get("/taints", responses=fails(400, 404, 409), response_model=models.Taints)
async def taints(request: Request, at: At = None) -> Response:
    """List every taint, lifted ones too, the newest last.

    Where tainted records went (`in`) is not said here: `lineage taint` reads files to
    find out.
    """

    def made(registry: Registry) -> dict[str, Any]:
        found = tainted(paging.at(registry, at), {})
        return {"taints": [_plain(one) for one in found]}

    return await answer(request, made)


def _plain(one: dict[str, Any]) -> dict[str, Any]:
    del one["in"]
    return one
