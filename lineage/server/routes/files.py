"""Files by content address: which are lacking, sending them, reading them.

A file is sent before the commit that names it, whole (``PUT``) or in pieces
(``PATCH``), and is there once its SHA-256 was seen to be its address. What was sent
and no commit took is removed after a day.
"""

import asyncio
from base64 import b64encode
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from lineage.addresses import stored
from lineage.errors import Conflict, NotAllowed
from lineage.protocol import LENGTH, OFFSET, PIECE
from lineage.server.access import Leased, needs
from lineage.server.cache import matches
from lineage.server.file_answer import file_answer
from lineage.server.incoming.given import Id
from lineage.server.problems import problem
from lineage.server.routes.asked import READER
from lineage.store.uploads import Arriving, Uploads

router = APIRouter(tags=["files"])

_CHUNK = 1 << 20  # bytes that go to the disk at once
_LARGEST = 1 << 50

_TOO_LARGE = {"description": "More came than was said, or than there may be."}
_SENT: dict[int | str, dict[str, Any]] = {
    204: {"description": "It is here, or this piece of it is."},
    400: {"description": "It cannot be sent so: `title` says why."},
    408: {"description": "It did not come whole; what came is kept."},
    413: _TOO_LARGE,
    507: {"description": "The disk is full; nothing of it was kept."},
}
_PIECE_REFUSED: dict[int | str, dict[str, Any]] = {
    409: {"description": "`Upload-Offset` says where what has come ends."},
    415: {"description": f"A piece is sent as {PIECE}."},
}
_READ: dict[int | str, dict[str, Any]] = {
    206: {"description": "A part of it."},
    304: {"description": "It is as it was."},
    400: {"description": "It cannot be asked so: `title` says why."},
    404: {"description": "It is not here; `Upload-Offset` bytes of it have come."},
    410: {"description": "Its bytes were erased."},
    416: {"description": "It is not that long."},
}


def _bytes(kind: str) -> dict[str, Any]:
    """What the description of the API says of a body of bytes."""
    schema = {"type": "string", "format": "binary"}
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema}}}}


Address = Annotated[Id, InPath(description="SHA-256 of the bytes")]


class Asked(BaseModel):
    """A file that somebody wants to send."""

    sha256: Id
    size: Annotated[int, Field(ge=0, le=_LARGEST, strict=True)]


class Lacking(Asked):
    """A file that is not here; `offset` bytes of it have come."""

    offset: int


@router.post(
    "/files/lacking",
    dependencies=[Depends(needs("write"))],
    responses={400: {"description": "It is not JSON."}, 413: _TOO_LARGE},
)
def lacking(
    asked: Annotated[list[Asked], Body(max_length=10_000)], registry: Leased
) -> list[Lacking]:
    """Give those of the files that have to be sent before a commit can name them."""
    uploads = Uploads(registry.payloads)
    away = {one.sha256: one for one in asked if not uploads.find(one.sha256)}
    for sha256 in stored(registry, away):
        del away[sha256]
    return [
        Lacking(sha256=one.sha256, size=one.size, offset=uploads.begun(one.sha256))
        for one in away.values()
    ]


@router.head(
    "/files/{sha256}",
    dependencies=READER,
    response_class=FileResponse,
    responses=_READ,
    operation_id="see_file",
)
@router.get(
    "/files/{sha256}",
    dependencies=READER,
    response_class=FileResponse,
    responses=_READ,
    operation_id="read_file",
)
def read(
    request: Request,
    sha256: Address,
    registry: Leased,
    name: Annotated[str | None, Query(max_length=255)] = None,
) -> Response:
    """Give a file's bytes, or a range of them; `name` is what to save it as."""
    if sha256 in registry.erased():
        hint = "`lineage events` says who erased them and why"
        return problem(410, f"the bytes of {sha256[:12]} were erased", hint)
    headers = {"ETag": f'"{sha256}"'}
    if matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    digest = b64encode(bytes.fromhex(sha256)).decode()
    headers["Repr-Digest"] = f"sha-256=:{digest}:"
    uploads = Uploads(registry.payloads)
    if entry := stored(registry, [sha256]).get(sha256):
        file = registry.payloads.open(entry.md5)
        return file_answer(request, file, entry.size, name or sha256, headers)
    if whole := uploads.find(sha256):
        file = whole.path.open("rb")
        return file_answer(request, file, whole.size, name or sha256, headers)
    begun = {OFFSET: str(uploads.begun(sha256))}
    hint = "POST to files/lacking tells which files have to be sent"
    return problem(404, f"no file {sha256[:12]} is here", hint, begun)


@router.put(
    "/files/{sha256}",
    dependencies=[Depends(needs("write"))],
    status_code=201,
    response_class=Response,
    responses=_SENT,
    openapi_extra=_bytes("application/octet-stream"),
)
async def send(request: Request, sha256: Address) -> Response:
    """Send a whole file; one that is here already is taken as it is."""
    length = request.headers.get("content-length", "")
    size = int(length) if length.isdecimal() else None
    uploads = await run_in_threadpool(_uploads, request, sha256)
    if uploads.find(sha256):
        return Response(status_code=204)
    arriving = await run_in_threadpool(uploads.receive, sha256, size)
    if refusal := await _take(request, arriving, _LARGEST):
        return refusal
    await run_in_threadpool(arriving.finish)
    return Response(status_code=201, headers={"Location": request.url.path})


@router.patch(
    "/files/{sha256}",
    dependencies=[Depends(needs("write"))],
    status_code=201,
    response_class=Response,
    responses={**_SENT, **_PIECE_REFUSED},
    openapi_extra=_bytes(PIECE),
)
async def go_on(
    request: Request,
    sha256: Address,
    offset: Annotated[int, Header(alias=OFFSET, ge=0, le=_LARGEST)],
    length: Annotated[int, Header(alias=LENGTH, ge=0, le=_LARGEST)],
) -> Response:
    """Send a piece of a file, from the byte on where what has come ends.

    With the byte `Upload-Length` the file is whole, and is checked.
    """
    if refusal := _misplaced(request, offset, length):
        return refusal
    uploads = await run_in_threadpool(_uploads, request, sha256)
    if uploads.find(sha256):
        return Response(status_code=204, headers={OFFSET: str(length)})
    try:
        arriving = await run_in_threadpool(uploads.resume, sha256, offset, length)
    except Conflict as error:
        begun = {OFFSET: str(uploads.begun(sha256))}
        return problem(409, str(error), error.hint, begun)
    if refusal := await _take(request, arriving, length):
        return refusal
    now = {OFFSET: str(arriving.offset)}
    if arriving.offset < length:
        arriving.stop()
        return Response(status_code=204, headers=now)
    await run_in_threadpool(arriving.finish)
    return Response(status_code=201, headers=now)


def _misplaced(request: Request, offset: int, length: int) -> Response | None:
    """What is wrong with a piece before any of it is read."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != PIECE:
        return problem(415, f"a piece of a file is sent as {PIECE}")
    if offset > length:
        return problem(400, f"{OFFSET} is more than {LENGTH}")
    return None


def _uploads(request: Request, sha256: str) -> Uploads:
    """Where to put a file, unless its bytes were erased here."""
    with request.app.state.pool.lease() as registry:
        if sha256 in registry.erased():
            hint = "`lineage events` says who erased them and why; send other bytes"
            raise NotAllowed(f"the bytes of {sha256[:12]} were erased", hint=hint)
        return Uploads(registry.payloads)


async def _take(request: Request, arriving: Arriving, length: int) -> Response | None:
    """Write down what comes, up to `length`; a response where that goes wrong.

    What has come by then is kept: whoever sent it may go on from there.
    """
    held = bytearray()
    try:
        async for came in request.stream():
            held += came
            if arriving.offset + len(held) > length:
                arriving.stop()
                return problem(413, f"more came than {LENGTH} says")
            if len(held) >= _CHUNK:
                await run_in_threadpool(arriving.write, bytes(held))
                held.clear()
        await run_in_threadpool(arriving.write, bytes(held))
    except (ClientDisconnect, HTTPException, asyncio.CancelledError):
        arriving.write(bytes(held))
        arriving.stop()
        raise
    return None
