"""Walking a folder: everything that can be kept is found, the rest is named."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import LineageError, StoreError, UsageError
from lineage.store.scan import Found, scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

PARTS = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="/\0"),
    min_size=1, max_size=20,
).filter(lambda part: part not in {".", ".."})  # fmt: skip
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


def found(top: Path) -> list[str]:
    return [item.path for item in scan(top)[1]]


def test_a_file_is_found_under_its_own_name(tmp_path: Path) -> None:
    """A single file is one entry, called what it is called."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    path = tmp_path / "file"

    assert scan(path) == ("file", [Found(str(path), "file", path.stat())])


@given(paths=st.sets(PATHS, min_size=1, max_size=10))
def test_a_folder_is_found_in_order(
    paths: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """All files, sorted by path, whatever their names."""
    top = tmp_path_factory.mktemp("top")
    made = set()
    for path in sorted(paths, key=len):
        try:
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).touch(exist_ok=False)
        except (FileExistsError, NotADirectoryError, OSError):
            continue  # a file is where a folder should be, or the name is too long
        made.add(path)

    kind, entries = scan(top)
    files = [item for item in entries if not item.is_directory]
    assert kind == "directory"
    assert [item.path for item in files] == sorted(made)
    assert [Path(item.source) for item in files] == [top / item.path for item in files]


def test_empty_directories_are_found_and_full_ones_are_not(tmp_path: Path) -> None:
    """A directory is an entry only when nothing is in it."""
    (tmp_path / "top" / "a" / "b").mkdir(parents=True)
    (tmp_path / "top" / "c").mkdir()
    (tmp_path / "top" / "c" / "file").touch()
    (tmp_path / "top" / ".hidden").touch()

    assert found(tmp_path / "top") == [".hidden", "a/b", "c/file"]


def test_a_very_deep_folder_is_walked(tmp_path: Path) -> None:
    """A thousand folders in each other are no problem."""
    path = tmp_path / "top"
    path.mkdir()
    os.chdir(path)
    for _ in range(1_100):
        Path("d").mkdir()
        os.chdir("d")
    Path("file").touch()

    assert found(path) == ["d/" * 1_100 + "file"]
    os.chdir(tmp_path)
    subprocess.run(["rm", "-r", path], check=True)  # pytest cannot


def fifo(path: Path) -> None:
    os.mkfifo(path)


def listener(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path.name)


def broken_link(path: Path) -> None:
    path.symlink_to("nowhere")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def link(path: Path) -> None:
    path.symlink_to("/bin/sh")


def empty_folder(path: Path) -> None:
    (path / "deep" / "er").mkdir(parents=True)


def not_utf8(path: Path) -> None:
    path.mkdir()
    Path(os.fsdecode(os.fsencode(path) + b"/\xff")).touch()


REFUSED = [
    (fifo, UsageError, "{} is a pipe"),
    (listener, UsageError, "{} is a socket"),
    (broken_link, UsageError, "{} is a broken symbolic link to nowhere"),
    (link_to_itself, UsageError, "{} is a broken symbolic link to it"),
    (link, UsageError, "{} is a symbolic link to /bin/sh"),
    (empty_folder, UsageError, "{} holds no files"),
    (not_utf8, UsageError, "the file name b'{}/\\xff' is not UTF-8"),
    (lambda _: None, StoreError, "{} does not exist"),
]


@pytest.mark.parametrize(("make", "error", "words"), REFUSED)
def test_what_is_no_file_is_refused_by_name(
    make: Callable[[Path], None],
    error: type[LineageError],
    words: str,
    repo: Registry,
) -> None:
    """Special files, links and odd names are one sentence, and nothing is recorded."""
    path = repo.root / "it"
    make(path)
    with pytest.raises(error) as caught:
        repo.commit("dataset", "data", path)

    assert str(caught.value) == words.format(path)
    assert repo.branches() == {}
    assert not [p for p in repo.payloads.cache.rglob("*") if p.is_file()]


@pytest.mark.parametrize(("make", "error", "words"), REFUSED[:5] + REFUSED[6:7])
def test_what_is_no_file_is_refused_inside_a_folder(
    make: Callable[[Path], None],
    error: type[LineageError],
    words: str,
    tmp_path: Path,
) -> None:
    """One file that cannot be kept stops the whole folder, and is named."""
    top = tmp_path / "top" / "inner"
    top.mkdir(parents=True)
    (top / "fine").touch()
    os.chdir(top)
    make(top / "it")
    with pytest.raises(error) as caught:
        scan(tmp_path / "top")

    assert str(caught.value) == words.format(top / "it")


def test_a_file_below_a_file_does_not_exist(tmp_path: Path) -> None:
    """A path through a file says what is wrong with it."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file/below cannot be read: Not a directory"):
        scan(tmp_path / "file" / "below")
