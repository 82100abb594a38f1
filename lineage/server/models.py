"""The shapes of docs/json.md, for the description of the API.

Nothing is made or checked with them while requests are answered: `lineage.shapes`
makes what is sent. They say what may be relied on; fields are added, so read what you
know. The tests hold real answers against them.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

Id = Annotated[
    str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the manifest.")
]
Git = Annotated[
    str, Field(pattern="^[0-9a-f]{40}$", description="The object in the repository.")
]
Time = Annotated[str, Field(description="RFC 3339, UTC.")]
Kind = Literal["generation", "model", "dataset", "config"]
Version = Annotated[Literal[1], Field(description="Of the shape.")]
Next = Annotated[
    str | None,
    Field(description="The cursor of the next page; null where this is the last."),
]
Fields = dict[str, Any]


class Problem(BaseModel):
    """RFC 9457: what went wrong (`title`) and what to do next (`detail`)."""

    type: str
    title: str
    status: int
    detail: str


class Edge(BaseModel):
    role: str
    id: Id
    evidence: str
    share: dict[str, list[int]] | None


class NamedEdge(Edge):
    kind: Kind
    name: str
    grade: str


class TaintMark(BaseModel):
    """A standing taint that reached a commit."""

    event: Id
    subject: Id
    reason: str
    perhaps: bool
    records: Fields | None


class Commit(BaseModel):
    """One commit of a list."""

    id: Id
    git: Git
    kind: Kind
    name: str
    time: Time
    author: str
    message: str
    edges: list[Edge]
    metrics: dict[str, float]
    params: Fields
    branches: list[str]
    tags: list[str]
    live: list[str]
    generation: int
    tainted: list[TaintMark]


class Commits(BaseModel):
    schema_version: Version
    commits: list[Commit]
    next: Next


class File(BaseModel):
    path: str
    mode: str
    size: int
    sha256: str | None
    md5: str | None


class Change(BaseModel):
    """A name that moved."""

    ref: str
    before: str | None
    after: str | None


class Event(BaseModel):
    id: Id
    type: str
    time: Time
    author: str
    message: str
    subject: Id | None
    refs: list[Change]
    data: Fields


class Logged(Event):
    """An event of a list; `git` names it for Last-Event-ID and for cursors."""

    git: Git


class Events(BaseModel):
    schema_version: Version
    events: list[Logged]
    next: Next


class Brought(BaseModel):
    id: Id
    git: Git


class WholeEvent(Event):
    schema_version: Version
    git: Git
    prev: list[Id]
    commits: list[Brought]
    extra: Fields


class MetricValue(BaseModel):
    value: float
    definition: str | None
    version: int | None
    direction: str | None
    n: int | None
    interval: list[float] | None


class Measured(MetricValue):
    event: Id | None


class Shown(BaseModel):
    """Everything that is known of one commit."""

    schema_version: Version
    id: Id
    git: Git
    kind: Kind
    name: str
    time: Time
    author: str
    message: str
    edges: list[NamedEdge]
    metrics: dict[str, Measured]
    params: Fields
    branches: list[str]
    tags: list[str]
    live: list[str]
    generation: int
    stated: Fields
    releases: list[Fields]
    payload: Fields | None
    path: str | None
    origin: Fields | None
    code: Fields | None
    external: Fields | None
    gates: list[Fields] | None
    extra: Fields
    files: list[File]
    tainted: list[TaintMark]
    events: list[Event]


class Diff(BaseModel):
    """What changed from `a` to `b`; sections that were not asked for are missing."""

    schema_version: Version
    a: Id
    b: Id
    metrics: list[Fields] = []
    params: list[Fields] = []
    config: list[Fields] = []
    tokenizer: list[Fields] = []
    records: list[Fields] = []
    tensors: list[Fields] = []
    files: dict[str, list[Any]] = {}
    alike: list[Fields] = []
    parts: list[Fields] = []
    others: list[str] = []
    origins: Fields | None = None


class Gap(BaseModel):
    what: str
    where: list[Id]


class Trace(BaseModel):
    """What a commit is made of."""

    schema_version: Version
    id: Id
    kind: Kind
    name: str
    generation: int
    tainted: list[TaintMark]
    distance: Fields | None
    weakest: Fields | None
    made_of: list[Fields]
    inherited: list[Fields]
    together: Fields | None
    gaps: list[Gap]
    ancestry: list[Fields]


class Impact(BaseModel):
    """What came of a commit."""

    schema_version: Version
    source: Fields
    unit: Literal["records", "tokens"]
    count: int
    kinds: dict[str, int]
    turns: int
    branches: list[Fields]
    tags: dict[str, Id]
    reached: list[Fields]
    measurements: int
    measured: list[Fields]
    copies: list[Fields]
    ranges: list[Fields]


class Plan(BaseModel):
    """What to make again once a commit is replaced."""

    schema_version: Version
    source: Fields
    loops: list[Fields]
    count: int
    steps: list[Fields]


class Name(BaseModel):
    name: str
    id: Id
    git: Git
    kind: Kind


class Branch(Name):
    head: bool
    protected: bool


class Refs(BaseModel):
    schema_version: Version
    branches: list[Branch]
    tags: list[Name]


class Ref(Name):
    schema_version: Version
    head: bool | None = None
    protected: bool | None = None


class Step(BaseModel):
    """One commit of a branch; what is not measured is null."""

    id: Id
    git: Git
    kind: Kind
    name: str
    number: int
    time: Time
    value: float | None
    definition: str | None
    version: int | None
    direction: str | None
    n: int | None
    interval: list[float] | None
    of: Id | None
    event: Id | None
    since: Id | None
    delta: float | None
    verdict: str | None


class Course(BaseModel):
    branch: str
    steps: list[Step]


class History(BaseModel):
    schema_version: Version
    metric: str
    branches: list[Course]


class Taint(BaseModel):
    event: Id
    subject: Id
    kind: Kind
    name: str
    reason: str
    records: int | None
    time: Time
    author: str
    lifted: Fields | None
    reached: int


class Taints(BaseModel):
    schema_version: Version
    taints: list[Taint]


class Review(BaseModel):
    subject: Id
    loop: str
    generation: int
    on: str
    why: str
    time: Time
    event: Id
    approvals: int
    approved_by: list[str]
    state: str


class Reviews(BaseModel):
    schema_version: Version
    reviews: list[Review]


class ReviewShown(BaseModel):
    """What there is to decide on."""

    schema_version: Version
    subject: Id
    loop: str
    generation: int
    packet: str | None
    waiting: Fields | None
    decided: Fields | None
    datasets: dict[str, Id | None]
    records: dict[str, int]
    loss: str | None
    samples: list[Fields]
    measures: list[Fields]
    gates: list[Fields]


class Loop(BaseModel):
    name: str
    branch: str
    state: str
    why: str | None
    subject: str | None
    generation: int | None
    head: Id | None
    budgets: dict[str, Fields]
    overrides: list[Fields]
    reviews: Fields | None
    filter: Fields | None
    generations: list[Fields]


class Loops(BaseModel):
    schema_version: Version
    loops: list[Loop]


class OneLoop(Loop):
    schema_version: Version


class Verified(BaseModel):
    """What is not as it was recorded."""

    schema_version: Version
    checked: int
    problems: list[Fields]
    notes: list[str]
    since: Fields | None
