"""The index: commits, names and events as rows, for questions that filter.

``<home>/index.sqlite`` is derived from the event log and remembers the newest event
that it has read. Whoever asks gets it up to date; one that is missing, damaged, of
another schema, or of a log that has lost that event is made anew. Where nothing can
be written, the rows live in memory as long as the command. sqlmodel takes half a
second to import: only commands that ask import this module.
"""
# ruff: noqa: TID253 - see above

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy.exc import DatabaseError
from sqlmodel import MetaData, StaticPool, create_engine, delete, inspect, select, text
from sqlmodel import update as change

from lineage.errors import StoreError
from lineage.store import migrations
from lineage.store.disk import locked
from lineage.store.events import EventLog, Logged
from lineage.store.git import GitRepository
from lineage.store.index_rows import Writer, write_names
from lineage.store.index_tables import METADATA, StateRow

_BATCH = 64  # events
_WAIT = 60  # seconds that a reader waits while somebody writes
# sqlite3's codes for a file that cannot be used as it is: PERM, BUSY, LOCKED,
# READONLY, IOERR, FULL, CANTOPEN. Any other failure means that it is damaged.
_NO_ACCESS = frozenset({3, 5, 6, 8, 10, 13, 14})

Answer = TypeVar("Answer")


class Index:
    """The rows of one registry; `url` names a database other than its own file."""

    def __init__(
        self,
        git: GitRepository,
        log: EventLog,
        home: Path,
        *,
        url: str | None = None,
    ) -> None:
        self._git = git
        self._log = log.whole  # rows are of now; who asks of the past leaves out more
        self._lock = home / "index.lock"
        self._path = None if url else home / "index.sqlite"
        self._engine = _engine(url or f"sqlite:///{self._path}")
        self._tip: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def read(self, question: Callable[[Any], Answer]) -> Answer:
        """What `question` answers when it is given a connection to current rows."""
        self.refresh()
        try:
            with self._engine.connect() as connection:
                return question(connection)
        except DatabaseError:
            self.rebuild()
        with self._engine.connect() as connection:
            return question(connection)

    def refresh(self) -> None:
        """Take in the events that came since the last time."""
        tip = self._log.tip() or ""
        if tip == self._tip:
            return
        if tip != _stored_tip(self._engine):
            self._write(self._update)
        self._tip = tip

    def rebuild(self) -> None:
        """Make the index anew from the whole log."""
        self._write(self._remake)

    def _write(self, work: Callable[[], None]) -> None:
        """Do `work` alone; in memory where the file cannot be written."""
        try:
            with locked(self._lock):
                work()
        except (OSError, DatabaseError) as error:
            if not _no_access(error):
                raise
            self.close()
            self._path = None
            self._engine = _engine("sqlite://")
            self._update()

    def _update(self) -> None:
        try:
            self._migrate()
            self._catch_up()
        except DatabaseError as error:
            if _no_access(error):
                raise
            self._remake()

    def _remake(self) -> None:
        self._remove()
        self._migrate()
        self._catch_up()

    def _remove(self) -> None:
        """Leave nothing of what is there, whatever it is."""
        self.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path.with_name(f"{self._path.name}-journal").unlink(missing_ok=True)
            return
        with self._engine.begin() as connection:
            found = MetaData()
            found.reflect(connection)
            found.drop_all(connection)

    def _migrate(self) -> None:
        """Bring the schema up to date; one that is not ours counts as damaged."""
        with self._engine.begin() as connection:
            if _schema(connection) == migrations.HEAD:
                return
        from alembic import command
        from alembic.util import CommandError

        try:
            with self._engine.begin() as connection:
                command.upgrade(migrations.config(connection), "head")
        except CommandError:
            self._remove()
            with self._engine.begin() as connection:
                command.upgrade(migrations.config(connection), "head")

    def _catch_up(self) -> None:
        """Read the log from where the rows end, in one transaction."""
        with self._engine.begin() as connection:
            # A write first, so that two of us never read the same events.
            connection.execute(change(StateRow).values(value=StateRow.value))
            since = connection.scalar(select(StateRow.value))
            if since and not self._is_past(since):
                since = None
                for table in reversed(METADATA.sorted_tables):
                    if table.name != StateRow.__tablename__:
                        connection.execute(delete(table))
            self._add(
                connection, self._log.iterate(since=since or None, oldest_first=True)
            )

    def _add(self, connection: Any, events: Iterator[Logged]) -> None:
        tip = None
        writer = Writer(connection, self._git)
        while batch := list(islice(events, _BATCH)):
            writer.add(batch)
            tip = batch[-1].git
        if tip:
            write_names(connection, self._log, tip)
            connection.execute(change(StateRow).values(value=tip))

    def _is_past(self, event: str) -> bool:
        """Whether the log still contains an event that it had."""
        tip = self._log.tip() or ""
        try:
            self._git.run("merge-base", "--is-ancestor", event, tip)
        except StoreError:
            return False
        return True


def _engine(url: str) -> Any:
    if url == "sqlite://":
        return create_engine(url, poolclass=StaticPool)
    local = url.startswith("sqlite")
    return create_engine(url, connect_args={"timeout": _WAIT} if local else {})


def _schema(connection: Any) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found and str(found)


def _stored_tip(engine: Any) -> str | None:
    """The newest event that the rows know; None where there is no index of ours."""
    try:
        with engine.connect() as connection:
            if _schema(connection) == migrations.HEAD:
                return str(connection.scalar(select(StateRow.value)))
    except DatabaseError:
        pass
    return None


def _no_access(error: Exception) -> bool:
    if isinstance(error, OSError):
        return True
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", 0)
    return code & 0xFF in _NO_ACCESS
