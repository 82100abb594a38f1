"""Facts: who looked after it, what they let through, and what proves the record."""

from collections import Counter
from collections.abc import Iterator

from lineage.audit.model import (
    Erasure,
    Field,
    Override,
    Signature,
    Statement,
    Taint,
)
from lineage.audit.obligations.scope import (
    Found,
    Scope,
    joined,
    named,
    recorded,
)
from lineage.audit.words import amount
from lineage.keys.signatures import words
from lineage.store.canonical import Json


def reviews(scope: Scope) -> Found:
    """The verdicts of people."""
    for said in scope.said("review"):
        if said.type == "review":
            told = joined([said.data.get("verdict"), said.data.get("note")])
            yield scope.name(said.subject or ""), _stated(said, told)


def review_coverage(scope: Scope) -> Found:
    """How much of what was made people have seen."""
    for loop in scope.report.loops:
        seen = loop.oversight
        turns = f"{seen.reviewed:,} of {seen.generations:,}"
        yield f"loop {loop.name}, generations reviewed", scope.now(turns)
        records = f"{seen.shown:,} of {seen.generated:,}"
        yield f"loop {loop.name}, records shown", scope.now(records)
        yield f"loop {loop.name}, records labelled", scope.now(seen.labelled)


def overrides(scope: Scope) -> Found:
    """Where somebody approved what a gate or a budget was against."""
    return scope.or_none(_overrides(scope), "overrides")


def _overrides(scope: Scope) -> Found:
    for loop in scope.report.loops:
        for one in loop.oversight.overrides:
            against = joined([*one.failed, *one.budgets])
            told = joined([f"against {against}", one.reason])
            yield scope.name(one.subject), _stated(one, told)


def budgets(scope: Scope) -> Found:
    """What a loop may spend before somebody looks, and what it has spent."""
    for loop in scope.report.loops:
        for name, pair in loop.oversight.budgets.items():
            if isinstance(pair, dict):
                told = f"{amount(pair.get('spent'))} of {amount(pair.get('limit'))}"
                yield f"loop {loop.name}, {name}", scope.now(told)


def fallbacks(scope: Scope) -> Found:
    """The generations that kept their parent's model."""
    return scope.or_none(_fallbacks(scope), "generations with their parent's model")


def _fallbacks(scope: Scope) -> Found:
    for loop in scope.report.loops:
        for id_ in loop.oversight.fallbacks:
            yield scope.name(id_), recorded("kept its parent's model", id_)


def taints(scope: Scope) -> Found:
    """What was marked as tainted, and how far that reaches."""
    return scope.or_none(_taints(scope), "taints")


def _taints(scope: Scope) -> Found:
    for one in scope.report.taints:
        lifted = "lifted later" if one.lifted else "not lifted"
        reach = f"{one.reached:,} commits, {len(one.reaches):,} of them in this report"
        told = joined([one.reason, lifted, f"reaches {reach}"])
        yield scope.name(one.subject), _stated(one, told)


def erasures(scope: Scope) -> Found:
    """Which files were erased, on whose authority."""
    return scope.or_none(_erasures(scope), "erasures")


def _erasures(scope: Scope) -> Found:
    for one in scope.report.erasures:
        files = f"{len(one.files):,} files"
        authority = one.authority and f"for {one.authority}"
        told = joined([files, one.reason, authority])
        yield joined(map(scope.name, one.subjects)), _stated(one, told)


def hashes(scope: Scope) -> Found:
    """The content of each part, by SHA-256."""
    for made in scope.about:
        yield f"{named(made)}, record", recorded(f"sha256:{made.id}", made.id)
        if root := (made.bytes.value or {}).get("root"):
            yield f"{named(made)}, files", recorded(f"sha256:{root}", made.id)


def signatures(scope: Scope) -> Found:
    """How many events of this report are signed, and by which keys."""
    for state, count in sorted(Counter(_states(scope)).items()):
        yield f"events: {state}", scope.now(count)
    for key in scope.report.keys:
        roles = joined(key.roles) or "no role"
        revoked = "revoked" if key.revoked else ""
        told = joined([key.fingerprint, roles, revoked])
        label = f"key of {key.name}" if key.name else "key"
        yield label, Field("recorded", told, event=key.event)


def _states(scope: Scope) -> Iterator[str]:
    report = scope.report
    events = {made.event: made.signature for made in report.artifacts}
    events |= {said.event: said.signature for said in report.statements}
    events |= {one.event: one.signature for one in report.releases}
    events |= {one.event: one.signature for one in report.taints}
    events |= {one.event: one.signature for one in report.erasures}
    return (_plain(signature) for signature in events.values())


def _plain(signature: Signature) -> str:
    """A state of a signature without whose it is."""
    if signature.state == "good":
        return "signed by a key that may"
    return (
        words(signature)
        if signature.state in ("no keys", "unsigned")
        else (f"signature {signature.state}")
    )


def log(scope: Scope) -> Found:
    """The newest event that the report knows of: all before it are chained to it."""
    newest = scope.report.as_of
    yield "newest event", scope.now(f"sha256:{newest.event}")
    yield "newest event, time", scope.now(newest.time)
    yield "commits in this report", scope.now(len(scope.report.artifacts))
    yield "statements in this report", scope.now(len(scope.report.statements))


def gaps(scope: Scope) -> Found:
    """What is not recorded."""
    for gap in scope.report.gaps:
        yield gap.what, scope.now(f"{len(gap.where):,} commits")


def _stated(one: Override | Taint | Erasure | Statement, told: str) -> Field[Json]:
    """What an event has somebody say."""
    return Field(
        "stated",
        told,
        event=one.event,
        by=one.by,
        time=one.time,
        signature=one.signature,
    )
