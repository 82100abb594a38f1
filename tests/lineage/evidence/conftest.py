"""Datasets and models with claims about where they came from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lineage.evidence.looking import look

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lineage.evidence.checked import Checked
    from lineage.registry import Registry
    from lineage.store.objects import Edge

Record = dict[str, Any]


class Claims:
    """Makes commits, and looks at what they claim."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self.registry = registry
        self.folder = folder
        self._made = 0

    def dataset(self, records: Iterable[Record], *edges: Edge) -> str:
        self._made += 1
        path = self.folder / f"{self._made}.jsonl"
        lines = (json.dumps(record) + "\n" for record in records)
        path.write_text("".join(lines), encoding="utf-8")
        name = f"d{self._made}"
        return self.registry.commit("dataset", name, path, edges=edges).id

    def look(self, id_: str, *, write: bool = False) -> list[Checked]:
        quiet = {"progress": lambda _: None, "write": write}
        [looked] = look(self.registry, [id_], **quiet)  # type: ignore[arg-type]
        return list(looked.checked)

    def verdicts(self, id_: str) -> list[str]:
        return [one.verdict for one in self.look(id_)]


@pytest.fixture
def claims(repo: Registry, tmp_path: Path) -> Claims:
    return Claims(repo, tmp_path)
