"""What people stated of a commit: fields with a text, each in somebody's name.

A statement is an event of the type ``statement`` (store/FORMAT.md). It answers what no
machine records: what a model is for, why data were chosen, who was asked. Reports show
it as ``stated``, with who said it and whether it is signed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lineage.errors import UsageError
from lineage.keys.signatures import Signature, Signatures
from lineage.measured import Said as Recorded
from lineage.registry import Registry
from lineage.statements import statements, subjects
from lineage.store.event_reading import Logged

__all__ = ["STATEMENT", "Said", "state", "stated"]

STATEMENT = "statement"  # the type of such an event
LONGEST = 64 * 1024  # bytes of a text
_ODD = re.compile(r"[^\n\t -~\xa0-\ud7ff\ue000-\U0010ffff]")  # nor surrogates
FIELD = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Said:
    """A text, and the event that says it."""

    text: str
    event: str
    by: Mapping[str, str]
    time: str
    signature: Signature


def stated(
    registry: Registry, id_: str, signatures: Signatures | None = None
) -> Mapping[str, Said]:
    """What holds of the commit `id_`, by field, sorted.

    Of a registry as it was at some event, what had been said by then. `signatures`
    are for those who ask of many commits.
    """
    found: dict[str, tuple[str, Logged]] = {}
    if id_ not in subjects(registry, STATEMENT):
        return {}
    for logged in statements(registry, id_, STATEMENT):
        for field, text in _said(logged):
            found.pop(field, None)
            if text is not None:
                found[field] = text, logged
    signatures = signatures or Signatures(registry)
    return {field: _made(*found[field], signatures) for field in sorted(found)}


def _said(logged: Logged) -> Iterator[tuple[str, str | None]]:
    """The fields of one event; what is malformed says nothing."""
    given = logged.event.data.get("stated")
    for field, text in given.items() if isinstance(given, dict) else ():
        wrong = FIELD.fullmatch(field) is None or _fault(text)
        if text is None or not wrong:
            yield field, text


def _made(text: str, logged: Logged, signatures: Signatures) -> Said:
    event = logged.event
    return Said(text, event.id, event.actor, event.time, signatures.of(logged))


def state(
    registry: Registry,
    id_: str,
    given: Mapping[str, str | None],
    *,
    message: str = "",
) -> Recorded:
    """State `given` of the commit `id_`; None takes a statement back.

    Where you said all of it before, and no better signature can be had, nothing is
    recorded.

    Raises:
        NotFound: when the commit is not here.
        UsageError: for nothing at all, for a field or a text that cannot be, and for
            taking back what nobody stated.
        NotAllowed: when the registry is that of a time that has passed, or the key
            that signs here may not.
    """
    registry.events_log.check_writable()
    registry.load(id_)
    present = stated(registry, id_)
    _check(id_, given, present)
    if all(_holds(registry, present.get(f), text) for f, text in given.items()):
        newest = max(given, key=lambda field: (present[field].time, field))
        return Recorded(present[newest].event, created=False)
    data = {"stated": dict(given)}
    event = registry.attest(STATEMENT, subject=id_, message=message, data=data)
    return Recorded(event, created=True)


def _holds(registry: Registry, present: Said | None, text: str | None) -> bool:
    """Whether the one who acts here has said just that, as well as can be."""
    return (
        present is not None
        and present.text == text
        and present.by == registry.actor()
        and (present.signature.state == "good" or registry.signer.path() is None)
    )


def _check(
    id_: str, given: Mapping[str, str | None], present: Mapping[str, Said]
) -> None:
    """Refuse what nobody would hear."""
    if not given:
        raise UsageError("there is nothing to state", hint="give a field and a text")
    for field, text in given.items():
        if not FIELD.fullmatch(field):
            hint = "small letters, digits, _ . and -, at most 64: intended_purpose"
            raise UsageError(f"{field!r} is not the name of a field", hint=hint)
        if text is None and field not in present:
            hint = "`lineage show` lists what is stated"
            raise UsageError(f"nobody stated {field} of {id_[:12]}", hint=hint)
        if text is not None and (wrong := _fault(text)):
            raise UsageError(f"the text of {field} {wrong}")


def _fault(text: object) -> str:
    """Why a text cannot be stated; "" if it can."""
    if not isinstance(text, str) or not text.strip():
        return "is empty"
    if len(text.encode(errors="replace")) > LONGEST:
        return "is longer than 64 KiB"
    return "has control characters" if _ODD.search(text) else ""
