"""The index: commits, names and events as rows, for questions that filter.

``<home>/index.sqlite`` is derived from the event log and remembers the newest event
that it has read. Whoever asks gets it up to date; one that is missing, damaged, of
another schema, or of a log that has lost that event is made anew. Where nothing can
be written the rows live in memory for the length of a command. sqlmodel takes half
a second to import: only commands that ask import this module.
"""
# ruff: noqa: TID253 - see above

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlmodel import MetaData, StaticPool, create_engine, delete, inspect, select, text
from sqlmodel import update as change
from sqlalchemy.exc import DatabaseError

from lineage.errors import StoreError
from lineage.store import migrations
from lineage.store.disk import locked
from lineage.store.events import EventLog
from lineage.store.git import GitRepository
from lineage.store.ids import Ids
from lineage.store.index_rows import Writer, write_names
from lineage.store.index_tables import METADATA, StateRow

_BATCH = 256  # events
_WAIT = 60  # seconds for a reader while somebody else makes the index
# sqlite3 primary error codes of a file that cannot be used: PERM, BUSY, LOCKED,
# READONLY, IOERR, FULL, CANTOPEN.
_NO_ACCESS = {3, 5, 6, 8, 10, 13, 14}

Answer = TypeVar("Answer")
