"""Keys: who may sign what in a registry, and from when until when.

Every change of the keys is an event of type ``key``, signed by somebody who may
make it. `ring` has the rules, `judge` applies them to a log, `signer` to what is
written here.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.errors import Ambiguous, NotAllowed, NotFound, UsageError
from lineage.keys.ring import RELEASER, ROLES, RUNNER, Key, Keys, Ring
from lineage.store.disk import disk_errors
from lineage.store.event_commit import KEY
from lineage.store.events import now
from lineage.store.fields import choice, given
from lineage.store.objects import Event
from lineage.store.sshsig import PublicKey

if TYPE_CHECKING:
    from lineage.registry import Registry

__all__ = ["Key", "Keys", "Ring", "add", "check", "current", "find", "revoke"]


def current(registry: "Registry") -> Ring:
    """The keys and revocations that count now."""
    keys = registry.signer.keys()
    return keys.ring(keys.all)


def add(
    registry: "Registry",
    public: PublicKey,
    name: str,
    email: str,
    *,
    roles: Iterable[str] = (),
    valid_from: str | None = None,
    valid_until: str | None = None,
    sign_with: Path | None = None,
) -> str:
    """Let a key sign from the next event on; returns the event's id.

    The first key of a registry adds itself: `sign_with` is its file. Adding a key
    again changes its roles or renews it. Times are as events hold them.

    Raises:
        NotAllowed: when the key that signs here may not, it was revoked, or nobody
            could add keys afterwards.
        UsageError: for roles or times that cannot be.
    """
    roles = check(name, email, roles, valid_from, valid_until)
    if public.fingerprint in current(registry).revoked:
        hint = "a revoked key stays revoked: make another"
        raise NotAllowed(f"{public.fingerprint} was revoked", hint=hint)
    if RELEASER not in roles:
        hint = "give it the role again, `--role releaser`, or add another first"
        _check_others(registry, public.fingerprint, hint)
    data = given(
        action="add",
        key=public.line,
        fingerprint=public.fingerprint,
        name=name,
        email=email,
        roles=roles,
    )
    data |= {
        key: value
        for key, value in (("from", valid_from), ("until", valid_until))
        if value
    }
    what = f"add {name}" + (f" ({', '.join(roles)})" if roles else "")
    if sign_with is None:
        return _record(registry, what, data)
    with registry.signer.using(sign_with):
        return _record(registry, what, data)


def revoke(
    registry: "Registry", key: Key, *, reason: str, since: str | None = None
) -> str:
    """Let a key sign no more; returns the event's id.

    What it signed before stays good up to the time `since`: all of it for None,
    nothing for "".

    Raises:
        NotAllowed: when nobody could add keys afterwards, or the key that signs here
            may not revoke.
        UsageError: without a reason.
    """
    if not reason.strip():
        raise UsageError(
            "a key is revoked for a reason", hint="--reason 'left the team'"
        )
    hint = "add another first: `lineage key add FILE.pub --role releaser`"
    _check_others(registry, key.fingerprint, hint)
    data = given(
        action="revoke", fingerprint=key.fingerprint, reason=reason, since=since
    )
    return _record(registry, f"revoke {key.name}: {reason}", data)


def _check_others(registry: "Registry", fingerprint: str, hint: str) -> None:
    """Refuse to take from the only releaser what makes it one."""
    releasers = {
        one.fingerprint: one.name
        for one in current(registry).active(now())
        if RELEASER in one.roles
    }
    if releasers.keys() == {fingerprint}:
        name = releasers[fingerprint]
        raise NotAllowed(f"{name} is the only releaser that is left", hint=hint)


def _record(registry: "Registry", message: str, data: dict[str, object]) -> str:
    event = Event(KEY, now(), registry.actor(), message, data=data)
    with disk_errors("recording the key"), registry.events_log.locked() as lock:
        return registry.record(event, lock=lock).event.id


def check(
    name: str,
    email: str,
    roles: Iterable[str],
    valid_from: str | None,
    valid_until: str | None,
) -> list[str]:
    """The roles in their order, where all of this can be said of a key.

    Raises:
        UsageError: where it cannot.
    """
    for text in (name, email):
        if not text or not text.isprintable():
            raise UsageError(f"{text!r} is not a name or an address")
    chosen = {choice(role, ROLES, "a role of a key") for role in roles}
    if RUNNER in chosen and len(chosen) > 1:
        hint = "make two keys: `lineage key generate runner --role runner`"
        raise UsageError("a runner's key is no person's", hint=hint)
    if valid_until and valid_until <= (valid_from or now()):
        raise UsageError(f"the key would be valid until {valid_until[:10]}: in no time")
    return [role for role in ROLES if role in chosen]


def find(registry: "Registry", name: str) -> Key:
    """The key with a fingerprint, the beginning of one, or a name.

    Raises:
        NotFound: when there is none, or it is revoked.
        Ambiguous: when there are several.
    """
    ring = current(registry)
    keys = [key for key in ring.keys.values() if key.fingerprint not in ring.revoked]
    short = name if name.startswith("SHA256:") else f"SHA256:{name}"
    found = [
        key
        for key in keys
        if name in (key.name, key.email) or key.fingerprint.startswith(short)
    ]
    if not found:
        hint = "`lineage key list` shows them"
        raise NotFound(f"there is no key {name}", hint=hint)
    if len(found) > 1:
        listed = [f"{key.fingerprint} ({key.name})" for key in found]
        raise Ambiguous(f"{name} means {len(found)} keys", listed)
    return found[0]
