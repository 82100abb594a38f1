"""What became of commits later: where they were live, what was tainted or erased."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from lineage.audit.known import Signed, actor
from lineage.audit.model import Erasure, Field, Release, Taint, TimeStamp
from lineage.keys.signatures import Signatures
from lineage.registry import Registry
from lineage.releases import releases
from lineage.stated import STATEMENT, stated
from lineage.statements import subjects
from lineage.store.event_reading import Logged
from lineage.taints import TAINT, taints
from lineage.taints.marks import recorded
from lineage.timestamps import is_stamp, stamp_of


def said_of(
    registry: Registry, ids: Collection[str], signatures: Signatures
) -> Mapping[str, Mapping[str, Field[str]]]:
    """What people stated of the commits `ids`, by field."""
    spoken = [id_ for id_ in subjects(registry, STATEMENT) if id_ in ids]
    return {
        id_: {
            name: Field(
                "stated",
                said.text,
                event=said.event,
                by=actor(said.by),
                time=said.time,
                signature=said.signature,
            )
            for name, said in stated(registry, id_, signatures).items()
        }
        for id_ in spoken
    }


def released(
    registry: Registry, ids: Collection[str], signatures: Signatures
) -> tuple[Release, ...]:
    """The releases of the commits `ids`, the oldest first."""
    return tuple(
        Release(
            event=one.event,
            environment=one.environment,
            subject=one.subject,
            kind=one.kind,
            name=one.name,
            since=one.since,
            until=one.until,
            by=actor(one.by),
            signature=one.signature,
            ended=one.ended,
        )
        for one in releases(registry, signatures)
        if one.subject in ids
    )


def tainted(
    registry: Registry, ids: Collection[str], signatures: Signatures
) -> tuple[Taint, ...]:
    """The taints that reached any of the commits `ids`, the oldest first."""
    if not (found := taints(registry)):
        return ()
    known = recorded(registry)
    counts = known.counts()
    reaches: dict[str, dict[str, bool]] = {}
    for id_ in ids:
        for mark in known.of(id_):
            reaches.setdefault(mark.taint.event, {})[id_] = mark.perhaps
    events = _events(registry, TAINT)
    return tuple(
        Taint(
            event=one.event,
            subject=one.subject,
            reason=one.reason,
            by=actor(one.author),
            time=one.time,
            signature=signatures.of(events[one.event]),
            lifted=one.lifted.event if one.lifted else None,
            records=None if one.records is None else len(one.records),
            reached=counts[one.event],
            reaches=tuple(reaches[one.event]),
            perhaps=tuple(i for i, perhaps in reaches[one.event].items() if perhaps),
        )
        for one in found
        if one.event in reaches
    )


def stamped(events: Iterable[Logged]) -> Iterator[TimeStamp]:
    """The time stamps among some events."""
    for _, event in events:
        if is_stamp(event) and (found := stamp_of(event)):
            yield TimeStamp(found.event, found.of, found.time, found.tsa)


def _events(registry: Registry, type_: str) -> Mapping[str, Logged]:
    """The statements of a type by the ids of their events."""
    log = registry.events_log
    found = (
        Logged(oid, log.event(oid))
        for oids in subjects(registry, type_).values()
        for oid in oids
    )
    return {logged.event.id: logged for logged in found}


def erased(events: Iterable[Signed], ids: Collection[str]) -> Iterator[Erasure]:
    """What erasures took from the commits `ids`."""
    for event, signature in events:
        mine = tuple(id_ for id_ in event.data["commits"] if id_ in ids)
        if mine:
            yield Erasure(
                event=event.id,
                subjects=mine,
                files=tuple(item["sha256"] for item in event.data["objects"]),
                reason=event.data["reason"],
                authority=event.data["authority"],
                by=actor(event.actor),
                time=event.time,
                signature=signature,
            )
