"""Human text: holding some of it out, cutting the rest into records.

What is held out never enters training: the split is by whole paragraphs (.txt),
documents or examples (all else), and paragraphs of the training text that overlap
with the held-out part, whichever file they stand in, are removed from training, or
refused. An example, a prompt with its answer, stays whole or goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, overload

from lineage.errors import UsageError
from lineage.loop.records.overlap import HeldOut, HeldOutExamples
from lineage.loop.records.shards import Record, record_id
from lineage.loop.records.text_files import Example, Text, paragraphs, read_file
from lineage.loop.seeds import choose, order

if TYPE_CHECKING:
    from lineage.loop.spec import LoopSpec

    Offsets = Callable[[str], Sequence[tuple[int, int]]]
    Length = Callable[[Example], int]


@dataclass(frozen=True, slots=True)
class HumanText:
    """Human text, split; `removed` training paragraphs had held-out text in them."""

    train: list[Text]
    held_out: list[Text]
    removed: int


class Numbered(Sequence[Record]):
    """Texts as records; each is made when it is asked for."""

    def __init__(self, texts: Sequence[Text], stem: str, shard_size: int) -> None:
        self._texts, self._stem, self._size = texts, stem, shard_size

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, row: int) -> Record: ...
    @overload
    def __getitem__(self, row: slice) -> list[Record]: ...
    def __getitem__(self, row: int | slice) -> Record | list[Record]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        piece, number = self._texts[row], range(len(self))[row]
        id_ = record_id(self._stem, *divmod(number, self._size))
        record = {"file": piece.file, "id": id_, "text": piece.text}
        return record | (piece.example.fields() if piece.example else {})


class HumanRecords(NamedTuple):
    """Human text as records, ready to be written as shards.

    `removed` counts the paragraphs, and then blocks, with held-out text in them,
    `too_long` the examples that do not fit a block, of training and held out.
    """

    train: Sequence[Record]
    held_out: Sequence[Record]
    removed: int
    too_long: tuple[int, int] = (0, 0)


def read_human(spec: LoopSpec) -> HumanText:
    """Read the spec's human text and hold out what its `dataset` section says.

    Raises:
        StoreError: a file cannot be read, or is not what its name says.
        UsageError: there is too little text to hold some out, or what a
            validation file holds out is in the training data.
    """
    dataset = spec.dataset
    pieces = _read_all(spec, dataset.train_file)
    if dataset.validation_file:
        train, held_out = pieces, _read_all(spec, dataset.validation_file)
    else:
        train, held_out = split(pieces, dataset.held_out_fraction or 0, spec.seed)
    kept, leaks = without(train, held_out)
    if leaks and dataset.refuses_leaks:
        raise _leak(leaks)
    _check_left(spec, kept)
    return HumanText(_joined(kept), _joined(held_out), len(leaks))


def _leak(leaks: Sequence[Text]) -> UsageError:
    more = len(leaks) - 1
    others = f", and so {'are' if more > 1 else 'is'} {more} more" if more else ""
    message = f"{leaks[0].where}, is held-out text as well{others}"
    hint = "take them out of one of the two, or set dataset.on_leak: remove"
    return UsageError(message, hint=hint)


def _check_left(spec: LoopSpec, train: Iterable[Text]) -> None:
    if any(piece.text.strip() for piece in train):
        return
    hint = "give another validation_file"
    if not spec.dataset.validation_file:
        hint = "the text repeats itself: add text, or give dataset.validation_file"
    raise UsageError("all of the training text is held-out text as well", hint=hint)


def _read_all(spec: LoopSpec, names: Iterable[str]) -> list[Text]:
    columns = spec.dataset.columns
    return [text for name in names for text in read_file(spec.path(name), columns)]


def split(
    pieces: Sequence[Text], fraction: float, seed: int
) -> tuple[list[Text], list[Text]]:
    """Hold out whole pieces, chosen by the seed, up to `fraction` of the characters.

    At least one piece is held out. Returns the training and the held-out pieces,
    each in their old order.
    """
    sizes = {i: len(p.text) for i, p in enumerate(pieces) if p.text.strip()}
    if len(sizes) < 2:
        message = "one paragraph or document is too little to hold some out"
        raise UsageError(message, hint="add text, or give dataset.validation_file")
    room = fraction * sum(sizes.values())
    held_out = set()
    for index in order(len(pieces), seed, "held-out"):
        if index in sizes and sizes[index] <= room:
            held_out.add(index)
            room -= sizes[index]
    if not held_out:
        held_out.add(min(sizes, key=sizes.__getitem__))
    train = [piece for i, piece in enumerate(pieces) if i not in held_out]
    return train, [pieces[index] for index in sorted(held_out)]


def without(
    train: Sequence[Text], held_out: Sequence[Text]
) -> tuple[list[Text], list[Text]]:
    """Training text less the paragraphs that overlap with held-out text.

    Returns what is left and, for each paragraph that is removed, the piece that it
    was in. Documents lose paragraphs too, and go when nothing is left of them.
    """
    if examples := [piece.example for piece in held_out if piece.example]:
        return _examples_without(train, HeldOutExamples(examples))
    known = HeldOut([text for _, text in _paragraphs(r)] for r in _texts(held_out))
    kept: list[Text] = []
    removed: list[Text] = []
    for pieces in _texts(train):
        rows = _paragraphs(pieces)
        found = known.among([text for _, text in rows])
        left: dict[Text, list[str]] = {}
        for number, (piece, text) in enumerate(rows):
            if number not in found:
                left.setdefault(piece, []).append(text)
        kept += [piece._replace(text="".join(texts)) for piece, texts in left.items()]
        removed += [rows[number][0] for number in sorted(found)]
    return kept, removed


def _examples_without(
    train: Iterable[Text], known: HeldOutExamples
) -> tuple[list[Text], list[Text]]:
    sides: tuple[list[Text], list[Text]] = ([], [])
    for piece in train:
        sides[bool(piece.example and known.leaks(piece.example))].append(piece)
    return sides


def _texts(pieces: Iterable[Text]) -> Iterator[list[Text]]:
    """Paragraphs that stand one after the other; each document by itself."""
    run: list[Text] = []
    for piece in pieces:
        if run and not piece.follows(run[-1]):
            yield run
            run = []
        run.append(piece)
    yield run


def _paragraphs(pieces: Iterable[Text]) -> list[tuple[Text, str]]:
    """Each paragraph with the piece that it is in."""
    return [(piece, text) for piece in pieces for text in paragraphs(piece.text)]


def _joined(pieces: Iterable[Text]) -> list[Text]:
    """Paragraphs of a .txt become one text again; documents stay documents."""
    whole: dict[str, list[str]] = {}
    documents = []
    for piece in pieces:
        if piece.row:
            documents.append(piece)
        else:
            whole.setdefault(piece.file, []).append(piece.text)
    return [Text(name, "".join(texts)) for name, texts in whole.items()] + documents


def human_records(
    spec: LoopSpec, human: HumanText, offsets: Offsets, length: Length | None = None
) -> HumanRecords:
    """Cut human text into records of about `dataset.block_size` tokens.

    `offsets` gives a text's tokens as (start, end) in characters, as a fast
    tokenizer's `return_offsets_mapping` does. `length` counts the tokens of an
    example (those of its text, unless given); longer ones than a block are left
    out. Where `dataset.max_train_samples` or
    `evaluation.max_samples` ask for fewer records, the seed chooses them. A block
    that overlaps with a held-out block does not train either.
    """
    if spec.dataset.has_prompts:
        return _examples(spec, human, length or (lambda e: len(offsets(e.text))))
    size = spec.dataset.block_size
    held_out = _blocks(human.held_out, size, offsets)
    known = HeldOut([block.text] for block in held_out)
    blocks = _blocks(human.train, size, offsets)
    train = [block for block in blocks if not known.among([block.text])]
    _check_left(spec, train)
    removed = human.removed + len(blocks) - len(train)
    return _records(spec, train, held_out, removed)


def _examples(spec: LoopSpec, human: HumanText, length: Length) -> HumanRecords:
    """Those that fit a block, whole."""
    size, sides, less = spec.dataset.block_size, [], []
    for side in (human.train, human.held_out):
        fit = [p for p in side if p.example and length(p.example) <= size]
        if not fit:
            message = f"no record fits a block: dataset.block_size is {size} tokens"
            raise UsageError(message, hint="make it larger; records are never cut")
        sides.append(fit)
        less.append(len(side) - len(fit))
    train, held_out = sides
    return _records(spec, train, held_out, human.removed, (less[0], less[1]))


def _records(
    spec: LoopSpec,
    train: list[Text],
    held_out: list[Text],
    removed: int,
    too_long: tuple[int, int] = (0, 0),
) -> HumanRecords:
    size, seed = spec.generation.shard_size, spec.seed
    chosen = _some(train, spec.dataset.max_train_samples, seed)
    measured = _some(held_out, spec.evaluation.max_samples, seed)
    sides = Numbered(chosen, "human", size), Numbered(measured, "held-out", size)
    return HumanRecords(*sides, removed, too_long)


def _blocks(texts: Iterable[Text], size: int, offsets: Offsets) -> list[Text]:
    return [
        piece._replace(text=block)
        for piece in texts
        for block in cut(piece.text, size, offsets)
        if block.strip()
    ]


def _some(blocks: list[Text], wanted: int | None, seed: int) -> list[Text]:
    if wanted is None or wanted >= len(blocks):
        return blocks
    return [blocks[index] for index in choose(len(blocks), wanted, seed, "blocks")]


def cut(text: str, block_size: int, offsets: Offsets) -> Iterator[str]:
    """Cut `text` into slices of `block_size` of its tokens or a few less.

    Cuts are between words where the second half of a block has such a place, and
    never inside a character. The slices join to `text` again.
    """
    spans = offsets(text)
    token = begin = 0
    while len(spans) - token > block_size:
        token = _cut_before(text, spans, token, token + block_size)
        end = _start_of(text, spans[token][0]) if token < len(spans) else len(text)
        yield text[begin:end]
        begin = end
    yield text[begin:]


def _start_of(text: str, start: int) -> int:
    """Where a token starts: byte-level ones have their space, whatever offsets say."""
    trimmed = text[start - 1] == " " and not text[start].isspace()
    return start - 1 if trimmed else start


def _cut_before(
    text: str, spans: Sequence[tuple[int, int]], first: int, last: int
) -> int:
    """The token in (first, last] to cut before; later only inside one character."""
    whole = [token for token in range(last, first, -1) if _is_whole(spans, token)]
    for token in whole:
        start = spans[token][0]
        between_words = text[start].isspace() or text[start - 1].isspace()
        if between_words and token > (first + last) / 2:
            return token
    later = (token for token in range(last + 1, len(spans)) if _is_whole(spans, token))
    return next(chain(whole, later), len(spans))


def _is_whole(spans: Sequence[tuple[int, int]], token: int) -> bool:
    """Whether a token starts a character; several can be inside one."""
    return spans[token][0] >= spans[token - 1][1]
