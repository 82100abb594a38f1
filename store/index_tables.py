"""The tables of the index.

Commits and events go by a number, the order in which they came; their hexadecimal
names stand in one place each. Import this module inside functions only: sqlmodel
takes half a second.
"""
# ruff: noqa: TID253 - see above

from typing import ClassVar

from sqlmodel import BigInteger, Field, Index, MetaData, SQLModel, Table

METADATA = MetaData(
    # Alembic can change only what has a name.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_COMPACT = {"sqlite_with_rowid": False}
_COMMIT, _EVENT = "commits.number", "events.number"


class _Row(SQLModel):
    """A table of ours, apart from those of a program that uses SQLModel too."""

    metadata: ClassVar[MetaData] = METADATA


class EventRow(_Row, table=True):
    __tablename__ = "events"

    number: int = Field(primary_key=True)
    id: str = Field(unique=True)
    git: str = Field(unique=True)
    type: str = Field(index=True)
    time: str = Field(index=True)  # RFC 3339, UTC, microseconds: sorts as text
    name: str
    email: str
    message: str
    subject: str | None = Field(default=None, index=True)


class CommitRow(_Row, table=True):
    __tablename__ = "commits"

    number: int = Field(primary_key=True)
    id: str = Field(unique=True)
    git: str = Field(unique=True)
    kind: str = Field(index=True)
    name: str = Field(index=True)
    generation: int
    event: int = Field(foreign_key=_EVENT)  # the one that recorded it first


class EdgeRow(_Row, table=True):
    __tablename__ = "edges"
    __table_args__ = (Index(None, "parent", "child"), _COMPACT)

    child: int = Field(primary_key=True, foreign_key=_COMMIT)
    role: str = Field(primary_key=True)
    parent: int = Field(primary_key=True, foreign_key=_COMMIT)
    evidence: str


class MetricRow(_Row, table=True):
    __tablename__ = "metrics"
    __table_args__ = (Index(None, "name", "value"), _COMPACT)

    commit: int = Field(primary_key=True, foreign_key=_COMMIT)
    name: str = Field(primary_key=True)
    value: float


class ParamRow(_Row, table=True):
    """One value inside a commit's parameters, at its dotted path.

    `text` is a string as it is and everything else as JSON; `number` is the value
    when it is a number. `position` tells apart what has the same path, as "a.b" has
    in {"a.b": 1, "a": {"b": 2}}.
    """

    __tablename__ = "params"
    __table_args__ = (Index(None, "path", "number"), _COMPACT)

    commit: int = Field(primary_key=True, foreign_key=_COMMIT)
    position: int = Field(primary_key=True)
    path: str
    text: str
    number: float | None = None


class FileRow(_Row, table=True):
    """A file of a payload; empty directories are not listed."""

    __tablename__ = "files"
    __table_args__ = (_COMPACT,)

    commit: int = Field(primary_key=True, foreign_key=_COMMIT)
    path: str = Field(primary_key=True)
    size: int = Field(sa_type=BigInteger)
    mode: str
    sha256: str = Field(index=True)
    md5: str


class RefRow(_Row, table=True):
    """A name in the view of the newest event, such as ``heads/model/tutor``."""

    __tablename__ = "refs"

    ref: str = Field(primary_key=True)
    commit: int = Field(foreign_key=_COMMIT)


class StateRow(_Row, table=True):
    """The git oid of the newest event that the rows know, as ``tip``."""

    __tablename__ = "state"

    key: str = Field(primary_key=True)
    value: str


def table(row: type[SQLModel]) -> Table:
    """The table of a class above, for statements in bulk."""
    return METADATA.tables[str(row.__tablename__)]
