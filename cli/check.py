"""`lineage check`: does what matters keep to the policy?"""

from dataclasses import asdict
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineage.cli.command import (
    App,
    Command,
    at_option,
    complete_revision,
    format_option,
    limit_option,
    pass_app,
)
from lineage.cli.names import called
from lineage.cli.render import (
    Column,
    Record,
    Section,
    first_rows,
    markdown_sections,
    sections,
    write_as,
)
from lineage.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lineage.policy import Violation
    from lineage.policy.spec import Policy
    from lineage.registry import Registry

_BROKEN = 3
_FIELDS = (
    *("rule", "id", "git", "kind", "name", "branches", "tags", "live", "why", "event"),
)
_COLUMNS = (
    Column("commit", lambda r: (r["id"][:8], "id")),
    Column("what", lambda r: r["what"], flexible=True),
    Column("names", lambda r: (", ".join(_names(r)), "branch"), flexible=True),
    Column("why", lambda r: r["why"], below=True),
)


@click.command(
    cls=Command,
    short_help="Hold what matters to a policy, for CI and hooks.",
    examples={
        "lineage check": "branches, tags and what is live",
        "lineage check model/tutor": "one commit, before it goes out",
        "lineage check 'released(production)' --format json": "for a program",
        "lineage check --policy ../strict.yaml": "by the rules of another file",
    },
    exits={
        0: "everything keeps to the policy",
        1: "failed: a file, a disk",
        2: "a bad option, or a policy that is none",
        3: "something breaks the policy",
        5: "no such revision or registry",
    },
)
@click.argument(
    "revsets", metavar="[REVSET]...", nargs=-1, shell_complete=complete_revision
)
@click.option(
    "--policy",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Instead of .lineage/policy.yaml.",
)
@limit_option
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def check(
    app: App,
    /,
    *,
    revsets: tuple[str, ...],
    file: Path | None,
    limit: int,
    format_: str,
) -> int:
    """Check that the commits of REVSET keep to the policy of this registry.

    The policy is .lineage/policy.yaml, beside the code, and says which commits are
    checked: by default the tips of branches, tags and what is live. Its rules are
    signed, untainted, reviewed and budgets; docs/check.md says what each looks at.
    Without a file the rules have their defaults.
    """
    from lineage.policy import check as held_to

    registry = app.registry
    policy, name = _policy(app, file)
    found = held_to(registry, policy, revsets)
    records = list(_records(registry, found.violations))
    head = {"policy": name, "checked": len(found.commits)}
    write_as(
        app.terminal,
        format_,
        data=lambda: {**head, "violations": _shapes(records)},
        lines=lambda: _shapes(records),
        markdown=lambda: _first(
            markdown_sections(_sections(records, len(records))),
        ),
        human=lambda: _first(sections(app.terminal, _sections(records, limit))),
        header=_FIELDS,
    )
    checked = plural(len(found.commits), "commit")
    whose = name or "the default policy"
    broken = f"{plural(len(records), 'violation')} of {whose}"
    app.terminal.say(f"{checked} checked: {broken if records else f'{whose} is kept'}")
    return _BROKEN if records else 0


def _policy(app: App, file: Path | None) -> "tuple[Policy, str | None]":
    """The policy that holds, and the file that it is in."""
    from lineage.policy.spec import FILE, Policy, of, read

    if file is not None:
        return read(file), str(file)
    found = of(app.registry.root)
    return (Policy(), None) if found is None else (found, FILE)


def _records(
    registry: "Registry", violations: "Sequence[Violation]"
) -> "Iterator[Record]":
    from lineage.history import Names
    from lineage.shapes import named

    names = Names.of(registry)
    for one in violations:
        commit = named(registry, one.id)
        yield {
            **asdict(one),
            **commit,
            "branches": list(names.branches.get(commit["git"], ())),
            "tags": list(names.tags.get(commit["git"], ())),
            "live": list(names.live.get(one.id, ())),
            "what": called(registry, one.id),
        }


def _shapes(records: "Sequence[Record]") -> "list[Record]":
    return [{name: record[name] for name in _FIELDS} for record in records]


def _sections(records: "Sequence[Record]", limit: int) -> "Iterator[Section]":
    """What breaks each rule, of at most so many commits."""
    for rule, broken in groupby(records, key=itemgetter("rule")):
        yield first_rows(rule, list(broken), _COLUMNS, limit)


def _first(lines: "Iterator[str]") -> "Iterator[str]":
    """Lines that nothing stands above: without the blank one before them."""
    return islice(lines, 1, None)


def _names(record: Record) -> "Iterator[str]":
    yield from record["branches"]
    yield from (f"tag: {tag}" for tag in record["tags"])
    yield from (f"live: {place}" for place in record["live"])
