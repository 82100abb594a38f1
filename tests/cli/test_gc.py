"""`lineage gc`: what it says, to people and to programs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Transcript = Callable[..., str]


@pytest.fixture
def data(repo: Registry) -> None:
    """Commit two files; the branch of the second is then deleted."""
    for name in ("stays", "goes"):
        (repo.root / name).write_text(name, encoding="utf-8")
        repo.commit("dataset", name, repo.root / name)


@pytest.mark.usefixtures("data")
def test_gc(transcript: Transcript) -> None:
    """A dry run lists what would go and why; the trash gives it back."""
    shown = transcript(
        "branch -d dataset/goes",
        "gc",
        "gc --dry-run --grace 0d",
        "gc --grace 0d --format json",
        "verify",
        "gc --restore",
        "gc --grace 0d --empty-trash",
        "events -n 1",
    )
    assert re.sub("since [0-9-]{10}", "since 2026-01-02", shown) == snapshot("""\
$ lineage branch -d dataset/goes
2> dataset/goes is deleted; it was at aaaaaaaaaaaa
$ lineage gc
2> nothing to free
$ lineage gc --dry-run --grace 0d
commit        what          objects  size  why
aaaaaaaaaaaa  dataset goes        1   4 B  no name reaches it since 2026-01-02
2> 1 object, 4 B, would go to the trash
$ lineage gc --grace 0d --format json
{
  "schema_version": 1,
  "dry_run": false,
  "objects": 1,
  "size": 4,
  "left_to_dvc": 0,
  "left_packed": 0,
  "emptied": 0,
  "erased": 0,
  "freed": [
    {
      "id": "aaaaaaaaaaaa…",
      "kind": "dataset",
      "name": "goes",
      "objects": 1,
      "size": 4,
      "why": "no name reaches it since 2026-01-02"
    }
  ]
}
2> 1 object, 4 B, went to the trash
$ lineage verify
2> HEAD is 'dataset/goes', which is no branch: `lineage branch` lists them
2> objects that gc freed: 1
2> 2 commits checked: all as recorded
$ lineage gc --restore
2> 1 object brought back from the trash
$ lineage gc --grace 0d --empty-trash
commit        what          objects  size  why
aaaaaaaaaaaa  dataset goes        1   4 B  no name reaches it since 2026-01-02
2> 1 object, 4 B, went to the trash
2> 4 B went from the trash for good
$ lineage events -n 1
event     time              by           what  subject
bbbbbbbb  2026-01-02 03:04  Ada Example  gc
  freed what nothing needs
""")


@pytest.mark.usefixtures("repo")
def test_gc_refuses(transcript: Transcript) -> None:
    """A period that is none, and options that do not go together."""
    assert transcript("gc --grace soon", "gc --restore --dry-run") == snapshot("""\
$ lineage gc --grace soon
2> error: 'soon' is not a period
2> hint: write 30d, 12h or 2w
exit 2
$ lineage gc --restore --dry-run
2> error: --restore goes with no other option
exit 2
""")
