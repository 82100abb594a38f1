"""Text, numbers and times for people."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.audit.text import cut, moment, number, ranges, size, visible
from lineage.wording import plural


@given(st.text())
def test_visible_hides_nothing(text: str) -> None:
    """No control, format, private or unassigned character is left but line ends."""
    shown = visible(text)

    assert not {
        c for c in shown if unicodedata.category(c)[0] == "C" and c not in "\n\t"
    }
    assert visible(shown) == shown


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_visible_leaves_plain_text_alone(text: str) -> None:
    """What everybody can read stays as it is."""
    assert visible(text) == text


def test_visible_keeps_other_scripts() -> None:
    """Letters of any script, accents and emoji are no attack."""
    text = "Größe עברית 한국어 n\u0303 🙂"

    assert visible(text) == text


def test_visible_cuts() -> None:
    """What is left out is counted."""
    assert visible("abcdef", 4) == "abcd [… 2 more characters]"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (1250, "1,250"),
        (0.0, "0"),
        (0.257, "0.257"),
        (109.66849, "109.668"),
        (21.9, "21.9"),
        (1e-7, "1.00000e-07"),
        (123456789.0, "123,456,789"),
        (-3.5, "-3.5"),
    ],
)
def test_number(value: float, shown: str) -> None:
    """Six significant digits, whole numbers in full."""
    assert number(value) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (5, "5 bytes"),
        (337797, "338 kB (337,797 bytes)"),
        (10**13, "10 TB (10,000,000,000,000 bytes)"),
    ],
)
def test_size(count: int, shown: str) -> None:
    """Sizes are exact, and in units that people know."""
    assert size(count) == shown


def test_ranges() -> None:
    """Neighbours are drawn together."""
    assert ranges([7, 0, 2, 3, 4, 5, 7]) == "0, 2 to 5, 7"
    assert ranges([1, 2]) == "1, 2"
    assert ranges([]) == ""


def test_small_words() -> None:
    """Plurals, cuts and times."""
    assert (plural(1, "gap"), plural(2000, "gap")) == ("1 gap", "2,000 gaps")
    assert (cut("generated", 5), cut("abc", 5)) == ("gene…", "abc")
    assert moment("2026-11-24T05:09:45.680755Z") == "2026-11-24 05:09:45 UTC"
    assert moment("yesterday") == "yesterday"
