# ruff: noqa: E501 - transcripts are as wide as they are
"""Revsets on the command line: `log`, `verify`, mistakes, completion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage.cli.command import complete_revision
from lineage.cli.text import pointed, width
from lineage.names_ops import set_branch

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


@pytest.mark.usefixtures("loop")
def test_a_range_is_drawn_as_history(transcript: Transcript) -> None:
    """Rows, chips and rails as without a range; what it leaves out ends in ~."""
    assert transcript("log loop/tutor~2..", "log loop/tutor...loop/tutor~1 -n 1") == (
        snapshot("""\
$ lineage log loop/tutor~2..
●  aaaaaaaa generation 2 of tutor (HEAD -> loop/tutor)     Ada Example, just now
│  perplexity 88.4 ▁▆█  distinct_2 0.19 █▃▁
│  ← model bbbbbbbb · mixed cccccccc · synthetic dddddddd 50 %
│    gutenberg eeeeeeee 50 % · config ffffffff
●  gggggggg generation 1 of tutor                          Ada Example, just now
│  perplexity 83.2  distinct_2 0.213
~  ← model hhhhhhhh · mixed iiiiiiii · synthetic jjjjjjjj 50 %
     gutenberg eeeeeeee 50 % · config ffffffff
$ lineage log loop/tutor...loop/tutor~1 -n 1
●  aaaaaaaa generation 2 of tutor (HEAD -> loop/tutor)     Ada Example, just now
│  perplexity 88.4 ▁▆█  distinct_2 0.19 █▃▁
~  ← model bbbbbbbb · mixed cccccccc · synthetic dddddddd 50 %
     gutenberg eeeeeeee 50 % · config ffffffff
""")
    )


@pytest.mark.usefixtures("loop")
def test_an_expression_is_exactly_its_set(transcript: Transcript) -> None:
    """Operators and functions list each commit once, several of them together."""
    assert transcript(
        "log 'descendants(dataset/gutenberg) & kind(generation) & metric(perplexity > 80)'",
        "log 'loop/tutor | dataset/gutenberg'",
        "log 'parents(loop/tutor, includes)' 'loop/tutor~2..loop/tutor~1' --kind model",
        "log 'kind(generation)' --metric 'perplexity < 85' --name tut*",
        "log 'kind(config) & kind(model)'",
    ) == snapshot("""\
$ lineage log 'descendants(dataset/gutenberg) & kind(generation) & metric(perplexity > 80)'
● aaaaaaaa generation 2 of tutor (HEAD -> loop/tutor)      Ada Example, just now
  perplexity 88.4 ▁▆█  distinct_2 0.19 █▃▁

● bbbbbbbb generation 1 of tutor                           Ada Example, just now
  perplexity 83.2  distinct_2 0.213
$ lineage log 'loop/tutor | dataset/gutenberg'
● aaaaaaaa generation 2 of tutor (HEAD -> loop/tutor)      Ada Example, just now
  perplexity 88.4 ▁▆█  distinct_2 0.19 █▃▁

○ cccccccc dataset gutenberg (dataset/gutenberg)           Ada Example, just now
$ lineage log 'parents(loop/tutor, includes)' 'loop/tutor~2..loop/tutor~1' --kind model
◆ dddddddd model tutor generation 2                        Ada Example, just now

◆ eeeeeeee model tutor generation 1                        Ada Example, just now
$ lineage log 'kind(generation)' --metric 'perplexity < 85' --name tut*
● bbbbbbbb generation 1 of tutor                           Ada Example, just now
  perplexity 83.2 ▁█  distinct_2 0.213 █▁

● ffffffff generation 0 of tutor                           Ada Example, just now
  perplexity 68.4  distinct_2 0.257
$ lineage log 'kind(config) & kind(model)'
2> no such commit
""")


@pytest.mark.usefixtures("loop")
def test_a_set_is_drawn_with_its_own_edges(transcript: Transcript) -> None:
    """--graph draws rails between members; an edge that leads out ends in ~."""
    assert transcript(
        "log --graph 'kind(generation)'", "log --graph 'HEAD | HEAD~2'"
    ) == snapshot("""\
$ lineage log --graph 'kind(generation)'
●  aaaaaaaa generation 2 of tutor (HEAD -> loop/tutor)     Ada Example, just now
│  perplexity 88.4 ▁▆█  distinct_2 0.19 █▃▁
●  bbbbbbbb generation 1 of tutor                          Ada Example, just now
│  perplexity 83.2  distinct_2 0.213
●  cccccccc generation 0 of tutor                          Ada Example, just now
│  perplexity 68.4  distinct_2 0.257
~
$ lineage log --graph 'HEAD | HEAD~2'
●  aaaaaaaa generation 2 of tutor (HEAD -> loop/tutor)     Ada Example, just now
│  perplexity 88.4 ▁▆█  distinct_2 0.19 █▃▁
~

●  cccccccc generation 0 of tutor                          Ada Example, just now
│  perplexity 68.4  distinct_2 0.257
~
""")


def test_sets_as_data(loop: Any, run: Run) -> None:
    """A program gets exactly the set, with the documented fields."""
    records = run("log", "kind(generation) ~ HEAD", "--format", "jsonl").jsonl()

    assert [r["id"] for r in records] == [loop.made[1][0], loop.made[0][0]]


def test_plain_revisions_and_sets_together(loop: Any, run: Run) -> None:
    """A plain revision brings what it came from, also beside an expression."""
    records = run("log", "HEAD~2", "HEAD | HEAD", "--format", "jsonl").jsonl()
    ids = [record["id"] for record in records]

    assert ids[0] == loop.made[2][0]
    assert ids[1:] == loop.registry.select("ancestors(HEAD~2)")


def test_verify_checks_a_set(loop: Any, run: Run) -> None:
    """Only its commits are checked; those of an empty set are none."""
    loop.registry.payloads.cache.joinpath("files").rename("gone")
    told = run("-q", "verify", "kind(config) | kind(generation)")

    assert (told.exit_code, told.stdout) == (0, "")
    assert run("verify", "none()").stderr == "0 commits checked: all as recorded\n"


@pytest.mark.usefixtures("loop")
def test_mistakes_point_at_their_place(transcript: Transcript) -> None:
    """The text, a mark below what is wrong, and what to write instead."""
    assert transcript(
        "log 'kind(modle) | HEAD'",
        "log 'ancesters(HEAD)'",
        "log 'ancestors(HEAD, trained)'",
        "log 'kind(model) & (HEAD | loop/tutor~1'",
        "log 'metric(perplexity less 30)'",
        "log 'latest(kind(model), HEAD)'",
        "log 'all() & loop/nobody'",
        "log 'perplexity < 30'",
        "log loop/tutor~1..loop/tutor~2..HEAD",
        "show 'kind(model)'",
        "show 'none()'",
    ) == snapshot("""\
$ lineage log 'kind(modle) | HEAD'
2> error: the revset is wrong at character 6: expected a kind
2>   kind(modle) | HEAD
2>        ^^^^^
2> hint: one of: config, dataset, model, generation
exit 2
$ lineage log 'ancesters(HEAD)'
2> error: the revset is wrong at character 1: expected a function, which 'ancesters' is not
2>   ancesters(HEAD)
2>   ^^^^^^^^^
2> hint: did you mean ancestors? a name with parentheses is written in quotes
exit 2
$ lineage log 'ancestors(HEAD, trained)'
2> error: the revset is wrong at character 17: expected a role
2>   ancestors(HEAD, trained)
2>                   ^^^^^^^
2> hint: one of: trained_on, fine_tuned_from, generated_by, derived_from, selected_by, rewarded_by, distilled_from, merged_from, quantized_from, configured_by, evaluated_on, includes, follows, revises, *
exit 2
$ lineage log 'kind(model) & (HEAD | loop/tutor~1'
2> error: the revset is wrong at its end: expected a )
2>   kind(model) & (HEAD | loop/tutor~1
2>                                     ^
2> hint: `lineage log --help` has examples
exit 2
$ lineage log 'metric(perplexity less 30)'
2> error: the revset is wrong at character 26: expected one of < <= > >= = !=
2>   metric(perplexity less 30)
2>                            ^
2> hint: write NAME OP VALUE, as in perplexity < 30
exit 2
$ lineage log 'latest(kind(model), HEAD)'
2> error: the revset is wrong at character 21: expected a number
2>   latest(kind(model), HEAD)
2>                       ^^^^
2> hint: write latest(SET[, N])
exit 2
$ lineage log 'all() & loop/nobody'
2> error: no branch, tag or commit is called 'loop/nobody'
2>   all() & loop/nobody
2>           ^^^^^^^^^^^
2> hint: `lineage branch` lists the branches, `lineage log` the commits
exit 5
$ lineage log 'perplexity < 30'
2> error: no branch, tag or commit is called 'perplexity < 30'
2> hint: a condition is written metric(perplexity < 30) or param(perplexity < 30)
exit 5
$ lineage log loop/tutor~1..loop/tutor~2..HEAD
2> error: the revset is wrong at character 27: expected one range
2>   loop/tutor~1..loop/tutor~2..HEAD
2>                             ^^
2> hint: use parentheses
exit 2
$ lineage show 'kind(model)'
2> error: 'kind(model)' means 3 commits
2> hint: candidates: aaaaaaaaaaaa (model tutor), bbbbbbbbbbbb (model tutor), cccccccccccc (model tutor)
exit 5
$ lineage show 'none()'
2> error: no commit is in 'none()'
2> hint: `lineage log` lists commits
exit 5
""")


@pytest.mark.usefixtures("loop")
def test_a_mistake_behind_wide_and_combining_characters(
    transcript: Transcript, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark stands below what it means, and a long text is cut around it."""
    monkeypatch.setenv("COLUMNS", "44")
    assert transcript(
        "log '日本語 | kin(e\u0301)'",
        f"log '{'name(x) | ' * 9}kin(x){' | name(y)' * 9}'",
    ) == snapshot("""\
$ lineage log '日本語 | kin(é)'
2> error: the revset is wrong at character 7: expected a function, which 'kin' is not
2>   日本語 | kin(é)
2>            ^^^
2> hint: did you mean kind? a name with parentheses is written in quotes
exit 2
$ lineage log 'name(x) | name(x) | name(x) | name(x) | name(x) | name(x) | name(x) | name(x) | name(x) | kin(x) | name(y) | name(y) | name(y) | name(y) | name(y) | name(y) | name(y) | name(y) | name(y)'
2> error: the revset is wrong at character 91: expected a function, which 'kin' is not
2>   …name(x) | name(x) | kin(x) | name(y) | n…
2>                        ^^^
2> hint: did you mean kind? a name with parentheses is written in quotes
exit 2
""")


@pytest.mark.parametrize("columns", [16, 40])
@pytest.mark.parametrize("before", ["", "é" * 70, "日本" * 30, "e\u0301" * 9, "\n\t"])
def test_a_mark_fits_the_terminal(before: str, columns: int) -> None:
    """However long or wide the text, both lines fit, and the mark is below its part."""
    text = f"{before}wrong{before}"
    shown, mark = pointed(text, len(before), len(before) + 5, columns)

    assert width(shown) <= columns
    assert len(mark) <= columns
    start = width(mark) - mark.count("^")
    left = next(i for i in range(len(shown) + 1) if width(shown[:i]) == start)
    assert shown[left:].lstrip("\u0301").startswith("wrong")
    assert mark.count("^") == 5


def test_completion_inside_expressions(repo: Registry) -> None:
    """The last word of an expression completes to names and functions."""
    repo.commit("config", "tutor", params={"x": 1})
    set_branch(repo, "a & b", "HEAD")

    def completed(text: str) -> list[str]:
        return complete_revision(None, None, text)  # type: ignore[arg-type]

    assert completed("conf") == ["config/tutor"]
    assert completed("a") == ["a & b"]
    assert completed("anc") == ["ancestors("]
    assert completed("ancestors(conf") == ["ancestors(config/tutor"]
    assert completed("HEAD..conf") == ["HEAD..config/tutor"]
    assert completed("all() ~ met") == ["all() ~ metric("]
    assert completed("HEAD | 'a") == []
    assert completed('HEAD | "a') == ['HEAD | "a & b"']
    assert completed("HEAD & ") == []
