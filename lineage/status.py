"""Files that were committed from here, and whether they have changed since."""

from dataclasses import dataclass
from pathlib import Path

from lineage.errors import LineageError
from lineage.registry import Registry
from lineage.store.objects import Commit


@dataclass(frozen=True, slots=True)
class Tracked:
    """A path with its newest commit; `state` is clean, modified or missing."""

    path: str
    id: str
    kind: str
    name: str
    state: str


def status(registry: Registry) -> list[Tracked]:
    """Every path that was ever committed, compared with its newest commit, sorted."""
    newest: dict[str, str] = {}
    for _, event in registry.events_log.iterate():
        path = event.data.get("path")
        if path and event.subject:
            newest.setdefault(path, event.subject)
    return [_tracked(registry, path, id_) for path, id_ in sorted(newest.items())]


def _tracked(registry: Registry, path: str, id_: str) -> Tracked:
    commit = registry.load(id_)
    return Tracked(path, id_, commit.kind, commit.name, _state(registry, path, commit))


def _state(registry: Registry, path: str, commit: Commit) -> str:
    place = Path(registry.root, path)
    if not place.exists():
        return "missing"
    try:
        payload, _ = registry.payloads.add(place, store=False)
    except LineageError:
        return "modified"
    recorded = commit.payload
    same = recorded and (payload.files, payload.type) == (recorded.files, recorded.type)
    return "clean" if same else "modified"
