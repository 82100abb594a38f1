"""`lineage verify FILE.zip`: outside of any registry, by what the auditor holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zipfile import ZipFile

from inline_snapshot import snapshot

from lineage import bundle_check
from lineage.bundle_check import CHECKS

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from lineage.registry import Registry
    from tests.conftest import Run


def _bundle(repo: Registry, run: Run, tmp_path: Path) -> Path:
    repo.commit("model", "tutor", params={"rate": 0.5}, metrics={"accuracy": 0.75})
    path = tmp_path / "tutor.zip"
    assert run("report", "model/tutor", "--format", "bundle", "-o", path).exit_code == 0
    return path


def test_outside_of_any_registry(
    repo: Registry, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says of each check what became of it, and what to give for those not made."""
    path = _bundle(repo, run, tmp_path)
    monkeypatch.chdir(tmp_path)

    result = run("verify", path.name)

    assert result.exit_code == 0
    assert re.sub(r" \d+  ", " N  ", result.stdout) == snapshot("""\
Checks
  check      result       looked at  holds
  archive    passed              N  it can be unpacked safely
  bag        passed              N  each file is listed with its SHA-256
  signature  not checked             somebody you know signed the list
    nobody signed this bag
  unsigned   not checked             what has to be signed is signed
    the log has no key, so nothing in it is signed
  git        passed               N  git finds every object whole
  log        passed               N  events and names are those in git
  event      passed               N  each event has the SHA-256 of its id
  chain      passed               N  each event names those before it
  signer     not checked             each event's key counted at its time
    the log has no key, so nothing in it is signed
  role       not checked             each signer had the role that it takes
  commit     passed               N  each manifest has the SHA-256 of its id
  edge       passed               N  each edge leads to a commit that is here
  files      not checked             each list of files is its manifest's
    there is none
  payload    not checked             each file has the SHA-256 of its name
    the bundle has the hashes of files, and not the files
  report     passed              N  the report says what was recorded
  since      not checked             the log goes on from the event you saw
    a history that was written anew looks like any other: give --since EVENT
  timestamp  not checked             each time stamp is of its event
    there is none
""")
    told = result.stderr.replace(
        run("verify", path, "--format", "json").json()["event"], "EVENT"
    )
    assert told == snapshot("""\
17 checks: 9 passed, 0 failed, 8 not checked
note the newest event: --since holds the next bundle to it
EVENT
""")


def test_more_files_than_a_checker_takes_unasked(
    repo: Registry, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option that an auditor needs then is told to whoever hands the bundle out."""
    monkeypatch.setattr(bundle_check, "MOST_FILES", 3)
    repo.commit("model", "tutor", params={"rate": 0.5})
    path = tmp_path / "tutor.zip"

    result = run("report", "model/tutor", "--format", "bundle", "-o", path)

    with ZipFile(path) as file:
        count = len(file.namelist())
    assert f"takes `--entries {count}`" in result.stderr
    assert run("verify", path, "--entries", str(count)).exit_code == 0
    assert run("verify", path, "--entries", str(count - 1)).exit_code == 3


def test_an_unpacked_folder_with_a_finding(
    repo: Registry, run: Run, tmp_path: Path
) -> None:
    """A folder that holds a bag is a bundle too; what is wrong is named."""
    path = _bundle(repo, run, tmp_path)
    ZipFile(path).extractall(tmp_path / "out")
    [folder] = (tmp_path / "out").iterdir()
    with (folder / "VERIFY.md").open("a") as page:
        page.write("All is well.")

    result = run("verify", folder, "--format", "csv")

    assert result.exit_code == 3
    assert result.stdout == snapshot("""\
check,where,what
bag,VERIFY.md,does not have the SHA-256 of tagmanifest-sha256.txt
""")
    few = run("verify", folder, "--entries", "3", "--format", "csv")
    assert few.stdout.splitlines()[1:] == [
        f"archive,{folder.name},it has more than 3 files (--entries takes more)"
    ]
    asked = run("verify", folder, "--format", "json").json()
    assert [check["name"] for check in asked["checks"]] == [*CHECKS]


def test_what_an_auditor_holds_is_for_a_bundle(repo: Registry, run: Run) -> None:
    """Keys from elsewhere, given for the registry itself, are refused."""
    del repo
    result = run("verify", "--anchor", "SHA256:x")

    assert result.exit_code == 2
    assert result.stderr == snapshot("""\
error: what you hold is for a bundle
hint: name the bundle: `lineage verify FILE.zip --signers KEYS`
""")


def test_a_bundle_that_is_not_there(repo: Registry, run: Run, tmp_path: Path) -> None:
    """It says so, and does not look for a branch of that name; nor is a bundle keys."""
    path = _bundle(repo, run, tmp_path)
    told = [
        run("verify", *words).stderr.replace(str(tmp_path), "")
        for words in (
            ("nowhere.zip",),
            ("nowhere.zip", "--signers", path),
            (path, "--signers", path),
            (path, "--anchor", "Ada"),
        )
    ]

    assert "".join(told) == snapshot("""\
error: there is no file nowhere.zip
hint: name the bundle's file
error: there is no file nowhere.zip
hint: name the bundle's file
error: /tutor.zip is no list of keys
hint: `lineage key list --format allowed-signers` writes one
error: 'Ada' is not the fingerprint of a key
hint: it is SHA256: and 43 characters, as `lineage key list` prints it
""")
