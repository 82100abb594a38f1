"""The tables of the index.

Commits and events go by a number, the order in which they came; their hexadecimal
names stand in one place each. Both follow from their content, so clones that share
a database share their rows; what each clone has, and where its names are, stands in
tables of its own. Import this module inside functions only: sqlmodel takes half a
second.
"""

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
NOBODY = ""  # the clone that every database has: whoever writes locks its row


class _Row(SQLModel):
    """A table of ours, apart from those of a program that uses SQLModel too."""

    metadata: ClassVar[MetaData] = METADATA


class CloneRow(_Row, table=True):
    """A clone by its uuid, with the git oid of the newest event taken in from it."""

    __tablename__ = "clones"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    uuid: str = Field(unique=True)
    tip: str


class EventRow(_Row, table=True):
    __tablename__ = "events"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: str = Field(index=True)
    git: str = Field(unique=True)
    type: str = Field(index=True)
    time: str = Field(index=True)  # RFC 3339, UTC, microseconds: sorts as text
    name: str
    email: str
    message: str
    subject: str | None = Field(default=None, index=True)


class HeardRow(_Row, table=True):
    """An event that a clone has."""

    __tablename__ = "heard"
    __table_args__ = (_COMPACT,)

    clone: int = Field(primary_key=True)
    event: int = Field(primary_key=True)


class CommitRow(_Row, table=True):
    __tablename__ = "commits"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: str = Field(unique=True)
    git: str = Field(unique=True)
    kind: str = Field(index=True)
    name: str = Field(index=True)
    generation: int
    origin: str | None = None  # what it says of its own records: "human"


class KnownRow(_Row, table=True):
    """A commit that a clone has, in the clone's own order; `event` brought it."""

    __tablename__ = "known"
    __table_args__ = (Index(None, "clone", "number"), _COMPACT)

    clone: int = Field(primary_key=True)
    commit: int = Field(primary_key=True)
    number: int
    event: int


class LeftOutRow(_Row, table=True):
    """A commit of a clone that has no rows, or not all, and why."""

    __tablename__ = "left_out"
    __table_args__ = (_COMPACT,)

    clone: int = Field(primary_key=True)
    id: str = Field(primary_key=True)
    reason: str


class EdgeRow(_Row, table=True):
    """An edge with its share: so many of the child's so many records, and tokens."""

    __tablename__ = "edges"
    __table_args__ = (Index(None, "parent", "child"), _COMPACT)

    child: int = Field(primary_key=True)
    role: str = Field(primary_key=True)
    parent: int = Field(primary_key=True)
    evidence: str
    records_part: int | None = Field(default=None, sa_type=BigInteger)
    records_whole: int | None = Field(default=None, sa_type=BigInteger)
    tokens_part: int | None = Field(default=None, sa_type=BigInteger)
    tokens_whole: int | None = Field(default=None, sa_type=BigInteger)


class MetricRow(_Row, table=True):
    __tablename__ = "metrics"
    __table_args__ = (Index(None, "name", "value"), _COMPACT)

    commit: int = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: float


class AttestedRow(_Row, table=True):
    """A metric that was attested of a commit, as it holds by what a clone has heard.

    Those that the commit records itself are not among them.
    """

    __tablename__ = "attested"
    __table_args__ = (Index(None, "clone", "name", "value"), _COMPACT)

    clone: int = Field(primary_key=True)
    commit: int = Field(primary_key=True)
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

    commit: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    path: str
    text: str
    number: float | None = None


class FileRow(_Row, table=True):
    """A file of a payload; empty directories are not listed."""

    __tablename__ = "files"
    __table_args__ = (_COMPACT,)

    commit: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    path: str
    size: int = Field(sa_type=BigInteger)
    mode: str
    sha256: str = Field(index=True)
    md5: str


class RefRow(_Row, table=True):
    """A name in the view of a clone's newest event, such as ``heads/model/tutor``."""

    __tablename__ = "refs"
    __table_args__ = (_COMPACT,)

    clone: int = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    commit: int


def table(row: type[SQLModel]) -> Table:
    """The table of a class above, for statements in bulk."""
    return METADATA.tables[str(row.__tablename__)]
