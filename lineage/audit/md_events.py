"""Events in Markdown: releases, changes, taints, erasures, statements and keys."""

from collections.abc import Iterator, Mapping

from lineage.audit import text, words
from lineage.audit.markdown import (
    code,
    heading,
    named,
    number,
    paragraph,
    person,
    plain,
    signature,
    table,
)
from lineage.audit.model import Change, Report

Lines = Iterator[str]


def releases(report: Report) -> Lines:
    """What was live, and what changed in between."""
    names = {made.id: named(made) for made in report.artifacts}
    if report.releases:
        yield from heading(2, "Releases")
    yield from table(
        ("environment", "what", "commit", "since", "until", "by", "signature"),
        (
            (
                plain(one.environment),
                names.get(one.subject, f"{one.kind} {plain(one.name)}"),
                code(one.subject),
                plain(text.moment(one.since)),
                plain(text.moment(one.until)) if one.until else "still live",
                person(one.by),
                signature(one.signature),
            )
            for one in report.releases
        ),
    )
    if report.changes:
        yield from heading(2, "What changed")
    for change in report.changes:
        yield from _change(change, names)


def _change(change: Change, names: Mapping[str, str]) -> Lines:
    both = (change.before, change.after)
    ends = (f"{names.get(id_, 'commit')} {code(id_)}" for id_ in both)
    yield from heading(3, " to ".join(ends))
    found = [
        *((plain(m.name), number(m.before), number(m.after)) for m in change.metrics),
        *((plain(p.name), number(p.before), number(p.after)) for p in change.params),
    ]
    yield from table(("what", "before", "after"), found)
    for what in ("changed", "new", "gone"):
        if parts := getattr(change, what):
            yield from paragraph(f"Parts {what}: {', '.join(map(plain, parts))}.")


def marked(report: Report) -> Lines:
    """Taints and erasures."""
    yield from _taints(report)
    yield from _erasures(report)


def _taints(report: Report) -> Lines:
    names = {made.id: named(made) for made in report.artifacts}
    if report.taints:
        yield from heading(2, "Taints")
    yield from table(
        ("commit", "reason", "by", "when", "reaches", "lifted", "signature"),
        (
            (
                f"{names.get(one.subject, 'commit')} {code(one.subject)}",
                plain(one.reason),
                person(one.by),
                plain(text.moment(one.time)),
                f"{one.reached:,} commits",
                code(one.lifted) if one.lifted else "no",
                signature(one.signature),
            )
            for one in report.taints
        ),
    )


def _erasures(report: Report) -> Lines:
    if report.erasures:
        yield from heading(2, "Erasures")
    yield from table(
        ("commits", "files", "reason", "authority", "by", "when", "signature"),
        (
            (
                ", ".join(map(code, one.subjects)),
                f"{len(one.files):,}",
                plain(one.reason),
                plain(one.authority),
                person(one.by),
                plain(text.moment(one.time)),
                signature(one.signature),
            )
            for one in report.erasures
        ),
    )


def statements(report: Report) -> Lines:
    """Everything that was said of these commits."""
    if report.statements:
        yield from heading(2, "Statements")
    yield from table(
        ("when", "type", "of", "what", "by", "signature"),
        (
            (
                plain(text.moment(said.time)),
                plain(said.type),
                code(said.subject) if said.subject else "",
                ": ".join(
                    filter(None, (plain(words.verdict(said)), plain(said.message)))
                ),
                person(said.by),
                signature(said.signature),
            )
            for said in report.statements
        ),
    )


def stamps(report: Report) -> Lines:
    if report.stamps:
        yield from heading(2, "Time stamps")
    yield from table(
        ("event", "was there by", "says"),
        (
            (code(one.of), plain(text.moment(one.time)), plain(one.tsa))
            for one in report.stamps
        ),
    )


def keys(report: Report) -> Lines:
    """The keys of the registry, and those that were revoked."""
    if report.keys:
        yield from heading(2, "Keys")
    yield from table(
        ("whose", "roles", "fingerprint", "added", "revoked"),
        (
            (
                person(key.name),
                plain(", ".join(key.roles)),
                plain(key.fingerprint),
                plain(text.moment(key.added)),
                ", ".join(plain(text.moment(end.time)) for end in key.revoked) or "no",
            )
            for key in report.keys
        ),
    )
