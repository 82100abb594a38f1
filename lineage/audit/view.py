"""What the page of a report shows that the model does not say in so many words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lineage.audit import marks, text
from lineage.audit.audiences import TOLD
from lineage.audit.environments import environments, named
from lineage.audit.graph import graph
from lineage.audit.model import STATUSES, Artifact, Gap, Generation, Report, Statement
from lineage.audit.summary import figures, ledger
from lineage.audit.told import ELSEWHERE, Told, told
from lineage.audit.vouched import vouched
from lineage.audit.words import FEW
from lineage.wording import plural

MOST_ROWS = 24  # of a table that is not folded
MOST_WHOLE = 120  # commits that are shown whole
_ENDS = (5, 7)  # generations of a long loop that are shown whole
_ASIDE = 3


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the page; those of the appendix have a letter for a number."""

    id: str
    title: str
    number: str
    loop: Told | None = None


def view(report: Report) -> dict[str, Any]:
    """All that the page's templates use."""
    artifacts = {made.id: made for made in report.artifacts}
    subjects = [artifacts[id_] for id_ in report.subjects]
    loops = [told(loop, report, f"loop-{n}") for n, loop in enumerate(report.loops, 1)]
    turns = _ends(report)
    full = _whole(report, turns)
    whole = {made.id for made in full}
    links = marks.Links(artifacts, frozenset(turn.id for turn in turns))
    spoken = vouched(report)
    contents = _contents(report, loops)
    rooms = environments(report.artifacts)
    return {
        "report": report,
        "statuses": STATUSES,
        "told_to": TOLD.get(report.audience, ""),
        "few": FEW,
        "artifacts": artifacts,
        "subjects": subjects,
        "title": _title(subjects, report),
        "contents": contents,
        "figures": figures(report, spoken),
        "ledger": ledger(report, loops, spoken, contents, links),
        "training": {model.model: model for model in report.training},
        "written": {dataset.dataset: dataset for dataset in report.written},
        "graph": "" if loops else graph("lineage-graph", report, None),
        "vouched": spoken,
        "loose": _loose(report, loops),
        "told": turns,
        "hidden": len(report.turns) - len(turns),
        "full": full,
        "brief": [made for made in report.artifacts if made.id not in whole],
        "environments": rooms,
        "environment_of": named(report.artifacts, rooms),
        "gaps": [(gap.what, *_places(gap, artifacts, report)) for gap in report.gaps],
        "most_rows": MOST_ROWS,
        "missing": marks.MISSING,
        "sig": marks.signature,
        "source": marks.source,
        "ref": links.ref,
        "turn_link": links.turn,
    }


def _title(subjects: list[Artifact], report: Report) -> str:
    if len(subjects) > 1:
        return plural(len(subjects), "commit")
    [made] = subjects
    turns = {turn.id: turn for turn in report.turns}
    if made.id in turns:
        turn = turns[made.id]
        rejected = ", rejected" if turn.status == "rejected" else ""
        return f"Generation {turn.number} of {made.name}{rejected}"
    return f"{made.kind.capitalize()} {made.name}"


def _contents(report: Report, loops: Iterable[Told]) -> list[Chapter]:
    """The chapters in their order, numbered."""
    found = [(f.id, f"The feedback loop {f.loop.name}", f) for f in loops]
    plain = [
        *([] if found else [("lineage", "What came from what")]),
        ("changes", "What changed between releases"),
        ("taints", "Taints and erasures"),
        ("generators", "Models that wrote data"),
        ("releases", "Releases"),
        ("signatures", "Who signed what, in which role"),
        *([("obligations", report.obligations.title)] if report.obligations else []),
        ("limits", "What cannot be known or protected"),
        ("check", "How to check this without us"),
    ]
    numbered = [*found, *((id_, title, None) for id_, title in plain)]
    chapters = [
        Chapter(id_, title, str(number), loop)
        for number, (id_, title, loop) in enumerate(numbered, 1)
    ]
    behind = [("each", "Each generation")] if found else []
    behind.append(("artifacts", "Commits"))
    letters = zip("AB", behind, strict=False)
    return [*chapters, *(Chapter(id_, title, at) for at, (id_, title) in letters)]


def _ends(report: Report) -> list[Generation]:
    """The generations that are shown whole: of long loops the first and the last."""
    found: list[Generation] = []
    for loop in report.loops:
        chain = loop.generations
        long = len(chain) > MOST_ROWS
        found += (*chain[: _ENDS[0]], *chain[-_ENDS[1] :]) if long else chain
        found += loop.rejected[-_ASIDE:] if long else loop.rejected
    return list({turn.id: turn for turn in found}.values())


def _whole(report: Report, turns: Iterable[Generation]) -> list[Artifact]:
    """The commits that are shown whole: all, or those of these generations."""
    if len(report.artifacts) <= MOST_WHOLE:
        return list(report.artifacts)
    wanted = {part.id for turn in turns for part in (*turn.parts, *turn.held_out)}
    wanted |= {turn.id for turn in turns} | set(report.subjects)
    wanted |= {out.subject for out in report.releases}
    wanted |= {mark.subject for mark in report.taints}
    found = [made for made in report.artifacts if made.id in wanted]
    return found if len(found) <= 2 * MOST_WHOLE else found[-2 * MOST_WHOLE :]


def _loose(report: Report, loops: Iterable[Told]) -> list[Statement]:
    """Statements that no loop's chapter tells."""
    there = {said.event for loop in loops for said in loop.statements}
    found = (said for said in report.statements if said.type not in ELSEWHERE)
    return [said for said in found if said.event not in there]


def _places(
    gap: Gap, artifacts: Mapping[str, Artifact], report: Report
) -> tuple[str, list[Artifact], int]:
    """Where a gap is: generations by number; other commits, a few; how many more."""
    numbers = {turn.id: turn.number for turn in report.turns}
    found = [numbers[id_] for id_ in gap.where if id_ in numbers]
    others = [artifacts[id_] for id_ in gap.where if id_ not in numbers]
    label = f"generation{'s' if len(found) > 1 else ''} {text.ranges(found)}"
    return label if found else "", others[:FEW], max(0, len(others) - FEW)
