"""The one boundary of the server: what a route raises becomes a problem, or a page."""

import re
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from lineage.errors import LineageError
from lineage.server.asgi import path_of
from lineage.server.pages.errors import shown
from lineage.server.problems import failure, of, problem

_SAID = {  # of what the framework refuses by itself
    400: ("the body cannot be read", "send JSON, in UTF-8"),
    404: ("there is nothing here", "/api/v1/openapi.json lists what there is"),
    405: ("this method is not for this", "the header Allow says which are"),
}


def install(app: FastAPI) -> None:
    """Have `app` answer with problems."""
    app.add_exception_handler(LineageError, _failed)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(ClientDisconnect, _left)
    app.add_exception_handler(Exception, _broken)


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, LineageError)
    return shown(request, of(error))


async def _malformed(request: Request, error: Exception) -> Response:
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


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title, detail = _SAID.get(error.status_code, (str(error.detail), ""))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers |= _allow(request)
    return shown(request, problem(error.status_code, title, detail, headers))


async def _left(request: Request, _: Exception) -> Response:
    return shown(request, problem(408, "the body did not come whole"))


async def _broken(request: Request, error: Exception) -> Response:
    return shown(request, failure(error))


def _allow(request: Request) -> dict[str, str]:
    """The methods that there are for a path: those of the plainest that fits."""
    paths: dict[str, Any] = request.app.openapi()["paths"]
    for template in sorted(paths, key=lambda one: one.count("{")):
        fits = re.sub(r"\\{\w+\\}", ".+", re.escape(template))
        if re.fullmatch(fits, path_of(request.scope)):
            methods = {method.upper() for method in paths[template]}
            methods |= {"HEAD"} if "GET" in methods else set()
            return {"Allow": ", ".join(sorted(methods))}
    return {}
