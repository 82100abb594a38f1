"""Commits in Markdown: who wrote data, what came from outside, what each is."""

from collections.abc import Iterator

from lineage.audit import text, words
from lineage.audit.markdown import (
    code,
    heading,
    how,
    named,
    paragraph,
    person,
    plain,
    shares,
    signature,
    table,
    value,
)
from lineage.audit.model import Artifact, Report
from lineage.wording import spaced

Lines = Iterator[str]


def generators(report: Report) -> Lines:
    """Every model that wrote data, by its content."""
    if report.generators:
        yield from heading(2, "Models that wrote data")
    names = {made.id: named(made) for made in report.artifacts}
    yield from table(
        ("model", "commit", "SHA-256 over its files", "wrote", "trained on"),
        (
            (
                names.get(one.model, plain(one.name)),
                code(one.model),
                code(one.root) if one.root else "not provided",
                f"{len(one.wrote):,} datasets",
                shares(one.made_of),
            )
            for one in report.generators
        ),
    )


def origins(report: Report) -> Lines:
    """Where data and models from outside come from, and what people stated."""
    rows = [
        (f"{named(made)} {code(made.id)}", plain(key), value(field), how(field))
        for made in report.artifacts
        for key, field in made.origin.items()
    ]
    if rows:
        yield from heading(2, "Data and models from outside")
    yield from table(("commit", "what", "value", "known"), rows)
    said = [
        (f"{named(made)} {code(made.id)}", plain(key), value(field), how(field))
        for made in report.artifacts
        for key, field in made.stated.items()
    ]
    if said:
        yield from heading(2, "What people stated")
    yield from table(("commit", "field", "text", "known"), said)


def commits(report: Report) -> Lines:
    """Every commit of the report."""
    yield from heading(2, "Commits")
    yield from table(
        ("commit", "what", "files", "came from", "by", "when", "signature"),
        (
            (
                code(made.id),
                named(made),
                _files(made),
                ", ".join(
                    f"{spaced(edge.role)} {code(edge.id)} "
                    f"({plain(edge.evidence.value)})"
                    for edge in made.sources[: words.FEW]
                )
                + _more(len(made.sources)),
                person(made.by),
                plain(text.moment(made.time)),
                signature(made.signature),
            )
            for made in report.artifacts
        ),
    )


def _more(count: int) -> str:
    more = count - words.FEW
    return f" and {more:,} more, which the JSON form has" if more > 0 else ""


def _files(made: Artifact) -> str:
    held = made.bytes.value or {}
    size, root = held.get("size"), held.get("root")
    parts = [plain(held.get("state", "not provided"))]
    parts += [plain(text.size(size))] if isinstance(size, int) else []
    parts += [code(root)] if isinstance(root, str) else []
    return ", ".join(parts)


def gaps(report: Report) -> Lines:
    """What is not recorded, and where."""
    yield from heading(2, "Not recorded")
    if not report.gaps:
        yield from paragraph("No gap was found.")
    yield from table(
        ("what", "where"),
        (
            (
                plain(gap.what),
                ", ".join(map(code, gap.where[: words.FEW])) + _more(len(gap.where)),
            )
            for gap in report.gaps
        ),
    )


def coverage(report: Report) -> Lines:
    """How many values are recorded, stated and not provided."""
    yield from heading(2, "How values are known")
    rows = ((status, f"{count:,}") for status, count in report.coverage.items())
    yield from table(("values of commits", "count"), rows)
