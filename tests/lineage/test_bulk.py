"""Bulk import: what many commits would have made, in few events."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.bulk import Draft, import_commits
from lineage.errors import LineageError, NotFound, UsageError
from lineage.history import walk
from lineage.names_ops import set_branch
from lineage.store.files import FileEntry, Payload
from lineage.store.objects import Commit, Edge, Metric

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage import Registry


def _config(number: int, *edges: Edge, name: str = "c", **draft: object) -> Draft:
    commit = Commit("config", name, edges, params={"number": number})
    return Draft(commit, **draft)  # type: ignore[arg-type]


def _imported(registry: Registry, drafts: list[Draft], batch: int = 100) -> list[str]:
    made = import_commits(registry, drafts, message="from elsewhere", batch=batch)
    return [id_ for each in made for id_ in each.ids]


def _turns() -> list[Draft]:
    """Two loops that share a seed, commits made twice, and a branch left behind."""
    seed = _config(0, name="seed")
    edge = Edge("configured_by", seed.commit.id)
    drafts = [seed, _config(1, edge), _config(1, edge), _config(2, edge), seed]
    model = Commit("model", "m", (edge,), params={"lr": 0.1}, metrics={"l": Metric(2)})
    part = Edge("includes", model.id)
    drafts += [Draft(model), Draft(Commit("generation", "g", (part,)))]
    drafts += [Draft(Commit("generation", "g", (part, edge)))]
    drafts += [_config(n, branch="left", revise=False) for n in (7, 8, 9, 7)]
    return drafts


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_the_same_commits_as_one_by_one(
    repo: Registry, tmp_path: Path, sound: Callable[[Registry], None], batch: int
) -> None:
    """Ids, git commits and branches are those that `commit` makes, in this order."""
    ids = _imported(repo, _turns(), batch)
    with closing(lineage.init(tmp_path / "single")) as single:
        for draft, id_ in zip(_turns(), ids, strict=True):
            c = draft.commit
            made = single.commit(
                c.kind,
                c.name,
                edges=c.edges,
                params=c.params,
                metrics=c.metrics,
                branch=draft.branch,
                revise=draft.revise,
            )
            assert (made.id, made.git) == (id_, repo.git_oid(id_))
        assert single.branches() == repo.branches()
        assert single.head == repo.head == "left"
        order = [
            [r.id for r in sorted(x.ids, key=lambda r: r.number)]
            for x in (single, repo)
        ]
        assert order[0] == order[1]
    sound(repo)


def test_few_events_and_one_pack_each(repo: Registry) -> None:
    """Hundreds of commits are a handful of files, whoever counts them."""
    before = len(list(repo.git.common.glob("objects/??/*")))
    ids = _imported(repo, [_config(n) for n in range(300)], batch=150)

    assert [event.type for _, event in repo.events()] == ["import", "import", "init"]
    assert len(list(repo.git.common.glob("objects/pack/*.pack"))) <= 3
    assert (repo.git.common / "objects/pack/multi-pack-index").exists()
    assert len(list(repo.git.common.glob("objects/??/*"))) - before < 20
    assert [e.id for e in walk(repo, [ids[-1]])] == ids[::-1]
    assert {e.message for e in walk(repo, [ids[-1]])} == {"from elsewhere"}


def test_files_by_their_entries(repo: Registry, tmp_path: Path) -> None:
    """A payload that is given by its list is that of the files, read from disk."""
    for name in ("a.txt", "b.txt"):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / name).write_text(name)
    made = repo.commit("dataset", "d", tmp_path / "data", reference=True)
    entries = repo.files(made.id)
    draft = Draft(repo.load(made.id), tuple(entries), branch="again")

    assert _imported(repo, [draft]) == [made.id]
    assert repo.branches()["again"] == made.id
    assert repo.files(made.id) == entries


def test_nothing_of_a_batch_that_fails(repo: Registry) -> None:
    """A draft that cannot be recorded takes its batch with it, not those before."""
    entry = FileEntry("x", "100644", 1, "0" * 64, "0" * 32)
    payload = Payload.of([entry], "file", stored=False)
    nowhere = Edge("derived_from", "1" * 64)
    cases: list[tuple[Draft, type[LineageError]]] = [
        (_config(9, nowhere), NotFound),
        (Draft(Commit("config", "empty")), UsageError),
        (_config(9, branch="a..b"), UsageError),
        (Draft(Commit("dataset", "d", payload=payload)), UsageError),
        (Draft(Commit("dataset", "d", params={"a": 1}), (entry,)), UsageError),
    ]
    for number, (wrong, error) in enumerate(cases):
        good = _config(number, name=f"n{number}")
        with pytest.raises(error):
            _imported(repo, [good, _config(5), wrong], batch=1 + number % 2)
    found = {record.id for record in repo.ids}

    assert found == {*repo.branches().values()}
    assert "config/n0" in repo.branches()
    assert "config/n1" in repo.branches()


def test_a_commit_without_a_name_outlives_git_gc(
    repo: Registry, sound: Callable[[Registry], None]
) -> None:
    """Neither what nobody names nor what its branch left behind is pruned."""
    drafts = [_config(1, branch=""), *(_config(n, revise=False) for n in (2, 3, 4))]
    ids = _imported(repo, drafts)
    assert list(repo.branches().values()) == [ids[-1]]
    repo.git.run("gc", "--prune=now", "--quiet")
    repo.close()

    assert [repo.load(id_).params["number"] for id_ in ids] == [1, 2, 3, 4]
    sound(repo)


def test_a_batch_of_what_is_here_already(repo: Registry) -> None:
    """Importing again records nothing twice, and says that it was done."""
    ids = _imported(repo, [_config(n) for n in range(5)])
    set_branch(repo, "config/c", ids[0], force=True)
    [again] = import_commits(repo, [_config(n) for n in range(5)])

    assert (again.ids, again.created) == (ids, 0)
    assert repo.branches()["config/c"] == ids[-1]
    assert len(repo.ids) == 5
