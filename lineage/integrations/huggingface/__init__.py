"""Hugging Face: a repository of the Hub as a commit, with what its card says it is of.

`snapshot` finds the files, `cards` reads what people say. Edges are declared: a card
names repositories, nobody saw what was done with them. Those that are not here become
commits that say where they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lineage.bulk import Draft, import_commits
from lineage.draft import default_branch
from lineage.errors import UsageError
from lineage.integrations.huggingface.cards import Card, read
from lineage.integrations.huggingface.snapshot import Snapshot, files, found, kind_of
from lineage.recording import says_the_same
from lineage.registry import Registry
from lineage.store.files import FileEntry, Payload
from lineage.store.objects import Commit, Edge, Metric
from lineage.store.reading import Progress

_KINDS = {"trained_on": "dataset", "derived_from": "dataset"}
_ADDRESS = {
    "model": "https://huggingface.co/",
    "dataset": "https://huggingface.co/datasets/",
}


@dataclass(frozen=True, slots=True)
class Imported:
    """The commit of a repository, and those that are only named in its card."""

    id: str
    kind: str
    name: str
    branch: str
    created: bool
    named: tuple[str, ...]


def import_hf(
    registry: Registry,
    source: str,
    *,
    name: str | None = None,
    kind: str | None = None,
    revision: str | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Record a local snapshot, or a repository that is downloaded, with its sources.

    Raises:
        UsageError: when it is no snapshot, or its card cannot be read.
        StoreError: when it cannot be downloaded or read.
        NotAllowed: when it has a file that was erased here.
    """
    registry.events_log.check_writable()
    there = found(source, revision, kind)
    card = read(there.folder)
    kind = kind or kind_of(there, card_of_data=card.is_dataset)
    if kind not in _ADDRESS:
        raise UsageError(f"the Hub has no {kind}", hint="--kind model or dataset")
    called = name or there.id or there.folder.name
    with registry.payloads.writing():
        taken = registry.payloads.take(
            "directory",
            files(there.folder),
            progress=progress,
            erased=registry.erased(),
        )
        made = _Making(registry, there, card, kind, called)
        return made.record(*taken)


class _Making:
    """The commits of one import."""

    def __init__(
        self, registry: Registry, there: Snapshot, card: Card, kind: str, name: str
    ) -> None:
        self._registry = registry
        self._there = there
        self._card = card
        self._kind, self._name = kind, name
        self.branch = default_branch(kind, name)
        tip = registry.target(f"heads/{self.branch}")
        self._present = registry.load(tip.id) if tip else None

    def record(self, payload: Payload, entries: list[FileEntry]) -> Imported:
        stubs: dict[str, Commit] = {}
        fresh = self._commit(payload, [*self._edges(stubs, again=False)])
        if self._present:
            again = self._commit(payload, [*self._edges({}, again=True)])
            if says_the_same(again, self._present):
                return self._imported(self._present, created=False)
        drafts = [Draft(stub, branch=None) for stub in stubs.values()]
        drafts.append(Draft(fresh, tuple(entries), self.branch))
        message = f"import of {self._there.id or self._there.folder.name}"
        [done] = import_commits(self._registry, drafts, message=message)
        return self._imported(self._registry.load(done.ids[-1]), created=True)

    def _imported(self, commit: Commit, *, created: bool) -> Imported:
        named = tuple(f"{role} {name}" for role, name in self._card.made_from)
        return Imported(commit.id, self._kind, self._name, self.branch, created, named)

    def _commit(self, payload: Payload, edges: list[Edge]) -> Commit:
        there, card = self._there, self._card
        said_of_it = {"id": there.id, "revision": there.revision, **card.says}
        claims: dict[str, Any] = {k: v for k, v in said_of_it.items() if v}
        origin = {"type": card.origin, "licence": card.licence}
        if there.id:
            origin["source"] = _ADDRESS[self._kind] + there.id
        said = {key: value for key, value in origin.items() if value}
        return Commit(
            self._kind,
            self._name,
            tuple(edges),
            payload=payload,
            params={"hub": claims} if claims else {},
            metrics={n: Metric(v, f"card {n}") for n, v in card.metrics.items()},
            origin=said if len(said) > 1 else None,
        )

    def _edges(self, stubs: dict[str, Commit], *, again: bool) -> Iterator[Edge]:
        """An edge for each source; `again`: to where those of the commit here lead."""
        for role, name in self._card.made_from:
            kind = _KINDS.get(role, "model")
            known = self._standing(role, name) if again else None
            known = known or self._newest(kind, name)
            if known is None:
                stub = stubs.setdefault(f"{kind} {name}", _elsewhere(kind, name))
                known = stub.id
            yield Edge(role, known)

    def _standing(self, role: str, name: str) -> str | None:
        """Where the edge of the commit here leads that says the same."""
        assert self._present is not None
        ids = self._present.ids(role)
        return next((i for i in ids if self._registry.load(i).name == name), None)

    def _newest(self, kind: str, name: str) -> str | None:
        target = self._registry.target(f"heads/{default_branch(kind, name)}")
        return target.id if target else None


def _elsewhere(kind: str, name: str) -> Commit:
    """A repository that is only named."""
    where = "datasets/" if kind == "dataset" else ""
    origin = {"type": "unknown", "source": _ADDRESS[kind] + name}
    uri = f"hf://{where}{name}"
    return Commit(kind, name, origin=origin, external={"uri": uri})
