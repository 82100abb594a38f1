"""`lineage index`: what it shows, and what it makes anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from lineage.registry import Registry
    from tests.conftest import Run


def test_where_it_is_and_what_it_holds(
    repo: Registry, transcript: Callable[..., str]
) -> None:
    """Before a question, after one, and behind again."""
    repo.commit("config", "c", params={"lr": 0.1})
    assert transcript("index status") == snapshot("""\
$ lineage index status
/test/repo/.git/lineage/index.sqlite: behind: the next question catches up
""")
    assert transcript("index rebuild") == snapshot("""\
$ lineage index rebuild
/test/repo/.git/lineage/index.sqlite: up to date

1 commit of this clone
  table     rows
  attested     0
  commits      1
  edges        0
  events       2
  files        0
  heard        2
  known        1
  left_out     0
  metrics      0
  params       1
  refs         1
""")
    repo.commit("config", "c", params={"lr": 0.2})
    assert transcript("index status").splitlines()[1] == snapshot(
        "/test/repo/.git/lineage/index.sqlite: behind: the next question catches up"
    )


def test_a_commit_that_was_left_out_is_named(
    repo: Registry, transcript: Callable[..., str], run: Run
) -> None:
    """It stands there with the reason, for people and for programs."""
    made = repo.commit("config", "c", params={"lr": 0.1})
    repo.close()
    oid = repo.git.run("rev-parse", f"{made.git}:lineage.json").decode().strip()
    (repo.git.common / "objects" / oid[:2] / oid[2:]).unlink()

    assert transcript("index rebuild").split("left out")[1] == snapshot("""\

  commit        reason
  aaaaaaaaaaaa  its manifest is missing
""")
    found = run("index", "status", "--format", "json").json()
    assert found["left_out"] == [{"id": made.id, "reason": "its manifest is missing"}]
    assert (found["current"], found["commits"], found["clones"]) == (True, 0, 1)


def test_a_password_is_not_shown(repo: Registry, database: str, run: Run) -> None:
    """The place of a shared index is its URL, with stars for the password."""
    repo.settings.set("index.url", database)
    for command in ("status", "rebuild", "status"):
        done = run("index", command, "--format", "json")
        assert done.exit_code == 0
        assert "between-us" not in done.stdout + done.stderr
        assert done.json()["place"].startswith("postgresql://postgres:***@/lineage_")
    assert done.json()["current"] is True


def test_the_variable_names_the_place(
    repo: Registry, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LINEAGE_INDEX_URL wins over the setting of the clone."""
    repo.settings.set("index.url", "nonsense")
    monkeypatch.setenv("LINEAGE_INDEX_URL", f"sqlite:///{tmp_path}/shared.db")
    done = run("index", "rebuild", "--format", "jsonl")

    assert done.jsonl()[0]["place"] == f"{tmp_path}/shared.db"
    assert (tmp_path / "shared.db").exists()
