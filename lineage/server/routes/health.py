"""Is the server there, and can it read?"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from lineage.registry import Registry
from lineage.server.access import leased

router = APIRouter(tags=["health"])


@router.get("/health")
def health(registry: Annotated[Registry, Depends(leased)]) -> dict[str, Any]:
    """Give the newest event; whoever asks needs no token."""
    return {"status": "ok", "event": registry.events_log.tip()}
