"""Finding commits by what they are, say and measure; the index answers.

Conditions are written ``perplexity < 30`` and ``optimiser.name = adamw``: a name, one
of ``< <= > >= = !=``, a value. A metric's value is a number. A parameter's value is a
number, true, false, null, text in double quotes, or else text as it stands; its name is
a dotted path. A name with ``< > = !`` in it is written in double quotes.
"""

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import time
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import UsageError
from lineage.moments import moment_of
from lineage.store.canonical import SAFE_INTEGER, Json
from lineage.store.objects import check_kind

if TYPE_CHECKING:
    from lineage.repository import Repository
    from lineage.store.index_asking import Ask

_CONDITION = re.compile(
    r"(?s)(?P<name>\s*\"(?:[^\"\\]|\\.)*\"\s*|[^<>=!]*)"
    r"(?P<op><=|>=|!=|<|>|=)?(?P<value>.*)"
)
_EQUAL = ("=", "!=")
_FEW = 1000  # ids that are named to the index, not picked from its answer


class Misplaced(UsageError):
    """A condition that is wrong at one place, where something else was expected."""

    def __init__(self, text: str, what: str, at: int, expected: str) -> None:
        message = f"the {what} condition {text!r} is wrong at character {at + 1}"
        hint = "write NAME OP VALUE"
        super().__init__(f"{message}: expected {expected}", hint=hint)
        self.at = at
        self.expected = expected


class Condition(NamedTuple):
    """What a metric or parameter must be."""

    name: str
    op: str
    value: Json


@dataclass(frozen=True)
class Filters:
    """What a commit must be to be found; everything that is given must hold.

    `name` is a glob, `author` a part of "name <email>" and `message` a part of the
    message, in any case; `metrics` and `params` are conditions as above,
    `generations` the lowest and highest, None where there is no end. `since` and
    `until` are dates or date-times of ISO 8601, both included, in UTC unless they say
    otherwise; they, author and message speak of the first event of a commit.

    Raises:
        UsageError: at once, for anything that makes no sense.
    """

    kind: str | None = None
    name: str | None = None
    metrics: tuple[str | Condition, ...] = ()
    params: tuple[str | Condition, ...] = ()
    author: str | None = None
    since: str | None = None
    until: str | None = None
    message: str | None = None
    generations: tuple[int | None, int | None] = (None, None)

    def __post_init__(self) -> None:
        if self.kind is not None:
            check_kind(self.kind)
        self.question()

    def __bool__(self) -> bool:
        """Whether anything is given."""
        return self != Filters()

    @property
    def of_values(self) -> bool:
        """Whether more than the kind is given: then the index has to be asked."""
        return bool(replace(self, kind=None))

    def question(self) -> dict[str, Any]:
        """The part of these filters that the index answers."""
        return {
            "kind": self.kind,
            "metrics": [_read(each, metric_condition) for each in self.metrics],
            "params": [_read(each, param_condition) for each in self.params],
            "generations": self.generations,
            "since": self.since and moment_of(self.since, time.min),
            "until": self.until and moment_of(self.until, time.max),
        }

    def accepts(self, name: str, author: str, message: str = "") -> bool:
        """The part of these filters that the index leaves to us."""
        if self.name is not None and not fnmatchcase(name, self.name):
            return False
        return _within(self.author, author) and _within(self.message, message)


def _within(part: str | None, text: str) -> bool:
    return not part or part.casefold() in text.casefold()


def search(
    registry: "Repository",
    filters: Filters,
    *,
    starts: Iterable[str] | None = None,
    among: AbstractSet[str] | None = None,
    limit: int | None = None,
) -> list[str]:
    """The ids of the commits that `filters` accepts, newest first, at most `limit`.

    With `starts` (ids) only these commits and what they came from are searched, with
    `among` only these.
    """
    from lineage.indexing import by_then, index_of
    from lineage.store.index_query import matching

    reachable = None if starts is None else list(starts)
    few = among if among is not None and len(among) <= _FEW else None
    asked, conditions = filters.question(), []
    if _was_measured(registry):
        conditions, asked["metrics"] = asked["metrics"], []

    def question(ask: "Ask") -> list[str]:
        rows = matching(ask, starts=reachable, among=few, **asked)
        right = (row for row in rows if filters.accepts(*row[1:]))
        found: Iterator[str] = (row.id for row in right)
        if among is not None:
            found = (id_ for id_ in found if id_ in among)
        found = by_then(registry, found)
        if conditions:
            found = (id_ for id_ in found if _measured(registry, id_, conditions))
        return list(islice(found, limit))

    with index_of(registry) as index:
        return index.read(question)


def _was_measured(registry: "Repository") -> bool:
    """Whether it is as it was, and its commits may have been measured since."""
    from lineage.noted import noted
    from lineage.statements import Statements
    from lineage.store.attested import METRICS

    if registry.events_log.at is None:
        return False
    return bool(noted(registry, Statements).said.get(METRICS))


def _measured(
    registry: "Repository", id_: str, conditions: Iterable[Condition]
) -> bool:
    """Whether a commit met the conditions by what was known of it then."""
    from lineage.measured import metrics
    from lineage.store.index_query import COMPARE

    found = metrics(registry, id_)
    return all(
        name in found and COMPARE[op](found[name].value, value)
        for name, op, value in conditions
    )


def children(
    registry: "Repository", ids: Iterable[str], roles: Collection[str] | None = None
) -> set[str]:
    """The commits that name one of `ids`, along edges of `roles` (None: of any)."""
    from lineage.indexing import by_then, index_of
    from lineage.store.index_query import naming

    asked = list(ids)
    with index_of(registry) as index:
        found = index.read(lambda ask: naming(ask, asked, roles))
    return {*by_then(registry, found)}


def _read(given: str | Condition, read: Callable[[str], Condition]) -> Condition:
    return given if isinstance(given, Condition) else read(given)


def bare_name(text: str) -> str | None:
    """The name that `text` is, if it is no condition; quotes around it do not count."""
    found = _CONDITION.fullmatch(text)
    is_name = found and not found["op"] and not found["value"]
    return _unquoted(text.strip()) if is_name else None


def metric_condition(text: str) -> Condition:
    """Read ``perplexity < 30``."""
    name, op, value, at = _parts(text, "metric")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Misplaced(text, "metric", at, "a number")
    return Condition(name, op, number)


def param_condition(text: str) -> Condition:
    """Read ``learning_rate = 0.002`` or ``optimiser.name = adamw``."""
    name, op, value, at = _parts(text, "parameter")
    typed = _typed(value)
    is_number = isinstance(typed, int | float) and not isinstance(typed, bool)
    if op not in _EQUAL and not is_number:
        raise Misplaced(text, "parameter", at, f"a number after {op}")
    return Condition(name, op, typed)


def _parts(text: str, what: str) -> tuple[str, str, str, int]:
    """Name, operator and value of a condition, and where the value starts."""
    found = _CONDITION.fullmatch(text)
    assert found is not None
    name, value = _unquoted(found["name"].strip()), found["value"].strip()
    if not name:
        raise Misplaced(text, what, 0, f"the name of a {what}")
    if not found["op"]:
        raise Misplaced(text, what, found.end("name"), "one of < <= > >= = !=")
    at = len(text) - len(found["value"].lstrip())
    if not value or value[0] in "<>=!":
        raise Misplaced(text, what, at, "a value")
    return name, found["op"], value, at


def _unquoted(name: str) -> str:
    """A name without the double quotes around it; a backslash takes the next."""
    if len(name) > 1 and name[0] == name[-1] == '"':
        return re.sub(r"(?s)\\(.)", r"\1", name[1:-1])
    return name


def _typed(value: str) -> Json:
    """A value as parameters hold it: JSON where it is JSON, else the text itself."""
    try:
        found: Json = json.loads(value, parse_int=_integer, parse_constant=str)
    except (ValueError, RecursionError):
        return value
    return found


def _integer(digits: str) -> int | str:
    """An integer, or its digits where manifests hold it as text."""
    value = int(digits)
    return value if abs(value) <= SAFE_INTEGER else digits
