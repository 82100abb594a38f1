"""Telling webhooks of events, in order, until each has taken them.

Each hook is told by a thread of its own, in one of a server's processes: whichever has
the hook's lock. So one that is slow holds up no other. An address that resolves
to a machine of our own network is not asked, unless its hook says that it may be: what
the name resolves to is looked at once, and that is what is connected to. Redirects are
not followed. What does not arrive is sent again, ever later, for a day; then it is
left out, and counted.
"""

import hmac
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from lineage import shapes
from lineage.errors import LineageError, NotAllowed
from lineage.registry import Registry
from lineage.server.hooks import Hook, Hooks, missed, passed_over, taken
from lineage.server.incoming.once import sweep
from lineage.server.pool import Pool
from lineage.store.event_reading import Logged
from lineage.store.uploads import Uploads

_PAUSE = 1.0  # seconds between two looks at the log
_PATIENCE = 10.0  # seconds for an address to answer
_LATEST = 3600.0  # seconds between two tries
_TRIES = 35  # about a day: 1 + 2 + 4 + … + 2048 s, and then an hour each
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # to IPv4: the last 32 bits
_LAST = (1 << 32) - 1
_GLOBAL = ipaddress.ip_network("2000::/3")  # of IPv6, all that was ever given out
_SWEEP = 600.0  # seconds between two looks for what nobody needs any more


class Delivery:
    """A thread that sees to it that hooks hear of events, and sweeps what is over."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._over = threading.Event()
        self._telling: dict[str, threading.Thread] = {}
        self._swept = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True, name="delivery")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End, once what is being told has been told."""
        self._over.set()
        end = time.monotonic() + _PATIENCE
        self._thread.join(_PATIENCE)
        for thread in self._telling.values():
            thread.join(max(end - time.monotonic(), 0.0))

    def _run(self) -> None:
        while not self._over.wait(_PAUSE):
            with suppress(LineageError, OSError):
                self._turn()

    def _turn(self) -> None:
        with self._pool.lease() as registry:
            tip = registry.events_log.tip()
            for hook in Hooks(registry.home).all():
                if hook.after != tip and hook.again <= time.time():
                    self._start(hook.id)
            if time.monotonic() - self._swept > _SWEEP:
                self._swept = time.monotonic()
                Uploads(registry.payloads).sweep()
                sweep(registry)

    def _start(self, id_: str) -> None:
        """Tell a hook of what is new, unless it is being told."""
        if id_ in self._telling and self._telling[id_].is_alive():
            return
        name = f"delivery-{id_}"
        thread = threading.Thread(target=self._tell, args=[id_], daemon=True, name=name)
        self._telling[id_] = thread
        thread.start()

    def _tell(self, id_: str) -> None:
        with suppress(LineageError, OSError), self._pool.lease() as registry:
            hooks = Hooks(registry.home)
            with hooks.alone(id_):
                hook = hooks.find(id_)
                if hook and hook.again <= time.time():
                    hooks.save(self._told(registry, hooks, hook))

    def _told(self, registry: Registry, hooks: Hooks, hook: Hook) -> Hook:
        """The hook after it was told of what is new, as long as it takes it."""
        log = registry.events_log
        for logged in log.iterate(since=hook.after, oldest_first=True):
            if self._over.is_set():
                break
            wanted = hook.wants(logged.event.type)
            error = send(hook, logged) if wanted else ""
            if error and hook.failed + 1 < _TRIES:
                return missed(hook, error, time.time() + _wait(hook.failed))
            after = passed_over if error else taken
            hook = after(hook, logged.git)
            if wanted:
                hooks.save(hook)
        return hook


def _wait(failed: int) -> float:
    """Seconds until the next try, after so many that failed before the last."""
    return min(2.0**failed, _LATEST)


def send(hook: Hook, logged: Logged) -> str:
    """Tell a hook of an event; why it did not take it, or nothing."""
    body = json.dumps(shapes.whole_event(logged)).encode()
    stamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "lineage",
        "Lineage-Event": logged.event.id,
        "Lineage-Signature": f"t={stamp},v1={signature(hook.secret, stamp, body)}",
    }
    try:
        status = _post(hook, body, headers)
    except (OSError, HTTPException, LineageError, ValueError) as error:
        return str(error) or type(error).__name__
    return "" if 200 <= status < 300 else f"it answered {status}"


def signature(secret: str, stamp: str, body: bytes) -> str:
    """HMAC-SHA-256 of the time stamp, a full stop and the body, in hexadecimal."""
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, "sha256").hexdigest()


def _post(hook: Hook, body: bytes, headers: Mapping[str, str]) -> int:
    parts = urlsplit(hook.url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    kind = HTTPSConnection if secure else HTTPConnection
    connection = kind(host, port, timeout=_PATIENCE)
    connection.sock = sock = _connected(host, port, private=hook.private)
    timer = threading.Timer(_PATIENCE, _cut, [connection])
    timer.daemon = True
    timer.start()
    try:
        if secure:
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(sock, server_hostname=host)
        path = parts.path or "/"
        target = f"{path}?{parts.query}" if parts.query else path
        connection.request("POST", target, body, dict(headers))
        return connection.getresponse().status
    finally:
        timer.cancel()
        connection.close()
        sock.close()


def _cut(connection: HTTPConnection) -> None:
    """End a connection whose other end takes all the time in the world."""
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _connected(host: str, port: int, *, private: bool) -> socket.socket:
    """A connection to one of the addresses that a name has, none of them ours."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, address in found:
        if not private and not _is_public(str(address[0])):
            hint = "`lineage webhook add --allow-private` lets a hook be there"
            raise NotAllowed(f"{host} is on a network of our own", hint=hint)
    family, kind, number, _, address = found[0]
    sock = socket.socket(family, kind, number)
    sock.settimeout(_PATIENCE)
    try:
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


def _is_public(text: str) -> bool:
    """Whether an address is on no network of ours, however it is written."""
    found = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner or found in _TRANSLATED:
            return _is_public(str(inner or ipaddress.IPv4Address(int(found) & _LAST)))
        if found not in _GLOBAL:
            return False
    return found.is_global and not found.is_multicast
