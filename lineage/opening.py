"""Making a folder a registry, and opening one."""

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.draft import actor
from lineage.errors import NotFound, VerificationError
from lineage.moments import event_at
from lineage.saying import Saying
from lineage.store import dvc, names
from lineage.store.disk import check_place, disk_errors
from lineage.store.events import noted, now
from lineage.store.first_commit import commit_first, is_unborn
from lineage.store.git import GitRepository
from lineage.store.objects import Event

if TYPE_CHECKING:
    from lineage.observing.run import Run


class OpenRegistry(Saying):
    """The registry that `open` gives: the whole public API."""

    def run(self, name: str, **facts: Any) -> "Run":
        """Observe work that lives elsewhere: ``with registry.run("train") as run:``."""
        from lineage.observing.run import Run

        return Run(self, name, **facts)


def init(path: str | Path = ".") -> OpenRegistry:
    """Make `path` a registry: a git and DVC repository with a first event.

    What is there already, git repository, DVC repository or registry, is adopted
    as it is; the git index and work tree are not touched beyond DVC's own files.
    A git repository without a commit gets a first one, of those files.

    Raises:
        UsageError: when `path` is no folder, or lies below a file.
    """
    root = Path(path).absolute()
    check_place(root)
    with disk_errors("making the registry"):
        who = actor(root if (root / ".git").exists() else Path(root.anchor))
        root.mkdir(parents=True, exist_ok=True)
        repository = GitRepository.create(root)
        dvc.initialise(repository.root)
    with ExitStack() as failing:
        failing.callback(repository.close)
        registry = OpenRegistry(repository)
        if registry.events_log.tip() is None and is_unborn(repository):
            commit_first(repository, dvc.FILES, who)
        with disk_errors("making the registry"):
            registry.home.mkdir(exist_ok=True)
            with registry.events_log.locked() as lock:
                if registry.events_log.tip() is None:
                    registry.record(Event("init", now(), who), lock=lock)
        failing.pop_all()
    return registry


def open_registry(
    path: str | Path = ".",
    *,
    at: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> OpenRegistry:
    """Open the registry that `path` lies in; `settings` win over its own.

    With `at`, a date or an event (see `lineage.moments`), it is as it was then: its
    names, commits and events are those of that time, and writing is refused.

    Raises:
        NotFound: when it lies in none, or there was no event by then.
        UsageError: when `at` is neither a moment nor an event's id.
        VerificationError: when git has only a part of its log.
    """
    start = Path(path).absolute()
    repository = GitRepository.discover(start)
    if repository.ref(names.EVENTS) is None:
        _check_not_lost(repository)
        hint = (
            "`lineage init` makes it one, `lineage clone URL` brings one that is shared"
        )
        raise NotFound(f"{repository.root} is not a lineage registry", hint=hint)
    _check_whole(repository)
    registry = OpenRegistry(repository, settings)
    with suppress(OSError):  # read-only: then nothing derived is kept
        registry.home.mkdir(exist_ok=True)
    if at is None:
        return registry
    with ExitStack() as failing:
        failing.callback(registry.close)
        event = event_at(registry, at)
        failing.pop_all()
    return OpenRegistry(repository, settings, event)


def _check_not_lost(repository: GitRepository) -> None:
    """A registry whose log is gone from the refs is no folder to start anew in.

    Raises:
        VerificationError: when this clone has noted an event.
    """
    if (seen := noted(repository.home)) is not None:
        message = f"{repository.root} has lost the ref of its log, {names.EVENTS}"
        hint = f"put it back: `git update-ref {names.EVENTS} {seen}`"
        raise VerificationError(message, hint=hint)


def _check_whole(repository: GitRepository) -> None:
    """What was said before a log begins would silently be missing from every answer.

    Raises:
        VerificationError: when git was told to fetch a part of it.
    """
    for oid in repository.shallow():
        data = repository.blob(f"{oid}:event.json")
        if data is not None and Event.parse(data).prev:
            repository.close()
            message = f"{repository.root} has only the end of its log: it is shallow"
            spec = f"+{names.ROOT}*:{names.ROOT}*"
            fetch = f"git fetch --unshallow REMOTE '{spec}'"
            raise VerificationError(message, hint=f"`{fetch}` brings the rest")
