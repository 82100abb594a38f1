"""From a tree to the commits that it means.

A `_Evaluation` answers each kind of node with a set of ids. What the index knows of a
commit is asked in one question for all such terms of a ``&``; names are looked up
first, walks come after, and nothing more is asked once a set is empty.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

from lineage.errors import LineageError, NotFound, Place, UsageError
from lineage.repository import Repository
from lineage.revisions import (
    Along,
    Reading,
    Revision,
    Step,
    along,
    commit_of,
    newest_first,
    only,
)
from lineage.revset.functions import FUNCTIONS, ONE, SET
from lineage.revset.meanings import MEANINGS, NEAR, Ids, everything
from lineage.revset.parser import parse
from lineage.revset.ranges import between
from lineage.revset.syntax import (
    Argument,
    Call,
    Complement,
    Meet,
    Node,
    Range,
    Stepped,
    Union,
    written,
)
from lineage.search import Condition, Filters, search
from lineage.store.objects import BACK

_ALIASES = "revset-aliases."
_FIELDS = {  # of Filters, by the function that asks for it
    "kind": "kind",
    "name": "name",
    "author": "author",
    "message": "message",
    "metric": "metrics",
    "param": "params",
    "generation": "generations",
    "since": "since",
    "until": "until",
}


def evaluate(registry: Repository, node: Node) -> Reading:
    """The commits that a tree means.

    Raises:
        NotFound: when a name in it is no commit's.
        Ambiguous: when one could be several.
        UsageError: for a date or an alias that makes no sense.
    """
    return _Evaluation(registry).reading(node)


class _Evaluation:
    """Answers nodes for one registry; `within` are the aliases being read."""

    def __init__(self, registry: Repository, within: tuple[str, ...] = ()) -> None:
        self._registry = registry
        self._within = within

    def reading(self, node: Node) -> Reading:
        if isinstance(node, Revision):
            with _pointing(node.place):
                found = commit_of(self._registry, node)
            if found is not None:
                return Reading([found], is_revision=True)
            if not node.steps and (alias := self._alias(node)):
                return alias.inner.reading(alias.node)
        ids = newest_first(self._registry, self.ids(node))
        return Reading(ids, is_range=isinstance(node, Range))

    def ids(self, node: Node) -> Ids:  # noqa: PLR0911 - one for each kind of node
        """The members of the set that a node means."""
        match node:
            case Revision():
                return self._revision(node)
            case Union():
                return set[str]().union(*map(self.ids, node.terms))
            case Meet():
                return self._meet(node)
            case Complement():
                return everything(self._registry) - self.ids(node.of)
            case Range():
                return self._range(node)
            case Stepped():
                return self._stepped(self.ids(node.of), node.steps)
            case Call():
                with _pointing(node.place):
                    return self._call(node)

    # names

    def _revision(self, node: Revision) -> Ids:
        with _pointing(node.place):
            found = commit_of(self._registry, node)
            if found is not None:
                return {found}
            alias = self._alias(node)
            if alias is None:
                raise _unknown(node)
        return self._stepped(alias.inner.ids(alias.node), node.steps)

    def _alias(self, node: Revision) -> "_Alias | None":
        """What stands for a name in the settings."""
        text = self._registry.settings.get(f"{_ALIASES}{node.name.lower()}")
        if text is None or node.moment is not None:
            return None
        within = (*self._within, node.name)
        if node.name in self._within:
            message = f"the alias {node.name} means itself"
            raise UsageError(message, hint=" -> ".join(within))
        try:
            return _Alias(_Evaluation(self._registry, within), parse(text))
        except UsageError as error:
            error.args = (f"the alias {node.name}: {error}",)
            raise

    # operators

    def _meet(self, node: Meet) -> Ids:
        without = [*node.without]
        asked, terms = [], []
        for term in node.terms:
            if isinstance(term, Complement):
                without.append(term.of)
            elif _is_question(term):
                asked.append(cast("Call", term))
            else:
                terms.append(term)
        terms.sort(key=_cost)
        found: Ids | None = None
        while terms and not (asked and _cost(terms[0])):
            found = self._narrowed(found, terms.pop(0))
        if asked:
            found = self._search(asked, found)
        for term in terms:
            found = self._narrowed(found, term)
        return self._without(
            everything(self._registry) if found is None else found, without
        )

    def _narrowed(self, found: Ids | None, term: Node) -> Ids:
        if found is None:
            return self.ids(term)
        return found & self.ids(term) if found else found

    def _without(self, found: Ids, terms: Iterable[Node]) -> Ids:
        for term in sorted(terms, key=_cost):
            if not found:
                break
            if _is_question(term):
                found = found - self._search([cast("Call", term)], found)
            else:
                found = found - self.ids(term)
        return found

    def _range(self, node: Range) -> Ids:
        since, to = self.ids(node.since), self.ids(node.to)
        return between(self._registry, since, to, both=node.both)

    def _stepped(self, ids: Ids, steps: Iterable[Step]) -> Ids:
        """Where steps lead from each of a set; those that lead nowhere are left out."""
        load = self._registry.load
        for step in steps:
            if isinstance(step, Along):
                ids = {p for id_ in ids for p in along(self._registry, id_, step)}
                continue
            for _ in range(step.n if ids else 0):
                ids = {p for id_ in ids for p in load(id_).ids(*BACK)[:1]}
                if not ids:
                    break
        return ids

    # functions

    def _call(self, node: Call) -> Ids:
        if _is_question(node):
            return self._search([node])
        takes = FUNCTIONS[node.function].takes
        given = [
            self._value(takes(number), argument)
            for number, argument in enumerate(node.arguments)
        ]
        return MEANINGS[node.function](self._registry, *given)

    def _value(self, what: str | None, argument: Argument) -> Any:
        """An argument as the function wants it: sets as ids, one commit as its id."""
        if what not in (SET, ONE):
            return argument
        node = cast("Node", argument)
        ids = self.ids(node)
        if what == SET:
            return ids
        if not ids:
            raise NotFound(f"no commit is in {written(node)}")
        several = f"one commit is due here, and {written(node)} means {len(ids):,}"
        return only(self._registry, newest_first(self._registry, ids), several)

    def _search(self, calls: Iterable[Call], among: Ids | None = None) -> Ids:
        """What the index knows to be all that `calls` say, `among` those if given."""
        found = among
        for filters in _filters(calls):
            if found is not None and not found:
                break
            found = set(search(self._registry, filters, among=found))
        return found or set()


class _Alias(NamedTuple):
    """The tree of an alias, and who answers it."""

    inner: _Evaluation
    node: Node


@contextmanager
def _pointing(place: Place | None) -> Iterator[None]:
    """Errors point at `place`, unless they do already or it is the whole text."""
    try:
        yield
    except LineageError as error:
        if place and (place.start, place.end) != (0, len(place.text)):
            error.place = error.place or place
        raise


def _unknown(node: Revision) -> NotFound:
    then = "" if node.moment is None else f" at {node.moment}"
    hint = "`lineage branch` lists the branches, `lineage log` the commits"
    if set(node.name) & set("<>="):
        hint = f"a condition is written metric({node.name}) or param({node.name})"
    elif node.name.isdecimal() and node.place and node.place.start:
        hint = "a set of commits is due here, not a number"
    message = f"no branch, tag or commit is called {node.name!r}{then}"
    return NotFound(message, hint=hint)


def _is_question(node: Node) -> bool:
    """Whether the index answers a node."""
    return isinstance(node, Call) and node.function in _FIELDS


def _cost(node: Node) -> int:
    """What comes first in a ``&``: names, then what may take a walk, then all else."""
    if isinstance(node, Revision) or (isinstance(node, Call) and node.function in NEAR):
        return 0
    return 2 if isinstance(node, Complement) else 1


def _filters(calls: Iterable[Call]) -> Iterator[Filters]:
    """As few questions as say what all `calls` say together."""
    rest = list(calls)
    while rest:
        fields: dict[str, Any] = {}
        later = []
        for call in rest:
            field, value = _FIELDS[call.function], call.arguments[0]
            if isinstance(value, Condition):
                fields[field] = (*fields.get(field, ()), value)
            elif field in fields:
                later.append(call)
            else:
                fields[field] = value
        yield Filters(**fields)
        rest = later
