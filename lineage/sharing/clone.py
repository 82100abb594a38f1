"""Making a registry from a remote.

The history (events, manifests) always comes whole: the log is a chain, and is verified
from its first event before the new folder is a registry.
"""

from pathlib import Path

from lineage.errors import NotFound, UsageError
from lineage.opening import OpenRegistry
from lineage.registry import Registry
from lineage.sharing import remotes
from lineage.sharing.export import FILES
from lineage.sharing.fetch import fetch
from lineage.sharing.payloads import Choice, chosen
from lineage.sharing.pull import attic_of, settle_head
from lineage.sharing.remotes import DEFAULT
from lineage.store import dvc, git_graph, names, transport
from lineage.store.aside import made_aside
from lineage.store.disk import check_place, disk_errors
from lineage.store.first_commit import commit_first, is_unborn
from lineage.store.git import GitRepository
from lineage.store.mirrors import kept
from lineage.store.transport import Told
from lineage.unfetched import came

_SETTINGS = names.seen_at(DEFAULT) + names.SETTINGS.removeprefix(names.ROOT)
_BRANCHES = Choice()


def clone(
    url: str,
    folder: str | Path | None = None,
    *,
    dvc_remote: str | None = None,
    choice: Choice = _BRANCHES,
    told: Told | None = None,
) -> OpenRegistry:
    """Make `folder` (by default called as the remote is) a registry like `url`'s.

    Its files are brought by `payloads.bring`; a `choice` of them that cannot be made
    there is a failure here.

    Git's branches come as with `git clone`; DVC's settings are those of the branch
    that is checked out, else those of whoever pushed last. Failure leaves nothing.

    Raises:
        UsageError: when the folder is not empty, or the choice is not understood.
        NotFound: when there is no registry at `url`, or what the choice names.
        VerificationError: when something there is not what it says.
        StoreError: when it cannot be reached.
    """
    url = remotes.from_anywhere(url)
    place = Path(folder if folder is not None else folder_name(url)).absolute()
    check_place(place)
    if place.exists() and any(place.iterdir()):
        hint = "choose another place"
        raise UsageError(f"{place} exists and is not empty", hint=hint)
    there = transport.listing(Path(place.anchor), url, names.EVENTS)
    if names.EVENTS not in there:
        hint = "`lineage push` from a registry makes it one"
        raise NotFound(f"there is no registry at {url}", hint=hint)
    with disk_errors("cloning"), made_aside(place) as (new, locks):
        _clone(url, new, locks, dvc_remote=dvc_remote, choice=choice, told=told)
    return OpenRegistry(GitRepository.discover(place))


def folder_name(url: str) -> str:
    """What a clone is called when nobody says: ``tutor`` for ``host:x/tutor.git``."""
    last = url.rstrip("/").removesuffix("/.git").replace(":", "/").rpartition("/")[2]
    name = last.removesuffix(".git")
    if name in {"", ".", ".."}:
        raise UsageError(
            f"{url} names no folder", hint="say where: lineage clone URL DIR"
        )
    return name


def _clone(
    url: str,
    folder: Path,
    locks: tuple[int, ...],
    *,
    dvc_remote: str | None,
    choice: Choice,
    told: Told | None,
) -> None:
    transport.clone(folder.parent, url, folder, told=told, locks=locks)
    with Registry(GitRepository.discover(folder)) as registry:
        registry.home.mkdir(exist_ok=True)
        remote = remotes.add(registry, DEFAULT, url, dvc=dvc_remote)
        fetch(registry, remote, told=told)
        _adopt(registry)
        chosen(registry, choice)
        _set_up_dvc(registry)


def _adopt(registry: Registry) -> None:
    """Make what was fetched and verified ours: no event, for nothing happened."""
    place = names.seen_at(DEFAULT)
    held = git_graph.refs(registry.git, place)
    tip = held.pop(f"{place}events")
    log = registry.events_log
    spaces = {space: log.names(space, at=tip) for space in names.SPACES}
    step = kept(sorted(attic_of(registry, place, held, tip)))
    for space, found in spaces.items():
        step |= {names.ref(f"{space}/{n}"): (None, oid) for n, oid in found.items()}
    spare = [ref for ref in held if ref != _SETTINGS]
    gone = dict.fromkeys(spare, (None, None))
    with log.locked() as lock:
        registry.git.update_refs(step, {names.EVENTS: ("", tip)}, gone, lock=lock)
        log.roll_forward(lock)
    came(registry, (record.id for record in registry.ids))
    settle_head(registry)


def _set_up_dvc(registry: Registry) -> None:
    """Say where payloads are, where no branch of git's does."""
    for name in FILES:
        found = registry.git.blob(f"{_SETTINGS}:{name}")
        path = registry.root / name
        if found is not None and not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(found)
    dvc.initialise(registry.root)
    if is_unborn(registry.git):
        commit_first(registry.git, dvc.FILES, registry.actor())
