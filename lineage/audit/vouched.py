"""What people vouch for, and whether they signed it."""

from collections.abc import Iterator
from dataclasses import dataclass

from lineage.audit.model import Report, Signature, Statement


@dataclass(frozen=True, slots=True)
class Vouched:
    """Somebody's word: what it says, of which commit, with its signature."""

    event: str
    what: str
    subject: str | None
    by: str
    time: str
    signature: Signature

    @property
    def signed(self) -> bool:
        return self.signature.state == "good"


def vouched(report: Report) -> list[Vouched]:
    """Every review, release, statement, override, taint and erasure, by time."""
    found = {one.event: one for one in _all(report)}
    return sorted(found.values(), key=lambda one: (one.time, one.event))


def _all(report: Report) -> Iterator[Vouched]:
    """All of them; what comes later says better what an event is."""
    for said in report.statements:
        if said.type in ("review", "statement"):
            yield _spoken(said)
    for over in (o for loop in report.loops for o in loop.oversight.overrides):
        yield Vouched(
            over.event, "override", over.subject, over.by, over.time, over.signature
        )
    for out in report.releases:
        what = f"release to {out.environment}"
        yield Vouched(out.event, what, out.subject, out.by, out.since, out.signature)
    for mark in report.taints:
        yield Vouched(
            mark.event, "taint", mark.subject, mark.by, mark.time, mark.signature
        )
    for gone in report.erasures:
        subject = gone.subjects[0] if gone.subjects else None
        yield Vouched(
            gone.event, "erasure", subject, gone.by, gone.time, gone.signature
        )
    for made in report.artifacts:
        for name, field in made.stated.items():
            if field.event and field.signature:
                yield Vouched(
                    field.event,
                    f"statement: {name}",
                    made.id,
                    field.by or "",
                    field.time or "",
                    field.signature,
                )


def _spoken(said: Statement) -> Vouched:
    verdict = said.data.get("verdict")
    what = f"{said.type}: {verdict}" if isinstance(verdict, str) else said.type
    return Vouched(said.event, what, said.subject, said.by, said.time, said.signature)
