"""Values from the command line: K=V pairs, typed scalars, files of them."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.errors import UsageError

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.store.objects import Edge, Metric

_DIGITS = 1000  # of an integer: Python converts no more than 4,300
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_WRITTEN_OUT = {"value", "definition", "direction", "interval"}  # what metrics have
# Patterns are compiled when they are first used: `--help` waits for none of them.
_INTEGER = r"[-+]?[0-9]+"
_FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|nan)"
_QUOTED = r"(['\"])(.*)\1"
_SHARE = r"(?P<revision>.*),share=(?P<share>[^,]*)"
_COUNTS = r"([0-9]{1,16})/([0-9]{1,16})"


def scalar(text: str) -> bool | float | str | None:
    """A YAML 1.2 scalar: 2e-3 and 1e9 are numbers, no is a word, '12' is text."""
    if text in _WORDS:
        return _WORDS[text]
    if re.fullmatch(_INTEGER, text):
        return int(text) if len(text) < _DIGITS else text
    if re.fullmatch(_FLOAT, text):
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))
    quoted = re.fullmatch(_QUOTED, text, re.DOTALL)
    return quoted[2] if quoted else text


def pairs(texts: Iterable[str], what: str) -> dict[str, Any]:
    """Typed values by name, from ``name=value`` texts.

    Raises:
        UsageError: for a text without a name or value, or a name given twice.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            hint = f"write it as --{what} name=value"
            raise UsageError(
                f"the {what} {text!r} is not a name and a value", hint=hint
            )
        if name in found:
            raise UsageError(f"the {what} {name} is given twice")
        found[name] = scalar(value)
    return found


def texts(given: Iterable[str]) -> dict[str, str | None]:
    """Texts by field, from ``field=text`` and ``field=@FILE``; None for ``field=``.

    ``field=@@text`` is a text that begins with an @. Line ends are those of Unix.

    Raises:
        UsageError: for a text without a field, a field given twice, a file that cannot
            be read or is empty.
    """
    found: dict[str, str | None] = {}
    for each in given:
        field, equals, text = each.partition("=")
        if not (field and equals):
            hint = "write it as --state FIELD=TEXT or FIELD=@FILE"
            raise UsageError(f"{each!r} is not a field and a text", hint=hint)
        if field in found:
            raise UsageError(f"the field {field} is given twice")
        if text.startswith("@") and not text.startswith("@@"):
            found[field] = _text_of(Path(text[1:]))
        else:
            found[field] = text.removeprefix("@") or None
    return found


def _text_of(path: Path) -> str:
    """What a file says, without the end of its last line."""
    from lineage.stated import LONGEST

    try:
        with path.open("rb") as file:
            data = file.read(2 * LONGEST)  # as long as it may be with other line ends
        text = data.decode("utf-8-sig").replace("\r\n", "\n").rstrip("\n")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        hint = "write @@ where a text begins with an @"
        raise UsageError(f"{path} cannot be read: {why}", hint=hint) from None
    if not text:
        raise UsageError(f"{path} is empty", hint="`FIELD=` takes a statement back")
    return text


def mapping(path: Path, what: str) -> dict[str, Any]:
    """What a YAML, JSON, TOML or Python file maps names to.

    Raises:
        StoreError: when it cannot be read.
        UsageError: when it is malformed, not UTF-8, or no mapping.
    """
    from lineage.diff.documents import read

    data = read(path)
    if data is None:
        return {}
    if not isinstance(data, dict):
        hint = f"{what} are written as `name: value`, one per line"
        raise UsageError(f"{path} does not map names to values", hint=hint)
    return {str(name): value for name, value in data.items()}


def measured(path: Path) -> "tuple[dict[str, Metric], list[str]]":
    """The metrics in a file, and the names of what is no number there.

    A mapping that is no metric is a group: its numbers are called ``group.name``.

    Raises:
        StoreError: when it cannot be read.
        UsageError: when it is malformed, or a metric that is written out is wrong.
    """
    found: dict[str, Metric] = {}
    others = []
    for name, value in _leaves(mapping(path, "metrics")):
        try:
            found |= metrics({name: value})
        except UsageError:
            if isinstance(value, dict):
                raise
            others.append(name)
    return found, others


def _leaves(group: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in group.items():
        if isinstance(value, dict) and not _WRITTEN_OUT & value.keys():
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def metrics(given: dict[str, Any]) -> "dict[str, Metric]":
    """Metrics by name; a list of numbers, or ``0.81,0.83``, is one of repeats.

    Raises:
        UsageError: naming the metric that is wrong.
    """
    found = {}
    for name, value in given.items():
        try:
            found[name] = _metric(value)
        except UsageError as error:
            raise UsageError(f"the metric {name}: {error}", hint=error.hint) from None
    return found


def _metric(value: Any) -> "Metric":
    from lineage.repeats import repeated
    from lineage.store.objects import Metric

    if isinstance(value, str) and "," in value:
        value = [scalar(part.strip()) for part in value.split(",")]
    return repeated(value) if isinstance(value, list) else Metric.from_user(value)


def edge(registry: "Registry", role: str, text: str) -> "Edge":
    """The edge that ``REV`` or ``REV,share=a/b`` means for a role.

    Raises:
        UsageError: for an unknown role or a share that is not a of b records.
        NotFound: when there is no such revision.
    """
    from lineage.store.objects import ROLES, Edge

    if role not in ROLES:
        raise UsageError(f"{role!r} is not a role", hint="one of: " + ", ".join(ROLES))
    split = re.fullmatch(_SHARE, text, re.DOTALL)
    if split is None:
        return Edge(role, registry.resolve(text))
    counts = re.fullmatch(_COUNTS, split["share"])
    if counts is None:
        hint = "write the records that came along it of all: share=1250/2500"
        raise UsageError(f"the share {split['share']!r} is not a/b", hint=hint)
    share = {"records": [int(counts[1]), int(counts[2])]}
    return Edge(role, registry.resolve(split["revision"]), share=share)


def role_and_revision(text: str) -> tuple[str, str]:
    """Split ``ROLE=REV[,share=a/b]``.

    Raises:
        UsageError: when there is no role or no revision.
    """
    role, _, revision = text.partition("=")
    if not (role and revision):
        hint = "write it as --edge trained_on=dataset/seed"
        raise UsageError(f"the edge {text!r} is not ROLE=REV", hint=hint)
    return role, revision
