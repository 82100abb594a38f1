"""Settings side by side: params, and what small structured files say.

Of a config commit every JSON, YAML, TOML and Python file is read, of another the
configs that model libraries write, the architecture first. A file that is the same
on both sides is not read at all; one that changed its format or its name is still
compared with what it was.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from lineage.diff.comparison import Comparison
from lineage.diff.documents import read, structured
from lineage.diff.parts import Pair, Side
from lineage.diff.settings import Change, changes, fingerprint
from lineage.errors import LineageError
from lineage.registry import Registry
from lineage.store.files import FileEntry

_LARGEST = 1 << 20  # bytes; a config is written by hand
_OF_MODELS = ("config.json", "config_sentence_transformers.json", "modules.json")
_OF_TOKENIZERS = "tokenizer_config.json"  # the section tokenizer reads it
_TELLING = (
    *("model_type", "architectures", "peft_type", "base_model_name_or_path"),
    *("num_hidden_layers", "n_layer", "hidden_size", "n_embd", "intermediate_size"),
    *("num_attention_heads", "n_head", "num_key_value_heads", "head_dim"),
    *("vocab_size", "max_position_embeddings", "n_positions", "tie_word_embeddings"),
    *("r", "lora_alpha", "target_modules", "dtype", "torch_dtype"),
)
_RANKS = {name: rank for rank, name in enumerate(_TELLING)}


_Document = Any  # None where there is no such file
_Files = dict[str, FileEntry]


def compare_params(what: Comparison) -> tuple[Change, ...]:
    """Parameters that differ; those of parts, where the whole does not have them.

    Those of config parts are settings, and not among these.
    """
    pairs = what.pairs
    own = {name for side in pairs[0].commits for name in side.params}
    found = list(changes("", _params(pairs[0].a), _params(pairs[0].b)))
    for pair in pairs[1:]:
        if pair.part and pair.kind != "config" and pair.whole:
            sides = ({k: v for k, v in _params(side).items() if k not in own}
                     for side in (pair.a, pair.b))  # fmt: skip
            found += changes(f"{pair.label}/", *sides)
    return tuple(found)


def compare(what: Comparison) -> tuple[Change, ...]:
    """Settings that differ; a note says what could not be read, and why."""
    pairs = what.pairs
    configs = sum(pair.kind == "config" for pair in pairs)
    found: list[Change] = []
    for pair in pairs:
        bare = not pair.label or (pair.kind == "config" and configs == 1)
        prefix = "" if bare else f"{pair.label}/"
        if pair.label and pair.kind == "config" and pair.whole:
            found += changes(prefix, _params(pair.a), _params(pair.b))
        if pair.whole and pair.kind:
            found += _file_changes(what, pair, prefix)
    return tuple(found)


def _params(side: Side | None) -> Mapping[str, Any]:
    return side.commit.params if side else {}


def _file_changes(what: Comparison, pair: Pair, prefix: str) -> Iterator[Change]:
    """What the files of a pair say differently, `config.json` before others."""
    found: list[tuple[str, _Document, _Document]] = []
    alone = _alone(pair)
    for old, new in _paired(
        *(_files(what.registry, s) for s in (pair.a, pair.b)), alone=alone
    ):
        entry = new or old
        assert entry is not None
        within = "" if alone else f"{entry.path}:"
        try:
            found.append((prefix + within, *_documents(what, prefix, old, new)))
        except LineageError as error:
            what.notes.append(f"{prefix}{entry.path} is not compared: {error}")
    for within, before, after in _without_moved(found):
        differing = changes(within, before or {}, after or {})
        of_model = pair.kind == "model"
        yield from sorted(differing, key=_rank) if of_model else differing


def _alone(pair: Pair) -> bool:
    """Whether the settings of both are those of one file and nothing else."""
    return not any(
        commit.params or (commit.payload and commit.payload.type != "file")
        for commit in pair.commits
    )


def _files(registry: Registry, side: Side | None) -> _Files:
    """The files of a commit that hold settings, `config.json` first."""
    if side is None or side.commit.payload is None:
        return {}
    tells = structured if side.commit.kind == "config" else _written_by_libraries
    found = [entry for entry in registry.files(side.id) if tells(entry.path)]
    found.sort(key=lambda entry: (entry.path != "config.json", entry.path))
    return {entry.path: entry for entry in found}


def _written_by_libraries(path: str) -> bool:
    name = PurePath(path).name
    return name != _OF_TOKENIZERS and name.endswith(_OF_MODELS)


def _paired(
    old: _Files, new: _Files, *, alone: bool
) -> Iterator[tuple[FileEntry | None, FileEntry | None]]:
    """Files side by side: of one path; else of one path but for the ending.

    What is the same on both sides is left out.
    """
    gone = [path for path in old if path not in new]
    fresh = [path for path in new if path not in old]
    moved = dict(
        zip(gone, fresh, strict=True)
        if alone and gone and fresh
        else _moved(gone, fresh)
    )
    for path in dict.fromkeys((*old, *new)):
        before, after = old.get(path), new.get(moved.get(path, path))
        if path in moved.values() or (before and after and _same(before, after)):
            continue
        yield before, after


def _moved(gone: list[str], fresh: list[str]) -> Iterator[tuple[str, str]]:
    """Old and new path of each file that has another ending now."""
    before, after = _by_stem(gone), _by_stem(fresh)
    for stem in before.keys() & after.keys():
        if len(before[stem]) == len(after[stem]) == 1:
            yield before[stem][0], after[stem][0]


def _by_stem(paths: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(str(PurePath(path).with_suffix("")), []).append(path)
    return found


def _same(before: FileEntry, after: FileEntry) -> bool:
    return before.sha256 == after.sha256


def _without_moved(
    found: list[tuple[str, _Document, _Document]],
) -> list[tuple[str, _Document, _Document]]:
    """`found` without files that say what one of another name had said."""
    gone = {fingerprint(old) for _, old, new in found if new is None}
    fresh = {fingerprint(new) for _, old, new in found if old is None}
    moved = gone & fresh
    return [
        (within, old, new)
        for within, old, new in found
        if not (old is None or new is None)
        or fingerprint(new if old is None else old) not in moved
    ]


def _documents(
    what: Comparison, prefix: str, old: FileEntry | None, new: FileEntry | None
) -> tuple[_Document, _Document]:
    """What two files say; a note tells what of a Python file is no literal.

    Raises:
        LineageError: when one is too large, not here, damaged or malformed.
    """
    skipped: tuple[dict[str, str], dict[str, str]] = {}, {}
    found = [
        _read(what.registry, entry, others)
        for entry, others in zip((old, new), skipped, strict=True)
    ]
    before, after = skipped
    names = sorted(n for n in {*before, *after} if before.get(n) != after.get(n))
    if names:
        entry = new or old
        assert entry is not None
        said = (
            "differ but are no literals" if names[1:] else "differs but is no literal"
        )
        what.notes.append(f"in {prefix}{entry.path} {', '.join(names)} {said}")
    return found[0], found[1]


def _read(
    registry: Registry, entry: FileEntry | None, skipped: dict[str, str]
) -> _Document:
    if entry is None:
        return None
    if entry.size > _LARGEST:
        raise LineageError("it is too large for a config")
    wrong = registry.payloads.check(entry)
    if wrong:
        raise LineageError(f"it {wrong}")
    with registry.payloads.at(entry.md5) as path:
        return read(path, entry.path, skipped=skipped) or {}


def _rank(change: Change) -> tuple[int, str]:
    """The architecture first, as far as a setting's name tells."""
    name = change.path.rpartition(":")[2].rpartition(".")[2]
    return _RANKS.get(name, len(_RANKS)), change.path
