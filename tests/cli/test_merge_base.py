# ruff: noqa: E501 - transcripts are as wide as they are
"""`lineage merge-base`: where two histories met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


@pytest.mark.usefixtures("loop")
def test_where_two_branches_parted(transcript: Transcript) -> None:
    """Along the branch by default, along roles or all edges on request."""
    assert transcript(
        "branch loop/other loop/tutor~1",
        "-q commit generation --name other --metric perplexity=79.5 --follows HEAD",
        "merge-base loop/tutor loop/other",
        "merge-base loop/tutor^includes(model) loop/tutor~1^includes(model)",
        "merge-base loop/tutor^includes(model) loop/tutor~1^includes(model) "
        "--all-origins",
        "merge-base loop/tutor^includes(model) loop/tutor~1^includes(model) "
        "--role configured_by --format md",
        "merge-base HEAD HEAD --role cooked_by",
        "merge-base HEAD HEAD --role follows --all-origins",
        "merge-base HEAD 'all()'",
    ) == snapshot("""\
$ lineage branch loop/other loop/tutor~1
2> loop/other is at aaaaaaaaaaaa
$ lineage -q commit generation --name other --metric perplexity=79.5 --follows HEAD
bbbbbbbbbbbb…
$ lineage merge-base loop/tutor loop/other
commit    kind        name
aaaaaaaa  generation  tutor
$ lineage merge-base loop/tutor^includes(model) loop/tutor~1^includes(model)
2> error: loop/tutor^includes(model) and loop/tutor~1^includes(model) have nothing in common
2> hint: look along all edges with --all-origins
exit 5
$ lineage merge-base loop/tutor^includes(model) loop/tutor~1^includes(model) --all-origins
commit    kind   name
cccccccc  model  tutor
$ lineage merge-base loop/tutor^includes(model) loop/tutor~1^includes(model) --role configured_by --format md
| commit | kind | name |
| --- | --- | --- |
| dddddddd | config | tutor |
$ lineage merge-base HEAD HEAD --role cooked_by
2> error: 'cooked_by' is not a role
2> hint: one of: trained_on, fine_tuned_from, generated_by, derived_from, selected_by, rewarded_by, distilled_from, merged_from, quantized_from, configured_by, evaluated_on, includes, follows, revises
exit 2
$ lineage merge-base HEAD HEAD --role follows --all-origins
2> error: --role and --all-origins exclude each other
2> hint: leave out one of them
exit 2
$ lineage merge-base HEAD 'all()'
2> error: 'all()' means 13 commits
2> hint: candidates: bbbbbbbbbbbb (generation other), eeeeeeeeeeee (generation tutor), ffffffffffff (model tutor), gggggggggggg (dataset tutor-mixed), hhhhhhhhhhhh (dataset tutor-synthetic), and 8 more
exit 5
""")


def test_as_data(loop: Any, run: Run) -> None:
    """A program gets ids and git oids."""
    records = run("merge-base", "HEAD~1", "HEAD", "--format", "jsonl").jsonl()

    assert [record["id"] for record in records] == [loop.made[1][0]]
    assert records[0]["git"] == loop.registry.git_oid(loop.made[1][0])
