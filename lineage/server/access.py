"""Who asks, and what they may: the principal of a request.

Who may prove who they are by a token (``Authorization: Bearer``, or as the password
of ``Basic``, which is what git sends), or come by a trusted proxy that names them.
Where no token was ever made, whoever asks from this machine is whoever runs the
server, and nobody else is served (see `guard`).
"""

from base64 import b64decode
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from lineage.errors import NotAllowed, Unauthenticated
from lineage.registry import Registry
from lineage.server.session import COOKIE
from lineage.server.tokens import SCOPES, Token, Tokens
from lineage.store.events import now

_AT_ONCE = 32  # registries of one process; requests wait for one
_IMPLIED = {"write": {"read"}, "review": {"read"}, "admin": set(SCOPES)}


@dataclass(frozen=True)
class Principal:
    """Somebody with a name, an e-mail address and scopes (`SCOPES`)."""

    name: str
    email: str
    scopes: frozenset[str]
    token: str | None = None

    @property
    def actor(self) -> dict[str, str]:
        """As events hold who acted."""
        return {"name": self.name, "email": self.email}

    @property
    def circumstances(self) -> dict[str, str]:
        """As events hold by which way they came."""
        return {"via": "http", **({"token": self.token} if self.token else {})}


async def principal(request: Request) -> Principal:
    """Whoever sent `request`.

    Raises:
        Unauthenticated: when that is not known.
    """
    return identified(request)


def identified(request: Request) -> Principal:
    """Whoever sent `request`, as `principal`; the access log knows it then."""
    request.state.principal = who = _identified(request)
    return who


def _identified(request: Request) -> Principal:
    state = request.app.state
    tokens: Tokens = state.tokens
    if secret := _secret(request.headers.get("authorization", "")):
        return of_secret(tokens, secret)
    if named := _proxied(request):
        return Principal(
            named["name"], named["email"], _scopes(state.settings.proxy_scopes)
        )
    if token := state.sessions.find(request.cookies.get(COOKIE, "")):
        return _active(token)
    if tokens or state.peers:
        hint = "send `Authorization: Bearer lin_…`; `lineage token create` makes one"
        raise Unauthenticated("this needs a token", hint=hint)
    return Principal(state.owner["name"], state.owner["email"], frozenset(SCOPES))


def of_secret(tokens: Tokens, secret: str) -> Principal:
    """Whose token this is.

    Raises:
        Unauthenticated: when it is none, or does not count any more.
    """
    token = tokens.find(secret)
    if token is None:
        hint = "`lineage token list` lists those that there are, on the server"
        raise Unauthenticated("this is no token of this registry", hint=hint)
    who = _active(token)
    tokens.note_use(secret)
    return who


def _active(token: Token) -> Principal:
    """Whose token it is, while it counts.

    Raises:
        Unauthenticated: when it does not any more.
    """
    if (state := token.state(now())) != "active":
        hint = "`lineage token create` makes a new one, on the server"
        raise Unauthenticated(f"the token {token.id} is {state}", hint=hint)
    return Principal(token.name, token.email, _scopes(token.scopes), token.id)


def _scopes(given: Collection[str]) -> frozenset[str]:
    return frozenset(given).union(*(_IMPLIED.get(scope, ()) for scope in given))


def _proxied(request: Request) -> dict[str, str] | None:
    """Whom a trusted proxy names in its headers."""
    peers, settings = request.app.state.peers, request.app.state.settings
    names = {"name": settings.user_header, "email": settings.email_header}
    named: dict[str, str] | None = peers.identity(
        request.state.peer, request.scope["headers"], names
    )
    return named


def _secret(header: str) -> str | None:
    """What an Authorization header holds as proof, None without one."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return rest.strip() or header if scheme.lower() == "bearer" else header or None
    try:
        pair = b64decode(rest.strip(), validate=True).decode()
    except ValueError:
        return header
    return pair.partition(":")[2] or pair.partition(":")[0] or header


def needs(scope: str) -> Callable[..., Awaitable[Principal]]:
    """A dependency: the principal, who has `scope`."""

    async def check(who: Annotated[Principal, Depends(principal)]) -> Principal:
        check_scope(scope, who.scopes)
        return who

    return check


def check_scope(scope: str, scopes: Collection[str]) -> None:
    """Refuse who has other scopes than the one that is needed.

    Raises:
        NotAllowed: whose hint says what has it.
    """
    if scope not in scopes:
        hint = f"`lineage token create --scope {scope}` there makes one that may"
        raise NotAllowed(f"this needs the scope {scope}", hint=hint)


def leased(request: Request) -> Iterator[Registry]:
    """A dependency: a registry for this request alone, until its answer is made."""
    with request.app.state.pool.lease() as registry:
        yield registry


# Whoever reads their answer slowly holds none, and a crowd opens no more than these.
Leased = Annotated[
    Registry, Depends(leased, scope="function", max_concurrency=_AT_ONCE)
]
