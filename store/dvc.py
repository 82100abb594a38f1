"""The only module that imports dvc: where the cache is, and its remotes."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import NotFound, StoreError, UsageError, first_line
from lineage.store.git import GitRepository

if TYPE_CHECKING:
    from lineage.store.remote_payloads import RemotePayloads

_DVC = ("dvc", "iterative")
_CONFIGS = (".dvc/config", ".dvc/config.local")
_CACHE = re.compile(r"\[[^\]\n]*cache")  # a section of that name, most likely
_PLUGIN = re.compile(r"dvc-\w+")

FILES = {
    ".dvc/config": "",
    ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
    ".dvcignore": (
        "# Add patterns of files dvc should ignore, which could improve\n"
        "# the performance. Learn more at\n"
        "# https://dvc.org/doc/user-guide/dvcignore\n"
    ),
}


def initialise(root: Path) -> None:
    """Make `root` a DVC repository as `dvc init` does, git's index untouched."""
    (root / ".dvc").mkdir(exist_ok=True)
    for name, text in FILES.items():
        if not (root / name).exists():
            (root / name).write_text(text)


def is_repository(root: Path) -> bool:
    """Whether DVC would find a repository at `root`."""
    return (root / ".dvc").is_dir()


def home(git: GitRepository) -> Path:
    """The work tree whose ``.dvc`` says where the cache is.

    Linked work trees (`git worktree`) share the registry, so they share the main one's
    cache, unless they have a configuration of their own that speaks of one.
    """
    main = git.common.parent
    if git.common.name != ".git" or not is_repository(main):
        return git.root
    for name in _CONFIGS:
        own = _text(git.root / name)
        if _CACHE.search(own) and own != _text(main / name):
            return git.root
    return main


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.is_file() else ""


def cache_directory(root: Path) -> Path:
    """Where the repository at `root` keeps its cache.

    dvc is asked (and imported, 0.1 s) only where a configuration speaks of one.
    """
    if not any(map(_CACHE.search, _configurations(root))):
        return root / ".dvc" / "cache"
    cache = _configuration(root).get("cache", {}).get("dir")
    return Path(root / ".dvc", cache) if cache else root / ".dvc" / "cache"


def _configurations(root: Path) -> Iterable[str]:
    import platformdirs

    named = os.environ.get
    folders = (
        named("DVC_SYSTEM_CONFIG_DIR") or platformdirs.site_config_dir(*_DVC),
        named("DVC_GLOBAL_CONFIG_DIR") or platformdirs.user_config_dir(*_DVC),
    )
    paths = [root / name for name in _CONFIGS]
    yield from map(_text, [*paths, *(Path(folder, "config") for folder in folders)])


class RemoteSettings(NamedTuple):
    """A DVC remote, and all that DVC is told: enough to open it on any machine."""

    config: dict[str, Any]
    name: str


def remote(git: GitRepository, name: str | None = None) -> "RemotePayloads":
    """The DVC remote `name`, or DVC's default one.

    Raises:
        UsageError: when there is none, or it is one that keeps no objects.
        NotFound: when there is none of that name.
        StoreError: when DVC cannot speak to it.
    """
    return open_remote(remote_settings(git, name))


def remote_settings(git: GitRepository, name: str | None = None) -> RemoteSettings:
    """What DVC is told of the remote `name`, or of its default one.

    Raises:
        UsageError, NotFound: as `remote`.
    """
    chosen = name
    for root in dict.fromkeys((git.root, home(git))):
        config = _configuration(root)
        chosen = name or config["core"].get("remote") or chosen
        if chosen and chosen.lower() in config["remote"]:
            return RemoteSettings(config, chosen)
    if chosen:
        hint = "`dvc remote list` lists them, `dvc remote add` makes one"
        raise NotFound(f"there is no DVC remote {chosen}", hint=hint)
    if names := sorted(config["remote"]):
        hint = f"choose one with `dvc remote default {names[0]}`"
        raise UsageError("none of the DVC remotes is the default one", hint=hint)
    hint = "make one with `dvc remote add -d NAME URL`"
    raise UsageError("no DVC remote is configured to hold payloads", hint=hint)


def remote_names(git: GitRepository) -> list[str]:
    """The DVC remotes that are configured here."""
    return sorted(_configuration(home(git))["remote"])


def _configuration(root: Path) -> dict[str, Any]:
    """All that DVC is told at `root`.

    Raises:
        StoreError: when it cannot be read.
    """
    from dvc.config import Config

    try:
        return dict(Config(str(root / ".dvc")))
    except Exception as error:  # noqa: BLE001 - its parser has errors of its own
        message = f"DVC's configuration cannot be read: {first_line(error)}"
        raise StoreError(message, hint="see `dvc config --list`") from None


def open_remote(settings: RemoteSettings) -> "RemotePayloads":
    """Open a remote, here or where its settings were sent to.

    Raises:
        UsageError: it is one that keeps no objects.
        StoreError: DVC cannot speak to it.
    """
    from dvc.fs import RemoteMissingDepsError, get_cloud_fs

    from lineage.store.remote_folder import FolderPayloads
    from lineage.store.remote_payloads import RemotePayloads

    config, name = settings
    url = config["remote"][name.lower()]["url"]
    try:
        kind, options, path = get_cloud_fs(config, name=name)
        _refuse_versions(name, options)
        fs = kind(**options)
    except (ImportError, RemoteMissingDepsError) as error:
        named = _PLUGIN.search(str(error))
        package = named[0] if named else f"dvc-{url.partition(':')[0]}"
        hint = f"install it: pip install {package}"
        message = f"the DVC remote {name} needs the package {package}"
        raise StoreError(message, hint=hint) from error
    made = FolderPayloads if kind.protocol == "local" else RemotePayloads
    opened = made(name, url, fs, path)
    opened.connect()
    return opened


def _refuse_versions(name: str, settings: dict[str, Any]) -> None:
    """A remote that keeps versions of named files has no objects to be asked for."""
    for option in ("worktree", "version_aware"):
        if settings.get(option):
            hint = f"take another, or `dvc remote modify {name} --unset {option}`"
            message = f"the DVC remote {name} has {option} = true, so it keeps files by"
            raise UsageError(f"{message} name, not by content", hint=hint)
