"""Names of branches, tags and artifacts, and the git refs that carry them.

Any printable text is a name, but what revisions are written with. Refs
percent-encode what git forbids, and ``/``, so that ``a`` and ``a/b`` live side
by side; `decode` gives the name back.
"""

import re
from collections.abc import Iterable
from hashlib import sha256

from lineage.errors import UsageError

ROOT = "refs/lineage/"
EVENTS = f"{ROOT}events"
SPACES = ("heads", "tags", "runs", "spent", "protected")  # spent: of deleted tags
MIRRORS = tuple(f"{ROOT}{space}/" for space in SPACES)
ATTIC = f"{ROOT}attic/"  # git commits by oid, that no name reaches any more
INCOMING = f"{ROOT}incoming/"  # what a remote sent, until it is verified
SETTINGS = f"{ROOT}settings/dvc"  # where the payloads are, for new clones
TAGS = "refs/tags/lineage/"  # what plain git and DVC see of tags
KEEP = "refs/remotes/lineage/keep"  # what tells DVC which objects are needed

_LONGEST = 200  # bytes of an encoded name; file systems stop at 255
_FORBIDDEN = ("..", "@{", "~", "^", ":")
_NOT_PLAIN = re.compile(r"[^\w.@+=,!-]", re.ASCII)
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_DOT = re.compile(r"^\.|\.$|\.(?=\.)|\.(?=lock$)")


def check(name: str, what: str = "name") -> str:
    """Return `name`, or say why it cannot be one.

    Raises:
        UsageError: for what FORMAT.md refuses.
    """
    reason = _fault(name)
    if name == "HEAD" and what != "name":
        reason = "means the branch that a command moved last"
    if reason:
        hint = "any printable text without .. @{ ~ ^ : and not starting with -"
        raise UsageError(f"the {what} {name!r} {reason}", hint=hint)
    return name


def _fault(name: str) -> str:
    if not name:
        return "is empty"
    if not name.isprintable() or name != name.strip():
        return "has characters that do not print, or spaces at an end"
    if name.startswith("-"):
        return "starts with -"
    for mark in _FORBIDDEN:
        if mark in name:
            return f"contains {mark}, which revisions are written with"
    if len(encode(name)) > _LONGEST:
        return f"is longer than {_LONGEST} bytes once encoded"
    return ""


def encode(name: str) -> str:
    """One path component that git accepts in a ref, reversible by `decode`."""
    quoted = _NOT_PLAIN.sub(_escape, name)
    return _DOT.sub("%2E", quoted)


def decode(component: str) -> str:
    """The name that `encode` made `component` from."""
    raw = _ESCAPED.sub(
        lambda found: bytes.fromhex(found[1].decode()), component.encode()
    )
    return raw.decode(errors="replace")


def _escape(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def ref(space_and_name: str) -> str:
    """The git ref of ``heads/model/tutor``: ``refs/lineage/heads/model%2Ftutor``."""
    space, _, name = space_and_name.partition("/")
    return f"{ROOT}{space}/{encode(name)}"


def seen_at(remote: str) -> str:
    """Below which refs a clone keeps what it saw at a remote."""
    return f"{ROOT}remotes/{encode(remote)}/"


def incoming(spaces: Iterable[str]) -> dict[str, str]:
    """Where the log of a remote, and its refs in some spaces, go when they come."""
    refs = {f"{ROOT}{space}/*": f"{INCOMING}{space}/*" for space in spaces}
    return {**refs, EVENTS: f"{INCOMING}events"}


def view_path(space_and_name: str) -> tuple[str, str, str]:
    """Where a name stands in an event's view: space, bucket, encoded name.

    256 buckets keep the trees that an event rewrites small in a registry with
    many branches.
    """
    space, _, name = space_and_name.partition("/")
    encoded = encode(name)
    return space, sha256(encoded.encode()).hexdigest()[:2], encoded
