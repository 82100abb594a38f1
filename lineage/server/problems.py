"""Errors as RFC 9457 problems: the one boundary of the server."""

import errno
import re
from typing import TYPE_CHECKING, Any

from lineage import errors

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response
    from fastapi.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
STATUS: dict[type[errors.LineageError], int] = {
    errors.Ambiguous: 409,
    errors.Conflict: 409,
    errors.GateFailed: 422,
    errors.Lacking: 409,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Unauthenticated: 401,
    errors.UsageError: 400,
    errors.VerificationError: 422,
    errors.WaitingForReview: 409,
    errors.StoreError: 503,
}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SAID = {  # of what the framework refuses by itself
    400: ("the body cannot be read", "send JSON, in UTF-8"),
    404: ("there is nothing here", "/api/v1/openapi.json lists what there is"),
    405: ("this method is not for this", "the header Allow says which are"),
}
_PROOF = {"WWW-Authenticate": 'Bearer realm="lineage", Basic realm="lineage"'}


def problem(
    status: int,
    title: str,
    detail: str = "",
    headers: dict[str, str] | None = None,
    **more: Any,
) -> "JSONResponse":
    """A response that says what went wrong and what to do next."""
    from fastapi.responses import JSONResponse

    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    proof = _PROOF if status == 401 else {}
    given = {**proof, **(headers or {})}
    return JSONResponse({**body, **more}, status, given, media_type=MEDIA_TYPE)


def status_of(error: errors.LineageError) -> int:
    """The status of an error; a full disk is 507 wherever it showed."""
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno in _FULL:
        return 507
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def of(error: errors.LineageError) -> "JSONResponse":
    """An error as a response."""
    more: dict[str, Any] = {}
    if isinstance(error, errors.Ambiguous):
        more["candidates"] = list(error.candidates)
    if isinstance(error, errors.Moved):
        more["current"] = error.current
    if isinstance(error, errors.Lacking):
        more["lacking"] = error.files
    if error.details:
        more["details"] = list(error.details)
    wait = {"Retry-After": "1"} if isinstance(error, errors.Busy) else None
    return problem(status_of(error), str(error), error.hint, wait, **more)


def failure(error: Exception) -> "JSONResponse":
    """What nobody foresaw, as a response."""
    detail = "the server's own log says more"
    return problem(500, f"the server failed ({type(error).__name__})", detail)


def install(app: "FastAPI") -> None:
    """Have `app` answer with problems."""
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect

    from lineage.server.asgi import path_of
    from lineage.server.pages.errors import shown

    async def failed(request: "Request", error: Exception) -> "Response":
        assert isinstance(error, errors.LineageError)
        return shown(request, of(error))

    async def malformed(request: "Request", error: Exception) -> "Response":
        assert isinstance(error, RequestValidationError)
        found = [
            {"at": "/".join(map(str, one["loc"])), "is": one["msg"]}
            for one in error.errors()
        ]
        unread = any(one["type"] == "json_invalid" for one in error.errors())
        detail = f"{found[0]['at']}: {found[0]['is']}"
        status = 400 if unread else 422
        said = problem(status, "the request is malformed", detail, errors=found)
        return shown(request, said)

    async def refused(request: "Request", error: Exception) -> "Response":
        assert isinstance(error, HTTPException)
        title, detail = _SAID.get(error.status_code, (str(error.detail), ""))
        headers = dict(error.headers or {})
        if error.status_code == 405:
            methods = _allowed(app, path_of(request.scope))
            headers |= {"Allow": ", ".join(methods)} if methods else {}
        return shown(request, problem(error.status_code, title, detail, headers))

    async def left(request: "Request", _: Exception) -> "Response":
        return shown(request, problem(408, "the body did not come whole"))

    async def broken(request: "Request", error: Exception) -> "Response":
        return shown(request, failure(error))

    app.add_exception_handler(errors.LineageError, failed)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(ClientDisconnect, left)
    app.add_exception_handler(Exception, broken)


def _allowed(app: "FastAPI", path: str) -> list[str]:
    """The methods that there are for a path: those of the plainest that fits."""
    paths: dict[str, Any] = app.openapi()["paths"]
    for template in sorted(paths, key=lambda one: one.count("{")):
        if re.fullmatch(re.sub(r"\\{\w+\\}", ".+", re.escape(template)), path):
            methods = {method.upper() for method in paths[template]}
            return sorted(methods | ({"HEAD"} if "GET" in methods else set()))
    return []
