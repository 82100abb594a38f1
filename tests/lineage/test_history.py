"""Walking the registry: children before parents, each with its first event."""

from __future__ import annotations

import random
from contextlib import closing
from typing import TYPE_CHECKING

import lineage
from lineage import Edge
from lineage.history import walk
from lineage.names_ops import set_branch, set_tag

if TYPE_CHECKING:
    from lineage import Registry


def commit(registry: Registry, number: int, *parents: str) -> str:
    edges = [Edge("derived_from", id_) for id_ in parents]
    made = registry.commit(
        "dataset", f"d{number}", params={"x": number}, edges=edges, message=f"m{number}"
    )
    return made.id


def test_children_come_before_parents(repo: Registry) -> None:
    """In any graph, from any start: everything reachable, once, newest first."""
    chance = random.Random(7)  # noqa: S311
    parents: dict[str, list[str]] = {}
    for number in range(40):
        chosen = chance.sample(sorted(parents), min(len(parents), chance.randrange(4)))
        parents[commit(repo, number, *chosen)] = chosen
    order = list(parents)
    for start in (order[-1:], order[10:12], order):
        expected = set(start)
        for id_ in reversed(order):
            expected |= set(parents[id_]) if id_ in expected else set()
        walked = [entry.id for entry in walk(repo, start)]
        assert walked == [id_ for id_ in reversed(order) if id_ in expected]


def test_nothing_is_walked_from_nowhere(repo: Registry) -> None:
    """No starts, no entries."""
    assert list(walk(repo, [])) == []


def test_a_walk_may_be_left_and_the_registry_used(repo: Registry) -> None:
    """Reading something else in the middle disturbs neither."""
    first = commit(repo, 1)
    last = commit(repo, 2, first)
    for entry in walk(repo, [last]):
        assert repo.load(first).name == "d1"
        assert next(repo.events())[1].subject == last
        assert repo.load(entry.id).id == entry.id
    next(walk(repo, [last]))
    assert repo.entry("HEAD").id == last


def test_an_entry_says_who_recorded_it_first(repo: Registry) -> None:
    """Time, author and message are the first event's, whoever makes it again."""
    (repo.root / "f").write_text("text", encoding="utf-8")
    made = repo.commit("dataset", "d", "f", message="first")
    then = repo.entry(made.id)
    repo.git.run("config", "user.name", "Bob")
    repo.commit("dataset", "d", "f", message="again")
    set_tag(repo, "v1", made.id)
    set_branch(repo, "other", made.id)
    entry = repo.entry(made.git[:12])

    assert (entry.message, entry.time, entry.author) == (
        "first",
        then.time,
        then.author,
    )
    assert entry.author["name"] == "Ada Example"
    assert (entry.id, entry.git, entry.path) == (made.id, made.git, "f")
    assert (entry.branches, entry.tags) == (("dataset/d", "other"), ("v1",))
    assert entry.commit == repo.load(made.id)


def test_numbers_are_the_order_of_recording(repo: Registry) -> None:
    """Another handle, and one without derived files, count the same."""
    ids = [commit(repo, number) for number in range(5)]
    with closing(lineage.open(repo.root)) as other:
        ids.append(commit(other, 5))
    for path in ("ids", "ids.tail"):
        (repo.home / path).unlink()
    with closing(lineage.open(repo.root)) as fresh:
        for registry in (repo, fresh):
            assert [registry.entry(id_).number for id_ in ids] == list(range(6))
