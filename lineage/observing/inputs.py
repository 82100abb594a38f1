"""What a run has read: which commits, and how we know.

An input is `observed` when the run was handed its files, or when the files that it
reads were hashed here, and they were the same when an output was recorded. That the
script read them to the end nobody saw. One that is only named is `declared`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.errors import LineageError, UsageError
from lineage.store.objects import ROLES, Edge

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lineage.registry import Registry
    from lineage.store.files import FileEntry, Payload
    from lineage.store.index_asking import Ask

_ROLES = {
    ("model", "dataset"): "trained_on",
    ("model", "model"): "fine_tuned_from",
    ("dataset", "model"): "generated_by",
}
_NOT_READ = ("includes", "follows", "revises")


@dataclass(frozen=True, slots=True)
class Input:
    """A commit that a run has used; `path` is where its files lie, if anywhere.

    `role` is what the edges to it say, "" for what its kind suggests.
    """

    id: str
    kind: str
    role: str = ""
    path: Path | None = None
    payload: Payload | None = None

    @property
    def evidence(self) -> str:
        """How we know that the run had it."""
        return "declared" if self.payload is None else "observed"

    def edge(self, kind: str) -> Edge:
        """The edge to it from an output of a kind."""
        default = "configured_by" if self.kind == "config" else "derived_from"
        role = self.role or _ROLES.get((kind, self.kind), default)
        return Edge(role, self.id, self.evidence)


def check_role(role: str | None) -> str:
    """A role that something read can have.

    Raises:
        UsageError: for any other.
    """
    known = [each for each in ROLES if each not in _NOT_READ]
    if role is not None and role not in known:
        raise UsageError(
            f"{role!r} is no role of what is read", hint=f"one of: {', '.join(known)}"
        )
    return role or ""


def edges(inputs: Iterable[Input], kind: str) -> list[Edge]:
    """An edge for each input; of two that say the same the one that was seen."""
    found: dict[tuple[str, str], Edge] = {}
    for each in inputs:
        edge = each.edge(kind)
        known = found.get((edge.role, edge.id))
        if known is None or known.evidence == "declared":
            found[edge.role, edge.id] = edge
    return [*found.values()]


def check_unchanged(registry: Registry, inputs: Iterable[Input]) -> None:
    """Refuse to record what may have come from other files than were read.

    Raises:
        LineageError: names the input that is not what it was.
    """
    for each in inputs:
        if each.path is None or each.payload is None:
            continue
        try:
            now = hashed(registry, each.path)[0]
        except LineageError as error:
            raise _changed(each.path, str(error)) from None
        if now.root != each.payload.root:
            raise _changed(each.path, "its content is another")


def _changed(path: Path, why: str) -> LineageError:
    message = f"the input {path} changed during the run: {why}"
    hint = "nothing was recorded; run again while nothing writes to it"
    return LineageError(message, hint=hint)


def hashed(registry: Registry, path: Path) -> tuple[Payload, list[FileEntry]]:
    """The digests of a file or folder where it lies; unchanged files are known."""
    return registry.payloads.add(path, store=False)


def same_files(registry: Registry, id_: str, path: Path) -> Payload | None:
    """The payload at `path`, if it has a commit's files: contents and names.

    A single file may be called anything.
    """
    payload, entries = hashed(registry, path)
    commit = registry.load(id_)
    if commit.payload is None or commit.payload.root != payload.root:
        return None
    if payload.type != commit.payload.type:
        return None
    names = [entry.path for entry in registry.files(id_)]
    if payload.type == "file" or names == [entry.path for entry in entries]:
        return payload
    return None


def find_by_content(
    registry: Registry, payload: Payload, entries: list[FileEntry], kind: str
) -> str | None:
    """The newest commit of a kind with files of this content, whatever their names."""
    from lineage.indexing import index_of
    from lineage.store.index_files import holding

    first = next(entry.sha256 for entry in entries if not entry.is_directory)

    def question(ask: Ask) -> list[str]:
        return holding(ask, first, kind)

    with index_of(registry) as index:
        candidates = index.read(question)
    for id_ in candidates:
        known = registry.load(id_).payload if id_ in registry.ids else None
        if known and known.root == payload.root:
            return id_
    return None
