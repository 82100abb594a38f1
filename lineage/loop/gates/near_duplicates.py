"""Records that repeat another new one, older data or human text, but for few words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from lineage.loop.gates.singles import SinglesSection, verdict
from lineage.loop.gates.sources import texts_of
from lineage.loop.records.similar import Repeat, repeats

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.loop.gates.base import Context, GateResult
    from lineage.loop.spec import LoopSpec

_EXAMPLES = 3
_WHAT = {
    "new": "another new record",
    "human": "a human record",
    "previous": "a record of the generation before",
}


class NearDuplicatesSpec(SinglesSection):
    """Records that repeat another one but for a few words."""

    thresholds: ClassVar[tuple[str, ...]] = ("threshold", "max_rate")
    why: ClassVar[str] = (
        "two texts are near-duplicates from 0.8 on (Lee et al. 2022, arXiv:2107.06499);"
        " the rate is ours"
    )
    calibrates: ClassVar[Mapping[str, str]] = {"max_rate": "max"}
    type: Literal["near_duplicates"]
    threshold: float = Field(default=0.8, gt=0, le=1)
    """The Jaccard index from which on a record repeats another."""
    words: int = Field(default=3, ge=1)
    """Words per shingle."""
    against: list[Literal["human", "previous"]] = Field(default=["human", "previous"])
    """Older data that count as well."""

    @property
    def most(self) -> float:
        """5 %, whatever happens to a record that repeats one."""
        return 0.05 if self.max_rate is None else self.max_rate


class NearDuplicates:
    """Keeps the first of those that resemble each other."""

    Section = NearDuplicatesSpec
    on: Literal["dataset"] = "dataset"

    def __init__(self, section: NearDuplicatesSpec, _: LoopSpec) -> None:
        self.id = section.id
        self._section = section

    def check(self, context: Context) -> GateResult:
        """Compare each record with those before it and with older data."""
        section = self._section
        places: list[tuple[str, str, str]] = [
            (source, id_, text)
            for source in section.against
            for id_, text in texts_of(context, source)
        ]
        known = len(places)
        places += [
            ("new", str(record.get("id", row)), record["text"])
            for row, record in enumerate(context.records)
        ]
        found = repeats(
            [text for *_, text in places],
            known=known,
            threshold=section.threshold,
            size=section.words,
        )
        reasons = {
            number - known: f"repeats {_WHAT[places[repeat.of][0]]}"
            for number, repeat in found.items()
        }
        what = "repeat another one but for a few words"
        details = _details(places, found)
        return verdict(section, context.records, reasons, what, details)


def _details(
    places: Sequence[tuple[str, str, str]], found: Mapping[int, Repeat]
) -> dict[str, Any]:
    """How many repeat what, and the closest."""
    counts = Counter(places[repeat.of][0] for repeat in found.values())
    closest = sorted(found.items(), key=lambda item: (-item[1].jaccard, item[0]))
    shown = [
        {
            "record": places[number][1],
            "repeats": places[repeat.of][1],
            "jaccard": repeat.jaccard,
        }
        for number, repeat in closest[:_EXAMPLES]
    ]
    return {"repeats": dict(sorted(counts.items())), "examples": shown}
