"""The index: rows that follow the log, whatever happened to them."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from lineage.indexing import index_of
from lineage.measured import attest
from lineage.store.canonical import digest
from lineage.store.events import now
from lineage.store.index_query import _reachable, matching
from lineage.store.objects import Edge, Event, Metric
from lineage.verify import verify
from tests.postgres import execute

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lineage import Registry
    from lineage.store.index import Index
    from lineage.store.index_asking import Ask


@pytest.fixture(params=["sqlite", "postgresql"], autouse=True)
def _place(request: pytest.FixtureRequest, repo: Registry) -> None:
    """Let the index of `repo` be its own file, and then a PostgreSQL database."""
    if request.param == "postgresql":
        repo.settings.set("index.url", request.getfixturevalue("database"))


@pytest.fixture
def index(repo: Registry, _place: None) -> Iterator[Index]:
    """Open the index of `repo`."""
    with index_of(repo) as opened:
        yield opened


def _ids(index: Index, **conditions: Any) -> list[str]:
    return index.read(lambda ask: [match.id for match in matching(ask, **conditions)])


def _sql(registry: Registry, statement: str) -> list[Any]:
    """Ask the database itself, past all of our code."""
    if url := registry.settings.get("index.url"):
        return execute(f"{url}&options=-csearch_path=lineage", statement)
    with closing(sqlite3.connect(registry.home / "index.sqlite")) as database, database:
        return database.execute(statement).fetchall()


def _engine(registry: Registry) -> Any:
    """The database, for Alembic."""
    from lineage.store.index_engine import open_engine, read_url

    own = f"sqlite:///{registry.home}/index.sqlite"
    return open_engine(read_url(registry.settings.get("index.url") or own))


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


def test_an_empty_registry_has_an_empty_index(repo: Registry, index: Index) -> None:
    """Asking before there is anything is no error."""
    assert _ids(index) == []
    assert _sql(repo, "SELECT type FROM events") == [("init",)]


def test_many_events_come_in_order(
    repo: Registry, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More events than fit one batch keep their order, and numbers have no gaps."""
    monkeypatch.setattr("lineage.store.index._BATCH", 4)
    for number in range(10):
        repo.attest("note", data={"number": number})
    _commit(repo, 1)
    index.refresh()
    wanted = [event.id for _, event in repo.events()][::-1]

    assert [id_ for (id_,) in _sql(repo, "SELECT id FROM events ORDER BY number")] == (
        wanted
    )
    assert _sql(repo, "SELECT max(number) FROM events") == [(11,)]


def test_a_commit_that_cannot_be_read_is_left_out(repo: Registry, index: Index) -> None:
    """The others have their rows, and the reason stands beside; `verify` names it."""
    first = _commit(repo, 1)
    blob = repo.git.run("hash-object", "-w", "--stdin", data=b"{}").decode().strip()
    lines = f"100644 blob {blob}\tlineage.json\n".encode()
    top = repo.git.run("mktree", data=lines).decode().strip()
    oid = repo.git.run("commit-tree", top, data=b"no commit").decode().strip()
    bad, absent = digest(b"{}"), ("1" * 64, "2" * 40)
    event = Event("commit", now(), repo.actor(), commits=((bad, oid), absent))
    with repo.events_log.locked() as lock:
        repo.record(event, lock=lock)
    last = _commit(repo, 2)

    assert _ids(index) == [last, first]
    found = dict(_sql(repo, "SELECT id, reason FROM left_out"))
    assert found.keys() == {bad, "1" * 64}
    assert found["1" * 64] == "its manifest is missing"
    assert {bad, "1" * 64} <= {problem.id for problem in verify(repo).problems}


def test_text_that_a_database_cannot_hold(repo: Registry, index: Index) -> None:
    """NUL, and names longer than PostgreSQL can find, are found all the same."""
    long, longer = "x" * 3000, "x" * 3001
    params = {"a": "b\0c", long: 1, longer: 2, "d\0": True}
    made = repo.commit("config", "c", params=params, message="\0").id

    assert _ids(index, params=[("a", "=", "b\0c"), (longer, "=", 2)]) == [made]
    assert _ids(index, params=[("d\0", "=", True), (long, "=", 1)]) == [made]
    assert _ids(index, params=[(long, "=", 2)]) == []
    assert _ids(index, params=[("a", "=", "b\ufffdc")]) == []


def _without_table(registry: Registry) -> None:
    _sql(registry, "DROP TABLE metrics")


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
    asking = [_ask(repo) for _ in range(3)]

    assert [process.communicate()[0].split() for process in asking] == [ids] * 3
    assert _ids(index) == ids


KILL = """
import os, signal, sys
import lineage
from lineage.search import Filters, search
calls = 0
def kill(frame, event, arg):
    global calls
    name = arg.__name__ if event == "c_call" else frame.f_code.co_name
    driver = event == "c_call" or "psycopg" in frame.f_code.co_filename
    called = event in ("call", "c_call") and driver
    if called and name in ("execute", "executemany", "commit"):
        calls += 1
        if calls == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
sys.setprofile(kill)
search(lineage.open("."), Filters())
"""


@pytest.mark.parametrize("instant", [1, 9, 17])
def test_kill_while_refreshing(repo: Registry, instant: int) -> None:
    """A refresh that was killed leaves nothing that the next one trips over."""
    first = _commit(repo, 1)
    with index_of(repo) as index:
        index.refresh()
    second = _commit(repo, 2)
    done = subprocess.run(
        [sys.executable, "-c", KILL, str(instant)], cwd=repo.root, check=False
    )

    assert done.returncode == -signal.SIGKILL
    with index_of(repo) as index:
        assert _ids(index) == [second, first]


def test_what_is_reachable_from_very_many(repo: Registry, index: Index) -> None:
    """More starts than SQL takes in one question, and again on the same connection."""
    ids = [_commit(repo, seed) for seed in range(3)]

    def found(connection: Any, starts: Any) -> set[int]:
        return set(connection.execute(_reachable(connection, starts)).scalars())

    def all_of_them(ask: Ask) -> list[set[int]]:
        return [found(ask.connection, s) for s in ([], [1], range(70_000), [0])]

    assert index.read(all_of_them) == [set(), {0, 1}, set(range(70_000)), {0}]
    assert _ids(index, starts=[ids[1]]) == [ids[1], ids[0]]


def test_what_was_attested_holds_after_any_refresh(
    repo: Registry, index: Index
) -> None:
    """Rows say what holds, however many events at once; a rebuild says the same."""
    ids = [_commit(repo, seed) for seed in range(3)]
    for number, id_ in enumerate(ids):
        attest(repo, id_, {"f1": Metric(number), "nul\0": Metric(1)})
    assert _ids(index, metrics=[("f1", ">=", 1)]) == ids[:0:-1]
    attest(repo, ids[0], {"f1": Metric(5)})
    assert _ids(index, metrics=[("f1", ">=", 1)]) == ids[::-1]
    attest(repo, ids[0], {"f1": Metric(-5)})
    attest(repo, ids[1], {"f1": None})
    assert _ids(index, metrics=[("f1", ">=", 1)]) == [ids[2]]
    assert _ids(index, metrics=[("nul\0", "=", 1)]) == ids[::-1]
    rows = "SELECT clone, name, value FROM attested ORDER BY name, value"
    before = _sql(repo, rows)
    assert len(before) == 5
    index.rebuild()
    assert _sql(repo, rows) == before


# the schema


@pytest.mark.parametrize("by", ["steps", "models"])
def test_an_index_has_the_tables_of_the_models(repo: Registry, by: str) -> None:
    """The steps from nothing lead to exactly what the models say, as a new one has."""
    from alembic import command
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    from lineage.store.index_engine import lock_schema
    from lineage.store.index_tables import METADATA
    from lineage.store.migrations import HEAD, config

    engine = _engine(repo)
    with engine.begin() as connection:
        lock_schema(connection)
        if by == "steps":
            command.upgrade(config(connection), "head")
    with index_of(repo) as opened:
        opened.refresh()
    with engine.begin() as connection:
        migrated = MigrationContext.configure(connection)
        assert compare_metadata(migrated, METADATA) == []
        assert migrated.get_current_revision() == HEAD
        script = ScriptDirectory.from_config(config(connection))
        assert script.get_heads() == [HEAD]
    engine.dispose()


def test_an_index_without_shares_reads_the_log_again(repo: Registry) -> None:
    """One that was made before edges had their shares is brought up to date."""
    from alembic import command

    from lineage.store.index_engine import lock_schema
    from lineage.store.migrations import config

    shares = {"records": [3, 2**53 - 1], "tokens": [40, 70]}
    seed = repo.commit("dataset", "seed", params={"rows": 70}).id
    repo.commit("dataset", "mixed", edges=[Edge("derived_from", seed, share=shares)])
    repo.commit("model", "m", edges=[Edge("trained_on", seed)])
    engine = _engine(repo)
    with engine.begin() as connection:
        lock_schema(connection)
        command.upgrade(config(connection), "0002")
    engine.dispose()
    clone = repo.uuid() if repo.settings.get("index.url") else "own"
    tip = repo.events_log.tip()
    _sql(repo, f"INSERT INTO clones VALUES (1, '{clone}', '{tip}')")  # noqa: S608

    with index_of(repo) as opened:
        opened.refresh()
    columns = "records_part, records_whole, tokens_part, tokens_whole"
    assert _sql(repo, f"SELECT role, {columns} FROM edges ORDER BY role") == [  # noqa: S608
        ("derived_from", 3, 2**53 - 1, 40, 70),
        ("trained_on", None, None, None, None),
    ]
    assert verify(repo).problems == []


def test_an_older_index_reads_the_log_again(repo: Registry) -> None:
    """One from before attested metrics and origins had rows is brought up to date."""
    from alembic import command

    from lineage.store.index_engine import lock_schema
    from lineage.store.migrations import config

    ids = [_commit(repo, seed) for seed in range(3)]
    attest(repo, ids[1], {"f1": Metric(1)})
    repo.commit("dataset", "said", params={"n": 1}, origin={"type": "human"})
    with index_of(repo) as opened:
        opened.refresh()
    engine = _engine(repo)
    with engine.begin() as connection:
        lock_schema(connection)
        connection.exec_driver_sql("DROP TABLE attested")
        connection.exec_driver_sql("ALTER TABLE commits DROP COLUMN origin")
        command.stamp(config(connection), "0003")
    engine.dispose()
    with index_of(repo) as opened:
        assert _ids(opened, metrics=[("f1", "=", 1)]) == [ids[1]]
        assert _ids(opened)[1:] == ids[::-1]
    origins = "SELECT origin FROM commits ORDER BY number DESC LIMIT 2"
    assert _sql(repo, origins) == [("human",), (None,)]
    assert verify(repo).problems == []
