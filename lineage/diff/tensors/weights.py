"""All tensors of one side by name, whatever files they are in.

A folder's files are one model: shards, with or without an index, and several formats
of the same weights, of which the first is read: safetensors, PyTorch, numpy. What a
trainer keeps to go on (optimiser, random states, arguments) is not weights.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from lineage.diff.tensors.stored import Contents, Stored
from lineage.errors import LineageError
from lineage.records import place
from lineage.registry import Registry
from lineage.store.files import FileEntry
from lineage.store.safetensors import Malformed

_PICKLES = (".bin", ".pt", ".pth")
_SUFFIXES = (".safetensors", *_PICKLES, ".npz", ".npy", ".gguf")
_STATE = re.compile(r"(training_args|optimizer|scheduler|scaler|rng_state(_\d+)?)\.\w+")
_SHARD = re.compile(r"-\d{5}-of-\d{5}$")
_INDEX = re.compile(r"\.(safetensors|bin)\.index\.json$")
_LARGEST = 64 << 20  # bytes of an index: about a hundred for each tensor


@dataclass
class Weights:
    """The tensors of one side.

    `facts` are what files of each format (``.gguf``) say beside their tensors.
    `whole` is False where some could not be read: what is missing may be in them.
    """

    tensors: dict[str, Stored] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    whole: bool = True


def weight_files(files: Mapping[str, FileEntry]) -> dict[str, FileEntry]:
    """The files that hold weights, without other formats of the same ones."""
    found = {path: entry for path, entry in files.items() if _holds_weights(path)}
    best: dict[str, int] = {}
    for path in found:
        model = _model(path)
        best[model] = min(_rank(path), best.get(model, len(_SUFFIXES)))
    return {p: e for p, e in found.items() if _rank(p) in (best[_model(p)], _GGUF)}


_GGUF = _SUFFIXES.index(".gguf")


def _holds_weights(path: str) -> bool:
    name = PurePosixPath(path)
    return name.suffix in _SUFFIXES and not _STATE.fullmatch(name.name)


def _rank(path: str) -> int:
    suffix = PurePosixPath(path).suffix
    return _SUFFIXES.index(".bin" if suffix in _PICKLES else suffix)


def _model(path: str) -> str:
    """What the weights in a file are of: its path without format and shard."""
    name = PurePosixPath(path)
    stem = _SHARD.sub("", name.stem).removeprefix("pytorch_")
    return str(name.with_name(stem))


def read(registry: Registry, files: Mapping[str, FileEntry], notes: list[str],
         prefix: str) -> Weights:  # fmt: skip
    """The tensors of the `files` of a side; `notes` say what could not be read."""
    found, shards = Weights(), {}
    for path, entry in weight_files(files).items():
        try:
            contents = _contents(place(registry, entry), entry)
        except LineageError as error:
            found.whole = False
            note = f"the tensors of {prefix}{path} are not compared: {error}"
            notes += [] if note in notes else [note]  # both sides may have the same
            continue
        shards[path] = contents
        format_ = PurePosixPath(path).suffix
        found.facts.setdefault(format_, {}).update(contents.facts)
    _check_indexes(registry, files, found, notes, prefix)
    _name(found, shards, notes, prefix)
    return found


def _contents(path: Path, entry: FileEntry) -> Contents:
    """The tensors of one file.

    Raises:
        LineageError: when it is malformed, or cannot be read.
    """
    from lineage.diff.tensors import arrays, gguf, pickled, safe

    name = PurePosixPath(entry.path)
    read: dict[str, Callable[[Path, str], Contents]] = {
        ".safetensors": safe.read,
        ".gguf": gguf.read,
        ".npz": arrays.read_many,
        ".npy": partial(arrays.read_one, name=name.stem),
    }
    try:
        return read.get(name.suffix, pickled.read)(path, entry.sha256)
    except OSError as error:
        raise Malformed(f"reading it failed: {error.strerror}") from None


def _check_indexes(registry: Registry, files: Mapping[str, FileEntry], found: Weights,
                   notes: list[str], prefix: str) -> None:  # fmt: skip
    """Note every index that names files which are not there."""
    for path, entry in files.items():
        if not _INDEX.search(path):
            continue
        try:
            named = _named(registry, entry)
        except LineageError as error:
            notes.append(f"{prefix}{path} is not followed: {error}")
            continue
        folder = PurePosixPath(path).parent
        gone = sorted(name for name in named if str(folder / name) not in files)
        if gone:
            found.whole = False
            more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
            notes.append(f"{prefix}{path} names {gone[0]}{more}, which is not there")


def _named(registry: Registry, entry: FileEntry) -> set[str]:
    """The files that an index names.

    Raises:
        LineageError: when it is not here, or malformed.
    """
    if entry.size > _LARGEST:
        raise Malformed("it is too large for an index")
    try:
        shards = json.loads(place(registry, entry).read_bytes())["weight_map"].values()
        return {str(PurePosixPath(name)) for name in shards}
    except (OSError, ValueError, LookupError, TypeError, AttributeError,
            RecursionError):  # fmt: skip
        raise Malformed("it is no index of shards") from None


def _name(found: Weights, shards: Mapping[str, Contents], notes: list[str],
          prefix: str) -> None:  # fmt: skip
    """Name tensors as their files do, after the folder where there are several.

    Files of one folder that are no shards of one model and have a name in common
    are told apart by their own names.
    """
    folders = {PurePosixPath(path).parent for path in shards}
    for folder in sorted(folders):
        within = {p: c for p, c in shards.items() if PurePosixPath(p).parent == folder}
        apart = _clashing(within)
        for path, contents in sorted(within.items()):
            before = [str(folder)] if len(folders) > 1 and folder.name else []
            before += [_model(path).rpartition("/")[2]] if path in apart else []
            _add(found, contents, "/".join([*before, ""]), f"{prefix}{path}", notes)


def _add(found: Weights, contents: Contents, before: str, path: str,
         notes: list[str]) -> None:  # fmt: skip
    twice = [t.name for t in contents.tensors if before + t.name in found.tensors]
    for tensor in contents.tensors:
        found.tensors.setdefault(before + tensor.name, tensor)
    if twice:
        more = f" and {len(twice) - 1} more" if len(twice) > 1 else ""
        notes.append(f"{path} has {twice[0]}{more} once more; the first is compared")


def _clashing(files: Mapping[str, Contents]) -> set[str]:
    """Files that give a name which a file of another model gives too."""
    models: dict[str, set[str]] = {}
    for path, contents in files.items():
        models.setdefault(_model(path), set()).update(t.name for t in contents.tensors)
    counts = Counter(name for names in models.values() for name in names)
    return {p for p in files if any(counts[name] > 1 for name in models[_model(p)])}
