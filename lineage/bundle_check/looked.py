"""What a check of a bundle looked at, what it found, and what it could not look at."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

State = Literal["passed", "failed", "not checked"]

CHECKS = {
    "archive": "it can be unpacked safely",
    "bag": "each file is listed with its SHA-256",
    "signature": "somebody you know signed the list",
    "unsigned": "what has to be signed is signed",
    "git": "git finds every object whole",
    "log": "events and names are those in git",
    "event": "each event has the SHA-256 of its id",
    "chain": "each event names those before it",
    "signer": "each event's key counted at its time",
    "role": "each signer had the role that it takes",
    "commit": "each manifest has the SHA-256 of its id",
    "edge": "each edge leads to a commit that is here",
    "files": "each list of files is its manifest's",
    "payload": "each file has the SHA-256 of its name",
    "report": "the report says what was recorded",
    "since": "the log goes on from the event you saw",
    "timestamp": "each time stamp is of its event",
}
"""What each check holds when it passes; a finding bears the name of its check."""


Make = Callable[
    [Path, Sequence[str], tuple[str, int] | None], Mapping[str, bytes] | None
]


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes a report again: `make` from a history, by the subjects and the template.

    `agent` is what it calls itself in ``bag-info.txt``.
    """

    agent: str
    make: Make


@dataclass(frozen=True, slots=True)
class Held:
    """What the auditor has from elsewhere than the bundle, as files and as text.

    `signers` and `revoked` are as `lineage key list` writes them, `tsa_ca` the
    certificates in PEM that time stamps rest on, `since` the id of an event that was
    seen before, `anchor` the fingerprint of the key that trust starts from, `maker`
    what makes the report again from the history.
    """

    signers: Path | None = None
    revoked: Path | None = None
    since: str | None = None
    tsa_ca: Path | None = None
    anchor: str | None = None
    maker: Maker | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be; `where` is a file, event or commit."""

    check: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Check:
    """What became of one check: `count` things were looked at.

    `why` says why it was not made, or only in part, and `give` what to give so that it
    is.
    """

    name: str
    what: str
    state: State
    count: int
    why: str = ""
    give: str = ""


@dataclass(slots=True)
class Looked:
    """Collects what the checks do, in the order in which they do it."""

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    open: dict[str, tuple[str, str]] = field(default_factory=dict)

    def at(self, *checks: str, count: int = 1) -> None:
        """So many more things were looked at."""
        for check in checks:
            self.counts[check] += count

    def found(self, check: str, where: str, what: str) -> None:
        self.findings.append(Finding(check, where, what))

    def skip(self, check: str, why: str, give: str = "") -> None:
        """A check is not made, or not as far as it could be."""
        self.open.setdefault(check, (why, give))

    def checks(self) -> tuple[Check, ...]:
        return tuple(map(self._check, CHECKS))

    def _check(self, name: str) -> Check:
        why, give = self.open.get(name, ("", ""))
        state: State = "passed" if self.counts[name] and not why else "not checked"
        if any(finding.check == name for finding in self.findings):
            state = "failed"
        if state == "not checked" and not why:
            why = "there is none"
        return Check(name, CHECKS[name], state, self.counts[name], why, give)
