"""A packed file reads as a plain one does, and decodes no more than it has to."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.store.packed.format import Segment
from lineage.store.packed.packs import Packs
from lineage.store.packed.writer import TEXT, Piece, Writer
from tests.store.packed.making import chain, md5, pieces, published, sha256, weights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Packs:
    return Packs(tmp_path_factory.mktemp("cache"), "registry")


@pytest.fixture(scope="module")
def opened(
    packs: Packs, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[BinaryIO]]:
    """Give a file of parts of blocks, packed, and the same as a plain file."""
    path = tmp_path_factory.mktemp("work") / "pack"
    data = weights(3, 500)
    cuts = [(0, 700), (1300, 700), (0, 1), (500, 900), (0, 2000)]
    whole = b"".join(data[start : start + length] for start, length in cuts)
    with Writer(packs, path) as writer:
        segment = writer.add_blocks([Piece(data, 4)]).segments[0]
        parts = [Segment(segment.block, *cut) for cut in cuts]
        writer.add_file(md5(whole), sha256(whole), parts)
        writer.add_file(md5(b""), sha256(b""), [])
        packs.publish(path, writer.finish())
    stream = packs.open(md5(whole))
    assert stream
    path.write_bytes(whole)
    with stream, path.open("rb") as plain:
        yield [stream, plain]


steps = st.one_of(
    st.tuples(st.sampled_from(("read", "read1")), st.integers(-1, 3000)),
    st.tuples(st.just("readinto"), st.integers(0, 3000)),
    st.tuples(st.just("seek"), st.integers(0, 5000), st.just(os.SEEK_SET)),
    st.tuples(st.just("seek"), st.integers(-5000, 500), st.just(os.SEEK_END)),
    st.tuples(st.just("seek"), st.integers(-2000, 2000), st.just(os.SEEK_CUR)),
    st.tuples(st.just("tell")),
)


@given(st.lists(steps, max_size=12))
def test_it_reads_as_a_plain_file_does(
    opened: list[BinaryIO], walk: list[tuple[str, *tuple[int, ...]]]
) -> None:
    """Whatever is read and sought, bytes and places are those of a plain file."""
    for file in opened:
        file.seek(0)
    for name, *numbers in walk:
        first, second = (step(file, name, numbers) for file in opened)
        if name == "read1":  # may be less, but not nothing
            assert isinstance(first, bytes)
            assert isinstance(second, bytes)
            assert bool(first) == bool(second)
            assert first[: len(second)] == second[: len(first)]
            opened[1].seek(opened[0].tell())
        else:
            assert first == second


def step(file: BinaryIO, name: str, numbers: list[int]) -> object:
    """Do one thing to a file; what it gives."""
    if name == "readinto":
        buffer = bytearray(numbers[0])
        return file.readinto(buffer), buffer  # type: ignore[attr-defined]
    try:
        return getattr(file, name)(*numbers)
    except (ValueError, OSError):
        file.seek(0)
        return "refused"


def test_an_empty_file(packs: Packs, opened: list[BinaryIO]) -> None:
    """A file without bytes has no parts and reads as nothing."""
    assert opened
    stream = packs.open(md5(b""))
    assert stream
    with stream:
        assert stream.read() == stream.read(5) == b""
    with pytest.raises(ValueError, match="closed"):
        stream.read()


def test_libraries_read_it(packs: Packs, tmp_path: Path) -> None:
    """Text is read by lines, an archive by its members."""
    text = "".join(f"{n} línea\n" for n in range(9000))
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("a/b", text)
    files = [text.encode(), (tmp_path / "zip").read_bytes()]
    with Writer(packs, tmp_path / "pack") as writer:
        for data in files:
            parts = (Piece(part.data, TEXT) for part in pieces(data))
            writer.add(md5(data), sha256(data), parts)
        packs.publish(tmp_path / "pack", writer.finish())
    streams = [packs.open(md5(data)) for data in files]
    assert all(streams)
    with io.TextIOWrapper(streams[0], encoding="utf-8") as lines:  # type: ignore[type-var]
        assert list(lines) == text.splitlines(keepends=True)
    with zipfile.ZipFile(streams[1]) as archive:  # type: ignore[arg-type]
        assert archive.read("a/b").decode() == text


def test_only_what_is_touched_is_decoded(tmp_path: Path) -> None:
    """Reading here and there decodes the blocks there; reading on, those ahead."""
    packs = Packs(tmp_path, "r")
    data = weights(1, 1 << 18)  # 128 blocks
    published(packs, tmp_path, [data])
    packs = Packs(tmp_path, "r")
    stream = packs.open(md5(data))
    assert stream
    with stream:
        for start in (900_000, 8, 500_000):
            stream.seek(start)
            assert stream.read(40) == data[start : start + 40]
        assert len(packs.blocks._held) == 3
        assert stream.read(30_000) == data[500_040:530_040]
        assert 6 < len(packs.blocks._held) < 60


def test_many_threads_read_one_chain(tmp_path: Path) -> None:
    """Eight threads that read kin at once get each its own bytes."""
    packs = Packs(tmp_path, "r")
    files = chain(8)
    published(packs, tmp_path, files)

    def read(data: bytes) -> bool:
        stream = packs.open(md5(data))
        assert stream
        with stream:
            return stream.read() == data

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(read, files * 5))


FORKING = """
import os, sys
from pathlib import Path
from lineage.store.packed.packs import Packs
stream = Packs(Path(sys.argv[1]), "r").open(sys.argv[2])
begun = stream.read(20_000)
stream.read1(10_000)
child = os.fork()
stream.seek(20_000)
sys.stdout.buffer.write(begun + stream.read())
sys.stdout.flush()
sys.exit(os.waitpid(child, 0)[1] if child else 0)
"""


def test_a_fork_reads_on(tmp_path: Path) -> None:
    """Parent and child both read a file to its end that was begun before the fork."""
    packs = Packs(tmp_path, "r")
    data = weights(1, 1 << 16)
    published(packs, tmp_path, [data])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKING, str(tmp_path), md5(data)],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.count(data[-64:]) == 2
    assert len(done.stdout) == 2 * len(data)
