"""The index in its own file: what may become of a file, and of its place."""

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

from lineage.errors import StoreError
from lineage.indexing import index_of
from lineage.store.index import Index
from lineage.store.index_facts import flatten
from lineage.store.index_query import matching

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry


def _ids(index: Index, **conditions: Any) -> list[str]:
    return index.read(lambda ask: [match.id for match in matching(ask, **conditions)])


def _sql(registry: Registry, statement: str) -> list[Any]:
    """Ask the file itself, past all of our code."""
    with closing(sqlite3.connect(registry.home / "index.sqlite")) as database, database:
        return database.execute(statement).fetchall()


def _commit(registry: Registry, seed: int) -> str:
    return registry.commit("config", "c", params={"seed": seed}).id


def test_flattened_parameters() -> None:
    """Dots lead into objects and lists; what is empty stands for itself."""
    value: Any = {"a": {"b": [1, {"c": None}]}, "d": {}, "e": [], "f.g": "x"}

    assert list(flatten(value)) == [
        *(("a.b.0", 1), ("a.b.1.c", None), ("d", {}), ("e", []), ("f.g", "x"))
    ]


def test_an_index_serves_the_next_command(repo: Registry) -> None:
    """What one process read from the log, the next finds in the file."""
    _commit(repo, 1)
    with index_of(repo) as index:
        index.refresh()
    before = (repo.home / "index.sqlite").read_bytes()
    with index_of(repo) as again:
        again.refresh()

    assert (repo.home / "index.sqlite").read_bytes() == before


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
    with index_of(repo) as index:
        index.refresh()
    damage(repo)

    with index_of(repo) as index:
        assert _ids(index, metrics=[("loss", ">", 2)]) == [made]
    assert _sql(repo, "SELECT value FROM metrics") == [(2.5,)]


ASK = """
import lineage
from lineage.search import Filters, search
print(*search(lineage.open("."), Filters()))
"""


def _no_bytes() -> None:
    """Let every write to a file fail, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@pytest.mark.parametrize("behind", [True, False])
def test_a_full_disk_is_no_obstacle(repo: Registry, *, behind: bool) -> None:
    """Where no byte can be written, the answer comes from memory, or from the file."""
    ids = [_commit(repo, 1)]
    with index_of(repo) as index:
        index.refresh()
    if behind:
        ids = [_commit(repo, 2), *ids]
    before = (repo.home / "index.sqlite").read_bytes()
    process = subprocess.Popen(
        [sys.executable, "-c", ASK],
        cwd=repo.root,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_no_bytes,  # noqa: PLW1509 - no threads here
    )

    assert process.communicate()[0].split() == ids
    assert (repo.home / "index.sqlite").read_bytes() == before


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


def test_another_file(repo: Registry, tmp_path: Path) -> None:
    """A URL puts the rows into a file elsewhere; another version's it leaves alone."""
    repo.settings.set("index.url", f"sqlite:///{tmp_path}/shared.sqlite")
    made = _commit(repo, 1)
    with index_of(repo) as index:
        assert _ids(index) == [made]
    with closing(sqlite3.connect(tmp_path / "shared.sqlite")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    with index_of(repo) as index, pytest.raises(StoreError, match="another version's"):
        _ids(index)

    assert not (repo.home / "index.sqlite").exists()


def test_a_new_file_is_laid_out_as_one_that_took_all_steps(tmp_path: Path) -> None:
    """Columns, keys, indexes and the row of nobody are the same, whichever way."""
    from alembic import command
    from sqlmodel import create_engine

    from lineage.store import migrations

    ways = (
        ("steps", lambda c: command.upgrade(migrations.config(c), "head")),
        ("models", migrations.upgrade),
    )
    found = []
    for name, way in ways:
        engine = create_engine(f"sqlite:///{tmp_path / name}")
        with engine.begin() as connection:
            way(connection)
        engine.dispose()
        found.append(_layout(tmp_path / name))
    assert found[0] == found[1]


def _layout(path: Path) -> list[Any]:
    """What SQLite says of all tables, whatever the order of their columns."""
    with closing(sqlite3.connect(path)) as database:

        def ask(what: str, table: str, *given: str) -> list[Any]:
            found = database.execute(f"SELECT {what} FROM {table}", given)  # noqa: S608
            return sorted(found.fetchall(), key=str)

        tables = ask("name, wr, strict", "pragma_table_list")
        said = [tables, ask("*", "clones"), ask("*", "alembic_version")]
        for name, *_ in tables:
            columns = 'name, type, "notnull", dflt_value, pk'
            said += [name, ask(columns, "pragma_table_info(?)", name)]
            for index in ask('name, "unique"', "pragma_index_list(?)", name):
                said += [index, ask("*", "pragma_index_info(?)", index[0])]
    return said


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
