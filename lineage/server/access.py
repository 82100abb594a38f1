"""Who asks, and what they may: the principal of a request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from lineage.errors import NotAllowed

SCOPES = ("read", "write", "review", "admin")


@dataclass(frozen=True)
class Principal:
    """Somebody with a name, an e-mail address and scopes (`SCOPES`)."""

    name: str
    email: str
    scopes: frozenset[str]

    @property
    def actor(self) -> dict[str, str]:
        """As events hold who acted."""
        return {"name": self.name, "email": self.email}


def principal(request: Request) -> Principal:
    """Whoever sent `request`: on loopback without tokens, whoever runs the server."""
    with request.app.state.pool.lease() as registry:
        who = registry.actor()
    return Principal(who["name"], who["email"], frozenset(SCOPES))


def needs(scope: str) -> Callable[..., Principal]:
    """A dependency: the principal, who has `scope`."""

    def check(who: Annotated[Principal, Depends(principal)]) -> Principal:
        if not {scope, "admin"} & who.scopes:
            hint = f"a token with the scope {scope} may"
            raise NotAllowed(f"this needs the scope {scope}", hint=hint)
        return who

    return check


def leased(request: Request) -> Any:
    """A dependency: a registry for this request alone."""
    with request.app.state.pool.lease() as registry:
        yield registry
