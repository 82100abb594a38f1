"""Put a report's values into a template."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from lineage.audit.audiences import for_audience
from lineage.audit.model import NOT_PROVIDED, STATUSES, Report, Status
from lineage.audit.obligations.asked import Item, Template
from lineage.audit.obligations.filled import STATED, Answer, Filled, Labelled
from lineage.audit.obligations.scope import Scope, named
from lineage.audit.obligations.vocabulary import FACTS, meaning
from lineage.errors import UsageError


def fill(template: Template, report: Report) -> Filled:
    """What the report has on those items that are for its audience.

    Raises:
        UsageError: when the template asks nothing for that audience.
    """
    asked = [item for item in template.items if report.audience in item.audience]
    if not asked:
        whom = sorted({name for item in template.items for name in item.audience})
        message = f"{template.id} asks for nothing that is for {report.audience}"
        raise UsageError(message, hint=f"it is for {' and '.join(whom)}")
    values = _Values(report)
    items = tuple(values.answer(item) for item in asked)
    return Filled(
        id=template.id,
        version=template.version,
        title=template.title,
        source=template.source,
        note=template.note,
        items=items,
        coverage={
            status: sum(i.status == status for i in items) for status in STATUSES
        },
        whole=sum(not item.lacking for item in items),
    )


class _Values:
    """The values of one report; each fact is looked up once."""

    def __init__(self, report: Report) -> None:
        self._scope = Scope(report)
        self._known: dict[str, tuple[Labelled, ...]] = {}

    def answer(self, item: Item) -> Answer:
        fields = [found for fact in item.answers for found in self._fact(fact)]
        if item.stated:
            fields += self._stated(item.stated)
        return Answer(
            key=item.key,
            article=item.article,
            question=item.question,
            note=item.note,
            status=_status(found.field.status for found in fields),
            fields=tuple(fields),
            lacking=tuple(_lacking(item, fields)),
        )

    def _fact(self, fact: str) -> tuple[Labelled, ...]:
        if fact not in self._known:
            found = tuple(Labelled(fact, *pair) for pair in FACTS[fact](self._scope))
            nothing = (Labelled(fact, meaning(fact).rstrip("."), NOT_PROVIDED),)
            self._known[fact] = found or nothing
        return self._known[fact]

    def _stated(self, field: str) -> Iterator[Labelled]:
        """What people stated: of what the report is on, else of the turns before."""
        scope = self._scope
        found = [m for m in scope.about if field in m.stated]
        if not found:
            turns = (t for loop in scope.report.loops for t in loop.generations[::-1])
            earlier = (scope.artifacts[turn.id] for turn in turns)
            found = [made for made in earlier if field in made.stated][:1]
        for made in found:
            yield Labelled(STATED, f"{field}, of {named(made)}", made.stated[field])
        if not found:
            yield Labelled(STATED, field, NOT_PROVIDED)


def _status(statuses: Iterable[Status]) -> Status:
    found = set(statuses)
    return next((status for status in STATUSES if status in found), "not provided")


def _lacking(item: Item, fields: Iterable[Labelled]) -> Iterator[str]:
    """The facts, and the field, of which nothing at all is provided."""
    provided: Mapping[str, bool]
    provided = {f.fact: True for f in fields if f.field.status != "not provided"}
    yield from (fact for fact in item.answers if fact not in provided)
    if item.stated and STATED not in provided:
        yield item.stated


def addressed(report: Report, audience: str, template: Template | None) -> Report:
    """The report as `audience` may see it, with the template filled from just that.

    Raises:
        UsageError: when the template asks nothing for that audience.
    """
    items = template.items if template else ()
    stated = {i.stated for i in items if i.stated and audience in i.audience}
    seen = for_audience(report, audience, stated)
    return replace(seen, obligations=fill(template, seen)) if template else seen
