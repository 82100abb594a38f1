"""Talking to a server: addresses, tokens, answers and what their errors mean here."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from lineage import errors
from lineage.client.netrc import stored_token
from lineage.protocol import API, REQUEST
from lineage.store import names

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

_KINDS: dict[int, type[errors.LineageError]] = {
    400: errors.UsageError,
    401: errors.Unauthenticated,
    403: errors.NotAllowed,
    404: errors.NotFound,
    409: errors.Conflict,
    422: errors.VerificationError,
}
_CONNECT, _READ = 10.0, 120.0  # seconds without an answer
_LONGEST = 1 << 20  # bytes of a problem
_LARGEST = 64 << 20  # bytes of an answer
_LEFT = 1 << 16  # bytes that are read to keep a connection
_JOBS = 8  # connections
_BETWEEN = (502, 504)  # what a proxy says of a server that gave it no answer


class Unanswered(errors.StoreError):
    """No answer came; whether the request got there is not known."""


class Server:
    """One registry's address on a server, and the token that is shown there."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """Take the address of a registry; `token` else comes from ``~/.netrc``.

        Raises:
            UsageError: when it is no address of http or https.
            NotAllowed: when a token would be readable on its way.
        """
        parts = _parts(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            hint = "https://host, or https://host/NAME where it serves several"
            raise errors.UsageError(f"{url!r} is no address of a server", hint=hint)
        if parts.username or parts.password:
            hint = "LINEAGE_TOKEN or ~/.netrc may hold a token, an address must not"
            raise errors.UsageError("the address holds a password", hint=hint)
        path = parts.path.rstrip("/")
        self.url = f"{parts.scheme}://{parts.netloc.lower()}{path}"
        self.token = token or stored_token(parts.hostname)
        if self.token and parts.scheme == "http" and not _is_near(parts.hostname):
            hint = "use https://, or a tunnel to this machine"
            raise errors.NotAllowed(
                f"{self.url} would show the token to whoever listens", hint=hint
            )

    def __str__(self) -> str:
        return self.url

    @property
    def headers(self) -> dict[str, str]:
        """What proves who asks."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    @cached_property
    def _pool(self) -> "PoolManager":
        """Connections, some of which stay open; through the proxy that is set, if any.

        Redirects are not followed: no other address is to see the token.
        """
        from urllib.request import getproxies, proxy_bypass

        from urllib3 import PoolManager, ProxyManager, Timeout

        parts = urlsplit(self.url)
        told: dict[str, Any] = {
            "maxsize": _JOBS,
            "retries": False,
            "timeout": Timeout(connect=_CONNECT, read=_READ),
        }
        proxy = getproxies().get(parts.scheme)
        if proxy and not proxy_bypass(parts.hostname or ""):
            return ProxyManager(proxy, **told)
        return PoolManager(**told)

    def close(self) -> None:
        """Close the connections."""
        if "_pool" in self.__dict__:
            self._pool.clear()

    def tip(self) -> str:
        """The git oid of the newest event there.

        Raises:
            NotFound: when there is no registry.
        """
        said = ""
        with (
            suppress(errors.NotFound),
            self.asked("GET", f"/git/{names.EVENTS}", api=False) as answer,
        ):
            said = answer.read(64).decode(errors="replace").strip()
        if len(said) != 40 or not said.isalnum():
            raise _no_registry(self.url)
        return said

    def json(
        self, method: str, path: str, body: Any = None, *, name: str | None = None
    ) -> Any:
        """What the API answers; `body` goes as JSON, the request has a `name` or none.

        Raises:
            Unanswered: when no answer came.
            LineageError: as the server's problem says.
        """
        data = None if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if data else {}
        named = {REQUEST: name} if name else {}
        with self.asked(method, path, body=data, headers=kind | named) as answer:
            return _parsed(answer, _LARGEST, self.url)

    @contextmanager
    def asked(
        self,
        method: str,
        path: str,
        *,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        api: bool = True,
    ) -> "Iterator[BaseHTTPResponse]":
        """An answer of the server, to be read.

        Raises:
            Unanswered: when the server cannot be reached, or stops answering.
            LineageError: as its problem says.
        """
        from urllib3.exceptions import HTTPError

        url = f"{self.url}{API if api else ''}{path}"
        given = {**self.headers, **(headers or {})}
        try:
            answer = self._pool.request(
                method, url, body=body, headers=given, preload_content=False,
                redirect=False,
            )  # fmt: skip
            try:
                if answer.status >= 300:
                    raise self._problem(answer)
                yield answer
            finally:
                _let_go(answer)
        except HTTPError as error:
            hint = "see whether the address is right and the server runs"
            message = f"{self.url} does not answer: {_why(error)}"
            raise Unanswered(message, hint=hint) from error

    def _problem(self, answer: "BaseHTTPResponse") -> errors.LineageError:
        """The error that an answer says."""
        problem: dict[str, Any] = {}
        if answer.headers.get("content-type", "").endswith("json"):
            said = _parsed(answer, _LONGEST, self.url)
            problem = said if isinstance(said, dict) else {}
        elif answer.status == 404 or 300 <= answer.status < 400:
            return _no_registry(self.url)
        kind = _KINDS.get(answer.status, errors.StoreError)
        if answer.status in _BETWEEN:
            kind = Unanswered
        elif kind is errors.Conflict and "retry-after" in answer.headers:
            kind = errors.Busy
        title = str(problem.get("title") or f"{self.url} answers {answer.status}")
        hint, details = str(problem.get("detail", "")), problem.get("details", ())
        if kind is errors.Unauthenticated and not self.token:
            hint = "give one by LINEAGE_TOKEN, connect(url, token) or ~/.netrc"
        return kind(title, hint=hint, details=[*map(str, details)])


def _parsed(answer: "BaseHTTPResponse", most: int, url: str) -> Any:
    """The JSON of an answer, which has at most so many bytes.

    Raises:
        StoreError: when it is none, or longer.
    """
    data = answer.read(most + 1)
    with suppress(ValueError, RecursionError):
        if len(data) <= most:
            return json.loads(data)
    hint = "see whether the address is that of a server of lineage"
    raise errors.StoreError(f"{url} answers with no JSON that is one", hint=hint)


def _let_go(answer: "BaseHTTPResponse") -> None:
    """Keep the connection where little is left to read, else end it."""
    from urllib3.exceptions import HTTPError

    try:
        more = len(answer.read(_LEFT)) == _LEFT
    except (HTTPError, OSError):
        more = True
    if more:
        answer.close()
    answer.release_conn()


def _no_registry(url: str) -> errors.NotFound:
    hint = "a server of several has each at URL/NAME; its page at URL/ lists them"
    return errors.NotFound(f"there is no registry at {url}", hint=hint)


def _parts(url: str) -> SplitResult:
    """The parts of an address; of what is none, parts without a host."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # looked at only here
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts


def _is_near(host: str) -> bool:
    """Whether a host is this machine, or on a private network."""
    import socket

    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return all(ip_address(str(one[4][0]).partition("%")[0]).is_private for one in found)


def _why(error: Exception) -> str:
    """What went wrong, in the words of the system where it has some."""
    import ssl

    reason: Any = getattr(error, "reason", None) or error
    cause = getattr(reason, "__cause__", None) or reason
    for one in (cause, *cause.args):
        if isinstance(one, ssl.SSLError):
            told = (one.reason or "it fails").lower().replace("_", " ")
            return f"no TLS with it ({told})"
    said = getattr(cause, "strerror", None)
    return str(said or type(cause).__name__)
