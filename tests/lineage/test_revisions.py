"""Names of commits: bases, steps, and what is said about those that mean nothing."""

from __future__ import annotations

from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lineage
from lineage import Commit, Edge
from lineage.errors import Ambiguous, LineageError, NotFound, UsageError
from lineage.names_ops import delete_branch, set_branch, set_tag
from lineage.store.projection import project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.registry import Registry


class Family:
    """Two human datasets, a model of them, what it wrote, and a generation of all."""

    def __init__(self, registry: Registry) -> None:
        def commit(kind: str, name: str, number: int, *edges: tuple[str, str]) -> str:
            made = [Edge(role, id_) for role, id_ in edges]
            return registry.commit(kind, name, params={"x": number}, edges=made).id

        self.one = commit("dataset", "one", 1)
        self.two = commit("dataset", "two", 1)
        self.old = commit("model", "m", 1, ("trained_on", self.one))
        trained = [("trained_on", self.one), ("trained_on", self.two)]
        self.new = commit("model", "m", 2, *trained)
        self.made = commit("dataset", "made", 1, ("generated_by", self.new))
        parts = [("includes", self.new), ("includes", self.made)]
        self.first = commit("generation", "g", 1, *parts)
        self.turn = commit("generation", "g", 2, *parts)
        set_tag(registry, "v1", self.old)
        set_branch(registry, "topic/a b", self.made)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Give the registry that tests only read; its family is `family`."""
    with closing(lineage.init(tmp_path_factory.mktemp("shared"))) as registry:
        yield registry


@pytest.fixture(scope="module")
def family(shared: Registry) -> Family:
    return Family(shared)


def test_bases(shared: Registry, family: Family) -> None:
    """HEAD, tags, branches, ids, git oids, and prefixes of both."""
    git = shared.git_oid(family.new)
    expected = {
        "HEAD": family.made,
        "v1": family.old,
        "model/m": family.new,
        "topic/a b": family.made,
        family.new: family.new,
        family.new[:10]: family.new,
        git: family.new,
        git[:10]: family.new,
        git[:7]: family.new,
    }
    assert {name: shared.resolve(name) for name in expected} == expected


def test_steps(shared: Registry, family: Family) -> None:
    """Back on the branch, along a role, to one kind of several, one after another."""
    expected = {
        "model/m~0": family.new,
        "model/m~": family.old,
        "model/m~1": family.old,
        "loop/g~": family.first,
        "HEAD^generated_by": family.new,
        "HEAD^generated_by~1^trained_on": family.one,
        "loop/g^includes(model)": family.new,
        "loop/g~1^includes(dataset)^generated_by~": family.old,
        "loop/g^follows": family.first,
        "model/m^revises^trained_on": family.one,
    }
    assert {name: shared.resolve(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("revision", "error", "words"),
    [
        ("", UsageError, "at its end: expected a branch, a tag, an id or a function"),
        ("^trained_on", UsageError, "at character 1: expected a branch, a tag"),
        ("\udcff", UsageError, "at character 1: expected a character that prints"),
        ("a\nb", UsageError, "at character 2: expected a character that prints"),
        (
            "HEAD~x",
            UsageError,
            "at character 6: expected a number, or nothing, after ~",
        ),
        ("HEAD~-1", UsageError, "at character 6: expected an operator"),
        ("HEAD^", UsageError, "at its end: expected a role"),
        ("HEAD^1", UsageError, "at character 6: expected a role"),
        ("HEAD^cooked_by", UsageError, "at character 6: expected a role"),
        ("HEAD^generated_by(cat)", UsageError, "at character 19: expected a kind"),
        ("HEAD^generated_by(", UsageError, "at its end: expected a kind"),
        ("~99", NotFound, "no branch, tag or commit is called '99'"),
        ("nothing", NotFound, "no branch, tag or commit is called 'nothing'"),
        ("model/M", NotFound, "no branch, tag or commit is called 'model/M'"),
        ("dead", NotFound, "no branch, tag or commit is called 'dead'"),
        ("0" * 64, NotFound, "no branch, tag or commit"),
        ("f" * 65, NotFound, "no branch, tag or commit"),
        ("abc", NotFound, "no branch, tag or commit is called 'abc'"),
        ("model/m~2", NotFound, "nothing comes before"),
        ("model/m~" + "9" * 5000, UsageError, "expected at most nine digits"),
        ("HEAD^trained_on", NotFound, "has no edge trained_on"),
        ("model/m^trained_on(model)", NotFound, "has no edge trained_on to a model"),
        ("model/m^trained_on", Ambiguous, "has 2 edges trained_on"),
        ("loop/g^includes", Ambiguous, "has 2 edges includes"),
    ],
)
@pytest.mark.usefixtures("family")
def test_what_means_nothing_is_explained(
    revision: str, error: type[LineageError], words: str, shared: Registry
) -> None:
    """The wrong part is named, with the right class of error."""
    with pytest.raises(error) as caught:
        shared.resolve(revision)
    assert words in str(caught.value)


def test_candidates_are_listed(shared: Registry, family: Family) -> None:
    """An ambiguity shows each commit with its kind and name."""
    with pytest.raises(Ambiguous) as caught:
        shared.resolve("model/m^trained_on")
    assert set(caught.value.candidates) == {
        f"{family.one[:12]} (dataset one)", f"{family.two[:12]} (dataset two)"
    }  # fmt: skip


def twins(first: str, second: str) -> tuple[int, int, str]:
    """Two numbers whose configs share a prefix of the `first` and `second` name."""
    seen: dict[str, int] = {}
    for number in count():
        draft = Commit("config", "c", params={"x": number})
        names = {"id": draft.id[:4], "git": project(draft, [], {}).oid[:4]}
        if names[second] in seen:
            return seen[names[second]], number, names[second]
        seen[names[first]] = number
    raise AssertionError


@pytest.mark.parametrize("pair", [("id", "id"), ("id", "git"), ("git", "git")])
def test_an_ambiguous_prefix_is_refused(pair: tuple[str, str], repo: Registry) -> None:
    """A prefix of two ids, of two git oids or of one each is both commits."""
    *numbers, prefix = twins(*pair)
    ids = [
        repo.commit("config", "c", params={"x": number}, revise=False).id
        for number in numbers
    ]
    with pytest.raises(Ambiguous, match="could be 2 commits") as caught:
        repo.resolve(prefix)

    assert {candidate[:12] for candidate in caught.value.candidates} == {
        id_[:12] for id_ in ids
    }


def test_a_tag_comes_before_a_branch_before_a_prefix(repo: Registry) -> None:
    """Whatever the names look like: a tag before a branch before a prefix."""
    ids = [repo.commit("config", "c", params={"x": number}).id for number in range(3)]
    name = ids[0][:6]
    assert repo.resolve(name) == ids[0]
    set_branch(repo, name, ids[1])
    assert repo.resolve(name) == ids[1]
    set_tag(repo, name, ids[2])
    assert repo.resolve(name) == ids[2]


def test_head_without_its_branch_is_explained(repo: Registry) -> None:
    """An empty registry has no HEAD, nor has one whose branch was deleted."""
    with pytest.raises(NotFound, match="HEAD names no commit yet"):
        repo.resolve("HEAD")
    repo.commit("config", "c", params={"x": 1})
    delete_branch(repo, "config/c")
    with pytest.raises(NotFound, match="HEAD names no commit yet"):
        repo.resolve("HEAD")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    revision=st.one_of(
        st.text(max_size=30),
        st.lists(
            st.sampled_from(
                [
                    "HEAD",
                    "v1",
                    "~",
                    "^",
                    "1",
                    "includes",
                    "(model)",
                    "model/m",
                    "..",
                    "ab",
                ]
            ),
            max_size=6,
        ).map("".join),
    )
)
@pytest.mark.usefixtures("family")
def test_any_text_is_a_commit_or_an_error(revision: str, shared: Registry) -> None:
    """Nothing that can be typed makes a traceback."""
    try:
        assert shared.load(shared.resolve(revision)).id
    except LineageError as error:
        assert str(error)  # noqa: PT017
