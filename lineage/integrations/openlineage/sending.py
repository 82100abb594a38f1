"""Sending what was recorded, beside whoever recorded it.

The log is the outbox: a note in the registry's own folder says up to which event all is
sent, so nothing is lost while a server is away, and nobody waits for one. Whoever
records starts a process that sends the rest (`starting`); of several one sends and one
waits.
"""

import json
import sys
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from lineage.errors import LineageError, StoreError, UsageError
from lineage.integrations.openlineage.outgoing import Json, run_events
from lineage.integrations.openlineage.starting import FILE, URL
from lineage.registry import Registry
from lineage.store.disk import disk_errors, locked, write_atomically

KEY = "openlineage.api-key"
_PATH = "/api/v1/lineage"
_SECONDS = 10  # that a server may take for one event
_NOTE = "openlineage"  # in the registry's folder: the newest event that was sent

Transport = Callable[[Json], None]


def send(registry: Registry) -> int:
    """Send what is not sent yet, oldest first; how many run events that were.

    Raises:
        UsageError: when no place is set.
        StoreError: when it does not take them; what it took stays noted as sent.
    """
    transport = _transport(registry)
    with locked(registry.home / "openlineage.lock"):
        return _send(registry, transport)


def _send(registry: Registry, transport: Transport) -> int:
    note, log, sent = registry.home / _NOTE, registry.events_log, 0
    known = note.read_text().strip() if note.exists() else None
    since = known if known and log.follows(known) else None
    for git, event in log.iterate(since=since, oldest_first=True):
        for each in run_events(registry, event):
            transport(each)
            sent += 1
        if event.commits:
            write_atomically(note, git.encode())
    if tip := log.tip():
        write_atomically(note, tip.encode())
    return sent


def _transport(registry: Registry) -> Transport:
    url, file = (registry.settings.get(key) for key in (URL, FILE))
    if url:
        return _http(url, registry.settings.get(KEY))
    if file:
        return _appended(registry.root / Path(file).expanduser())
    hint = f"`lineage config {URL} https://…` or `lineage config {FILE} FILE`"
    raise UsageError("no place is set to send OpenLineage events to", hint=hint)


def _http(url: str, key: str | None) -> Transport:
    if not url.startswith(("http://", "https://")):
        raise UsageError(
            f"{URL} is no address of http or https: {url}", hint="https://…"
        )
    there = url if url.rstrip("/").endswith("/lineage") else url.rstrip("/") + _PATH
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"

    def post(event: Json) -> None:
        data = json.dumps(event).encode()
        request = urllib.request.Request(there, data, headers)  # noqa: S310 - checked
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
                pass
        except (OSError, ValueError) as error:
            why = getattr(error, "reason", error)
            hint = "the next commit tries again, and so does `lineage emit`"
            raise StoreError(
                f"{there} did not take an event: {why}", hint=hint
            ) from None

    return post


def _appended(path: Path) -> Transport:
    def append(event: Json) -> None:
        with disk_errors("writing OpenLineage events"), path.open("a") as file:
            file.write(json.dumps(event) + "\n")

    return append


def main(root: str) -> None:
    """Send what another process has recorded, unless somebody waits to do that."""
    import lineage

    with (
        suppress(LineageError, OSError),  # nobody is there to be told
        lineage.open(root) as registry,
        ExitStack() as going,
    ):
        transport = _transport(registry)
        with locked(registry.home / "openlineage.next", wait=False):
            going.enter_context(locked(registry.home / "openlineage.lock"))
        _send(registry, transport)


if __name__ == "__main__":
    main(sys.argv[1])
