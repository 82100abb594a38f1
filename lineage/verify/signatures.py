"""Checking signatures: is each event signed by somebody who could?"""

from collections.abc import Iterator

from lineage.errors import LineageError
from lineage.keys.judge import Judge
from lineage.keys.signer import unsigned_allowed
from lineage.registry import Registry
from lineage.store.event_reading import Logged
from lineage.store.merging import PULL
from lineage.verify.problem import Problem


def signature_findings(registry: Registry) -> Iterator[Problem]:
    """Events whose signature does not count; nothing in a registry without keys.

    Events from before the first key are not judged; unsigned ones are left alone
    where `signing.required` is false, and pulls everywhere: who only reads has no key.
    """
    try:
        yield from _findings(registry)
    except LineageError as error:
        yield Problem("", "", f"the signatures cannot be checked: {error}")


def _findings(registry: Registry) -> Iterator[Problem]:
    judge = Judge(registry)
    anchor = registry.settings.get("signing.anchor")
    if judge.keys.root is None:
        if anchor:
            yield Problem("", "", f"no key event is signed by the anchor {anchor}")
        for change in judge.changes:
            what = "the key event does not add the key that it is signed with"
            yield Problem(change.seen.event.id, "", what)
        return
    lenient = unsigned_allowed(registry)
    for logged, standing in judge.standings():
        if standing is None or standing.state == "good":
            continue
        if standing.state != "unsigned" or not (lenient or _invents_nothing(logged)):
            yield Problem(logged.event.id, "", f"the event {standing.says}")
    for change in judge.changes:
        if not (change.key or change.revocation):
            yield Problem(change.seen.event.id, "", "the key event cannot be read")


def _invents_nothing(logged: Logged) -> bool:
    """Whether an event is a pull, whose names follow from two logs (`store.replay`)."""
    return logged.event.type == PULL and not logged.event.commits
