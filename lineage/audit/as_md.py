"""The report as Markdown, for people: the same facts as the page, in tables."""

from collections.abc import Iterator

from lineage.audit import md_commits, md_events, text
from lineage.audit.audiences import TOLD
from lineage.audit.markdown import code, document, named, paragraph, plain, table
from lineage.audit.md_loop import loop_chapter
from lineage.audit.md_obligations import obligations_chapter
from lineage.audit.model import Report


def render(report: Report) -> bytes:
    """The file."""
    return document(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield from _start(report)
    for loop in report.loops:
        yield from loop_chapter(loop)
    yield from md_commits.generators(report)
    yield from md_events.releases(report)
    yield from md_events.marked(report)
    yield from obligations_chapter(report)
    yield from md_commits.origins(report)
    yield from md_commits.commits(report)
    yield from md_events.statements(report)
    yield from md_events.keys(report)
    yield from md_events.stamps(report)
    yield from md_commits.gaps(report)
    yield from md_commits.coverage(report)


def _title(report: Report) -> str:
    """What the report is on, as a title."""
    artifacts = {made.id: made for made in report.artifacts}
    names = [named(artifacts[id_]) for id_ in report.subjects]
    few = names if len(names) <= 3 else [*names[:3], f"{len(names) - 3:,} more"]
    return ", ".join(few)


def _start(report: Report) -> Iterator[str]:
    yield f"# Lineage report: {_title(report)}"
    newest = report.as_of
    yield from paragraph(
        f"As of event {code(newest.event)} of {plain(text.moment(newest.time))}.",
        "Every value is recorded in the registry, stated by a person, or not provided.",
        "The report supports an assessment; it is none.",
    )
    yield from paragraph(TOLD[report.audience])
    names = {made.id: named(made) for made in report.artifacts}
    yield from table(
        ("on", "id, the SHA-256 of its record"),
        ((names[id_], f"`{id_}`") for id_ in report.subjects),
    )
