"""A model of somebody's with its card, as `lineage import hf` records it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.integrations.huggingface import import_hf
from lineage.integrations.huggingface.cards import read
from tests.fuzz.world import small_registry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS = ("git",)
TRIES = 4
KEPT: Sequence[bytes] = ()


def seeds(folder: Path) -> Sequence[bytes]:
    small_registry(folder)
    model = b"""---
license: apache-2.0
base_model: [org/base, "https://huggingface.co/org/other"]
base_model_relation: merge
datasets: org/data
language: [en]
model-index:
- name: m
  results:
  - dataset: {name: GLUE, type: glue}
    metrics: [{type: accuracy, value: 0.9}, {name: f1, value: 1}]
---
# A model
"""
    data = b"""---
pretty_name: D
license: cc0-1.0
language_creators: [found, machine-generated]
source_datasets: [original, "extended|org/x"]
tags: [synthetic]
lineage: {generated_by: org/m}
---
"""
    return [model, data, b"no front matter\n"]


def attack(data: bytes, folder: Path) -> None:
    there = folder / "card"
    there.mkdir(exist_ok=True)
    (there / "README.md").write_bytes(data)
    (there / "config.json").write_text("{}")
    read(there)
    import_hf(small_registry(folder), str(there))
