"""The history of a metric along branches."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from lineage.registry import Registry
from lineage.server import models, paging
from lineage.server.cache import answer
from lineage.server.paging import Limit
from lineage.server.routes.asked import READER, REVISION, At, Name, Revsets
from lineage.shapes.metric_history import history

router = APIRouter(tags=["metrics"], dependencies=READER)


@router.get("/metrics/{name:path}", responses=REVISION, response_model=models.History)
async def metric(
    request: Request,
    name: Name,
    revset: Revsets = [],  # noqa: B006 - FastAPI copies it
    *,
    everything: Annotated[
        bool, Query(alias="all", description="Along every branch that has it.")
    ] = False,
    limit: Limit = 100,
    at: At = None,
) -> Response:
    """Give a metric along the branch of each revision, newest first.

    Branches that lack it are left out, unless all do.
    """
    from lineage.metric_history import along, tips

    def made(registry: Registry) -> dict[str, Any]:
        then = paging.at(registry, at)
        ends = tips(then, revset, everything=everything)
        found, lacking = along(then, name, ends)
        if not found:
            raise lacking[0]
        return history(name, [one.newest(limit) for one in found])

    return await answer(request, made)
