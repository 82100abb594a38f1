"""Commits: one by its revision."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from lineage import shapes
from lineage.registry import Registry
from lineage.server.access import leased, needs

router = APIRouter(tags=["commits"], dependencies=[Depends(needs("read"))])


@router.get("/commits/{revision:path}")
def show(
    revision: str, registry: Annotated[Registry, Depends(leased)]
) -> dict[str, Any]:
    """Give all that is recorded of one commit, as `lineage show --format json`."""
    return shapes.shown(registry, registry.entry(revision))
