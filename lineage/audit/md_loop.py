"""A loop's chapter in Markdown: what each generation is made of, and who checked it."""

from collections.abc import Iterator

from lineage.audit import text, words
from lineage.audit.markdown import (
    code,
    heading,
    how,
    number,
    paragraph,
    plain,
    shares,
    table,
)
from lineage.audit.model import Generation, Loop
from lineage.audit.steps import COUNTS
from lineage.wording import plural

Lines = Iterator[str]


def loop_chapter(loop: Loop) -> Lines:
    """Generations first, then measures, gates, people, and what was not followed."""
    yield from heading(2, f"Loop {plain(loop.name)}")
    count = plural(len(loop.turns), "turn")
    later = f"{loop.later:,} later ones are not told." if loop.later else ""
    turned_down = len(_rejected_of(loop))
    rejected = f"{turned_down:,} rejected." if turned_down else ""
    yield from paragraph(f"{count}.", rejected, later)
    yield from _generations(loop)
    yield from _filters(loop)
    yield from _measures(loop)
    yield from _against(loop)
    yield from _gates(loop)
    yield from _oversight(loop)
    yield from _rejected(loop)


def _generations(loop: Loop) -> Lines:
    titles = ("generation", "commit", "training data", *COUNTS, "seconds", "FLOPs")
    yield from table(titles, (_turn(turn) for turn in loop.turns))


def _turn(turn: Generation) -> tuple[str, ...]:
    spent = turn.compute
    counts = (getattr(spent, name, None) for name in (*COUNTS, "seconds", "flops"))
    status = "" if turn.status == "accepted" else ", rejected"
    number_ = f"{turn.number}{status}"
    return (number_, code(turn.id), shares(turn.made_of), *map(number, counts))


def _filters(loop: Loop) -> Lines:
    rows = [
        (str(turn.number), plain(gate), f"{count:,}")
        for turn in loop.turns
        if turn.compute
        for gate, count in turn.compute.by_filter.items()
    ]
    yield from table(("generation", "filter", "records it rejected"), rows)


def _measures(loop: Loop) -> Lines:
    rows = []
    for measure in loop.measures:
        first, last = measure.points[0], measure.points[-1]
        means = measure.meaning or measure.definition or "not provided"
        version = f"(version {measure.version})" if measure.version else ""
        rows.append(
            (
                plain(measure.name),
                f"{number(first.value)} ({first.number})",
                f"{number(last.value)} ({last.number})",
                plain(words.better(measure)),
                plain(" ".join(filter(None, (means, version)))),
            )
        )
    if rows:
        yield from heading(3, "Measures")
    titles = ("measure", "first (generation)", "last", "better", "meaning")
    yield from table(titles, rows)


def _against(loop: Loop) -> Lines:
    turn = loop.generations[-1]
    rows = [
        (
            plain(one.name),
            one.about or "",
            f"{number(one.start)} ({one.since})",
            number(one.now),
        )
        for one in turn.against_start
        if one.about in ("diversity", "bias")
    ]
    if rows:
        yield from heading(3, f"Diversity and bias of generation {turn.number}")
    yield from table(("measure", "about", "at the start (generation)", "now"), rows)


def _gates(loop: Loop) -> Lines:
    rows = [
        (
            str(turn.number),
            plain(gate.id or gate.type or ""),
            plain(gate.verdict or "not provided"),
            *map(plain, words.judged(gate.value, gate.bounds)),
            plain(gate.sentence or ""),
        )
        for turn in loop.turns
        for gate in turn.gates
    ]
    if rows:
        yield from heading(3, "Gates")
    titles = ("generation", "gate", "verdict", "value", "allowed", "in words")
    yield from table(titles, rows)


def _oversight(loop: Loop) -> Lines:
    seen = loop.oversight
    yield from heading(3, "People")
    yield from paragraph(
        f"{seen.reviewed:,} of {plural(seen.generations, 'generation')} after "
        f"generation 0 have a verdict of a person that counts; of "
        f"{seen.generated:,} generated records {seen.shown:,} were shown to one and "
        f"{seen.labelled:,} labelled."
    )
    budgets = (
        (plain(name), number(pair.get("spent")), number(pair.get("limit")))
        for name, pair in seen.budgets.items()
        if isinstance(pair, dict)
    )
    yield from table(("budget", "spent", "limit"), budgets)
    numbers = {turn.id: str(turn.number) for turn in loop.turns}
    yield from table(
        ("override of generation", "against", "by", "when", "reason"),
        (
            (
                numbers.get(one.subject, code(one.subject)),
                plain(", ".join((*one.failed, *one.budgets))),
                plain(words.name(one.by)),
                plain(text.moment(one.time)),
                plain(one.reason),
            )
            for one in seen.overrides
        ),
    )


def _rejected_of(loop: Loop) -> list[Generation]:
    return [turn for turn in loop.turns if turn.status == "rejected"]


def _rejected(loop: Loop) -> Lines:
    rows = []
    for turn in _rejected_of(loop):
        reason = turn.reason
        told = (plain(reason.value or ""), how(reason)) if reason else ("", "")
        rows.append((str(turn.number), code(turn.id), *told))
    if rows:
        yield from heading(3, "Rejected generations")
    yield from table(("generation", "commit", "reason", "known"), rows)
