"""Lists of allowed signers: read as ssh-keygen reads them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from lineage.bundle_check.signers import Signers
from lineage.store.key_files import read_public
from tests.tools import needs_openssh

if TYPE_CHECKING:
    from pathlib import Path

_NOON = "20260101120000Z"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True
    )
    (path.parent / "text").write_bytes(b"text")
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-f", path, "-n", "git", "text"],
        check=True,
        cwd=path.parent,
        capture_output=True,
    )
    return path


@needs_openssh
@pytest.mark.parametrize("option", ["valid-before", "valid-after"])
@pytest.mark.parametrize("second", [-1, 0, 1])
def test_limits_are_those_of_ssh_keygen(
    option: str, second: int, key: Path, tmp_path: Path
) -> None:
    """To the second, and both ends count; a part of a second is no other time."""
    public = read_public(key.with_suffix(".pub"))
    signers = tmp_path / "signers"
    line = f'a@example.com namespaces="git",{option}="{_NOON}" {public.line}\n'
    signers.write_text(line, encoding="utf-8")
    clock = f"2026-01-01T{'11:59:59' if second < 0 else f'12:00:0{second}'}"
    stamp = clock.replace("-", "").replace(":", "").replace("T", "") + "Z"

    asked = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", "a@example.com"]
    said = subprocess.run(
        [*asked, "-n", "git", f"-Overify-time={stamp}", "-s", "text.sig"],
        check=False,
        cwd=key.parent,
        input=b"text",
        capture_output=True,
    )
    found = Signers.read(signers, None)
    fault = found.fault(public.fingerprint, "git", f"{clock}.700000Z")

    assert (fault == "") == (said.returncode == 0), (fault, said.stderr)
