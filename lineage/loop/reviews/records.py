"""What a model wrote, as a reviewer meets it: records kept, and records dropped."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from lineage.errors import UsageError, VerificationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lineage.registry import Registry
    from lineage.store.files import FileEntry
    from lineage.store.objects import Commit

Stratum = Literal["kept", "dropped"]
KEPT: Stratum = "kept"
DROPPED: Stratum = "dropped"


@dataclass(frozen=True, slots=True)
class Line:
    """One record: what it is called, which file has it, the SHA-256 of its line.

    The hash is that of the line without its line feed. A record without an `id` is
    called by the first twelve digits of it.
    """

    id: str
    file: str
    sha256: str
    stratum: Stratum
    record: Mapping[str, Any]

    @property
    def text(self) -> str:
        return str(self.record.get("text", ""))


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one generation: those that train, and those that do not.

    `kept` and `dropped` name the datasets that have them; `dropped` is "" where
    nobody can say what was dropped, because the check step wrote records anew.
    """

    kept: str
    dropped: str
    lines: Sequence[Line]

    def count(self, stratum: Stratum) -> int:
        return sum(line.stratum == stratum for line in self.lines)

    @property
    def names(self) -> list[str]:
        return [line.id for line in self.lines]

    def named(self, id_: str) -> Line:
        """The record that is called `id_`.

        Raises:
            UsageError: there is none, or more than one.
        """
        found = [line for line in self.lines if line.id == id_]
        if len(found) == 1:
            return found[0]
        what = f"{len(found)} records are" if found else "no record is"
        alike = [n for n in self.names if n.casefold() == id_.strip().casefold()]
        hint = "`lineage review show` says what records are called"
        if alike and not found:
            hint = f"one is called {alike[0]!r}"
        raise UsageError(f"{what} called {id_!r}", hint=hint)


def records_of(registry: Registry, subject: str) -> Records:
    """The records behind a generation or a dataset that a loop made.

    Raises:
        VerificationError: a file is not what was recorded.
    """
    kept, written = _datasets(registry, subject)
    if not kept and not written:
        return Records("", "", [])
    mine = list(_lines(registry, kept, KEPT)) if kept else []
    if not written or written == kept:
        return Records(kept, "", mine)
    theirs = list(_lines(registry, written, DROPPED))
    known, ours = {line.id for line in theirs}, {line.id for line in mine}
    if not ours <= known or len(known) < len(theirs):
        return Records(kept, "", mine)
    left = [line for line in theirs if line.id not in ours]
    return Records(kept, written, [*mine, *left])


def _datasets(registry: Registry, subject: str) -> tuple[str, str]:
    """What was kept and what was written before any gate; "" where there is none."""
    commit = registry.load(subject)
    if commit.kind == "dataset":
        return _by_part(subject, commit)
    for id_ in commit.ids("includes"):
        part = registry.load(id_)
        if part.params.get("part") in ("synthetic", "generated"):
            return _by_part(id_, part)
    return "", ""


def _by_part(id_: str, commit: Commit) -> tuple[str, str]:
    part = commit.params.get("part")
    if part == "generated":
        return "", id_
    if part != "synthetic":
        return id_, ""
    return id_, commit.ids("derived_from")[0]


def _lines(registry: Registry, dataset: str, stratum: Stratum) -> Iterator[Line]:
    for entry in registry.files(dataset):
        if entry.path.endswith(".jsonl"):
            lines = read_lines(registry, entry)
            yield from (line_of(raw, entry.path, stratum) for raw in lines)


def line_of(raw: bytes, file: str, stratum: Stratum = KEPT) -> Line:
    """A line of a file, read.

    Raises:
        VerificationError: it is no record: no loop of ours has written it.
    """
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise VerificationError(f"{file} has a line that is no record in JSON")
    id_, digest = record.get("id"), sha256(raw).hexdigest()
    name = id_ if isinstance(id_, str) and id_ else digest[:12]
    return Line(name, file, digest, stratum, record)


def read_lines(registry: Registry, entry: FileEntry) -> Iterable[bytes]:
    """The lines of a file, which has the SHA-256 that was recorded.

    Raises:
        VerificationError: when it has not, or is not there.
    """
    try:
        with registry.payloads.open(entry.md5) as file:
            data = file.read()
    except OSError as error:
        message = f"{entry.path} cannot be read: {error.strerror}"
        raise VerificationError(message, hint="run `lineage verify`") from None
    if sha256(data).hexdigest() != entry.sha256:
        message = f"{entry.path} does not have its recorded SHA-256"
        raise VerificationError(message, hint="run `lineage verify`")
    return [line for line in data.split(b"\n") if line.strip()]
