"""Who the server takes somebody for."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from lineage.server.access import Principal, needs

router = APIRouter(tags=["access"])


@router.get("/whoami")
def whoami(who: Annotated[Principal, Depends(needs("read"))]) -> dict[str, Any]:
    """Give the name under which whoever asks acts, and what they may."""
    return {**who.actor, "scopes": sorted(who.scopes), "token": who.token}
