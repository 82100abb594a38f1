"""What tests of the machine formats share: rendering, edges, keys, hostile text."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from lineage.audit.formats import FORMATS
from lineage.audit.given import Given
from lineage.audit.report import report
from lineage.store.objects import Edge, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lineage.registry import Registry

NAME = "<b>=1+1\"'\\ \u0301\u0301\u0301\u0301 {% x %}"
HOSTILE = "../<b>=1+1\u202e\"'\\\u0301\u0301\u0301\u0301 {% x %} \ud7ff\U0010ffff"


def openssl(*words: str | Path) -> bytes:
    """Run openssl, which must not fail."""
    done = subprocess.run(
        ["openssl", *map(str, words)], capture_output=True, check=True
    )
    return done.stdout


def rendered(
    registry: Registry, revision: str, name: str, key: Path | None = None
) -> bytes:
    """A report in a format."""
    return FORMATS[name](report(registry, revision), Given(registry, key))


def statement(data: bytes) -> Any:
    """The statement in an envelope, in a bundle, or alone."""
    whole = json.loads(data)
    envelope = whole.get("dsseEnvelope", whole)
    return (
        json.loads(b64decode(envelope["payload"])) if "payload" in envelope else whole
    )


def urn(id_: str) -> str:
    """The name of a commit in every format."""
    return f"urn:lineage:{id_}"


def edges(registry: Registry, ids: Iterable[str]) -> set[tuple[str, ...]]:
    """The edges of commits as their manifests have them."""
    return {
        (urn(id_), edge.role, urn(edge.id), edge.evidence, share(edge.share))
        for id_ in ids
        for edge in registry.load(id_).edges
    }


def share(given: Mapping[str, Any] | None) -> str:
    """A share as text that can be compared."""
    return json.dumps(dict(given or {}), sort_keys=True)


def record_hostile(repo: Registry) -> str:
    """Record everything that a name, a message or a place can do to a file."""
    (repo.root / "file").write_text("bytes")
    judge = repo.commit("model", NAME, external={"uri": HOSTILE, "digest": HOSTILE})
    kept = repo.commit(
        "dataset", f"{NAME} kept", path=repo.root / "file", reference=True
    )
    config = repo.commit("config", NAME, params={HOSTILE: [HOSTILE, {"a": None}]})
    origin = {"type": "human", "source": HOSTILE, HOSTILE: {HOSTILE: 1}}
    data = repo.commit(
        "dataset",
        NAME,
        path=repo.root / "file",
        origin=origin,
        metrics={HOSTILE: Metric(1e300), ".": Metric(2**53 - 1), "-": Metric(-0.0)},
        edges=[Edge("selected_by", judge.id), Edge("derived_from", kept.id)],
        message=f"{HOSTILE}\n\0",
    )
    model = repo.commit(
        "model",
        f"{NAME} trained",
        path=repo.root / "file",
        edges=[Edge("configured_by", config.id), Edge("trained_on", data.id)],
    )
    repo.attest(HOSTILE, subject=model.id, data={"verdict": HOSTILE}, message=HOSTILE)
    return model.id
