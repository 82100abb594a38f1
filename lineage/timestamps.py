"""Time that is not our own clock's: time stamps of events by an authority (RFC 3161).

The id of an event is a SHA-256, which a time stamping authority (TSA) signs together
with its time. So the event, and through ``prev`` all that came before it, was there by
then. The stamp is recorded by one more event, of the type ``timestamp``
(store/FORMAT.md).
"""

import base64
from binascii import Error
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lineage.errors import NotFound, StoreError, UsageError, VerificationError
from lineage.registry import Registry
from lineage.store import rfc3161
from lineage.store.objects import Event

TIMESTAMP = "timestamp"  # the type of such an event
CA = "tsa.ca"  # the setting that names a file of certificates
LONGEST = 1024 * 1024  # bytes of a reply
_PATIENCE = 60  # seconds


@dataclass(frozen=True, slots=True)
class Stamped:
    """The event `event` records that the event `of` was there at `time`, says `tsa`.

    `token` is the reply as it came; nobody has checked it (see `check`).
    """

    event: str
    of: str
    time: str
    tsa: str
    token: bytes
    recorded: str
    by: Mapping[str, str]


def stamps(registry: Registry) -> tuple[Stamped, ...]:
    """The time stamps that the log records, the oldest first."""
    log = registry.events_log.iterate(oldest_first=True)
    found = (stamp_of(logged.event) for logged in log if is_stamp(logged.event))
    return tuple(stamp for stamp in found if stamp)


def is_stamp(event: Event) -> bool:
    """Whether an event is of that type, well-formed or not."""
    return event.type == TIMESTAMP


def stamp_of(event: Event) -> Stamped | None:
    """The stamp in an event; None where it is not as FORMAT.md has it."""
    data = event.data
    given = [data.get(name) for name in ("of", "time", "tsa", "token")]
    if not all(isinstance(text, str) for text in given):
        return None
    try:
        token = base64.b64decode(data["token"], validate=True)
    except (Error, ValueError):
        return None
    of, time, tsa, _ = map(str, given)
    return Stamped(event.id, of, time, tsa, token, event.time, event.actor)


def _why(error: Exception) -> str:
    """What went wrong, in the words of the system where it has some."""
    cause = error if hasattr(error, "code") else getattr(error, "reason", error)
    return str(getattr(cause, "strerror", None) or cause)


def query(registry: Registry, *, nonce: bool = False) -> tuple[str, bytes, int | None]:
    """A query for the newest event: the event's id, the query, the nonce in it.

    Raises:
        LineageError: where the extra ``audit`` is not installed.
    """
    tip = registry.events_log.tip()
    assert tip is not None  # a registry begins with an event
    event = registry.events_log.event(tip)
    return event.id, *rfc3161.query(event.encoded, nonce=nonce)


def ask(url: str, asked: bytes) -> bytes:
    """The reply of the TSA at `url` to a query.

    Raises:
        UsageError: when it is no address of http or https.
        StoreError: when nothing that could be a reply comes back.
    """
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    if not url.startswith(("http://", "https://")):
        hint = "give the address of a time stamping service: https://…"
        raise UsageError(f"{url!r} is no address of http or https", hint=hint)
    headers = {"Content-Type": "application/timestamp-query"}
    try:
        sent = Request(url, data=asked, headers=headers)  # noqa: S310 - looked at above
        with urlopen(sent, timeout=_PATIENCE) as reply:  # noqa: S310
            data = bytes(reply.read(LONGEST + 1))
    except (OSError, ValueError, HTTPException) as error:
        hint = "--query FILE and --reply FILE take it there by hand"
        why = _why(error)
        raise StoreError(f"{url} gave no time stamp: {why}", hint=hint) from None
    if len(data) > LONGEST:
        raise StoreError(f"{url} gave no time stamp: its reply does not end")
    return data


def record(
    registry: Registry,
    reply: bytes,
    *,
    roots: bytes | None = None,
    nonce: int | None = None,
) -> Stamped:
    """Record a TSA's reply, which stamps an event of this log.

    One that is recorded already is not recorded again.
    With `roots`, certificates in PEM, only one that leads to them; with `nonce` only
    the reply to that query.

    Raises:
        UsageError: when it cannot be read, or no time stamp was given.
        NotFound: when it stamps no event of this log.
        VerificationError: when it does not lead to `roots`, or answers another query.
        NotAllowed: when the registry is that of a time that has passed.
    """
    registry.events_log.check_writable()
    stamp = rfc3161.read(reply)
    of = _stamped(registry, stamp.digest)
    if nonce is not None and stamp.nonce != nonce:
        raise VerificationError("the time stamp answers another query than ours")
    if roots is not None:
        rfc3161.check(reply, stamp.digest, roots)
    if known := next((one for one in stamps(registry) if one.token == reply), None):
        return known
    token = base64.b64encode(reply).decode()
    data = {"of": of, "time": stamp.time, "tsa": stamp.tsa, "token": token}
    message = f"{of[:12]} was there by {stamp.time[:19]}Z, says {stamp.tsa}"
    event = registry.attest(TIMESTAMP, message=message, data=data)
    [logged] = registry.events_log.find(event)
    found = stamp_of(logged.event)
    assert found is not None  # it was just made
    return found


def _stamped(registry: Registry, digest: str) -> str:
    for logged in registry.events_log.find(digest):
        if logged.event.id == digest:
            return digest
    hint = "it is for the event of which `lineage timestamp --query` made the query"
    raise NotFound(f"the time stamp is of {digest[:12]}, no event here", hint=hint)


def roots_of(registry: Registry, file: Path | None = None) -> bytes | None:
    """The certificates to check with: of `file`, else as `tsa.ca` says, else None.

    Raises:
        StoreError: when the file cannot be read.
        UsageError: when it holds no certificates.
    """
    named = registry.settings.get(CA)
    if file is None and named:
        file = registry.root / Path(named).expanduser()
    return None if file is None else rfc3161.read_certificates(file)


def faults(stamp: Stamped, roots: bytes | None) -> Iterator[str]:
    """What is wrong with a time stamp: its imprint and, with `roots`, its signature.

    Raises:
        LineageError: where the extra ``audit`` is not installed.
    """
    try:
        said = rfc3161.read(stamp.token)
        if said.digest != stamp.of:
            yield f"the time stamp is of {said.digest[:12]}, not of what the event says"
        elif (said.time, said.tsa) != (stamp.time, stamp.tsa):
            yield "the time stamp has another time, or TSA, than the event says"
        elif roots is not None:
            rfc3161.check(stamp.token, stamp.of, roots)
    except (UsageError, VerificationError) as error:
        yield str(error)
