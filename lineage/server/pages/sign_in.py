"""Signing in and out with a browser."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from lineage.errors import LineageError, NotAllowed, Unauthenticated
from lineage.server.access import identified, of_secret
from lineage.server.pages.forms import Form
from lineage.server.pages.serving import site
from lineage.server.session import COOKIE, LASTS, Sessions

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
def ask(request: Request, to: str = "") -> Response:
    """Ask for a token; whoever is known already goes on."""
    try:
        identified(request)
    except LineageError:
        return _page(request, to)
    return RedirectResponse(_inside(request, to), 303)


@router.post("/sign-in")
def begin(request: Request, form: Form) -> Response:
    """Begin the session of whoever has the token."""
    secret, to = form.get("token", "").strip(), form.get("to", "")
    try:
        of_secret(request.app.state.tokens, secret)
    except (Unauthenticated, NotAllowed) as error:
        return _page(request, to, error)
    sessions: Sessions = request.app.state.sessions
    answer = RedirectResponse(_inside(request, to), 303)
    answer.set_cookie(
        COOKIE,
        sessions.begin(secret),
        max_age=int(LASTS.total_seconds()),
        path=_path(request),
        secure="https" in (request.url.scheme, _outside(request)),
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/sign-out")
def end(request: Request) -> Response:
    """End the session."""
    sessions: Sessions = request.app.state.sessions
    sessions.end(request.cookies.get(COOKIE, ""))
    answer = RedirectResponse(site(request).href("sign-in"), 303)
    answer.delete_cookie(COOKIE, path=_path(request))
    return answer


def _page(request: Request, to: str, error: LineageError | None = None) -> Response:
    page = site(request).render("sign-in", to=to, error=error)
    return HTMLResponse(page, 401 if error else 200)


def _outside(request: Request) -> str:
    """The scheme at a proxy, as it says; nobody gains by saying ``https``."""
    return request.headers.get("x-forwarded-proto", "").partition(",")[0].strip()


def _path(request: Request) -> str:
    return request.scope.get("root_path", "") or "/"


def _inside(request: Request, to: str) -> str:
    """`to` where that is an address of these pages, else the first page."""
    home = site(request).href()
    plain = to.isascii() and to.isprintable() and "\\" not in to
    return to if plain and to.startswith(home) and not to.startswith("//") else home
