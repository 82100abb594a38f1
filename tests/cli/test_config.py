"""`lineage config`: list, get, set, forget."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from lineage.setting_keys import KEYS
from tests.docs.site import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.usefixtures("repo")
def test_settings(transcript: Callable[..., str]) -> None:
    """Set in this clone, read back in every way, and forgotten."""
    assert transcript(
        "config",
        "config index.url postgresql://host/db",
        "config index.url",
        "config index.url --format json",
        "config",
        "config --unset index.url",
        "config --unset index.url",
        "config index.url",
        "config nonsense x",
        "config --unset",
    ) == snapshot("""\
$ lineage config
2> nothing is set
$ lineage config index.url postgresql://host/db
$ lineage config index.url
postgresql://host/db
$ lineage config index.url --format json
{
  "schema_version": 1,
  "settings": [
    {
      "key": "index.url",
      "value": "postgresql://host/db"
    }
  ]
}
$ lineage config
key        value
index.url  postgresql://host/db
$ lineage config --unset index.url
$ lineage config --unset index.url
2> error: index.url is not set
2> hint: `lineage config` lists what is
exit 5
$ lineage config index.url
2> error: index.url is not set
2> hint: `lineage config` lists what is
exit 5
$ lineage config nonsense x
2> error: 'nonsense' is no key
2> hint: keys look like `index.url`
exit 2
$ lineage config --unset
2> error: --unset forgets one key: KEY and nothing else
exit 2
""")


@pytest.mark.usefixtures("repo")
def test_a_key_that_nothing_reads_is_refused(transcript: Callable[..., str]) -> None:
    """A slip in a key is told with the nearest key, and nothing is set."""
    assert transcript(
        "config gc.grase 3d",
        "config remote.origin.dcv store",
        "config gc.x 1",
        "config tutor.x 1",
        "config --unset gc.grase",
        "config",
    ) == snapshot("""\
$ lineage config gc.grase 3d
2> error: no setting is called gc.grase
2> hint: did you mean gc.grace?
exit 2
$ lineage config remote.origin.dcv store
2> error: no setting is called remote.origin.dcv
2> hint: there is remote.NAME.dvc, remote.NAME.packed, remote.NAME.url
exit 2
$ lineage config gc.x 1
2> error: no setting is called gc.x
2> hint: there is gc.grace, gc.keep, gc.trash
exit 2
$ lineage config tutor.x 1
2> error: no setting is called tutor.x
2> hint: keys look like gc.grace, index.url, signing.key
exit 2
$ lineage config --unset gc.grase
2> error: gc.grase is not set
2> hint: `lineage config` lists what is
exit 5
$ lineage config
2> nothing is set
""")


@pytest.mark.usefixtures("repo")
def test_keys_with_names_of_ones_own_are_taken(transcript: Callable[..., str]) -> None:
    """Names of aliases and remotes are free, and letters are as git has them."""
    assert transcript(
        "config revset-aliases.good kind(model)",
        "config remote.a.b.dvc store",
        "config GC.Grace 3d",
        "config",
    ) == snapshot("""\
$ lineage config revset-aliases.good kind(model)
$ lineage config remote.a.b.dvc store
$ lineage config GC.Grace 3d
$ lineage config
key                  value
gc.grace             3d
remote.a.b.dvc       store
revset-aliases.good  kind(model)
""")


def test_every_key_that_is_read_is_known_and_documented() -> None:
    """What the code asks the settings for can be set, and the page says what for."""
    sources = [
        p for room in ("cli", "lineage", "store") for p in (ROOT / room).rglob("*.py")
    ]
    asked = re.compile(r"settings\.(?:get|flag)\(f?\"([^\"]+)\"")
    read = {k for p in sources for k in asked.findall(p.read_text("utf-8"))}
    fixed = {key for key in read if "{" not in key}
    assert fixed <= set(KEYS)
    assert {"gc.keep", "index.url", "signing.anchor"} <= fixed
    page = (ROOT / "docs" / "history.md").read_text("utf-8")
    assert [k for k, what in KEYS.items() if f"| `{k}` | {what} |" not in page] == []
