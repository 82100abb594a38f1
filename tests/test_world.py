"""The fixtures of conftest.py keep their promises."""

import os
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest
import torch  # noqa: TID253


def test_home_is_off_limits() -> None:
    """Nothing can be written to the home directory, not even by root."""
    with pytest.raises(NotADirectoryError):
        (Path.home() / "anything").write_text("x", encoding="utf-8")


def test_git_knows_the_test_identity_and_nothing_else() -> None:
    """Git reads our configuration only, also without its GIT_ variables."""
    bare = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    for env in (dict(os.environ), bare):
        listed = subprocess.run(
            ["git", "config", "--list", "--global"],
            env=env, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert listed.stdout.splitlines() == [
            "user.name=Ada Example",
            "user.email=ada@example.com",
            "init.defaultbranch=main",
        ]


def test_network_is_refused() -> None:
    """A request that leaves the machine fails at once."""
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen("http://example.com", timeout=5)


def test_loopback_is_open() -> None:
    """A server on this machine can be reached without the closed proxy."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert urllib.request.proxy_bypass(server.getsockname()[0])


def test_each_test_works_in_its_own_directory(tmp_path: Path) -> None:
    """The working directory is the test's own, never the checkout."""
    assert tmp_path == Path.cwd()


def test_torch_computes_with_one_thread() -> None:
    """Workers side by side would wait for one another's threads, many times over."""
    assert torch.get_num_threads() == 1
