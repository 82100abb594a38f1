"""`lineage trace --against`: an evaluation set in what a commit was trained on."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lineage.cli.command import App
from lineage.cli.names import called, heading, short
from lineage.cli.render import (
    Column,
    Record,
    Section,
    escaped,
    facts,
    first_rows,
    markdown_sections,
    sections,
    write_as,
)
from lineage.cli.terminal import Span
from lineage.cli.text import cut, one_line
from lineage.contamination import KINDS
from lineage.shapes.contamination import contamination_of, counted, hit_of
from lineage.wording import percent, plural

if TYPE_CHECKING:
    from lineage.contamination import Contamination, Hit, Step
    from lineage.registry import Registry

_TEXT = 150  # columns of an evaluation record
_FOUND = 3
_WORDS = {"part": "in part"}
_HEADER = ("number", "where", "kind", "share", "source", "place", "records", "text",
           "change", "trained", "way")  # fmt: skip


def show(
    app: App,
    revision: str,
    against: str,
    *,
    column: str | None,
    format_: str,
    most: int,
) -> int:
    """Look, show what is there, and give the exit code for ``--exit-code``."""
    from lineage.contamination import contamination

    with app.terminal.progress("looking") as progress:
        found = contamination(
            app.registry, revision, against, column=column, progress=progress
        )
    write_as(
        app.terminal,
        format_,
        data=lambda: contamination_of(found),
        lines=lambda: map(hit_of, found.hits),
        markdown=lambda: _markdown(app, found, most),
        human=lambda: _human(app, found, most),
        header=_HEADER,
    )
    if any(hit.trained for hit in found.hits):
        return _FOUND
    return 0 if any(each.records for each in found.looked) and not _missed(found) else 1


def _human(app: App, found: "Contamination", most: int) -> Iterator[str]:
    entry = app.registry.entry(found.id)
    yield from (app.terminal.paint(heading(app.registry, entry)), "")
    yield from facts(app.terminal, _facts(app.registry, found))
    yield from sections(app.terminal, _tables(app.registry, found, most))


def _markdown(app: App, found: "Contamination", most: int) -> Iterator[str]:
    yield from (
        f"# {escaped(called(app.registry, found.id))}",
        "",
        f"- commit: `{found.id}`",
    )
    for name, value in _facts(app.registry, found):
        yield f"- {name}: {escaped(value)}"
    yield from markdown_sections(_tables(app.registry, found, most))


def _facts(registry: "Registry", found: "Contamination") -> Iterator[tuple[str, str]]:
    """The answer in a few lines."""
    set_ = f"{called(registry, found.against)} {short(registry, found.against)}"
    wordless = f", {found.wordless:,} without words" if found.wordless else ""
    yield "against", f"{set_}: {plural(found.records, 'record')}{wordless}"
    whole = sum(each.records for each in found.looked)
    looked = [each for each in found.looked if each.records]
    yield "looked at", f"{plural(len(looked), 'dataset')}, {plural(whole, 'record')}"
    yield "found", _answer(found)


def _missed(found: "Contamination") -> bool:
    """Whether data are there, or were, that could not be looked at."""
    return bool(found.absent) or any(each.wrong for each in found.looked)


def _answer(found: "Contamination") -> str:
    counts = counted(found)
    if not any(each.records for each in found.looked):
        return "not known: there was nothing to look at"
    if not counts:
        all_ = not found.untold and not _missed(found)
        return "nothing of it" if all_ else "nothing of it in what was looked at"
    share = percent(counts.total() / found.records)
    sorts = ", ".join(
        f"{counts[kind]:,} {_WORDS.get(kind, kind)}" for kind in KINDS if counts[kind]
    )
    out = counts.total() - len({hit.number for hit in found.hits if hit.trained})
    beside = f"; {out:,} of them in nothing that a model was trained on" if out else ""
    return f"{plural(counts.total(), 'record')}, {share} of it: {sorts}{beside}"


def _tables(
    registry: "Registry", found: "Contamination", most: int
) -> Iterator[Section]:
    if found.hits:
        sources = [*_sources(registry, found)]
        yield first_rows("where they came in", sources, _SOURCES, most)
        order = sorted(found.hits, key=lambda h: (KINDS.index(h.kind), -h.share))
        yield first_rows("records", [{"hit": hit} for hit in order], _HITS, most)
    if unseen := [*_unseen(registry, found)]:
        yield first_rows("not looked at", unseen, _UNSEEN, most)


def _sources(registry: "Registry", found: "Contamination") -> Iterator[Record]:
    """For each way that records came how many came it, most first."""
    ways: dict[tuple[tuple[Step, ...], bool], Counter[str]] = {}
    for hit in found.hits:
        ways.setdefault((hit.way, hit.trained), Counter())[hit.kind] += 1
    order = sorted(ways.items(), key=lambda item: (not item[0][1], -item[1].total()))
    for (way, trained), counts in order:
        source = way[-1].id
        beside = "" if trained else "in nothing that a model was trained on: "
        yield {
            "short": short(registry, source),
            "what": called(registry, source),
            "way": beside + _way(registry, way),
            "records": counts.total(),
            **counts,
        }


def _way(registry: "Registry", way: "Sequence[Step]") -> str:
    """Model ← role dataset ← role dataset: the way back."""
    return " ← ".join(_step(registry, step) for step in way)


def _step(registry: "Registry", step: "Step") -> str:
    commit = registry.load(step.id)
    what = f"{commit.kind} {commit.name} {short(registry, step.id)}"
    return f"{step.role} {what}" if step.role else what


def _unseen(registry: "Registry", found: "Contamination") -> Iterator[Record]:
    for each in found.looked:
        what = called(registry, each.id)
        for why in each.wrong:
            yield {"short": short(registry, each.id), "what": what, "why": why}
    for id_ in found.absent:
        yield {"short": id_[:8], "what": "a commit", "why": "it is not here"}
    for id_ in found.untold:
        why = "nothing says what it was trained on"
        what = called(registry, id_)
        yield {"short": short(registry, id_), "what": what, "why": why}


def _counted(kind: str) -> Column:
    """How many records of a kind came one way."""
    title_ = _WORDS.get(kind, kind)
    return Column(title_, lambda r: f"{r.get(kind, 0):,}", right=True)


def _text(record: Record) -> str:
    return cut(one_line(record["hit"].text), _TEXT)


def _change(record: Record) -> str:
    hit: Hit = record["hit"]
    return f"→ {hit.change}" if hit.change else ""


def _kind(record: Record) -> Span:
    kind = record["hit"].kind
    return _WORDS.get(kind, kind), "bad" if kind in ("exact", "contained") else "hint"


_SOURCES = (
    Column("commit", lambda r: (r["short"], "id")),
    Column("what", lambda r: r["what"], flexible=True),
    Column("records", lambda r: f"{r['records']:,}", right=True),
    *map(_counted, KINDS),
    Column("way", lambda r: r["way"], below=True),
)
_HITS = (
    Column("record", lambda r: r["hit"].where, flexible=True),
    Column("found", _kind),
    Column("share", lambda r: percent(r["hit"].share), right=True),
    Column("in", lambda r: r["hit"].place, flexible=True),
    Column("times", lambda r: f"{r['hit'].records:,}", right=True),
    Column("text", _text, below=True),
    Column("change", _change, below=True),
)
_UNSEEN = (
    Column("commit", lambda r: (r["short"], "id")),
    Column("what", lambda r: r["what"], flexible=True),
    Column("why", lambda r: r["why"], below=True),
)
