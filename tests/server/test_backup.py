"""Backup and restore, as docs/server.md says it: of a registry that is being used."""

from __future__ import annotations

import re
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

import lineage
from lineage.server.tokens import Tokens
from tests.server.conftest import serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

PAGE = Path(__file__).parents[2] / "docs" / "server.md"


def told(title: str) -> list[str]:
    """The commands that a section of the page gives."""
    section = PAGE.read_text(encoding="utf-8").partition(f"## {title}\n")[2]
    return re.findall(r"^    (.+)$", section.partition("\n## ")[0], re.MULTILINE)


def test_a_copy_made_while_others_write_is_whole(
    repo: Registry, tmp_path: Path, sound: Callable[..., None]
) -> None:
    """What was backed up under load verifies, serves, and takes new commits."""
    secret, _ = Tokens(repo.home).create("CI", "ci@example.com", ["read"])
    bearer = {"Authorization": f"Bearer {secret}"}
    copying = next(line for line in told("Backup and restore") if "cp -a" in line)
    command = copying.replace("/backup/tutor", str(tmp_path / "backup"))
    stop = threading.Event()
    first = threading.Event()

    def write() -> None:
        with lineage.open(repo.root) as registry:
            number = 0
            while not stop.is_set():
                (tmp_path / "data").write_text(f"{number}\n")
                registry.commit("dataset", f"d{number % 3}", tmp_path / "data")
                first.set()
                number += 1

    with serving(repo.root) as url:
        writer = threading.Thread(target=write)
        writer.start()
        assert first.wait(60)
        subprocess.run(command, shell=True, check=True, cwd=repo.root)  # noqa: S602
        count = httpx.get(f"{url}/api/v1/commits/HEAD", headers=bearer)
        stop.set()
        writer.join()
    assert count.status_code == 200
    restored = (tmp_path / "backup").rename(tmp_path / "restored")
    with lineage.open(restored) as copy, serving(restored) as url:
        tip = copy.events_log.tip()
        assert tip
        assert repo.events_log.follows(tip)
        sound(copy)
        found = httpx.get(f"{url}/api/v1/commits/HEAD", headers=bearer)
        assert found.json()["id"] == copy.resolve("HEAD")
        assert httpx.get(f"{url}/api/v1/commits/HEAD").status_code == 401
        copy.commit("config", "later", params={"seed": 1})
        copy.get("dataset/d0", tmp_path / "out")
        sound(copy)
