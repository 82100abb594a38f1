"""OpenLineage events from any producer: `POST /lineage` and `/lineage/batch`."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from lineage.errors import Conflict, LineageError, StoreError
from lineage.integrations.openlineage.incoming import record
from lineage.server.incoming.writer import Writes
from lineage.server.models import Problem

router = APIRouter(tags=["openlineage"])

_REFUSED: Any = {400: {"model": Problem, "description": "It is no such event"}}
_MOST = 1000  # events of a batch

Name = Annotated[str, Field(min_length=1, max_length=1000)]


class Named(BaseModel):
    """A job or a dataset, with whatever facets it has."""

    model_config = ConfigDict(extra="allow")

    namespace: Name
    name: Name
    facets: dict[str, Any] = {}


class Execution(BaseModel):
    """A run of a job."""

    model_config = ConfigDict(extra="allow")

    runId: str  # noqa: N815 - as the specification has it
    facets: dict[str, Any] = {}


class Said(BaseModel):
    """What every event has."""

    model_config = ConfigDict(extra="allow")

    eventTime: str  # noqa: N815
    producer: str


class JobEvent(Said):
    """A run of a job has come to a state, or a job is as it is."""

    job: Named
    run: Execution | None = None
    eventType: str | None = None  # noqa: N815
    inputs: list[Named] = []
    outputs: list[Named] = []


class DatasetEvent(Said):
    """A dataset is as it is."""

    dataset: Named


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
def post_event(event: JobEvent | DatasetEvent, writer: Writes) -> Recorded:
    """Record a run, job or dataset event of OpenLineage."""
    said = event.model_dump(exclude_none=True)
    return Recorded(commits=record(writer.registry, said))


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
