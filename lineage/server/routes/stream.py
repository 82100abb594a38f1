"""Events as they happen, as server-sent events (the WHATWG's `text/event-stream`)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from lineage.errors import LineageError, NotFound
from lineage.server.access import identified
from lineage.server.routes.asked import READER, fails
from lineage.server.routes.events import event_of
from lineage.shapes.signed import Signatures

if TYPE_CHECKING:
    from lineage.server.pool import Pool

router = APIRouter(tags=["events"], dependencies=READER)
_LOOK = 0.25  # seconds between two looks at the log
_HEARTBEAT = 15  # seconds of silence
_LONGEST = 900  # seconds; who goes on has to show the token again
_AT_ONCE = 100  # events that are read in one go


@router.get(
    "/events/stream",
    responses={
        **fails(404),
        200: {
            "description": "`id` is the event's git oid, `event` its type and `data` "
            "one event of the list. A comment every 15 seconds says that all is well.",
            "content": {"text/event-stream": {}},
        },
    },
    response_class=StreamingResponse,
)
async def stream(
    request: Request,
    last_event_id: Annotated[
        str | None,
        Header(
            description="The git oid of the last event that is known: those after it "
            "come first, the oldest first. Without it, those to come.",
            pattern="^[0-9a-f]{40}$",
        ),
    ] = None,
) -> StreamingResponse:
    """Send every event as it is recorded.

    The connection ends after a quarter of an hour; clients open it again by
    themselves, with `Last-Event-ID`, and miss nothing.
    """
    pool: Pool = request.app.state.pool
    since = await run_in_threadpool(_begin, pool, last_event_id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    kind = "text/event-stream"
    return StreamingResponse(_events(request, since), headers=headers, media_type=kind)


def _begin(pool: "Pool", last: str | None) -> str | None:
    with pool.lease() as registry:
        log = registry.events_log
        if last is None:
            return log.tip()
        if not log.holds(last):
            hint = "begin again without Last-Event-ID, or with one of GET /events"
            raise NotFound(f"there is no event {last}", hint=hint)
        return last


async def _events(request: Request, since: str | None) -> AsyncIterator[bytes]:
    pool, cache = request.app.state.pool, request.app.state.cache
    clock = asyncio.get_running_loop().time
    end, spoke = clock() + _LONGEST, clock()
    yield b"retry: 1000\n\n"
    while clock() < end and not await request.is_disconnected():
        if cache.state()[0] != since:
            if not await run_in_threadpool(_may_go_on, request):
                break
            since, lines = await run_in_threadpool(_after, pool, since)
            spoke = clock()
            yield lines
        elif clock() - spoke > _HEARTBEAT:
            spoke = clock()
            yield b": still here\n\n"
        else:
            await asyncio.sleep(_LOOK)


def _may_go_on(request: Request) -> bool:
    """Whether whoever listens may still read: a token may have ended meanwhile."""
    with suppress(LineageError):
        return "read" in identified(request).scopes
    return False


def _after(pool: "Pool", since: str | None) -> tuple[str | None, bytes]:
    """The next events after `since`, and the last of them."""
    with pool.lease() as registry:
        signatures = Signatures(registry)
        found = registry.events_log.iterate(since=since, oldest_first=True)
        lines = []
        for logged in islice(found, _AT_ONCE):
            since = logged.git
            data = json.dumps(event_of(signatures, logged), ensure_ascii=False)
            lines.append(f"id: {since}\nevent: {logged.event.type}\ndata: {data}\n\n")
    return since, "".join(lines).encode()
