"""Checking that everything is as it was recorded."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from lineage.errors import UsageError
from lineage.server import models
from lineage.server.access import Leased, needs
from lineage.server.routes.asked import LONGEST, REVISION
from lineage.shapes import versioned
from lineage.shapes.verify import verified

router = APIRouter(tags=["verify"], dependencies=[Depends(needs("admin"))])
_MOST = 1000  # commits


@router.post("/verify", responses=REVISION, response_model=models.Verified)
def verify(
    registry: Leased,
    revset: Annotated[
        str,
        Query(
            min_length=1,
            max_length=LONGEST,
            description="Which commits: 1,000 at most (docs/revisions.md).",
        ),
    ] = "HEAD",
) -> dict[str, Any]:
    """Read commits and their files again, and say what is not as recorded.

    Nothing is repaired, and the log is not looked at: `lineage verify` does both. It
    needs the scope admin, because it reads every byte.
    """
    from lineage.verify import verify as check

    count = len(registry.select(revset))
    if count > _MOST:
        hint = f"name {_MOST:,} at most, or run `lineage verify` on the server"
        raise UsageError(f"these are {count:,} commits", hint=hint)
    return versioned(verified(check(registry, [revset])))
