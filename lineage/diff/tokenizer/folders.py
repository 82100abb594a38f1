"""Which files of a commit are tokenizers: by folder, by name."""

from pathlib import PurePosixPath

from lineage.diff.comparison import files
from lineage.diff.parts import Side
from lineage.diff.tokenizer.beside import (
    ADDED,
    CONFIG,
    MORE_TEMPLATES,
    OLD_TEMPLATE,
    ROLES,
    TEMPLATE,
)
from lineage.registry import Registry
from lineage.store.files import FileEntry

Files = dict[str, FileEntry]

_WHOLE = "tokenizer.json"
_PIECES = ("tokenizer.model", "spiece.model", "sentencepiece.bpe.model")
_PARTS = ("vocab.json", "merges.txt", "vocab.txt")
_NAMES = (_WHOLE, *_PIECES, *_PARTS, CONFIG, ROLES, ADDED, TEMPLATE, OLD_TEMPLATE)


def folders(registry: Registry, side: Side | None) -> dict[str, Files]:
    """The tokenizer files of a commit by their folder ("": the topmost) and name."""
    found: dict[str, Files] = {}
    for path, entry in files(registry, side).items():
        pure = PurePosixPath(path)
        folder, name = pure.parent, pure.name
        if folder.name == MORE_TEMPLATES and pure.suffix == ".jinja":
            folder, name = folder.parent, f"{MORE_TEMPLATES}/{name}"
        elif name not in _NAMES:
            continue
        found.setdefault("" if folder == PurePosixPath() else str(folder), {})[name] = (
            entry
        )
    model = side is not None and side.commit.kind == "model"
    return {
        where: names for where, names in found.items() if _is_one(names, model=model)
    }


def _is_one(names: Files, *, model: bool) -> bool:
    """Whether files with such names are a tokenizer.

    A vocab.txt or vocab.json of something that is no model may be anything.
    """
    telling = any(name in names for name in (_WHOLE, CONFIG, ROLES, *_PIECES))
    return telling or "merges.txt" in names or (model and "vocab.txt" in names)


def same(old: Files, new: Files) -> bool:
    """Whether all files are the same on both sides; then none is read."""
    a, b = ({name: entry.sha256 for name, entry in s.items()} for s in (old, new))
    return a == b


def has_pieces(names: Files) -> str:
    """Which SentencePiece model is among the files, by its SHA-256; "" for none."""
    return next((names[name].sha256 for name in _PIECES if name in names), "")
