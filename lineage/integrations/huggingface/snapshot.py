"""A snapshot of a repository of the Hub: its folder, id, revision and files."""

import re
from dataclasses import dataclass
from pathlib import Path

from lineage.errors import StoreError, UsageError, first_line
from lineage.integrations.huggingface.cards import repository
from lineage.store.scan import Found

_CACHED = re.compile(r"(?P<kind>models|datasets)--(?P<id>.+)")
_SKIPPED = (".git", ".cache", "__pycache__")  # of git, of the Hub's client, of Python
_POINTER = b"version https://git-lfs.github.com/spec/"
_MODEL_FILES = ("config.json", "adapter_config.json", "model_index.json")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A folder with what a repository had at a revision; "" where that is unknown."""

    folder: Path
    id: str = ""
    revision: str = ""
    kind: str = ""


def found(source: str, revision: str | None, kind: str | None) -> Snapshot:
    """The snapshot at a path, or that of a repository, which is downloaded.

    Raises:
        UsageError: when it is neither, or the Hub's client is not installed.
        StoreError: when it cannot be downloaded.
    """
    folder = Path(source)
    if folder.is_dir():
        return _local(folder.resolve())
    name = None if folder.is_file() else repository(source)
    if name is None:
        hint = "give a folder, or an id such as org/model"
        raise UsageError(f"{source} is no folder and no repository", hint=hint)
    is_data = kind == "dataset" or "datasets/" in source
    return _downloaded(name, revision, "dataset" if is_data else "model")


def _local(folder: Path) -> Snapshot:
    """A folder; what the Hub's cache is called says which repository it is of."""
    for parent in folder.parents:
        if (match := _CACHED.fullmatch(parent.name)) and folder.parent.parent == parent:
            kind = match["kind"].removesuffix("s")
            return Snapshot(folder, match["id"].replace("--", "/"), folder.name, kind)
    return Snapshot(folder)


def _downloaded(name: str, revision: str | None, kind: str) -> Snapshot:
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        hint = "install it: pip install 'lineage-vcs[hub]'"
        message = "huggingface_hub is not installed, which downloads from the Hub"
        raise UsageError(message, hint=hint) from None
    try:
        path = snapshot_download(name, repo_type=kind, revision=revision)
    except (OSError, ValueError) as error:  # its own errors are such, too
        message = f"{name} cannot be downloaded: {first_line(error)}"
        hint = "a snapshot that is here already is imported by its path"
        raise StoreError(message, hint=hint) from None
    return Snapshot(Path(path), name, Path(path).name, kind)


def files(folder: Path) -> list[Found]:
    """The files of a snapshot; links, as the Hub's cache has them, are followed.

    Raises:
        UsageError: for a file that git-lfs has not brought, a link that leads nowhere,
            or a folder without files.
    """
    places = sorted(
        path
        for path in folder.rglob("*")
        if not any(part in _SKIPPED for part in path.relative_to(folder).parts)
        and (path.is_file() or path.is_symlink())
    )
    listed = [_file(path, folder) for path in places if not path.is_dir()]
    if not listed:
        raise UsageError(f"{folder} holds no files", hint="give a snapshot's folder")
    return sorted(listed, key=lambda item: item.path)


def _file(path: Path, folder: Path) -> Found:
    try:
        real = path.resolve(strict=True)
    except OSError:
        hint = "bring the snapshot anew: `hf download`"
        raise UsageError(f"{path} leads to nothing", hint=hint) from None
    if real != path and not _is_own(real, folder):
        hint = "copy the folder with `cp -rL` first, if that is meant"
        raise UsageError(f"{path} leads out of the snapshot, to {real}", hint=hint)
    with real.open("rb") as file:
        if file.read(len(_POINTER)) == _POINTER:
            hint = "run `git lfs pull` there first"
            raise UsageError(f"{path} is a pointer of git-lfs, not the file", hint=hint)
    return Found(str(real), path.relative_to(folder).as_posix(), real.stat())


def _is_own(real: Path, folder: Path) -> bool:
    """Whether a link leads into the snapshot, or to the blobs of its repository."""
    blobs = folder.parent.parent / "blobs"
    return real.is_relative_to(folder) or (
        folder.parent.name == "snapshots" and real.is_relative_to(blobs)
    )


def kind_of(snapshot: Snapshot, *, card_of_data: bool) -> str:
    """Whether a snapshot is a model or a dataset."""
    if snapshot.kind:
        return snapshot.kind
    has = (snapshot.folder / name for name in _MODEL_FILES)
    if any(path.exists() for path in has) or any(snapshot.folder.glob("*.gguf")):
        return "model"
    if card_of_data or not any(snapshot.folder.glob("*.safetensors")):
        return "dataset"
    return "model"
