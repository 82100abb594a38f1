"""Letting go of packed files: what stays comes back, what goes leaves no byte."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lineage.store.packed.packs import Packs
from lineage.store.packed.rewriting import entangled, rewrite
from lineage.store.packed.writer import Writer
from tests.store.packed.making import (
    chain,
    contents,
    md5,
    pieces,
    published,
    sha256,
    weights,
)

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.store.packed.format import Segment


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def test_what_others_build_on_stays(packs: Packs, tmp_path: Path, work: Path) -> None:
    """Of a chain over two packs every other file goes; the rest is read as before."""
    files = chain(8)
    published(packs, tmp_path, files[:4])
    published(packs, tmp_path, files[4:])
    keep = files[1::2]
    before = sum(pack.size for pack in packs)

    done = rewrite(packs, {md5(data) for data in keep}, work)

    assert contents(packs, files) == [data if data in keep else None for data in files]
    assert {pack.name for pack in packs} == set(done.made)
    assert before - sum(pack.size for pack in packs) == done.freed > 0
    assert rewrite(packs, {md5(data) for data in keep}, work).gone == []


def test_old_packs_are_put_aside(packs: Packs, tmp_path: Path, work: Path) -> None:
    """A pack of which nothing stays is moved into the trash as it is."""
    name = published(packs, tmp_path, chain(2))
    done = rewrite(packs, set(), work, tmp_path / "trash")
    assert (done.gone, done.made, list(packs)) == ([name], [], [])
    assert (tmp_path / "trash" / f"{name}.pack").exists()


def test_what_goes_is_named_until_the_end(
    packs: Packs, tmp_path: Path, work: Path
) -> None:
    """Whoever is killed in between finds by its name what has bytes left."""
    parts: list[Segment] = []
    for seed in range(4):
        with Writer(packs, tmp_path / "blocks") as writer:
            parts += writer.add_blocks(pieces(weights(seed, 65))).segments
            packs.publish(tmp_path / "blocks", writer.finish())
    with Writer(packs, tmp_path / "file") as writer:
        data = b"".join(weights(seed, 65) for seed in range(4))
        writer.add_file(md5(data), sha256(data), parts)
        name = writer.finish()
    packs.publish(tmp_path / "file", name)
    assert rewrite(packs, set(), work).gone[-1] == name


def test_a_damaged_pack_is_left_alone(packs: Packs, tmp_path: Path, work: Path) -> None:
    """A pack whose remaining file cannot be read back is not thrown away."""
    files = chain(2)
    name = published(packs, tmp_path, files)
    path = packs.path(name)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    done = rewrite(Packs(tmp_path / "cache", "registry"), {md5(files[0])}, work)
    assert done.left == [name]
    assert path.read_bytes() == data


def test_who_needs_the_bytes_of_a_file(packs: Packs, tmp_path: Path) -> None:
    """Children of a file need its bytes; those with the same bytes do not."""
    files, stranger = chain(3), weights(77)
    published(packs, tmp_path, files)
    with Writer(packs, tmp_path / "pack") as writer:
        twice = stranger + stranger
        writer.add(md5(stranger), sha256(stranger), pieces(stranger))
        writer.add(md5(twice), sha256(twice), pieces(twice))
        packs.publish(tmp_path / "pack", writer.finish())

    assert entangled(packs, {md5(files[1])}) == {md5(files[2])}
    assert entangled(packs, {md5(files[2])}) == set()
    assert entangled(packs, {md5(stranger)}) == set()


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1 << 32))
@example(115345)  # bytes that a file shares with one that is made plain
def test_any_files_may_stay(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """What is kept comes back and what is not is gone, whatever builds on what."""
    dice = random.Random(seed)  # noqa: S311
    top = tmp_path_factory.mktemp("any")
    packs, files = Packs(top, "r"), [weights(dice.randrange(9), 4096)]
    for _ in range(dice.randrange(1, 4)):
        with Writer(packs, top / "pack") as writer:
            for number in range(dice.randrange(1, 4)):
                base = dice.choice(files)
                other = weights(dice.randrange(9), 4096)
                data = dice.choice((base, other))[: 4 * dice.randrange(1, 4096)]
                data += dice.choice((chain(2, number, 2048)[1], b"", base[:8192]))
                files.append(data)
                writer.add(md5(data), sha256(data), pieces(data, base, 1 << 12))
            packs.publish(top / "pack", writer.finish())
    there = [data for data in files if packs.has(md5(data))]
    keep = {md5(data) for data in there if dice.random() < 0.5}
    doomed = {md5(data) for data in there} - keep
    bound = entangled(packs, doomed)
    stays = {part for oid in keep - bound for part in packs.segments(oid) or ()}
    goes = {part for oid in doomed for part in packs.segments(oid) or ()} - stays

    rewrite(packs, keep - bound, top)

    left = [data if md5(data) in keep - bound else None for data in there]
    assert contents(packs, there) == left
    assert not any(packs.where(part.block) for part in goes)
