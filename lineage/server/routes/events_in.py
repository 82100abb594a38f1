"""The log, for those who write: an event made elsewhere is appended."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from lineage.registry import Registry
from lineage.server.access import Principal, leased, principal
from lineage.server.incoming.funnel import Sent, append

router = APIRouter(tags=["events"])


class Appended(BaseModel):
    """The event as it is in the log: git's name for it, and its id."""

    git: str
    id: str


@router.post("/events", status_code=201)
def post(
    sent: Sent,
    who: Annotated[Principal, Depends(principal)],
    registry: Annotated[Registry, Depends(leased)],
) -> Appended:
    """Append an event that was made elsewhere, with its commits and its moves."""
    logged = append(registry, who, sent)
    return Appended(git=logged.git, id=logged.event.id)
