"""The first page of a report: a few figures, and each question with its answer."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from markupsafe import Markup

from lineage.audit.marks import MISSING, Links, safe
from lineage.audit.model import Generation, Loop, Report
from lineage.audit.steps import COUNTS
from lineage.audit.text import number, percent
from lineage.audit.told import Told
from lineage.audit.vouched import Vouched
from lineage.audit.words import change, made
from lineage.wording import plural

_FEW = 3  # measures, releases


class Place(Protocol):
    """A chapter, as far as a line points at it."""

    @property
    def id(self) -> str: ...
    @property
    def number(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Figure:
    """A number to remember, with what it counts."""

    label: str
    value: str | Markup
    more: str


@dataclass(frozen=True, slots=True)
class Line:
    """A question, its answer, and where the page tells more; `bad` is said first."""

    question: str
    answer: str | Markup
    goal: str
    place: str
    bad: str = ""


def figures(report: Report, spoken: Sequence[Vouched]) -> list[Figure]:
    """Four at most."""
    found = []
    if report.loops:
        chain = {turn.id for turn in report.turns if turn.status == "accepted"}
        aside = {turn.id for turn in report.turns} - chain
        tries = f"and {len(aside):,} rejected" if aside else "none rejected"
        found.append(Figure("Generations", number(len(chain)), tries))
        found.append(_machine(report.loops))
        due = sum(loop.oversight.generations for loop in report.loops)
        seen = sum(loop.oversight.reviewed for loop in report.loops)
        found.append(
            Figure("Decided on by people", number(seen), f"of {due:,} after the first")
        )
    signed = sum(one.signed for one in spoken)
    words = f"of {len(spoken):,} reviews, releases and statements"
    none = "no review, release or statement was made"
    return [*found, Figure("Signed", number(signed), words if spoken else none)]


def _machine(loops: Iterable[Loop]) -> Figure:
    """How much of what the newest model learned from was machine-written."""
    known = [t.made_of for loop in loops for t in loop.generations if t.made_of]
    if not known:
        return Figure("Machine-written", MISSING, "of the newest training data")
    of = known[-1]
    open_ = f"; {percent(of.unknown.share)} unknown" if of.unknown.share else ""
    more = f"of what the newest model learned from{open_}"
    return Figure("Machine-written", percent(of.machine.share), more)


def ledger(
    report: Report,
    loops: Sequence[Told],
    spoken: Sequence[Vouched],
    contents: Iterable[Place],
    links: Links,
) -> list[Line]:
    """The questions in the order of the chapters."""
    numbers = {place.id: place.number for place in contents}
    lines: list[Line] = []
    for told in loops:
        lines += _loop(told, numbers[told.id], several=len(loops) > 1)
    for question, answer, goal, bad in _rest(report, spoken, links):
        lines.append(Line(question, answer, goal, numbers.get(goal, ""), bad))
    return lines


def _loop(told: Told, chapter: str, *, several: bool) -> Iterator[Line]:
    """What is asked of every loop."""
    name = f"{told.loop.name}: " if several else ""
    first = True
    for section, (question, answer, bad) in _asked(told):
        start = name if first else ""
        first = False
        goal = f"{told.id}-{section}"
        asked = (
            f"{start}{question if not start else question[0].lower() + question[1:]}"
        )
        yield Line(asked, answer, goal, f"{chapter}.{section}", bad)


def _asked(told: Told) -> Iterator[tuple[int, tuple[str, str | Markup, str]]]:
    loop = told.loop
    turns = [turn for turn in loop.generations if turn.made_of]
    yield 1, ("Made of", _made_of(turns), "")
    yield 3, ("Generated, rejected, kept", _counted(loop), "")
    for about in ("diversity", "bias"):
        asked = f"{about.capitalize()}, from the start to now"
        yield 4, (asked, _drift(told, about), "")
    failed = sum(len(gate.failed) for gate in told.gates)
    verdicts = plural(len(told.verdicts), "verdict") if told.verdicts else MISSING
    overrides = plural(told.overrides, "override") if told.overrides else "no override"
    gates = Markup("{}; {}").format(verdicts, overrides)
    yield 5, ("Gates", gates, f"{failed} failed" if failed else "")
    yield 6, ("Reviews", _reviewed(loop), "")
    yield 7, ("Failed, rejected, given up", *_failed(told))


def _made_of(turns: Sequence[Generation]) -> str | Markup:
    found = [turn.made_of for turn in turns if turn.made_of]
    if not found:
        return MISSING
    of = found[-1]
    whole = f" of {of.count:,} {of.unit}" if of.count is not None else ""
    return f"{made(of)}{whole} in generation {turns[-1].number}"


def _counted(loop: Loop) -> str | Markup:
    took = [turn.compute for turn in loop.turns if turn.compute]
    sums = []
    for name in COUNTS:
        known = [v for of in took if (v := getattr(of, name)) is not None]
        if known:
            sums.append(f"{number(sum(known))} {name}")
    seconds = [of.seconds for of in took if of.seconds is not None]
    if seconds:
        sums.append(f"{number(sum(seconds), 4)} s of steps")
    return ", ".join(sums) if sums else MISSING


def _drift(told: Told, about: str) -> str | Markup:
    found = [one for _, one, _ in told.against if one.about == about]
    if not found:
        return MISSING
    said = [
        f"{one.name} {number(one.start, 3)} → {number(one.now, 3)}"
        f" ({change(one.start, one.now)})"
        for one in found[:_FEW]
    ]
    more = f", and {len(found) - _FEW} more" if len(found) > _FEW else ""
    return ", ".join(said) + more


def _reviewed(loop: Loop) -> str:
    seen = loop.oversight
    said = f"{seen.reviewed:,} of {plural(seen.generations, 'generation')} decided on"
    if seen.generated:
        said += f"; {seen.shown:,} of {plural(seen.generated, 'record')} seen by people"
    return said


def _failed(told: Told) -> tuple[str, str]:
    bad = []
    if told.rejected:
        bad.append(plural(len(told.rejected), "rejected generation"))
    if told.failures:
        bad.append(plural(len(told.failures), "failed step"))
    return ("" if bad else "none recorded", ", ".join(bad))


def _rest(
    report: Report, spoken: Sequence[Vouched], links: Links
) -> Iterator[tuple[str, str | Markup, str, str]]:
    """What is asked of every report: question, answer, chapter, what is bad."""
    standing = [mark for mark in report.taints if not mark.lifted]
    gone = plural(len(report.erasures), "erasure") if report.erasures else "no erasures"
    taints = f"{plural(len(standing), 'taint')} not lifted" if standing else ""
    lifted = len(report.taints) - len(standing)
    calm = f"{plural(lifted, 'lifted taint')}, " if lifted else ""
    calm = calm or ("" if standing else "no taints, ")
    yield "Taints and erasures", f"{calm}{gone}", "taints", taints
    wrote = plural(len(report.generators), "model") if report.generators else "no model"
    yield "Models that wrote data", f"{wrote}, each by its content", "generators", ""
    yield "Live", _live(report, links), "releases", ""
    yield "Signed", _signed(report, spoken), "signatures", _broken(spoken)
    if filled := report.obligations:
        counts = ", ".join(f"{n:,} {name}" for name, n in filled.coverage.items())
        yield "Obligations", f"{filled.title}: {counts}", "obligations", ""
    counts = ", ".join(f"{n:,} {name}" for name, n in report.coverage.items())
    fields = f"{counts} of the fields of {plural(len(report.artifacts), 'commit')}"
    gaps = plural(len(report.gaps), "gap") if report.gaps else "no gap found"
    yield "Not recorded", f"{gaps}; {fields}", "limits", ""


def _live(report: Report, links: Links) -> str | Markup:
    live = [one for one in report.releases if one.until is None]
    if not live:
        return "no release recorded" if not report.releases else "nothing now"
    said = [
        Markup("{}: {}").format(safe(one.environment), links.ref(one.subject))
        for one in live[:_FEW]
    ]
    more = f", and {len(live) - _FEW:,} more" if len(live) > _FEW else ""
    return Markup(", ").join(said) + more


def _signed(report: Report, spoken: Sequence[Vouched]) -> str:
    if not spoken:
        return "no review, release or statement was made"
    signed = sum(one.signed for one in spoken)
    keys = "" if report.keys else "; the registry has no keys"
    return f"{signed:,} of {len(spoken):,} reviews, releases and statements{keys}"


def _broken(spoken: Iterable[Vouched]) -> str:
    states = ("good", "unsigned", "no keys")
    broken = sum(one.signature.state not in states for one in spoken)
    return f"{plural(broken, 'signature')} not valid" if broken else ""
