"""Taints: a commit, or some of its records, was found to be bad, and why.

A taint is a statement (store/FORMAT.md): an event of the type ``taint`` speaks of a
commit, and one of the type ``untaint`` lifts it; neither is ever edited. `taints` lists
them, `taint` and `lift` make them; `marks` knows what a taint reached, and `records`
how many of some tainted records are in what came of them.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lineage.errors import NotAllowed, NotFound, UsageError
from lineage.repository import Repository
from lineage.statements import subjects
from lineage.store.event_reading import Logged
from lineage.store.objects import is_id

__all__ = ["TAINT", "UNTAINT", "Lift", "Taint", "lift", "standing", "taint", "taints"]

TAINT, UNTAINT = "taint", "untaint"


@dataclass(frozen=True, slots=True)
class Lift:
    """The event that lifted a taint."""

    event: str
    time: str
    author: Mapping[str, str]
    reason: str


@dataclass(frozen=True, slots=True)
class Taint:
    """What the event `event` says of the commit `subject`.

    `records` are the identities of the bad ones; None: the commit as a whole is bad.
    """

    event: str
    subject: str
    reason: str
    records: tuple[str, ...] | None
    time: str
    author: Mapping[str, str]
    lifted: Lift | None = None


def taints(registry: Repository) -> list[Taint]:
    """Every taint of the registry, lifted ones too, the newest last."""
    said = subjects(registry, TAINT)
    if not said:
        return []
    lifts = _lifts(registry)
    found = [
        _read(logged, lifts.get(logged.event.id))
        for subject, oids in said.items()
        if subject in registry.ids  # who has not what it speaks of does not hear it
        for logged in _events(registry, oids)
        if _is_taint(logged.event.data)
    ]
    return sorted(found, key=lambda one: (one.time, one.event))


def standing(registry: Repository) -> list[Taint]:
    """The taints that nobody has lifted, the newest last."""
    return [one for one in taints(registry) if one.lifted is None]


def taint(
    registry: Repository, id_: str, reason: str, records: Collection[str] | None = None
) -> str:
    """Say that the commit `id_`, or those of its records, is bad; the event's id.

    `records` are identities (`lineage.records.identity`).

    Raises:
        UsageError: without a reason, for a config's records or for none at all.
        NotFound: when the commit is not here.
        NotAllowed: when the registry is that of a time that has passed.
    """
    registry.events_log.check_writable()
    _check_reason(reason)
    kind = registry.load(id_).kind
    data: dict[str, Any] = {"reason": reason}
    if records is not None:
        if kind != "dataset":
            hint = "leave out the records: the commit as a whole is tainted then"
            raise UsageError(f"{id_[:12]} is a {kind}: it has no records", hint=hint)
        if not records:
            raise UsageError("no record is named")
        data["records"] = sorted(set(records))
    return registry.attest(TAINT, subject=id_, message=reason, data=data)


def lift(registry: Repository, one: Taint, reason: str) -> str:
    """Say that a taint does not hold, or no more; the event's id.

    Raises:
        UsageError: without a reason.
        NotAllowed: when it is lifted already, or the registry is that of a time that
            has passed.
    """
    registry.events_log.check_writable()
    _check_reason(reason)
    if one.lifted:
        by = f"{one.lifted.author['name']}, {one.lifted.time[:10]}"
        message = f"the taint {one.event[:8]} is lifted already, by {by}"
        raise NotAllowed(message, hint=f"`lineage events {one.lifted.event[:8]}`")
    data = {"lifts": one.event, "reason": reason}
    return registry.attest(UNTAINT, subject=one.subject, message=reason, data=data)


def of_event(registry: Repository, prefix: str) -> Taint:
    """The taint of an event, by a prefix of its id.

    Raises:
        NotFound: when there is no such taint.
        Ambiguous, UsageError: when `prefix` is several events', or none's.
    """
    from lineage.moments import find_event

    wanted = find_event(registry, prefix).event.id
    for one in taints(registry):
        if one.event == wanted:
            return one
    hint = "`lineage taint` lists the taints"
    raise NotFound(f"the event {wanted[:8]} is not a taint", hint=hint)


def _lifts(registry: Repository) -> dict[str, Lift]:
    """What was lifted, by the event of the taint; of several that say so the first."""
    found: list[Logged] = []
    for oids in subjects(registry, UNTAINT).values():
        found += _events(registry, oids)
    found.sort(key=lambda logged: (logged.event.time, logged.event.id), reverse=True)
    lifts = {}
    for _, event in found:
        if isinstance(event.data.get("lifts"), str):
            reason = str(event.data.get("reason", ""))
            lifts[event.data["lifts"]] = Lift(event.id, event.time, event.actor, reason)
    return lifts


def _events(registry: Repository, oids: Collection[str]) -> Iterator[Logged]:
    return (Logged(oid, registry.events_log.event(oid)) for oid in oids)


def _is_taint(data: Mapping[str, Any]) -> bool:
    """Whether it is formed as FORMAT.md has it; what is not says nothing."""
    records = data.get("records", ["0" * 64])
    return (
        isinstance(data.get("reason"), str)
        and isinstance(records, list)
        and bool(records)
        and all(isinstance(one, str) and is_id(one) for one in records)
    )


def _read(logged: Logged, lifted: Lift | None) -> Taint:
    event = logged.event
    assert event.subject
    records = event.data.get("records")
    return Taint(
        event=event.id,
        subject=event.subject,
        reason=event.data["reason"],
        records=None if records is None else tuple(records),
        time=event.time,
        author=event.actor,
        lifted=lifted,
    )


def _check_reason(reason: str) -> None:
    if not reason.strip():
        hint = "say what is wrong, or why it is not"
        raise UsageError("a taint, and what lifts it, has a reason", hint=hint)
