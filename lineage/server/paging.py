"""Pages of a list: a cursor holds what the list is of, and how much was seen of it.

It pins the newest event of the first page. All pages are of the registry as it was
then: what is recorded meanwhile neither doubles a row nor hides one.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Annotated, Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlencode

from fastapi import Query, Request

from lineage.errors import UsageError
from lineage.registry import Registry
from lineage.server.cache import JSON, Given, encoded

MOST = 1000  # rows of a page
_CURSOR = re.compile(r"([0-9a-f]{40})\.(\d{1,9})\Z")
Row = TypeVar("Row")

Limit = Annotated[
    int, Query(ge=1, le=MOST, description="At most so many rows on a page.")
]
CursorText = Annotated[
    str | None,
    Query(
        description="Where the page begins: as the page before gave it. It says "
        "nothing else.",
        max_length=60,
        examples=["2b6c4e…"],
    ),
]


class Cursor(NamedTuple):
    """The git oid of the event that a list is as of, and the rows before the page."""

    event: str
    seen: int = 0

    def __str__(self) -> str:
        return f"{self.event}.{self.seen}"


def begun(registry: Registry, text: str | None) -> Cursor:
    """Where a page begins.

    Raises:
        UsageError: when `text` is no cursor of this registry.
    """
    log = registry.events_log
    if text is None:
        return Cursor(log.tip() or "")
    found = _CURSOR.match(text)
    if found is None or not log.holds(found[1]):
        hint = "begin again without a cursor"
        raise UsageError("this is no cursor of this registry", hint=hint)
    return Cursor(found[1], int(found[2]))


def as_of(registry: Registry, event: str) -> Registry:
    """The registry as it was at `event`, read through the same git process."""
    if event in ("", registry.events_log.tip()):
        return registry
    url = registry.settings.get("index.url")
    settings = {"index.url": url} if url else None
    return Registry(registry.git, settings, at=event)


def cut(rows: Iterable[Row], limit: int) -> tuple[list[Row], bool]:
    """The first rows, and whether there are more."""
    found = list(islice(rows, limit + 1))
    return found[:limit], len(found) > limit


def paged(
    request: Request, name: str, rows: Sequence[Any], following: Cursor | None
) -> Given:
    """A page of rows under `name`, with the cursor of the one that follows."""
    after = str(following) if following else None
    body = encoded({name: rows, "next": after})
    if after is None:
        return Given(body)
    asked = [
        (key, value)
        for key, value in parse_qsl(request.scope["query_string"].decode("latin-1"))
        if key != "cursor"
    ]
    link = f"<?{urlencode([*asked, ('cursor', after)])}>"  # relative to the request
    return Given(body, JSON, (("Link", f'{link}; rel="next"'),))


def at(registry: Registry, moment: str | None) -> Registry:
    """The registry as it was at `moment` (see `lineage.moments`), if one is given.

    Raises:
        NotFound, Ambiguous, UsageError: when there is no such moment.
    """
    from lineage.moments import event_at

    return as_of(registry, event_at(registry, moment)) if moment else registry
