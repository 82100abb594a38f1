"""`lineage config`: list, get, set, forget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

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
2> error: key does not contain a section: nonsense
2> hint: keys look like `index.url`
exit 2
$ lineage config --unset
2> error: --unset forgets one key: KEY and nothing else
exit 2
""")
