"""What commits came from, as an in-toto statement with SLSA provenance v1.

https://slsa.dev/spec/v1.0/provenance. The subjects are the commits that were asked
for, the parts of generations among them, each by its manifest, its `payload.root` and
its files. What they came from are the resolved dependencies; who recorded it and how
it went are the details of the run.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lineage.audit import dsse
from lineage.audit.chosen import URN, event_urn, root, title, urn, with_parts
from lineage.audit.given import Given
from lineage.audit.model import Artifact, Report, Source
from lineage.registry import Registry
from lineage.store.files import in_root_order
from lineage.store.pem import ED25519, P256, PrivateKey

PREDICATE = "https://slsa.dev/provenance/v1"
BUILD = f"{URN}build:v1"
_DIGEST = re.compile(r"([a-z][a-z0-9_]*):([0-9a-f]+)")


def render(report: Report, given: Given) -> bytes:
    """The statement in a DSSE envelope; without a key the statement alone."""
    statement = statement_of(report, with_parts(report), given.registry)
    return signed(statement, given.key)


def signed(statement: bytes, path: Path | None) -> bytes:
    """A statement as it is or, with a key, in its envelope."""
    if path is None:
        return statement + b"\n"
    key = PrivateKey(path, ED25519, P256)
    return dsse.encoded(dsse.envelope(statement, key, key.public.keyid)) + b"\n"


def statement_of(report: Report, made: Sequence[Artifact], registry: Registry) -> bytes:
    """What is said of these commits of a report, in canonical JSON."""
    known = {artifact.id: artifact for artifact in report.artifacts}
    subject = [each for one in made for each in _subjects(one, registry)]
    predicate = {
        "buildDefinition": {
            "buildType": BUILD,
            "externalParameters": _asked(made, known),
            "internalParameters": {urn(one.id): _went(one) for one in made},
            "resolvedDependencies": [*_dependencies(made, known)],
        },
        "runDetails": _run(made),
    }
    return dsse.statement(subject, PREDICATE, predicate)


def _subjects(made: Artifact, registry: Registry) -> Iterator[dict[str, Any]]:
    """The manifest, whose SHA-256 is the id; all files as one; each file."""
    name = title(made)
    yield _named(f"{name}/lineage.json", made.id)
    if whole := root(made):
        yield {**_named(name, whole), "uri": urn(made.id)}
        for file in in_root_order(registry.files(made.id)):
            yield _named(f"{name}/{file.path}", file.sha256)


def _named(name: str, sha256: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": sha256}}


def _asked(made: Sequence[Artifact], known: dict[str, Artifact]) -> dict[str, Any]:
    """What a person chose: the settings of the commits, and of their configs."""
    own = {one.id for one in made}
    configs = [
        known[edge.id]
        for one in made
        for edge in one.sources
        if edge.role == "configured_by" and edge.id not in own
    ]
    return {
        "commits": {
            urn(one.id): {"kind": one.kind, "name": one.name, "params": _params(one)}
            for one in made
        },
        "configs": {urn(config.id): _params(config) for config in configs},
    }


def _params(made: Artifact) -> Any:
    return made.params.value if made.params else {}


def _went(made: Artifact) -> dict[str, Any]:
    """How it went: the code, and what the event says of the circumstances."""
    return {
        "event": event_urn(made.event),
        "by": made.by,
        "code": made.code.value if made.code else {},
        "circumstances": made.circumstances.value if made.circumstances else {},
    }


def _dependencies(
    made: Sequence[Artifact], known: dict[str, Artifact]
) -> Iterator[dict[str, Any]]:
    """Every commit that an edge leads to and that is none of the subjects."""
    own = {one.id for one in made}
    edges: dict[str, list[dict[str, Any]]] = {}
    for one in made:
        for edge in one.sources:
            if edge.id not in own:
                edges.setdefault(edge.id, []).append(_edge(one, edge))
    for id_ in (id_ for id_ in known if id_ in edges):
        yield {**descriptor(known[id_]), "annotations": {"edges": edges[id_]}}


def _edge(made: Artifact, edge: Source) -> dict[str, Any]:
    found = {"of": urn(made.id), "role": edge.role, "evidence": edge.evidence.value}
    share = edge.share.value if edge.share else None
    return {**found, "share": share} if share else found


def descriptor(made: Artifact) -> dict[str, Any]:
    """A commit as a resource: its name, and the digest of what it is made of.

    That is the root over its files; of a commit without files its manifest's; of
    bytes elsewhere what was stated of them.
    """
    held = made.bytes.value or {}
    found: dict[str, Any] = {"name": title(made), "uri": urn(made.id)}
    if held.get("state") == "elsewhere":
        found["downloadLocation"] = str(held.get("uri", ""))
        digest = _DIGEST.fullmatch(str(held.get("digest", "")))
        return {**found, "digest": {digest[1]: digest[2]}} if digest else found
    return {**found, "digest": {"sha256": root(made) or made.id}}


def _run(made: Sequence[Artifact]) -> dict[str, Any]:
    """Who recorded it, when, and what was measured on the way."""
    observed = any(
        edge.evidence.value == "observed" for one in made for edge in one.sources
    )
    last = max(made, key=lambda one: one.time)
    return {
        "builder": {"id": f"{URN}builder:{'observed' if observed else 'declared'}"},
        "metadata": {"invocationId": event_urn(last.event), "finishedOn": last.time},
        "byproducts": [
            {
                "name": f"{title(one)}/metrics",
                "uri": urn(one.id),
                "annotations": {m.name: m.value for m in one.metrics},
            }
            for one in made
            if one.metrics
        ],
    }
