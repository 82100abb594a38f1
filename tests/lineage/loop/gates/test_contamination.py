"""Contamination: held-out text and evaluation sets in what a model wrote."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lineage.errors import StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.spec import LoopSpec
    from tests.lineage.loop.gates.conftest import Bench

QUESTION = (
    "Which of the following statements about the boiling point of water at sea level "
    "under standard pressure is true?"
)
SHORT = "Who wrote the novel about a white whale?"  # eight words
HELD_OUT = (
    "It was the best of times, it was the worst of times, it was the age of wisdom"
)


def test_the_sets_are_named(bench: Bench, tmp_path: Path) -> None:
    """A record fails by a run of 13 words; the verdict says of which set."""
    rows = [{"question": QUESTION, "choices": ["yes", "no"]}, {"question": SHORT}]
    (tmp_path / "mmlu.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "quiz.txt").write_text(f"Easy.\n\n{SHORT}\n")
    gate = {"type": "contamination", "against": ["mmlu.jsonl", "quiz.txt"]}
    records = [
        "Nothing of it, yes or no.",
        f"Question: {QUESTION.upper()} Answer: yes",
        " ".join(QUESTION.split()[:12]),
        "who wrote\nthe novel - about a WHITE whale",
        " ".join(SHORT.split()[:7]),
        f"As they say, {HELD_OUT}.",
    ]
    result = bench(gate, records, held_out=[HELD_OUT])
    assert result.rejected == {
        1: "has a part of mmlu.jsonl in it",
        3: "has a part of mmlu.jsonl and quiz.txt in it",
        5: "has a part of held-out text in it",
    }
    assert not result.passed
    assert result.action == "stop"
    assert result.sentence == (
        "3 of 6 records have evaluation data in them (1 of held-out text, 2 of "
        "mmlu.jsonl, 1 of quiz.txt); none may"
    )
    assert result.details["sets"]["mmlu.jsonl"] == {
        "texts": 2,
        "found_in": 2,
        "records": ["r1", "r3"],
    }
    assert result.threshold_from == "nothing is dropped, so none may fail"


def test_a_run_has_thirteen_words(bench: Bench) -> None:
    """Twelve in a row are a common phrase, wherever they stand."""
    row = HELD_OUT.split()
    for length in (12, 13):
        for start in range(len(row) - length + 1):
            record = f"so {' '.join(row[start : start + length])} so"
            result = bench({"type": "contamination"}, [record], held_out=[HELD_OUT])
            assert result.passed == (length == 12)


def test_records_can_be_dropped(bench: Bench) -> None:
    """Up to one in twenty; more say that the generator has seen the set."""
    gate = {"type": "contamination", "action": "drop"}
    records = [HELD_OUT] + ["Nothing to see."] * 19
    assert bench(gate, records, held_out=[HELD_OUT]).passed
    assert not bench(gate, records[:19], held_out=[HELD_OUT]).passed


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", "{", r"a\.jsonl is no \.jsonl file"),
        ("a.json", '["too short"]', "no text of 8 words or more"),
        ("a.txt", b"\xff", r"a\.txt is no \.txt file"),
    ],
)
def test_a_set_that_cannot_be_looked_for(
    bench: Bench, tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    """It is refused before anything is generated."""
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError, match=message):
        bench({"type": "contamination", "against": [name]}, ["x"])


def test_files_of_sets(
    bench: Bench, parse: Callable[..., LoopSpec], tmp_path: Path
) -> None:
    """A .csv's cells and a .json's strings count; the config has files by hash."""
    (tmp_path / "a.csv").write_text(f'id,q\n1,"{QUESTION}"\n')
    (tmp_path / "b.json").write_text(json.dumps({"items": [{"q": [QUESTION]}]}))
    gate = {"type": "contamination", "against": ["a.csv", "b.json"]}
    reason = bench(gate, [QUESTION]).rejected[0]
    assert reason == "has a part of a.csv and b.json in it"
    (section,) = parse(gates=[gate]).resolved()["gates"]
    assert [each["file"] for each in section["against"]] == ["a.csv", "b.json"]
    with pytest.raises(StoreError, match="cannot be read"):
        bench({"type": "contamination", "against": ["none.csv"]}, ["x"])
    with pytest.raises(UsageError, match=r"two files are called a\.csv"):
        bench({"type": "contamination", "against": ["a.csv", "old/a.csv"]}, ["x"])
