"""Problems as pages, for those who look with a browser."""

import json
from typing import TYPE_CHECKING

from fastapi.responses import HTMLResponse, RedirectResponse

from lineage.server.asgi import path_of
from lineage.server.pages.serving import site

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.responses import Response

_FOR_PROGRAMS = ("/api/", "/git/", "/static/")


def wants_page(request: "Request") -> bool:
    """Whether whoever asks reads HTML, at an address that is not for programs."""
    reads = "text/html" in request.headers.get("accept", "")
    return reads and not path_of(request.scope).startswith(_FOR_PROGRAMS)


def shown(request: "Request", problem: "Response") -> "Response":
    """A problem as whoever asks can read it: as it is, a page, or where to sign in."""
    if not wants_page(request):
        return problem
    if problem.status_code == 401 and request.app.state.tokens:
        return RedirectResponse(_sign_in(request), 303)
    said = json.loads(bytes(problem.body))
    page = site(request).render(
        "error",
        status=problem.status_code,
        says=said["title"],
        hint=said["detail"],
        details=said.get("candidates", said.get("details", [])),
    )
    return HTMLResponse(page, problem.status_code)


def _sign_in(request: "Request") -> str:
    """Where to sign in, to come back to what `request` asked for."""
    asked = f"?{request.url.query}" if request.url.query else ""
    here = f"{request.url.path}{asked}"
    return site(request).href("sign-in", to=here if request.method == "GET" else "")
