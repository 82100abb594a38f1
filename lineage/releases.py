"""What was live, where, and from when until when.

A release is an event of the type ``release`` (store/FORMAT.md): it says that a commit
is live in an environment, or that it is not any more. In one environment one commit of
a kind and name is live at a time: a newer release ends the one before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lineage.errors import NotFound
from lineage.keys.signatures import Signature, Signatures
from lineage.measured import Said
from lineage.repository import Repository
from lineage.statements import RELEASE, released
from lineage.store import names
from lineage.store.event_reading import Logged
from lineage.store.objects import Event

__all__ = ["RELEASE", "Released", "live", "live_in", "release", "releases", "retire"]


@dataclass(frozen=True, slots=True)
class Released:
    """The commit `subject` was live in `environment` from `since` until `until`.

    None: it still is. `event` released it, `ended` retired or replaced it; `by` is who
    released it, with their signature.
    """

    event: str
    environment: str
    subject: str
    kind: str
    name: str
    since: str
    until: str | None
    by: Mapping[str, str]
    signature: Signature
    ended: str | None = None


def releases(
    registry: Repository,
    signatures: Signatures | None = None,
    *,
    subject: str | None = None,
) -> tuple[Released, ...]:
    """Every release, or those of a commit by its id, the oldest first.

    Of a registry at some time, those of by then.
    """
    signatures = signatures or Signatures(registry)
    found = [
        _made(registry, *span, signatures)
        for span in _spans(registry)
        if subject in (None, span[0].event.subject)
    ]
    return tuple(sorted(found, key=lambda one: (one.since, one.event)))


def live(registry: Repository, environment: str | None = None) -> tuple[Released, ...]:
    """What is live now, or was at the registry's time: anywhere, or in one place."""
    return tuple(
        one
        for one in releases(registry)
        if one.until is None and environment in (None, one.environment)
    )


def live_in(registry: Repository) -> dict[str, tuple[str, ...]]:
    """By the id of each commit that is live somewhere: where, sorted.

    It judges no signature, and costs nothing where nothing was ever released.
    """
    found: dict[str, set[str]] = {}
    for start, end in _spans(registry):
        if end is None and start.event.subject:
            environment = start.event.data["environment"]
            found.setdefault(start.event.subject, set()).add(environment)
    return {id_: tuple(sorted(places)) for id_, places in found.items()}


def _spans(registry: Repository) -> Iterator[tuple[Logged, Logged | None]]:
    """The events that released something, with those that ended it."""
    standing: dict[tuple[str, str, str], Logged] = {}
    for logged in released(registry):
        event = logged.event
        if not _is_release(event) or event.subject not in registry.ids:
            continue  # who has not what it speaks of does not hear it
        place = _place(registry, event)
        before = standing.get(place)
        if event.data["live"]:
            standing[place] = logged
        elif before and before.event.subject == event.subject:
            del standing[place]
        else:
            continue
        if before:
            yield before, logged
    yield from ((logged, None) for logged in standing.values())


def _place(registry: Repository, event: Event) -> tuple[str, str, str]:
    """Where one commit is live at a time."""
    commit = registry.load(event.subject or "")
    return event.data["environment"], commit.kind, commit.name


def _is_release(event: Event) -> bool:
    """Whether it is formed as FORMAT.md has it; what is not says nothing."""
    environment, now = map(event.data.get, ("environment", "live"))
    return isinstance(environment, str) and bool(environment) and type(now) is bool


def _made(
    registry: Repository, start: Logged, end: Logged | None, signatures: Signatures
) -> Released:
    event = start.event
    environment, kind, name = _place(registry, event)
    return Released(
        event=event.id,
        environment=environment,
        subject=event.subject or "",
        kind=kind,
        name=name,
        since=event.time,
        until=end.event.time if end else None,
        by=event.actor,
        signature=signatures.of(start),
        ended=end.event.id if end else None,
    )


def release(
    registry: Repository, id_: str, environment: str, *, message: str = ""
) -> Said:
    """Say that the commit `id_` is live in an environment from now on.

    Where you said so before, and no better signature can be had, nothing is recorded.

    Raises:
        NotFound: when it is not here.
        UsageError: for an environment that cannot be a name.
        NotAllowed: when the registry is that of a time that has passed, or the key
            that signs here may not.
    """
    registry.events_log.check_writable()
    names.check(environment, "environment")
    registry.load(id_)
    for one in live(registry, environment):
        signed = one.signature.state == "good" or registry.signer.path() is None
        if (one.subject, one.by) == (id_, registry.actor()) and signed:
            return Said(one.event, created=False)
    return Said(_say(registry, id_, environment, message, live=True), created=True)


def retire(
    registry: Repository, id_: str, environment: str, *, message: str = ""
) -> Said:
    """Say that the commit `id_` is not live in an environment any more.

    Raises:
        NotFound: when it is not live there.
        UsageError, NotAllowed: as for `release`.
    """
    registry.events_log.check_writable()
    names.check(environment, "environment")
    there = live(registry, environment)
    if id_ not in {one.subject for one in there}:
        found = ", ".join(f"{one.kind} {one.name} {one.subject[:8]}" for one in there)
        hint = f"live there: {found}" if found else "nothing is live there"
        raise NotFound(f"{id_[:12]} is not live in {environment}", hint=hint)
    return Said(_say(registry, id_, environment, message, live=False), created=True)


def _say(
    registry: Repository, id_: str, environment: str, message: str, *, live: bool
) -> str:
    data = {"environment": environment, "live": live}
    return registry.attest(RELEASE, subject=id_, message=message, data=data)
