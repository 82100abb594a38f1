"""What was live, where, and from when until when.

A release is an event of the type ``release`` (store/FORMAT.md): it says that a commit
is live in an environment, or that it is not any more. In one environment one commit of
a kind and name is live at a time: a newer release ends the one before.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lineage.audit.signatures import Signature, Signatures
from lineage.errors import NotFound
from lineage.measured import Said
from lineage.registry import Registry
from lineage.statements import RELEASE, released
from lineage.store import names
from lineage.store.events import Logged

__all__ = ["RELEASE", "Released", "live", "release", "releases", "retire"]


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
    by: dict[str, str]
    signature: Signature
    ended: str | None = None


def releases(registry: Registry) -> tuple[Released, ...]:
    """Every release, the oldest first; those of a time that is asked for."""
    found = list(_released(registry))
    return tuple(sorted(found, key=lambda one: (one.since, one.event)))


def live(registry: Registry, environment: str | None = None) -> tuple[Released, ...]:
    """What is live now, or was at the registry's time: anywhere, or in one place."""
    return tuple(
        one
        for one in releases(registry)
        if one.until is None and environment in (None, one.environment)
    )


def _released(registry: Registry) -> Iterator[Released]:
    signatures = Signatures(registry)
    standing: dict[tuple[str, str, str], Released] = {}
    for logged in released(registry):
        if not _is_release(logged) or not registry.ids.find(logged.event.subject or ""):
            continue
        made = _made(registry, logged, signatures)
        place = (made.environment, made.kind, made.name)
        before = standing.get(place)
        if logged.event.data["live"]:
            standing[place] = made
        elif before and before.subject == made.subject:
            del standing[place]
        else:
            continue
        if before:
            event = logged.event
            yield replace(before, until=event.time, ended=event.id)
    yield from standing.values()


def _is_release(logged: Logged) -> bool:
    """Whether it is formed as FORMAT.md has it; what is not says nothing."""
    environment, now = map(logged.event.data.get, ("environment", "live"))
    return isinstance(environment, str) and bool(environment) and type(now) is bool


def _made(registry: Registry, logged: Logged, signatures: Signatures) -> Released:
    event = logged.event
    assert event.subject
    commit = registry.load(event.subject)
    return Released(
        event=event.id,
        environment=event.data["environment"],
        subject=event.subject,
        kind=commit.kind,
        name=commit.name,
        since=event.time,
        until=None,
        by=dict(event.actor),
        signature=signatures.of(logged),
    )


def release(
    registry: Registry, id_: str, environment: str, *, message: str = ""
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
    registry: Registry, id_: str, environment: str, *, message: str = ""
) -> Said:
    """Say that the commit `id_` is not live in an environment any more.

    Raises:
        NotFound: when it is not live there.
        NotAllowed: as for `release`.
    """
    registry.events_log.check_writable()
    there = live(registry, environment)
    if id_ not in {one.subject for one in there}:
        found = ", ".join(f"{one.kind} {one.name} {one.subject[:8]}" for one in there)
        hint = f"live there: {found}" if found else "nothing is live there"
        raise NotFound(f"{id_[:12]} is not live in {environment}", hint=hint)
    return Said(_say(registry, id_, environment, message, live=False), created=True)


def _say(
    registry: Registry, id_: str, environment: str, message: str, *, live: bool
) -> str:
    data = {"environment": environment, "live": live}
    return registry.attest(RELEASE, subject=id_, message=message, data=data)
