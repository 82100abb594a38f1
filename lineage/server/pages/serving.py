"""What every address of a page is made from: the site as whoever asks may see it."""

from typing import Annotated

from fastapi import Depends, Request

from lineage.server.access import Principal, needs
from lineage.server.pages.site import Site
from lineage.server.session import COOKIE


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


Pages = Annotated[Site, Depends(site_of)]
