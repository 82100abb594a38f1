"""The addresses of the pages."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from lineage.errors import NotFound, UsageError
from lineage.neighbourhood import HOPS, MOST_HOPS
from lineage.server.access import Leased
from lineage.server.pages import (
    assets,
    branch,
    commit,
    compare,
    events,
    home,
    impact,
    names,
    near,
    origins,
    search,
    taints,
    trace,
)
from lineage.server.pages.serving import Pages
from lineage.store.objects import is_id

_FOR_EVER = "public, max-age=31536000, immutable"

Text = Annotated[str, Query(max_length=2000)]
Read = Annotated[str, Query(pattern="^(records|tensors|tokenizer)?$")]
Kind = Annotated[str, Query(pattern="^(generation|model|dataset|config)?$")]
Git = Annotated[str, Query(pattern="^([0-9a-f]{40})?$")]
Id = Annotated[str, Query(pattern="^[0-9a-f]{0,64}$")]

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
def at_home(site: Pages, registry: Leased) -> Response:
    """The registry at a glance."""
    return HTMLResponse(home.page(site, registry))


@router.get("/search")
def at_search(
    site: Pages, registry: Leased, q: Text = "", kind: Kind = "", after: Id = ""
) -> Response:
    """Commits by revset; a name leads to the page of its commit."""
    asked = q.strip()
    if not after and (found := search.one_commit(registry, asked)):
        return RedirectResponse(site.href("commits", found), 303)
    return HTMLResponse(*search.page(site, registry, asked, kind, after))


@router.get("/branches/{name:path}")
def at_branch(name: str, site: Pages, registry: Leased, start: Id = "") -> Response:
    """The commits of a branch and how its measures went."""
    return HTMLResponse(branch.page(site, registry, name, start))


@router.get("/compare")
def asked_to_compare(site: Pages, a: Text, b: Text) -> Response:
    """What a form asks for, at its own address."""
    return RedirectResponse(site.href("compare", f"{a}...{b}"), 303)


@router.get("/compare/{spec:path}")
def at_compare(spec: str, site: Pages, registry: Leased, read: Read = "") -> Response:
    """Two commits, ``A...B``, side by side."""
    a, dots, b = spec.partition("...")
    if not (a and dots and b):
        raise UsageError(f"{spec!r} does not say what to compare", hint="write A...B")
    return HTMLResponse(compare.page(site, registry, a, b, read))


@router.get("/impact/{revision:path}")
def at_impact(revision: str, site: Pages, registry: Leased) -> Response:
    """What a commit reached."""
    return HTMLResponse(impact.page(site, registry, revision))


@router.get("/trace/{revision:path}")
def at_trace(revision: str, site: Pages, registry: Leased) -> Response:
    """What a commit is made of, through every generation."""
    return HTMLResponse(trace.page(site, registry, revision))


@router.get("/taints")
def at_taints(site: Pages, registry: Leased) -> Response:
    """What was found to be bad."""
    return HTMLResponse(taints.page(site, registry))


@router.get("/names")
def at_names(
    site: Pages, registry: Leased, part: Text = "", after: Text = ""
) -> Response:
    """Branches and tags."""
    return HTMLResponse(names.page(site, registry, part, after))


@router.get("/events")
def at_events(
    site: Pages,
    registry: Leased,
    request: Request,
    tip: Git = "",
    seen: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """The log, filtered, some events at a time."""
    given = request.query_params
    wanted = {key: given.get(key, "")[:200] for key in events.FILTERS}
    return HTMLResponse(events.page(site, registry, wanted, tip, seen))


@router.get("/events/{id}")
def at_event(id: str, site: Pages, registry: Leased) -> Response:
    """One event in full."""
    return HTMLResponse(events.one(site, registry, id))


@router.get("/origins/{id}")
def origins_of(id: str, site: Pages, registry: Leased) -> Response:
    """The bar that says how much of a commit is human."""
    return HTMLResponse(origins.fragment(site, registry, id))


@router.get("/commits/{revision:path}")
def at_commit(revision: str, site: Pages, registry: Leased) -> Response:
    """One commit; a name of it leads to the page of its id."""
    if is_id(revision):
        return HTMLResponse(commit.page(site, registry, revision))
    return RedirectResponse(site.href("commits", registry.resolve(revision)), 303)


@router.get("/graph/{revision:path}")
def at_graph(
    revision: str,
    site: Pages,
    registry: Leased,
    hops: Annotated[int, Query(ge=1, le=MOST_HOPS)] = HOPS,
) -> Response:
    """What is near a commit, drawn."""
    return HTMLResponse(near.page(site, registry, registry.resolve(revision), hops))
