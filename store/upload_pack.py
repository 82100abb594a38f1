"""Git's protocol, the side that gives: what of a registry other machines may read.

Git itself answers (``git upload-pack``). It shows the log and what its views name, and
nothing of the branches that people work on beside it. It is made to speak the first
version of its protocol: in the second it gives any object to whoever knows the oid.
"""

from lineage.store import names
from lineage.store.git import GitRepository

PACK = "git-upload-pack"
_NAMED = (f"{names.ROOT}{space}/" for space in ("heads", "tags", "runs"))
_SHOWN = (names.EVENTS, *_NAMED, names.ATTIC)
_HIDDEN = ("HEAD", "refs", *(f"!{shown}" for shown in _SHOWN))
_INACTIVE = 60  # seconds


def command(git: GitRepository, *, advertise: bool = False) -> list[str]:
    """The words that serve one request, on stdin and stdout, or say what there is."""
    hide = [word for ref in _HIDDEN for word in ("-c", f"uploadpack.hideRefs={ref}")]
    how = "--http-backend-info-refs" if advertise else f"--timeout={_INACTIVE}"
    words = ("upload-pack", "--strict", "--stateless-rpc", how)
    return ["git", *hide, *words, str(git.common)]


def advertisement(said: bytes) -> bytes:
    """What a client reads first: the service, then what `command` said."""
    line = f"# service={PACK}\n".encode()
    return b"%04x%s0000%s" % (len(line) + 4, line, said)
