"""From a known commit to an artifact of the report, value by value.

What a manifest says by itself is recorded. What only a person can know, an origin,
an edge that was declared, the digest of something elsewhere, is stated: by whom
the manifest names, else by whoever recorded it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from lineage import tombstones
from lineage.audit.facts import Facts
from lineage.audit.known import Known, actor
from lineage.audit.model import NOT_PROVIDED, Artifact, Field, Measurement, Source
from lineage.descent.roles import WRITING
from lineage.keys.signatures import Signature
from lineage.store.canonical import Json
from lineage.store.objects import Commit, Event
from lineage.turns import turn_number

T = TypeVar("T")
ORIGIN_FIELDS = ("type", "source", "licence")
CARRY_RECORDS = ("trained_on", "derived_from")


class Peer(NamedTuple):
    """What an edge says of the commit at its other end."""

    kind: str
    name: str
    origin_class: str | None


def artifacts_of(facts: Facts) -> dict[str, Artifact]:
    """All commits that a report speaks of, in the order of recording."""
    peers = {
        id_: Peer(known.commit.kind, known.commit.name, origin_class(known.commit))
        for id_, known in facts.commits.items()
    }
    return {
        id_: artifact(known, peers, facts.said.get(id_, {}))
        for id_, known in facts.commits.items()
    }


def artifact(
    known: Known, peers: Mapping[str, Peer], said: Mapping[str, Field[str]]
) -> Artifact:
    """Everything that is recorded or stated of one commit."""
    commit = known.commit
    return Artifact(
        id=known.id,
        git=known.git,
        kind=commit.kind,
        name=commit.name,
        generation=turn_number(commit, known.generation),
        event=known.event.id,
        time=known.event.time,
        by=actor(known.event.actor),
        signature=known.signature,
        branches=known.branches,
        tags=known.tags,
        message=said_with(known.event, known.signature)
        if known.event.message
        else None,
        bytes=_bytes(known),
        origin_class=peers[known.id].origin_class,
        origin=_origin(known),
        stated=said,
        sources=tuple(sources(known, peers)),
        params=recorded(known, commit.params) if commit.params else None,
        metrics=measurements(known),
        code=recorded(known, commit.code) if commit.code else None,
        circumstances=circumstances(known),
        further=dict(commit.extra),
    )


def recorded(known: Known, value: T) -> Field[T]:
    """What the manifest says."""
    return Field("recorded", value, commit=known.id)


def stated(known: Known, value: T, by: str = "") -> Field[T]:
    """What somebody says in the manifest: `by`, else whoever recorded it."""
    by = by or actor(known.event.actor)
    return Field("stated", value, commit=known.id, by=by, time=known.event.time)


def said_with(event: Event, signature: Signature) -> Field[str]:
    """An event's message: a person's statement, unless a loop's runner wrote it."""
    if event.type == "commit" and "loop" in event.data:
        return Field("recorded", event.message, event=event.id)
    by = actor(event.actor)
    return Field(
        "stated",
        event.message,
        event=event.id,
        by=by,
        time=event.time,
        signature=signature,
    )


def circumstances(known: Known) -> Field[Mapping[str, Json]] | None:
    """What the event that recorded the commit says of how that went."""
    event = known.event
    return Field("recorded", event.data, event=event.id) if event.data else None


def _bytes(known: Known) -> Field[Mapping[str, Json]]:
    commit = known.commit
    if commit.payload:
        state = "stored" if commit.payload.stored else "hashed only"
        held: dict[str, Json] = {"state": state, **commit.payload.to_json()}
        held.pop("stored", None)
        if event := known.erased:
            held["state"] = "erased in part" if known.left else "erased"
            told = {"told": tombstones.told(event)}
            return Field("recorded", {**held, **told}, event=event.id)
        return recorded(known, held)
    if commit.external:
        return stated(known, {"state": "elsewhere", **commit.external})
    return recorded(known, {"state": "no files"})


def _origin(known: Known) -> dict[str, Field[Json]]:
    """The origin's usual fields where it is due, and whatever else was said."""
    said: Mapping[str, Json] = known.commit.origin or {}
    due = ORIGIN_FIELDS if origin_is_due(known.commit) else ()
    keys = dict.fromkeys((*due, *(k for k in ORIGIN_FIELDS if k in said), *said))
    by = str(said.get("by", ""))
    given: dict[str, Field[Json]] = dict.fromkeys(keys, NOT_PROVIDED)
    for key, value in said.items():
        if value:
            given[key] = stated(known, value, by)
    return given


def origin_is_due(commit: Commit) -> bool:
    """Whether only a person can say where this comes from.

    A dataset or model with no edge to data or a model has it from outside.
    """
    roots = ("configured_by", "evaluated_on", "revises")
    return commit.kind in ("dataset", "model") and all(
        edge.role in roots for edge in commit.edges
    )


def origin_class(commit: Commit) -> str | None:
    """What a commit says of its own origin; None for what is no data."""
    if commit.kind != "dataset":
        return None
    if commit.origin:
        return str(commit.origin["type"])
    if commit.ids(*WRITING):
        return "machine"
    return "derived" if commit.ids("derived_from") else "unknown"


def sources(known: Known, peers: Mapping[str, Peer]) -> Iterator[Source]:
    """The edges of a commit with what is known of their other ends."""
    grades = {"observed": recorded(known, "observed")}
    grades["declared"] = stated(known, "declared")
    unshared: Field[Any] = Field("not provided")
    for edge in known.commit.edges:
        known_by = grades[edge.evidence]
        share = unshared if edge.role in CARRY_RECORDS else None
        if edge.share:
            by, time = known_by.by, known_by.time
            share = Field(known_by.status, edge.share, known.id, by=by, time=time)
        peer = peers[edge.id]
        yield Source(edge.role, edge.id, *peer, known_by, share)


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
