"""From a known commit to an artifact of the report, value by value.

What a manifest says by itself is recorded. What only a person can know, an origin,
an edge that was declared, the digest of something elsewhere, is stated: by whom
the manifest names, else by whoever recorded it.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from lineage.audit.facts import Known
from lineage.audit.model import NOT_PROVIDED, Artifact, Field, Measurement, Source
from lineage.store.canonical import Json
from lineage.store.objects import Commit, Edge

T = TypeVar("T")
ORIGIN_FIELDS = ("type", "source", "licence", "by")
CARRY_RECORDS = ("trained_on", "derived_from")
MADE_BY_MODEL = ("generated_by", "distilled_from")


def artifact(known: Known, commits: Mapping[str, Known]) -> Artifact:
    """Everything that is recorded or stated of one commit."""
    commit, message = known.commit, known.event.message
    return Artifact(
        id=known.id,
        git=known.git,
        kind=commit.kind,
        name=commit.name,
        generation=known.generation,
        event=known.event.id,
        time=known.event.time,
        by=actor(known.event.actor),
        branches=known.branches,
        tags=known.tags,
        message=said_with(known, message) if message else None,
        bytes=_bytes(known),
        origin=_origin(known),
        sources=tuple(source(known, edge, commits) for edge in commit.edges),
        params=recorded(known, commit.params) if commit.params else None,
        metrics=measurements(known),
        code=recorded(known, commit.code) if commit.code else None,
        circumstances=circumstances(known),
        further=dict(commit.extra),
    )


def actor(who: Mapping[str, Any]) -> str:
    """A person as the report writes them."""
    name, email = who.get("name", ""), who.get("email", "")
    return f"{name} <{email}>" if email else str(name)


def recorded(known: Known, value: T) -> Field[T]:
    """What the manifest says."""
    return Field("recorded", value, commit=known.id)


def stated(known: Known, value: T, by: str = "") -> Field[T]:
    """What somebody says in the manifest: `by`, else whoever recorded it."""
    by = by or actor(known.event.actor)
    return Field("stated", value, commit=known.id, by=by, time=known.event.time)


def said_with(known: Known, message: str) -> Field[str]:
    """What whoever recorded the commit said about it in the event."""
    event = known.event
    by = actor(event.actor)
    return Field("stated", message, event=event.id, by=by, time=event.time)


def circumstances(known: Known) -> Field[Mapping[str, Json]] | None:
    """What the event that recorded the commit says of how that went."""
    event = known.event
    return Field("recorded", event.data, event=event.id) if event.data else None


def _bytes(known: Known) -> Field[Mapping[str, Json]]:
    commit = known.commit
    if commit.payload:
        held = commit.payload.to_json()
        state = "stored" if commit.payload.stored else "hashed only"
        held = {"state": state} | {k: v for k, v in held.items() if k != "stored"}
        return recorded(known, held)
    if commit.external:
        return stated(known, {"state": "elsewhere", **commit.external})
    return recorded(known, {"state": "no files"})


def _origin(known: Known) -> dict[str, Field[Json]]:
    """The origin's usual fields where it is due, and whatever else was said."""
    said = known.commit.origin or {}
    due = ORIGIN_FIELDS if origin_is_due(known.commit) else ()
    keys = dict.fromkeys((*due, *(k for k in ORIGIN_FIELDS if k in said), *said))
    by = str(said.get("by", ""))
    return {
        key: stated(known, said[key], by) if said.get(key) else NOT_PROVIDED
        for key in keys
    }


def origin_is_due(commit: Commit) -> bool:
    """Whether only a person can say where this comes from.

    A dataset or model with no edge to data or a model has it from outside.
    """
    roots = ("configured_by", "evaluated_on", "revises")
    return commit.kind in ("dataset", "model") and all(
        edge.role in roots for edge in commit.edges
    )


def origin_of(commit: Commit) -> str | None:
    """What a commit says of its own origin; None for what is no data."""
    if commit.kind != "dataset":
        return None
    if commit.origin:
        return str(commit.origin["type"])
    if commit.ids(*MADE_BY_MODEL):
        return "machine"
    return "derived" if commit.ids("derived_from") else "unknown"


def source(known: Known, edge: Edge, commits: Mapping[str, Known]) -> Source:
    """An edge with what is known of its other end."""
    parent = commits[edge.id].commit
    wrap = recorded if edge.evidence == "observed" else stated
    share = wrap(known, edge.share) if edge.share else None
    if share is None and edge.role in CARRY_RECORDS:
        share = Field("not provided")
    return Source(
        role=edge.role,
        id=edge.id,
        kind=parent.kind,
        name=parent.name,
        origin=origin_of(parent),
        evidence=wrap(known, edge.evidence),
        share=share,
    )


def measurements(known: Known) -> tuple[Measurement, ...]:
    """The metrics of a commit, sorted by name."""
    return tuple(
        Measurement(
            name=name,
            value=metric.value,
            definition=metric.definition,
            version=metric.version,
            direction=metric.direction,
            n=metric.n,
            interval=metric.interval,
            commit=known.id,
        )
        for name, metric in sorted(known.commit.metrics.items())
    )
