"""Gates over records, with older data in real folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lineage.loop.gates import Checked, Context, GateResult, load_gates, run_gates
from lineage.loop.records.shards import write_shard

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lineage.loop.spec import LoopSpec

Item = str | dict[str, Any]


class Bench:
    """Runs gates on records; `human`, `previous`, `held_out` are older texts."""

    def __init__(self, parse: Callable[..., LoopSpec], folder: Path) -> None:
        self._parse, self._folder = parse, folder

    def all(
        self,
        gates: list[dict[str, Any]],
        records: Sequence[Item],
        reference: Sequence[Item] | None = None,
        **older: Sequence[str],
    ) -> Checked:
        """The verdicts of several gates."""
        inputs = {role: self._write(role, texts) for role, texts in older.items()}
        context = Context(
            records=_records(records),
            human=older.get("human", ()),
            reference=None if reference is None else _records(reference),
            tokenize=lambda texts: [list(text.encode()) for text in texts],
            sample_size=1000,
            seed=0,
            inputs=inputs,
        )
        return run_gates(load_gates(self._parse(gates=gates)), context)

    def __call__(
        self,
        gate: dict[str, Any],
        records: Sequence[Item],
        reference: Sequence[Item] | None = None,
        **older: Sequence[str],
    ) -> GateResult:
        """The verdict of one gate; its JSON is JSON."""
        (result,) = self.all([gate], records, reference, **older).results
        assert result.threshold_from
        assert result.sentence
        return result

    def _write(self, role: str, texts: Sequence[str]) -> Path:
        rows = [{"id": f"{role}-{n}", "text": text} for n, text in enumerate(texts)]
        write_shard(self._folder / role / "0.jsonl", rows)
        return self._folder / role


def _records(items: Sequence[Item]) -> list[dict[str, Any]]:
    plain = [{"text": item} if isinstance(item, str) else item for item in items]
    return [{"id": f"r{n}"} | item for n, item in enumerate(plain)]


@pytest.fixture
def bench(parse: Callable[..., LoopSpec], tmp_path: Path) -> Bench:
    """Gates of a spec beside `tmp_path`."""
    return Bench(parse, tmp_path / "data")
