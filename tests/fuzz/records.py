"""Records in JSONL, JSON, CSV, TSV and text: read through, and looked up."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from lineage.errors import LineageError
from lineage.records import rows_of
from lineage.records.lookup import looking
from lineage.records.source import Source
from lineage.records.values import canonical_record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 40
KEPT: Sequence[bytes] = ()
KINDS = (b".jsonl", b".json", b".csv", b".tsv", b".txt")


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    return [
        b'.jsonl\n{"text": "a\\u00fc", "n": [1, 2.5, null]}\n\n{"text": "b"}\n',
        b'.json\n[{"text": "a"}, {"text": "b", "deep": {"x": true}}]\n',
        b'.json\n{"version": "1", "data": [{"text": "a"}, {"text": "b"}]}',
        b'.csv\ntext,n\n"a, ""b""\nc",1\n\nd,2\n',
        b".tsv\ntext\tn\na\t1\nb\t2\n",
        b".txt\n\xef\xbb\xbfone\r\ntwo\n\n  three",
    ]


def attack(data: bytes, folder: Path) -> None:
    kind, _, rest = data.partition(b"\n")
    kind = kind if kind in KINDS else KINDS[len(data) % len(KINDS)]
    path = folder / f"data{kind.decode()}"
    path.write_bytes(rest)
    rows = list(rows_of(path, path.name))
    for row in islice(rows, 20):
        try:
            canonical_record(row.data, row.where)
        except LineageError:
            return
    with looking(Source(path, path.name)) as found:
        assert found.count() == len(rows)
        for number, row in enumerate(islice(rows, 20), start=1):
            hit = found.nth(number)
            assert hit
            assert (hit.data, hit.line) == (row.data, row.line)
            assert found.number(hit) == number
        assert found.nth(len(rows) + 1) is None
