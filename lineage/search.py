"""Finding commits by what they are, say and measure; the index answers.

Conditions are written ``perplexity < 30`` and ``optimiser.name = adamw``: a name, one
of ``< <= > >= = !=``, a value. A metric's value is a number. A parameter's value is a
number, true, false, null, text in double quotes, or else text as it stands; its name is
a dotted path.
"""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import UsageError
from lineage.moments import moment_of
from lineage.store.canonical import SAFE_INTEGER, Json
from lineage.store.objects import KINDS

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.store.index import Ask

_CONDITION = re.compile(r"(?s)(?P<name>[^<>=!]*)(?P<op><=|>=|!=|<|>|=)?(?P<value>.*)")
_EQUAL = ("=", "!=")


class Condition(NamedTuple):
    """What a metric or parameter must be."""

    name: str
    op: str
    value: Json


@dataclass(frozen=True)
class Filters:
    """What a commit must be to be found; everything that is given must hold.

    `name` is a glob, `author` a part of "name <email>" in any case, `metrics` and
    `params` are conditions as above. `since` and `until` are dates or date-times of
    ISO 8601, both included, in UTC unless they say otherwise; they speak of the
    first event of a commit.

    Raises:
        UsageError: at once, for anything that makes no sense.
    """

    kind: str | None = None
    name: str | None = None
    metrics: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    author: str | None = None
    since: str | None = None
    until: str | None = None

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in KINDS:
            hint = "one of: " + ", ".join(KINDS)
            raise UsageError(f"{self.kind!r} is not a kind of commit", hint=hint)
        self.question()

    def question(self) -> dict[str, Any]:
        """The part of these filters that the index answers."""
        return {
            "kind": self.kind,
            "metrics": [metric_condition(text) for text in self.metrics],
            "params": [param_condition(text) for text in self.params],
            "since": self.since and moment_of(self.since, time.min),
            "until": self.until and moment_of(self.until, time.max),
        }

    def accepts(self, name: str, author: str) -> bool:
        """The part of these filters that the index leaves to us."""
        if self.name is not None and not fnmatchcase(name, self.name):
            return False
        return not self.author or self.author.casefold() in author.casefold()


def search(
    registry: "Registry",
    filters: Filters,
    *,
    starts: Iterable[str] | None = None,
    limit: int | None = None,
) -> list[str]:
    """The ids of the commits that `filters` accepts, newest first, at most `limit`.

    With `starts` (ids) only these commits and what they came from are searched.
    """
    from lineage.indexing import index_of
    from lineage.store.index_query import matching

    reachable = None if starts is None else list(starts)

    def question(ask: "Ask") -> list[str]:
        rows = matching(ask, starts=reachable, **filters.question())
        found = (row.id for row in rows if filters.accepts(row.name, row.author))
        if registry.events_log.at:  # the rows are of now
            found = (id_ for id_ in found if registry.ids.find(id_))
        return list(islice(found, limit))

    with index_of(registry) as index:
        return index.read(question)


def metric_condition(text: str) -> Condition:
    """Read ``perplexity < 30``."""
    name, op, value, at = _parts(text, "metric")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _misplaced(text, "metric", at, "a number")
    return Condition(name, op, number)


def param_condition(text: str) -> Condition:
    """Read ``learning_rate = 0.002`` or ``optimiser.name = adamw``."""
    name, op, value, at = _parts(text, "parameter")
    typed = _typed(value)
    is_number = isinstance(typed, int | float) and not isinstance(typed, bool)
    if op not in _EQUAL and not is_number:
        raise _misplaced(text, "parameter", at, f"a number after {op}")
    return Condition(name, op, typed)


def _parts(text: str, what: str) -> tuple[str, str, str, int]:
    """Name, operator and value of a condition, and where the value starts."""
    found = _CONDITION.fullmatch(text)
    assert found is not None
    name, value = found["name"].strip(), found["value"].strip()
    if not name:
        raise _misplaced(text, what, 0, f"the name of a {what}")
    if not found["op"]:
        raise _misplaced(text, what, found.end("name"), "one of < <= > >= = !=")
    at = len(text) - len(found["value"].lstrip())
    if not value or value[0] in "<>=!":
        raise _misplaced(text, what, at, "a value")
    return name, found["op"], value, at


def _misplaced(text: str, what: str, at: int, expected: str) -> UsageError:
    message = f"the {what} condition {text!r} is wrong at character {at + 1}"
    return UsageError(f"{message}: expected {expected}", hint="write NAME OP VALUE")


def _typed(value: str) -> Json:
    """A value as parameters hold it: JSON where it is JSON, else the text itself."""
    try:
        found: Json = json.loads(value, parse_int=_integer, parse_constant=str)
    except ValueError:
        return value
    return found


def _integer(digits: str) -> int | str:
    """An integer, or its digits where manifests hold it as text."""
    value = int(digits)
    return value if abs(value) <= SAFE_INTEGER else digits
