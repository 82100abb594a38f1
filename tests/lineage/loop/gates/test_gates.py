"""Gates say pass or fail, why, and what follows; always all of them."""

from __future__ import annotations

import json
import math
import random
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import StoreError, UsageError
from lineage.loop.gates import Context, GateResult, load_gates, run_gates
from lineage.loop.gates.group_rate import largest_shift, mentions, parse_lexicon

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lineage.loop.gates import Checked
    from lineage.loop.spec import LoopSpec

    Judge = Callable[..., Checked]


def words_as_tokens(texts: Sequence[str]) -> list[list[int]]:
    """A tokenizer of one number per word."""
    return [[hash(word) for word in text.split()] for text in texts]


@pytest.fixture
def judge(parse: Callable[..., LoopSpec]) -> Judge:
    """Run the gates of a spec over texts."""

    def judge(
        gates: list[dict[str, Any]],
        texts: Sequence[str],
        human: Sequence[str] = (),
        reference: Sequence[str] | None = None,
    ) -> Checked:
        context = Context(
            records=[{"id": f"r{n}", "text": text} for n, text in enumerate(texts)],
            human=human,
            reference=None
            if reference is None
            else [{"text": text} for text in reference],
            tokenize=words_as_tokens,
            sample_size=1000,
            seed=0,
        )
        return run_gates(load_gates(parse(gates=gates)), context)

    return judge


@pytest.fixture
def checks(tmp_path: Path) -> Callable[[str], None]:
    """Write checks.py beside the spec."""

    def write(body: str) -> None:
        source = f"import sys\n\ndef check_record(record):\n    {body}\n"
        (tmp_path / "checks.py").write_text(source)

    return write


def only(checked: Checked) -> GateResult:
    """The verdict of the one gate that there is."""
    (result,) = checked.results
    return result


def test_no_gates_keep_everything(judge: Judge) -> None:
    """A spec without gates passes."""
    checked = judge([], ["a", "b"])
    assert list(checked.kept) == [0, 1]
    assert checked.results == []


AMBIGUOUS = (
    "The truth value of an array with more than one element is ambiguous. "
    "Use a.any() or a.all()"
)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("assert record['text'] != 'bad', 'it is bad'", "it is bad"),
        ("assert record['text'] != 'bad'", "an assertion failed"),
        ("return record['text'] != 'bad'", "check_record returned False"),
        ("return 0 if record['text'] == 'bad' else 1", "check_record returned 0"),
        (
            "{'good': 1}[record['text']]",
            "checks.py, line 4 raised KeyError: 'bad'",
        ),
        (
            "sys.exit() if record['text'] == 'bad' else 0; return True",
            "checks.py, line 4 raised SystemExit",
        ),
        ("assert record['text'] != 'bad', '\\ud800\\n2'", "\\ud800"),
        (
            "if record['text'] == 'bad': raise BaseException('b')",
            "checks.py, line 4 raised BaseException: b",
        ),
        (
            "import numpy; return numpy.ones(2 if record['text'] == 'bad' else 1)",
            f"checks.py raised ValueError: {AMBIGUOUS}",
        ),
    ],
)
def test_records_fail_with_a_reason(
    judge: Judge, checks: Callable[[str], None], body: str, reason: str
) -> None:
    """An assertion, something false, or an exception each fail a record."""
    checks(body)
    checked = judge([{"type": "check_record"}], ["good", "bad", "good"])
    assert list(checked.kept) == [0, 2]
    assert only(checked).rejected == {1: reason}
    assert only(checked).sentence.endswith(f"; most often: {reason}")
    assert only(checked).to_json()["reasons"] == [
        {"reason": reason, "count": 1, "records": ["r1"]}
    ]


def test_the_most_frequent_reasons_are_recorded(
    judge: Judge, checks: Callable[[str], None]
) -> None:
    """Ten at most, with how many each and the first ids; the same in every run."""
    checks("assert record['text'] == 'good', f'{record[\"text\"]} is {object()}'")
    texts = [f"bad{n % 20:02d}" for n in range(50)] + ["good"]
    reasons = only(judge([{"type": "check_record"}], texts)).details["reasons"]
    assert [each["count"] for each in reasons] == [3] * 10
    assert reasons[1] == {
        "reason": "bad01 is <object object at 0x…>",
        "count": 3,
        "records": ["r1", "r21", "r41"],
    }
    long = only(judge([{"type": "check_record"}], ["x" * 999])).details["reasons"]
    assert len(long[0]["reason"]) == 201


def test_none_passes(judge: Judge, checks: Callable[[str], None]) -> None:
    """A check that only asserts returns nothing."""
    checks("assert record")
    assert only(judge([{"type": "check_record"}], ["a"])).value == 1.0


def test_a_check_that_breaks_is_said_to(
    judge: Judge, checks: Callable[[str], None]
) -> None:
    """An exception that is no assertion is the check's own failure as well."""
    checks("record['title']")
    result = only(judge([{"type": "check_record"}], ["a", "b"]))
    assert not result.passed
    assert result.details["broken"] == 2
    assert "; on 2 the check itself broke; most often: " in result.sentence


def test_a_check_cannot_change_the_record(
    judge: Judge, checks: Callable[[str], None]
) -> None:
    """Each gate sees the record as it was written."""
    checks("assert record['text'] == 'a'; record['text'] = 'b'")
    gates = [{"type": "check_record"}, {"type": "check_record", "id": "again"}]
    assert list(judge(gates, ["a"]).kept) == [0]


@pytest.mark.parametrize(
    ("options", "bad", "expected"),
    [
        ({}, 4, ("pass", 6, "drop")),
        ({}, 5, ("pass", 5, "drop")),
        ({}, 6, ("fail", 4, "drop")),
        ({"min_pass_rate": 0.9}, 2, ("fail", 8, "drop")),
        ({"action": "stop"}, 0, ("pass", 10, "stop")),
        ({"action": "stop"}, 1, ("fail", 10, "stop")),
        ({"action": "review"}, 1, ("fail", 10, "review")),
        ({"action": "review", "min_pass_rate": 0.9}, 1, ("pass", 10, "review")),
        ({"min_pass_rate": 0}, 10, ("pass", 0, "drop")),
    ],
)
def test_pass_rate(
    judge: Judge,
    checks: Callable[[str], None],
    options: dict[str, Any],
    bad: int,
    expected: tuple[str, int, str],
) -> None:
    """Drop drops what fails; below the rate each fails; the others drop nothing."""
    checks("return record['text'] == 'good'")
    texts = ["bad"] * bad + ["good"] * (10 - bad)
    checked = judge([{"type": "check_record"} | options], texts)
    result = only(checked)
    assert (result.verdict, len(checked.kept), result.action) == expected
    assert result.value == (10 - bad) / 10
    assert len(result.rejected) == bad


def test_no_record_at_all_fails(judge: Judge, checks: Callable[[str], None]) -> None:
    """Nothing written is nothing that passed."""
    checks("return True")
    result = only(judge([{"type": "check_record"}], []))
    assert result.verdict == "fail"
    assert "value" not in result.to_json()


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def check(record): ...", "has no function check_record(record)"),
        ("check_record = 3", "has no function check_record(record)"),
        ("async def check_record(r): ...", "check_record(record) that answers at once"),
        ("def check_record(r): yield", "check_record(record) that answers at once"),
        ("def check_record(record:\n", "line 1: '(' was never closed"),
        (
            "\nimport no_such_module_here",
            "checks.py, line 2 raised ModuleNotFoundError",
        ),
        ("raise SystemExit(3)", "checks.py, line 1 raised SystemExit: 3"),
    ],
)
def test_unusable_checks(
    judge: Judge, tmp_path: Path, source: str, sentence: str
) -> None:
    """A checks file that cannot be used is found before anything runs."""
    (tmp_path / "checks.py").write_text(source)
    with pytest.raises(UsageError) as caught:
        judge([{"type": "check_record"}], [])
    assert sentence in str(caught.value)


def test_checks_can_have_dataclasses(judge: Judge, tmp_path: Path) -> None:
    """The module can be looked up by its name while it runs."""
    (tmp_path / "checks.py").write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "@dataclass\nclass Limit:\n    most: int\n"
        "def check_record(record): return len(record['text']) < Limit(3).most\n"
    )
    assert list(judge([{"type": "check_record"}], ["a", "abc", "b"]).kept) == [0, 2]


def test_missing_checks(judge: Judge) -> None:
    """A checks file that is not there is named."""
    with pytest.raises(StoreError, match=r"checks\.py cannot be read: No such file"):
        judge([{"type": "check_record"}], [])


def test_checks_are_recorded_by_hash(
    judge: Judge, checks: Callable[[str], None], tmp_path: Path
) -> None:
    """The verdict says which code gave it; loading leaves no file behind."""
    checks("return True")
    code = only(judge([{"type": "check_record"}], ["a"])).details["code"]
    assert code["file"] == "checks.py"
    assert len(code["sha256"]) == 64
    assert [path.name for path in tmp_path.iterdir()] == ["checks.py"]


LEXICON = "women: [she, her]\nmen: [he, him]\n"


@pytest.fixture
def lexicon(tmp_path: Path) -> None:
    """Write groups.yaml beside the spec."""
    (tmp_path / "groups.yaml").write_text(LEXICON)


GROUP_RATE = {"type": "group_rate", "lexicon": "groups.yaml"}


@pytest.mark.usefixtures("lexicon")
def test_group_rate_worked(judge: Judge) -> None:
    """Worked: human 3 : 3, new 1 : 7; ln(7.5 / 3.5) - ln(1.5 / 3.5) = ln 5."""
    human = ["She saw him.", "he and her", "HE, she!"]
    new = ["he said he", "him him; He he", "she, he"]
    result = only(judge([GROUP_RATE], new, human))
    assert result.value == pytest.approx(math.log(5))
    assert result.verdict == "fail"
    assert result.action == "stop"
    assert result.details["mentions"] == {"women": 1, "men": 7}
    assert result.details["human_mentions"] == {"women": 3, "men": 3}
    assert result.details["groups"] == ["men", "women"]
    cells = 1 / 7.5 + 1 / 3.5 + 1 / 1.5 + 1 / 3.5
    assert result.details["standard_error"] == pytest.approx(math.sqrt(cells))
    assert result.sentence == (
        "men have 7 and women 1 mentions, in the human data 3 and 3: the log-odds "
        "moved by 1.61; at most 0.40 is allowed; "
        "these are too few to tell it from chance"
    )


@pytest.mark.usefixtures("lexicon")
def test_group_rate_passes_when_all_groups_fade_alike(judge: Judge) -> None:
    """Fewer mentions of everyone are no bias: only the odds between groups count."""
    human = ["she he"] * 400
    new = ["she he and much else"] * 100
    result = only(judge([GROUP_RATE], new, human))
    assert result.value == 0.0
    assert result.verdict == "pass"


@pytest.mark.usefixtures("lexicon")
def test_group_rate_is_symmetric(judge: Judge) -> None:
    """Favouring either group is a shift of the same size."""
    human = ["she he"] * 50
    shifts = [
        only(judge([GROUP_RATE], [f"{word} " * 20, "she he"], human)).value
        for word in ("she", "he")
    ]
    assert shifts[0] == pytest.approx(shifts[1])
    assert shifts[0] is not None
    assert shifts[0] > 1


@pytest.mark.usefixtures("lexicon")
def test_no_mention_is_no_shift(judge: Judge) -> None:
    """Data that speak of nobody have moved nothing."""
    result = only(judge([GROUP_RATE], ["a"], ["b"]))
    assert (result.value, result.verdict) == (0.0, "pass")


def test_the_largest_shift_is_between_the_extremes(tmp_path: Path) -> None:
    """Of three groups the one that gained most against the one that lost most."""
    text = b'{"a": ["x"], "b": ["y"], "c": ["z"]}'
    groups = parse_lexicon(text, tmp_path / "g.json")
    new, _ = mentions(["x x x x y y z"], groups)
    human, total = mentions(["x y y z z z z", "w"], groups)
    more, less, shift = largest_shift(new, human)
    assert (more, less, total) == ("a", "c", 8)
    pairs = [
        math.log((new[p] + 0.5) / (new[q] + 0.5))
        - math.log((human[p] + 0.5) / (human[q] + 0.5))
        for p in "abc"
        for q in "abc"
    ]
    assert shift == pytest.approx(max(pairs))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [x]", "is not a lexicon of two groups or more"),
        ("- a", "is not a lexicon of two groups or more"),
        ("a: x\nb: [y]", "the group 'a' is not a list of words"),
        ("a: []\nb: [y]", "the group 'a' is not a list of words"),
        ("a: [x, 3]\nb: [y]", "3 in group 'a' is not one word"),
        ("a: [x y]\nb: [y]", "'x y' in group 'a' is not one word"),
        ("a: [x]\nb: [y, X]", "'x' stands in two groups"),
        ("a: [x", "line 1"),
    ],
)
def test_unusable_lexicons(tmp_path: Path, text: str, sentence: str) -> None:
    """A lexicon that cannot be counted with is one sentence."""
    with pytest.raises(UsageError) as caught:
        parse_lexicon(text.encode(), tmp_path / "groups.yaml")
    assert sentence in str(caught.value)


def varied(seed: int, words: int, count: int = 60) -> list[str]:
    """Texts that draw from so many words."""
    draw = random.Random(seed)  # noqa: S311
    return [
        " ".join(f"w{draw.randrange(words)}" for _ in range(20)) for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("words", "verdict"), [(40, "pass"), (12, "fail"), (400, "fail")]
)
def test_diversity_is_two_sided(judge: Judge, words: int, verdict: str) -> None:
    """Collapse and drift into noise both fail; the same diversity passes."""
    checked = judge([{"type": "diversity"}], varied(1, words), [], varied(0, 40))
    assert only(checked).verdict == verdict


def test_diversity_worked(judge: Judge) -> None:
    """Worked: one pair of three against two of three: half as diverse."""
    gate = {"type": "diversity", "min": 0.5, "max": 1.5}
    result = only(judge([gate], ["a a a a"], [], ["a b a b"]))
    assert result.value == 0.5
    assert result.passed
    assert (result.details["here"], result.details["reference"]) == (1 / 3, 2 / 3)
    assert result.sentence == (
        "distinct_2 is 0.50 times the reference's; 0.50 to 1.50 is allowed"
    )
    missed = only(judge([gate | {"min": 0.5001}], ["a a a a"], [], ["a b a b"]))
    assert not missed.passed
    assert missed.sentence.endswith(
        "0.5000 times the reference's; 0.5001 to 1.5000 is allowed"
    )


def test_what_a_gate_drops_is_dropped_from_the_reference(
    judge: Judge, checks: Callable[[str], None]
) -> None:
    """Diversity is compared like with like, wherever its gate stands in the list."""
    checks("return 'drop' not in record['text']")
    drop, diversity = (
        {"type": "check_record", "min_pass_rate": 0},
        {"type": "diversity"},
    )
    good = varied(0, 40)
    bad = [f"drop {n} " + "a " * 30 for n in range(60)]
    for gates in ([drop, diversity], [diversity, drop]):
        for texts in (good + bad, good):
            results = judge(gates, texts, [], good + bad).results
            [result] = [each for each in results if each.type == "diversity"]
            like = texts == good + bad or gates[0] == drop
            assert (result.value == 1.0) == like


def test_diversity_compares_samples_of_one_size(judge: Judge) -> None:
    """Fewer records alone do not look more diverse."""
    few, many = varied(1, 30, count=10), varied(0, 30, count=50)
    result = only(judge([{"type": "diversity"}], few, [], many))
    assert result.details["n"] == 200
    assert result.verdict == "pass"


def test_generation_0_is_its_own_reference(judge: Judge) -> None:
    """What generation 0 wrote passes, and the verdict says why."""
    result = only(judge([{"type": "diversity"}], varied(0, 40)))
    assert result.value == 1.0
    assert "reference" in result.sentence


@pytest.mark.parametrize("texts", [[], ["one"]])
def test_nothing_to_compare_fails(judge: Judge, texts: list[str]) -> None:
    """Without a single pair of tokens there is no diversity to speak of."""
    result = only(judge([{"type": "diversity"}], texts, [], ["a b c"]))
    assert result.verdict == "fail"


@pytest.mark.parametrize(
    "measure", ["distinct_1", "distinct_2", "unigram_entropy", "compression_ratio"]
)
def test_each_measure_sees_collapse(judge: Judge, measure: str) -> None:
    """Ten words instead of four hundred move every measure of diversity."""
    gate = {"type": "diversity", "measure": measure}
    checked = judge([gate], varied(1, 10), [], varied(0, 400))
    assert only(checked).verdict == "fail"


@pytest.mark.usefixtures("lexicon")
def test_gates_run_in_order_and_all(
    judge: Judge, checks: Callable[[str], None]
) -> None:
    """A failure does not hide the others; what is dropped the next do not see."""
    checks("return 'drop' not in record['text']")
    gates = [
        GROUP_RATE | {"id": "before", "action": "review"},
        {"type": "check_record"},
        GROUP_RATE | {"id": "after"},
    ]
    texts = ["she he"] * 8 + ["drop he he he he he he he he he"] * 4
    checked = judge(gates, texts, ["she he"] * 20)
    verdicts = {result.id: result.verdict for result in checked.results}
    assert verdicts == {"before": "fail", "check_record": "pass", "after": "pass"}
    assert list(checked.kept) == list(range(8))
    assert set(checked.results[1].rejected) == {8, 9, 10, 11}


def test_rows_stay_the_records_own(judge: Judge, tmp_path: Path) -> None:
    """A second dropping gate counts rows of what it saw."""
    (tmp_path / "one.py").write_text("def check_record(r): return r['text'] != 'a'")
    (tmp_path / "two.py").write_text("def check_record(r): return r['text'] != 'c'")
    gates = [
        {"type": "check_record", "id": name, "checks": f"{name}.py"}
        for name in ("one", "two")
    ]
    checked = judge(gates, ["a", "b", "c", "b"])
    assert list(checked.kept) == [1, 3]
    assert [list(result.rejected) for result in checked.results] == [[0], [1]]


@pytest.mark.usefixtures("lexicon")
def test_verdicts_are_json(judge: Judge, checks: Callable[[str], None]) -> None:
    """A verdict has what a manifest needs, pass or fail."""
    checks("return True")
    gates = [{"type": "check_record"}, GROUP_RATE, {"type": "diversity"}]
    for result in judge(gates, ["she he"] * 5, ["she he"]).results:
        verdict = result.to_json()
        assert json.loads(json.dumps(verdict, allow_nan=False)) == verdict
        assert {"id", "type", "verdict", "value", "action", "on"} <= set(verdict)


@pytest.mark.parametrize(
    ("given", "source"),
    [
        ({}, "a convention: a fifth less, or a quarter more, is a change"),
        ({"max": 2.0}, "max in loop.yaml"),
        ({"min": 0.5, "max": 2.0}, "min and max in loop.yaml"),
        ({"max": 2.0, "threshold_from": "our pilot"}, "our pilot"),
    ],
)
def test_a_verdict_says_where_its_thresholds_come_from(
    judge: Judge, given: dict[str, Any], source: str
) -> None:
    """A default has its reason; what a person sets is theirs, in their words."""
    result = only(judge([{"type": "diversity"} | given], ["a b"], [], ["a b"]))
    assert result.to_json()["threshold_from"] == source
