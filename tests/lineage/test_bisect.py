"""Bisecting: the first commit that broke, or why none can be named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lineage.bisect import by_command, by_metric
from lineage.bisect.rule import Rates, repeats_to_tell, told_apart
from lineage.errors import LineageError, NotFound, UsageError, VerificationError

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry


def chain(registry: Registry, values: list[Any]) -> list[str]:
    """Commit configs, each revising the one before; None has no metric."""
    return [
        registry.commit(
            "config",
            "c",
            params={"n": n},
            metrics={} if value is None else {"loss": value},
        ).id
        for n, value in enumerate(values)
    ]


def near(value: float, reach: float, n: int = 100) -> dict[str, Any]:
    return {"value": value, "n": n, "interval": [value - reach, value + reach]}


@pytest.mark.parametrize(
    ("values", "culprit", "crossings", "bounds"),
    [
        ([1.0, 1.1, 9.0, 9.1], 2, 1, {}),
        ([9.0, 8.0, 1.0], 2, 1, {}),
        ([1.0, 9.0, 1.0, 9.0], 1, 2, {}),
        ([1.0, 2.0, 3.0, 4.0], 3, 1, {"above": 3.0}),
        ([1.0, 2.0, 3.0, 4.0], 2, 1, {"above": 2.5}),
        ([4.0, 3.0, 2.0], 1, 1, {"below": 3.5}),
        ([1.0, None, 1.0, 9.0], 3, 1, {}),
        ([near(1, 0.1), near(5.2, 0.1), near(9, 0.1)], 1, 1, {}),
    ],
)
def test_a_metric_breaks_at(
    repo: Registry,
    values: list[Any],
    culprit: int,
    crossings: int,
    bounds: dict[str, float],
) -> None:
    """The first commit past the line, whichever way the metric goes."""
    ids = chain(repo, values)
    found = by_metric(repo, "loss", ids[0], ids[-1], **bounds)
    assert found.culprit == ids[culprit]
    assert found.crossings == crossings
    assert [probe.id for probe in found.probes] == ids


def test_noise_names_nobody(repo: Registry) -> None:
    """What an interval or a gap leaves open is suspect, with what could decide it."""
    values = [near(1, 0.1), near(5.5, 1), None, near(9, 0.1)]
    ids = chain(repo, values)
    found = by_metric(repo, "loss", ids[0], ids[-1])
    assert (found.culprit, found.suspects) == (None, ids[1:])
    assert [p.verdict for p in found.probes] == ["good", "undecided", "skipped", "bad"]
    assert found.probes[1].more == 301  # an interval half as wide takes four times 100


def test_values_of_another_definition_are_not_compared(repo: Registry) -> None:
    """They are skipped, and said to be measured another way."""
    other = {"value": 50.0, "definition": "bits"}
    ids = chain(repo, [1.0, other, 9.0])
    found = by_metric(repo, "loss", ids[0], ids[-1])
    assert found.probes[1].why == "measured another way"
    assert found.suspects == ids[1:]


def test_ends_that_make_no_question(repo: Registry) -> None:
    """Each is an error of its own: no way, good is bad, nothing broke, noise."""
    ids = chain(repo, [1.0, 9.0, None, near(5.1, 3), 1.0])

    def ask(good: int, bad: int, **bound: float) -> None:
        by_metric(repo, "loss", ids[good], ids[bad], **bound)

    with pytest.raises(UsageError, match="did not come from") as caught:
        ask(1, 0)
    assert "other way round" in caught.value.hint
    with pytest.raises(UsageError, match="one commit"):
        ask(1, 1)
    with pytest.raises(UsageError, match="called good and is bad: 1 is below 2"):
        ask(0, 1, below=2.0)
    with pytest.raises(NotFound, match=r"nothing broke: .* is good: 9 is below 10"):
        ask(0, 1, above=10.0)
    with pytest.raises(NotFound, match="nothing broke: loss is 1 twice"):
        ask(0, 4)
    with pytest.raises(NotFound, match="has no metric loss"):
        ask(0, 2)
    with pytest.raises(VerificationError, match="noise hides the difference"):
        ask(0, 3)


def files(registry: Registry, tmp_path: Path, words: list[str]) -> list[str]:
    """Commit datasets of one file each."""
    ids = []
    for number, word in enumerate(words):
        path = tmp_path / "word.txt"
        path.write_text(f"{word}\n{number}\n", encoding="utf-8")
        ids.append(registry.commit("dataset", "d", path).id)
    return ids


def test_a_command_fails_first_at(repo: Registry, tmp_path: Path) -> None:
    """Few are tried, in a folder of their files, with the commit in the environment."""
    ids = files(repo, tmp_path, ["ok"] * 11 + ["no"] * 6)
    tried: list[str] = []
    found = by_command(
        repo,
        'grep -q ok "$LINEAGE_FILES/word.txt" && grep -q . word.txt && '
        'test -n "$LINEAGE_COMMIT"',
        ids[0],
        ids[-1],
        tell=lambda probe: tried.append(probe.id),
    )
    assert found.culprit == ids[11]
    assert len(tried) <= 2 + 4
    assert found.length == 17


def test_commits_that_cannot_be_tried(repo: Registry, tmp_path: Path) -> None:
    """They are skipped; when they are next to the break, nobody is named."""
    ids = files(repo, tmp_path, ["ok", "ok", "skip", "no", "no"])
    command = "grep -q skip word.txt && exit 125; grep -q ok word.txt"
    found = by_command(repo, command, ids[0], ids[-1])
    assert (found.culprit, found.suspects) == (None, ids[2:4])
    with pytest.raises(UsageError, match=r"bad end .* cannot be tried: exit 125"):
        by_command(repo, command, ids[0], ids[2])
    with pytest.raises(LineageError, match=r"stopped the search .* with 200: why"):
        by_command(repo, "echo why >&2; exit 200", ids[0], ids[-1])
    with pytest.raises(LineageError, match="died on"):
        by_command(repo, "kill -9 $$", ids[0], ids[-1])
    with pytest.raises(UsageError, match="called good and is bad: exit 7: oh"):
        by_command(repo, "echo oh >&2; exit 7", ids[0], ids[-1])
    with pytest.raises(NotFound, match="nothing broke"):
        by_command(repo, "true", ids[0], ids[-1])


FLAKY = """
count=$(cat "{state}/$LINEAGE_COMMIT" 2>/dev/null || echo 0)
echo $((count + 1)) > "{state}/$LINEAGE_COMMIT"
case $(head -n 1 word.txt) in
    ok) test $((count % 8)) != 7 ;;
    half) test $((count % 3)) = 0 ;;
    no) test $((count % 8)) = 7 ;;
esac
"""


def test_a_command_that_fails_by_chance(repo: Registry, tmp_path: Path) -> None:
    """Repeats judge it; what they leave open is said with what could decide it."""
    words = ["ok", "ok", "half", "no", "no"]
    ids = files(repo, tmp_path, words)
    state = tmp_path / "state"
    state.mkdir()
    command = FLAKY.format(state=state)
    found = by_command(repo, command, ids[0], ids[-1], repeats=8)
    verdicts = {probe.id: probe.verdict for probe in found.probes}
    assert found.culprit in (None, ids[2], ids[3])
    assert verdicts[ids[0]] == "good"
    assert verdicts[ids[-1]] == "bad"
    for probe in found.probes:
        assert (probe.more is None) == (probe.verdict != "undecided")


def test_ends_that_noise_hides(repo: Registry, tmp_path: Path) -> None:
    """Nobody is named; the hint says how many repeats would tell the ends apart."""
    ids = files(repo, tmp_path, ["ok", "no", "no"])
    with pytest.raises(VerificationError, match="good fails 0 and bad 2") as caught:
        by_command(repo, "grep -q ok word.txt", ids[0], ids[-1], repeats=2)
    assert caught.value.hint.startswith("--repeats 3 ")
    found = by_command(repo, "grep -q ok word.txt", ids[0], ids[-1], repeats=5)
    assert found.culprit == ids[1]
    with pytest.raises(VerificationError, match="good fails 3 and bad 3 of 3"):
        by_command(repo, "false", ids[0], ids[-1], repeats=3)


def test_what_the_rule_says() -> None:
    """Fisher's test and Wald's bounds at values worked out by hand."""
    assert told_apart(0, 3, 3)  # 1 / C(6, 3) = 0.05
    assert not told_apart(0, 2, 2)  # 1 / C(4, 2) = 0.17
    assert repeats_to_tell(0, 2, 2) == 3
    assert repeats_to_tell(1, 1, 4) is None
    rates = Rates.of(0, 5, 5)
    assert rates == pytest.approx((1 / 7, 6 / 7))
    assert rates.verdict(2, 2) == "bad"  # 36 times likelier
    assert rates.verdict(1, 1) == "undecided"  # 6 times
    assert rates.verdict(0, 2) == "good"
