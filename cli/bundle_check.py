"""What `lineage verify FILE.zip` prints: every check, and what was found."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.cli.command import App
from lineage.cli.render import Column, Section, markdown_sections, sections, write_as
from lineage.errors import NotFound, UsageError
from lineage.wording import plural

if TYPE_CHECKING:
    from lineage.bundle_check import Checked, Held

_FAILED = 3
_STYLES = {"passed": "good", "failed": "bad", "not checked": "hint"}


def _open(check: Mapping[str, Any]) -> str:
    """Why a check was not made, or not to its end, and what to give for it."""
    if not check["why"]:
        return ""
    give = f": give {check['give']}" if check["give"] else ""
    return f"{check['why']}{give}"


_CHECKS = (
    Column("check", lambda r: r["name"]),
    Column("result", lambda r: (r["state"], _STYLES[r["state"]])),
    Column("looked at", lambda r: f"{r['count']:,}" if r["count"] else "", right=True),
    Column("holds", lambda r: r["what"], flexible=True),
    Column("not checked because", _open, below=True),
)
_FINDINGS = (
    Column("check", lambda r: (r["check"], "bad")),
    Column("where", lambda r: (r["where"], "id"), flexible=True, path=True),
    Column("what is wrong", lambda r: r["what"], below=True),
)
_FIELDS = ("check", "where", "what")


def bundle_in(words: Sequence[str]) -> Path | None:
    """The bundle that is to be checked; None where revisions are."""
    from lineage.bundle_check import is_bundle

    found = [Path(word) for word in words if is_bundle(Path(word))]
    if found and len(words) > 1:
        raise UsageError("a bundle is checked alone: give nothing beside it")
    return found[0] if found else None


def check_there(words: Sequence[str]) -> None:
    """Refuse a bundle that is not there, where no revision is called so either."""
    for word in words:
        if word.lower().endswith(".zip") and not Path(word).exists():
            raise NotFound(f"there is no file {word}", hint="name the bundle's file")


def check_bundle(
    app: App, path: Path, held: "Held", entries: int | None, format_: str
) -> int:
    """Check the bundle at `path`; the exit code."""
    from lineage.bundle import AGENT, again
    from lineage.bundle_check import MOST_FILES, Maker, check

    held = replace(held, maker=Maker(AGENT, again))
    with app.terminal.progress("checking"):
        checked = check(path, held, entries=entries or MOST_FILES)
    data = asdict(checked)
    write_as(
        app.terminal,
        format_,
        data=lambda: {"bundle": str(path), **data},
        lines=lambda: data["findings"],
        markdown=lambda: islice(markdown_sections(_tables(data)), 1, None),
        human=lambda: islice(sections(app.terminal, _tables(_once(data))), 1, None),
        header=_FIELDS,
    )
    for sentence in _said(checked):
        app.terminal.say(sentence)
    return _FAILED if checked.findings else 0


def _once(data: Mapping[str, Any]) -> dict[str, Any]:
    """Where one reason holds for several checks in a row, the first says it."""
    before = ["", *(_open(check) for check in data["checks"])]
    checks = [
        {**check, "why": ""} if _open(check) == said else check
        for check, said in zip(data["checks"], before, strict=False)
    ]
    return {**data, "checks": checks}


def _tables(data: Mapping[str, Any]) -> Iterator[Section]:
    yield Section("Checks", data["checks"], _CHECKS)
    if data["findings"]:
        yield Section("Findings", data["findings"], _FINDINGS)


def _said(checked: "Checked") -> Iterator[str]:
    states: list[str] = [check.state for check in checked.checks]
    counts = [f"{states.count(state)} {state}" for state in _STYLES]
    yield f"{plural(len(states), 'check')}: {', '.join(counts)}"
    if checked.findings:
        yield f"{plural(len(checked.findings), 'finding')}: do not rely on this bundle"
    elif checked.event:
        yield "note the newest event: --since holds the next bundle to it"
        yield checked.event
