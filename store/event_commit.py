"""The git commit of an event: headers, message, and what of them is fixed.

Author's name and the first line of the message are for people who read
``git log refs/lineage/events``; the rest follows from the event (see FORMAT.md).
"""

import re
from collections.abc import Sequence
from datetime import datetime

from lineage.store.git_objects import GitObject
from lineage.store.objects import Event

KEY = "key"  # the type of an event about who may sign
KEY_TRAILER = "Lineage-Key: "  # by it such events are found again

# What FORMAT.md fixes; the rest is for people, and the signature for its key.
_FIXED = re.compile(
    rb"(tree [0-9a-f]{40}\n(?:parent [0-9a-f]{40}\n)*)"
    rb"author [^\n]*>( -?\d+ \+0000\n)committer [^\n]*>( -?\d+ \+0000\n)"
    rb"\n[^\n]*(\n\n.*)",
    re.DOTALL,
)
_SIGNED = re.compile(
    rb"(tree [^\n]*\n(?:parent [^\n]*\n)*author [^\n]*\ncommitter [^\n]*\n)"
    rb"gpgsig ([^\n]*\n(?: [^\n]*\n)*)"
    rb"(\n.*)",
    re.DOTALL,
)


def event_commit(event: Event, tree_oid: str, parents: Sequence[str]) -> GitObject:
    """The commit object of `event`; `parents` are the git oids of those before it."""
    when = datetime.fromisoformat(event.time)
    who = f"{_plain(event.actor['name'])} <{_plain(event.actor['email'])}>"
    stamp = f"{who} {int(when.timestamp())} +0000"
    before = "".join(f"parent {oid}\n" for oid in parents)
    headers = f"tree {tree_oid}\n{before}author {stamp}\ncommitter {stamp}\n"
    return GitObject("commit", f"{headers}\n{_message(event)}".encode())


def signed(commit: GitObject, signature: bytes) -> GitObject:
    """`commit` with a signature of its bytes, where git looks for it."""
    headers, blank, message = commit.data.partition(b"\n\n")
    folded = signature.strip().replace(b"\n", b"\n ")
    return GitObject("commit", headers + b"\ngpgsig " + folded + blank + message)


def unsigned(commit: bytes) -> tuple[bytes, bytes | None]:
    """What of an event's commit is signed, and the signature, if it has one."""
    found = _SIGNED.fullmatch(commit)
    if found is None:
        return commit, None
    return found[1] + found[3], found[2].replace(b"\n ", b"\n")


def parse_parents(commit: bytes) -> list[str]:
    """The git oids of a commit object's parents."""
    headers = commit.partition(b"\n\n")[0].decode(errors="replace").split("\n")
    return [line[7:] for line in headers if line.startswith("parent ")]


def fixed_parts(commit: bytes) -> tuple[bytes, ...]:
    """The parts of an event's commit that follow from the events; () if it is none."""
    found = _FIXED.fullmatch(unsigned(commit)[0])
    return found.groups() if found else ()


def _message(event: Event) -> str:
    """What ``git log refs/lineage/events`` shows."""
    moved = ", ".join(change.ref.partition("/")[2] for change in event.refs[:3])
    title = _printable(" ".join(filter(None, (event.type, moved))))
    first = _printable(event.message.split("\n", 1)[0])
    lines = [f"{title}: {first}" if first else title, ""]
    if event.subject:
        lines.append(f"Lineage-Id: {event.subject}")
    if event.type == KEY:
        lines.append(KEY_TRAILER + _printable(str(event.data.get("fingerprint"))))
    return "\n".join([*lines, f"Lineage-Event: {event.id}", ""])


def _plain(text: str) -> str:
    """A name or address as git can hold it on one line."""
    cleaned = "".join(c for c in _printable(text) if c not in "<>")
    return cleaned.strip() or "unknown"


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable())
