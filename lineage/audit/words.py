"""Values of a report in the words of its page."""

import json
from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any

from lineage.audit import text
from lineage.audit.model import (
    Artifact,
    Hops,
    MadeOf,
    Measure,
    Measurement,
    Portion,
    Source,
    Statement,
)
from lineage.loop.measuring.definitions import MEASURES
from lineage.wording import against, is_number, plural, size

FEW = 12  # items of a list that the page has; the JSON form has all


def found(said: Statement) -> list[tuple[str, str]]:
    """What an event says was measured of a commit, or found out about its edges."""
    if said.type == "metrics":
        given = said.data.get("metrics")
        pairs = given.items() if isinstance(given, dict) else ()
        return [(str(name), _measured(metric)) for name, metric in pairs]
    if said.type == "evidence":
        edges = said.data.get("edges")
        listed = edges if isinstance(edges, list) else []
        told = (edge for edge in listed if isinstance(edge, dict))
        return [(value(edge.get("role")), value(edge.get("grade"))) for edge in told]
    return []


def _measured(metric: object) -> str:
    if metric is None:
        return "withdrawn"
    return amount(metric.get("value")) if isinstance(metric, dict) else value(metric)


def value(data: object) -> str:
    """A JSON value as text, exactly."""
    return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)


def answer(data: object) -> str:
    """A fact that answers a question: a mapping or a list as text, name by name."""
    if isinstance(data, Mapping):
        return "; ".join(f"{name} {said}" for name, said in flat(data)) or "none"
    if isinstance(data, list | tuple):
        few = ", ".join(answer(item) for item in data[:FEW])
        return f"{few} and {len(data) - FEW:,} more" if len(data) > FEW else few
    return amount(data)


def amount(data: object) -> str:
    """A number for reading; any other JSON value as text."""
    return text.number(data) if is_number(data) else value(data)


def flat(data: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A mapping as (dotted name, text)."""
    found: list[tuple[str, str]] = []
    for key, item in data.items():
        inner = isinstance(item, dict) and item
        named = f"{prefix}{key}"
        found += flat(item, f"{named}.") if inner else [(named, value(item))]
    return found


def circumstances(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Like `flat`, without the environment, and long parts only counted."""
    found: list[tuple[str, str]] = []
    for key, item in data.items():
        if key != "environment" or not isinstance(item, dict):
            inner = flat({key: item})
            long = f"{len(inner)} values, listed in the JSON form of this report"
            found += inner if len(inner) <= FEW else [(key, long)]
    return found


def name(person: str) -> str:
    """A person without the address."""
    return person.partition(" <")[0]


def portion(found: Portion) -> str:
    """A share in percent."""
    return text.percent(found.share)


def made(of: MadeOf) -> str:
    """What data are made of: 25 % human, 75 % machine."""
    parts = (("human", of.human), ("machine", of.machine), ("unknown", of.unknown))
    return ", ".join(f"{portion(p)} {name}" for name, p in parts if p.share)


def hops(found: Hops) -> str:
    """How often a model wrote on the way from human data: no model, 0 to 2 models."""
    if found.longest == 0:
        return "no model"
    if found.shortest == found.longest:
        said = plural(found.longest, "model")
    else:
        said = f"{found.shortest:,} to {found.longest:,} models"
    return said if found.certain else f"{said}, not counted exactly"


def change(start: float, now: float) -> str:
    """A change in percent of the start; plainly where that is zero."""
    if start == now:
        return "unchanged"
    sign = "+" if now > start else "-"
    if start == 0:
        return f"{sign}{text.number(abs(now), 3)}"
    return f"{sign}{text.percent(abs(now - start) / abs(start))}"


def files(made: Artifact, *, whole: bool = False) -> str:
    """What is known of a commit's files; with their root when `whole`."""
    held = made.bytes.value
    if not held:
        return "not provided"
    if held["state"] == "no files":
        return "none"
    if held["state"] == "elsewhere":
        told = ", ".join(f"{k} {value(v)}" for k, v in held.items() if k != "state")
        return f"elsewhere, not in this registry: {told}" if whole else "elsewhere"
    count, state = plural(held["count"], "file"), held.get("told", held["state"])  # type: ignore[arg-type]
    if not whole:
        return f"{count}, {size(held['size'])}, {state}"  # type: ignore[arg-type]
    return f"{count}, {text.size(held['size'])}, {state}; root {held['root']}"  # type: ignore[arg-type]


def speaker(said: Statement) -> str:
    """Whom a statement names as its author, and who made the event if another."""
    author, recorder = said.data.get("by"), name(said.by)
    if not author or author == recorder:
        return recorder
    return f"{value(author)}, recorded by {recorder}"


def verdict(said: Statement) -> str:
    """A review's verdict, empty for other statements."""
    return value(said.data.get("verdict") or "")


def by_origin(counts: Mapping[str, int]) -> str:
    """Records by origin: 1,000 human, 2,000 machine."""
    return ", ".join(f"{counts[name]:,} {name}" for name in sorted(counts))


def better(metric: Measure | Measurement) -> str:
    """Which way is better; empty where nobody said and lineage does not know."""
    meant = MEASURES.get(metric.definition or "")
    known = meant is not None and meant.version == metric.version
    return metric.direction or ("neither" if known else "")


def bounds(limits: Mapping[str, Any]) -> str:
    """What a gate allows: 0.8 to 1.25, at least 0.5."""
    low, high = limits.get("min"), limits.get("max")
    if low is not None and high is not None:
        return f"{amount(low)} to {amount(high)}"
    if low is not None:
        return f"at least {amount(low)}"
    return f"at most {amount(high)}" if high is not None else ""


def judged(found: object, limits: Mapping[str, Any]) -> tuple[str, str]:
    """A gate's value and what it allows, which look alike where they are the same."""
    if not is_number(found):
        return "" if found is None else amount(found), bounds(limits)
    shown, ends = against(found, limits, text.DIGITS)
    return shown, bounds({**limits, **ends})


def by_role(sources: Iterable[Source]) -> list[tuple[str, list[Source], int]]:
    """Edges role by role: the role, the first few, how many more there are."""
    groups = ((role, list(some)) for role, some in groupby(sources, attrgetter("role")))
    return [(role, some[:FEW], len(some[FEW:])) for role, some in groups]
