"""Who signed what, and under which role: signatures as reports have them.

`Signatures` judges events by the rules of FORMAT.md, each as of the time when it was
made. Where the registry has no keys that costs nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from lineage.keys.ring import NEEDS, Key, Ring, Standing, State
from lineage.store.event_reading import Logged
from lineage.store.objects import Event

if TYPE_CHECKING:
    from lineage.keys.judge import Judge
    from lineage.repository import Repository


@dataclass(frozen=True, slots=True)
class Signature:
    """What the signature of an event that was made `at` is worth.

    `state` is one of `lineage.keys.ring.State`, or ``no keys``: there was no key yet.
    `by`, `roles` and `fingerprint` are those of the key, None and empty where nobody
    had added it. `role` is what an event of that type needs, None where any key will
    do. `why` says what is wrong, where that needs saying.
    """

    state: State | Literal["no keys"]
    at: str
    by: str | None = None
    roles: tuple[str, ...] = ()
    role: str | None = None
    fingerprint: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """That a key was revoked: what it signed from `since` on is void.

    None: nothing of what it signed before; "": all of it.
    """

    event: str
    time: str
    since: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Signer:
    """A key as the newest event about it has it, and whether it was revoked.

    `root`: trust in all others starts with it. `added_by` is the fingerprint of the
    key that signed `event`.
    """

    fingerprint: str
    name: str
    email: str
    roles: tuple[str, ...]
    key: str
    valid_from: str | None
    valid_until: str | None
    event: str
    added: str
    added_by: str
    root: bool
    revoked: tuple[Ended, ...]


class Signatures:
    """Judges the events of one registry."""

    def __init__(
        self, registry: "Repository", times: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """`times` are those of events by git oid, as far as they are known."""
        self._registry = registry
        self._times = times
        self._known: dict[str, Signature] = {}
        self._standing: dict[str, Standing | None] = {}

    @cached_property
    def _judge(self) -> "Judge | None":
        from lineage.keys.judge import Judge

        if not self._registry.key_log.oids():
            return None
        judge = Judge(self._registry)
        judge.hear(self._times)
        return judge

    def of(self, logged: Logged) -> Signature:
        """What the signature of an event is worth."""
        if logged.git not in self._known:
            self._known[logged.git] = self._made(logged.event, self.standing(logged))
        return self._known[logged.git]

    def standing(self, logged: Logged) -> Standing | None:
        """The same as keys have it; None before there were keys."""
        if logged.git not in self._standing:
            found = self._judge.standing(logged) if self._judge else None
            self._standing[logged.git] = found
        return self._standing[logged.git]

    def many(self, logged: Iterable[Logged]) -> list[Signature]:
        """The same of many events, which takes less time than one by one."""
        chosen = list(logged)
        new = [one for one in chosen if one.git not in self._standing]
        found = self._judge.many(new) if self._judge else [None] * len(new)
        for one, standing in zip(new, found, strict=True):
            self._standing[one.git] = standing
        return list(map(self.of, chosen))

    @staticmethod
    def _made(event: Event, standing: Standing | None) -> Signature:
        if standing is None:
            return Signature("no keys", event.time)
        key = standing.key
        return Signature(
            state=standing.state,
            at=event.time,
            by=key.name if key else None,
            roles=key.roles if key else (),
            role=NEEDS.get(event.type),
            fingerprint=standing.fingerprint,
            why=standing.why,
        )

    def signers(self) -> tuple[Signer, ...]:
        """Every key that was ever added by somebody who may, in that order."""
        if self._judge is None or self._judge.keys.root is None:
            return ()
        keys = self._judge.keys
        ring, root = keys.ring(keys.all), keys.root
        return tuple(_signer(key, ring, root) for key in ring.keys.values())


def _signer(key: Key, ring: Ring, root: Key | None) -> Signer:
    ended = ring.revoked.get(key.fingerprint, ())
    return Signer(
        fingerprint=key.fingerprint,
        name=key.name,
        email=key.email,
        roles=key.roles,
        key=key.public.line,
        valid_from=key.valid_from,
        valid_until=key.valid_until,
        event=key.event,
        added=key.added,
        added_by=key.by,
        root=root is not None and key.fingerprint == root.fingerprint,
        revoked=tuple(Ended(r.event, r.time, r.since, r.reason) for r in ended),
    )


def words(signature: Signature) -> str:
    """The same as people say it: ``signed by Ada (releaser)``.

    Without a name, where that was left out, it says ``signed by a releaser``.
    """
    roles = ", ".join(signature.roles)
    who = signature.by or f"a {signature.roles[0] if roles else 'person'}"
    if signature.by and roles:
        who += f" ({roles})"
    return {
        "good": f"signed by {who}",
        "no keys": "not signed: the registry had no keys then",
        "unsigned": "not signed",
        "unknown": "signed with a key that nobody had added",
        "expired": f"signed with the key of {who}, which {signature.why}",
        "revoked": f"signed with the key of {who}, which was revoked{signature.why}",
        "bad": f"the signature does not hold{signature.why}",
        "role": f"signed by {who}, who may not: {signature.why}",
    }[signature.state]
