"""`lineage serve`: a real process, asked over a real socket, and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest
from inline_snapshot import snapshot

import lineage
from lineage.server.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lineage.registry import Registry


@contextmanager
def served(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `lineage serve WORDS`; the process, and where it answers."""
    command = [sys.executable, "-m", "lineage", "serve", "--port", "0", *words]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_and_stops(repo: Registry, how: signal.Signals) -> None:
    """It says where it is, answers, and ends well when it is told to."""
    del repo
    with served() as (process, url):
        assert httpx.get(f"{url}/api/v1/whoami").json()["name"] == "Ada Example"
        process.send_signal(how)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert err == "serving with 1 worker; Ctrl-C stops it\n"


def test_workers_share_a_socket(repo: Registry) -> None:
    """Several processes answer at one address; one that is killed is replaced."""
    made = repo.commit("config", "settings", params={"seed": 1})
    with served("--workers", "2") as (process, url):
        asked = f"{url}/api/v1/commits/HEAD"
        assert httpx.get(asked, timeout=30).json()["id"] == made.id
        workers = _children(process.pid)
        os.kill(max(workers), signal.SIGKILL)
        while len(set(_children(process.pid)) - {max(workers)}) < len(workers):
            assert process.poll() is None
        assert httpx.get(asked, timeout=30).json()["id"] == made.id
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_workers_end_with_who_started_them(repo: Registry) -> None:
    """Killed, a server leaves nobody that answers in its place or has its port."""
    del repo
    with served("--workers", "2") as (process, url):
        assert httpx.get(f"{url}/api/v1/whoami", timeout=30).status_code == 200
        process.kill()
        process.communicate(timeout=30)  # its pipes are closed: the last one has ended
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/api/v1/whoami")


def _children(pid: int) -> list[int]:
    return [child.pid for child in psutil.Process(pid).children()]


def test_several_registries_have_names(
    repo: Registry, empty: Path, tmp_path: Path
) -> None:
    """Each is below its name; the list shows those that whoever asks may read."""
    other = shutil.copytree(empty, tmp_path / "other", symlinks=True)
    secret, _ = Tokens(repo.home).create("CI", "ci@example.com", ["read"])
    made = repo.commit("config", "settings", params={"seed": 1})
    with served(f"ours={repo.root}", f"other={other}") as (_, url):
        found = httpx.get(f"{url}/")
        assert found.json() == {"registries": ["other"]}
        bearer = {"Authorization": f"Bearer {secret}"}
        page = httpx.get(f"{url}/", headers={"Accept": "text/html"}).text
        assert '<a href="other/">' in page
        assert found.headers["x-frame-options"] == "DENY"
        commit = f"{url}/ours/api/v1/commits/HEAD"
        assert httpx.get(commit).status_code == 401
        assert httpx.get(commit, headers=bearer).json()["id"] == made.id
        assert httpx.get(f"{url}/none/").status_code == 404
        assert httpx.get(f"{url}/ours", headers=bearer).headers["location"] == "/ours/"


def test_other_machines_wait_for_a_token(
    repo: Registry, transcript: Callable[..., str], tmp_path: Path
) -> None:
    """What cannot be served is said before anything listens."""
    del repo
    lineage.init(tmp_path / "one" / "repo").close()
    assert transcript(
        "serve --host 0.0.0.0",
        "serve . ../one/repo",
        "serve a/b=. c=../one/repo",
        "serve --proxy 10.0.0.300",
        "serve ..",
        "serve --host 192.0.2.1 --proxy 192.0.2.2",
    ) == snapshot("""\
$ lineage serve --host 0.0.0.0
2> error: other machines are served once /test/repo has a token
2> hint: `lineage -C /test/repo token create` makes one
exit 4
$ lineage serve . ../one/repo
2> error: two registries would be served as repo
2> hint: name them: `lineage serve one=DIR two=DIR`
exit 2
$ lineage serve a/b=. c=../one/repo
2> error: 'a/b' cannot be the name of a registry here
2> hint: letters, digits, and . _ - between them
exit 2
$ lineage serve --proxy 10.0.0.300
2> error: no address or network: 10.0.0.300
2> hint: write 10.0.0.5 or 10.0.0.0/8
exit 2
$ lineage serve ..
2> error: /test/repo/.. is not inside a lineage registry
2> hint: run `lineage init` in the folder that should become one
exit 5
$ lineage serve --host 192.0.2.1 --proxy 192.0.2.2
2> error: 192.0.2.1:8800 cannot be listened at: Cannot assign requested address
2> hint: `--port N` takes another port, `--port 0` any that is free
exit 1
""")


def test_a_port_that_is_taken_is_said(repo: Registry, run: Any) -> None:
    """Where somebody listens already, the error names the address."""
    del repo
    with served() as (_, url):
        port = url.rpartition(":")[2]
        done = run("serve", "--port", port)
    assert done.exit_code == 1
    assert f"127.0.0.1:{port} cannot be listened at" in done.stderr


def test_a_stop_lets_answers_end_but_not_streams(repo: Registry) -> None:
    """What was asked before is answered; who only listens is let go at once."""
    (repo.root / "large").write_bytes(bytes(24 << 20))
    made = repo.commit("dataset", "large", "large")
    [entry] = repo.files(made.id)
    with (
        served() as (process, url),
        httpx.stream("GET", f"{url}/api/v1/files/{entry.sha256}", timeout=30) as file,
        httpx.stream("GET", f"{url}/api/v1/events/stream", timeout=30) as events,
    ):
        listening = events.iter_raw()
        next(listening)
        process.send_signal(signal.SIGTERM)
        with pytest.raises(httpx.RemoteProtocolError):
            list(listening)
        assert sum(map(len, file.iter_raw())) == 24 << 20
        _, err = process.communicate(timeout=9)
    assert process.returncode == 0
    assert "Traceback" not in err
