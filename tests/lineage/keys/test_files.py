"""Signing files that leave the house, checked by OpenSSH itself."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import NotAllowed
from lineage.keys import current, exports
from lineage.keys.files import FILES, ready, sign_file
from lineage.store.sshsig import Signature
from tests.tools import needs_openssh

if TYPE_CHECKING:
    from pathlib import Path

    Team = Any

DATA = b"what the report says\n"


def sign_as(team: Team, who: str) -> bytes:
    team.registry.settings.set("signing.key", str(team.files[who]))
    signature: bytes | None = sign_file(team.registry, DATA)
    assert signature is not None
    return signature


def accepted(team: Team, who: str, signature: bytes, folder: Path) -> bool:
    """Whether ``ssh-keygen -Y verify`` takes it, by the list of who may sign."""
    signers, file = folder / "signers", folder / "file.sig"
    lines = exports.allowed_signers(current(team.registry))
    signers.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    file.write_bytes(signature)
    words = ["-f", signers, "-s", file, "-n", FILES, "-I", f"{who}@example.com"]
    done = subprocess.run(
        ["ssh-keygen", "-Y", "verify", *map(str, words)],
        input=DATA,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


@needs_openssh
def test_openssh_accepts_a_person(team: Team, tmp_path: Path) -> None:
    """Who may sign events signs files, in a namespace that no event has."""
    signature = sign_as(team, "bob")
    assert accepted(team, "bob", signature, tmp_path)
    assert not accepted(team, "ada", signature, tmp_path)
    assert Signature.parse(signature).holds(DATA, "lineage-report")
    assert not Signature.parse(signature).holds(DATA, "git")


@needs_openssh
def test_openssh_refuses_a_runner(team: Team, tmp_path: Path) -> None:
    """A runner's key is refused here, and by the list wherever else it signed."""
    with pytest.raises(NotAllowed, match="signs no file that is handed out"):
        sign_as(team, "runner")
    with pytest.raises(NotAllowed, match="signs no file that is handed out"):
        ready(team.registry)
    words = ["-Y", "sign", "-n", FILES, "-f", str(team.files["runner"])]
    done = subprocess.run(
        ["ssh-keygen", *words], input=DATA, capture_output=True, check=True
    )
    assert not accepted(team, "runner", done.stdout, tmp_path)


def test_a_key_that_does_not_count_signs_no_file(team: Team) -> None:
    """One that nobody added, that expired, that was revoked: nothing is signed."""
    with pytest.raises(NotAllowed, match="nobody has added the key"):
        sign_as(team, "eve")
    team.add("eve", valid_until=team.time(-1), valid_from=team.time(-2))
    with pytest.raises(NotAllowed, match="expired on"):
        sign_as(team, "eve")
    team.revoke("bob")
    with pytest.raises(NotAllowed, match="was revoked: lost"):
        sign_as(team, "bob")


def test_without_a_key_there_is_no_signature(empty: Team) -> None:
    """No key: none. A key that nobody can judge, in a registry without keys, signs."""
    assert sign_file(empty.registry, DATA) is None
    assert Signature.parse(sign_as(empty, "bob")).holds(DATA, FILES)
