"""Signing events as they are written, and refusing what no signature may say.

Every event passes here before anything of it is on disk: what cannot be signed, or
would be signed with a key that does not count, is not written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lineage.errors import LineageError, NotAllowed, VerificationError
from lineage.keys.log import Keyed
from lineage.keys.ring import RUNNER, Key, Keys, Seen, Standing, founds, read_change
from lineage.store.event_commit import KEY
from lineage.store.merging import PULL
from lineage.store.objects import Event
from lineage.store.signing import NAMESPACE, check_file, sign
from lineage.store.sshsig import Signature

KEY_FILE, RUNNER_FILE = "signing.key", "signing.runner-key"


class Signer:
    """Signs the events of one registry, with the key that its settings name."""

    def __init__(self, registry: Keyed) -> None:
        self._registry = registry
        self._chosen: Path | None = None
        self._given: bytes | None = None
        self._machine = False
        self.optional = False  # where another machine may sign instead
        self._keys: tuple[frozenset[str], Keys] | None = None

    def __call__(self, event: Event, commit: bytes) -> bytes | None:
        """The signature of an event's commit, or None where it has none.

        A pull has none where the key does not count: what comes may say that it does.

        Raises:
            StoreError: when the key cannot sign.
            NotAllowed: when it may not, or a key is needed and none is set.
        """
        path, keys = self.path(), self.keys()
        if self._given is not None:
            return self._checked(keys, event, commit, self._given)
        if path is None:
            self._check_unsigned(keys, event.type)
            return None
        signature = sign(commit, path)
        if wrong := self._fault(keys, event, Signature.parse(signature)):
            if event.type != PULL:
                raise wrong
            return None
        return signature

    def ready(self) -> None:
        """Refuse now what would be refused after a long piece of work.

        Raises:
            StoreError: when the key that is set is not there.
            NotAllowed: when a key is needed and none is set.
        """
        path = self.path()
        if path is None:
            self._check_unsigned(self.keys(), "")
        else:
            check_file(path)

    def path(self) -> Path | None:
        """The file of the key that signs here and now."""
        own = self._setting(KEY_FILE)
        if self._chosen or not self._machine:
            return self._chosen or own
        return self._setting(RUNNER_FILE) or (own if self._is_runner(own) else None)

    def _setting(self, name: str) -> Path | None:
        value = self._registry.settings.get(name)
        return self._registry.root / Path(value).expanduser() if value else None

    def keys(self) -> Keys:
        """The keys as of the newest event."""
        from lineage.keys.judge import Judge

        oids = frozenset(self._registry.key_log.oids())
        if self._keys is None or self._keys[0] != oids:
            fresh = Judge(self._registry).keys if oids else Keys((), None)
            self._keys = oids, fresh
        return self._keys[1]

    @contextmanager
    def using(self, path: Path) -> Iterator[None]:
        """Sign with the key at `path` for a while."""
        self._chosen = path
        try:
            yield
        finally:
            self._chosen = None

    @contextmanager
    def given(self, signature: bytes) -> Iterator[None]:
        """Let the next event have a signature that was made elsewhere, if it holds."""
        self._given = signature
        try:
            yield
        finally:
            self._given = None

    def _checked(self, keys: Keys, event: Event, commit: bytes, given: bytes) -> bytes:
        try:
            signature = Signature.parse(given)
        except ValueError as error:
            message = f"the event's signature cannot be read: {error}"
            raise VerificationError(message) from None
        if not signature.holds(commit, NAMESPACE):
            hint = "sign the git commit that this event has after its `parent`"
            message = "the event's signature does not hold"
            raise VerificationError(message, hint=hint)
        if wrong := self._fault(keys, event, signature):
            raise wrong
        return given

    @contextmanager
    def machine(self, what: str = "a loop") -> Iterator[None]:
        """Sign as a machine for a while: with the runner's key, never a person's.

        Raises:
            NotAllowed: when there are keys and none of them is a runner's here.
        """
        self._machine = True
        try:
            if self.path() is None and self._needed(self.keys()):
                hint = "make one: `lineage key generate runner --role runner`"
                message = f"{what} signs with a key of its own, not in a person's name"
                raise NotAllowed(message, hint=hint)
            yield
        finally:
            self._machine = False

    def entry(self, path: Path | None) -> Key | None:
        """What the registry says of the key at `path`, if its public half is there."""
        from lineage.store.key_files import public_half, read_public

        keys = self.keys()
        if path is None or keys.root is None:
            return None
        try:
            fingerprint = read_public(public_half(path)).fingerprint
        except LineageError:
            return None
        return keys.ring(keys.all).keys.get(fingerprint)

    def _is_runner(self, path: Path | None) -> bool:
        key = self.entry(path)
        return key is not None and RUNNER in key.roles

    def _newest_time(self) -> str:
        """The time of the event that the next one comes after."""
        tip = self._registry.events_log.tip()
        return self._registry.events_log.event(tip).time if tip else ""

    def _needed(self, keys: Keys) -> bool:
        return keys.root is not None and not unsigned_allowed(self._registry)

    def _check_unsigned(self, keys: Keys, type_: str) -> None:
        """Let a pull be: whoever only reads has to follow, with a key or without."""
        if type_ != PULL and not self.optional and self._needed(keys):
            hint = "`lineage key generate`, or `lineage config signing.key FILE`"
            message = "events are signed in this registry, and no key is set here"
            raise NotAllowed(message, hint=hint)

    def _fault(
        self, keys: Keys, event: Event, signature: Signature
    ) -> NotAllowed | None:
        """Why an event must not be signed so, if anything."""
        time = max(event.time, self._newest_time())
        seen = Seen("", event, time, keys.all, signature=signature)
        if keys.root is None:
            if event.type == KEY and not founds(read_change(seen)):
                hint = "add it with the role releaser, and sign with it"
                return NotAllowed("the first key adds itself", hint=hint)
            return None
        standing = keys.standing(seen)
        return refused(standing) if standing and standing.state != "good" else None


def unsigned_allowed(registry: Keyed) -> bool:
    """Whether this clone's settings let unsigned events be."""
    wanted = registry.settings.get("signing.required") or "true"
    return wanted.lower() in ("false", "no", "off", "0")


_HINTS = {
    "unknown": "a releaser adds it: `lineage key add FILE.pub`",
    "expired": "a releaser adds it anew: `lineage key add FILE.pub --until DATE`",
    "revoked": "make another: `lineage key generate`",
    "role": "`lineage key list` shows who may",
}


def refused(standing: Standing) -> NotAllowed:
    """The error that a key must not sign, for what its signature would be worth."""
    who = standing.key.name if standing.key else standing.fingerprint
    message = {
        "unknown": f"nobody has added the key {who}, with which this is signed",
        "expired": f"the key of {who} {standing.why}",
        "revoked": f"the key of {who} was revoked{standing.why}",
        "role": f"{who} may not sign this: {standing.why}",
    }.get(standing.state, f"this {standing.says}")
    return NotAllowed(message, hint=_HINTS.get(standing.state, ""))
