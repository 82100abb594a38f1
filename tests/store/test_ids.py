"""The lookup file: every commit by any prefix, whatever happens to the files."""

from __future__ import annotations

import os
from contextlib import closing
from hashlib import sha1, sha256
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lineage
from lineage import Edge
from lineage.errors import NotFound
from lineage.store.events import now
from lineage.store.git_reader import Reader
from lineage.store.ids import Ids
from lineage.store.lookup import Record
from lineage.store.objects import Event

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.registry import Registry


def many(registry: Registry, start: int, stop: int) -> list[str]:
    """Record commits that have an id, a git oid and no more, in one event."""
    pairs = tuple(
        (sha256(b"%d" % i).hexdigest(), sha1(b"%d" % i).hexdigest())  # noqa: S324
        for i in range(start, stop)
    )
    event = Event("import", now(), registry.actor(), commits=pairs)
    with registry.events_log.locked() as lock:
        registry.record(event, lock=lock)
    return [id_ for id_, _ in pairs]


def fresh(registry: Registry) -> Ids:
    return Ids(registry.git, registry.events_log, registry.home)


def in_order(ids: Ids) -> list[str]:
    return [record.id for record in sorted(ids, key=lambda record: record.number)]


@given(
    id_=st.binary(min_size=32, max_size=32),
    git=st.binary(min_size=20, max_size=20),
    numbers=st.tuples(*[st.integers(0, 2**32 - 1)] * 2),
)
def test_a_record_read_back_is_the_record(
    id_: bytes, git: bytes, numbers: tuple[int, int]
) -> None:
    """A record is 84 bytes and keeps everything."""
    record = Record(id_.hex(), git.hex(), git[::-1].hex(), *numbers)

    assert Record.unpack(record.pack()) == record
    assert len(record.pack()) == 84


def test_any_prefix_finds_its_commits(repo: Registry) -> None:
    """Prefixes of any length find what starts with them, from file and memory."""
    ids = many(repo, 0, 1500)
    ids += many(repo, 1500, 1600)
    for lookup in (repo.ids, fresh(repo)):
        for length in (0, 1, 2, 3, 5, 63, 64):
            prefix = ids[7][:length]
            expected = sorted(id_ for id_ in ids if id_.startswith(prefix))
            assert [record.id for record in lookup.find(prefix)] == expected
        assert len(lookup) == 1600
        assert in_order(lookup) == ids


def test_unknown_ids_are_not_found(repo: Registry) -> None:
    """Whatever has not the form of an id here, or is none, is NotFound."""
    known = many(repo, 0, 3)[0]
    for wrong in ("", known[:63], known.upper(), "0" * 64, "x" * 64, "HEAD", "ä"):
        with pytest.raises(NotFound):
            repo.ids.get(wrong)
    assert repo.ids.get(known).id == known


def test_generations_count_machine_hops(repo: Registry) -> None:
    """Only what was generated or distilled is a generation further."""

    def commit(name: str, **edges: str) -> str:
        made = [Edge(role, id_) for role, id_ in edges.items()]
        return repo.commit("model", name, params={"x": name}, edges=made).id

    seed = commit("seed")
    data = commit("data", generated_by=seed)
    next_ = commit("next", trained_on=data, fine_tuned_from=seed)
    small = commit("small", distilled_from=next_)
    tested = commit("tested", evaluated_on=small, configured_by=small, merged_from=seed)
    numbers = [
        repo.ids.get(id_).generation for id_ in (seed, data, next_, small, tested)
    ]

    assert numbers == [0, 1, 1, 2, 0]
    (repo.home / "ids").unlink()
    again = fresh(repo)
    assert numbers == [
        again.get(i).generation for i in (seed, data, next_, small, tested)
    ]


def test_two_open_registries_see_each_other(repo: Registry) -> None:
    """What one writes the other finds, across a merge of the file."""
    with closing(lineage.open(repo.root)) as other:
        ids = []
        for step in range(0, 2400, 300):
            ids += many(repo if step % 600 else other, step, step + 300)
            assert in_order(repo.ids) == in_order(other.ids) == ids


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 1)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def noise(path: Path) -> None:
    path.write_bytes(os.urandom(999))


def lose(path: Path) -> None:
    path.unlink()


def flip(path: Path) -> None:
    """Change one byte in every record."""
    data = bytearray(path.read_bytes())
    for i in range(len(data) % 84 + 50, len(data), 84):
        data[i] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("names", "damage"),
    [
        (names, damage)
        for names in (["ids"], ["ids.tail"], ["ids", "ids.tail"])
        for damage in (cut, empty, noise, lose, zero, flip)
    ],
)
def test_damaged_files_are_made_again(
    damage: Callable[[Path], None], names: list[str], repo: Registry
) -> None:
    """Half a file, an empty one, zeros or noise: the log has it all."""
    ids = many(repo, 0, 1100) + many(repo, 1100, 1200)
    for name in names:
        damage(repo.home / name)

    assert in_order(fresh(repo)) == ids
    ids += many(repo, 1200, 1201)
    assert in_order(fresh(repo)) == ids


def test_a_flipped_byte_of_a_record_misleads_nobody(repo: Registry) -> None:
    """Whatever the search comes across on its way is checked, and the file healed."""
    ids = many(repo, 0, 64)
    path = repo.home / "ids"
    path.unlink()
    assert len(list(fresh(repo))) == 64
    whole = path.read_bytes()
    for byte in range(84):
        spoilt = bytearray(whole)
        spoilt[32 * 84 + byte] ^= 255  # in the first that a bisection looks at
        path.write_bytes(spoilt)

        assert [fresh(repo).get(id_).number for id_ in ids] == list(range(64))
        assert path.read_bytes() == whole


def test_halves_of_different_age_give_one_order(repo: Registry) -> None:
    """A crash between the two files, or a race, gives no number twice."""
    ids = many(repo, 0, 1100) + many(repo, 1100, 1200)
    old = {name: (repo.home / name).read_bytes() for name in ("ids", "ids.tail")}
    ids += many(repo, 1200, 2500)
    for name, data in old.items():
        new = (repo.home / name).read_bytes()
        (repo.home / name).write_bytes(data)
        assert in_order(fresh(repo)) == ids
        (repo.home / name).write_bytes(new)
    (repo.home / "ids.tail").write_bytes(old["ids.tail"])
    ids += many(repo, 2500, 2501)

    assert in_order(fresh(repo)) == ids


def test_a_log_that_went_back_is_followed(repo: Registry) -> None:
    """When the events of a registry are replaced by older ones, so are the ids."""
    ids = many(repo, 0, 10)
    tip = repo.events_log.tip()
    many(repo, 10, 20)
    with repo.events_log.locked() as lock:
        repo.git.update_refs({"refs/lineage/events": (None, tip)}, lock=lock)
    (repo.home / "rolled").unlink()  # else nothing would be written any more

    assert in_order(fresh(repo)) == ids
    ids += many(repo, 30, 40)
    assert in_order(repo.ids) == in_order(fresh(repo)) == ids


def test_what_was_read_once_is_at_hand(
    repo: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the log moves: neither a name nor an id is looked for again."""
    made = repo.commit("config", "c", params={"x": 1})
    assert repo.resolve(made.id) == repo.resolve("config/c") == made.id
    asked, ask = [], Reader.ask

    def noted(reader: Reader, batch: list[str]) -> Any:
        asked.extend(batch)
        return ask(reader, batch)

    monkeypatch.setattr(Reader, "ask", noted)
    assert repo.resolve(made.id) == made.id
    assert asked == []
    assert repo.resolve("config/c") == made.id
    assert asked == [f"{made.git}:lineage.json"]  # which says its id
    other = repo.commit("config", "c", params={"x": 2})
    assert repo.resolve("config/c") == other.id
