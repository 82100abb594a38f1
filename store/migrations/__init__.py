"""How the index's schema changes, for Alembic.

After a change of `lineage.store.index_tables` this writes a first draft of the step
that belongs to it::

    from alembic import command
    from lineage.store.migrations import config
    from sqlmodel import create_engine

    with create_engine("sqlite://").connect() as connection:
        command.upgrade(config(connection), "head")
        command.revision(config(connection), "what changes", autogenerate=True)

The index is derived, so there is no way down: what does not know a schema makes its
own index anew, and leaves alone one that it may share. A step that adds what only the
event log knows empties the tables, and the next refresh reads the whole log.

A new index takes no steps: its tables are made as the models say, and a test holds
that to be what the steps lead to.
"""

from pathlib import Path
from typing import Any

from sqlmodel import insert, inspect, text

from lineage.store.index_tables import METADATA, NOBODY, CloneRow

HEAD = "0005"
VERSION = text("SELECT version_num FROM alembic_version")
_VERSION = "version_num VARCHAR(32) CONSTRAINT alembic_version_pkc PRIMARY KEY NOT NULL"


def schema(connection: Any) -> str | None:
    """The step that the tables are at; None where there are none of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(VERSION)
    return found and str(found)


def upgrade(connection: Any) -> bool:
    """Bring the tables to the newest step; False where theirs is none of ours."""
    if schema(connection) is None:
        _make(connection)
        return True
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(config(connection), "head")
    except CommandError:
        return False
    return True


def _make(connection: Any) -> None:
    """Make the tables where none are, without the steps: Alembic is slow to start."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")  # not a transaction for each table
    METADATA.create_all(connection, checkfirst=False)
    connection.exec_driver_sql(f"CREATE TABLE alembic_version ({_VERSION})")
    head = f"INSERT INTO alembic_version VALUES ('{HEAD}')"  # noqa: S608 - ours
    connection.exec_driver_sql(head)
    connection.execute(insert(CloneRow), {"number": 0, "uuid": NOBODY, "tip": ""})


def config(connection: Any) -> Any:
    """Alembic's configuration for migrating one connection."""
    from alembic.config import Config

    made = Config(attributes={"connection": connection})
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("path_separator", "os")
    return made
