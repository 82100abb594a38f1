"""The addresses of the pages."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from lineage.errors import NotFound
from lineage.registry import Registry
from lineage.server.access import Principal, leased, needs
from lineage.server.pages import assets, commit, home, origins
from lineage.server.pages.site import Site
from lineage.store.objects import is_id

POLICY = (  # everything comes from here, and nothing is written into the page itself
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FOR_EVER = "public, max-age=31536000, immutable"

Here = Annotated[Registry, Depends(leased)]
public = APIRouter(include_in_schema=False)
router = APIRouter(include_in_schema=False)


def site_of(
    request: Request, who: Annotated[Principal, Depends(needs("read"))]
) -> Site:
    """The site as whoever asks may see it."""
    return site(request, who.name)


def site(request: Request, who: str = "") -> Site:
    """The site as seen by somebody, or by nobody."""
    name: str = request.app.state.pool.root.name
    return Site(name, request.scope.get("root_path", ""), who)


Pages = Annotated[Site, Depends(site_of)]


def html(page: str, status: int = 200) -> HTMLResponse:
    """A page; nobody but who asked may keep it."""
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "private, no-cache"}
    return HTMLResponse(page, status, headers)


@public.get("/static/{file}")
def static(file: str) -> Response:
    """A file that pages need; whoever signs in needs it too."""
    if file not in assets.FILES:
        raise NotFound(f"there is no file {file}")
    headers = {"Cache-Control": _FOR_EVER}
    return Response(assets.content(file), 200, headers, assets.media_type(file))


@router.get("/")
def at_home(site: Pages, registry: Here) -> Response:
    """The registry at a glance."""
    return html(home.page(site, registry))


@router.get("/origins/{id}")
def origins_of(id: str, site: Pages, registry: Here) -> Response:
    """The bar that says how much of a commit is human."""
    return html(origins.fragment(site, registry, id))


@router.get("/commits/{revision:path}")
def at_commit(revision: str, site: Pages, registry: Here) -> Response:
    """One commit; a name of it leads to the page of its id."""
    if is_id(revision):
        return html(commit.page(site, registry, revision))
    return RedirectResponse(site.href("commits", registry.resolve(revision)), 303)
