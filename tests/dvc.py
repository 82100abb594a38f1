"""The real `dvc`, in forks of a process that has imported it: a start takes a second.

A fork differs from a start by nothing but that. What it is given is all its own: its
arguments, environment, working directory, stdout and stderr.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import sys
import tempfile
from functools import cache
from pathlib import Path
from subprocess import PIPE, CompletedProcess, Popen
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAVY = ("dvc.cli", "dvc.cli.parser", "dvc.repo", "dvc.ui", "dvc_data.hashfile.build")


def dvc(
    *words: str | Path, env: Mapping[str, str] | None = None
) -> CompletedProcess[str]:
    """Run `dvc WORDS` here, as its console script does; it wants a HOME."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = (Path(folder, name) for name in ("out", "err"))
        job: dict[str, Any] = {
            "words": [*map(str, words)],
            "env": dict(env or {**os.environ, "HOME": folder}),
            "where": str(Path.cwd()),
            "streams": [str(out), str(err)],
        }
        code = _ask(_server(), job)
        return CompletedProcess(job["words"], code, *_texts(out, err))


def _texts(*paths: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in paths]


@cache
def _server() -> Popen[str]:
    """The process that forks; it ends with this one."""
    here = os.fspath(Path(__file__).parents[1])
    server = Popen(
        [sys.executable, "-P", "-m", "tests.dvc"],
        stdin=PIPE, stdout=PIPE, text=True, env={**os.environ, "PYTHONPATH": here},
    )  # fmt: skip
    atexit.register(server.communicate)
    return server


def _ask(server: Popen[str], job: dict[str, Any]) -> int:
    assert server.stdin
    assert server.stdout
    server.stdin.write(f"{json.dumps(job)}\n")
    server.stdin.flush()
    return int(server.stdout.readline())


# the server's side: `python -m tests.dvc`


def serve() -> None:
    """Run one command line per line of stdin, each in a fork; print its exit code."""
    for name in HEAVY:
        importlib.import_module(name)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work(json.loads(line))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print(code, flush=True)  # noqa: T201


def work(job: dict[str, Any]) -> None:
    """Be the command."""
    from dvc.cli import main

    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in enumerate(job["streams"], 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(job["env"])
    os.chdir(job["where"])
    sys.argv = ["dvc", *job["words"]]
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
