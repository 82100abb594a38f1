"""The addresses of the pages."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from lineage.errors import NotFound
from lineage.neighbourhood import HOPS, MOST_HOPS
from lineage.server.pages import assets, commit, home, near, origins
from lineage.server.pages.serving import Here, Pages, html
from lineage.store.objects import is_id

_FOR_EVER = "public, max-age=31536000, immutable"

public = APIRouter(include_in_schema=False)
router = APIRouter(include_in_schema=False)


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


@router.get("/graph/{revision:path}")
def at_graph(
    revision: str,
    site: Pages,
    registry: Here,
    hops: Annotated[int, Query(ge=1, le=MOST_HOPS)] = HOPS,
) -> Response:
    """What is near a commit, drawn."""
    return html(near.page(site, registry, registry.resolve(revision), hops))
