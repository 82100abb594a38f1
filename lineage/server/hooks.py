"""Webhooks: addresses that are told of events, and how far each has heard.

One file each in the registry's own folder, for its owner alone: it holds the secret
with which what is told is signed.
"""

import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from lineage.errors import Ambiguous, NotFound, UsageError
from lineage.store.disk import disk_errors, locked, write_atomically

_FOLDER = "hooks"


@dataclass(frozen=True)
class Hook:
    """An address that hears of events of some types (none: of all).

    `after` is the git oid of the last event that it took; `failed` is how often it
    has not taken the next one, `error` why, `again` the time of the next try in seconds
    of the epoch. `left_out` counts the events that it has never taken. `private` lets
    it be on our own network.
    """

    id: str
    url: str
    events: tuple[str, ...]
    private: bool
    secret: str
    after: str
    failed: int = 0
    error: str = ""
    again: float = 0.0
    left_out: int = 0

    def wants(self, type_: str) -> bool:
        return not self.events or type_ in self.events


class Hooks:
    """The webhooks of one registry."""

    def __init__(self, home: Path) -> None:
        self._folder = home / _FOLDER

    def add(
        self, url: str, events: Iterable[str], after: str, *, private: bool
    ) -> Hook:
        """Tell `url` of what comes after the event `after`.

        Raises:
            UsageError: when it is no address of http or https.
        """
        if not _can_be_asked(url):
            message = f"{url} is no address of http or https"
            raise UsageError(message, hint="write https://…")
        parts = urlsplit(url)
        if parts.username or parts.password:
            hint = "what is told is signed with the hook's secret"
            raise UsageError("an address holds no password", hint=hint)
        id_, secret = secrets.token_hex(4), f"lwh_{secrets.token_urlsafe(32)}"
        hook = Hook(id_, url, tuple(sorted(set(events))), private, secret, after)
        with disk_errors("adding the webhook"):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self.save(hook, new=True)
        return hook

    def all(self) -> list[Hook]:
        """Every webhook, by its id."""
        return sorted(self._read(), key=lambda hook: hook.id)

    def _read(self) -> Iterator[Hook]:
        for path in self._folder.glob("*.json"):
            with suppress(FileNotFoundError, ValueError, TypeError):
                told = json.loads(path.read_text())
                yield Hook(**{**told, "events": tuple(told["events"])})

    def find(self, id_: str) -> Hook | None:
        """The webhook of a full id, as it is now."""
        return next((hook for hook in self._read() if hook.id == id_), None)

    @contextmanager
    def alone(self, id_: str) -> Iterator[None]:
        """Be the only one that tells a hook.

        Raises:
            BlockingIOError: when somebody else is.
        """
        with locked(self._folder / f"{id_}.lock", wait=False):
            yield

    def save(self, hook: Hook, *, new: bool = False) -> None:
        """Write down how far a hook is, unless somebody has removed it."""
        path = self._folder / f"{hook.id}.json"
        with locked(self._folder / "lock"):
            if new or path.exists():
                write_atomically(path, json.dumps(asdict(hook)).encode(), sync=True)
                path.chmod(0o600)

    def remove(self, prefix: str) -> Hook:
        """Tell an address nothing more.

        Raises:
            NotFound, Ambiguous: when `prefix` is no hook's, or several'.
        """
        found = [hook for hook in self.all() if prefix and hook.id.startswith(prefix)]
        if not found:
            hint = "`lineage webhook list` lists them"
            raise NotFound(f"there is no webhook {prefix}", hint=hint)
        if len(found) > 1:
            message = f"{prefix} is the beginning of several webhooks"
            raise Ambiguous(message, [hook.id for hook in found])
        for ending in ("json", "lock"):
            (self._folder / f"{found[0].id}.{ending}").unlink(missing_ok=True)
        return found[0]


def _can_be_asked(url: str) -> bool:
    """Whether a request could be made of an address, wherever it leads."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna"), parts.port
    except ValueError:
        return False
    sent = f"{parts.path}{parts.query}"
    plain = url.isprintable() and " " not in url and sent.isascii()
    return plain and parts.scheme in ("http", "https") and bool(host) and port != 0


def taken(hook: Hook, event: str) -> Hook:
    """The hook after it has taken an event, or one that is none of its business."""
    return replace(hook, after=event, failed=0, error="", again=0.0)


def missed(hook: Hook, error: str, again: float) -> Hook:
    """The hook after it has not taken the next event, which comes `again` later."""
    return replace(hook, failed=hook.failed + 1, error=error, again=again)


def passed_over(hook: Hook, event: str) -> Hook:
    """The hook after an event that it would not take for a day."""
    return replace(taken(hook, event), left_out=hook.left_out + 1)
