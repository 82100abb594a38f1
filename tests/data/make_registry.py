"""Make the registry that later versions must still read: `python make_registry.py`.

It writes registry.bundle (all of refs/lineage, for `git fetch`) and cache.tar.gz (DVC's
cache) beside itself. Commits come out the same each time, events do not: they have
times. Make it again only for a new schema, and keep the old one under its name.
"""

from __future__ import annotations

import tarfile
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import lineage
from lineage import Edge, Metric
from lineage.names_ops import delete_branch, delete_tag, set_branch, set_tag
from lineage.store.git import GitRepository

if TYPE_CHECKING:
    from lineage.registry import Registry

HERE = Path(__file__).parent


def make(registry: Registry) -> None:
    """Use everything: all kinds, a loop's generations, moved and deleted names."""
    root = registry.root
    files = {
        "seed.txt": "To be, or not to be.\n",
        "corpus/ä b.txt": "Words, words, words.\n",
        "corpus/run.sh": "#!/bin/sh\n",
        "model/weights": "0 1 2 3\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / "corpus" / "run.sh").chmod(0o755)
    (root / "corpus" / "empty").mkdir()
    human = {"type": "human", "source": "Hamlet", "licence": "CC0-1.0"}
    seed = registry.commit("dataset", "seed", root / "seed.txt", origin=human).id
    past: list[str] = []
    for number in range(3):
        (root / "model" / "weights").write_text(f"{number}\n" * 4, encoding="utf-8")
        past.append(_generation(registry, number, seed, past))
    rejected = registry.branches()["loop/tutor"]
    registry.attest(
        "review", subject=rejected, data={"verdict": "approve", "by": "Ada"}
    )
    registry.commit("model", "api", external={"uri": "https://example.com/m"})
    registry.commit("config", "next", params={"lr": 1e-7}, ref="runs/tutor/3/config")
    set_tag(registry, "v1", past[1], message="the first that we showed")
    set_tag(registry, "v0", past[0])
    delete_tag(registry, "v0", message="too early")
    set_branch(registry, "ä/%2F", past[0])
    delete_branch(registry, "ä/%2F")
    registry.set_head("loop/tutor")


def _generation(registry: Registry, number: int, seed: str, past: list[str]) -> str:
    """One turn: what the last model wrote, and the model that learned from it."""
    root = registry.root
    config = registry.commit("config", "recipe", params={"lr": 0.002, "seed": number})
    edges = [Edge("configured_by", config.id, "observed")]
    data = seed
    if past:
        (root / "corpus" / "ä b.txt").write_text(f"words {number}\n", encoding="utf-8")
        writer = registry.resolve("model/tutor")
        origins = [Edge("generated_by", writer, "observed"), Edge("derived_from", seed)]
        data = registry.commit(
            "dataset", "written", root / "corpus", edges=[*edges, *origins],
            origin={"type": "machine"},
        ).id  # fmt: skip
    shares: Any = {"records": [1, 2 + number]}
    trained = Edge("trained_on", data, "observed", shares)
    metrics = {"perplexity": Metric(21.5 + number, "per token", 1, "lower", 400)}
    model = registry.commit(
        "model", "tutor", root / "model", edges=[*edges, trained], metrics=metrics,
        message=f"turn {number}",
    ).id  # fmt: skip
    parts = [Edge("includes", id_, "observed") for id_ in (config.id, data, model)]
    gates = [{"id": "diversity", "type": "distinct", "verdict": "pass", "value": 0.5}]
    return registry.commit(
        "generation", "tutor", edges=parts, params={"generation": number},
        metrics=metrics, gates=gates,
    ).id  # fmt: skip


def main() -> None:
    """Make it in a folder of its own and pack it up."""
    with TemporaryDirectory() as folder:
        with closing(GitRepository.create(Path(folder))) as git:
            git.run("config", "user.name", "Ada Example")
            git.run("config", "user.email", "ada@example.com")
        with closing(lineage.init(folder)) as registry:
            make(registry)
            refs = registry.git.run(
                "for-each-ref", "--format=%(refname)", "refs/lineage"
            )
            bundle = str(HERE / "registry.bundle")
            registry.git.run("bundle", "create", "-q", bundle, *refs.decode().split())
            cache = registry.payloads.cache
        with tarfile.open(HERE / "cache.tar.gz", "w:gz") as archive:
            archive.add(cache / "files", "files")


if __name__ == "__main__":
    main()
