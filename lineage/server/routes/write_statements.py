"""What is said of commits after they were made: each is an event, never an edit."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from lineage import measured, releases, shapes, stated
from lineage.loop.reviews.deciding import decide
from lineage.server.incoming.given import Id, Text
from lineage.server.incoming.writer import REFUSED, Reviews, Rules, Writer, Writes
from lineage.server.verdicts import check_can_judge
from lineage.store.objects import Metric
from lineage.taints import lift, of_event, taint

router = APIRouter()


class About(BaseModel):
    """A commit: any revision that means one."""

    subject: Text


class NewTaint(About):
    """A commit is bad, or some records of a dataset are."""

    reason: Text
    records: list[Id] | None = None


class NewLift(BaseModel):
    """A taint does not hold, or no more."""

    reason: Text


class NewMetrics(About):
    """What was measured: a number, or one with its definition; null takes it back."""

    metrics: dict[str, Any]
    message: Text = ""


class NewStatement(About):
    """What somebody states, by field; null takes it back."""

    stated: dict[str, Text | None]
    message: Text = ""


class NewRelease(About):
    """A commit is live in an environment from now on, or is not any more."""

    environment: Text
    live: bool = True
    message: Text = ""


class NewVerdict(About):
    """What a person decides about what waits; `subject` may be the name of a loop."""

    verdict: Literal["approve", "reject"]
    note: Text = ""


@router.post("/taints", status_code=201, responses=REFUSED, tags=["taints"])
def post_taint(new: NewTaint, writer: Reviews) -> dict[str, Any]:
    """Say that a commit, or those of its records, is bad."""
    registry = writer.registry

    def do() -> str:
        return taint(registry, registry.resolve(new.subject), new.reason, new.records)

    return _said(writer, new, do)


@router.post(
    "/taints/{event}/lift", status_code=201, responses=REFUSED, tags=["taints"]
)
def post_lift(
    event: Annotated[str, Field(max_length=64)], new: NewLift, writer: Reviews
) -> dict[str, Any]:
    """Say that the taint of that event does not hold, or no more."""

    def do() -> str:
        return lift(writer.registry, of_event(writer.registry, event), new.reason)

    return _said(writer, new, do, of=event)


@router.post("/metrics", status_code=201, responses=REFUSED, tags=["commits"])
def post_metrics(new: NewMetrics, writer: Writes) -> dict[str, Any]:
    """Say what was measured of a commit after it was made."""
    registry = writer.registry

    def do() -> str:
        given = {
            name: None if value is None else Metric.from_user(value)
            for name, value in new.metrics.items()
        }
        id_ = registry.resolve(new.subject)
        return measured.attest(registry, id_, given, message=new.message).event

    return _said(writer, new, do)


@router.post("/statements", status_code=201, responses=REFUSED, tags=["commits"])
def post_statement(new: NewStatement, writer: Reviews) -> dict[str, Any]:
    """State something of a commit in your own name."""
    registry = writer.registry

    def do() -> str:
        id_ = registry.resolve(new.subject)
        return stated.state(registry, id_, new.stated, message=new.message).event

    return _said(writer, new, do)


@router.post("/releases", status_code=201, responses=REFUSED, tags=["commits"])
def post_release(new: NewRelease, writer: Rules) -> dict[str, Any]:
    """Say that a commit is live in an environment, or is not any more."""
    registry = writer.registry
    say = releases.release if new.live else releases.retire

    def do() -> str:
        id_ = registry.resolve(new.subject)
        return say(registry, id_, new.environment, message=new.message).event

    return _said(writer, new, do)


@router.post("/reviews", status_code=201, responses=REFUSED, tags=["reviews"])
def post_verdict(new: NewVerdict, writer: Reviews) -> dict[str, Any]:
    """Approve or reject what waits for a person."""

    def do() -> str:
        subject = new.subject or None
        check_can_judge(writer.registry)
        return decide(writer.registry, subject, new.verdict, new.note).event

    return _said(writer, new, do)


def _said(
    writer: Writer, new: BaseModel, do: Callable[[], str], of: str = ""
) -> dict[str, Any]:
    """The event that says it, as `lineage events EVENT --format json`."""
    return shapes.whole_event(writer.once(new, do, of))
