"""Telling one webhook of one event: what is sent, signed with what, and where to.

An address that resolves to a machine of our own network is not asked, unless its hook
says that it may be: what the name resolves to is looked at once, and that is what is
connected to. Redirects are not followed.
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
from lineage.server.hooks import Hook
from lineage.store.event_reading import Logged

PATIENCE = 10.0  # seconds for an address to answer
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # to IPv4: the last 32 bits
_LAST = (1 << 32) - 1
_GLOBAL = ipaddress.ip_network("2000::/3")  # of IPv6, all that was ever given out


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
    connection = kind(host, port, timeout=PATIENCE)
    connection.sock = sock = _connected(host, port, private=hook.private)
    timer = threading.Timer(PATIENCE, _cut, [connection])
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
    sock.settimeout(PATIENCE)
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
