"""Settings: which file wins, what can be written, what a bad one says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lineage.errors import StoreError, UsageError
from lineage.store.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_the_nearest_setting_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller's word, then the clone's file, then the user's."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "lineage").mkdir()
    user = '[index]\n\turl = user\n[gc]\n\tgrace = "3 days"\n[a]\n\tb = 1\n'
    (tmp_path / "lineage" / "config").write_text(user, encoding="utf-8")
    settings = Settings(tmp_path, {"a.b": "caller"})
    settings.set("index.url", "clone's # own")

    assert settings.all == {
        "a.b": "caller",
        "gc.grace": "3 days",
        "index.url": "clone's # own",
    }
    settings.unset("index.url", "no.such")
    assert settings.get("index.url") == "user"


def test_what_is_no_key_or_no_file_is_said(tmp_path: Path) -> None:
    """A key without a section is refused; a file that git cannot read is named."""
    settings = Settings(tmp_path)
    with pytest.raises(UsageError, match="key does not contain a section: nothing"):
        settings.set("nothing", "x")
    (tmp_path / "config").write_text("[half", encoding="utf-8")
    with pytest.raises(StoreError, match=r"config cannot be read: bad config"):
        _ = settings.all


def test_what_git_cannot_write_is_one_error(tmp_path: Path) -> None:
    """What git says becomes a part of our sentence, without git's own "error:"."""
    (tmp_path / "config").symlink_to("away/config")
    with pytest.raises(StoreError, match="config cannot be written: could not lock"):
        Settings(tmp_path).set("gc.grace", "3d")


def test_a_lock_that_a_killed_git_left_is_no_lock(tmp_path: Path) -> None:
    """Settings can be changed after a kill in the middle of a change."""
    (tmp_path / "config.lock").touch()
    Settings(tmp_path).set("gc.grace", "3d")

    assert Settings(tmp_path).get("gc.grace") == "3d"
    assert not (tmp_path / "config.lock").exists()
