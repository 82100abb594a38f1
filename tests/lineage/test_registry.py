"""The registry: what a commit is, what it is not, and what is refused."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage import Edge, Metric
from lineage.errors import (
    Conflict,
    LineageError,
    NotFound,
    StoreError,
    UsageError,
)
from lineage.store.canonical import digest
from lineage.store.events import now
from lineage.store.first_commit import is_unborn
from lineage.store.git import GitRepository
from lineage.store.git_objects import GitObject, TreeEntry, tree
from lineage.store.objects import KINDS, ROLES, Event
from lineage.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage import Registry

    Sound = Callable[[Registry], None]

ZERO = "0" * 64


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def traces(registry: Registry) -> tuple[Any, ...]:
    """All that a commit could leave: events, names, refs, objects, bytes."""
    cache = registry.payloads.cache
    return (
        registry.events_log.tip(),
        registry.branches(),
        registry.git.run("for-each-ref"),
        registry.git.run("count-objects", "-v"),
        sorted(path for path in cache.rglob("*") if path.is_file()),
    )


# what a commit says


def test_everything_said_comes_back(repo: Registry) -> None:
    """Edges, numbers, origin and the rest are in the commit; the message is not."""
    seed = repo.commit("dataset", "seed", write(repo.root / "a", "a")).id
    edge = Edge("trained_on", seed, "observed", {"records": [1, 2]})
    said: dict[str, Any] = {
        "edges": (edge,),
        "params": {"lr": 0.1, "deep": {"list": [1, None, True, "x"]}},
        "origin": {"type": "machine", "source": "s", "licence": "CC0-1.0", "by": "me"},
        "code": {"sha256": ZERO},
        "gates": [{"id": "g", "verdict": "pass"}],
    }
    metric = Metric(1.5, "perplexity", 1, "lower", 10, [1.0, 2.0])
    made = repo.commit(
        "model", "m", write(repo.root / "b", "b"), **said,
        metrics={"p": metric, "q": 2}, message="why", circumstances={"seconds": 1.5},
    )  # fmt: skip
    commit = repo.load(made.id)

    assert {key: getattr(commit, key) for key in said} == said
    assert commit.metrics == {"p": metric, "q": Metric(2)}
    assert commit.id == made.id
    assert b"why" not in commit.manifest
    assert b"seconds" not in commit.manifest
    _, event = next(repo.events())
    assert event.message == "why"
    assert event.data == {"seconds": 1.5, "path": "b"}


def test_the_id_depends_on_content_alone(tmp_path: Path) -> None:
    """Who, when, where, why, and what the folder is called outside change nothing."""
    ids = set()
    for name in ("one", "two"):
        with closing(lineage.init(tmp_path / name)) as registry:
            registry.git.run("config", "user.name", name)
            registry.commit("config", "other", params={"x": name})
            folder = write(tmp_path / f"folder {name}" / "f", "text").parent
            made = registry.commit("dataset", "d", folder, message=name)
            ids.add((made.id, made.git))
    assert len(ids) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"kind": "model"},
        {"params": {"x": 2}},
        {"metrics": {"m": 1}},
        {"metrics": {"m": Metric(1, direction="lower")}},
        {"origin": {"type": "human"}},
        {"code": {"sha256": ZERO}},
        {"path": "g"},
        {"path": "folder"},
        {"path": None},
        {"reference": True},
    ],
)
def test_any_difference_in_content_is_another_id(
    change: dict[str, Any], repo: Registry
) -> None:
    """Names, modes and what kind of payload it is count as well."""
    write(repo.root / "f", "text")
    write(repo.root / "g", "text").chmod(0o755)
    write(repo.root / "folder" / "f", "text")
    base = {"kind": "dataset", "name": "d", "path": "f", "params": {"x": 1}}
    one = repo.commit(**base, branch="one")  # type: ignore[arg-type]
    two = repo.commit(**{**base, **change}, branch="two")

    assert one.id != two.id


def test_a_reference_is_hashed_where_it_is(repo: Registry) -> None:
    """Its bytes are not kept, `get` says so, and verify looks at the place."""
    path = write(repo.root / "f", "text")
    made = repo.commit("dataset", "d", "f", reference=True)
    payload = repo.load(made.id).payload

    assert payload is not None
    assert not payload.stored
    assert not [p for p in repo.payloads.cache.rglob("*") if p.is_file()]
    with pytest.raises(StoreError, match="were only hashed, at f"):
        repo.get(made.id, "out")
    assert verify(repo).problems == []
    path.write_text("other", encoding="utf-8")
    assert [problem.what for problem in verify(repo).problems] == [
        "has changed since it was hashed"
    ]


def test_an_external_commit_has_no_bytes(repo: Registry) -> None:
    """A model behind an API is a commit that says where it is."""
    made = repo.commit("model", "api", external={"uri": "https://example.com/m"})

    assert repo.load(made.id).external == {"uri": "https://example.com/m"}
    with pytest.raises(StoreError, match=r"they are at https://example\.com/m"):
        repo.get(made.id, "out")


# branches grow


def test_the_same_again_is_no_new_commit(repo: Registry) -> None:
    """It is an event that says who made it again; the tip stays."""
    write(repo.root / "f", "text")
    first = repo.commit("dataset", "d", "f")
    again = repo.commit("dataset", "d", "f", message="made again")

    assert first.created
    assert (again.id, again.created) == (first.id, False)
    _, event = next(repo.events())
    assert (event.message, event.subject, event.refs) == ("made again", first.id, ())


def test_a_b_a_is_three_commits_and_two_payloads(repo: Registry) -> None:
    """The third says what the first said, after the second, and stores nothing."""
    made = []
    for text in "ABA":
        write(repo.root / "f", text)
        made.append(repo.commit("dataset", "d", "f"))
    commits = [repo.load(done.id) for done in made]

    assert len({done.id for done in made}) == 3
    assert commits[0].payload == commits[2].payload
    assert [c.ids("revises") for c in commits] == [(), (made[0].id,), (made[1].id,)]
    assert len(list(repo.payloads.cache.glob("files/md5/*/*"))) == 2


def test_generations_follow_each_other(repo: Registry) -> None:
    """A generation follows the tip of its loop, and goes to `loop/NAME`."""
    part = Edge("includes", repo.commit("config", "c", params={"x": 1}).id)
    first = repo.commit("generation", "g", edges=[part], metrics={"p": 1})
    second = repo.commit("generation", "g", edges=[part], metrics={"p": 2})

    assert (first.branch, second.branch) == ("loop/g", "loop/g")
    assert repo.load(second.id).edges == (Edge("follows", first.id), part)
    assert repo.load(second.id).edges[0].evidence == "observed"


def test_a_generation_that_follows_another_is_another(repo: Registry) -> None:
    """A role that is named counts; one that is not is the branch's own business."""
    said: dict[str, Any] = {"kind": "generation", "name": "g", "params": {"x": 1}}
    root = repo.commit(**{**said, "params": {"x": 0}}, branch="other")
    first = repo.commit(**said)
    moved = repo.commit(**said, edges=[Edge("follows", root.id, "observed")])
    again = repo.commit(**said, edges=[Edge("follows", root.id, "observed")])

    assert repo.load(moved.id).ids("follows") == (root.id,)
    assert (moved.created, again.created, again.id) == (True, False, moved.id)
    assert repo.commit(**said).id == moved.id != first.id


def test_a_commit_goes_to_the_branch_that_is_named(repo: Registry) -> None:
    """`branch` names any; HEAD is the branch that was last moved here."""
    first = repo.commit("config", "c", params={"x": 1}, branch="mine")
    second = repo.commit("model", "c", params={"x": 1})

    assert repo.branches() == {"mine": first.id, "model/c": second.id}
    assert (first.branch, second.branch, repo.head) == ("mine", "model/c", "model/c")


def test_a_commit_goes_onto_the_tip_that_it_expects(repo: Registry) -> None:
    """`expect` is the tip's id, or "" for no branch; else nothing is recorded."""
    said: dict[str, Any] = {"kind": "config", "name": "c"}
    first = repo.commit(**said, params={"x": 1}, expect="")
    for wrong in ("", ZERO):
        before = repo.events_log.tip()
        with pytest.raises(Conflict, match="moved the branch config/c meanwhile"):
            repo.commit(**said, params={"x": 2}, expect=wrong)
        assert repo.events_log.tip() == before
    second = repo.commit(**said, params={"x": 2}, expect=first.id)

    assert repo.load(second.id).ids("revises") == (first.id,)


def test_a_loops_part_is_on_no_branch(repo: Registry) -> None:
    """`ref` keeps a part until its generation includes it; it revises nothing."""
    ref = "runs/loop/1/config"
    first = repo.commit("config", "c", params={"x": 1}, ref=ref, revise=False)
    second = repo.commit("config", "c", params={"x": 2}, ref=ref, revise=False)

    assert (first.branch, repo.branches(), repo.head) == (None, {}, None)
    assert repo.load(second.id).edges == ()
    assert [target.id for target in repo.names("runs").values()] == [second.id]
    repo.drop_runs("loop/1")
    assert repo.names("runs") == {}
    repo.git.run("gc", "--quiet", "--prune=now")
    assert repo.load(first.id).params == {"x": 1}


def test_an_attestation_moves_nothing(repo: Registry) -> None:
    """A statement is an event about a commit, with its data; the commit stays."""
    made = repo.commit("config", "c", params={"x": 1})
    before = repo.branches()
    id_ = repo.attest("review", subject=made.id, message="ok", data={"verdict": "pass"})
    event = dict(repo.events())[id_]

    assert (event.type, event.subject, event.data) == (
        "review", made.id, {"verdict": "pass"}
    )  # fmt: skip
    assert repo.branches() == before


# what is refused


BAD_NAMES = [
    "",
    " x",
    "x ",
    "-x",
    "a..b",
    "a@{b",
    "a~1",
    "a^b",
    "a:b",
    "a\nb",
    "\udcff",
]
COMMIT = {"kind": "config", "name": "c", "params": {"x": 1}}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        *(({"name": name}, UsageError) for name in BAD_NAMES),
        *(({"branch": name}, UsageError) for name in BAD_NAMES),
        ({"name": "x" * 999}, UsageError),
        ({"kind": "cat"}, UsageError),
        ({"params": {"x": float("nan")}}, UsageError),
        ({"params": {"x": {"y": [float("inf")]}}}, UsageError),
        ({"params": {"x": object()}}, UsageError),
        ({"params": {1: 2}}, UsageError),
        ({"params": {"x": "\udcff"}}, UsageError),
        ({"params": None}, UsageError),
        ({"metrics": {"m": float("nan")}}, UsageError),
        ({"metrics": {"m": "1"}}, UsageError),
        ({"metrics": {"m": True}}, UsageError),
        ({"metrics": {"m": 2**60}}, UsageError),
        ({"metrics": {"m": {"value": 1, "n": 2**60}}}, UsageError),
        ({"metrics": {"m": {"value": 1, "version": "1"}}}, UsageError),
        ({"metrics": {"m": {"value": 1, "version": 2**60}}}, UsageError),
        ({"metrics": {"m": {"wert": 1}}}, UsageError),
        ({"origin": {"type": "alien"}}, UsageError),
        ({"origin": {}}, UsageError),
        ({"edges": [Edge("trained_on", ZERO)]}, NotFound),
        ({"edges": [Edge("follows", ZERO)]}, UsageError),
        ({"edges": [Edge("includes", ZERO), Edge("includes", ZERO)]}, UsageError),
        ({"circumstances": {"x": float("nan")}}, UsageError),
        ({"message": "\udcff"}, UsageError),
        ({"kind": "generation"}, UsageError),
    ],
)
def test_what_cannot_be_recorded_leaves_no_trace(
    change: dict[str, Any], error: type[LineageError], repo: Registry
) -> None:
    """One clear error, and not even the bytes of the file that came with it."""
    write(repo.root / "f", "text")
    before = traces(repo)
    path = None if change == {"params": None} else "f"
    with pytest.raises(error) as caught:
        repo.commit(**{**COMMIT, "path": path, **change})

    assert type(caught.value) is error
    assert str(caught.value).isprintable()
    assert traces(repo) == before


@pytest.mark.parametrize("place", [".", "..", ".git", ".dvc", ".git/lineage/../.."])
def test_what_holds_the_registry_is_no_payload_of_it(
    place: str, repo: Registry
) -> None:
    """A folder with the registry in it would never be the same twice."""
    write(repo.root / "f", "text")
    before = traces(repo)
    with pytest.raises(UsageError, match="holds the registry itself"):
        repo.commit("dataset", "d", place)
    assert traces(repo) == before


def test_a_manifest_that_cannot_be_read_hides_no_other(repo: Registry) -> None:
    """A commit of a later lineage is named by verify; the rest goes on working."""
    blob = GitObject("blob", b'{"schema":"lineage/99"}')
    top = tree({"lineage.json": TreeEntry("100644", blob.oid)})
    who = "x <x@x> 0 +0000"
    text = f"tree {top.oid}\nauthor {who}\ncommitter {who}\n\nx\n"
    made = GitObject("commit", text.encode())
    event = Event(
        "import", now(), repo.actor(), commits=((digest(blob.data), made.oid),)
    )
    with repo.events_log.locked() as lock:
        repo.record(event, objects=[blob, top, made], lock=lock)
    fine = repo.commit("config", "c", params={"x": 1})

    assert repo.load(fine.id).params == {"x": 1}
    [problem] = verify(repo).problems
    assert (problem.id, "lineage/99" in problem.what) == (digest(blob.data), True)


def test_a_flipped_byte_is_named_wherever_it_is(repo: Registry) -> None:
    """In a file's object or in the list by which DVC knows a folder."""
    write(repo.root / "folder" / "f", "text")
    made = repo.commit("dataset", "d", "folder")
    for path in repo.payloads.cache.glob("files/md5/*/*"):
        data = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
        [problem] = verify(repo).problems
        name = f"{path.parent.name}{path.name}" if path.suffix else "f"
        assert (problem.id, problem.path) == (made.id, name)
        assert problem.what == "does not have its recorded SHA-256"
        path.write_bytes(data)
    assert verify(repo).problems == []


def test_verify_reads_each_object_once(repo: Registry) -> None:
    """However many paths and commits have the same bytes."""
    for number in range(2):
        for name in "abc":
            write(repo.root / "folder" / name, "text")
        write(repo.root / "folder" / f"{number}", "")
        repo.commit("dataset", "d", "folder")
    lists = [p.stat().st_size for p in repo.payloads.cache.glob("files/md5/*/*.dir")]
    sizes: list[int] = []
    assert verify(repo, progress=sizes.append).problems == []

    assert sorted(sizes) == sorted([*lists, 4, 0])


def test_get_never_replaces_what_holds_the_registry(repo: Registry) -> None:
    """`get --force` onto the root would delete everything that is recorded."""
    write(repo.root / "folder" / "f", "text")
    made = repo.commit("dataset", "d", "folder")
    for place in (".", "..", ".git", ".dvc"):
        with pytest.raises(UsageError, match="holds the registry itself"):
            repo.get(made.id, place, force=True)
    assert (repo.root / "folder" / "f").exists()
    assert verify(repo).problems == []


@pytest.mark.parametrize("there", ["file", "folder", "kept/f", "kept", "nothing"])
@pytest.mark.parametrize("payload", ["file", "folder"])
def test_get_replaces_whatever_is_there(
    payload: str, there: str, repo: Registry, tmp_path: Path
) -> None:
    """With force: a file, a folder, a link to either or to nothing, not its end."""
    source = write(repo.root / "folder" / "f", "new")
    made = repo.commit("dataset", "d", source if payload == "file" else source.parent)
    kept = write(tmp_path / "out" / "kept" / "f", "old")
    target = kept.parent.parent / "target"
    if there in {"file", "folder"}:
        write(target if there == "file" else target / "f", "old")
    else:
        target.symlink_to(there)
    got = repo.get(made.id, target, force=True)

    within = payload == "file" and there in {"folder", "kept"}
    assert got == (target / "f" if within else target)
    assert target.is_symlink() == (within and there == "kept")
    assert (got if payload == "file" else got / "f").read_text() == "new"
    assert kept.read_text() == ("new" if within and there == "kept" else "old")
    assert {path.name for path in target.parent.iterdir()} == {"kept", "target"}


def test_unknown_commits_are_not_found(repo: Registry) -> None:
    """Whatever is asked of an id that is not here is NotFound."""
    for ask in (repo.load, repo.files, repo.git_oid, repo.resolve, repo.entry):
        for wrong in (ZERO, "x", "", "\udcff"):
            with pytest.raises((NotFound, UsageError)):
                ask(wrong)


def test_every_kind_and_role_can_be_recorded(repo: Registry, sound: Sound) -> None:
    """All kinds; all roles a person may give; all of it readable by git and us."""
    ids: list[str] = []
    for kind in KINDS:
        edges = [Edge("includes", id_) for id_ in ids] if kind == "generation" else []
        ids.append(repo.commit(kind, "x", params={"x": 1}, edges=edges).id)
    roles = [role for role in ROLES if role not in {"follows", "revises"}]
    edges = [Edge(role, id_) for role in roles for id_ in ids]
    made = repo.commit("model", "all", edges=edges)

    assert set(repo.load(made.id).edges) == set(edges)
    sound(repo)


# whose it is


def test_the_actor_is_who_git_says(repo: Registry) -> None:
    """user.name and user.email, from any of git's files."""
    assert repo.actor() == {"name": "Ada Example", "email": "ada@example.com"}
    repo.git.run("config", "user.name", "Bob")
    assert repo.actor() == {"name": "Bob", "email": "ada@example.com"}


def test_git_is_asked_once_who_acts(
    repo: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop records thousands of events, and starts no git for each one's author."""
    before = repo.actor()
    monkeypatch.setenv("PATH", os.devnull)

    assert repo.actor() == before


def test_without_git_identity_the_actor_is_the_login(
    repo: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A registry works for somebody who never told git a name."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    actor = repo.actor()

    assert actor["name"]
    assert actor["email"].startswith(f"{actor['name']}@")
    assert repo.commit("config", "c", params={"x": 1}).created


def test_a_user_without_a_name_is_called_by_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`docker run -u 4242` has no line in /etc/passwd; a registry is made anyway."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(os, "getuid", lambda: 4_242_424)
    with closing(lineage.init(tmp_path / "new")) as registry:
        assert registry.actor()["name"] == "uid-4242424"
        assert registry.actor()["email"].startswith("uid-4242424@")
        _, event = next(registry.events())
        assert event.actor == registry.actor()
        log = registry.git.run("log", "-1", "--format=%an").decode()
    assert log == "uid-4242424\n"


def test_a_repository_without_a_commit_gets_one(tmp_path: Path) -> None:
    """It has DVC's files and nothing that somebody else had staged; it comes once."""
    with closing(GitRepository.create(tmp_path)) as git:
        write(tmp_path / "mine", "text")
        git.run("add", "mine")
        for _ in range(2):
            lineage.init(tmp_path).close()
            log = git.run("log", "--format=", "--name-only").decode().split()
            assert log == [".dvc/.gitignore", ".dvc/config", ".dvcignore"]
            assert git.run("status", "--porcelain") == b"A  mine\n"
        git.run("checkout", "-q", "--orphan", "other")
        lineage.init(tmp_path).close()
        assert is_unborn(git)


def test_a_registry_is_named_once(repo: Registry) -> None:
    """Pins of one clone are in one folder, whoever opens it first."""
    with closing(lineage.open(repo.root)) as other:
        names = {repo.uuid(), other.uuid(), repo.uuid()}

    assert len(names) == 1
    assert os.listdir(repo.home).count("uuid") == 1  # noqa: PTH208


def test_somebody_may_act_through_a_registry(repo: Registry) -> None:
    """While somebody acts, events are theirs; afterwards, ours again."""
    bob = {"name": "Bob", "email": "bob@example.com"}
    with repo.acting(bob):
        repo.commit("config", "theirs", params={"seed": 1})
        repo.attest("note")
    repo.commit("config", "ours", params={"seed": 2})
    names = [event.actor["name"] for _, event in repo.events()]
    assert names[:3] == ["Ada Example", "Bob", "Bob"]
