"""What every address of a page is made from: the site, a registry, an answer."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from lineage.server.access import Leased, Principal, needs
from lineage.server.pages.site import Site
from lineage.server.session import COOKIE

POLICY = (  # everything comes from here, and nothing is written into the page itself
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def site(request: Request, who: str = "") -> Site:
    """The site as seen by somebody, or by nobody."""
    name: str = request.app.state.pool.root.name
    session = bool(who) and COOKIE in request.cookies
    live: bool = request.app.state.live
    return Site(name, request.scope.get("root_path", ""), who, live, session)


def site_of(
    request: Request, who: Annotated[Principal, Depends(needs("read"))]
) -> Site:
    """A dependency: the site as whoever asks may see it."""
    return site(request, who.name)


def html(page: str, status: int = 200) -> HTMLResponse:
    """A page, under the policy that all pages have."""
    return HTMLResponse(page, status, {"Content-Security-Policy": POLICY})


Here = Leased
Pages = Annotated[Site, Depends(site_of)]
