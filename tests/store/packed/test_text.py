"""Text and small files in packs: bit for bit the same, and next to nothing if alike."""

from __future__ import annotations

import hashlib
import io
import json
import random
from contextlib import contextmanager
from string import ascii_lowercase
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.store.packed.format import MAX_DEPTH, NO_BASE, SUFFIX
from lineage.store.packed.packs import Packs
from lineage.store.packed.text import (
    SMALL,
    Likeness,
    Small,
    add_small,
    add_text,
    neighbours,
    shrinks,
)
from lineage.store.packed.writer import Added, Writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

DICTIONARY = b"\x37\xa4\x30\xec"  # what zstd takes for the beginning of a dictionary
_DRAW = random.Random(0)  # noqa: S311 - no secret
WORDS = ["".join(_DRAW.choices(ascii_lowercase, k=6)) for _ in range(3000)]


def lines(count: int, seed: int = 0) -> list[bytes]:
    """Records as a loop has them."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    return [
        json.dumps(
            {
                "completion": " ".join(draw.choices(WORDS, k=20)),
                "id": f"{draw.getrandbits(48):012x}",
                "score": round(draw.random(), 4),
            }
        ).encode()
        + b"\n"
        for _ in range(count)
    ]


class Store:
    """Packs in a folder, one for each time that something is added."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packs = Packs(folder, "registry")
        self.packs.folder.mkdir(parents=True)

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """A writer whose pack is there afterwards."""
        path = self.folder / "new"
        with Writer(self.packs, path) as writer:
            yield writer
            name = writer.finish()
        path.rename(self.packs.folder / f"{name}{SUFFIX}")

    def add(self, *texts: bytes, like: Sequence[bytes] = ()) -> list[Added]:
        """Add texts in one pack, which may build on those that they are like."""
        likeness = Likeness(self.packs)
        for other in like:
            likeness.learn(md5(other))
        with self.writing() as writer:
            return [
                add_text(writer, likeness, *names(text), io.BytesIO(text))
                for text in texts
            ]

    def read(self, data: bytes) -> bytes:
        """What the packs have under the name of some bytes."""
        file = Packs(self.folder, "registry").open(md5(data))
        assert file is not None
        with file:
            return file.read()

    def depths(self) -> list[int]:
        """How many blocks come before each."""
        return [b.depth for pack in self.packs for b in pack.tables.all_blocks()]


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def names(data: bytes) -> tuple[str, str]:
    return md5(data), hashlib.sha256(data).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


TEXT = lines(20_000)  # 3 MB: a block
PLAIN = b"".join(TEXT)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many bytes the text takes by itself."""
    [added] = Store(tmp_path_factory.mktemp("plain")).add(PLAIN)
    assert added.alone == added.whole == len(PLAIN)
    return added.stored


PARTS = st.tuples(
    st.binary(min_size=1, max_size=60) | st.just(DICTIONARY + b"\0" * 8),
    st.integers(1, 9000),
)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(PARTS, min_size=1, max_size=4), min_size=1, max_size=3))
def test_any_bytes_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    versions: list[list[tuple[bytes, int]]],
) -> None:
    """Versions of any bytes, each of which may build on those before, come back."""
    texts = [b"".join(unit * count for unit, count in parts) for parts in versions]
    store = Store(tmp_path_factory.mktemp("any"))
    store.add(*texts)
    assert [store.read(text) for text in texts] == texts


def edited(draw: random.Random) -> list[bytes]:
    """One line in a hundred is another one."""
    new = list(TEXT)
    for at, line in zip(
        draw.sample(range(len(new)), len(new) // 100), lines(200, 1), strict=True
    ):
        new[at] = line
    return new


def filtered(draw: random.Random) -> list[bytes]:
    """A third of the lines is left out."""
    return [line for line in TEXT if draw.random() < 0.67]


def shuffled(draw: random.Random) -> list[bytes]:
    """The lines are in another order."""
    return draw.sample(TEXT, len(TEXT))


def rescored(draw: random.Random) -> list[bytes]:
    """Every record has a new score."""
    return [line[:-8] + b"%.4f}\n" % draw.random() for line in TEXT]


@pytest.mark.parametrize("change", [edited, filtered, rescored, shuffled])
def test_what_is_like_another(store: Store, plain: int, change: object) -> None:
    """A text that is like another one, in another pack, is kept as a difference."""
    assert callable(change)
    new = b"".join(change(random.Random(2)))  # noqa: S311 - no secret
    store.add(PLAIN)
    [added] = store.add(new, like=[PLAIN])
    assert added.delta + added.shared == len(new)
    assert added.stored < plain / 3
    assert store.read(new) == new


def test_what_is_added_at_the_end(store: Store, plain: int) -> None:
    """Of what another text begins with, little is kept twice, parent or not."""
    long = PLAIN + b"".join(lines(30_000, 3))
    store.add(long)
    [added] = store.add(long + b"".join(lines(1000, 4)))
    assert added.shared > len(PLAIN)
    assert added.stored < plain


def test_many_versions(store: Store, plain: int) -> None:
    """Chains of versions stay short, and all of them can be read."""
    versions = [PLAIN[:400_000]]
    for line in lines(3 * MAX_DEPTH, 4):
        old = versions[-1]
        at = old.index(b"\n", len(old) // 2) + 1
        versions.append(old[:at] + line + old[at:])
    for old, new in zip([b"", *versions], versions, strict=False):
        store.add(new, like=[old])
    assert [store.read(text) == text for text in versions] == [True] * len(versions)
    assert max(store.depths()) == MAX_DEPTH
    assert sum(p.size for p in store.packs) < plain / 5


def test_what_was_taken_back(store: Store) -> None:
    """Nothing builds on blocks that a writer has forgotten again."""
    likeness = Likeness(store.packs)
    with store.writing() as writer:
        mark = writer.mark()
        add_text(writer, likeness, *names(PLAIN), io.BytesIO(PLAIN))
        writer.back_to(mark)
        new = b"".join(edited(random.Random(5)))  # noqa: S311 - no secret
        add_text(writer, likeness, *names(new), io.BytesIO(new))
    assert store.read(new) == new
    assert set(store.depths()) == {0}
    assert all(b.base == NO_BASE for p in store.packs for b in p.tables.all_blocks())


def test_a_damaged_parent(store: Store, plain: int) -> None:
    """What cannot be read is not built on."""
    store.add(PLAIN)
    [pack] = store.packs.folder.iterdir()
    pack.chmod(0o644)
    with pack.open("r+b") as file:
        file.seek(plain // 2)
        file.write(bytes(1000))
    store.packs = Packs(store.folder, "registry")  # what was decoded is not at hand
    new = PLAIN + b"more\n"
    [added] = store.add(new, like=[PLAIN])
    assert added.alone == len(new)
    assert store.read(new) == new


@settings(deadline=None, max_examples=25)
@given(st.lists(PARTS, min_size=1, max_size=40))
def test_small_files(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[bytes, int]]
) -> None:
    """Files of any bytes that share blocks come back, each by itself."""
    files = {md5(data): data for data in ((u * n)[: SMALL - 1] for u, n in parts)}
    store = Store(tmp_path_factory.mktemp("small"))
    with store.writing() as writer:
        small = [Small(*names(data), data) for data in files.values()]
        add_small(writer, Likeness(store.packs), small)
        assert writer.files == len(files)
    assert all(store.read(data) == data for data in files.values())


def test_many_small_files(store: Store) -> None:
    """Thousands of files take a few blocks, and the next ones build on those."""
    old = [Small(*names(line), line) for line in TEXT[:5000]]
    new = [
        Small(*names(line), line)
        for line in (file.data.replace(b"score", b"grade") for file in old)
    ]
    likeness = Likeness(store.packs)
    with store.writing() as writer:
        first = add_small(writer, likeness, old)
    with store.writing() as writer:
        second = add_small(writer, likeness, new)
    assert len(first.segments) + len(second.segments) < 4
    assert second.stored < first.stored / 3
    assert all(
        store.read(file.data) == file.data for file in [*old[::999], *new[::999]]
    )


def test_names_that_are_alike() -> None:
    """Files are put side by side by suffix and name, wherever they lie."""
    found = ["b/config.json", "a/notes.txt", "a/x.json", "a/config.json"]
    assert sorted(found, key=neighbours) == [
        "b/config.json", "a/config.json", "a/x.json", "a/notes.txt"
    ]  # fmt: skip


NOISE = random.Random(6).randbytes(SMALL * 3)  # noqa: S311 - no secret


@pytest.mark.parametrize(
    ("data", "shorter"),
    [
        (PLAIN, True),
        (PLAIN[:SMALL], True),
        (NOISE, False),
        (NOISE * 8 + PLAIN, True),
        (b"GGUF" + PLAIN, False),
    ],
)
def test_what_shrinks(data: bytes, *, shorter: bool) -> None:
    """Samples tell whether a file gets smaller, wherever in it that is."""
    assert shrinks(io.BytesIO(data), len(data)) == shorter
