"""The JSON shapes: what docs/json.md describes and every format starts from."""

from typing import TYPE_CHECKING, Any

from lineage.store.canonical import SAFE_INTEGER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from fractions import Fraction

    from lineage.history import Entry
    from lineage.loop.reviews.labels import Audited
    from lineage.recording import Committed
    from lineage.registry import Registry
    from lineage.store.event_reading import Logged
    from lineage.store.files import FileEntry
    from lineage.store.objects import Edge, Event, Metric

Json = dict[str, Any]
_SCHEMA_VERSION = 1
_LONGEST = 1000  # bits of a fraction's parts that are written out


def versioned(data: "Mapping[str, Any]") -> Json:
    """A whole document: `data` with the version of its shape."""
    return {"schema_version": _SCHEMA_VERSION, **data}


def share(low: "Fraction", high: "Fraction") -> Json:
    """A fraction that lies between two, as numbers and exactly."""
    return {
        "low": float(low),
        "high": float(high),
        "exact": [exact(low), exact(high)],
    }


def exact(value: "Fraction") -> list[int | str] | None:
    """A fraction as two whole numbers; text where JSON readers would round them.

    None where that would be longer than anybody reads.
    """
    if value.denominator.bit_length() > _LONGEST:
        return None
    pair = (value.numerator, value.denominator)
    return [n if n <= SAFE_INTEGER else str(n) for n in pair]


def author(actor: Any) -> str:
    """Who acted, as git writes it."""
    return "{name} <{email}>".format(**actor)


def named(registry: "Registry", id_: str) -> Json:
    """A commit by its ids, kind and name."""
    commit = registry.load(id_)
    git = registry.git_oid(id_)
    return {"id": id_, "git": git, "kind": commit.kind, "name": commit.name}


def committed(made: "Committed") -> Json:
    """What `commit` prints."""
    return {
        "id": made.id,
        "git": made.git,
        "kind": made.kind,
        "name": made.name,
        "branch": made.branch,
        "created": made.created,
    }


def entry(found: "Entry") -> Json:
    """One commit of `log`."""
    commit = found.commit
    return {
        "id": found.id,
        "git": found.git,
        "kind": commit.kind,
        "name": commit.name,
        "time": found.time,
        "author": author(found.author),
        "message": found.message,
        "edges": [_edge(edge) for edge in commit.edges],
        "metrics": {name: metric.value for name, metric in found.metrics.items()},
        "params": dict(commit.params),
        "branches": list(found.branches),
        "tags": list(found.tags),
        "live": list(found.live),
        "generation": found.generation,
    }


def logged(registry: "Registry", entries: "Iterable[Entry]") -> "Iterator[Json]":
    """The commits of `log`, with the taints that reached them."""
    from lineage.shapes.tainted import marked
    from lineage.taints.marks import marks

    known = marks(registry)
    for found in entries:
        yield {**entry(found), "tainted": marked(known, found.id)}


def shown(registry: "Registry", found: "Entry") -> Json:
    """The one commit of `show`: all of its manifest, files and events."""
    commit = found.commit
    return {
        **entry(found),
        "edges": [_named_edge(registry, found.id, edge) for edge in commit.edges],
        "metrics": _measured(registry, found),
        "stated": _stated(registry, found.id),
        "releases": _released(registry, found.id),
        "payload": _payload(registry, found),
        "path": found.path,
        "origin": commit.origin,
        "code": commit.code,
        "external": commit.external,
        "gates": commit.gates,
        "extra": dict(commit.extra),
        "files": [file(item) for item in registry.files(found.id)],
    }


def _measured(registry: "Registry", found: "Entry") -> Json:
    """The metrics of a commit, each with the event that attested it, if one did."""
    from lineage.measured import attested

    later = attested(registry, found.id)
    events = {name: item.event.id for name, item in later.items()}
    return {
        name: {**metric_(metric), "event": events.get(name)}
        for name, metric in found.metrics.items()
    }


def _stated(registry: "Registry", id_: str) -> Json:
    """What people state of a commit, by field."""
    from lineage.stated import stated

    return {
        field: {
            "text": said.text,
            "event": said.event,
            "time": said.time,
            "author": author(said.by),
        }
        for field, said in stated(registry, id_).items()
    }


def _released(registry: "Registry", id_: str) -> list[Json]:
    """Where a commit was live, and when, the oldest first."""
    from lineage.releases import releases

    return [
        {
            "environment": one.environment,
            "since": one.since,
            "until": one.until,
            "author": author(one.by),
            "event": one.event,
            "ended": one.ended,
        }
        for one in releases(registry, subject=id_)
    ]


def metric_(metric: "Metric") -> Json:
    """A metric with what it needs to be compared; what is unknown is null."""
    return {name: getattr(metric, name) for name in metric.__match_args__}


FIGURES = ("keeps_right", "keeps_wrong", "error_rate", "break_down", "margin")


def audited(one: "Audited") -> Json:
    """What labels say of a loop's filter."""
    made = one.audit
    figures = {name: getattr(made, name) for name in FIGURES}
    return {
        "generation": one.generation,
        "state": made.state,
        "sentence": made.sentence,
        "labelled": one.labelled,
        "disputed": one.disputed,
        "chosen": one.chosen,
        "kept": made.kept._asdict(),
        "dropped": made.dropped._asdict(),
        **{name: value and value._asdict() for name, value in figures.items()},
    }


def _payload(registry: "Registry", found: "Entry") -> Json | None:
    """What the manifest says of the files, how many are away, and what packs save."""
    from lineage.needed import absent
    from lineage.packing.listing import share as packed

    payload = found.commit.payload
    if payload is None:
        return None
    fields: Json = {name: getattr(payload, name) for name in payload.__match_args__}
    away = {one.entry.md5 for one in absent(registry, [found.id])}
    files, erased = registry.files(found.id), registry.erased()
    fields["absent"] = sum(item.md5 in away for item in files)
    fields["erased"] = sum(item.sha256 in erased for item in files)
    fields["packed"], fields["packed_share"] = packed(registry, found.id)
    return fields


def _edge(edge: "Edge") -> Json:
    share = edge.share and {unit: list(pair) for unit, pair in edge.share.items()}
    return {
        "role": edge.role,
        "id": edge.id,
        "evidence": edge.evidence,
        "share": share or None,
    }


def _named_edge(registry: "Registry", child: str, edge: "Edge") -> Json:
    """An edge with what it leads to, and with how well it is known by now."""
    from lineage.evidence import grade

    parent = registry.load(edge.id)
    known = {"grade": grade(registry, child, edge)}
    return {**_edge(edge), "kind": parent.kind, "name": parent.name, **known}


def file(item: "FileEntry") -> Json:
    """One file of a payload."""
    return {
        "path": item.path,
        "mode": item.mode,
        "size": item.size,
        "sha256": item.sha256 or None,
        "md5": item.md5 or None,
    }


def event(id_: str, logged: "Event") -> Json:
    """One event of the log."""
    return {
        "id": id_,
        "type": logged.type,
        "time": logged.time,
        "author": author(logged.actor),
        "message": logged.message,
        "subject": logged.subject,
        "refs": [change._asdict() for change in logged.refs],
        "data": dict(logged.data),
    }


def whole_event(logged: "Logged") -> Json:
    """The one event of `events EVENT`: all that it says."""
    whole = logged.event
    return {
        **event(whole.id, whole),
        "git": logged.git,
        "prev": list(whole.prev),
        "commits": [{"id": id_, "git": git} for id_, git in whole.commits],
        "extra": dict(whole.extra),
    }
