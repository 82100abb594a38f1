"""Numbers, sizes, times and widths, as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.cli import text


@pytest.mark.parametrize(
    ("passed", "shown"),
    [
        (timedelta(seconds=30), "just now"), (timedelta(seconds=-30), "just now"),
        (timedelta(minutes=1.5), "1 minute ago"), (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=13), "13 days ago"),
    ],
)  # fmt: skip
def test_ago(passed: timedelta, shown: str) -> None:
    """Recent times are relative to now."""
    assert text.ago((datetime.now(UTC) - passed).isoformat()) == shown


def test_older_times_are_dates() -> None:
    """After two weeks the date says more."""
    assert text.ago("2020-05-06T07:08:09.000000Z") == "2020-05-06"


@pytest.mark.parametrize(
    ("values", "shown"),
    [([1, 2, 3], "▁▅█"), ([2.0, 2.0], "▄▄"), ([5, 1], "█▁"), ([-1e300, 1e300], "▁█")],
)
def test_sparkline(values: list[float], shown: str) -> None:
    """The lowest value is the lowest bar, the highest the highest."""
    assert text.sparkline(values) == shown


@given(st.text(), st.integers(1, 20))
def test_cut_fits(words: str, columns: int) -> None:
    """What is cut takes no more columns than it may; what fits is left alone."""
    shown = text.cut(words, columns)

    assert text.width(shown) <= columns
    assert shown == words or text.width(words) > columns


def test_width_of_wide_and_combining_characters() -> None:
    """Chinese takes two columns, a combining accent none."""
    assert [text.width(word) for word in ("ab", "文本", "e\u0301", "a\u200b")] == [
        2, 4, 1, 1,
    ]  # fmt: skip


@given(st.text())
def test_one_line(words: str) -> None:
    """The result is one line that a terminal only prints."""
    assert text.one_line(words).isprintable() or not words


@given(st.lists(st.text("y文", max_size=700), max_size=3))
def test_short_words(words: list[str]) -> None:
    """Of a long word both ends stay, in 300 columns; what fits is left alone."""
    made = text.short_words(" ".join(words)).split(" ")

    assert len(made) == max(len(words), 1)
    for word, shown in zip(words, made, strict=False):
        assert text.width(shown) <= 300
        assert shown == word or text.width(word) > 300
        assert (word[:100], word[-70:]) == (shown[:100], shown[-70:])
