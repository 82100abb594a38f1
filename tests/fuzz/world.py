"""A small registry that readers are tried in, one for each folder."""

from __future__ import annotations

from contextlib import ExitStack, closing
from functools import cache
from typing import TYPE_CHECKING

import lineage
from lineage import bundle
from lineage.audit.report import report
from lineage.names_ops import set_tag
from lineage.store.objects import Edge
from tests.lineage.bundle_check.bag import Bag

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry

opened = ExitStack()  # what has to be closed at the end


@cache
def small_registry(folder: Path) -> Registry:
    """Three commits: data, a model that learned from them, a turn of a loop."""
    registry = opened.enter_context(closing(lineage.init(folder / "registry")))
    work = folder / "registry" / "seed.jsonl"
    work.write_text('{"text": "one", "label": 1}\n{"text": "two", "label": 2}\n')
    origin = {"type": "human", "source": "a class", "licence": "CC0-1.0"}
    seed = registry.commit("dataset", "seed", work, origin=origin).id
    model = registry.commit(
        "model", "tutor",
        edges=[Edge("trained_on", seed)],
        params={"lr": 2e-5, "steps": 3},
        metrics={"loss": {"value": 0.25, "direction": "lower"}},
        external={"uri": "hf://org/tutor"},
    ).id  # fmt: skip
    edges = [Edge("includes", seed), Edge("includes", model)]
    registry.commit("generation", "tutor", edges=edges, branch="loop/tutor")
    set_tag(registry, "v1", model)
    return registry


@cache
def small_bundle(folder: Path) -> Bag:
    """A bundle of that registry, as a report of it is handed over."""
    registry, path = small_registry(folder), folder / "small.zip"
    bundle.export(registry, report(registry, "loop/tutor"), path, payloads="all")
    return Bag.read(path)
