"""What git itself finds wrong: every object's bytes against its name."""

import re
import subprocess
from typing import NamedTuple

from lineage.store.git import GitRepository
from lineage.store.git_environment import environment

_OID = re.compile(r"(?<![0-9a-f-])[0-9a-f]{40}(?![0-9a-f])")
_NAMES_OBJECT = re.compile(r"^missing |corrupt|mismatch")
_LEADS = re.compile(r"^error: (refs/\S+): invalid sha1 pointer ([0-9a-f]{40})")
_FOLLOWS = re.compile(
    r"^(broken link|dangling|warning|unreachable|notice| )|inflate|unable"
)


class Fault(NamedTuple):
    """What `git fsck` says; `oid` is empty where it speaks of no one object."""

    oid: str
    what: str


def faults(git: GitRepository) -> list[Fault]:
    """Damaged and missing objects, each once, and refs that lead nowhere."""
    code, said = _fsck(git)
    found = []
    if code < 0:  # what git derives is believed to be whole, and read past its end
        found = [Fault("", "git fsck dies, of a damaged commit-graph perhaps")]
        code, said = _fsck(git, "-c", "core.commitGraph=false")
    if not code:
        return found
    found += dict.fromkeys(fault for line in said for fault in _faults(line))
    return found or [Fault("", f"git fsck fails: {' '.join(said)}")]


def _fsck(git: GitRepository, *options: str) -> tuple[int, list[str]]:
    """The exit code, negative when a signal ended it, and the lines that it said."""
    words = ("fsck", "--full", "--no-dangling", "--no-progress", "--no-reflogs")
    done = subprocess.run(
        ["git", "-C", str(git.root), *options, *words],
        capture_output=True,
        env=environment(),
        check=False,
    )
    said = (done.stdout + done.stderr).decode(errors="replace")
    return done.returncode, said.splitlines()


def _faults(line: str) -> list[Fault]:
    if found := _LEADS.search(line):
        ref, oid = found.groups()
        return [Fault(oid, f"{ref} leads to the git object {oid}, which is damaged")]
    if _NAMES_OBJECT.search(line) and (oids := _OID.findall(line)):
        return [Fault(oid, f"the git object {oid} is damaged") for oid in oids]
    if _FOLLOWS.match(line.removeprefix("error: ")):
        return []
    return [Fault("", f"git says: {line.removeprefix('error: ')}")]
