"""OpenLineage events from any producer: `POST /lineage` and `/lineage/batch`."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel

from lineage.errors import Conflict, LineageError, StoreError
from lineage.integrations.openlineage.incoming import record
from lineage.server.incoming.writer import Writer, writing
from lineage.server.models import Problem

router = APIRouter(tags=["openlineage"])

Writes = Annotated[Writer, Depends(writing("write"))]
_REFUSED: Any = {400: {"model": Problem, "description": "It is no such event"}}
_MOST = 1000  # events of a batch


class Recorded(BaseModel):
    """The commits that an event made, or speaks of as made."""

    commits: list[str]


class Summary(BaseModel):
    """How many events of a batch were recorded."""

    received: int
    successful: int
    failed: int


class FailedEvent(BaseModel):
    """An event that was not recorded, by its place in the batch."""

    index: int
    reason: str
    retriable: bool


class Batch(BaseModel):
    """What became of a batch, as OpenLineage's specification has it."""

    status: str
    summary: Summary
    failed_events: list[FailedEvent]


@router.post("/lineage", responses=_REFUSED)
def post_event(event: dict[str, Any], writer: Writes) -> Recorded:
    """Record a run, job or dataset event of OpenLineage."""
    return Recorded(commits=record(writer.registry, event))


@router.post("/lineage/batch", responses=_REFUSED)
def post_batch(
    events: Annotated[list[dict[str, Any]], Body(max_length=_MOST)], writer: Writes
) -> Batch:
    """Record many events; those that cannot be are named, and stop no other."""
    failed = []
    for index, event in enumerate(events):
        try:
            record(writer.registry, event)
        except LineageError as error:
            again = isinstance(error, StoreError | Conflict)
            failed.append(FailedEvent(index=index, reason=str(error), retriable=again))
    counts = Summary(
        received=len(events),
        successful=len(events) - len(failed),
        failed=len(failed),
    )
    status = "partial_success" if failed else "success"
    return Batch(status=status, summary=counts, failed_events=failed)
