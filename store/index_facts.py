"""The rows of single events and commits, as plain data, before they are written."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeGuard

from lineage.store.canonical import Json, canonical, digest
from lineage.store.event_reading import Logged
from lineage.store.files import parse_file_list
from lineage.store.generations import generation
from lineage.store.objects import Commit, Edge

LONGEST = 500  # characters of a text that PostgreSQL is to find by its index

Fields = dict[str, Any]


class New(NamedTuple):
    """A commit that came with an event, by the event's number."""

    id: str
    git: str
    event: int


class Read(NamedTuple):
    """A commit as its manifest has it, with its number among all."""

    number: int
    new: New
    commit: Commit


class Known(NamedTuple):
    """What later commits need of one that has rows."""

    number: int
    generation: int


ABSENT = Known(-1, 0)


def event_row(number: int, logged: Logged) -> Fields:
    event = logged.event
    return {
        "number": number,
        "id": event.id,
        "git": logged.git,
        "type": stored(event.type, LONGEST),
        "time": event.time,
        "name": stored(event.actor.get("name", "")),
        "email": stored(event.actor.get("email", "")),
        "message": stored(event.message),
        "subject": event.subject,
    }


def commit_row(item: Read, found: dict[str, Known]) -> Fields:
    """The row of a commit, which joins those that later ones may lead to."""
    edges, origin = item.commit.edges, item.commit.origin
    turns = generation(edges, lambda id_: found.get(id_, ABSENT).generation)
    found[item.new.id] = Known(item.number, turns)
    return {
        "number": item.number,
        "id": item.new.id,
        "git": item.new.git,
        "kind": item.commit.kind,
        "name": stored(item.commit.name, LONGEST),
        "generation": turns,
        "origin": str(origin["type"]) if origin else None,
    }


def edge_rows(item: Read, found: Mapping[str, Known]) -> Iterator[Fields]:
    for edge in item.commit.edges:
        if edge.id not in found:  # `verify` reports it
            continue
        yield {
            "child": item.number,
            "role": edge.role,
            "parent": found[edge.id].number,
            "evidence": edge.evidence,
            **_share(edge, "records"),
            **_share(edge, "tokens"),
        }


def _share(edge: Edge, unit: str) -> Fields:
    part, whole = (edge.share or {}).get(unit) or (None, None)
    return {f"{unit}_part": part, f"{unit}_whole": whole}


def metric_rows(item: Read, _: object) -> Iterator[Fields]:
    for name, metric in item.commit.metrics.items():
        value = float(metric.value)
        yield {
            "commit": item.number,
            "name": stored(name, LONGEST),
            "value": value,
        }


def param_rows(item: Read, _: object) -> Iterator[Fields]:
    commit = item.commit
    found = flatten(dict(commit.params)) if commit.params else ()
    for position, (path, value) in enumerate(found):
        yield {
            "commit": item.number,
            "position": position,
            "path": stored(path, LONGEST),
            "text": written(value),
            "number": float(value) if is_number(value) else None,
        }


def file_rows(item: Read, listed: bytes) -> list[Fields]:
    entries = [entry for entry in parse_file_list(listed) if not entry.is_directory]
    return [
        {"commit": item.number, "position": position, **entry._asdict()}
        for position, entry in enumerate(entries)
    ]


def stored(text: str, longest: int | None = None) -> str:
    """A text as every database can hold it: without NUL, and where asked, not longer.

    What had to change ends with the SHA-256 of all of it, so that no two texts that
    differ become one.
    """
    if "\0" not in text and (longest is None or len(text) <= longest):
        return text
    return f"{text[:longest]}\u2026{digest(text.encode())}".replace("\0", "\ufffd")


def written(value: Json) -> str:
    """A single value as rows hold it: a string as it is, anything else as JSON."""
    return stored(value if isinstance(value, str) else canonical(value).decode())


def is_number(value: Json) -> TypeGuard[float]:
    """Whether a single value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def flatten(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Each single value inside `value` with its dotted path.

    >>> dict(flatten({"optimiser": {"betas": [0.9, 0.95]}}))
    {'optimiser.betas.0': 0.9, 'optimiser.betas.1': 0.95}
    """
    items: Iterable[tuple[Any, Json]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = list(enumerate(value))
    if not items:
        yield path, value
    for key, item in items:
        yield from flatten(item, f"{path}.{key}" if path else str(key))
