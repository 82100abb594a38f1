"""The only module that knows DVC's own files and imports dvc.

DVC's configuration says where the cache is; the keep commit tells `dvc gc -A`,
`dvc push -A` and `dvc fetch -A` about every payload at the price of one commit.
"""

import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import NotFound, StoreError, UsageError
from lineage.store.git import GitRepository
from lineage.store.git_objects import GitObject, TreeEntry, tree
from lineage.store.names import KEEP

if TYPE_CHECKING:
    from lineage.store.payloads import Payloads
    from lineage.store.remote_payloads import RemotePayloads

_DVC = ("dvc", "iterative")
_CONFIGS = (".dvc/config", ".dvc/config.local")
_ADDRESS = re.compile(rb"^- md5: ([0-9a-f]{32}(?:\.dir)?)$", re.MULTILINE)
_CACHE = re.compile(r"\[[^\]\n]*cache")  # a section of that name, most likely
_PLUGIN = re.compile(r"dvc-\w+")
_AUTHOR = "lineage <lineage@localhost> 0 +0000"

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


def is_kept(git: GitRepository, payloads: "Payloads", tip: str) -> bool:
    """Whether there is a keep commit as of the event `tip`, with all it needs."""
    settings = (home(git) / ".dvc" / "config").read_bytes()
    found, configured = git.read_many([KEEP, f"{KEEP}:.dvc/config"])
    current = configured and configured[1].data == settings
    if current and found and found[1].data.endswith(f"\n\n{tip}\n".encode()):
        listed = kept_list(git)
        with suppress(StoreError):  # `dvc gc` may have taken the list, but not its pin
            return bool(listed and payloads.loose(listed))
    return False


def kept_list(git: GitRepository) -> str | None:
    """The object in which the keep commit names all single files."""
    return address(git.blob(f"{KEEP}:keep.dvc") or b"")


def keep(
    git: GitRepository,
    payloads: "Payloads",
    payload_addresses: Iterable[str],
    tip: str,
    lock: int,
) -> None:
    """Make the keep commit from the addresses of all payloads.

    One ``.dir`` list names every loose object; each folder payload is an out of its
    own. The commit carries the repository's DVC configuration, which DVC reads from
    the revision that it pushes. `tip` is the newest event, noted in the message.
    """
    made, listing = keep_objects(git, payload_addresses, tip)
    payloads.add_bytes(listing, ".dir")
    git.write(made)
    git.update_refs({KEEP: (None, made[-1].oid)}, lock=lock)


def keep_objects(
    git: GitRepository, payload_addresses: Iterable[str], tip: str
) -> tuple[list[GitObject], bytes]:
    """The git objects of the keep commit, itself last, and the list that it names."""
    settings = (home(git) / ".dvc" / "config").read_bytes()
    addresses = sorted(set(payload_addresses))
    loose = [{"md5": a, "relpath": a} for a in addresses if not a.endswith(".dir")]
    folders = [address for address in addresses if address.endswith(".dir")]
    listing = json.dumps(loose, sort_keys=True).encode()
    listed = f"{md5(listing, usedforsecurity=False).hexdigest()}.dir"
    outs = [(listed, "objects"), *((address, address) for address in folders)]
    lines = (f"- md5: {a}\n  hash: md5\n  path: {path}\n" for a, path in outs)
    text = GitObject("blob", ("outs:\n" + "".join(lines)).encode())
    config = GitObject("blob", settings)
    folder = tree({"config": TreeEntry("100644", config.oid)})
    top = tree(
        {
            ".dvc": TreeEntry("40000", folder.oid),
            "keep.dvc": TreeEntry("100644", text.oid),
        }
    )
    head = f"tree {top.oid}\nauthor {_AUTHOR}\ncommitter {_AUTHOR}\n\n"
    commit = GitObject("commit", f"{head}lineage keep\n\n{tip}\n".encode())
    return [text, config, folder, top, commit], listing


def keep_is_broken(git: GitRepository) -> bool:
    """Whether the ref of the keep commit is there and leads to no commit of ours."""
    try:
        oid = git.ref(KEEP)
    except StoreError:
        return True
    found = git.read(oid) if oid else None
    return oid is not None and (found is None or b"lineage keep" not in found[1].data)


def forget_keep(git: GitRepository) -> None:
    """Remove the ref of the keep commit, whatever it says."""
    (git.common / KEEP).unlink(missing_ok=True)


def named_in(listing: bytes) -> list[str]:
    """The objects that a ``.dir`` list names."""
    return [str(row["md5"]) for row in json.loads(listing)]


def address(payload_file: bytes) -> str | None:
    """The first object that a ``.dvc`` file names."""
    found = _ADDRESS.search(payload_file)
    return found[1].decode() if found else None


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
    hint = "make one with `dvc remote add -d NAME URL`; docs/remotes.md has examples"
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
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        message = f"DVC's configuration cannot be read: {said}"
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
        hint = f"install it with `pip install {package}`"
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
