"""An artifact of the report against the manifest of its commit, field by field."""

from collections.abc import Iterator
from typing import Any

from lineage.bundle_check.source import Source
from lineage.bundle_check.values import items, mapping, same, without_nothing
from lineage.store.objects import Commit

_PAYLOAD = ("count", "size", "files", "root", "type")


def artifact_faults(artifact: dict[str, Any], source: Source) -> Iterator[str]:
    """What is not as the commit has it, or is left out."""
    id_ = str(artifact.get("id"))
    commit = source.commits.get(id_)
    if commit is None:
        yield f"{id_} is no commit of this bundle"
        return
    yield from _brought_faults(artifact, id_, source)
    held: dict[str, Any] = {"kind": commit.kind, "name": commit.name}
    held |= {"generation": source.turn(id_), "further": dict(commit.extra)}
    git = source.log.commits[id_]
    held |= {"branches": [*source.branches.get(git, ())]}
    held |= {"tags": [*source.tags.get(git, ())]}
    for key, value in held.items():
        if not same(artifact.get(key), value):
            yield f"{key} is not that of the commit {id_}"
    yield from _manifest_faults(artifact, id_, commit, source)


def _brought_faults(
    artifact: dict[str, Any], id_: str, source: Source
) -> Iterator[str]:
    event, git = source.event(artifact.get("event")), artifact.get("git")
    if event is None or (id_, git) not in event.commits:
        yield f"its event did not bring {id_} as the git commit {git}"


def _manifest_faults(
    artifact: dict[str, Any], id_: str, commit: Commit, source: Source
) -> Iterator[str]:
    for key, value in (("params", commit.params), ("code", commit.code)):
        said = mapping(artifact.get(key)).get("value")
        if not same(said or {}, dict(value or {})):
            yield f"{key} are not those of the manifest {id_}"
    names = [one.get("name") for one in items(artifact.get("metrics"))]
    if sorted(map(str, names)) != sorted(commit.metrics):
        yield f"metrics are not all those of the manifest {id_}"
    if [*map(_edge, items(artifact.get("sources")))] != [
        {**edge.to_json(), **_other_end(edge.id, source)} for edge in commit.edges
    ]:
        yield f"sources are not the edges of the manifest {id_}"
    yield from _origin_faults(artifact, id_, commit)
    yield from _erased_faults(mapping(artifact.get("bytes")), id_, source)
    held = mapping(mapping(artifact.get("bytes")).get("value"))
    for key in _PAYLOAD if commit.payload else ():
        if held.get(key) != getattr(commit.payload, key):
            yield f"{key} of its bytes is not that of the manifest {id_}"


def _erased_faults(said: dict[str, Any], id_: str, source: Source) -> Iterator[str]:
    """Bytes are erased by an event that says so, or are not."""
    event = source.event(said.get("event"))
    told = str(mapping(said.get("value")).get("state")).startswith("erased")
    erased = event is not None and event.type == "erase"
    due = any(id_ in e.data["commits"] for e in source.erasures)
    if told != erased or (due and not told):
        yield f"its bytes are not said to be erased as they were: {id_}"


def _edge(source: dict[str, Any]) -> dict[str, Any]:
    """An edge as the report has it."""
    edge = {key: source.get(key) for key in ("role", "id", "kind", "name")}
    share = mapping(source.get("share")).get("value")
    evidence = mapping(source.get("evidence")).get("value")
    return without_nothing({**edge, "evidence": evidence, "share": share})


def _other_end(id_: str, source: Source) -> dict[str, Any]:
    commit = source.commits.get(id_)
    return {"kind": commit.kind, "name": commit.name} if commit else {}


def _origin_faults(artifact: dict[str, Any], id_: str, commit: Commit) -> Iterator[str]:
    """What was said of an origin: all of it, and nothing else."""
    origin = mapping(artifact.get("origin"))
    said = {key: mapping(item).get("value") for key, item in origin.items()}
    held = {key: value for key, value in (commit.origin or {}).items() if value}
    if not same(without_nothing(said), held):
        yield f"origin is not that of the manifest {id_}"


def measurement_faults(value: dict[str, Any], source: Source) -> Iterator[str]:
    """A measurement, wherever it stands, is that of the manifest which it names."""
    commit = source.commits.get(str(value.get("commit")))
    metric = commit.metrics.get(str(value.get("name"))) if commit else None
    if metric is None:
        yield f"the commit {value.get('commit')} has no metric {value.get('name')!r}"
        return
    fields = ("value", "definition", "version", "direction", "n", "interval")
    said = {key: value[key] for key in fields if value.get(key) is not None}
    if not same(said, metric.to_json()):
        yield f"{value['name']} is not what the manifest {value['commit']} has"
