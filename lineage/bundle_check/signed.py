"""What the report says of signatures and keys, against what they are worth here."""

from collections.abc import Iterator
from typing import Any

from lineage.bundle_check.source import Source
from lineage.bundle_check.values import items, mapping, same
from lineage.store.objects import Event


def signature_faults(said: object, event: Event, source: Source) -> Iterator[str]:
    """A signature in the report is what that of its event is worth."""
    standing = source.standings.get(event.id)
    key = standing.key if standing else None
    held = {
        "state": standing.state if standing else "no keys",
        "at": event.time,
        "by": key.name if key else None,
        "roles": list(key.roles) if key else [],
        "fingerprint": standing.fingerprint if standing else None,
    }
    told = mapping(said)
    for name, value in held.items():
        if not same(told.get(name), value):
            yield f"signature.{name} is not that of the event {event.id}"


def signer_faults(report: dict[str, Any], source: Source) -> Iterator[tuple[str, str]]:
    """The keys of the report are those that the log added, and no others."""
    ring = source.keys.ring(source.keys.all) if source.keys.root else None
    held = ring.keys if ring else {}
    said = items(report.get("keys"))
    if sorted(str(one.get("fingerprint")) for one in said) != sorted(held):
        yield "keys", "are not those that the events added"
    for number, one in enumerate(said):
        key = held.get(str(one.get("fingerprint")))
        if key is None:
            continue
        made = {
            "name": key.name,
            "email": key.email,
            "roles": list(key.roles),
            "key": key.public.line,
            "valid_from": key.valid_from,
            "valid_until": key.valid_until,
        }
        wrong = [name for name, value in made.items() if not same(one.get(name), value)]
        if wrong:
            yield f"keys[{number}]", f"{', '.join(wrong)} are not those of its event"
        ended = {
            e.event for e in (ring.revoked if ring else {}).get(key.fingerprint, ())
        }
        if {str(e.get("event")) for e in items(one.get("revoked"))} != ended:
            yield f"keys[{number}]", "is not said to be revoked as it was"
