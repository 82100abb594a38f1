"""The tables of `trace`: sources, inherited weights, gaps."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lineage.cli.names import called, graded, short
from lineage.cli.render import Column, Record, Section
from lineage.cli.trace.words import amount, counted
from lineage.wording import between

if TYPE_CHECKING:
    from lineage.descent.gaps import Gap
    from lineage.descent.trace import Amount, Inherited, Made, Part, Trace
    from lineage.registry import Registry

_FEW = 4  # commits that a gap names


def tables(registry: "Registry", found: "Trace", most: int) -> Iterator[Section]:
    """What has rows, at most so many each, in the order of its weight."""
    for made in found.made[:1]:
        sources = [_source(registry, made, part) for part in made.parts[:most]]
        more = len(made.parts) - len(sources)
        yield from _section("sources", sources, _SOURCES, more)
    models = [_ancestor(registry, each) for each in found.inherited[:most]]
    more = len(found.inherited) - len(models)
    if found.inherited:
        models.append(_sum(found.together))
    yield from _section("inherited weights", models, _INHERITED, more)
    gaps = [_gap(registry, gap) for gap in found.gaps[:most]]
    yield from _section("not known", gaps, _GAPS, len(found.gaps) - len(gaps))


def _section(
    title: str, records: list[Record], columns: tuple[Column, ...], more: int
) -> Iterator[Section]:
    if records or more:
        yield Section(title, records, columns, more)


def _source(registry: "Registry", made: "Made", part: "Part") -> Record:
    counts = {told.unit: told.count for told in made.amounts}
    records = part.shares["records"]
    return {
        "share": between(*records),
        "records": counted(records, counts.get("records")),
        "short": short(registry, part.id),
        "what": called(registry, part.id),
        "origin": part.origin,
        "said": _said(part),
        "grade": part.trail.weakest.grade if part.trail else "",
    }


def _said(part: "Part") -> str:
    """What somebody says of a dataset, and who."""
    said = part.said
    if said is None:
        return ""
    other = said.type if said.type != part.origin else None
    known = [str(each) for each in (other, said.licence, said.source) if each]
    return f"{said.by}: {', '.join(known)}" if known else f"{said.by} says so"


def _ancestor(registry: "Registry", each: "Inherited") -> Record:
    return {
        "role": each.trail.last.role,
        "short": short(registry, each.id),
        "what": called(registry, each.id),
        "made": _learned(each),
        "grade": each.trail.weakest.grade,
    }


def _learned(each: "Inherited") -> str:
    """What a model was trained on itself."""
    if each.amount is None:
        return "nothing of its own"
    return "not known" if each.amount.made_of.unknown == 1 else amount(each.amount)


def _sum(told: "Amount | None") -> Record:
    return {
        "role": "all together",
        "short": "",
        "what": "",
        "made": amount(told) if told else "not known: not all records are counted",
        "grade": "",
    }


def _gap(registry: "Registry", gap: "Gap") -> Record:
    few = [f"{called(registry, i)} {short(registry, i)}" for i in gap.where[:_FEW]]
    more = len(gap.where) - _FEW
    where = ", ".join(few) + (f" and {more:,} more" if more > 0 else "")
    return {"what": gap.what, "where": where}


_SOURCES = (
    Column("share", lambda r: r["share"], right=True),
    Column("records", lambda r: r["records"], right=True),
    Column("commit", lambda r: (r["short"], "id")),
    Column("what", lambda r: r["what"], flexible=True),
    Column("origin", lambda r: r["origin"]),
    Column("evidence", lambda r: graded(r["grade"])),
    Column("who says so", lambda r: r["said"], below=True),
)
_INHERITED = (
    Column("along", lambda r: r["role"]),
    Column("commit", lambda r: (r["short"], "id")),
    Column("what", lambda r: r["what"], flexible=True),
    Column("evidence", lambda r: graded(r["grade"])),
    Column("trained on", lambda r: r["made"], below=True),
)
_GAPS = (
    Column("", lambda r: r["what"]),
    Column("", lambda r: r["where"], below=True),
)
