"""Who is at the other end: this machine, a proxy that is trusted, or anybody."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from lineage.errors import UsageError

Headers = Sequence[tuple[bytes, bytes]]  # as ASGI has them: names in lower case

_KNOWN = 4096  # addresses that are looked up once
_WITH_PORT = re.compile(r"(\d[\d.]+):\d+|\[([^\]]*)\](?::\d+)?")
_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
FORWARDED = (b"forwarded", b"via", b"x-real-ip")  # and x-forwarded-…


def networks(texts: Sequence[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses and networks as people write them.

    Raises:
        UsageError: for text that is neither.
    """
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError:
        hint = "write 10.0.0.5 or 10.0.0.0/8"
        wrong = ", ".join(texts)
        raise UsageError(f"no address or network: {wrong}", hint=hint) from None


@lru_cache(_KNOWN)
def is_loopback(host: str) -> bool:
    """Whether an address, or ``localhost``, is this machine and nothing else."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _network(address: str) -> str:
    try:
        return str(ip_network(f"{address.partition('%')[0]}/64", strict=False))
    except ValueError:  # whatever a proxy calls it, it is one
        return address


def _hop(text: str) -> str:
    """The address that a proxy passed on for: some write a port behind it."""
    found = _WITH_PORT.fullmatch(text.strip())
    return (found[1] or found[2]) if found else text.strip()


def block(address: str) -> str:
    """What one client has: an address, or the 64 bits of a network that IPv6 gives."""
    return address if ":" not in address else _network(address)


def names_this_machine(host: str) -> bool:
    """Whether a Host header names this machine, as no page of others' can."""
    name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    if not port.isdigit():
        name = host
    return name.lower() in _LOCAL_NAMES or name.lower().endswith(".localhost")


def one(headers: Headers, name: bytes) -> str:
    """The value of a header, empty where it is not there once."""
    found = [value for key, value in headers if key == name]
    return found[0].decode("latin-1").strip() if len(found) == 1 else ""


class Peers:
    """Which peers are trusted to say on whose behalf they ask."""

    def __init__(self, proxies: Sequence[str]) -> None:
        self._proxies = networks(proxies)
        self.trusts = lru_cache(_KNOWN)(self._trusts)

    def __bool__(self) -> bool:
        return bool(self._proxies)

    def _trusts(self, host: str) -> bool:
        """Whether the peer `host` is one of the proxies."""
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return False
        return any(address in network for network in self._proxies)

    def address(self, host: str, headers: Headers) -> str:
        """Where a request comes from: the last hop that no trusted proxy is."""
        if not self._proxies or not self.trusts(host):
            return host
        said = b",".join(v for key, v in headers if key == b"x-forwarded-for")
        hops = map(_hop, reversed(said.decode("latin-1").split(",")))
        strange = (hop for hop in hops if hop and not self.trusts(hop))
        return next(strange, host)

    def identity(
        self, host: str, headers: Headers, names: Mapping[str, str]
    ) -> dict[str, str] | None:
        """Who asks by way of a trusted proxy, as an event's actor.

        `names` are those of the headers that say ``name`` and ``email``.
        """
        if not self._proxies or not self.trusts(host):
            return None
        said = {key: one(headers, name.encode()) for key, name in names.items()}
        name = said["name"] or said["email"]
        if not name or not name.isprintable() or not said["email"].isprintable():
            return None
        return {"name": name, "email": said["email"] or name}
