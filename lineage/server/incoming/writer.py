"""What a route that writes has in hand: the registry, in the sender's name."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Header
from pydantic import BaseModel

from lineage.protocol import REQUEST
from lineage.registry import Registry
from lineage.server.access import Leased, Principal, needs
from lineage.server.incoming.once import circumstances, once, words
from lineage.store.event_reading import Logged

REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"description": "It cannot be recorded so: `detail` says how."},
    404: {"description": "What it names is not here."},
    409: {
        "description": "Somebody was quicker (`current` is where the name is now), or "
        "files have not been sent (`lacking` has their paths by SHA-256)."
    },
    413: {"description": "It is too large."},
    507: {"description": "The disk is full; nothing was recorded."},
}

RequestName = Annotated[
    str | None,
    Header(
        alias=REQUEST,
        max_length=255,
        pattern=r"^[!-~]+$",
        description="A name for this request: sent again with it, it is done once",
    ),
]


class Writer(NamedTuple):
    """A registry for one request, whose events are those of whoever sent it."""

    registry: Registry
    who: Principal
    name: str | None

    def once(self, asked: BaseModel, do: Callable[[], str], of: str = "") -> Logged:
        """The event that `do` appends, or has appended to the same request before.

        `asked` is its body, `of` what it is about beside that.
        """
        return once(self.registry, self.who, self.name, words(asked, of), do)


def _writing(scope: str) -> Any:
    """A dependency: a registry that is written to, for who has `scope`.

    Where events are signed, they are with a key of the server's own, or not at all.
    """

    def lend(
        who: Annotated[Principal, Depends(needs(scope))],
        registry: Leased,
        request_name: RequestName = None,
    ) -> Iterator[Writer]:
        with (
            registry.acting(who.actor, circumstances(who, request_name)),
            registry.signer.machine("a server"),
        ):
            yield Writer(registry, who, request_name)

    return Depends(lend, scope="function")


Writes = Annotated[Writer, _writing("write")]
Reviews = Annotated[Writer, _writing("review")]
Rules = Annotated[Writer, _writing("admin")]
