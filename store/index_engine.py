"""The database behind the index: its own file, or one that a URL names.

On PostgreSQL the tables stand in a schema of their own, ``lineage``, so that a
database of other things can hold them too. What goes wrong there becomes one
sentence, and no sentence holds a password.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    NoSuchModuleError,
)
from sqlmodel import StaticPool, create_engine, text

from lineage.errors import StoreError, first_line

SCHEMA = "lineage"
_WAIT = 60  # seconds that a reader waits while somebody writes
_PATIENCE = 10  # seconds for a server to answer
_LOCK = 0x6C696E65616765  # "lineage", for pg_advisory_xact_lock
_HINT = "write sqlite:////PATH or postgresql://USER:PASSWORD@HOST/DATABASE"
# sqlite3's codes for a file that cannot be used as it is: PERM, BUSY, LOCKED,
# READONLY, IOERR, FULL, CANTOPEN. Any other failure means that it is damaged.
_NO_ACCESS = frozenset({3, 5, 6, 8, 10, 13, 14})
_LACKS = frozenset({"42P01", "42P07", "42703"})  # no table, a table too many, no column


def read_url(given: str) -> URL:
    """The URL of a database that the index can live in.

    Raises:
        StoreError: when it is none.
    """
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise StoreError("index.url is not a database URL", hint=_HINT) from None
    name = url.drivername.partition("+")[0]
    if name in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if name != "sqlite":
        message = f"an index cannot live in {name!r}, only in SQLite or PostgreSQL"
        raise StoreError(message, hint=_HINT)
    return url


def shown(url: URL) -> str:
    """A URL as people may see it: without its password, wherever that stands."""
    secret = {k: "***" for k in url.query if "pass" in k.lower()}
    kept = url.update_query_dict(secret) if secret else url
    return kept.render_as_string(hide_password=True).replace("+psycopg:", ":", 1)


def open_engine(url: URL) -> Any:
    """The engine for `url`; one that was closed knows the statements it compiled.

    Raises:
        StoreError: when the driver is not installed.
    """
    if url.get_backend_name() == "sqlite":
        if url.database in (None, "", ":memory:"):
            return create_engine(url, poolclass=StaticPool)
        return _engine(url)
    try:
        return _engine(url)
    except (ImportError, NoSuchModuleError):
        hint = "install it: pip install 'lineage-vcs[postgres]'"
        message = "an index on PostgreSQL needs the package psycopg"
        raise StoreError(message, hint=hint) from None


@lru_cache(maxsize=4)
def _engine(url: URL) -> Any:
    if url.get_backend_name() == "sqlite":
        return create_engine(url, connect_args={"timeout": _WAIT})
    settings = {
        "options": f"-csearch_path={SCHEMA}",
        "connect_timeout": _PATIENCE,
    }
    return create_engine(url, connect_args=settings, hide_parameters=True)


def lock_schema(connection: Any) -> None:
    """Let nobody else make tables in a shared database until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))


@contextmanager
def said(url: URL) -> Iterator[None]:
    """Turn what a database server says into one sentence."""
    try:
        yield
    except DBAPIError as error:
        raise unusable(url, first_line(error.orig or error).strip()) from None


def unusable(url: URL, what: str) -> StoreError:
    """A database that does not do as we ask, and what it says."""
    secret = str(url.password or "")
    what = what.replace(secret, "***") if secret else what
    hint = "check index.url (LINEAGE_INDEX_URL), its server, and what you may do there"
    return StoreError(f"the index at {shown(url)} cannot be used: {what}", hint=hint)


def no_access(error: Exception) -> bool:
    """Whether a file cannot be read or written, which says nothing of its content."""
    if isinstance(error, OSError):
        return True
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _NO_ACCESS


def damaged(error: DBAPIError) -> bool:
    """Whether what is there is not an index of ours."""
    state = getattr(error.orig, "sqlstate", None)
    if hasattr(error.orig, "sqlstate"):
        return state in _LACKS
    return not no_access(error)
