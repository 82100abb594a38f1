"""The arithmetic of vocabularies and merges, against brute force."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from lineage.diff.tokenizer.tables import numbered, ordered
from lineage.diff.tokenizer.templates import changes

TOKENS = st.text("abc", min_size=1, max_size=2)
VOCABULARIES = st.dictionaries(TOKENS, st.integers(0, 9), max_size=9)
ORDERS = st.lists(TOKENS, unique=True, max_size=7)
TEMPLATES = st.text("ab%{} \n", max_size=12)


@given(VOCABULARIES, VOCABULARIES)
def test_a_table_turns_the_old_vocabulary_into_the_new_one(
    old: dict[str, int], new: dict[str, int]
) -> None:
    """What is added, removed and re-numbered is all that it takes, and no more."""
    found = numbered(old, new)
    made = {**old, **{e.token: e.b for e in (*found.added, *found.moved)}}
    for entry in found.removed:
        assert made.pop(entry.token) == entry.a

    assert made == new
    assert all(old[e.token] == e.a != e.b for e in found.moved)
    assert not {e.token for e in found.added} & old.keys()
    assert (found.a, found.b, bool(found)) == (len(old), len(new), old != new)


@given(ORDERS, ORDERS)
def test_moved_merges_are_the_fewest_that_explain_the_order(
    old: list[str], new: list[str]
) -> None:
    """Without those that moved both orders are the same, and no fewer would do."""
    found = ordered(*({t: n for n, t in enumerate(side)} for side in (old, new)))
    moved = {entry.token for entry in found.moved}
    common = [t for t in old if t in new]
    order = [t for t in new if t in old]

    assert [t for t in common if t not in moved] == [t for t in order if t not in moved]
    assert len(moved) == _fewest(common, order)
    assert [e.token for e in found.added] == [t for t in new if t not in old]
    assert [e.token for e in found.removed] == [t for t in old if t not in new]
    assert all((old[e.a], new[e.b]) == (e.token,) * 2 for e in found.moved)  # type: ignore[index]


def _fewest(one: list[str], other: list[str]) -> int:
    """How many must be left out of two orders of the same, tried one by one."""
    for size in range(len(one) + 1):
        for out in map(set, combinations(one, size)):
            if [t for t in one if t not in out] == [t for t in other if t not in out]:
                return size
    raise AssertionError


def test_a_merge_put_in_first_moves_no_other() -> None:
    """Ranks that only shifted are no change."""
    old = {f"m {n}": n for n in range(100)}
    found = ordered(old, {"new m": 0} | {t: n + 1 for t, n in old.items()})

    assert [e.token for e in found.added] == ["new m"]
    assert not found.moved


@given(TEMPLATES, TEMPLATES)
def test_a_patch_has_what_changed_of_a_template(a: str, b: str) -> None:
    """Lines with + make up what only the new template has, lines with - the old."""
    found = list(changes({"default": a}, {"default": b}))

    assert bool(found) == (a != b)
    for change in found:
        lines = [line for line in change.lines if not line.startswith("@@")]
        for mark, text in (("-", a), ("+", b)):
            assert all(line[1:] in text for line in lines if line[0] == mark)
        assert sum(line[0] in "+-" for line in lines) > 0
