"""JSONL shards: the same records are the same bytes."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import StoreError
from lineage.loop.records.shards import (
    Shard,
    copy_lines,
    encode,
    read_lines,
    read_records,
    read_texts,
    record_id,
    shard_name,
    shards_of,
    write_shard,
    write_shards,
)
from lineage.store.canonical import canonical, normalise

texts = st.text(st.characters(exclude_categories=["Cs"]))
records = st.fixed_dictionaries(
    {"text": texts, "id": texts}, optional={"seed": st.integers(0, 2**32)}
)


@given(records)
def test_a_line_is_canonical_json(record: dict[str, object]) -> None:
    """A record's line is RFC 8785, as the manifests are."""
    assert encode(record) == canonical(normalise(record)) + b"\n"


@given(st.lists(records, max_size=20), st.integers(1, 7))
def test_round_trip(written: list[dict[str, object]], size: int) -> None:
    """What is written comes back, in order, whatever is in the text."""
    with TemporaryDirectory() as folder:
        shards = write_shards(Path(folder), "g001", written, size)
        assert shards_of(Path(folder)) == shards
        assert [shard.records for shard in shards[:-1]] == [size] * (len(shards) - 1)
        read = [record for shard in shards for record in read_records(shard.path)]
        assert read == written
        assert list(read_texts(shards)) == [record["text"] for record in written]


def test_names_say_where_a_record_stands() -> None:
    """Shard names sort as their numbers do; an id leads to shard and row."""
    assert shard_name("g002", 7) == "g002-00007.jsonl"
    assert record_id("g002", 7, 31) == "g002-00007-00031"


def test_copied_lines_are_the_same_bytes(tmp_path: Path) -> None:
    """A selection keeps its lines as they are, even ones that others wrote."""
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_bytes(b'{"text": "one"}\n\n{ "text":"two" }\n')
    second.write_bytes(b'{"text":"three"}\n')
    shards = [Shard(first, 2), Shard(second, 1)]
    copy = copy_lines(shards, [2, 1], tmp_path / "new" / "c.jsonl")
    assert copy.records == 2
    assert copy.path.read_bytes() == b'{ "text":"two" }\n{"text":"three"}\n'


def test_a_last_line_without_its_end(tmp_path: Path) -> None:
    """A line that was cut off before its line feed does not run into the next one."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text":"one"}')
    copy = copy_lines([Shard(path, 1)] * 2, [0, 1], tmp_path / "b.jsonl")
    assert list(read_lines(copy.path)) == [b'{"text":"one"}\n'] * 2


def test_shards_are_found_in_sub_folders(tmp_path: Path) -> None:
    """A mixed dataset has one folder per source."""
    write_shard(tmp_path / "human" / "human-00000.jsonl", [{"text": "a"}])
    write_shard(tmp_path / "g001" / "g001-00000.jsonl", [{"text": "b"}] * 2)
    (tmp_path / "notes.txt").write_text("not a shard")
    assert [shard.records for shard in shards_of(tmp_path)] == [2, 1]


@pytest.mark.parametrize(
    "line", [b"{", b"3", b'{"body":"x"}', b'{"text":3}', b"\xff", b"[" * 9999]
)
def test_what_is_no_record(tmp_path: Path, line: bytes) -> None:
    """A line that is no record is named by its number."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text":"fine"}\n' + line + b"\n")
    with pytest.raises(StoreError, match=r"a\.jsonl: record 2 is not"):
        list(read_records(path))
