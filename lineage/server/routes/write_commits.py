"""Commits, for those who write: one is made of files that were sent before."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from lineage.draft import place_of
from lineage.errors import UsageError, VerificationError
from lineage.recording import check, put
from lineage.registry import Registry
from lineage.server.incoming import bytes_here
from lineage.server.incoming.given import Id, Text
from lineage.server.incoming.writer import REFUSED, Writes
from lineage.store.disk import disk_errors
from lineage.store.event_reading import Logged
from lineage.store.events import now
from lineage.store.files import (
    DIRECTORY,
    FileEntry,
    Payload,
    dvc_directory,
    file_list,
    parse_file_list,
)
from lineage.store.objects import Commit, Edge, Event, Metric

router = APIRouter(tags=["commits"])


class NewFile(BaseModel):
    """A file of a payload, or with the mode 040000 an empty folder."""

    path: Text
    sha256: Id | None = None
    mode: Literal["100644", "100755", "040000"] = "100644"


class NewPayload(BaseModel):
    """The files of a commit: a folder of them, or one alone."""

    files: Annotated[list[NewFile], Field(max_length=1_000_000)]
    type: Literal["directory", "file"] = "directory"


class NewEdge(BaseModel):
    """What the commit came from: any revision, in a role."""

    role: str
    revision: Text
    share: dict[str, list[int]] | None = None


class NewCommit(BaseModel):
    """One artifact, what it came from and what is known of it."""

    kind: Literal["config", "dataset", "model", "generation"]
    name: Text
    payload: NewPayload | None = None
    edges: list[NewEdge] = []
    params: dict[str, Any] = {}
    metrics: dict[str, Any] = {}
    origin: dict[str, Any] | None = None
    code: dict[str, Any] | None = None
    external: dict[str, Any] | None = None
    gates: list[dict[str, Any]] | None = None
    branch: Text | None = None
    revise: bool = True
    expected: Annotated[
        Id | None,
        Field(description="The id that the branch has; null: there is no branch"),
    ] = None
    message: Text = ""


class Committed(BaseModel):
    """As `lineage commit --format json`, with the event that says so."""

    id: str
    git: str
    kind: str
    name: str
    branch: str
    created: bool
    event: str


@router.post("/commits", status_code=201, responses=REFUSED)
def post(
    new: NewCommit,
    writer: Writes,
    response: Response,
) -> Committed:
    """Record a commit. The files that it names have been sent before.

    What the branch says already is not recorded again: the answer is 200 then.
    """
    registry = writer.registry
    place = place_of(new.kind, new.name, new.branch)
    logged = writer.once(new, lambda: _record(registry, new, place))
    made = _answer(registry, logged, place)
    response.headers["Location"] = f"commits/{made.id}"
    response.status_code = 201 if made.created else 200
    return made


def _answer(registry: Registry, logged: Logged, place: str) -> Committed:
    event = logged.event
    assert event.subject is not None
    commit = registry.load(event.subject)
    return Committed(
        id=event.subject,
        git=registry.git_oid(event.subject),
        kind=commit.kind,
        name=commit.name,
        branch=place.partition("/")[2],
        created=bool(event.commits and event.refs),
        event=event.id,
    )


def _record(registry: Registry, new: NewCommit, place: str) -> str:
    """Record the commit, where the branch is by then; the id of its event."""
    expect = (new.expected or "") if "expected" in new.model_fields_set else None
    event = Event("commit", now(), registry.actor(), new.message)
    draft = _draft(registry, new)
    files = new.payload.files if new.payload else []
    with registry.payloads.writing():
        check(registry, draft, event, files=new.payload is not None)
        wanted = {one.sha256: one.path for one in files if one.sha256}
        found = bytes_here.take(registry, lambda: bytes_here.find(registry, wanted))
        payload, entries = _payload(new.payload, found)
        if payload and payload.type == "directory":
            with disk_errors("storing the files"):
                registry.payloads.add_lists([dvc_directory(entries)])
        whole, revise = replace(draft, payload=payload), new.revise
        made = put(registry, whole, entries, event, place, revise=revise, expect=expect)
        bytes_here.release(registry, found)
    return made.event


def _draft(registry: Registry, new: NewCommit) -> Commit:
    edges = (
        Edge(one.role, registry.resolve(one.revision), share=one.share)
        for one in new.edges
    )
    return Commit(
        new.kind,
        new.name,
        tuple(edges),
        params=new.params,
        metrics={name: Metric.from_user(value) for name, value in new.metrics.items()},
        origin=new.origin,
        code=new.code,
        external=new.external,
        gates=new.gates,
    )


def _payload(
    given: NewPayload | None, found: bytes_here.Found
) -> tuple[Payload | None, list[FileEntry]]:
    """The payload of the files that were named, if any were.

    Raises:
        UsageError: when they cannot be one.
    """
    if given is None:
        return None, []
    entries = sorted(_entry(one, found) for one in given.files)
    if given.type == "file" and len(entries) != 1:
        raise UsageError("a payload of the type file is one file")
    if given.type == "file" and "/" in entries[0].path:
        raise UsageError(f"{entries[0].path} is in a folder, and the payload is none")
    try:
        parse_file_list(file_list(entries))
    except VerificationError as error:
        hint = "paths lead down, with /, and each is there once"
        raise UsageError(f"this is no payload: {error}", hint=hint) from None
    return Payload.of(entries, given.type), entries


def _entry(one: NewFile, found: bytes_here.Found) -> FileEntry:
    if one.mode == DIRECTORY or one.sha256 is None:
        return FileEntry(one.path, one.mode)
    md5, size = found.of(one.sha256)
    return FileEntry(one.path, one.mode, size, one.sha256, md5)
