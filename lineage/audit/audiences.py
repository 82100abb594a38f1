"""For whom a report is made: what is left out of it, and nothing put in.

An authority is told everything. Whoever builds on a model is told who signed, but no
addresses, hosts, paths or notes. The public is told no names of people either: roles
stand for them. What a person wrote freely is left out unless it was written for these
readers: texts that were stated for an item that asks on their behalf.

Of free data only what `lineage.audit.permitted` lists stays. A test lists all that the
public sees of the model, so that a new field of it is decided upon.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeAlias

from lineage.audit import model, permitted
from lineage.audit.model import Artifact, Field, Report
from lineage.keys.signatures import Ended, Signature, Signer

AUDIENCES = ("public", "downstream", "authority")
EVERYTHING = "authority"
LEFT_OUT = "left out of this report"
TOLD = {
    "public": (
        "Made for the public. Names and addresses of people, hosts, users, paths, "
        "messages, notes, settings and circumstances are left out; roles stand for "
        "people."
    ),
    "downstream": (
        "Made for those who build on the model. Addresses of people, hosts, users, "
        "paths, messages and notes are left out."
    ),
    EVERYTHING: "",
}
"""What each report says of itself."""

FOR_ALL = ("languages", "licence")
"""The fields that are stated to be read by everybody: every card has them."""

_Rule: TypeAlias = Callable[["_Reader", Any, Any], Any]


def for_audience(report: Report, audience: str, stated: Collection[str] = ()) -> Report:
    """The report with what is not for `audience` left out.

    `stated` are the fields whose texts were stated for these readers, as a template
    asks for them; other texts are left out. An authority gets the report as it is.
    Templates are filled afterwards, from what is left.
    """
    if audience == EVERYTHING:
        return replace(report, audience=audience)
    reader = _Reader(report, public=audience == "public", stated=frozenset(stated))
    named = {word: plain for made in report.artifacts for word, plain in _told(made)}
    gaps = (replace(gap, what=_plainly(gap.what, named)) for gap in report.gaps)
    seen = replace(report, audience=audience, gaps=tuple(gaps), obligations=None)
    return reader.seen(seen)  # type: ignore[no-any-return]


def _told(made: Artifact) -> list[tuple[str, str]]:
    """What gaps may cite of a commit that only an authority sees."""
    told = (made.bytes.value or {}).get("told")
    cited = [(told, "erased")] if isinstance(told, str) and told else []
    permitted_ = permitted.origin(made.origin)
    return cited + [(key, "a field") for key in made.origin if key not in permitted_]


def _plainly(what: str, named: Mapping[str, str]) -> str:
    for word in sorted(named, key=len, reverse=True):
        what = what.replace(word, named[word])
    return what


def _people(report: Report) -> Iterator[str]:
    """The names of everybody who recorded or signed something."""
    by = [made.by for made in report.artifacts]
    by += [said.by for said in report.statements]
    by += [one.by for one in report.releases]
    by += [one.by for one in report.taints]
    by += [one.by for one in report.erasures]
    names = [who.partition("<")[0].strip() for who in by]
    yield from filter(None, (*names, *(key.name for key in report.keys)))


class _Reader:
    """Somebody who may not see everything."""

    def __init__(self, report: Report, *, public: bool, stated: frozenset[str]) -> None:
        self.public = public
        self.stated = stated
        self.people = frozenset(_people(report)) if public else frozenset()

    def may_read(self, text: str) -> bool:
        """Whether a text names no person of the registry, and only public places."""
        return permitted.is_public(text) and not any(p in text for p in self.people)

    def seen(self, value: Any) -> Any:
        """What of a value of the model this reader sees."""
        if is_dataclass(value) and not isinstance(value, type):
            rules = _RULES.get(type(value), {})
            return replace(
                value,
                **{
                    field.name: rules.get(field.name, _everything)(
                        self, getattr(value, field.name), value
                    )
                    for field in fields(value)
                },
            )
        if isinstance(value, tuple):
            return tuple(self.seen(item) for item in value)
        if isinstance(value, Mapping):
            return {key: self.seen(item) for key, item in value.items()}
        return value


def _everything(reader: _Reader, value: Any, _of: Any) -> Any:
    return reader.seen(value)


def _nothing(empty: Any) -> _Rule:
    """Leave it out, with `empty` in its place."""
    return lambda _reader, _value, _of: empty


def _only(keep: Callable[[Any], Any]) -> _Rule:
    """Keep what `keep` lets through of free data, in a field or not."""

    def rule(reader: _Reader, value: Any, _of: Any) -> Any:
        if isinstance(value, Field):
            known = reader.seen(replace(value, value=None))
            return replace(known, value=keep(value.value)) if value.value else known
        return keep(value) if value else value

    return rule


def _not_public(rule: _Rule, empty: Any = None) -> _Rule:
    """A rule for those who build on a model; the public sees nothing of it."""
    return lambda reader, value, of: empty if reader.public else rule(reader, value, of)


def _person(reader: _Reader, by: str | None, of: Any) -> str | None:
    """A person: by name without an address, or by role."""
    if not by:
        return by
    name = by.partition("<")[0].strip()
    if not reader.public and name and "@" not in name:
        return name
    signature: Signature | None = getattr(of, "signature", None)
    roles = signature.roles if signature and signature.state == "good" else ()
    if not signature or not roles:
        return "a person"
    return f"a {signature.role or roles[0]}"


def _text(reader: _Reader, text: str | None, _of: Any) -> str | None:
    """A definition or a source, where it names nobody and none but public places."""
    return text if not text or reader.may_read(text) else LEFT_OUT


def _origin(reader: _Reader, given: Mapping[str, Field[Any]], _of: Any) -> Any:
    found = {}
    for key, field in permitted.origin(given).items():
        known = reader.seen(field)
        text = known.value
        shown = (
            text if isinstance(text, str) and permitted.is_public(text) else LEFT_OUT
        )
        found[key] = replace(known, value=shown) if text else known
    return found


def _stated(reader: _Reader, given: Mapping[str, Field[str]], _of: Any) -> Any:
    seen = {*reader.stated, *FOR_ALL}
    return {key: reader.seen(f) for key, f in given.items() if key in seen}


def _reason(reader: _Reader, field: Field[str] | None, _of: Any) -> Any:
    """Why a turn was rejected: what the runner wrote of gates, nothing of people."""
    if field is None or not field.value:
        return field
    known = reader.seen(field)
    gate = field.status == "recorded" and field.value.startswith("gate failed: ")
    plain = gate and reader.may_read(field.value)
    return known if plain else replace(known, value=LEFT_OUT)


def _data(_reader: _Reader, data: Mapping[str, Any], of: model.Statement) -> Any:
    return permitted.said(of.type, data)


def _number(_reader: _Reader, value: Any, _of: Any) -> Any:
    return value if isinstance(value, int | float) else None


def _numbers(_reader: _Reader, params: tuple[Any, ...], _of: Any) -> Any:
    """Changes of parameters that are numbers on both sides."""
    return tuple(
        param
        for param in params
        if all(isinstance(v, int | float) for v in (param.before, param.after))
    )


_RULES: Mapping[type, Mapping[str, _Rule]] = {
    Field: {"by": _person},
    Signature: {
        "by": _not_public(_everything),
        "fingerprint": _not_public(_everything),
        "why": _nothing(""),
    },
    Signer: {
        "fingerprint": _not_public(_everything, ""),
        "added_by": _not_public(_everything, ""),
        "name": _not_public(_everything, ""),
        "email": _nothing(""),
        "key": _not_public(_everything, ""),
    },
    Ended: {"reason": _nothing(LEFT_OUT)},
    Artifact: {
        "by": _person,
        "branches": _not_public(_everything, ()),
        "message": _nothing(None),
        "bytes": _only(permitted.held),
        "origin": _origin,
        "stated": _stated,
        "params": _not_public(_only(permitted.settings)),
        "code": _not_public(_only(permitted.code)),
        "circumstances": _not_public(_only(permitted.conditions)),
        "further": _nothing({}),
    },
    model.Measurement: {"definition": _text},
    model.Measure: {"definition": _text},
    model.Gate: {
        "value": _number,
        "bounds": _only(permitted.numbers),
        "sentence": _nothing(None),
        "rejected": _number,
        "details": _nothing({}),
    },
    model.Generation: {"reason": _reason},
    model.Loop: {"branches": _not_public(_everything, ())},
    model.Oversight: {"budgets": _only(permitted.numbers)},
    model.Override: {
        "by": _person,
        "reason": _nothing(LEFT_OUT),
        "budgets": _only(permitted.numbers),
    },
    model.Statement: {"by": _person, "message": _nothing(""), "data": _data},
    model.Release: {"by": _person},
    model.Change: {"params": _not_public(_numbers, ())},
    model.Taint: {"by": _person, "reason": _nothing(LEFT_OUT)},
    model.Erasure: {
        "by": _person,
        "reason": _nothing(LEFT_OUT),
        "authority": _nothing(LEFT_OUT),
    },
}
