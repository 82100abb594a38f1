"""A request that is sent again is answered again, and done once.

Whoever names a request (``Idempotency-Key``) may send it again when no answer came. A
small file of the registry's own holds, under the sender and that name, where the log
was before and which event was the answer. Should the server have been killed between
the two, the event is looked for after that place: it has the name in its data.
"""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from lineage.errors import Busy, StoreError, UsageError
from lineage.registry import Registry
from lineage.server.access import Principal
from lineage.store.disk import disk_errors, locked, make_folder, sync_path
from lineage.store.event_reading import Logged

NAME = "request"  # of a request's name in its event's data
CIRCUMSTANCES = ("via", "token", NAME)  # what an event's data say of its way here
_FOLDER = "requests"
_KEPT = 24 * 3600  # seconds that a name is known


def once(
    registry: Registry,
    who: Principal,
    name: str | None,
    asked: str,
    do: Callable[[], str],
) -> Logged:
    """The event that `do` appends, whose id it gives; or has appended before.

    Raises:
        UsageError: when the name was that of another request.
        Busy: when the same request is being answered.
    """
    before = registry.events_log.tip()
    if name is None:
        return _logged(registry, do(), before)
    path = _path(registry, who, name)
    with ExitStack() as held:
        try:
            with disk_errors("noting the request"):
                held.enter_context(locked(path, wait=False))
        except StoreError as error:
            if not isinstance(error.__cause__, BlockingIOError):
                raise
            message = f"the request {name} is being answered"
            raise Busy(message, hint="ask again in a moment") from None
        digest = sha256(asked.encode()).hexdigest()
        if logged := _answered(registry, path, who, name, digest):
            return logged
        with disk_errors("noting the request"):
            path.write_text(json.dumps({"asked": digest, "before": before}) + "\n")
            sync_path(path)
        logged = _logged(registry, do(), before)
        with suppress(OSError), path.open("a") as file:  # else the log is asked
            file.write(json.dumps({"event": logged.git}) + "\n")
        return logged


def words(asked: BaseModel, of: str = "") -> str:
    """What a request asks for, as text: its body, and what it is `of` beside that.

    Raises:
        UsageError: when no JSON of ours can hold the body.
    """
    try:
        return f"{type(asked).__name__} {of} {asked.model_dump_json()}"
    except PydanticSerializationError:
        hint = "send whole characters, and no more levels than somebody can read"
        raise UsageError(
            "the body has half characters, or is deep", hint=hint
        ) from None


def circumstances(who: Principal, name: str | None) -> dict[str, str]:
    """What the events of a request say of it."""
    return {**who.circumstances, **({NAME: name} if name else {})}


def _path(registry: Registry, who: Principal, name: str) -> Path:
    sender = "\0".join((who.token or "", who.email, name))
    with disk_errors("noting the request"):
        make_folder(str(registry.home / _FOLDER))
    return registry.home / _FOLDER / sha256(sender.encode()).hexdigest()


def _answered(
    registry: Registry, path: Path, who: Principal, name: str, digest: str
) -> Logged | None:
    """The event of a request that was sent before."""
    log = registry.events_log
    try:
        noted, *answer = map(json.loads, path.read_text().splitlines())
    except ValueError:  # it is new, or no more than begun
        return None
    if answer and noted["asked"] != digest:
        hint = "name each request anew, unless it is the same one once more"
        raise UsageError(f"{name} was the name of another request", hint=hint)
    if answer:
        return Logged(answer[0]["event"], log.event(answer[0]["event"]))
    ours = circumstances(who, name).items()
    later = log.iterate(since=noted["before"])
    return next((one for one in later if ours <= one.event.data.items()), None)


def _logged(registry: Registry, id_: str, before: str | None) -> Logged:
    """An event by its id: one of those that came since, or, said again, an old one."""
    log = registry.events_log
    new = log.iterate(since=before)
    found = next((one for one in new if one.event.id == id_), None)
    return found or log.find(id_)[0]


def sweep(registry: Registry) -> None:
    """Forget the names of old requests."""
    limit = time.time() - _KEPT
    for path in (registry.home / _FOLDER).glob("*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < limit:
                path.unlink()
