"""What the key events of a log say, and what a signature is worth by them.

Pure values: who reads the log is `lineage.keys.judge`. The rules stand in FORMAT.md,
"Keys"; in short: a key counts for the events after the one that added it, added by
somebody who may; a revocation counts for every event that is not before it, and back
to its `since`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from lineage.errors import LineageError
from lineage.store.canonical import malformed
from lineage.store.event_commit import KEY
from lineage.store.event_fields import check_time
from lineage.store.objects import Event
from lineage.store.sshsig import PublicKey, Signature

RUNNER, REVIEWER, RELEASER = ROLES = ("runner", "reviewer", "releaser")
NEEDS = {
    KEY: RELEASER,
    "release": RELEASER,
    "label": REVIEWER,
    "review": REVIEWER,
    "statement": REVIEWER,
    "taint": REVIEWER,
}
"""The role that an event of a type needs; a key that is a runner's too has none."""

State = Literal["good", "unsigned", "unknown", "expired", "revoked", "bad", "role"]


class Key(NamedTuple):
    """A key as one event added it: whose it is, what it may, from when until when.

    `by` is the fingerprint of the key that signed that event, at the time `added`.
    """

    public: PublicKey
    name: str
    email: str
    roles: tuple[str, ...]
    valid_from: str | None
    valid_until: str | None
    git: str
    event: str
    added: str
    by: str

    @property
    def fingerprint(self) -> str:
        return self.public.fingerprint

    def state(self, time: str) -> str:
        """What it is at a time, if nobody has revoked it."""
        if self.valid_from and time < self.valid_from:
            return "not yet"
        return "expired" if _outside(self, time) else "active"


class Revocation(NamedTuple):
    """A key's end, by the git oid of its event.

    What the key signed before that event stays, up to the time `since`: all of it
    for None, nothing for "". `before` are the key events that it knew of.
    """

    fingerprint: str
    git: str
    before: frozenset[str]
    event: str
    time: str
    since: str | None
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as it is judged.

    `time` is the one that it claims or, where they are later, those of the events
    right before it. `before` are the key events before it, by git oid, and `after`
    those after it.
    """

    git: str
    event: Event
    time: str
    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    signature: Signature | None = None
    holds: bool = True
    signed: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """What a signature is worth; `key` is the one it names, if anybody added it."""

    state: State
    fingerprint: str | None = None
    key: Key | None = None
    why: str = ""

    @property
    def says(self) -> str:
        """The same as people say it."""
        who = self.key.name if self.key else ""
        if self.key and self.key.roles:
            who += f" ({', '.join(self.key.roles)})"
        return {
            "good": f"signed by {who}",
            "unsigned": "is not signed",
            "unknown": f"is signed with {self.fingerprint}, which nobody had added",
            "expired": f"is signed with the key of {who}, which {self.why}",
            "revoked": f"is signed with the key of {who}, which was revoked{self.why}",
            "bad": f"has a signature that does not hold{self.why}",
            "role": f"is signed by {who}, who may not: {self.why}",
        }[self.state]


@dataclass(slots=True)
class Ring:
    """The keys and revocations that count after some key events."""

    keys: dict[str, Key] = field(default_factory=dict)
    history: list[Key] = field(default_factory=list)
    revoked: dict[str, list[Revocation]] = field(default_factory=dict)

    def add(self, key: Key) -> None:
        self.keys[key.fingerprint] = key
        self.history.append(key)

    def revoke(self, ended: Revocation) -> None:
        """End a key, and those that it added when it was not its owner's any more."""
        self.revoked.setdefault(ended.fingerprint, []).append(ended)
        for key in list(self.keys.values()):
            beside = key.git not in ended.before
            late = ended.since is not None and key.added >= ended.since
            spared = key.fingerprint in (ended.by, *self.revoked)
            if key.by == ended.fingerprint and (beside or late) and not spared:
                why = f"{ended.fingerprint} added it: {ended.reason}"
                fallen = ended._replace(fingerprint=key.fingerprint, since="")
                self.revoke(fallen._replace(reason=why))

    def active(self, time: str) -> list[Key]:
        """The keys that can sign at a time."""
        return [
            key
            for key in self.keys.values()
            if key.fingerprint not in self.revoked and not _outside(key, time)
        ]


class Change(NamedTuple):
    """A key event, read: what it adds or revokes, and how it was seen."""

    seen: Seen
    key: Key | None = None
    revocation: Revocation | None = None


class Keys:
    """All key events of a log, oldest first, and the judgement by them."""

    def __init__(self, changes: Iterable[Change], root: str | None) -> None:
        self._changes = {change.seen.git: change for change in changes}
        self.root = self._changes[root].key if root else None
        self._root = root
        self._rings: dict[frozenset[str], Ring] = {}
        self._accepted: dict[str, bool] = {}

    @property
    def all(self) -> frozenset[str]:
        return frozenset(self._changes)

    def ring(self, before: frozenset[str]) -> Ring:
        """What counts after the key events `before`."""
        if before not in self._rings:
            chosen = (self._changes[git] for git in self._changes if git in before)
            counted = [change for change in chosen if self._counts(change)]
            ring = Ring()
            for change in counted:
                if change.key:
                    ring.add(change.key)
            for change in counted:
                if change.revocation:
                    ring.revoke(change.revocation)
            self._rings[before] = ring
        return self._rings[before]

    def _counts(self, change: Change) -> bool:
        """Whether the signer of a key event could make it, by those before it."""
        git = change.seen.git
        if git not in self._accepted:
            state = self._judged(change.seen, self.ring(change.seen.before)).state
            self._accepted[git] = git == self._root or state == "good"
        return self._accepted[git]

    def standing(self, seen: Seen) -> Standing | None:
        """What an event's signature is worth; None before there were keys."""
        if self._root is None or self._root in seen.after:
            return None
        if seen.git == self._root:
            assert self.root
            return Standing("good", self.root.fingerprint, self.root)
        before = self.ring(seen.before)
        return self._judged(seen, before, self.ring(self.all))

    def _judged(self, seen: Seen, ring: Ring, whole: Ring | None = None) -> Standing:
        """By the keys of `ring`, and the revocations of `whole`."""
        if not seen.signed:
            return Standing("unsigned")
        if seen.signature is None:
            return Standing("bad", why=": it is none of SSH")
        fingerprint = seen.signature.key.fingerprint
        if not seen.holds:
            return Standing("bad", fingerprint, ring.keys.get(fingerprint))
        return _worth(fingerprint, seen, ring, whole or ring)

    def now(self, key: PublicKey, event: Event) -> Standing | None:
        """What a signature that a key makes now is worth; None where nobody has any."""
        if self._root is None:
            return None
        ring = self.ring(self.all)
        seen = Seen("", event, event.time, self.all)
        return _worth(key.fingerprint, seen, ring, ring)


def _worth(fingerprint: str, seen: Seen, ring: Ring, whole: Ring) -> Standing:
    """By a key of `ring`, if it is in there, and the revocations of `whole`."""
    key = ring.keys.get(fingerprint)
    if key is None:
        return Standing("unknown", fingerprint)
    ended = whole.revoked.get(fingerprint, ())
    state, why = next(_faults(key, seen, ended), ("good", ""))
    return Standing(state, fingerprint, key, why)


def _faults(
    key: Key, seen: Seen, ended: Iterable[Revocation]
) -> Iterator[tuple[State, str]]:
    """Why a key's signature does not count, the worst first."""
    yield from (("revoked", why) for r in ended if (why := _revoked(r, seen)))
    if why := _outside(key, seen.time):
        yield "expired", why
    if why := _lacks(key, seen.event.type):
        yield "role", why


def _revoked(revocation: Revocation, seen: Seen) -> str:
    """Why a revocation holds for an event; "" where it does not."""
    earlier = revocation.git in seen.after or revocation.git == seen.git
    since = revocation.since
    if earlier and (since is None or seen.time < since):
        return ""
    when = f" {since[:10]}" if since else ""
    told = f" as of{when}" if when and earlier else ""
    return f"{told}: {revocation.reason}" if revocation.reason else told or " before"


def _outside(key: Key, time: str) -> str:
    if key.valid_from and time < key.valid_from:
        return f"is valid from {key.valid_from[:10]} on"
    if key.valid_until and time > key.valid_until:
        return f"expired on {key.valid_until[:10]}"
    return ""


def _lacks(key: Key, type_: str) -> str:
    """Why a key may not sign an event of a type; "" where it may."""
    needed = NEEDS.get(type_)
    if needed is None:
        return ""
    if RUNNER in key.roles:
        return f"a runner's key signs no {type_}"
    return "" if needed in key.roles else f"a {type_} takes a {needed}"


def read_change(seen: Seen) -> Change:
    """What a key event says; neither key nor revocation where it cannot be read."""
    try:
        with malformed("a key event"):
            return _read(seen, seen.event.data)
    except LineageError:
        return Change(seen)


def _read(seen: Seen, data: Mapping[str, Any]) -> Change:
    by = seen.signature.key.fingerprint if seen.signature else ""
    if data["action"] == "revoke":
        return Change(seen, revocation=_revocation(seen, data, by))
    if data["action"] == "add":
        return Change(seen, key=_key(seen, data, by))
    raise ValueError("an action of another kind")


def _revocation(seen: Seen, data: Mapping[str, Any], by: str) -> Revocation:
    words = [_text(data["fingerprint"]), _text(data.get("reason", ""))]
    since = data.get("since")
    return Revocation(
        words[0],
        seen.git,
        seen.before,
        seen.event.id,
        seen.time,
        since and check_time(since),
        words[1],
        by,
    )


def _key(seen: Seen, data: Mapping[str, Any], by: str) -> Key:
    public = PublicKey.parse(_text(data["key"]))
    if public.fingerprint != data["fingerprint"]:
        raise ValueError("another key's fingerprint")
    limits = [data.get(name) for name in ("from", "until")]
    start, end = (limit and check_time(limit) for limit in limits)
    return Key(
        public,
        _text(data["name"]),
        _text(data["email"]),
        tuple(_text(role) for role in data.get("roles", ())),
        start,
        end,
        seen.git,
        seen.event.id,
        seen.time,
        by,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def founds(change: Change) -> bool:
    """Whether a key event can be a log's first: its key adds itself, to add others."""
    key, seen = change.key, change.seen
    return (
        key is not None
        and seen.signature is not None
        and seen.holds
        and key.by == key.fingerprint
        and not _outside(key, seen.time)
        and not _lacks(key, KEY)
    )
