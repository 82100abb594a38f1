"""The log, for those who write: an event made elsewhere is appended."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from lineage.server.access import Leased, Principal, principal
from lineage.server.incoming.funnel import Sent, append
from lineage.server.incoming.once import once, words
from lineage.server.incoming.writer import REFUSED, RequestName

router = APIRouter(tags=["events"])


class Appended(BaseModel):
    """The event as it is in the log: git's name for it, and its id."""

    git: str
    id: str


@router.post("/events", status_code=201, responses=REFUSED)
def post(
    sent: Sent,
    who: Annotated[Principal, Depends(principal)],
    registry: Leased,
    name: RequestName = None,
) -> Appended:
    """Append an event that was made elsewhere, with its commits and its moves.

    Its type says which scope that takes (docs/api.md, Writing).
    """

    def do() -> str:
        return append(registry, who, sent, name).event.id

    logged = once(registry, who, name, words(sent), do)
    return Appended(git=logged.git, id=logged.event.id)
