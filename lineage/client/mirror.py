"""The mirror: a server's whole history in a folder of the user's cache, without bytes.

It is followed as a remote is fetched: git brings what is new under refs that nobody
reads, each event must follow from those before it, each commit be what its id says, and
only then does the mirror's own log move. A server is trusted to be there, and with
nothing else. The log only ever grows: one that lacks what the mirror has is refused.
"""

import hashlib
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.client.http import Server
from lineage.errors import NotFound, StoreError, VerificationError
from lineage.sharing.fetch import Incomplete, lacking, verify_log
from lineage.sharing.pull import attic_of, newest_branch
from lineage.store import git_graph, names, transport
from lineage.store.disk import disk_errors, locked
from lineage.store.git import HOME, GitRepository
from lineage.store.mirrors import kept
from lineage.store.objects import Edge
from lineage.store.transport import Told
from lineage.unfetched import came

if TYPE_CHECKING:
    from lineage.registry import Registry

_SPACES = ("heads", "tags", "runs", "attic")
_TRIES = 3


def cache_folder() -> Path:
    """Where mirrors are, unless somebody says otherwise."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("lineage"), "mirrors")


def repository(server: Server, cache: Path) -> GitRepository:
    """The repository of a server's mirror, made when it is first needed."""
    readable = re.sub(r"[^\w.-]+", "-", server.url.partition("://")[2])[:60]
    digest = hashlib.sha256(server.url.encode()).hexdigest()[:12]
    folder = cache / f"{readable}-{digest}"
    with disk_errors("making the mirror"):
        cache.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if not (folder / ".git" / HOME).exists():
            with locked(cache / f"{folder.name}.lock"):
                GitRepository.create(folder).home.mkdir(exist_ok=True)
    return _opened(folder)


def _opened(folder: Path) -> GitRepository:
    """The mirror in a folder, where nothing is anybody's only copy.

    Raises:
        StoreError: when it is damaged.
    """
    spare = f"remove the mirror, it is made anew: {_removal(folder)}"
    try:
        found = GitRepository.discover(folder)
    except NotFound:
        raise StoreError(f"the mirror {folder} is damaged", hint=spare) from None
    except StoreError as error:
        error.hint = error.hint or spare
        raise
    found.spare = spare
    return found


def _removal(folder: Path) -> str:
    """The command that throws a mirror away; git's objects are read-only."""
    return f"rm -rf {shlex.quote(str(folder))}"


def follow(
    registry: "Registry", server: Server, lock: int, told: Told | None = None
) -> None:
    """Take in what the server's log has that the mirror `registry` lacks.

    Call it under the mirror's lock.

    Raises:
        VerificationError: when the server has lost or changed what was seen there, or
            something is not what it says; the mirror is as it was then.
        StoreError: when it cannot be reached.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            edges = _bring(registry, server, lock, told)
            break
        except Incomplete:  # names moved while git read them
            if not tries_left:
                raise
    _adopt(registry, lock)
    registry.ids.written = edges
    registry.ids.refresh()
    registry.ids.written = {}


def _bring(
    registry: "Registry", server: Server, lock: int, told: Told | None
) -> dict[str, tuple[Edge, ...]]:
    git = registry.git
    for path in (git.common / names.INCOMING).rglob("*.lock"):
        path.unlink(missing_ok=True)  # left by a git that was killed: we hold the lock
    before = git_graph.refs(git, names.INCOMING)
    git.update_refs(dict.fromkeys(before, (None, None)), lock=lock)
    specs, address = names.incoming(_SPACES), f"{server.url}/git"
    transport.fetch(
        git.root, address, specs, told=told, lock=lock, headers=server.headers
    )
    ours, tip = registry.events_log.tip(), git.ref(f"{names.INCOMING}events")
    assert tip is not None
    if ours and not git_graph.is_ancestor(git, ours, tip):
        message = f"{server} no longer has the event {ours[:12]} that it had"
        hint = (
            "its log was cut or replaced; if that is right, remove the mirror: "
            + _removal(git.root)
        )
        raise VerificationError(message, hint=hint)
    return verify_log(registry, str(server), tip)


def _adopt(registry: "Registry", lock: int) -> None:
    """Make what came and was verified ours: what keeps commits first, then the log."""
    git, log = registry.git, registry.events_log
    held = git_graph.refs(git, names.INCOMING)
    before, tip = log.tip(), held[f"{names.INCOMING}events"]
    attic = kept(sorted(attic_of(registry, names.INCOMING, held, tip)))
    came(registry, lacking(registry, tip)[1])
    git.update_refs(attic, {names.EVENTS: (before or "", tip)}, lock=lock)
    log.roll_forward(lock)
    registry.set_head(newest_branch(registry) or "")
