"""The folder that `make test` gives to all that is temporary."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRATCH = Path(__file__).with_name("scratch.py")


def scratch(command: str, where: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(SCRATCH), "--disk", "sh", "-c", command]
    return subprocess.run(
        words, check=False, capture_output=True, text=True, env={"TMPDIR": str(where)}
    )


def test_nothing_is_left_of_what_succeeds(tmp_path: Path) -> None:
    """What the command writes lies in its own folder, which goes with it."""
    done = scratch("echo it > $TMPDIR/file; echo $TMPDIR", tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert Path(done.stdout.strip()).parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_what_a_failure_leaves_goes_with_the_next_run(tmp_path: Path) -> None:
    """The exit code is the command's, and the folder is named until then."""
    done = scratch("echo it > $TMPDIR/file; exit 7", tmp_path)

    [left] = tmp_path.iterdir()
    assert (done.returncode, done.stderr) == (7, f"what was left is in {left}\n")
    assert (left / "file").read_text(encoding="utf-8") == "it\n"
    assert scratch("true", tmp_path).returncode == 0
    assert not left.exists()


def test_a_run_beside_another_leaves_its_folder_alone(tmp_path: Path) -> None:
    """Only what is over is removed."""
    beside = f"{sys.executable} {SCRATCH} --disk true; ls $TMPDIR"
    done = scratch(f"echo it > $TMPDIR/file; TMPDIR={tmp_path} {beside}", tmp_path)

    assert done.returncode == 0
    assert done.stdout == "file\n"
