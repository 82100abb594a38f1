"""Records in Parquet and Arrow, as far as the reading of them is ours."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from lineage.records import rows_of
from lineage.records.values import canonical_record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 40
KEPT: Sequence[bytes] = ()
KINDS = (b".parquet", b".arrow")


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    import pyarrow as pa
    from pyarrow import ipc, parquet

    table = pa.table({"text": ["a", "b", None], "deep": [{"x": [1]}, None, {"x": []}]})
    made = [b".parquet\n", b".arrow\n", b".arrow\n"]
    out = BytesIO()
    parquet.write_table(table, out)
    made[0] += out.getvalue()
    for number, new in enumerate((ipc.new_stream, ipc.new_file), start=1):
        out = BytesIO()
        with new(out, table.schema) as writer:
            writer.write_table(table)
        made[number] += out.getvalue()
    return made


def attack(data: bytes, folder: Path) -> None:
    kind, _, rest = data.partition(b"\n")
    kind = kind if kind in KINDS else KINDS[len(data) % len(KINDS)]
    path = folder / f"data{kind.decode()}"
    path.write_bytes(rest)
    for row in rows_of(path, path.name):
        canonical_record(row.data, row.where)
