"""What differs between two tokenizers that have been read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lineage.diff.settings import Change
from lineage.diff.settings import changes as by_path
from lineage.diff.tokenizer.reading import Tokenizer
from lineage.diff.tokenizer.retokenised import Retokenised
from lineage.diff.tokenizer.tables import Table, numbered, ordered
from lineage.diff.tokenizer.templates import TemplateChange, changes


@dataclass(frozen=True)
class TokenizerChanges:
    """How one tokenizer differs; `folder` is where it lies in the commit's files.

    `special` are special tokens by role and added tokens by themselves, with the flags
    that they are found by; `settings` the steps of tokenizer.json and the settings of
    transformers, by path. `text` says what that does to a text, where there is one.
    """

    label: str
    folder: str
    vocabulary: Table = field(default_factory=Table)
    scores: Table = field(default_factory=Table)
    merges: Table = field(default_factory=Table)
    special: tuple[Change, ...] = ()
    settings: tuple[Change, ...] = ()
    templates: tuple[TemplateChange, ...] = ()
    text: Retokenised | None = None

    def __bool__(self) -> bool:
        """Whether anything differs."""
        tables = self.vocabulary, self.scores, self.merges
        return any((*tables, self.special, self.settings, self.templates))


def side_by_side(
    label: str, folder: str, a: Tokenizer, b: Tokenizer
) -> TokenizerChanges:
    """What differs, as far as both sides have it."""
    tokens = bool(a.vocabulary and b.vocabulary)
    whole = bool(a.text) == bool(b.text)
    special = [*by_path("", a.beside.roles, b.beside.roles)]
    settings = [*by_path("", a.settings, b.settings)] if whole else []
    return TokenizerChanges(
        label,
        folder,
        numbered(a.vocabulary, b.vocabulary) if tokens else Table(),
        _scores(a.scores, b.scores),
        ordered(a.merges, b.merges) if tokens else Table(),
        (*special, *(_added(a.added, b.added) if whole else ())),
        (*settings, *by_path("", a.beside.settings, b.beside.settings)),
        tuple(changes(a.beside.templates, b.beside.templates)),
    )


def _scores(a: Mapping[str, float], b: Mapping[str, float]) -> Table:
    """The scores of pieces that both have; the others are in the vocabulary."""
    both = a.keys() & b.keys()
    return numbered(*({token: side[token] for token in side if token in both}
                      for side in (a, b)))  # fmt: skip


def _added(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    for token in sorted({*a, *b}):
        old, new = (_flags(side[token]) if token in side else None for side in (a, b))
        if old != new:
            kept = "changed" if new else "removed"
            yield Change(token, old, new, kept if old else "added")


def _flags(token: Mapping[str, Any]) -> str:
    """What is true of an added token, such as that it is special."""
    return ", ".join(sorted(k for k, v in token.items() if v is True)) or "plain"
