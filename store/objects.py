"""The format's one definition: commits, edges, files and events as values.

A `Commit` is immutable and describes one artifact and what it came from; its id
is the SHA-256 of its manifest. An `Event` says who changed the registry, when
and why. FORMAT.md says the same in words, with test vectors.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, Self

from lineage.errors import UsageError, VerificationError
from lineage.store.canonical import (
    SAFE_INTEGER,
    Json,
    canonical,
    digest,
    malformed,
    normalise,
    parse,
)
from lineage.store.event_fields import check_event
from lineage.store.fields import choice, given, known_fields
from lineage.store.files import FileEntry, Payload
from lineage.store.metric import Metric

__all__ = [
    "Commit",
    "Edge",
    "Event",
    "FileEntry",
    "Metric",
    "Payload",
    "RefChange",
]

SCHEMA = "lineage/1"
KINDS = ("config", "dataset", "model", "generation")
ROLES = (
    "trained_on",
    "fine_tuned_from",
    "generated_by",
    "derived_from",
    "selected_by",
    "rewarded_by",
    "distilled_from",
    "merged_from",
    "quantized_from",
    "configured_by",
    "evaluated_on",
    "includes",
    "follows",
    "revises",
)
BACK = ("follows", "revises")  # what was before it; the first git parents, in order
EVIDENCE = ("declared", "observed")
ORIGINS = ("human", "machine", "mixed", "unknown")

_ID = re.compile(r"[0-9a-f]{64}\Z")
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f]+\Z")  # no control characters


def check_kind(kind: str) -> None:
    """Refuse what is not a kind of commit."""
    choice(kind, KINDS, "a kind of commit")


def is_id(text: str) -> bool:
    """Whether `text` has the form of a commit id."""
    return _ID.match(text) is not None


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """A typed arrow from a commit to one that it came from.

    `share` says how much of the child came along it, as exact pairs:
    ``{"records": [a, b]}`` means a of the child's b records (likewise "tokens").
    """

    role: str
    id: str
    evidence: str = field(default="declared", compare=False)
    share: Mapping[str, list[int]] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        choice(self.role, ROLES, "a role")
        choice(self.evidence, EVIDENCE, "a grade of evidence")
        if not is_id(self.id):
            raise UsageError(f"{self.id!r} is not a commit id")
        for unit, pair in (self.share or {}).items():
            _check_share(unit, pair)

    def to_json(self) -> dict[str, Json]:
        share = normalise(self.share or None, "share")
        return given(role=self.role, id=self.id, evidence=self.evidence, share=share)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(data["role"], data["id"], data["evidence"], data.get("share"))


def _check_share(unit: str, pair: object) -> None:
    match pair:
        case [int(part), int(whole)] if 0 <= part <= whole <= SAFE_INTEGER and whole:
            return
    message = f"the share {unit}={pair!r} is not a pair of counts a of b, a <= b"
    raise UsageError(message, hint="write it as share=1250/2500")


_FIELDS = (
    "schema",
    "kind",
    "name",
    "edges",
    "payload",
    "params",
    "metrics",
    "origin",
    "code",
    "external",
    "gates",
)


@dataclass(frozen=True)
class Commit:
    """An immutable description of one artifact and what it came from.

    Nothing in it depends on who made it, when or where, so the same content has
    the same id everywhere. `extra` keeps fields that this version does not know.
    """

    kind: str
    name: str
    edges: tuple[Edge, ...] = ()
    payload: Payload | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    origin: Mapping[str, Any] | None = None
    code: Mapping[str, Any] | None = None
    external: Mapping[str, Any] | None = None
    gates: list[dict[str, Any]] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_kind(self.kind)
        self._check_forms()
        if not _NAME.match(self.name):
            raise UsageError(f"{self.name!r} is empty or does not print")
        object.__setattr__(self, "params", normalise(self.params, "params"))
        object.__setattr__(self, "edges", tuple(sorted(self.edges)))
        for first, second in zip(self.edges, self.edges[1:], strict=False):
            if first == second:
                message = f"two edges {first.role} lead to {first.id[:12]}"
                raise UsageError(message, hint="give each edge once")
        if self.origin is not None:
            choice(str(self.origin.get("type")), ORIGINS, "an origin")

    def _check_forms(self) -> None:
        """Refuse fields of a form that no reader expects."""
        if not isinstance(self.name, str):
            raise UsageError(f"a name is text, not {self.name!r}")
        for field_ in ("origin", "code", "external"):
            value = getattr(self, field_)
            if not isinstance(value, Mapping | None):
                raise UsageError(f"{field_} maps names to values, not {value!r}")
        if self.external and not isinstance(self.external.get("uri"), str):
            raise UsageError("what is external has a uri")
        gates = self.gates or []
        if not all(isinstance(gate, Mapping) for gate in gates):
            raise UsageError("gates are a list of verdicts, each a mapping")
        if not all(isinstance(edge, Edge) for edge in self.edges):
            raise UsageError("edges are a list of Edge")

    @property
    def stored(self) -> Payload | None:
        """The payload, where its bytes were stored and not only hashed."""
        return self.payload if self.payload and self.payload.stored else None

    def to_json(self) -> dict[str, Json]:
        """The manifest as plain data; empty fields are left out."""
        fields: dict[str, Any] = {
            "edges": [edge.to_json() for edge in self.edges],
            "payload": self.payload and self.payload.to_json(),
            "params": self.params,
            "metrics": {k: metric.to_json() for k, metric in self.metrics.items()},
            "origin": self.origin,
            "code": self.code,
            "external": self.external,
            "gates": self.gates,
        }
        fields = {key: value for key, value in fields.items() if value}
        known = {"schema": SCHEMA, "kind": self.kind, "name": self.name}
        whole = {**self.extra, **known, **fields}
        return {key: normalise(value, key) for key, value in whole.items()}

    @cached_property
    def manifest(self) -> bytes:
        """The canonical bytes of lineage.json."""
        return canonical(self.to_json())

    @cached_property
    def id(self) -> str:
        """SHA-256 of the manifest."""
        return digest(self.manifest)

    def ids(self, *roles: str) -> tuple[str, ...]:
        """The commits that this one points to along `roles` (all, if none given)."""
        return tuple(e.id for e in self.edges if not roles or e.role in roles)

    def without(self, role: str) -> "Commit":
        """This commit without its edges of one role."""
        edges = tuple(edge for edge in self.edges if edge.role != role)
        return replace(self, edges=edges)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a manifest; its bytes, and fields unknown here, are kept as they are.

        Raises:
            VerificationError: when it is no manifest of a known schema, or not in
                its canonical form.
        """
        fields = _parse(data, "a manifest")
        with malformed("a manifest"):
            commit = cls._from_json(fields)
        commit.__dict__["manifest"] = data
        return commit

    @classmethod
    def _from_json(cls, data: dict[str, Any]) -> Self:
        payload, metrics = data.get("payload"), data.get("metrics", {})
        return cls(
            kind=data["kind"],
            name=data["name"],
            edges=tuple(Edge.from_json(edge) for edge in data.get("edges", ())),
            payload=Payload.from_json(payload) if payload else None,
            params=data.get("params", {}),
            metrics={name: Metric.from_json(m) for name, m in metrics.items()},
            origin=data.get("origin"),
            code=data.get("code"),
            external=data.get("external"),
            gates=data.get("gates"),
            extra={key: value for key, value in data.items() if key not in _FIELDS},
        )


class RefChange(NamedTuple):
    """One ref's move: ``heads/…``, ``tags/…`` or ``runs/…``, ids before and after."""

    ref: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Event:
    """One entry of the append-only log: who did what to the registry, when and why.

    `prev` are the ids of the events before it, `refs` what moved, `commits` the
    (id, git oid) pairs that came with it, `subject` the commit that it speaks of,
    `data` its circumstances or the statement that it makes.
    """

    type: str
    time: str
    actor: Mapping[str, str]
    message: str = ""
    prev: tuple[str, ...] = ()
    refs: tuple[RefChange, ...] = ()
    commits: tuple[tuple[str, str], ...] = ()
    subject: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """The event as plain data, as event.json holds it; empty fields left out."""
        optional: dict[str, Any] = {
            "message": self.message,
            "prev": self.prev,
            "refs": [change._asdict() for change in self.refs],
            "commits": [{"id": id_, "git": git} for id_, git in self.commits],
            "subject": self.subject,
            "data": self.data,
        }
        fixed = {"schema": SCHEMA, "type": self.type, "time": self.time}
        given = {key: value for key, value in optional.items() if value}
        whole = {**self.extra, **fixed, "actor": self.actor, **given}
        return {key: normalise(value, key) for key, value in whole.items()}

    @cached_property
    def encoded(self) -> bytes:
        """The canonical bytes of event.json."""
        return canonical(self.to_json())

    @cached_property
    def id(self) -> str:
        """SHA-256 of event.json."""
        return digest(self.encoded)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read event.json; its bytes, and fields unknown here, are kept as they are.

        Raises:
            VerificationError: when it is no event of a known schema, or not in its
                canonical form.
        """
        fields = _parse(data, "an event")
        with malformed("an event"):
            check_event(fields)
            event = cls._from_json(fields)
        event.__dict__["encoded"] = data
        return event

    @classmethod
    def _from_json(cls, data: dict[str, Any]) -> Self:
        known = known_fields(cls, data)
        known.pop("extra", None)
        refs = data.get("refs", ())
        known["refs"] = tuple(RefChange(**known_fields(RefChange, r)) for r in refs)
        known["commits"] = tuple((c["id"], c["git"]) for c in data.get("commits", ()))
        known["prev"] = tuple(data.get("prev", ()))
        unknown = {k: v for k, v in data.items() if k not in {"schema", *known}}
        return cls(**known, extra=unknown)


def _parse(data: bytes, what: str) -> dict[str, Any]:
    """Decode a manifest or an event of this schema."""
    fields = parse(data, what)
    found = fields.get("schema") if isinstance(fields, dict) else None
    if found != SCHEMA:
        message = f"{what} has the schema {found!r}, not {SCHEMA!r}"
        raise VerificationError(message, hint="upgrade lineage to read it")
    return dict(fields)
