"""Git's own protocol, read only: how a mirror or a clone follows the log.

``git clone URL/git`` and `lineage.connect` speak it. The log and what it names are
there, and nothing else of the repository (see `lineage.store.upload_pack`).
"""

import asyncio
import zlib
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from anyio import CancelScope
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from lineage.errors import NotAllowed, UsageError
from lineage.server.routes.asked import READER
from lineage.store import names, upload_pack
from lineage.store.git import GitRepository
from lineage.store.git_environment import environment

if TYPE_CHECKING:
    from lineage.server.pool import Pool

_LONGEST = 16 << 20  # bytes of a request: 50 for each object that somebody has
_CHUNK = 1 << 16

router = APIRouter(prefix="/git", include_in_schema=False, dependencies=READER)


def repository(request: Request) -> GitRepository:
    """Where git is to look; nobody waits for a registry while it answers."""
    pool: Pool = request.app.state.pool
    with pool.lease() as registry:
        return registry.git


Git = Annotated[GitRepository, Depends(repository)]


@router.get(f"/{names.EVENTS}")
def tip(git: Git) -> PlainTextResponse:
    """Give the newest event's git oid: whoever has it need not ask git."""
    return PlainTextResponse(f"{git.ref(names.EVENTS)}\n")


@router.get("/info/refs")
async def info(git: Git, service: str = "") -> Response:
    """Say which refs there are."""
    if service != upload_pack.PACK:
        hint = "writers use POST /api/v1/events, or push to the repository itself"
        raise NotAllowed("here git only reads, by its smart protocol", hint=hint)
    process = await _start(upload_pack.command(git, advertise=True))
    said = upload_pack.advertisement((await process.communicate())[0])
    kind = f"application/x-{service}-advertisement"
    return Response(said, media_type=kind)


@router.post("/git-upload-pack")
async def upload(request: Request, git: Git) -> StreamingResponse:
    """Send the objects that somebody lacks."""
    asked = await _body(request)
    answer = _answer(upload_pack.command(git), asked, request.app.state.gits)
    kind = f"application/x-{upload_pack.PACK}-result"
    return StreamingResponse(answer, media_type=kind)


async def _body(request: Request) -> bytes:
    """The whole request, unpacked; no more than a client of git's could need."""
    packed = request.headers.get("content-encoding") == "gzip"
    unpack = zlib.decompressobj(31) if packed else None
    body = bytearray()
    async for chunk in request.stream():
        try:
            body += unpack.decompress(chunk, _LONGEST + 1) if unpack else chunk
        except zlib.error:
            raise UsageError("the request is not gzip, as it says") from None
        if len(body) > _LONGEST or (unpack and unpack.unconsumed_tail):
            raise UsageError("the request is longer than git's can be")
    if unpack and not unpack.eof:
        raise UsageError("the request is cut off")
    return bytes(body)


async def _start(words: list[str]) -> Process:
    return await asyncio.create_subprocess_exec(
        *words, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment()
    )


async def _answer(
    words: list[str], asked: bytes, at_once: asyncio.Semaphore
) -> AsyncIterator[bytes]:
    """What git says to a request; it ends with whoever asked."""
    async with at_once:
        process = await _start(words)
        assert process.stdout is not None
        feeding = asyncio.create_task(_feed(process, asked))
        try:
            while chunk := await process.stdout.read(_CHUNK):
                yield chunk
        finally:
            with CancelScope(shield=True):
                await _end(process, feeding)


async def _end(process: Process, feeding: asyncio.Task[None]) -> None:
    """Let go of git, which may have much left to say."""
    assert process.stdout is not None
    feeding.cancel()
    with suppress(ProcessLookupError):
        process.kill()
    await process.stdout.read()
    await process.wait()


async def _feed(process: Process, asked: bytes) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(asked)
        await process.stdin.drain()
        process.stdin.close()
