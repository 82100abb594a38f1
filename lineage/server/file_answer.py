"""Answering with a file that is open: all of it, or a range of its bytes.

It is open, because its path may be gone before the answer is sent: others pack it
meanwhile.
"""

import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

_CHUNK = 1 << 20
_RANGE = re.compile(r"bytes=(?P<first>\d*)-(?P<last>\d*)", re.ASCII)
_TYPE = "application/octet-stream"


def file_answer(
    request: Request, file: BinaryIO, size: int, name: str, headers: Mapping[str, str]
) -> Response:
    """An answer with the `size` bytes of a file, which is closed when they are sent.

    `name` is what to save it as; `headers` have its ETag. A range is sent where one
    is asked for; several are answered with the whole file, as RFC 9110 allows.
    """
    named = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": _attached(name),
        "Content-Length": str(size),
        **headers,
    }
    part, status = _range(request, size, headers["ETag"]), 200
    if part is not None and not part:
        file.close()
        named |= {"Content-Range": f"bytes */{size}", "Content-Length": "0"}
        return Response(status_code=416, headers=named)
    if part is not None:
        status, named["Content-Length"] = 206, str(len(part))
        named["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    if request.method == "HEAD":
        file.close()
        return Response(None, status, named, _TYPE)
    wanted = range(size) if part is None else part
    return StreamingResponse(_bytes(file, wanted), status, named, _TYPE)


def _range(request: Request, size: int, etag: str) -> range | None:
    """The bytes that are asked for, None for all; it may be empty: there are none."""
    if request.headers.get("if-range", etag) != etag:
        return None
    found = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if found is None or not (found["first"] or found["last"]):
        return None
    if not found["first"]:
        return range(max(0, size - int(found["last"])), size)
    start = int(found["first"])
    last = int(found["last"] or max(start, size - 1))
    return range(start, min(last + 1, size)) if start <= last else None


def _attached(name: str) -> str:
    quoted = quote(name)
    if quoted == name:
        return f'attachment; filename="{name}"'
    return f"attachment; filename*=utf-8''{quoted}"


def _bytes(file: BinaryIO, part: range) -> Iterator[bytes]:
    left = len(part)
    with file:
        file.seek(part.start)
        while left and (data := file.read(min(_CHUNK, left))):
            left -= len(data)
            yield data
