"""The tensors of a diff: a verdict, a table by layers and kinds, what moved most."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lineage.cli.diff.part import BY_PATH, STYLES, Part
from lineage.cli.render import Column, Record, Section, first_rows
from lineage.cli.terminal import Span
from lineage.shapes.diff.tensor_words import form, says
from lineage.shapes.diff.tensors import rounded, tensors
from lineage.wording import number, percent, plural

if TYPE_CHECKING:
    from lineage.diff import Diff
    from lineage.diff.tensors import (
        TensorChange,
        TensorChanges,
    )
    from lineage.diff.tensors.sums import Sums


def _rows(found: "Diff") -> Iterator[Record]:
    """A line for each tensor that differs."""
    for item in found.tensors:
        before = f"{item.label}/" if item.label else ""
        for change in item.changes:
            sums = change.sums
            yield {
                "path": before + change.name,
                "change": change.change,
                "a": form(change.a) or None,
                "b": form(change.b) or None,
                "delta": rounded(sums.relative if sums else None),
            }


def _tables(found: "Diff", most: int) -> Iterator[Section]:
    for item in found.tensors:
        title = f"tensors {item.label}".rstrip()
        yield Section(title, list(_summary(item)), _SUMMARY)
        if groups := [{"group": g} for g in item.groups if g.changed]:
            yield first_rows(
                f"{title}: by layers and kind", groups, _groups(item), most
            )
        moved = [{"tensor": c} for c in item.changes if c.changed]
        if moved:
            yield first_rows(f"{title}: most moved", moved, _moved(moved), most)
        others = [
            {"tensor": c} for c in item.changes if not (c.changed or _told(item, c))
        ]
        if others:
            yield first_rows(
                f"{title}: values kept, or on one side", others, _KEPT, most
            )
        if facts := [{"path": c.path, "a": c.a, "b": c.b} for c in item.facts]:
            yield first_rows(f"{title}: facts in the file", facts, BY_PATH, most)


def _told(item: "TensorChanges", change: "TensorChange") -> bool:
    """Whether the summary has said it of all tensors already."""
    renamed = change.change == "renamed" and item.beginning
    return bool(renamed or (change.change == "retyped" and item.cast))


def _summary(item: "TensorChanges") -> Iterator[Record]:
    verdict = item.verdict
    yield {"what": "verdict", "how": says(verdict)}
    if verdict.changed:
        how = f"{verdict.changed:,} of {plural(verdict.total, 'tensor')}"
        yield {"what": "changed", "how": how}
    if verdict.changed and verdict.frozen:
        yield {"what": "frozen", "how": ", ".join(verdict.frozen)}
    if item.beginning:
        old, new = item.beginning
        how = f"names begin with {new!r} now" + (f", not {old!r}" if old else "")
        yield {"what": "renamed", "how": how if new else f"names lost {old!r}"}
    for sort, count in _counts(item).items():
        yield {"what": sort, "how": plural(count, "tensor")}
    if item.wild:
        how = f"NaN or infinities in {plural(item.wild, 'tensor')} now"
        yield {"what": "not finite", "how": how}


def _counts(item: "TensorChanges") -> dict[str, int]:
    """How often other things than new values happened."""
    found = [change.change for change in item.changes]
    sorts = ("added", "removed", "reshaped", "retyped")
    return {sort: found.count(sort) for sort in sorts if sort in found}


def _line(found: "Diff") -> str:
    return "\n".join(
        (f"{item.label}: " if item.label else "") + _brief(item)
        for item in found.tensors
    )


def _brief(item: "TensorChanges") -> str:
    """The verdict, and how much of what it is about."""
    words = [says(item.verdict)]
    if item.sums.relative:
        words.append(f"relative L2 {number(item.sums.relative)}")
    counts = _counts(item)
    if item.verdict.dtypes:  # the verdict has said it
        counts.pop("retyped", None)
    words += [f"{plural(n, 'tensor')} {sort}" for sort, n in counts.items()]
    if item.wild:
        words.append(f"NaN or infinities in {plural(item.wild, 'tensor')} now")
    return ", ".join(words)


def _layers(record: Record) -> str:
    layers = record["group"].layers
    if layers is None:
        return "-"
    first, last = layers
    return f"{first}" if first == last else f"{first}-{last}"


def _groups(item: "TensorChanges") -> list[Column]:
    stacks = {group.stack for group in item.groups if group.layers}
    stack = Column("stack", lambda r: r["group"].stack, flexible=True)
    return [
        *([stack] if len(stacks) > 1 else []),
        Column("layers", _layers),
        Column("kind", lambda r: r["group"].kind, flexible=True),
        Column("changed", lambda r: f"{r['group'].changed} of {r['group'].total}",
               right=True),
        Column("relative L2", lambda r: _relative(r["group"].sums), right=True),
        Column("cosine", lambda r: _cosine(r["group"].sums), right=True),
    ]  # fmt: skip


def _relative(sums: "Sums | None") -> str:
    if sums is None or not sums.count:
        return "-"
    if sums.relative is None:
        return "-" if sums.aa or not sums.dd else "from zero"
    return number(sums.relative)


def _cosine(sums: "Sums | None") -> str:
    """A cosine; one that is nearly 1 by what is missing."""
    if sums is None or sums.cosine is None:
        return "-"
    missing = 1 - sums.cosine
    return f"1 - {missing:.2g}" if 0 < missing < 1e-3 else f"{sums.cosine:.4f}"


def _moved(records: Sequence[Record]) -> list[Column]:
    ranks = any(record["tensor"].rank for record in records)
    return [
        Column("tensor", _named, flexible=True),
        Column("relative L2", lambda r: _relative(r["tensor"].sums), right=True),
        Column("cosine", lambda r: _cosine(r["tensor"].sums), right=True),
        Column("max abs", _largest, right=True),
        Column("elements", _share, right=True),
        *([Column("rank", _rank, right=True)] if ranks else []),
        Column("", _remarks, flexible=True),
    ]


def _named(record: Record) -> str:
    change: TensorChange = record["tensor"]
    return change.name if change.was is None else f"{change.was} → {change.name}"


def _largest(record: Record) -> str:
    sums = record["tensor"].sums
    return number(sums.largest) if sums else "-"


def _share(record: Record) -> str:
    sums = record["tensor"].sums
    return percent(sums.share) if sums else "-"


def _rank(record: Record) -> str:
    rank = record["tensor"].rank
    return f"{rank.numerical} ({rank.effective:.1f}) of {rank.full}" if rank else "-"


def _remarks(record: Record) -> str:
    """What the figures do not say: other forms, what is no number."""
    change: TensorChange = record["tensor"]
    words = []
    if change.a and change.b and change.a != change.b:
        words.append(f"{form(change.a)} → {form(change.b)}")
    if change.rows is not None:
        words.append(f"{change.rows:,} rows compared")
    for name in ("nan", "inf"):
        old, new = getattr(change.sums, name, (0, 0))
        if old or new:
            words.append(f"{name} {old:,} → {new:,}")
    return ", ".join(words)


def _mark(record: Record) -> Span:
    change: TensorChange = record["tensor"]
    return change.change, STYLES.get(change.change, "")


def _forms(record: Record) -> str:
    change: TensorChange = record["tensor"]
    shown = dict.fromkeys(map(form, (change.a, change.b)))
    also = f", the bytes of {change.twin}" if change.twin else ""
    if change.rows:
        also = f", the same {plural(change.rows, 'row')} on both sides"
    return " → ".join(each for each in shown if each) + also


_SUMMARY = (
    Column("", lambda r: (r["what"], "dim")),
    Column("", lambda r: r["how"], flexible=True),
)
_KEPT = (
    Column("", _mark),
    Column("tensor", _named, flexible=True),
    Column("", _forms, flexible=True),
)

TENSORS = Part("tensors", tensors, _rows, _tables, _line)
