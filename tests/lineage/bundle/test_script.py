"""verify.sh: what an auditor runs, with nothing but what an auditor has."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

import lineage
from lineage.audit import as_html
from lineage.audit.obligations.filling import addressed
from lineage.audit.obligations.template import load
from lineage.audit.report import report
from lineage.bundle import SCRIPT
from tests.tools import needs_what_an_auditor_has

if TYPE_CHECKING:
    from tests.lineage.bundle.conftest import House

pytestmark = needs_what_an_auditor_has
SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]
# ssh-keygen, git and unzip need no other programs; git runs itself by its name
TOOLS = re.search(r"for tool in (.*?); do", SCRIPT.read_text(), re.DOTALL)


def _tools(folder: Path, shell: str) -> Path:
    """Make a folder with links to exactly the tools that the script asks for."""
    assert TOOLS
    folder.mkdir()
    for name in TOOLS[1].replace("\\\n", " ").split():
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    (folder / "sh").symlink_to(shutil.which(shell) or shell)
    return folder


def _no_network() -> list[str]:
    """How to run a command without a network, where that is allowed."""
    command = ["unshare", "-rn"]
    if not shutil.which("unshare"):
        return []
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return [] if tried.returncode else command


def _run(folder: Path, shell: str, *words: str) -> tuple[int, list[str], str]:
    """Run the script in an empty environment: exit code, lines, what went wrong."""
    tools = folder / f"tools-{shell}"
    if not tools.exists():
        _tools(tools, shell)
    (folder / "tmp").mkdir(exist_ok=True)
    env = {"PATH": str(tools), "TMPDIR": str(folder / "tmp")}
    command = [*_no_network(), str(tools / "sh"), str(SCRIPT), *words]
    command[0] = shutil.which(command[0]) or command[0]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert not list((folder / "tmp").iterdir())
    return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_everything_passes_with_an_auditors_tools_alone(
    house: House, tmp_path: Path, shell: str
) -> None:
    """No Python, no network, no settings; a registry that went through everything."""
    path = house.bundle(tmp_path / "it.zip")
    held = ["--signers", str(house.signers), "--since", house.seen]

    code, lines, wrong = _run(tmp_path, shell, str(path), *held)

    assert (code, wrong) == (0, ""), (lines, wrong)
    assert lines[-1] == "nothing was found"
    passed = [line.split(":")[0].split()[1] for line in lines if line[:2] == "ok"]
    assert " ".join(passed) == (
        "archive bag git log event chain unsigned signer role signature commit edge "
        "files report payload since timestamp"
    )
    assert "1 away, with reason" in "\n".join(lines)


def test_an_unpacked_bundle_passes_too(house: House, tmp_path: Path) -> None:
    """A folder is checked as the zip file is, and may be called anything."""
    with ZipFile(house.bundle(tmp_path / "it.zip", "none")) as file:
        file.extractall(tmp_path / "out")

    code, lines, wrong = _run(tmp_path, SHELLS[0], str(tmp_path / "out"))

    assert (code, wrong) == (0, ""), lines
    [top] = (tmp_path / "out").iterdir()
    (top / "data" / "extra").write_text("x")
    (top / "data" / "link").symlink_to("/etc/passwd")
    code, lines, _ = _run(tmp_path, SHELLS[0], str(top))
    assert code == 3
    assert "FAILED archive: it has links, devices or other things than files" in lines


def test_what_was_not_given_is_said(house: House, tmp_path: Path) -> None:
    """Without what the auditor must hold the script says what it did not check."""
    path = house.bundle(tmp_path / "it.zip", "none")

    code, lines, wrong = _run(tmp_path, SHELLS[0], str(path))

    assert (code, wrong) == (0, "")
    found = {line.split()[2].rstrip(":") for line in lines if line[:3] == "NOT"}
    assert found == {
        *("signer", "signature", "report", "payload", "since", "timestamp"),
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "usage: sh verify.sh"),
        (["no.zip"], "there is no no.zip"),
        (["x", "--since", "abc"], "there is no x"),
        (["--since"], "--since takes a value"),
        (["--what"], "there is no option --what"),
    ],
)
def test_mistakes(tmp_path: Path, words: list[str], says: str) -> None:
    """A mistake on the command line is one sentence and exit code 2."""
    code, lines, wrong = _run(tmp_path, SHELLS[0], *words)

    assert (code, lines) == (2, [])
    assert says in wrong


def test_hostile_surroundings_have_no_say(house: House, tmp_path: Path) -> None:
    """Settings of git around the bundle, or in the environment, run nothing."""
    marks = tmp_path / "ran"
    with ZipFile(house.bundle(tmp_path / "it.zip", "none")) as file:
        file.extractall(tmp_path / "out")
    subprocess.run(["git", "init", "-q", str(tmp_path / "out")], check=True)
    for name, value in {
        "core.fsmonitor": f"touch {marks}",
        "core.pager": f"touch {marks}",
        "pager.grep": f"touch {marks}",
        "gpg.ssh.program": f"touch {marks}",
    }.items():
        command = ["git", "-C", str(tmp_path / "out"), "config", name, value]
        subprocess.run(command, check=True)
    [top] = (p for p in (tmp_path / "out").iterdir() if p.name != ".git")
    env = {
        "PATH": os.environ["PATH"],
        "GIT_DIR": str(tmp_path / "out" / ".git"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": f"touch {marks}",
        "UNZIP": "-x *",
    }
    done = subprocess.run(
        ["sh", str(SCRIPT), str(top)], env=env, capture_output=True, check=False
    )

    assert done.returncode == 0, done.stdout
    assert not marks.exists()


def test_the_docs_say_which_script_is_ours() -> None:
    """Its SHA-256 is in docs/bundle.md, for whoever has it from somewhere else."""
    docs = (Path(__file__).parents[3] / "docs" / "bundle.md").read_text("utf-8")

    assert f"\n    {hashlib.sha256(SCRIPT.read_bytes()).hexdigest()}\n" in docs


def test_the_page_is_made_again_from_the_history_alone(
    house: House, tmp_path: Path
) -> None:
    """By the command in VERIFY.md, in a registry that was fetched from the bundle."""
    path = house.bundle(tmp_path / "it.zip", "none", template="eu-art-10-15")
    with ZipFile(path) as file:
        file.extractall(tmp_path / "out")
    [top] = (tmp_path / "out").iterdir()
    with closing(lineage.init(tmp_path / "again")) as again:
        spec = "+refs/lineage/*:refs/lineage/*"
        source = str(top / "data" / "registry.bundle")
        subprocess.run(["git", "fetch", "-q", source, spec], cwd=again.root, check=True)
    guide = (top / "VERIFY.md").read_text(encoding="utf-8")
    [command] = re.findall(r"^ +lineage report (.+?);", guide, re.MULTILINE)
    revset, *options = shlex.split(command)
    assert options == ["--template", "eu-art-10-15", "-o", "again.html"]
    with closing(lineage.open(tmp_path / "again")) as again:
        made = addressed(report(again, revset), "authority", load(options[1]))
    page = as_html.render(made)

    assert page.encode() == (top / "data" / "report.html").read_bytes()
