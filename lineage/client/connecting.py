"""Opening a registry that lies behind a server."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from lineage.client import mirror
from lineage.client.http import Server
from lineage.client.remote import Remote
from lineage.errors import StoreError
from lineage.moments import event_at
from lineage.opening import OpenRegistry
from lineage.store.transport import Told


class ConnectedRegistry(OpenRegistry, Remote):
    """The registry that `connect` gives: all that `open` gives, behind a server."""


def connect(
    url: str,
    token: str | None = None,
    *,
    at: str | None = None,
    settings: Mapping[str, str] | None = None,
    cache: Path | None = None,
    offline: bool = False,
    told: Told | None = None,
) -> ConnectedRegistry:
    """Open the registry that a server serves at `url`, as `open` does one of a folder.

    Its history is mirrored in a folder below `cache` (by default in the user's own
    cache folder): all of it the first time, which `told` hears of, and then what is
    new; each event and commit is verified. `token` else comes from ``~/.netrc``. With
    `at`, a date or an event, it is as it was then. `offline` reads what was seen last,
    without the server.

    Raises:
        NotFound: when there is no registry, or there was no event by then.
        Unauthenticated, NotAllowed: when the token is not enough.
        VerificationError: when the server's history is not what it says.
        StoreError: when the server does not answer; when it was never seen, offline.
    """
    server = Server(url, token)
    with ExitStack() as failing:
        failing.callback(server.close)
        tip = None if offline else server.tip()  # before a folder is made for nothing
        git = mirror.repository(server, cache or mirror.cache_folder())
        registry = ConnectedRegistry(git, server, settings, offline=offline)
        failing.callback(registry.close)
        if tip and tip != registry.events_log.tip():
            registry.follow(told)
        if registry.events_log.tip() is None:
            message = f"nothing was seen of {server} yet"
            raise StoreError(message, hint="connect to it once")
        end = event_at(registry, at) if at else None
        failing.pop_all()
    if end is None:
        return registry
    return ConnectedRegistry(git, server, settings, end, offline=offline)
