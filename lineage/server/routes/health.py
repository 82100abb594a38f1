"""Is the server there, and can it read?"""

from typing import Any

from fastapi import APIRouter

from lineage.server.access import Leased

router = APIRouter(tags=["health"])


@router.get("/health")
def health(registry: Leased) -> dict[str, Any]:
    """Give the newest event; whoever asks needs no token."""
    return {"status": "ok", "event": registry.events_log.tip()}
