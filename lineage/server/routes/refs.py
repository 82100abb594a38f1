"""Branches and tags: all of them, or one."""

from typing import Any, Literal

from fastapi import APIRouter, Request, Response

from lineage.errors import NotFound
from lineage.registry import Registry
from lineage.server import models, paging
from lineage.server.cache import answer
from lineage.server.routes.asked import READER, At, Name, fails
from lineage.shapes.names import name_of, names_of

router = APIRouter(tags=["refs"], dependencies=READER)


@router.get("/refs", responses=fails(400, 404, 409), response_model=models.Refs)
async def refs(request: Request, at: At = None) -> Response:
    """List branches and tags with the commits that they name."""

    def made(registry: Registry) -> dict[str, Any]:
        then = paging.at(registry, at)
        return {
            "branches": names_of(then, "heads"),
            "tags": names_of(then, "tags"),
        }

    return await answer(request, made)


@router.get("/refs/{space}/{name:path}", responses=fails(404),
            response_model=models.Ref)  # fmt: skip
async def ref(
    request: Request,
    space: Literal["heads", "tags"],
    name: Name,
) -> Response:
    """Give one branch (`heads`) or tag (`tags`)."""

    def made(registry: Registry) -> dict[str, Any]:
        target = registry.target(f"{space}/{name}")
        if target is None:
            what = {"heads": "branch", "tags": "tag"}[space]
            hint = "GET /api/v1/refs lists those that there are"
            raise NotFound(f"there is no {what} {name}", hint=hint)
        return name_of(registry, space, name, target)

    return await answer(request, made)
