"""What two texts have in common, against a reference that compares all with all."""

from __future__ import annotations

import random
import sys
from pydoc_data import topics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.contamination.differing import differing
from lineage.contamination.index import COMMON, RUN, Index, Match
from lineage.contamination.words import pieces, words
from lineage.errors import LineageError
from tests.lineage.contamination.brute_force import Key, reference

WORDS = st.lists(st.sampled_from("abc"), max_size=20)
ROWS = st.lists(WORDS, max_size=4)


def looked(records: list[list[str]], texts: list[list[str]]) -> dict[Key, Match]:
    found = list(Index(records).matches(texts))
    assert len({(m.record, m.text) for m in found}) == len(found)
    return {(m.record, m.text): m for m in found}


def check(records: list[list[str]], texts: list[list[str]]) -> dict[Key, Match]:
    """Hold what is found against the reference; a record may be in a text twice."""
    found, expected = looked(records, texts), reference(records, texts)
    assert found.keys() == expected.keys()
    for pair, match in found.items():
        other = expected[pair]
        assert (match.kind, match.share) == (other.kind, other.share)
        if match.kind == "contained":
            inside = texts[match.text][match.start : match.end]
            assert inside == records[match.record]
        else:
            assert (match.start, match.end) == (other.start, other.end)
    return found


@given(ROWS, ROWS)
def test_all_that_two_texts_have_in_common(
    records: list[list[str]], texts: list[list[str]]
) -> None:
    """What is found is what comparing all with all finds, each as what it is."""
    check(records, texts)


@given(WORDS, st.lists(st.tuples(st.integers(0, 19), st.sampled_from("abcxyz"))), WORDS)
def test_a_few_words_changed(
    record: list[str], edits: list[tuple[int, str]], around: list[str]
) -> None:
    """Edited and embedded copies are found as far as the definitions go."""
    edited = list(record)
    for place, word in edits:
        edited[place : place + 1] = [word]
    check([record], [edited, [*around, *record], [*around, *edited, *around]])


def test_real_text_against_brute_force() -> None:
    """On real text with planted copies nothing is missed and nothing is invented."""
    chosen = random.Random(0)  # noqa: S311
    rows = [words(p) for text in topics.topics.values() for p in text.split("\n\n")]
    rows = [row for row in rows if len(row) >= 5][:400]
    chosen.shuffle(rows)
    records, texts = rows[:40], rows[40:280]
    for record in records[:25]:
        copy = list(record)
        copy[len(copy) // 2] = "otherwise"
        texts.append([*chosen.choice(rows), *copy, *chosen.choice(rows)])
        texts.append(copy)
    found = check(records, texts)

    kinds = {match.kind for match in found.values()}
    assert kinds >= {"near", "part"}
    assert len(found) < 120  # of 11,600 pairs


def test_what_many_records_share_is_none_of_theirs() -> None:
    """A run in over ten evaluation records finds nothing; their own words do."""
    shared = [f"s{n}" for n in range(RUN)]
    records = [[*shared, *(f"{r}-{n}" for n in range(RUN))] for r in range(COMMON + 1)]

    assert looked(records, [shared]) == {}
    assert len(looked(records[1:], [shared])) == COMMON
    assert [*looked(records, [records[3]])] == [(3, 0)]
    assert looked(records, [["x", *records[4]]])[4, 0].kind == "contained"


def test_short_records_are_only_found_whole() -> None:
    """Fewer than eight words are looked for as a whole text, eight anywhere."""
    short, long = list("abcdefg"), list("hijklmno")
    found = looked([short, long], [short, [*"xyz", *short, "w"], ["x", *long]])

    assert {pair: match.kind for pair, match in found.items()} == {
        (0, 0): "exact", (1, 2): "contained",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It’s a ﬁne DAY.", "it’s   a fine\nday"),  # noqa: RUF001
        ("Ｆｕｌｌ width", "full, WIDTH!"),  # noqa: RUF001
        ("STRASSE", "straße"),
        ("e\u0301t\u00e9", "\u00c9te\u0301"),
    ],
)
def test_words_are_the_same_however_they_are_typed(one: str, other: str) -> None:
    """Forms, case, marks and spaces make no other word."""
    assert words(one) == words(other)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without numpy it is said what to install."""
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(LineageError, match="needs numpy") as caught:
        Index([])

    assert caught.value.hint == "install it: pip install 'lineage-vcs[diff]'"


def test_scripts_without_spaces_have_a_word_for_each_character() -> None:
    """A sentence in Chinese or Thai is no single word."""
    assert words("我们 abc走") == ["我", "们", "abc", "走"]
    assert len(words("สวัสดีครับ")) == 10


@given(st.text("aZ_9 .-\n", max_size=40))
def test_plain_text_takes_no_other_way(text: str) -> None:
    """ASCII text gives the same words by the short way as by the long one."""
    assert words(text) == words(f"{text} é")[:-1]


def test_pieces_of_a_very_long_text_overlap() -> None:
    """No place of a text is only at the edge of pieces."""
    text = "".join(f"{n:07} " for n in range(400_000))
    found = list(pieces(text))

    assert [*pieces("")] == [""]
    assert found[0] == text[: 1 << 20]
    assert max(map(len, found)) == 1 << 20
    whole = found[0] + "".join(piece[1 << 16 :] for piece in found[1:])
    assert whole == text


@given(WORDS, WORDS)
def test_a_difference_is_told_by_its_words(old: list[str], new: list[str]) -> None:
    """Nothing is told of the same words, and of others what came and went."""
    told = differing(old, new)

    assert (told == "") == (old == new)
    assert ("{+" in told or "[-" in told) == (old != new)


def test_long_stretches_are_left_out() -> None:
    """Only a few words around a difference are shown."""
    old = [f"w{n}" for n in range(50)]
    new = [*old[:20], "new", *old[21:]]

    assert differing(old, new) == "… w16 w17 w18 w19 [-w20-] {+new+} w21 w22 w23 w24 …"
