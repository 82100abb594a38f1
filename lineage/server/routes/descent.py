"""Where commits come from and what came of them: trace, impact, plan, diff."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from lineage.diff import SECTIONS, Options, before, sections
from lineage.diff import diff as compare
from lineage.registry import Registry
from lineage.server import models, paging
from lineage.server.cache import Given, answer, encoded
from lineage.server.paging import MOST, Limit
from lineage.server.routes.asked import LONGEST, READER, REVISION, At, Revision
from lineage.shapes.diff import diffed
from lineage.shapes.impact import reached
from lineage.shapes.plan import planned
from lineage.shapes.trace import traced
from lineage.store.objects import is_id

router = APIRouter(tags=["descent"], dependencies=READER)

Side = Annotated[str, Query(min_length=1, max_length=LONGEST)]


@router.get(
    "/commits/{revision:path}/trace", responses=REVISION, response_model=models.Trace
)
async def trace(request: Request, revision: Revision, at: At = None) -> Response:
    """Say what a commit is made of: how much of it people and machines wrote."""
    from lineage.descent.trace import trace as ask

    def made(registry: Registry) -> Given:
        then = paging.at(registry, at)
        found = encoded(traced(then, ask(then, revision)))
        return Given(found, lasting=is_id(revision) and at is None)

    return await answer(request, made)


@router.get(
    "/commits/{revision:path}/impact", responses=REVISION, response_model=models.Impact
)
async def impact(
    request: Request,
    revision: Revision,
    unit: Annotated[
        Literal["records", "tokens"], Query(description="What shares are counted in.")
    ] = "records",
    limit: Limit = MOST,
    at: At = None,
) -> Response:
    """Say what came of a commit, and with what dose."""
    from lineage.descent.impact import impact as ask

    def made(registry: Registry) -> dict[str, Any]:
        then = paging.at(registry, at)
        found = ask(then, then.resolve(revision), unit=unit, limit=limit)
        return reached(then, found, limit)

    return await answer(request, made)


@router.get(
    "/commits/{revision:path}/plan", responses=REVISION, response_model=models.Plan
)
async def plan(
    request: Request, revision: Revision, limit: Limit = MOST, at: At = None
) -> Response:
    """Say what to make again, in order, once a commit is replaced."""
    from lineage.descent.plan import plan as ask

    def made(registry: Registry) -> dict[str, Any]:
        then = paging.at(registry, at)
        return planned(then, ask(then, then.resolve(revision), limit=limit))

    return await answer(request, made)


@router.get(
    "/diff",
    responses=REVISION,
    response_model=models.Diff,
)
async def diff(
    request: Request,
    *,
    b: Annotated[Side, Query(description="The newer commit.")] = "HEAD",
    a: Annotated[
        Side | None,
        Query(description="The older one; by default the one before on its branch."),
    ] = None,
    only: Annotated[
        str | None,
        Query(
            description=f"Some of {', '.join(SECTIONS)}, with commas between.",
            max_length=100,
            examples=["metrics,params"],
        ),
    ] = None,
    key: Annotated[
        list[str], Query(max_length=16, description="Columns that name a record.")
    ] = [],  # noqa: B006 - FastAPI copies it
    at: At = None,
) -> Response:
    """Say what changed between two commits."""
    names = sections(only or None)

    def made(registry: Registry) -> dict[str, Any]:
        then = paging.at(registry, at)
        older = before(then, b) if a is None else a
        found = compare(then, older, b, names, options=Options(key=tuple(key)))
        return diffed(found, names)

    return await answer(request, made)
