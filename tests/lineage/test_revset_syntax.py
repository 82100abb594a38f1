"""The text of revsets: trees and back, names, places of mistakes, the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.errors import LineageError, UsageError
from lineage.revisions import Along, Back, Revision
from lineage.revset import parse, written
from lineage.revset.functions import (
    BOUNDS,
    COUNT,
    DATE,
    FUNCTIONS,
    GLOB,
    KIND,
    METRIC,
    ONE,
    PARAM,
    ROLE,
    SET,
    TEXT,
    usage,
)
from lineage.revset.syntax import (
    Argument,
    Bounds,
    Call,
    Complement,
    Meet,
    Node,
    Range,
    Stepped,
    Union,
)
from lineage.search import Condition
from lineage.store import names
from lineage.store.objects import KINDS, ROLES

PAGE = Path(__file__).parents[2] / "docs" / "revisions.md"


def _legal(name: str) -> bool:
    try:
        return bool(names.check(name, "branch"))
    except UsageError:
        return False


# trees

PRINTED = st.characters(exclude_categories=["C", "Z"]) | st.just(" ")
NAMES = st.text(
    st.sampled_from("ab/.-_@ &|(),'\"\\=<>*{}é日") | PRINTED, min_size=1, max_size=12
).filter(_legal)
STEPS = st.lists(
    st.builds(Back, st.integers(0, 999_999_999))
    | st.builds(Along, st.sampled_from(ROLES), st.none() | st.sampled_from(KINDS)),
    max_size=3,
).map(tuple)
MOMENTS = st.none() | st.sampled_from(["2026-11-01", "2026-11-03T14:30", "2 days ago"])
REVISIONS = st.builds(Revision, NAMES | st.just("HEAD"), MOMENTS, STEPS)
TEXTS = st.text(max_size=12)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ENDS = st.none() | st.integers(0, 999_999_999)
BOUNDS_OF = st.builds(Bounds, ENDS, ENDS).filter(
    lambda ends: any(end is not None for end in ends)
)
CONDITION_NAMES = st.text(min_size=1, max_size=8).filter(
    lambda name: name.strip() == name
)
ORDERS = st.sampled_from(["<", "<=", ">", ">=", "=", "!="])
ARGUMENTS: dict[str, st.SearchStrategy[Argument]] = {
    ROLE: st.sampled_from([*ROLES, "*"]),
    KIND: st.sampled_from(KINDS),
    GLOB: TEXTS,
    TEXT: TEXTS,
    DATE: TEXTS,
    COUNT: st.integers(0, 999_999_999),
    BOUNDS: BOUNDS_OF,
    METRIC: st.builds(Condition, CONDITION_NAMES, ORDERS, NUMBERS),
    PARAM: st.builds(
        Condition, CONDITION_NAMES, st.sampled_from(["=", "!="]),
        TEXTS | NUMBERS | st.booleans() | st.none() | st.integers(-9999, 9999),
    ),
}  # fmt: skip


def _calls(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    @st.composite
    def build(draw: st.DrawFn) -> Node:
        name = draw(st.sampled_from(sorted(FUNCTIONS)))
        function = FUNCTIONS[name]
        takes = [*function.needed]
        takes += function.optional[: draw(st.integers(0, 1))]
        if function.more:
            takes += [function.more] * draw(st.integers(0, 2))
        given = [
            draw(nodes if what in (SET, ONE) else ARGUMENTS[what]) for what in takes
        ]
        return Call(name, tuple(given))

    return build()


def _nodes(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    some = st.lists(inner, min_size=1, max_size=3).map(tuple)
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    steps = STEPS.filter(bool)
    sets = inner.filter(lambda node: not isinstance(node, Revision | Stepped))
    return st.one_of(
        _calls(inner),
        st.builds(Union, several),
        st.builds(Meet, several),
        st.builds(Meet, some, some),
        st.builds(Complement, inner),
        st.builds(Range, inner, inner, st.booleans()),
        st.builds(Stepped, sets, steps),
    )


TREES = st.recursive(REVISIONS, _nodes, max_leaves=8)


@settings(max_examples=200)
@given(TREES)
def test_a_written_tree_is_read_back(tree: Node) -> None:
    """Whatever tree: its text means the same tree."""
    assert parse(written(tree)) == tree


@given(NAMES)
def test_every_legal_name_can_be_written(name: str) -> None:
    """A branch of any legal name is written bare or in quotes, among operators too."""
    text = written(Union((Revision(name), Revision("x"))))

    assert parse(text) == Union((Revision(name), Revision("x")))


@pytest.mark.parametrize(
    "name", ["org/model", "a b", "x.y-z@w", "v1.0", "loop/tutor@rejected", "it's", "é"]
)
def test_ordinary_names_need_no_quotes(name: str) -> None:
    """Slashes, spaces, dots, hyphens and @ stand bare between operators."""
    assert parse(f"{name}~2 & ({name}..{name})") == Meet(
        (Revision(name, None, (Back(2),)), Range(Revision(name), Revision(name)))
    )


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a | b & c ~ d", "a | ((b & c) ~ d)"),
        ("a & b ~ c & d", "((a & b) ~ c) & d"),
        ("~a..b & c", "(~(a..b)) & c"),
        ("a~2..b^includes", "(a~2)..(b^includes)"),
        ("~a~2", "~(a~2)"),
        ("a ~ b", "a & ~b"),
        ("..b", "HEAD..b"),
        ("a...", "a...HEAD"),
        ("@{2026-11-01}~", "HEAD@{2026-11-01}~1"),
        ("a ~b", "a ~ b"),
        ("  a\n|\tb ", "a|b"),
        ("kind ( model )", "kind(model)"),
        ("name('a, b')", 'name("a, b")'),
    ],
)
def test_precedence_and_short_forms(text: str, same: str) -> None:
    """Steps bind tightest, then ranges, ~ before, & and ~ between, |."""
    assert _plain(parse(text)) == _plain(parse(same))


def _plain(node: Node) -> Node:
    """Without the differences that parentheses and the unary ~ leave in a tree."""
    if not isinstance(node, Meet):
        return (
            Union(tuple(map(_plain, node.terms))) if isinstance(node, Union) else node
        )
    terms: list[Node] = []
    without = list(node.without)
    for term in map(_plain, node.terms):
        if isinstance(term, Meet):
            terms += term.terms
            without += term.without
        elif isinstance(term, Complement):
            without.append(term.of)
        else:
            terms.append(term)
    return Meet(tuple(terms), tuple(without))


# mistakes

BITS = [
    "HEAD", "a b", "~", "^", "|", "&", "(", ")", ",", "..", "...", "@{", "}", '"', "'",
    "\\", ":", " ", "2", "includes", "kind(", "metric(", "x < 3", "ancestors(", "\n",
    "generation(3..", "latest(", "param(", "日", "\u0301", "\udcff", "=", "<", "*",
]  # fmt: skip


@settings(max_examples=300)
@given(st.text(max_size=30) | st.lists(st.sampled_from(BITS), max_size=10).map("".join))
def test_any_text_is_a_tree_or_a_mistake_with_its_place(text: str) -> None:
    """Nothing that can be typed makes a traceback, and mistakes are inside the text."""
    try:
        tree = parse(text)
    except LineageError as error:
        place = error.place
        assert place
        assert place.text == text
        assert 0 <= place.start <= place.end <= max(len(text), place.start)
        assert place.start <= len(text)
    else:
        assert parse(written(tree)) == tree


@pytest.mark.parametrize(
    ("text", "part", "expected", "hint"),
    [
        ("", "", "a branch, a tag, an id or a function", ""),
        ("a |", "", "a branch, a tag, an id or a function", ""),
        ("(a | b", "", "a )", ""),
        ("a)", ")", "an operator", ""),
        ("a..b..c", "..", "one range", "parentheses"),
        ("..", "", "a branch, a tag", "before or after"),
        ("a~b", "b", "a number, or nothing, after ~", "a ~ b"),
        ("a~2 b", "b", "an operator", "a ~ b"),
        ("^a b", "^", "a branch", "A..B"),
        ("a:b", ":", "an operator", "no name has a :"),
        ("'a b", "'a b", "a closing '", ""),
        ("a@{2026-11-01", "@{2026-11-01", "a date and }", ""),
        ("a^cooked_by", "cooked_by", "a role", "trained_on, fine_tuned_from"),
        ("a^includes(cat)", "cat", "a kind", "config, dataset, model, generation"),
        ("ancesters(a)", "ancesters", "a function", "did you mean ancestors?"),
        ("zzz(a)", "zzz", "a function", "functions: all, none, ancestors"),
        ("kind(modle)", "modle", "a kind", "one of: config"),
        ("kind(model, a)", ",", "a )", "write kind(KIND)"),
        ("kind()", ")", "a kind", "write kind(KIND)"),
        ("all(a)", "a", "a )", "write all()"),
        ("ancestors()", ")", "a set of commits", "write ancestors(SET[, ROLE]…)"),
        ("ancestors(a, b)", "b", "a role", "trained_on"),
        ("role(trained_on)", ")", "a , and a set of commits", "role(ROLE, SET)"),
        ("ancestors(a", "", "a , or )", "write ancestors(SET[, ROLE]…)"),
        ("ancestors(a,)", ")", "a role", ""),
        ("latest(a, many)", "many", "a number", ""),
        ("generation(old)", "old", "a number, or 3..5, 3.. or ..5", ""),
        ("generation(..)", "..", "a number, or 3..5, 3.. or ..5", ""),
        ("metric(perplexity)", ")", "one of < <= > >= = !=", "perplexity < 30"),
        ("metric(x < low)", "low", "a number", "perplexity < 30"),
        ("param(x > fast)", "fast", "a number after >", ""),
        ("(" * 99, "(", "at most 40 levels", ""),
        ("~" * 99 + "a", "~", "at most 40 levels", ""),
    ],
)
def test_a_mistake_points_at_its_place(
    text: str, part: str, expected: str, hint: str
) -> None:
    """The message says what was expected, and `place` where."""
    with pytest.raises(UsageError) as caught:
        parse(text)

    place = caught.value.place
    assert place is not None
    assert place.text[place.start : place.end] == part
    assert f"expected {expected}" in str(caught.value)
    assert hint in caught.value.hint


# the page


def test_the_page_has_every_function_with_an_example() -> None:
    """The table of docs/revisions.md is that of the code, and its examples parse."""
    rows = re.findall(r"^\| `([^`]+)` \|[^|]+\| `([^`]+)` \|$", _table(), re.MULTILINE)
    found = {shown.partition("(")[0]: (shown, example) for shown, example in rows}

    assert set(found) == set(FUNCTIONS)
    for name, (shown, example) in found.items():
        assert shown == usage(name)
        assert f"{name}(" in written(parse(example))


def _table() -> str:
    page = PAGE.read_text(encoding="utf-8")
    return page.partition("## Functions")[2].partition("\n## ")[0].replace("\\|", "¦")


def test_the_page_lists_the_roles_and_kinds() -> None:
    """The words that walks and steps take are on the page."""
    page = PAGE.read_text(encoding="utf-8")

    assert all(f"`{word}`" in page for word in (*ROLES, *KINDS))


def test_the_pages_examples_parse() -> None:
    """Each `lineage log '…'` of the page is a revset, but where it shows a mistake."""
    page = PAGE.read_text(encoding="utf-8")
    told = re.findall(r"^\$ lineage log '([^']+)'\n(.)", page, re.MULTILINE)
    examples = [text for text, answer in told if answer != "e"]

    assert len(examples) > 3
    assert [parse(example) for example in examples]
