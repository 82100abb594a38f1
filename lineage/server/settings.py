"""What a server is told when it starts."""

from dataclasses import dataclass, field

_MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What one client, or one request, may take."""

    head: int = 32 << 10  # bytes of request line and headers
    headers: int = 100
    head_seconds: float = 10  # from the first byte of a request to its last header
    body: int = 32 * _MIB  # but for files, which go to disk as they come
    idle_seconds: float = 30  # between two pieces of a body, either way
    slowest: int = 1 << 10  # bytes per second of a body, after the first idle_seconds
    seconds: float = 120  # from a request that is here to its answer's start
    rate: float = 300  # requests per second of one address that is not this machine
    burst: float = 3000  # requests
    at_once: int = 64  # requests of one such address
    connections: int = 1000


@dataclass(frozen=True)
class Settings:
    """How a server is asked, and by whom.

    `proxies` are the addresses or networks of reverse proxies that say in headers who
    asks; whoever they name has `proxy_scopes`.
    """

    proxies: tuple[str, ...] = ()
    proxy_scopes: tuple[str, ...] = ("read",)
    user_header: str = "x-forwarded-user"
    email_header: str = "x-forwarded-email"
    limits: Limits = field(default_factory=Limits)
