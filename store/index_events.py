"""Questions to the index about events."""

from collections.abc import Collection

from sqlmodel import col

from lineage.store.index_asking import Ask, events
from lineage.store.index_tables import EventRow


def event_of(ask: Ask, id_: str) -> str | None:
    """The git oid of the clone's event `id_`, a full id."""
    query = events(ask, EventRow.git).where(EventRow.id == id_)
    return next(iter(ask.connection.execute(query).scalars()), None)


def speaking_of(ask: Ask, id_: str, limit: int | None = None) -> list[str]:
    """The git oids of a clone's events about a commit, each before what it followed."""
    query = (
        events(ask, EventRow.git)
        .where(EventRow.subject == id_)
        .order_by(col(EventRow.number).desc())
        .limit(limit)
    )
    return list(ask.connection.execute(query).scalars())


def events_of(ask: Ask, types: Collection[str]) -> list[str]:
    """The git oids of the clone's events of these types, newest first."""
    query = (
        events(ask, EventRow.git)
        .where(col(EventRow.type).in_(types))
        .order_by(col(EventRow.number).desc())
    )
    return list(ask.connection.execute(query).scalars())
