"""`lineage -C URL`: the command line on a registry behind a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from tests.cli.conftest import stable
from tests.server.conftest import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lineage.registry import Registry


@pytest.fixture
def url(
    repo: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """Serve a registry with a commit; go elsewhere."""
    repo.commit("config", "settings", params={"seed": 1}, message="as agreed")
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file:http")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with serving(repo.root) as url:
        monkeypatch.chdir(tmp_path)
        yield url


def test_commands_work_on_a_server(
    url: str, transcript: Callable[..., str], tmp_path: Path
) -> None:
    """What is read and written through the server looks as it does at home."""
    (tmp_path / "a.txt").write_text("a\n")
    said = transcript(
        f"-C {url} log",
        f"-C {url} commit dataset a.txt --name seed -m 'from afar'",
        f"-C {url} tag v1 dataset/seed",
        f"-C {url} get v1 back.txt",
        f"-C {url} events -n 2",
    )
    assert stable(said.replace(url, "URL"), tmp_path) == snapshot("""\
$ lineage -C URL log
□  aaaaaaaa config settings (HEAD -> config/settings)      Ada Example, just now
   as agreed
$ lineage -C URL commit dataset a.txt --name seed -m 'from afar'
bbbbbbbbbbbb…
2> dataset seed recorded on dataset/seed: 1 file, 2 B
$ lineage -C URL tag v1 dataset/seed
2> v1 is bbbbbbbbbbbb
$ lineage -C URL get v1 back.txt
/test/back.txt
2> 1 file, 2 B, verified
$ lineage -C URL events -n 2
event     time              by           what    subject
cccccccc  2026-01-02 03:04  Ada Example  tag     v1
dddddddd  2026-01-02 03:04  Ada Example  commit  dataset/seed
  from afar
""")


def test_what_needs_the_folder_says_so(
    url: str, transcript: Callable[..., str], tmp_path: Path
) -> None:
    """Commands about a registry's own folder, and wrong addresses, are refused."""
    said = transcript(
        f"-C {url} gc",
        f"-C {url}/nowhere log",
        "-C http://127.0.0.1:1 log",
    )
    assert stable(said.replace(url, "URL"), tmp_path) == snapshot("""\
$ lineage -C URL gc
2> error: `lineage gc` does not work on a server's registry
2> hint: run `lineage gc` where the registry lies, with -C DIR
exit 2
$ lineage -C URL/nowhere log
2> error: there is no registry at URL/nowhere
2> hint: a server of several has each at URL/NAME; its page at URL/ lists them
exit 5
$ lineage -C http://127.0.0.1:1 log
2> error: http://127.0.0.1:1 does not answer: Connection refused
2> hint: see whether the address is right and the server runs
exit 1
""")
