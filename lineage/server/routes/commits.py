"""Commits: lists of them, and one by its revision."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response

from lineage import shapes
from lineage.history import Names, entry
from lineage.registry import Registry
from lineage.revisions import newest_first
from lineage.scope import Scope, filtered, scope
from lineage.search import Filters
from lineage.server import models, paging
from lineage.server.cache import Given, answer, encoded
from lineage.server.paging import CursorText, Limit
from lineage.server.routes.asked import READER, REVISION, At, Revision, Revsets, Text
from lineage.shapes.show import everything
from lineage.store.objects import is_id
from lineage.walks import ancestors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lineage.history import Entry

router = APIRouter(tags=["commits"], dependencies=READER)

Conditions = Annotated[list[str], Query(max_length=32)]


@router.get("/commits", responses=REVISION, response_model=models.Commits)
async def commits(
    request: Request,
    revset: Revsets = [],  # noqa: B006 - FastAPI copies it
    *,
    everything: Annotated[
        bool, Query(alias="all", description="From every branch and tag.")
    ] = False,
    kind: Annotated[models.Kind | None, Query(description="Only this kind.")] = None,
    name: Annotated[Text, Query(description="Only names like this: `tutor*`.")] = None,
    metric: Annotated[
        Conditions, Query(description="Only where `perplexity < 30`.")
    ] = [],  # noqa: B006
    param: Annotated[
        Conditions, Query(description="Only where `learning_rate = 0.002`.")
    ] = [],  # noqa: B006
    author: Annotated[
        Text, Query(description="Only authors with this in their name.")
    ] = None,
    message: Annotated[Text, Query(description="Only messages with this.")] = None,
    since: Annotated[Text, Query(description="Only from this date on.")] = None,
    until: Annotated[Text, Query(description="Only up to this date.")] = None,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> Response:
    """List commits, newest first, as `lineage log` does."""
    filters = Filters(
        kind=kind,
        name=name or None,
        metrics=tuple(metric),
        params=tuple(param),
        author=author or None,
        message=message or None,
        since=since or None,
        until=until or None,
    )

    def page(registry: Registry) -> Given:
        start = paging.begun(registry, cursor)
        then = paging.as_of(registry, start.event)
        found = scope(then, revset, everything=everything)
        entries = _from(then, found, filters, start.seen, limit)
        rows, more = paging.cut(shapes.logged(then, entries), limit)
        after = paging.Cursor(start.event, start.seen + limit) if more else None
        return paging.paged(request, "commits", rows, after)

    return await answer(request, page)


def _from(
    registry: Registry, found: Scope, filters: Filters, seen: int, limit: int
) -> "Iterable[Entry]":
    """A page and one more of what `filtered` gives behind the first `seen`.

    Where nothing is filtered those are not even read.
    """
    if filters or not seen:
        most = seen + limit + 1
        return islice(filtered(registry, found, filters, most), seen, None)
    members = found.members
    if members is None:
        members = newest_first(registry, ancestors(registry, found.starts))
    names = Names.of(registry)
    return (entry(registry, id_, names) for id_ in members[seen:])


@router.get("/commits/{revision:path}", responses=REVISION, response_model=models.Shown)
async def show(request: Request, revision: Revision, at: At = None) -> Response:
    """Give all that is known of one commit, as `lineage show` does."""

    def shown(registry: Registry) -> Given:
        then = paging.at(registry, at)
        found = everything(
            then, entry(then, then.resolve(revision), Names.of(then)), indexed=True
        )
        lasting = is_id(revision) and at is None and not found["payload"]
        return Given(encoded(found), lasting=lasting)

    return await answer(request, shown)
