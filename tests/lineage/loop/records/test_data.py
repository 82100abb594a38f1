"""Held-out text never trains, and human text becomes records without loss."""

from __future__ import annotations

import json
import random
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import UsageError
from lineage.loop.records.data import cut, human_records, read_human, split, without
from lineage.loop.records.text_files import Text, paragraphs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.spec import LoopSpec

    Parse = Callable[..., LoopSpec]

pieces = st.lists(
    st.text(alphabet="ab \n", min_size=1).map(lambda text: Text("a.txt", text)),
    min_size=1,
)


def by_word(text: str) -> list[tuple[int, int]]:
    """A tokenizer whose tokens are words with the space before them."""
    return [match.span() for match in re.finditer(r" ?\S+|\s", text)]


def by_byte(text: str) -> list[tuple[int, int]]:
    """A tokenizer whose tokens are UTF-8 bytes, with the spans that BPE gives."""
    return [(i, i + 1) for i, char in enumerate(text) for _ in char.encode()]


@given(pieces, st.floats(0.01, 0.99), st.integers(0, 9))
def test_split_is_a_partition(texts: list[Text], fraction: float, seed: int) -> None:
    """Each piece is on one side, in its old order; neither side is blank."""
    if sum(bool(piece.text.strip()) for piece in texts) < 2:
        return
    numbered = [Text(str(i), piece.text) for i, piece in enumerate(texts)]
    train, held_out = split(numbered, fraction, seed)
    assert sorted(train + held_out) == sorted(numbered)
    for side in (train, held_out):
        files = [int(piece.file) for piece in side]
        assert files == sorted(files)
        assert any(piece.text.strip() for piece in side)


@given(st.floats(0.05, 0.95), st.integers(0, 99))
def test_split_holds_out_the_fraction(fraction: float, seed: int) -> None:
    """Of many small pieces, as many characters as asked, less one piece at most."""
    texts = [Text("a.txt", f"{n:04d}\n") for n in range(200)]
    _, held_out = split(texts, fraction, seed)
    assert 0 <= fraction * 200 - len(held_out) <= 1


def test_split_depends_on_the_seed() -> None:
    """One seed always holds out the same, another seed something else."""
    texts = [Text("a.txt", str(n)) for n in range(100)]
    assert split(texts, 0.2, 1) == split(texts, 0.2, 1)
    assert split(texts, 0.2, 1) != split(texts, 0.2, 2)


def test_a_large_piece_is_not_held_out_for_a_small_fraction() -> None:
    """The fraction is kept where one document is most of the text."""
    texts = [Text("a.jsonl", "x" * 10_000), *(Text("a.jsonl", c) for c in "abcdef")]
    for seed in range(20):
        train, _ = split(texts, 0.1, seed)
        assert texts[0] in train


def test_too_little_to_split() -> None:
    """One piece cannot be on both sides."""
    with pytest.raises(UsageError, match="too little to hold some out"):
        split([Text("a.txt", "all of it"), Text("a.txt", "\n")], 0.1, 0)


def test_without_compares_words() -> None:
    """Training text that is held out as well is removed, however it is wrapped."""
    train = [Text("a", "One\ntwo.\n\n"), Text("a", "three"), Text("a", "\n")]
    held_out = [Text("b", " one two"), Text("b", "")]
    assert without(train, held_out) == (train[1:], train[:1])


LONG = " ".join(f"word{n}" for n in range(13))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (LONG, ""),
        (f"Posted by somebody.\n{LONG}\n\nAnd more.", "And more."),
        (LONG.replace(" ", "\n\n"), ""),
        (LONG.upper().replace(" ", ", "), ""),
        (LONG.replace("word6", "another"), LONG.replace("word6", "another")),
        (LONG.removesuffix(" word12") + " or so", LONG[:-7] + " or so"),
        (f"first\n\n{LONG}\n\nlast", "first\n\nlast"),
    ],
)
@pytest.mark.parametrize("held", [LONG, f"a\n\n{LONG} b", LONG.replace(" ", "\n\n")])
def test_a_run_of_thirteen_words_is_an_overlap(text: str, left: str, held: str) -> None:
    """Quoted, wrapped otherwise, with a line before it: its paragraphs are removed."""
    pieces = [Text("a.txt", p, place) for place, p in enumerate(paragraphs(text), 1)]
    for train in (pieces, [Text("a.jsonl", text, row=1)]):
        kept, removed = without(train, [Text("v.jsonl", held)])
        assert "".join(piece.text for piece in kept) == left
        assert bool(removed) == (left != text)


def test_paragraphs_that_are_apart_make_no_run() -> None:
    """What the split has put side by side was never one text."""
    halves = [LONG[:36], LONG[36:]]
    apart = [Text("v.txt", half, place) for place, half in enumerate([*halves], 1)]
    apart[1] = apart[1]._replace(place=3)
    train = [Text("a.txt", LONG)]
    assert without(train, apart) == (train, [])


@pytest.mark.parametrize("train", ["txt", "jsonl"])
@pytest.mark.parametrize("validation", ["txt", "jsonl"])
def test_held_out_text_does_not_train_from_another_file(
    parse: Parse, tmp_path: Path, train: str, validation: str
) -> None:
    """The format of a file and what stands around its text change nothing."""
    texts = [
        f"paragraph {n} of it, {' '.join(f'{n}{c}' for c in LONG)}" for n in range(9)
    ]
    for name, chosen in ("train", texts), ("validation", texts[3:5]):
        (tmp_path / f"{name}.txt").write_text("\n\n".join(chosen))
        (tmp_path / f"{name}.jsonl").write_text(
            json.dumps({"text": "\n\n".join(["A title", *chosen])})
        )
    spec = parse(
        dataset={
            "train_file": f"train.{train}",
            "validation_file": f"validation.{validation}",
            "on_leak": "remove",
        }
    )
    records = human_records(spec, read_human(spec), by_word)
    found = {number for record in records.train for number in seen(record["text"])}
    assert found == {0, 1, 2, 5, 6, 7, 8}
    assert records.removed == 2 + (train == validation == "jsonl")


def seen(text: str) -> set[int]:
    return {int(number) for number in re.findall(r"paragraph (\d)", text)}


def test_the_same_text_in_two_formats_is_held_out_of_both(
    parse: Parse, tmp_path: Path
) -> None:
    """Where the split chooses, no paragraph is on both sides."""
    texts = [f"paragraph {n} of the {n * n} that there are" for n in range(10)]
    (tmp_path / "a.txt").write_text("\n\n".join(texts))
    (tmp_path / "b.jsonl").write_text(
        "\n".join(json.dumps({"text": "\n\n".join(texts[n : n + 2])}) for n in range(9))
    )
    for seed in range(4):
        spec = parse(seed=seed, dataset={"train_file": ["a.txt", "b.jsonl"]})
        human = read_human(spec)
        sides = [
            {number for piece in side for number in seen(piece.text)}
            for side in (human.train, human.held_out)
        ]
        assert sides[1]
        assert not sides[0] & sides[1]


def test_much_text_is_looked_through_in_no_time() -> None:
    """Five megabytes take seconds, and ordinary text stays."""
    draw = random.Random(0)  # noqa: S311
    words = [f"w{n}" for n in range(30000)]
    texts = (" ".join(draw.choices(words, k=80)) for _ in range(10000))
    pieces = [Text("a.txt", text, place) for place, text in enumerate(texts, 1)]
    begun = time.process_time()
    assert without(pieces[:9000], pieces[9000:]) == (pieces[:9000], [])
    assert time.process_time() - begun < 20


@given(
    st.text(alphabet=st.sampled_from("ab \né🎉")),
    st.integers(2, 12),
    st.sampled_from([by_word, by_byte]),
)
def test_cut_loses_nothing(text: str, size: int, offsets: Any) -> None:
    """The blocks join to the text, each about as long as asked."""
    blocks = list(cut(text, size, offsets))
    assert "".join(blocks) == text
    whole = 3 if offsets is by_byte else 0  # an emoji's bytes stay together
    assert all(len(offsets(block)) <= size + whole + 1 for block in blocks)


def test_cut_prefers_the_space_between_words() -> None:
    """A block ends where a word does; the space goes with the next word."""
    text = "alpha beta gamma delta"
    assert list(cut(text, 14, by_byte)) == ["alpha beta", " gamma delta"]


def test_cut_knows_trimmed_offsets() -> None:
    """Offsets without the leading space, as byte-level tokenizers trim them, do too."""
    trimmed = [(0, 1), (2, 3), (4, 5), (6, 7)]
    assert list(cut("a b c d", 2, lambda _: trimmed)) == ["a b", " c d"]


def human(parse: Parse, **dataset: Any) -> LoopSpec:
    return parse(dataset={"train_file": "human.txt", "block_size": 8} | dataset)


def test_held_out_paragraphs_do_not_train(parse: Parse, tmp_path: Path) -> None:
    """A paragraph that is held out is nowhere in the training text, even repeated."""
    text = "".join(f"paragraph number {n % 30}\n\n" for n in range(60))
    (tmp_path / "human.txt").write_text(text)
    spec = human(parse, validation_split=0.2)
    split_text = read_human(spec)
    sides = [
        {line for piece in side for line in piece.text.splitlines() if line}
        for side in (split_text.train, split_text.held_out)
    ]
    assert not sides[0] & sides[1]
    assert sides[0] | sides[1] == {f"paragraph number {n}" for n in range(30)}
    assert split_text.removed > 0


def test_held_out_blocks_do_not_train(parse: Parse, tmp_path: Path) -> None:
    """A block that reads like a held-out one is no training record either."""
    (tmp_path / "human.txt").write_text("a b c d e f g h\nand then some more of it")
    (tmp_path / "held.txt").write_text("a b c d e f g h\nquite another end here")
    spec = human(parse, validation_file="held.txt")
    train, held_out, *_ = human_records(spec, read_human(spec), by_word)
    words = [[record["text"].split() for record in side] for side in (train, held_out)]
    assert words[1][0] == list("abcdefgh")
    assert list("abcdefgh") not in words[0]
    assert words[0]


def test_nothing_left_to_train_on(parse: Parse, tmp_path: Path) -> None:
    """Holding out the training file itself is refused."""
    (tmp_path / "human.txt").write_text("all of it\n\nall of it")
    for dataset, hint in (
        (
            {"validation_file": "human.txt", "on_leak": "remove"},
            "give another validation_file",
        ),
        ({}, "the text repeats itself: add text, or give dataset.validation_file"),
    ):
        with pytest.raises(UsageError, match="all of the training text is") as caught:
            read_human(human(parse, **dataset))
        assert caught.value.hint == hint


def test_records_say_where_they_are_from(parse: Parse, tmp_path: Path) -> None:
    """A record has its file, an id that names shard and row, and its text."""
    lines = [json.dumps({"text": f"document {n} of several"}) for n in range(6)]
    (tmp_path / "docs.jsonl").write_text("\n".join(lines))
    spec = parse(
        dataset={"train_file": "docs.jsonl", "validation_split": 0.2},
        generation={"shard_size": 2},
    )
    train, held_out, *_ = human_records(spec, read_human(spec), by_word)
    assert [record["id"] for record in train] == [
        "human-00000-00000",
        "human-00000-00001",
        "human-00001-00000",
        "human-00001-00001",
        "human-00002-00000",
    ]
    assert [record["id"] for record in held_out] == ["held-out-00000-00000"]
    assert {record["file"] for record in train} == {"docs.jsonl"}
    texts = {record["text"] for record in [*train, *held_out]}
    assert texts == {f"document {n} of several" for n in range(6)}


def test_fewer_records_are_chosen_by_the_seed(parse: Parse, tmp_path: Path) -> None:
    """`max_train_samples` and `max_samples` take some of all, in their old order."""
    words = [f"w{n:03d}" for n in range(400)]
    (tmp_path / "human.txt").write_text(" ".join(words[:300]))
    (tmp_path / "held.txt").write_text(" ".join(words[300:]))
    some = {"validation_file": "held.txt", "max_train_samples": 10}
    chosen = []
    for seed in (0, 0, 1):
        spec = parse(
            seed=seed,
            dataset={"train_file": "human.txt", "block_size": 8} | some,
            evaluation={"max_samples": 5},
        )
        chosen.append(human_records(spec, read_human(spec), by_word))
    assert [len(chosen[0].train), len(chosen[0].held_out)] == [10, 5]
    texts = [record["text"].strip() for record in chosen[0].train]
    assert texts == sorted(texts)
    rows = [[list(side) for side in each[:2]] for each in chosen]
    assert rows[0] == rows[1] != rows[2]


def asked(name: str, pairs: list[tuple[str, str]], folder: Path) -> str:
    """A .jsonl of prompts and answers."""
    rows = [{"q": prompt, "a": answer} for prompt, answer in pairs]
    (folder / name).write_text("\n".join(map(json.dumps, rows)))
    return name


PAIRS = [(f"What is {n} + {n}?", f" {2 * n}") for n in range(20)]
QA = {"prompt_column": "q", "completion_column": "a"}


def test_examples_are_never_cut(parse: Parse, tmp_path: Path) -> None:
    """A record has prompt, completion and both as text; too long ones are counted."""
    long = [("Tell me", " a b c d e f g h")] * 3
    name = asked("human.jsonl", [*PAIRS, *long], tmp_path)
    spec = parse(dataset={"train_file": name, "block_size": 8} | QA)
    records = human_records(spec, read_human(spec), by_word)
    texts = {r["text"] for r in [*records.train, *records.held_out]}
    assert texts <= {prompt + answer for prompt, answer in PAIRS}
    assert sum(records.too_long) + records.removed == 3
    for record in records.train:
        assert set(record) == {"file", "id", "text", "prompt", "completion"}
        assert record["text"] == record["prompt"] + record["completion"]


def test_nothing_fits_a_block(parse: Parse, tmp_path: Path) -> None:
    """Records that are all too long are one sentence."""
    name = asked("human.jsonl", PAIRS, tmp_path)
    spec = parse(dataset={"train_file": name, "block_size": 3} | QA)
    with pytest.raises(UsageError, match="is 3 tokens"):
        human_records(spec, read_human(spec), by_word)


@pytest.mark.parametrize(
    ("held_out", "leaks"),
    [
        ([("WHAT is  3 + 3?", "six")], 1),
        ([("What is 3 - 3?", " 6"), ("Three?", " 6")], 0),
        ([PAIRS[2], PAIRS[7], PAIRS[7]], 2),
        ([("Recite.", f"So: {LONG}")], 1),
        ([(f"{LONG} And who?", "Me.")], 0),
    ],
)
def test_leaks_of_examples(
    parse: Parse, tmp_path: Path, held_out: list[tuple[str, str]], leaks: int
) -> None:
    """The same prompt leaks, and a long run of an answer; an instruction does not."""
    train = [*PAIRS, ("Say it.", f"Well, {LONG}!"), (f"{LONG} And what?", "That.")]
    files = {
        "train_file": asked("t.jsonl", train, tmp_path),
        "validation_file": asked("v.jsonl", held_out, tmp_path),
    }
    spec = parse(dataset=files | QA | {"on_leak": "remove"})
    human = read_human(spec)
    assert (human.removed, len(human.train)) == (leaks, len(train) - leaks)
    refusing = parse(dataset=files | QA)
    if leaks:
        with pytest.raises(UsageError, match="is held-out text as well"):
            read_human(refusing)
    else:
        assert read_human(refusing) == human


def test_a_leak_is_refused_with_its_place(parse: Parse, tmp_path: Path) -> None:
    """The sentence has the file, the first record and how many more there are."""
    (tmp_path / "t.txt").write_text("a b\n\nc d\n\ne f\n\ng h\n")
    files = {"train_file": "t.txt", "validation_file": "v.txt"}
    for held, sentence in {
        "c d": "t.txt, paragraph 2, is held-out text as well",
        "c d\n\nx\n\ng h": "t.txt, paragraph 2, is held-out text as well, "
        "and so is 1 more",
    }.items():
        (tmp_path / "v.txt").write_text(held)
        with pytest.raises(UsageError) as caught:
            read_human(parse(dataset=files))
        assert str(caught.value) == sentence
        assert "dataset.on_leak: remove" in caught.value.hint


def test_held_out_prompts_are_not_trained_on(parse: Parse, tmp_path: Path) -> None:
    """A prompt with several answers is on one side of the split only."""
    pairs = [(f"Name a word, {n % 10}.", f" word{n}") for n in range(60)]
    name = asked("human.jsonl", pairs, tmp_path)
    for seed in range(5):
        spec = parse(seed=seed, dataset={"train_file": name} | QA)
        train, held_out, *_ = human_records(spec, read_human(spec), by_word)
        prompts = [{record["prompt"] for record in side} for side in (train, held_out)]
        assert prompts[1]
        assert not prompts[0] & prompts[1]
