"""`lineage erase`: what it says, to people and to programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry


def test_mixed_datasets(repo: Registry, transcript: Callable[..., str]) -> None:
    """They are named before anything goes and at the end, with what to do next."""
    for name in ("chats", "mixed"):
        (repo.root / name).write_text(f"{name}\n", encoding="utf-8")
    why = "--reason asked --authority DPO"
    assert transcript(
        "commit dataset chats --name chats",
        "commit dataset mixed --name mixed --derived-from dataset/chats,share=1/4",
        f"erase dataset/chats {why}",
        f"erase dataset/chats {why} -y --format json",
        f"erase dataset/mixed {why} -y",
        f"erase dataset/chats {why} -y",
    ) == snapshot("""\
$ lineage commit dataset chats --name chats
aaaaaaaaaaaa…
2> dataset chats recorded on dataset/chats: 1 file, 6 B
$ lineage commit dataset mixed --name mixed --derived-from dataset/chats,share=1/4
bbbbbbbbbbbb…
2> dataset mixed recorded on dataset/mixed: 1 file, 6 B
$ lineage erase dataset/chats --reason asked --authority DPO
2> datasets with records of it, in files that are not erased:
2>   bbbbbbbbbbbb mixed: 25 % of its records
2> error: 1 file, 6 B, of aaaaaaaaaaaa would be erased for good
2> hint: say --yes where nobody can be asked
exit 2
$ lineage erase dataset/chats --reason asked --authority DPO -y --format json
{
  "schema_version": 1,
  "id": "aaaaaaaaaaaa…",
  "event": "cccccccccccc…",
  "commits": [
    "aaaaaaaaaaaa…"
  ],
  "files": [
    {
      "path": "chats",
      "size": 6,
      "sha256": "dddddddddddd…",
      "md5": "eeeeeeeeeeee…"
    }
  ],
  "size": 6,
  "copies": [
    "chats, from where aaaaaaaaaaaa was committed"
  ],
  "mixed": [
    {
      "id": "bbbbbbbbbbbb…",
      "name": "mixed",
      "of": "aaaaaaaaaaaa…",
      "low": 0.25,
      "high": 0.25,
      "exact": [
        [
          1,
          4
        ],
        [
          1,
          4
        ]
      ]
    }
  ]
}
2> 1 file, 6 B, of aaaaaaaaaaaa erased
2> copies that are not erased:
2>   chats, from where aaaaaaaaaaaa was committed
2> datasets with records of it, in files that are not erased:
2>   bbbbbbbbbbbb mixed: 25 % of its records
2> next: erase those as well; `lineage impact aaaaaaaaaaaa` names the models, too
$ lineage erase dataset/mixed --reason asked --authority DPO -y
2> 1 file, 6 B, of bbbbbbbbbbbb erased
2> copies that are not erased:
2>   mixed, from where bbbbbbbbbbbb was committed
$ lineage erase dataset/chats --reason asked --authority DPO -y
2> 1 file, 6 B, of aaaaaaaaaaaa had been erased before; removed once more
2> copies that are not erased:
2>   chats, from where aaaaaaaaaaaa was committed
""")
