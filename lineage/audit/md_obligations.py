"""A template with a report's values in it, in Markdown."""

from collections.abc import Iterator

from lineage.audit.markdown import heading, how, paragraph, plain, table, value
from lineage.audit.model import Report
from lineage.audit.obligations.filled import Answer, Filled
from lineage.audit.words import FEW


def obligations_chapter(report: Report) -> Iterator[str]:
    """The template's items, and how many of them are answered how."""
    filled = report.obligations
    if filled is not None:
        yield from heading(2, plain(filled.title))
        yield from _about(filled)
        for item in filled.items:
            yield from _item(item)


def _about(filled: Filled) -> Iterator[str]:
    source = filled.source
    yield from paragraph(
        f"{plain(source['law'])}: {plain(source['part'])}.",
        f"Template {plain(filled.id)}, version {filled.version}, made on "
        f"{plain(source['date'])} from: {plain(source['text'])}.",
    )
    yield from paragraph(plain(filled.note))
    yield from paragraph(
        "What is recorded or stated supports an answer. Whether it is enough is for "
        "others to say. What was counted over the whole report, and what there is none "
        "of, is recorded as of the newest event and names that."
    )
    rows = [(status, f"{count:,}") for status, count in filled.coverage.items()]
    yield from table(
        ("items", "count"), [*rows, ("lacking nothing", str(filled.whole))]
    )


def _item(item: Answer) -> Iterator[str]:
    yield from heading(3, f"{plain(item.article)}: {plain(item.question)}")
    yield from paragraph(plain(item.note))
    found = [f for f in item.fields if f.field.status != "not provided"]
    yield from table(
        ("what", "value", "known"),
        ((plain(f.label), value(f.field), how(f.field)) for f in found[:FEW]),
    )
    if more := len(found[FEW:]):
        yield from paragraph(f"And {more:,} more, which the JSON form has.")
    if item.lacking:
        yield from paragraph(f"Not provided: {plain(', '.join(item.lacking))}.")
