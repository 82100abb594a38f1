"""`lineage init`: a folder becomes a registry."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


def test_init(transcript: Transcript, tmp_path: Path) -> None:
    """A new folder, the same again, a file in the way."""
    (tmp_path / "file").touch()

    assert transcript("init new", "init new", "-C new log --all", "init file") == (
        snapshot("""\
$ lineage init new
2> /test/new is a lineage registry
$ lineage init new
2> /test/new is a lineage registry
$ lineage -C new log --all
2> nothing yet
$ lineage init file
2> error: /test/file is no folder
2> hint: choose another place
exit 2
""")
    )


@pytest.mark.parametrize("place", ["file", "file/new", "link", "link/new"])
@pytest.mark.parametrize("words", [["init"], ["clone", "there"], ["demo"]])
def test_a_file_in_the_way_is_named(
    run: Run, tmp_path: Path, words: list[str], place: str
) -> None:
    """Where a file or a link to nothing stands, above too, no folder is begun."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nothing")

    done = run(*words, place)

    way = place.partition("/")[0]
    assert (done.exit_code, f"{way} is no folder\n" in done.stderr) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


def test_what_is_there_is_adopted(run: Run, tmp_path: Path) -> None:
    """A git repository keeps its history, index and files."""
    git = ["git", "-C", str(tmp_path)]
    (tmp_path / "code.py").write_text("1\n", encoding="utf-8")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], check=True)

    assert run("init").exit_code == 0

    log = subprocess.run(
        [*git, "log", "--format=%s"], check=True, capture_output=True, text=True
    )
    status = subprocess.run(
        [*git, "status", "--porcelain"], check=True, capture_output=True, text=True
    )
    assert log.stdout == "first\n"
    assert status.stdout.split() == ["??", ".dvc/", "??", ".dvcignore"]


def test_a_folder_that_git_tracks_stays_with_its_repository(
    transcript: Transcript, tmp_path: Path
) -> None:
    """A part of a larger repository gets no `.git` of its own; a new folder does."""
    git = ["git", "-C", str(tmp_path)]
    (tmp_path / "team nlp").mkdir()
    (tmp_path / "team nlp" / "code.py").write_text("1\n", encoding="utf-8")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], check=True)

    assert transcript("init 'team nlp'", "init apart") == snapshot("""\
$ lineage init 'team nlp'
2> error: git tracks files of /test/team nlp in the repository /test
2> hint: `lineage init /test` makes that a registry
exit 1
$ lineage init apart
2> /test/apart is a lineage registry
""")
    assert not (tmp_path / "team nlp" / ".git").exists()


def test_gits_own_folder_is_no_place(run: Run, tmp_path: Path) -> None:
    """A bare repository, or the inside of `.git`, does not become a registry."""
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "bare"], check=True)
    subprocess.run(["git", "init", "-q", tmp_path / "full"], check=True)
    for place in ("bare", "full/.git", "full/.git/hooks"):
        done = run("init", place)

        assert (done.exit_code, "is git's own folder" in done.stderr) == (1, True)
        assert not (tmp_path / place / ".git").exists()
    assert run("init", "").exit_code == 2
