"""`lineage bisect`: what it prints, in every format, and its exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


@pytest.mark.usefixtures("loop")
def test_a_metric_of_a_loop(transcript: Transcript) -> None:
    """A table of the way and a sentence; csv and Markdown have the same rows."""
    assert transcript(
        "bisect perplexity --good loop/tutor~2",
        "bisect perplexity --good loop/tutor~2 --above 85 --format md",
        "bisect perplexity --good loop/tutor~1 --bad loop/tutor~2",
        "bisect loss --good loop/tutor~2",
        "bisect --good loop/tutor~2",
        "bisect loss --good loop/tutor~2 --above 3 --below 4",
        "bisect loss --good loop/tutor~2 --above nan",
        "bisect loss --good loop/tutor~2 --repeats 4",
    ) == snapshot("""\
$ lineage bisect perplexity --good loop/tutor~2
commit    what                   measured  verdict
aaaaaaaa  generation 0 of tutor      68.4  good
bbbbbbbb  generation 1 of tutor      83.2  bad
cccccccc  generation 2 of tutor      88.4  bad

the first bad commit is bbbbbbbb, generation 1 of tutor
$ lineage bisect perplexity --good loop/tutor~2 --above 85 --format md
| commit | what | measured | verdict |  |
| --- | --- | ---: | --- | --- |
| aaaaaaaa | generation 0 of tutor | 68.4 | good |  |
| bbbbbbbb | generation 1 of tutor | 83.2 | good |  |
| cccccccc | generation 2 of tutor | 88.4 | bad |  |

the first bad commit is cccccccc, generation 2 of tutor
$ lineage bisect perplexity --good loop/tutor~1 --bad loop/tutor~2
2> error: aaaaaaaaaaaa did not come from bbbbbbbbbbbb along follows and revises
2> hint: it is the other way round: swap good and bad
exit 2
$ lineage bisect loss --good loop/tutor~2
2> error: aaaaaaaaaaaa has no metric loss
2> hint: `lineage show` lists the metrics of a commit
exit 5
$ lineage bisect --good loop/tutor~2
2> error: either a metric or a command is bisected
2> hint: lineage bisect perplexity --good REV, or --run CMD --good REV
exit 2
$ lineage bisect loss --good loop/tutor~2 --above 3 --below 4
2> error: one bound goes with a metric: --above or --below
exit 2
$ lineage bisect loss --good loop/tutor~2 --above nan
2> error: a bound is a finite number
exit 2
$ lineage bisect loss --good loop/tutor~2 --repeats 4
2> error: --repeats goes with --run: values are recorded already
exit 2
""")


def test_noise(repo: Any, transcript: Transcript) -> None:
    """Several suspects are exit 3, with what would help beside each."""
    for low, value, high in ((0.9, 1, 1.1), (4, 5.5, 7), (8.9, 9, 9.1)):
        measured = {"value": value, "n": 5, "interval": [low, high]}
        repo.commit("config", "c", params={"n": value}, metrics={"loss": measured})
    assert transcript("bisect loss --good HEAD~2") == snapshot("""\
$ lineage bisect loss --good HEAD~2
commit    what          measured  verdict
aaaaaaaa  config c  1 [0.9, 1.1]  good
bbbbbbbb  config c    5.5 [4, 7]  undecided  its interval spans 5; about 41 more samples
cccccccc  config c  9 [8.9, 9.1]  bad

the first bad commit is one of bbbbbbbb, cccccccc: more is not known
exit 3
""")


@pytest.mark.usefixtures("loop")
def test_a_command(transcript: Transcript, run: Run) -> None:
    """Each try is told as it comes; JSON has all that was tried."""
    words = ["bisect", "--run", "grep -q 2 config.json", "--good", "HEAD~2"]
    told = transcript("bisect --run 'grep -q 2 config.json' --good HEAD~2")
    assert told == snapshot("""\
$ lineage bisect --run 'grep -q 2 config.json' --good HEAD~2
commit    what                   measured  verdict
aaaaaaaa  generation 0 of tutor    passed  good
bbbbbbbb  generation 1 of tutor    passed  good
cccccccc  generation 2 of tutor    failed  bad

the first bad commit is cccccccc, generation 2 of tutor
2> aaaaaaaa is good
2> cccccccc is bad
2> bbbbbbbb is good
""")
    data = run(*words, "--format", "json").json()
    assert {"culprit", "suspects", "crossings", "bound", "length"} < set(data)
    assert [probe["verdict"] for probe in data["probes"]] == ["good", "good", "bad"]
