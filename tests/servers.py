"""Servers that tests start beside them: a free port, a process, the machine's sshd."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lineage.store.key_files import generate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SSHD = Path("/usr/sbin/sshd")
PATIENCE = 30  # seconds for a server to start on a busy machine

SSHD_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
PidFile none
StrictModes no
UsePAM no
Subsystem sftp internal-sftp
"""


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
    return port


@contextmanager
def running(command: Sequence[str | Path], port: int) -> Iterator[None]:
    """Run a server until the end; it dies with the tests whatever happens to them."""
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(port, server)
            yield
        finally:
            server.terminate()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    patience = time.monotonic() + PATIENCE
    while time.monotonic() < patience:
        assert server.poll() is None, f"{server.args!r} ended at once"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"{server.args!r} does not listen")


def ssh_keys(folder: Path) -> None:
    """Make the keys of a host, and of who may come in."""
    folder.mkdir()
    for name in ("host", "key"):
        generate(folder / name, name, passphrase=False)


def sshd(folder: Path, port: int) -> list[str | Path]:
    """The command of the machine's own sshd, with the keys in `folder`."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd hides as nobody
    config = folder / "sshd_config"
    config.write_text(SSHD_CONFIG.format(port=port, folder=folder), encoding="utf-8")
    return [SSHD, "-D", "-e", "-f", config]
