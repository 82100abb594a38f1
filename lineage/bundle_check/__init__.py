"""Checking a bundle that somebody hands over: `lineage verify FILE.zip`.

Written from docs/bundle.md and store/FORMAT.md, apart from what writes bundles: it
imports nothing of `lineage.bundle` and `lineage.audit`, and asks no registry. Every
check goes on where it can; what the auditor has from elsewhere is `Held`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lineage.bundle_check.again import check_again
from lineage.bundle_check.archive import MOST_FILES, Bundle, Refused, opened
from lineage.bundle_check.bag import check_bag
from lineage.bundle_check.commits import check_commits
from lineage.bundle_check.imported import imported
from lineage.bundle_check.log import Log, check_log, check_since
from lineage.bundle_check.looked import CHECKS, Check, Finding, Held, Looked, Maker
from lineage.bundle_check.payload import check_payload
from lineage.bundle_check.people import check_bag_signature, check_people
from lineage.bundle_check.report import check_report
from lineage.bundle_check.signers import Signers
from lineage.bundle_check.source import Source
from lineage.bundle_check.stamps import check_stamps
from lineage.errors import UsageError

_ID = re.compile(r"[0-9a-f]{64}")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")

__all__ = [
    "CHECKS",
    "MOST_FILES",
    "Check",
    "Checked",
    "Finding",
    "Held",
    "Maker",
    "check",
    "is_bundle",
]


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of every check; `event` is the newest one of the log, if it was read.

    Whoever notes it can hold the next bundle to it, by ``--since``.
    """

    subjects: tuple[str, ...]
    event: str | None
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]


def is_bundle(path: Path) -> bool:
    """Whether a path is one that a bundle would have."""
    if path.suffix.lower() == ".zip" and path.is_file():
        return True
    return (path / "bagit.txt").is_file()


def check(
    path: Path, held: Held | None = None, *, entries: int = MOST_FILES
) -> Checked:
    """Check the bundle at `path`, a zip file or a folder that it was unpacked to.

    One of more than so many `entries` is refused before the list of them is read.

    Raises:
        StoreError: when a file that the auditor holds cannot be read.
        UsageError: when it is not what it has to be.
    """
    held = held or Held()
    if held.anchor is not None and not _FINGERPRINT.fullmatch(held.anchor):
        hint = "it is SHA256: and 43 characters, as `lineage key list` prints it"
        raise UsageError(f"{held.anchor!r} is not the fingerprint of a key", hint=hint)
    if held.since is not None and not _ID.fullmatch(held.since):
        hint = "give the 64 digits that you noted: each of them counts"
        raise UsageError(f"{held.since!r} is not the id of an event", hint=hint)
    if held.revoked and not held.signers:
        hint = "give --signers, too: the keys that you do trust"
        raise UsageError("a list of revoked keys needs one of signers", hint=hint)
    signers = Signers.read(held.signers, held.revoked) if held.signers else None
    looked = Looked()
    info: Mapping[str, str] = {}
    log: Log | None = None
    try:
        with opened(path, entries) as bundle:
            info = check_bag(bundle, looked)
            log = _contents(bundle, info, held, signers, looked)
    except Refused as error:
        looked.found("archive", path.name, str(error))
        for name in CHECKS:
            looked.skip(name, "the archive is not safe to open")
    return Checked(
        subjects=tuple(info.get("External-Identifier", "").split()),
        event=log.newest.id if log else None,
        checks=looked.checks(),
        findings=tuple(looked.findings),
    )


def _contents(
    bundle: Bundle,
    info: Mapping[str, str],
    held: Held,
    signers: Signers | None,
    looked: Looked,
) -> Log | None:
    """Everything that is in the bag."""
    with imported(bundle, looked) as git:
        log = check_log(bundle, git, info, looked) if git else None
        if git is None or log is None:
            check_bag_signature(bundle, info, None, signers, looked)
            for name in CHECKS:
                looked.skip(name, "the log could not be read")
            return None
        people = check_people(log, held, signers, looked)
        check_bag_signature(bundle, info, people, signers, looked)
        commits = check_commits(bundle, git, log, info, looked)
        source = Source.of(git, log, commits, people)
        artifacts = check_report(bundle, source, info, looked)
        check_again(bundle, git, info, held.maker, looked)
        check_payload(bundle, source, artifacts, info, looked)
        check_since(log, held.since, looked)
        check_stamps(bundle, log.ids, held, looked)
    return log
