"""Events: the log in pages, and one of it in full."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from lineage import shapes
from lineage.events import Wanted, some
from lineage.moments import find_event
from lineage.registry import Registry
from lineage.server import models, paging
from lineage.server.cache import Given, answer
from lineage.server.paging import CursorText, Limit
from lineage.server.routes.asked import READER, REVISION, Text, fails
from lineage.shapes.signed import Signatures
from lineage.store.event_reading import Logged

router = APIRouter(tags=["events"], dependencies=READER)
_LOOKED = 2000  # events that one page looks at


@router.get("/events", responses=fails(400), response_model=models.Events)
async def events(
    request: Request,
    *,
    type: Annotated[
        list[str],
        Query(description="Only these types: `commit`, `review`…", max_length=32),
    ] = [],  # noqa: B006 - FastAPI copies it
    ref: Annotated[Text, Query(description="Only what moved this name.")] = None,
    author: Annotated[
        Text, Query(description="Only authors with this in their name.")
    ] = None,
    since: Annotated[Text, Query(description="Only from this date on.")] = None,
    until: Annotated[Text, Query(description="Only up to this date.")] = None,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> Response:
    """List who changed the registry, when and why, newest first.

    A page looks at 2,000 events at most: with a filter it may be short, or empty, and
    still have a `next`.
    """
    wanted = Wanted(tuple(type), ref, author, since, until)

    def page(registry: Registry) -> Given:
        start = paging.begun(registry, cursor)
        then = paging.as_of(registry, start.event)
        found, seen = some(then, wanted, limit, seen=start.seen, looked=_LOOKED)
        signatures = Signatures(then)
        rows = [event_of(signatures, logged) for logged in found]
        after = None if seen is None else paging.Cursor(start.event, seen)
        return paging.paged(request, "events", rows, after)

    return await answer(request, page)


def event_of(signatures: Signatures, logged: Logged) -> dict[str, Any]:
    """One event of a list."""
    told = {**shapes.event(logged.event.id, logged.event), **signatures.of(logged)}
    return {**told, "git": logged.git}


@router.get("/events/{event}", responses=REVISION, response_model=models.WholeEvent)
async def event(
    request: Request,
    event: Annotated[
        str,
        Path(
            description="The beginning of an event's id or git oid, 4 digits or more.",
            min_length=1,
            max_length=100,
        ),
    ],
) -> Response:
    """Give one event in full."""

    def made(registry: Registry) -> dict[str, Any]:
        found = find_event(registry, event)
        return {**shapes.whole_event(found), **Signatures(registry).of(found)}

    return await answer(request, made)
