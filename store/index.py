"""The index: commits, names and events as rows, for questions that filter.

It is derived from the event log and remembers the newest event that it has read.
Whoever asks gets it up to date. Its own file, ``<home>/index.sqlite``, is made anew
when it is missing, damaged or of another schema; where nothing can be written, the
rows live in memory as long as the command. A database that a URL names may be
shared: clones add to the same rows, each takes back no more than its own, and a
schema that this version does not know is left alone. sqlmodel takes half a second to
import: only commands that ask import this module.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError
from sqlmodel import MetaData, col, func, insert, select, text
from sqlmodel import update as change

from lineage.errors import StoreError
from lineage.store import migrations
from lineage.store.batches import batches
from lineage.store.disk import locked
from lineage.store.event_reading import Logged
from lineage.store.events import EventLog
from lineage.store.git import GitRepository
from lineage.store.index_asking import Ask
from lineage.store.index_attested import write_attested
from lineage.store.index_engine import (
    damaged,
    lock_schema,
    no_access,
    open_engine,
    read_url,
    said,
    shown,
    unusable,
)
from lineage.store.index_rows import Writer, forget, write_names
from lineage.store.index_tables import METADATA, NOBODY, CloneRow

_BATCH = 1000  # events, or commits of them

Answer = TypeVar("Answer")


class Index:
    """The rows of one clone; `url` names a database other than its own file.

    Raises:
        StoreError: when `url` is none, or its driver is missing.
    """

    def __init__(
        self,
        git: GitRepository,
        log: EventLog,
        home: Path,
        *,
        url: str | None = None,
        clone: str = "own",
    ) -> None:
        self._git = git
        self._log = log.whole  # rows are of now; who asks of the past leaves out more
        self._shared = bool(url)
        self._url = read_url(url or f"sqlite:///{home / 'index.sqlite'}")
        self._lock = _lock_file(self._url, home)
        self._engine = open_engine(self._url)
        self._uuid = clone
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

    @property
    def place(self) -> str:
        """Where the rows are, without any password."""
        path = self._url.database
        own = self._url.get_backend_name() == "sqlite" and path
        return str(path) if own else shown(self._url)

    def read(self, question: Callable[[Ask], Answer]) -> Answer:
        """What `question` answers from current rows.

        Raises:
            StoreError: when the database cannot be used.
        """
        self.refresh()
        with said(self._url):
            try:
                return self._answer(question)
            except DatabaseError as error:
                if not damaged(error):
                    raise
            self._write(self._remake)
            return self._answer(question)

    def look(self, question: Callable[[Ask], Answer]) -> Answer:
        """What `question` answers from the rows as they are.

        Raises:
            StoreError: when the database cannot be used.
        """
        with said(self._url):
            return self._answer(question)

    def at_hand(self, question: Callable[[Ask], Answer]) -> Answer | None:
        """What `question` answers, None where the rows are not current or no use."""
        tip = self._log.tip()
        with suppress(DatabaseError), self._engine.connect() as connection:
            if connection.scalar(migrations.VERSION) == migrations.HEAD:
                clone, stored = _clone(connection, self._uuid)
                return question(Ask(connection, clone)) if stored == tip else None
        return None

    def _answer(self, question: Callable[[Ask], Answer]) -> Answer:
        with self._engine.connect() as connection:
            return question(Ask(connection, _clone(connection, self._uuid)[0]))

    def refresh(self) -> None:
        """Take in the events that came since the last time."""
        tip = self._log.tip() or ""
        if tip == self._tip:
            return
        with said(self._url):
            if tip != self.stored_tip():
                self._write(self._update)
        self._tip = tip

    def is_damaged(self) -> bool:
        """Whether the database file itself has something to complain of."""
        try:
            with self._engine.connect() as connection:
                if connection.dialect.name != "sqlite":
                    return False
                found = connection.scalar(text("PRAGMA integrity_check"))
        except DatabaseError:
            return True
        return bool(found != "ok")

    def rebuild(self) -> None:
        """Make this clone's rows anew from the whole log; those of others stay."""
        with said(self._url):
            self._write(self._anew if self._shared else self._remake)

    def stored_tip(self) -> str | None:
        """The newest event that the rows know; None where there is no index of ours.

        Raises:
            StoreError: when the database cannot be asked.
        """
        with said(self._url):
            try:
                with self._engine.connect() as connection:
                    if migrations.schema(connection) == migrations.HEAD:
                        return _clone(connection, self._uuid)[1]
            except DatabaseError as error:
                if not (damaged(error) or no_access(error)):
                    raise
        return None

    def _write(self, work: Callable[[], None]) -> None:
        """Do `work` alone; in memory where our own file cannot be written."""
        try:
            with locked(self._lock):
                work()
        except (OSError, DatabaseError) as error:
            if self._shared and isinstance(error, OSError):
                raise unusable(self._url, str(error.strerror)) from None
            if self._shared or not no_access(error):
                raise
            self.close()
            self._url = read_url("sqlite://")
            self._engine = open_engine(self._url)
            self._update()

    def _update(self) -> None:
        try:
            self._migrate()
            self._catch_up()
        except DatabaseError as error:
            if not damaged(error):
                raise
            self._remake()

    def _anew(self) -> None:
        try:
            self._migrate()
            self._catch_up(anew=True)
        except DatabaseError as error:
            if not damaged(error):
                raise
            self._remake()

    def _remake(self) -> None:
        self._remove()
        self._migrate()
        self._catch_up()

    def _remove(self) -> None:
        """Leave nothing of ours that is there, whatever it is."""
        self.close()
        if not self._shared and self._url.database:
            path = Path(self._url.database)
            path.unlink(missing_ok=True)
            path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
            return
        with self._engine.begin() as connection:
            lock_schema(connection)
            found = MetaData()
            ours = {"alembic_version", *METADATA.tables}
            found.reflect(connection, only=lambda name, _: name in ours)
            found.drop_all(connection)

    def _migrate(self) -> None:
        """Bring the schema up to date; one that is not ours counts as damaged.

        Raises:
            StoreError: when a shared database has the tables of another version.
        """
        with self._engine.begin() as connection:
            if migrations.schema(connection) == migrations.HEAD:
                return
        if self._upgrade():
            return
        if self._shared:
            hint = "use one version everywhere, or another database for this one"
            message = f"the index at {self.place} is another version's"
            raise StoreError(message, hint=hint)
        self._remove()
        self._upgrade()

    def _upgrade(self) -> bool:
        with self._engine.begin() as connection:
            lock_schema(connection)
            return migrations.upgrade(connection)

    def _catch_up(self, *, anew: bool = False) -> None:
        """Read the log from where the rows end, in one transaction."""
        with self._engine.begin() as connection:
            # A write first, so that two of us never give one number twice.
            nobody = col(CloneRow.uuid) == NOBODY
            connection.execute(change(CloneRow).where(nobody).values(tip=CloneRow.tip))
            clone, since = _clone(connection, self._uuid)
            if since and (anew or not self._log.follows(since)):
                forget(connection, clone)
                since = ""
            clone = clone or _join(connection, self._uuid)
            events = self._log.iterate(since=since or None, oldest_first=True)
            self._add(connection, clone, events, anew=anew)

    def _add(
        self, connection: Any, clone: int, events: Iterator[Logged], *, anew: bool
    ) -> None:
        tip = None
        writer = Writer(connection, self._git, clone, anew=anew)
        for batch in batches(events, _weight, _BATCH):
            writer.add(batch)
            write_attested(connection, self._git, clone, batch)
            tip = batch[-1].git
        if tip:
            write_names(connection, clone, self._log, tip)
            own = col(CloneRow.number) == clone
            connection.execute(change(CloneRow).where(own).values(tip=tip))


def _weight(logged: Logged) -> int:
    return 1 + len(logged.event.commits)


def _lock_file(url: URL, home: Path) -> Path:
    """A file next to the database file: all clones that share it look there."""
    if url.get_backend_name() == "sqlite" and url.database not in (None, ":memory:"):
        return Path(str(url.database)).with_suffix(".lock")
    return home / "index.lock"


def _clone(connection: Any, uuid: str) -> tuple[int, str | None]:
    """A clone's number and newest event; 0 and None where it has no rows yet."""
    query = select(CloneRow.number, CloneRow.tip).where(col(CloneRow.uuid) == uuid)
    found = connection.execute(query).first()
    return (int(found[0]), str(found[1])) if found else (0, None)


def _join(connection: Any, uuid: str) -> int:
    number = int(connection.scalar(select(func.max(col(CloneRow.number))))) + 1
    row = {"number": number, "uuid": uuid, "tip": ""}
    connection.execute(insert(CloneRow), row)
    return number
