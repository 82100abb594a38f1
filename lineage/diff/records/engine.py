"""duckdb, shut in: no network, no extension, bounded memory, a folder of its own."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from lineage.errors import LineageError, first_line
from lineage.store.workspace import workspace

if TYPE_CHECKING:
    import duckdb

Done = TypeVar("Done")

_MEMORY = "512MB"  # beyond, it writes to its folder
_THREADS = 4
# Of a join the right side is held in memory, as the queries are written.
_SETTINGS = (
    "enable_progress_bar = false",
    "disabled_optimizers = 'build_side_probe_side,join_order'",
)


class Engine:
    """A database that is gone with the comparison.

    It works on a thread of its own, so that whoever waits can be interrupted: duckdb
    looks for signals between its tasks, and some tasks are long.
    """

    def __init__(
        self, database: "duckdb.DuckDBPyConnection", worker: ThreadPoolExecutor
    ) -> None:
        self.database = database
        self._worker = worker

    def run(self, query: str, values: Sequence[object] = ()) -> None:
        """Run a statement."""
        self._wait(self.database, lambda: self.database.execute(query, values))

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """All rows of a query, which has few."""
        database = self.database
        return self._wait(database, lambda: database.execute(query, values).fetchall())

    def one(self, query: str, values: Sequence[object] = ()) -> Any:
        """The only row of a query."""
        return self.rows(query, values)[0]

    def batches(self, query: str, size: int = 50_000) -> Iterator[list[Any]]:
        """The rows of a query, so many at once."""
        cursor = self.database.cursor()
        found = self._wait(cursor, lambda: cursor.execute(query))
        while rows := self._wait(cursor, lambda: found.fetchmany(size)):
            yield rows

    def arrays(self, query: str) -> list[Any]:
        """The columns of a query as numpy arrays."""
        database = self.database
        found = self._wait(database, lambda: database.execute(query).fetchnumpy())
        return list(found.values())

    def _wait(
        self, database: "duckdb.DuckDBPyConnection", work: Callable[[], Done]
    ) -> Done:
        """What the database makes of some work; it stops where the wait does."""
        future = self._worker.submit(work)
        try:
            return future.result()
        except KeyboardInterrupt:
            database.interrupt()
            raise

    def add(self, table: str, column: Any) -> None:
        """Add rows to a table of one column, from a numpy array."""
        self.database.register("fresh", {"c": column})
        self.run(f"INSERT INTO {table} FROM fresh")
        self.database.unregister("fresh")

    def insert(self, table: str, columns: Sequence[Sequence[object]]) -> None:
        """Add rows, given by column."""
        import numpy as np

        names = [f"c{i}" for i in range(len(columns))]
        data = {
            name: np.array(column, dtype=object)
            for name, column in zip(names, columns, strict=True)
        }
        self.database.register("fresh", data)
        self.run(f"INSERT INTO {table} SELECT {', '.join(names)} FROM fresh")
        self.database.unregister("fresh")


@contextmanager
def engine(home: Path, readable: Iterable[Path]) -> Iterator[Engine]:
    """A fresh database that reads some files and no others.

    What it writes lies below `home`, and is gone afterwards.

    Raises:
        LineageError: when duckdb or numpy is not installed, or fails.
    """
    try:
        import duckdb
        import numpy as np  # noqa: F401
    except ImportError as error:
        hint = "install it: pip install 'lineage-vcs[diff]'"
        message = f"comparing records needs {error.name}"
        raise LineageError(message, hint=hint) from None
    with _folder(home) as folder:
        settings: dict[str, Any] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "memory_limit": _MEMORY,
            "temp_directory": str(folder),
            "threads": min(_THREADS, os.cpu_count() or 1),
        }
        with (
            _failures(),
            duckdb.connect(config=settings) as database,
            ThreadPoolExecutor(1) as worker,
        ):
            found = Engine(database, worker)
            for setting in _SETTINGS:
                found.run(f"SET {setting}")
            paths = ", ".join(quoted(str(path)) for path in readable)
            found.run(f"SET allowed_paths = [{paths}]")
            found.run("SET enable_external_access = false")
            found.run("SET lock_configuration = true")
            yield found


@contextmanager
def _failures() -> Iterator[None]:
    """Turn what duckdb says of itself, such as of a full disk, into one sentence."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        message = f"duckdb failed: {first_line(error).rstrip('.')}"
        raise LineageError(message) from None


@contextmanager
def _folder(home: Path) -> Iterator[Path]:
    """A folder that the next comparison sweeps where this one is killed.

    One of the system's where the registry cannot be written.
    """
    if os.access(home, os.W_OK):
        with workspace(home / "comparing", "the registry") as folder:
            yield folder
    else:
        with TemporaryDirectory(prefix="lineage-") as name:
            yield Path(name)


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
