"""Human text: holding some of it out, cutting the rest into records.

What is held out never enters training: the split is by whole paragraphs (.txt) or
documents (.jsonl), and paragraphs of the training text that overlap with the held-out
part, whichever file they stand in, are removed from training.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from lineage.errors import UsageError
from lineage.loop.overlap import HeldOut
from lineage.loop.seeds import choose, order
from lineage.loop.shards import Record, record_id
from lineage.loop.text_files import Text, paragraphs, read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lineage.loop.spec import LoopSpec

    Offsets = Callable[[str], Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class HumanText:
    """Human text, split; `removed` training paragraphs had held-out text in them."""

    train: list[Text]
    held_out: list[Text]
    removed: int


class HumanRecords(NamedTuple):
    """Human text as records, ready to be written as shards.

    `removed` counts the paragraphs, and then blocks, with held-out text in them.
    """

    train: list[Record]
    held_out: list[Record]
    removed: int


def read_human(spec: LoopSpec) -> HumanText:
    """Read the spec's human text and hold out what its `dataset` section says.

    Raises:
        StoreError: a file cannot be read, or is not what its name says.
        UsageError: there is too little text to hold some out.
    """
    dataset = spec.dataset
    pieces = _read_all(spec, dataset.train_file)
    if dataset.validation_file:
        train, held_out = pieces, _read_all(spec, dataset.validation_file)
    else:
        train, held_out = split(pieces, dataset.held_out_fraction or 0, spec.seed)
    kept, removed = without(train, held_out)
    _check_left(spec, kept)
    return HumanText(_joined(kept), _joined(held_out), removed)


def _check_left(spec: LoopSpec, train: Iterable[Text]) -> None:
    if any(piece.text.strip() for piece in train):
        return
    hint = "give another validation_file"
    if not spec.dataset.validation_file:
        hint = "the text repeats itself: add text, or give dataset.validation_file"
    raise UsageError("all of the training text is held-out text as well", hint=hint)


def _read_all(spec: LoopSpec, names: Iterable[str]) -> list[Text]:
    column = spec.dataset.text_column
    return [text for name in names for text in read_file(spec.path(name), column)]


def split(
    pieces: Sequence[Text], fraction: float, seed: int
) -> tuple[list[Text], list[Text]]:
    """Hold out whole pieces, chosen by the seed, up to `fraction` of the characters.

    At least one piece is held out. Returns the training and the held-out pieces,
    each in their old order.
    """
    sizes = {i: len(text) for i, (_, text, _) in enumerate(pieces) if text.strip()}
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


def without(train: Iterable[Text], held_out: Iterable[Text]) -> tuple[list[Text], int]:
    """Training text less the paragraphs that overlap with held-out text.

    Returns what is left and how many paragraphs were removed. Documents lose
    paragraphs too, and go when nothing is left of them.
    """
    known = HeldOut([text for _, text in _paragraphs(r)] for r in _texts(held_out))
    kept: list[Text] = []
    removed = 0
    for pieces in _texts(train):
        rows = _paragraphs(pieces)
        found = known.among([text for _, text in rows])
        left: dict[Text, list[str]] = {}
        for number, (piece, text) in enumerate(rows):
            if number not in found:
                left.setdefault(piece, []).append(text)
        kept += [piece._replace(text="".join(texts)) for piece, texts in left.items()]
        removed += len(found)
    return kept, removed


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
        if piece.file.endswith(".jsonl"):
            documents.append(piece)
        else:
            whole.setdefault(piece.file, []).append(piece.text)
    return [Text(name, "".join(texts)) for name, texts in whole.items()] + documents


def human_records(spec: LoopSpec, human: HumanText, offsets: Offsets) -> HumanRecords:
    """Cut human text into records of about `dataset.block_size` tokens.

    `offsets` gives a text's tokens as (start, end) in characters, as a fast
    tokenizer's `return_offsets_mapping` does. Where `dataset.max_train_samples` or
    `evaluation.max_samples` ask for fewer records, the seed chooses them. A block
    that overlaps with a held-out block does not train either.
    """
    size, seed = spec.dataset.block_size, spec.seed
    held_out = _blocks(human.held_out, size, offsets)
    known = HeldOut([block.text] for block in held_out)
    blocks = _blocks(human.train, size, offsets)
    train = [block for block in blocks if not known.among([block.text])]
    _check_left(spec, train)
    shard_size = spec.generation.shard_size
    chosen = _some(train, spec.dataset.max_train_samples, seed)
    measured = _some(held_out, spec.evaluation.max_samples, seed)
    return HumanRecords(
        _numbered(chosen, "human", shard_size),
        _numbered(measured, "held-out", shard_size),
        human.removed + len(blocks) - len(train),
    )


def _blocks(texts: Iterable[Text], size: int, offsets: Offsets) -> list[Text]:
    return [
        Text(file, block)
        for file, text, _ in texts
        for block in cut(text, size, offsets)
        if block.strip()
    ]


def _some(blocks: list[Text], wanted: int | None, seed: int) -> list[Text]:
    if wanted is None or wanted >= len(blocks):
        return blocks
    return [blocks[index] for index in choose(len(blocks), wanted, seed, "blocks")]


def _numbered(blocks: Iterable[Text], stem: str, shard_size: int) -> list[Record]:
    return [
        {"file": file, "id": record_id(stem, *divmod(row, shard_size)), "text": text}
        for row, (file, text, _) in enumerate(blocks)
    ]


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
