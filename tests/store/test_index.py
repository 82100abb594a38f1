"""The index: rows that follow the log, whatever happened to them."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lineage.store.index import Index
from lineage.store.index_query import _reachable, matching
from lineage.store.index_rows import flatten
from lineage.store.objects import Edge, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lineage.registry import Registry


@pytest.fixture
def index(repo: Registry) -> Iterator[Index]:
    """Open the index of `repo`."""
    with _index(repo) as opened:
        yield opened


def _index(registry: Registry, **options: Any) -> Index:
    return Index(registry.git, registry.events_log, registry.home, **options)


def _ids(index: Index, **conditions: Any) -> list[str]:
    return index.read(lambda c: [match.id for match in matching(c, **conditions)])


def _sql(registry: Registry, statement: str) -> list[Any]:
    """Ask the file itself, past all of our code."""
    with closing(sqlite3.connect(registry.home / "index.sqlite")) as database, database:
        return database.execute(statement).fetchall()


def _commit(registry: Registry, seed: int) -> str:
    return registry.commit("config", "c", params={"seed": seed}).id


# rows


def test_everything_has_rows(repo: Registry, tmp_path: Path, index: Index) -> None:
    """Events, commits, edges, metrics, params, files and names are all there."""
    (tmp_path / "seed.txt").write_text("to be\n")
    seed = repo.commit("dataset", "seed", tmp_path / "seed.txt", message="mine").id
    edge = Edge("trained_on", seed, "observed")
    params = {"lr": 1e-3, "opt": {"name": "adamw", "betas": [0.9]}, "fast": True}
    metrics = {"perplexity": Metric(21.5, n=400)}
    model = repo.commit("model", "m", edges=[edge], params=params, metrics=metrics).id
    index.refresh()

    events = _sql(
        repo, "SELECT type, subject, message, name FROM events ORDER BY number DESC"
    )
    assert events == [
        ("commit", model, "", "Ada Example"),
        ("commit", seed, "mine", "Ada Example"),
        ("init", None, "", "Ada Example"),
    ]
    commits = _sql(repo, "SELECT id, git, kind, name, generation FROM commits")
    assert commits == [
        (seed, repo.git_oid(seed), "dataset", "seed", 0),
        (model, repo.git_oid(model), "model", "m", 0),
    ]
    assert _sql(repo, "SELECT child, role, parent, evidence FROM edges") == [
        (1, "trained_on", 0, "observed")
    ]
    assert _sql(repo, "SELECT name, value FROM metrics") == [("perplexity", 21.5)]
    assert _sql(repo, "SELECT path, text, number FROM params ORDER BY path") == [
        ("fast", "true", None),
        ("lr", "0.001", 0.001),
        ("opt.betas.0", "0.9", 0.9),
        ("opt.name", "adamw", None),
    ]
    [file] = repo.files(seed)
    assert _sql(repo, "SELECT path, size, mode, sha256, md5 FROM files") == [
        ("seed.txt", 6, "100644", file.sha256, file.md5)
    ]
    names = 'SELECT ref, id FROM refs JOIN commits ON number = "commit" ORDER BY 1'
    assert _sql(repo, names) == [("heads/dataset/seed", seed), ("heads/model/m", model)]


def test_flattened_parameters() -> None:
    """Dots lead into objects and lists; what is empty stands for itself."""
    value: Any = {"a": {"b": [1, {"c": None}]}, "d": {}, "e": [], "f.g": "x"}

    assert list(flatten(value)) == [
        *(("a.b.0", 1), ("a.b.1.c", None), ("d", {}), ("e", []), ("f.g", "x"))
    ]


def test_parameters_may_share_a_path(repo: Registry, index: Index) -> None:
    """A dot in a name is no reason to lose one of two parameters."""
    made = repo.commit("config", "c", params={"a.b": 1, "a": {"b": 2}}).id

    assert _ids(index, params=[("a.b", "=", 1)]) == [made]
    assert _ids(index, params=[("a.b", "=", 2)]) == [made]


def test_names_follow_the_view(repo: Registry, index: Index) -> None:
    """Moved, new and deleted names are as in the newest event."""
    from lineage.names_ops import delete_branch, set_branch, set_tag

    first, second = _commit(repo, 1), _commit(repo, 2)
    set_branch(repo, "old", first)
    index.refresh()
    delete_branch(repo, "old")
    set_tag(repo, "v1", first)
    index.refresh()

    names = 'SELECT ref, id FROM refs JOIN commits ON number = "commit" ORDER BY 1'
    assert _sql(repo, names) == [("heads/config/c", second), ("tags/v1", first)]


def test_generations_are_those_of_the_registry(repo: Registry, index: Index) -> None:
    """Turns are counted along the data that models wrote, in one batch and across."""
    before: list[Edge] = []
    for turn in range(4):
        model = repo.commit("model", f"m{turn}", edges=before, params={"turn": turn}).id
        written = repo.commit(
            "dataset", f"d{turn}", edges=[Edge("generated_by", model)]
        )
        before = [Edge("trained_on", written.id), Edge("evaluated_on", model)]
        if turn == 1:
            index.refresh()
    index.refresh()
    found = dict(_sql(repo, "SELECT id, generation FROM commits"))

    assert found == {record.id: record.generation for record in repo.ids}
    assert set(found.values()) == {0, 1, 2, 3, 4}


# keeping up


def test_new_events_are_added_to_what_is_there(repo: Registry, index: Index) -> None:
    """A refresh reads what came since, and leaves older rows alone."""
    first = _commit(repo, 1)
    index.refresh()
    _sql(repo, "UPDATE commits SET name = 'touched'")
    second = _commit(repo, 2)
    index.refresh()

    rows = _sql(repo, "SELECT id, name FROM commits")
    assert rows == [(first, "touched"), (second, "c")]


def test_an_index_serves_the_next_command(repo: Registry, index: Index) -> None:
    """What one process read from the log, the next finds in the file."""
    _commit(repo, 1)
    index.refresh()
    before = (repo.home / "index.sqlite").read_bytes()
    with _index(repo) as again:
        again.refresh()

    assert (repo.home / "index.sqlite").read_bytes() == before


def test_an_empty_registry_has_an_empty_index(repo: Registry, index: Index) -> None:
    """Asking before there is anything is no error."""
    assert _ids(index) == []
    assert _sql(repo, "SELECT type FROM events") == [("init",)]


def test_many_events_come_in_order(repo: Registry, index: Index) -> None:
    """More events than fit one batch keep their order, and numbers have no gaps."""
    for number in range(70):
        repo.attest("note", data={"number": number})
    _commit(repo, 1)
    index.refresh()
    wanted = [event.id for _, event in repo.events()][::-1]

    assert [id_ for (id_,) in _sql(repo, "SELECT id FROM events ORDER BY number")] == (
        wanted
    )
    assert _sql(repo, "SELECT max(number) FROM events") == [(71,)]


def _garbage(registry: Registry) -> None:
    (registry.home / "index.sqlite").write_bytes(b"no database" * 1000)


def _truncated(registry: Registry) -> None:
    os.truncate(registry.home / "index.sqlite", 5000)


def _missing(registry: Registry) -> None:
    (registry.home / "index.sqlite").unlink()


def _newer_schema(registry: Registry) -> None:
    _sql(registry, "UPDATE alembic_version SET version_num = '9999'")


def _foreign(registry: Registry) -> None:
    _missing(registry)
    _sql(registry, "CREATE TABLE commits (title TEXT)")


def _half_made(registry: Registry) -> None:
    _sql(registry, "DROP TABLE alembic_version")


def _without_table(registry: Registry) -> None:
    _sql(registry, "DROP TABLE metrics")


DAMAGES = [
    *(_garbage, _truncated, _missing, _newer_schema),
    *(_foreign, _half_made, _without_table),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_is_made_anew(
    repo: Registry, damage: Callable[[Registry], None]
) -> None:
    """Whatever became of the file, the next question gets the right answer."""
    made = repo.commit("model", "m", params={"a": 1}, metrics={"loss": 2.5}).id
    with _index(repo) as index:
        index.refresh()
    damage(repo)

    with _index(repo) as index:
        assert _ids(index, metrics=[("loss", ">", 2)]) == [made]
    assert _sql(repo, "SELECT value FROM metrics") == [(2.5,)]


def test_damage_under_an_open_index_is_mended(repo: Registry, index: Index) -> None:
    """A table that goes away between two questions is there for the second."""
    made = repo.commit("model", "m", params={"a": 1}, metrics={"loss": 2.5}).id
    index.refresh()
    _without_table(repo)

    assert _ids(index, metrics=[("loss", ">", 2)]) == [made]


def test_a_log_that_lost_events_is_read_anew(repo: Registry, index: Index) -> None:
    """When the log does not contain the newest known event, its commits go too."""
    kept = _commit(repo, 1)
    tip = repo.events_log.tip()
    assert tip is not None
    _commit(repo, 2)
    index.refresh()
    repo.git.run("update-ref", "refs/lineage/events", tip)

    assert _ids(index) == [kept]
    assert _sql(repo, "SELECT id FROM commits") == [(kept,)]


def test_a_forked_log_is_read_anew(repo: Registry, index: Index) -> None:
    """Another history that is as long as the known one is not taken for it."""
    _commit(repo, 1)
    tip = repo.events_log.tip()
    assert tip is not None
    _commit(repo, 2)
    index.refresh()
    repo.git.run("update-ref", "refs/lineage/events", tip)
    (repo.home / "rolled").unlink()
    other = _commit(repo, 3)

    assert _ids(index)[0] == other
    assert _sql(repo, "SELECT count(*) FROM commits") == [(2,)]


# others at work


ASK = """
import lineage
from lineage.search import Filters, search
print(*search(lineage.open("."), Filters()))
"""


def _ask(registry: Registry, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ASK],
        cwd=registry.root,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


def test_many_may_refresh_at_once(repo: Registry, index: Index) -> None:
    """Processes that all find the index behind read the log once, and agree."""
    ids = [_commit(repo, seed) for seed in range(5)][::-1]
    asking = [_ask(repo) for _ in range(4)]

    assert [process.communicate()[0].split() for process in asking] == [ids] * 4
    assert _ids(index) == ids


KILL = """
import os, signal, sys
import lineage
from lineage.search import Filters, search
calls = 0
def kill(frame, event, arg):
    global calls
    if event == "c_call" and arg.__name__ in ("execute", "executemany", "commit"):
        calls += 1
        if calls == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
sys.setprofile(kill)
search(lineage.open("."), Filters())
"""


@pytest.mark.parametrize("instant", [1, 6, 11, 16, 21])
def test_kill_while_refreshing(repo: Registry, instant: int) -> None:
    """A refresh that was killed leaves nothing that the next one trips over."""
    first = _commit(repo, 1)
    with _index(repo) as index:
        index.refresh()
    second = _commit(repo, 2)
    done = subprocess.run(
        [sys.executable, "-c", KILL, str(instant)], cwd=repo.root, check=False
    )

    assert done.returncode == -signal.SIGKILL
    with _index(repo) as index:
        assert _ids(index) == [second, first]


def _no_bytes() -> None:
    """Let every write to a file fail, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@pytest.mark.parametrize("behind", [True, False])
def test_a_full_disk_is_no_obstacle(repo: Registry, *, behind: bool) -> None:
    """Where no byte can be written, the answer comes from memory, or from the file."""
    ids = [_commit(repo, 1)]
    with _index(repo) as index:
        index.refresh()
    if behind:
        ids = [_commit(repo, 2), *ids]
    before = (repo.home / "index.sqlite").read_bytes()
    process = _ask(repo, preexec_fn=_no_bytes)

    assert process.communicate()[0].split() == ids
    assert (repo.home / "index.sqlite").read_bytes() == before


def test_what_is_reachable_from_very_many(repo: Registry, index: Index) -> None:
    """More starts than SQL takes in one question, and again on the same connection."""
    ids = [_commit(repo, seed) for seed in range(3)]

    def found(connection: Any, starts: Any) -> set[int]:
        return set(connection.execute(_reachable(connection, starts)).scalars())

    def all_of_them(connection: Any) -> list[set[int]]:
        return [found(connection, s) for s in ([], [1], range(100_000), [0])]

    assert index.read(all_of_them) == [set(), {0, 1}, set(range(100_000)), {0}]
    assert _ids(index, starts=[ids[1]]) == [ids[1], ids[0]]


def test_no_place_for_an_index(repo: Registry) -> None:
    """Where there can be no file at all, the rows live in memory."""
    made = _commit(repo, 1)
    nowhere = repo.root / "nowhere"
    nowhere.write_text("a file, so no folder")
    index = Index(repo.git, repo.events_log, nowhere)
    with index:
        assert _ids(index) == [made]
        later = _commit(repo, 2)
        assert _ids(index) == [later, made]


def test_another_database(repo: Registry, tmp_path: Path) -> None:
    """A URL puts the rows elsewhere; they follow the log there, and heal there."""
    url = f"sqlite:///{tmp_path}/shared.sqlite"
    made = _commit(repo, 1)
    with _index(repo, url=url) as index:
        assert _ids(index) == [made]
    with closing(sqlite3.connect(tmp_path / "shared.sqlite")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    with _index(repo, url=url) as index:
        assert _ids(index) == [made]

    assert not (repo.home / "index.sqlite").exists()


# the schema


def test_migrations_make_the_tables_of_the_models() -> None:
    """The steps from nothing lead to exactly what the models say."""
    from alembic import command
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from sqlmodel import create_engine

    from lineage.store.index_tables import METADATA
    from lineage.store.migrations import HEAD, config

    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        command.upgrade(config(connection), "head")
        migrated = MigrationContext.configure(connection)
        assert compare_metadata(migrated, METADATA) == []
        assert migrated.get_current_revision() == HEAD
        script = ScriptDirectory.from_config(config(connection))
        assert script.get_heads() == [HEAD]
    engine.dispose()


def test_migrations_can_be_drafted(tmp_path: Path) -> None:
    """A drafted step makes what a model has more than the tables, when it runs."""
    from alembic import command
    from sqlmodel import Column, String, Table, create_engine, inspect

    from lineage.store import migrations
    from lineage.store.index_tables import METADATA

    steps = shutil.copytree(Path(migrations.__file__).parent, tmp_path / "steps")
    engine = create_engine("sqlite://")
    more = Table("notes", METADATA, Column("text", String(), primary_key=True))
    try:
        with engine.begin() as connection:
            settings = migrations.config(connection)
            settings.set_main_option("script_location", str(steps))
            command.upgrade(settings, "head")
            command.revision(settings, "notes", autogenerate=True)
            command.upgrade(settings, "head")
            assert inspect(connection).has_table("notes")
    finally:
        METADATA.remove(more)
        engine.dispose()


def test_our_tables_are_apart_from_a_users() -> None:
    """A program with SQLModel tables of its own does not find ours among them."""
    from sqlmodel import SQLModel

    assert "commits" not in SQLModel.metadata.tables
