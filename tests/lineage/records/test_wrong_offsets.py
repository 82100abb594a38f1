"""An Arrow file whose offsets lead out of it, which pyarrow would follow."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

import pytest

from lineage.errors import StoreError
from lineage.records import rows_of

if TYPE_CHECKING:
    from pathlib import Path


def test_offsets_that_lead_out_of_the_file_are_refused(tmp_path: Path) -> None:
    """They are found before a value is read; else the process would end."""
    import pyarrow as pa
    from pyarrow import ipc

    path = tmp_path / "data.arrow"
    table = pa.table({"text": ["one hundred", "and a few"]})
    with ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table)
    data, right = path.read_bytes(), pack("<3i", 0, 11, 20)
    assert data.count(right) == 1
    path.write_bytes(data.replace(right, pack("<3i", 0, 1 << 30, (1 << 30) + 1)))
    with pytest.raises(StoreError, match=r"data\.arrow cannot be read as Arrow"):
        list(rows_of(path, path.name))
