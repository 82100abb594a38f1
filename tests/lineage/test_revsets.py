"""What revsets mean: against a model of plain sets, and case by case."""

from __future__ import annotations

import random
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lineage
from lineage import Edge, Metric
from lineage.errors import Ambiguous, LineageError, NotFound, UsageError
from lineage.names_ops import set_branch, set_tag
from lineage.revisions import Along, Back, Revision
from lineage.revset import ranges, written
from lineage.revset.syntax import (
    Bounds,
    Call,
    Complement,
    Meet,
    Node,
    Range,
    Stepped,
    Union,
)
from lineage.search import Condition
from lineage.store.objects import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lineage import Registry

SIZE = 14
ROLES = ("trained_on", "generated_by", "derived_from")
BACK = ("follows", "revises")
_PLAIN = (Revision, Stepped)  # nodes that take a step themselves
AUTHORS = ("Ada Example", "Ólafur Óskarsson")


@dataclass
class Graph:
    """A registry of random commits, and the same as plain values."""

    registry: Registry
    ids: list[str] = field(default_factory=list)  # oldest first
    names: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    authors: dict[str, str] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)

    def grow(self, chance: random.Random) -> None:
        for number in range(SIZE):
            kind = chance.choice(KINDS)
            roles = [*ROLES, "follows"] if kind == "generation" else ROLES
            parents = chance.sample(self.ids, min(chance.randrange(4), number))
            author = chance.choice(AUTHORS)
            message = f"made {chance.choice('abc')}"
            self.registry.git.run("config", "user.name", author)
            made = self.registry.commit(
                kind,
                chance.choice(["tutor", "seed", "org/tutor"]),
                edges=[Edge(chance.choice(roles), parent) for parent in parents],
                params={"number": number, "opt": {"name": chance.choice("xy")}},
                metrics={"loss": Metric(chance.randrange(5))},
                branch=f"b{chance.randrange(6)}",
                revise=chance.random() < 0.5,
                message=message,
            )
            self.ids.append(made.id)
            self.authors[made.id], self.messages[made.id] = author, message
        for number in range(3):
            id_ = chance.choice(self.ids)
            set_tag(self.registry, f"v{number}", id_)
            self.tags[f"v{number}"] = id_
            set_branch(self.registry, f"t {number}", chance.choice(self.ids))
        self.names = self.registry.branches() | self.tags

    # the model

    def parents(self, id_: str, roles: Iterable[str] | None) -> set[str]:
        edges = self.registry.load(id_).edges
        return {edge.id for edge in edges if roles is None or edge.role in roles}

    def children(self, id_: str, roles: Iterable[str] | None) -> set[str]:
        return {each for each in self.ids if id_ in self.parents(each, roles)}

    def reached(self, ids: set[str], step: Any, roles: Any = None) -> set[str]:
        found = set(ids)
        while more := {n for id_ in found for n in step(id_, roles)} - found:
            found |= more
        return found

    def ancestors(self, ids: set[str], roles: Any = None) -> set[str]:
        return self.reached(ids, self.parents, roles)

    def mean(self, node: Node) -> set[str]:  # noqa: PLR0911
        """What a tree means, one commit at a time."""
        match node:
            case Revision(name):
                return {self.names[name]}
            case Union(terms):
                return {id_ for id_ in self.ids if any(map(self._with(id_), terms))}
            case Meet(terms, without):
                return {
                    id_
                    for id_ in self.ids
                    if all(map(self._with(id_), terms))
                    and not any(map(self._with(id_), without))
                }
            case Complement(of):
                return {id_ for id_ in self.ids if not self._with(id_)(of)}
            case Range(since, to, both):
                a, b = (self.ancestors(self.mean(end)) for end in (since, to))
                return (a | b) - (a & b) if both else b - a
            case Stepped(of, steps):
                ids = self.mean(of)
                for step in steps:
                    ids = {n for id_ in ids for n in self.step(id_, step)}
                return ids
            case Call(name, arguments):
                return self.call(name, *arguments)
        raise AssertionError

    def _with(self, id_: str) -> Any:
        return lambda node: id_ in self.mean(node)

    def step(self, id_: str, step: Back | Along) -> set[str]:
        load = self.registry.load
        if isinstance(step, Along):
            found = self.parents(id_, [step.role])
            return {p for p in found if step.kind in (None, load(p).kind)}
        here = [id_]
        for _ in range(step.n):
            here = [p for each in here for p in load(each).ids(*BACK)[:1]]
        return set(here)

    def call(self, name: str, *arguments: Any) -> set[str]:
        if arguments and isinstance(arguments[0], Node):
            return self.of_sets(name, self.mean(arguments[0]), *arguments[1:])
        match name, arguments:
            case "all", _:
                return set(self.ids)
            case "none", _:
                return set()
            case "branches" | "tagged", globs:
                names = self.tags if name == "tagged" else self.registry.branches()
                glob = globs[0] if globs else "*"
                return {id_ for n, id_ in names.items() if fnmatchcase(n, glob)}
            case "role", (role, node):
                return {n for i in self.mean(node) for n in self.children(i, [role])}
        return {id_ for id_ in self.ids if self.meets(id_, name, arguments[0])}

    def of_sets(  # noqa: PLR0911
        self, name: str, ids: set[str], *rest: Any
    ) -> set[str]:
        roles = rest if rest and "*" not in rest else None
        match name:
            case "ancestors":
                return self.ancestors(ids, roles)
            case "descendants":
                return self.reached(ids, self.children, roles)
            case "parents":
                return {n for id_ in ids for n in self.parents(id_, roles)}
            case "children":
                return {n for id_ in ids for n in self.children(id_, roles)}
            case "heads":
                return {i for i in ids if not (self.above(i, self.children) & ids)}
            case "roots":
                return {i for i in ids if not (self.above(i, self.parents) & ids)}
            case "latest":
                return set(sorted(ids, key=self.ids.index)[-(rest or (1,))[0] :])
            case "merge_base":
                b, *walked = rest
                along = None if "*" in walked else walked or BACK
                common = self.ancestors(ids, along)
                common &= self.ancestors(self.mean(b), along)
                older = {
                    n
                    for i in common
                    for n in self.ancestors(self.parents(i, along), along)
                }
                return common - older
        raise AssertionError

    def above(self, id_: str, step: Any) -> set[str]:
        return self.reached(step(id_, None), step)

    def meets(self, id_: str, name: str, wanted: Any) -> bool:  # noqa: PLR0911
        commit = self.registry.load(id_)
        match name:
            case "kind":
                return bool(commit.kind == wanted)
            case "name":
                return fnmatchcase(commit.name, wanted)
            case "author":
                author = f"{self.authors[id_]} <ada@example.com>"
                return wanted.casefold() in author.casefold()
            case "message":
                return wanted.casefold() in self.messages[id_].casefold()
            case "metric":
                value = commit.metrics["loss"].value
                return bool({"<": value < wanted.value, "=": value == wanted.value,
                             ">=": value >= wanted.value}[wanted.op])  # fmt: skip
            case "param":
                return bool(commit.params["opt"]["name"] == wanted.value)
        low, high = wanted
        turn = self.registry.ids.get(id_).generation
        return (low is None or low <= turn) and (high is None or turn <= high)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Graph]]:
    """Make two registries of random commits; `--randomly-seed` makes them again."""
    made = []
    for _ in range(2):
        registry = lineage.init(tmp_path_factory.mktemp("graph"))
        made.append(Graph(registry))
        made[-1].grow(random.Random(random.getrandbits(32)))  # noqa: S311
    yield made
    for graph in made:
        graph.registry.close()


ROLE = st.sampled_from([*ROLES, *BACK, "*"])
LEAVES = st.one_of(
    st.builds(Revision, st.sampled_from([f"v{n}" for n in range(3)])),
    st.builds(Revision, st.sampled_from([f"t {n}" for n in range(3)])),
    st.sampled_from([Call("all"), Call("none"), Call("branches"), Call("tagged")]),
    st.sampled_from(["b*", "t ?", "v1"]).map(lambda glob: Call("branches", (glob,))),
    st.sampled_from(["v[01]", "b*"]).map(lambda glob: Call("tagged", (glob,))),
    st.sampled_from(KINDS).map(lambda kind: Call("kind", (kind,))),
    st.sampled_from(["*tutor", "seed"]).map(lambda glob: Call("name", (glob,))),
    st.sampled_from(["ADA E", "óska", "@E"]).map(lambda text: Call("author", (text,))),
    st.sampled_from(["MADE A", "b"]).map(lambda text: Call("message", (text,))),
    st.builds(Condition, st.just("loss"), st.sampled_from(["<", "=", ">="]),
              st.integers(0, 5).map(float)).map(lambda c: Call("metric", (c,))),
    st.builds(Condition, st.just("opt.name"), st.just("="), st.sampled_from("xy"))
    .map(lambda c: Call("param", (c,))),
    st.sampled_from([Bounds(0, 0), Bounds(1, None), Bounds(None, 1), Bounds(1, 2)])
    .map(lambda bounds: Call("generation", (bounds,))),
    st.lists(ROLE, max_size=2).map(
        lambda roles: Call("merge_base", (Revision("v0"), Revision("v1"), *roles))
    ),
)  # fmt: skip


def _larger(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    some = st.lists(inner, min_size=1, max_size=3).map(tuple)
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    walk = st.sampled_from(["ancestors", "descendants", "parents", "children"])
    step = st.builds(Back, st.integers(0, 2)) | st.builds(
        Along, ROLE.filter(lambda role: role != "*"), st.none() | st.sampled_from(KINDS)
    )
    return st.one_of(
        st.builds(Union, several),
        st.builds(Meet, several),
        st.builds(Meet, some, some),
        st.builds(Complement, inner),
        st.builds(Range, inner, inner, st.booleans()),
        st.builds(lambda name, of, roles: Call(name, (of, *roles)), walk, inner,
                  st.lists(ROLE, max_size=2)),
        st.builds(lambda name, of: Call(name, (of,)),
                  st.sampled_from(["heads", "roots", "latest"]), inner),
        st.builds(lambda of, count: Call("latest", (of, count)), inner,
                  st.integers(1, 5)),
        st.builds(lambda role, of: Call("role", (role, of)), st.sampled_from(ROLES),
                  inner),
        st.builds(Stepped, inner.filter(lambda n: not isinstance(n, _PLAIN)),
                  st.lists(step, min_size=1, max_size=2).map(tuple)),
    )  # fmt: skip


@settings(max_examples=80)
@given(st.recursive(LEAVES, _larger, max_leaves=6), st.integers(0, 1))
def test_a_revset_means_what_a_model_of_sets_says(
    graphs: list[Graph], tree: Node, which: int
) -> None:
    """Whatever expression: the same commits as looking at each, newest first."""
    graph = graphs[which]
    expected = sorted(graph.mean(tree), key=graph.ids.index, reverse=True)

    assert graph.registry.select(written(tree)) == expected


@pytest.mark.parametrize("near", [0, 1, 5, 500])
def test_a_range_is_the_same_near_and_far(
    graphs: list[Graph], near: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However soon a walk counts as far, a range has the same commits."""
    monkeypatch.setattr(ranges, "_NEAR", near)
    for graph in graphs:
        for since, to in (("v0", "v1"), ("t 0", "v2"), ("v1", "t 1")):
            for both in (False, True):
                tree = Range(Revision(since), Revision(to), both=both)
                found = graph.registry.select(written(tree))
                assert set(found) == graph.mean(tree)


# case by case


@pytest.fixture(scope="module")
def graph(graphs: list[Graph]) -> Graph:
    return graphs[0]


def test_a_revision_is_a_set_of_one(graph: Graph) -> None:
    """What names one commit is that, to `select` and to `resolve`."""
    assert graph.registry.select("v0") == [graph.names["v0"]]
    assert graph.registry.select("(v0)", "v0 & all()") == [graph.names["v0"]]
    assert graph.registry.resolve("latest(all())") == graph.ids[-1]
    assert graph.registry.resolve("~~(v0 | v0)") == graph.names["v0"]


def test_no_texts_are_no_commits(graph: Graph) -> None:
    """`select` of nothing is nothing."""
    assert graph.registry.select() == []


def test_several_commits_are_ambiguous_where_one_is_due(graph: Graph) -> None:
    """A handful is listed and the rest counted; an empty set is not found."""
    with pytest.raises(Ambiguous, match=rf"'all\(\)' means {SIZE} commits") as caught:
        graph.registry.resolve("all()")
    assert len(caught.value.candidates) == 6
    assert caught.value.candidates[0].startswith(graph.ids[-1][:12])
    assert caught.value.candidates[5] == f"and {SIZE - 5} more"
    with pytest.raises(NotFound, match="no commit is in 'none"):
        graph.registry.resolve("none()")
    with pytest.raises(Ambiguous, match=r"one commit is due here, and all\(\) means"):
        graph.registry.resolve("merge_base(all(), v0)")


@pytest.mark.parametrize(
    ("text", "part", "words", "hint"),
    [
        ("all() & nothing", "nothing", "is called 'nothing'", "lineage branch"),
        ("ancestors(3)", "3", "is called '3'", "a set of commits is due here"),
        ("all() & loss < 3", "loss < 3", "is called", "metric(loss < 3)"),
        ("v0 | v1~99", "v1~99", "nothing comes before", ""),
        ("since(soon) | v0", "since", "'soon' is not a date", ""),
        ("v0@{soon} | v0", "v0@{soon}", "'soon' is not a date", ""),
        ("v0@{2001-01-01} | v0", "v0@{2001-01-01}", "no event at or before", ""),
    ],
)
def test_what_means_nothing_points_at_its_place(
    graph: Graph, text: str, part: str, words: str, hint: str
) -> None:
    """A name, a step or a date that is none is shown inside the expression."""
    with pytest.raises(LineageError) as caught:
        graph.registry.select(text)

    place = caught.value.place
    assert place is not None
    assert place.text[place.start : place.end] == part
    assert words in str(caught.value)
    assert hint in caught.value.hint


def test_a_whole_text_that_is_a_name_is_that_name(repo: Registry) -> None:
    """Names with operators in them keep meaning their commits; quotes work inside."""
    one, two = (repo.commit("config", "c", params={"x": n}).id for n in range(2))
    for name in ("a & b", "kind(config)", "x, y", '"q"'):
        set_branch(repo, name, one)
        assert repo.resolve(name) == one
        assert repo.resolve(f" {name}~0") == one
    assert repo.select("kind(config) ") == [one]
    assert repo.select("(kind(config))") == [two, one]
    assert repo.select("'a & b' | 'kind(config)'") == [one]


def test_a_name_at_a_moment(repo: Registry) -> None:
    """`name@{event}` is what the name meant after that event, `@{…}` what HEAD did."""
    one = repo.commit("config", "c", params={"x": 1}).id
    set_tag(repo, "v1", one)
    event = next(repo.events())[0]
    two = repo.commit("config", "c", params={"x": 2}).id
    repo.commit("dataset", "d", params={"x": 3})
    then = f"@{{{event[:10]}}}"

    assert repo.resolve(f"config/c{then}") == one
    assert repo.resolve(f"v1{then}") == one
    assert repo.resolve(then) == one
    assert repo.select(f"config/c{then}..config/c") == [two]
    assert repo.resolve("config/c@{2999-01-01}~1") == one
    with pytest.raises(NotFound, match=f"is called 'dataset/d' at {event[:10]}"):
        repo.resolve(f"dataset/d{then}")


def test_a_registry_of_the_past_has_no_later_commits(repo: Registry) -> None:
    """Opened at an event, revsets know the commits and names of then, and no more."""
    one = repo.commit("config", "c", params={"x": 1}).id
    event = next(repo.events())[0]
    edges = [Edge("derived_from", one)]
    repo.commit("config", "c", params={"x": 2}, edges=edges)
    with closing(lineage.open(repo.root, at=event)) as then:
        for text in (
            "all()", "kind(config)", "heads(all())", "descendants(HEAD)", "~none()",
            "param(x > 0)", "HEAD | children(HEAD)", "branches()", "..HEAD | HEAD",
            "until(2999-01-01) ~ role(derived_from, HEAD)",
        ):  # fmt: skip
            assert then.select(text) == [one], text


def test_aliases(repo: Registry) -> None:
    """A name of the settings stands for its revset, unless something is called so."""
    one, two = (repo.commit("config", "c", params={"x": n}).id for n in (1, 2))
    repo.settings.set("revset-aliases.good", "param(x > 1)")
    repo.settings.set("revset-aliases.better", "good & all()")
    repo.settings.set("revset-aliases.tip", "config/c")

    assert repo.select("good") == [two]
    assert repo.select("all() ~ better") == [one]
    assert repo.select("better~1 | none()") == [one]
    assert repo.resolve("tip~1") == one
    set_branch(repo, "good", one)
    assert repo.select("good") == [one]


def test_an_alias_that_means_itself_is_refused(repo: Registry) -> None:
    """However long the way around; a mistake inside an alias names it."""
    repo.commit("config", "c", params={"x": 1})
    repo.settings.set("revset-aliases.a", "b | HEAD")
    repo.settings.set("revset-aliases.b", "heads(a)")
    repo.settings.set("revset-aliases.bad", "kind(")

    with pytest.raises(UsageError, match="the alias a means itself") as caught:
        repo.select("a")
    assert caught.value.hint == "a -> b -> a"
    with pytest.raises(UsageError, match="the alias bad: the revset is wrong at its"):
        repo.select("HEAD | bad")


def test_a_plain_revision_imports_no_parser_and_no_index(repo: Registry) -> None:
    """A single revision costs what it did before there were revsets."""
    repo.commit("config", "c", params={"x": 1})
    program = (
        "import sys, lineage; lineage.open('.').select('config/c~0');"
        "sys.exit(any(m in sys.modules for m in ('lineage.revset', 'sqlmodel')))"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@settings(max_examples=150)
@given(
    st.lists(
        st.sampled_from([
            "HEAD", "v1", "t 1", "~", "^", "1", "includes", "(model)", "kind(model)",
            "..", "...", " ", "|", "&", "(", ")", "heads(", "all()", "@{", "}", "ab",
            "2026-11-01", "latest(", ",", "2", "param(opt.name = x)", "since(",
        ]),
        max_size=7,
    ).map("".join)
)  # fmt: skip
def test_any_text_is_commits_or_an_error(graphs: list[Graph], text: str) -> None:
    """Nothing that can be typed makes a traceback."""
    try:
        ids = graphs[0].registry.select(text)
    except LineageError as error:
        assert str(error)  # noqa: PT017
    else:
        assert set(ids) <= set(graphs[0].ids)
